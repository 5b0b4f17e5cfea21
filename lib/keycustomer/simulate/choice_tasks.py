"""Choice tasks: accounts choose among packages that differ in price, service and green energy.

What is a service level, a contact person, green energy or a free term worth in money?  Every
respondent sees tasks with three packages and the option to take none, and takes the one of the
highest surplus (worth less price) plus chance, a logit choice.  Main names: `CHOICE_LEVELS`,
`WORTH` (what the levels are worth by segment), `draw_worths`, `draw_choices`.

Source: McFadden (1974), Frontiers in Econometrics, for the choice model; the numbers are made up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from keycustomer.simulate.vocabulary import TRAITS

FloatArray = npt.NDArray[np.float64]

PRICES = (60.0, 75.0, 90.0, 105.0, 120.0, 140.0)
"""Prices of the packages, EUR a month."""

CHOICE_LEVELS: dict[str, tuple[str, ...]] = {
    "service_level": ("reactive", "accountable", "partnership"),
    "contact_person": ("hotline", "named person"),
    "energy": ("standard", "green"),
    "contract": ("24 months", "12 months", "monthly"),
}
"""Attributes of the packages and their levels; the first one is worth 0."""

WORTH: dict[str, dict[str, tuple[float, float, float, float]]] = {
    "service_level": {
        "accountable": (12.0, 3.0, 14.0, 7.0),
        "partnership": (20.0, 4.0, 28.0, 14.0),
    },
    "contact_person": {"named person": (9.0, 1.0, 15.0, 4.0)},
    "energy": {"green": (2.0, 1.0, 5.0, 7.0)},
    "contract": {"12 months": (1.0, 3.0, 1.0, 4.0), "monthly": (0.0, 5.0, 1.0, 9.0)},
}
"""Mean worth of a level in EUR a month, by segment in the order of `SEGMENTS`."""

OWN_WORTH = 4.0
"""Standard deviation between accounts of what a level is worth, EUR a month."""

GREEN_ON_TRAIT = 5.0
"""Change of what green energy is worth per standard deviation of the green trait, EUR a month."""

SENSITIVITY = 0.085
"""Utility per EUR of surplus of a typical account."""

SENSITIVITY_SPREAD = 0.30
"""Standard deviation of its logarithm between accounts, beyond the trait."""

SENSITIVITY_ON_TRAIT = 0.25
"""Change of its logarithm per standard deviation of price orientation."""

TASKS, PACKAGES = 8, 3
"""Tasks a respondent, packages a task."""

NONE = "none of these"

_LEVELS = [(name, level) for name, levels in CHOICE_LEVELS.items() for level in levels]


@dataclass(frozen=True, eq=False)
class Worths:
    """What the packages' levels are worth to every account.

    Attributes
    ----------
    levels : tuple of (str, str)
        Attribute and level of each column.
    worth : ndarray, shape (accounts, levels)
        EUR a month; 0 for the first level of every attribute.
    sensitivity : ndarray, shape (accounts,)
        Utility per EUR.
    """

    levels: tuple[tuple[str, str], ...]
    worth: FloatArray
    sensitivity: FloatArray


@dataclass(frozen=True, eq=False)
class Choices:
    """Tasks and what was chosen.

    Attributes
    ----------
    price : ndarray, shape (respondents, tasks, packages)
        EUR a month.
    level : dict of str to ndarray of int, shape (respondents, tasks, packages)
        Position in `CHOICE_LEVELS` of each attribute.
    chosen : ndarray of int, shape (respondents, tasks)
        The package taken; `PACKAGES` for none.
    """

    price: FloatArray
    level: dict[str, npt.NDArray[np.int64]]
    chosen: npt.NDArray[np.int64]


def draw_worths(
    segment: npt.NDArray[Any], traits: FloatArray, generator: np.random.Generator
) -> Worths:
    """Draw what every level is worth to every account.

    Parameters
    ----------
    segment : ndarray of int, shape (accounts,)
        Need segments.
    traits : ndarray, shape (accounts, 5)
        Psychographic traits in the order of `TRAITS`.
    generator : Generator
        As many numbers an account as there are levels, and one more.
    """
    noise = generator.standard_normal((len(segment), len(_LEVELS) + 1))
    worth = np.zeros((len(segment), len(_LEVELS)))
    for column, (name, level) in enumerate(_LEVELS):
        if level in WORTH[name]:
            own = OWN_WORTH * noise[:, column]
            worth[:, column] = np.array(WORTH[name][level])[segment] + own
    worth[:, _LEVELS.index(("energy", "green"))] += (
        GREEN_ON_TRAIT * traits[:, TRAITS.index("green")]
    )
    log_factor = SENSITIVITY_SPREAD * noise[:, -1]
    log_factor = log_factor + SENSITIVITY_ON_TRAIT * traits[:, TRAITS.index("price")]
    return Worths(tuple(_LEVELS), worth, SENSITIVITY * np.exp(log_factor))


def draw_choices(worths: Worths, basic: FloatArray, generator: np.random.Generator) -> Choices:
    """Draw the tasks, and what every respondent takes.

    Parameters
    ----------
    worths : Worths
        What the levels are worth to the respondents.
    basic : ndarray, shape (respondents,)
        Willingness to pay for the package with the first level of everything, EUR a month.
    generator : Generator
        Draws tasks and chance, respondent by respondent.
    """
    # One call, so that the first respondents of a larger company are those of a smaller one.
    drawn = 1 + len(CHOICE_LEVELS)
    uniform = generator.random((len(basic), TASKS, PACKAGES * drawn + PACKAGES + 1))
    chance = -np.log(-np.log(uniform[..., PACKAGES * drawn :]))
    uniform = uniform[..., : PACKAGES * drawn].reshape(len(basic), TASKS, PACKAGES, drawn)
    price = np.array(PRICES)[(uniform[..., 0] * len(PRICES)).astype(int)]
    surplus = basic[:, None, None] - price
    rows = np.arange(len(basic))[:, None, None]
    level, first = {}, 0
    for place, (name, levels) in enumerate(CHOICE_LEVELS.items(), start=1):
        level[name] = (uniform[..., place] * len(levels)).astype(np.int64)
        surplus = surplus + worths.worth[rows, first + level[name]]
        first += len(levels)
    utility = np.zeros(chance.shape)
    utility[..., :-1] = worths.sensitivity[:, None, None] * surplus
    return Choices(price, level, (utility + chance).argmax(axis=-1))
