"""What respondents think when a survey asks them: the latent scores behind all answers.

`wave_months` tells when the operator asks, `draw_opinions` collects, for one wave, the latent
scores of every account: perceived value, satisfaction and loyalty from the monthly process, trust
and commitment from satisfaction, attitudes from the psychographic traits.  `TRUST_ON` and
`COMMITMENT_ON` are the paths that the survey adds to those of the process.

Source: Morgan & Hunt (1994), Journal of Marketing 58, for trust and commitment.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from keycustomer.simulate.accounts import Accounts
from keycustomer.simulate.panel import Panel
from keycustomer.simulate.questionnaire import LATENTS
from keycustomer.simulate.vocabulary import ATTRIBUTES

Array = npt.NDArray[Any]
FloatArray = npt.NDArray[np.float64]

EVERY = 12
"""Months between two waves; the first one is asked in the last month of the first year."""

TRUST_ON: dict[str, float] = {"satisfaction": 0.70}
COMMITMENT_ON: dict[str, float] = {"trust": 0.40, "social": 0.35}
"""Paths to trust and to commitment, per unit of the latents they come from."""

OWN_SPREAD: dict[str, float] = {"trust": 0.70, "commitment": 0.70}
"""Standard deviations of what the paths leave of trust and of commitment."""

LASTING = 0.7
"""Part of the variance of specific performance and of own parts that lasts from wave to wave."""


@dataclass(frozen=True, eq=False)
class Opinions:
    """What every account thinks in one wave.

    Attributes
    ----------
    month : int
        Month of the wave.
    latents : ndarray, shape (accounts, latents)
        Scores in the order of `LATENTS`; NaN for accounts that are not there.
    specific : ndarray, shape (accounts, 12)
        Standardised specific performance of each attribute, beyond its dimension's.
    """

    month: int
    latents: FloatArray
    specific: FloatArray


def wave_months(months: int) -> tuple[int, ...]:
    """Tell in which months the operator asks: the last one of every year, or of the window."""
    return tuple(range(EVERY - 1, months, EVERY)) or (months - 1,)


def draw_opinions(
    accounts: Accounts,
    panel: Panel,
    month: int,
    lasting: np.random.Generator,
    passing: np.random.Generator,
) -> Opinions:
    """Collect and draw what every account thinks in a wave.

    Parameters
    ----------
    accounts, panel
        The company.
    month : int
        Month of the wave.
    lasting, passing : Generator
        Fourteen numbers an account each: what stays from wave to wave, and what does not; the
        former must be the same generator state in every wave.
    """
    size = (len(accounts), len(ATTRIBUTES) + 2)
    drawn = np.sqrt(LASTING) * lasting.standard_normal(size)
    drawn += np.sqrt(1 - LASTING) * passing.standard_normal(size)
    value = panel.value[month].astype(float)
    satisfaction = panel.satisfaction[month].astype(float)
    loyalty = panel.loyalty[month].astype(float)
    trust = TRUST_ON["satisfaction"] * satisfaction + OWN_SPREAD["trust"] * drawn[:, -2]
    commitment = COMMITMENT_ON["trust"] * trust + COMMITMENT_ON["social"] * value[:, 2]
    commitment = commitment + OWN_SPREAD["commitment"] * drawn[:, -1]
    latents = np.column_stack([value, satisfaction, loyalty, trust, commitment, accounts.traits])
    assert latents.shape[1] == len(LATENTS)  # noqa: S101
    return Opinions(month, latents, drawn[:, :-2])
