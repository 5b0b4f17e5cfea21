"""True effects of the relationship levels, where the company is simulated.

:func:`true_level_effects` tells what is estimated by
:func:`~keycustomer.relationships.effects.levels_compared.level_effects`, of the same customers:
everybody on one level from the first month of the window on.  What every level is truly worth from
the end of the window on, :func:`~keycustomer.relationships.judged.true_levels.level_truth` tells.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.relationships.vocabulary import LEVELS

if TYPE_CHECKING:
    from keycustomer.simulate import Parameters

OUTCOMES: dict[str, tuple[str, str | None]] = {
    "leaving": ("left", "months"),
    "margin": ("total_margin", None),
    "months": ("months", None),
}
"""Outcomes by name: column of what is counted, and of what it is told by."""


def true_level_effects(
    simulation: Mapping[str, Any],
    outcome: str = "leaving",
    *,
    customers: Iterable[str] | None = None,
    reference: str = LEVELS[0],
    parameters: Parameters | None = None,
) -> pd.DataFrame:
    """Tell the true effects of the levels in a simulated company.

    Parameters
    ----------
    simulation : mapping
        accounts, months, seed of the company, such as a base's `simulation`.
    outcome : {"leaving", "margin", "months"}
        As in :func:`level_effects`.
    customers : iterable of str, optional
        Ids of the customers it is told of, such as `TreatmentEffects.kept`; left out, all.
    reference : str
        Level that the others are compared with.
    parameters : Parameters, optional
        True coefficients of the company; left out, those of the course.

    Returns
    -------
    DataFrame
        measure ("mean", "difference", "ratio"), setting, truth.

    Raises
    ------
    ValueError
        When there is no such outcome or level.
    """
    from keycustomer.simulate import true_effects

    if outcome not in OUTCOMES or reference not in LEVELS:
        raise ValueError(
            f"outcome={outcome!r}, reference={reference!r}: one of {', '.join(OUTCOMES)} and one "
            f"of {', '.join(LEVELS)} are needed"
        )
    effects = true_effects("level", **simulation, parameters=parameters)
    rows = _positions(customers, len(effects.baseline.months))
    if outcome == "leaving":
        total = (1 - effects.values("survival"))[rows].sum(axis=0)
        mean = total / effects.values("months")[rows].sum(axis=0)
    else:
        mean = effects.values(outcome)[rows].mean(axis=0)
    return _contrasts(mean, LEVELS.index(reference))


def _positions(customers: Iterable[str] | None, accounts: int) -> npt.NDArray[np.intp]:
    if customers is None:
        return np.arange(accounts)
    from keycustomer.simulate.columns import account_numbers

    return np.intersect1d(account_numbers(list(customers)), np.arange(accounts))


def _contrasts(mean: np.ndarray, reference: int) -> pd.DataFrame:
    other = [k for k in range(len(LEVELS)) if k != reference]
    names = [LEVELS[k] for k in other]
    measures = [("mean", LEVELS, mean), ("difference", names, (mean - mean[reference])[other])]
    measures.append(("ratio", names, (mean / mean[reference])[other]))
    return pd.concat(
        [pd.DataFrame({"measure": m, "setting": list(n), "truth": v}) for m, n, v in measures],
        ignore_index=True,
    )
