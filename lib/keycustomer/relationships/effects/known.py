"""True effects and values of the relationship levels, where the company is simulated.

:func:`true_level_effects` tells what is estimated by
:func:`~keycustomer.relationships.effects.levels_compared.level_effects`, of the same customers:
everybody on one level from the first month of the window on.  :func:`true_level_values` tells what
:func:`~keycustomer.relationships.effects.values_by_level.level_values` estimates: everybody present
on one level from the end of the window on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.dimensions.complaints import listed
from keycustomer.relationships.vocabulary import LEVELS
from keycustomer.stats.samples import FloatArray

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


def _ids(accounts: int) -> pd.Index:
    """Ids of a simulated company's accounts, in order."""
    from keycustomer.simulate.columns import customer_ids

    return pd.Index(np.asarray(customer_ids(np.arange(accounts))))


def _positions(customers: Iterable[str] | None, accounts: int) -> npt.NDArray[np.intp]:
    if customers is None:
        return np.arange(accounts)
    return np.flatnonzero(_ids(accounts).isin(list(customers)))


def _contrasts(mean: np.ndarray, reference: int) -> pd.DataFrame:
    other = [k for k in range(len(LEVELS)) if k != reference]
    names = [LEVELS[k] for k in other]
    measures = [("mean", LEVELS, mean), ("difference", names, (mean - mean[reference])[other])]
    measures.append(("ratio", names, (mean / mean[reference])[other]))
    return pd.concat(
        [pd.DataFrame({"measure": m, "setting": list(n), "truth": v}) for m, n, v in measures],
        ignore_index=True,
    )


@dataclass(frozen=True, eq=False)
class TrueLevelValues:
    """True expected margin and cost by customer and level, simulated.

    Attributes
    ----------
    customers : Index
        Ids, n of them.
    levels : tuple of str
        The five levels.
    value : ndarray, shape (n, 5)
        Expected margin before cost to serve over the horizon, discounted, currency.
    cost : ndarray, shape (n, 5)
        Expected cost to serve over the horizon, discounted, currency; that of the level included.
    months : ndarray, shape (n, 5)
        Expected months as a customer within the horizon, not discounted.
    """

    customers: pd.Index
    levels: tuple[str, ...]
    value: FloatArray = field(repr=False)
    cost: FloatArray = field(repr=False)
    months: FloatArray = field(repr=False)


def true_level_values(
    simulation: Mapping[str, Any],
    customers: Iterable[str],
    *,
    horizon: int = 24,
    discount_rate: float = 0.10,
    parameters: Parameters | None = None,
) -> TrueLevelValues:
    """Tell what every level would truly be worth for customers of a simulated company.

    Parameters
    ----------
    simulation : mapping
        accounts, months, seed of the company, such as a base's `simulation`.
    customers : iterable of str
        Ids, such as `LevelValues.customers`, in the order of the result.
    horizon : int
        Months ahead of the end of the window.
    discount_rate : float
        Effective rate a year, a share.
    parameters : Parameters, optional
        True coefficients of the company; left out, those of the course.

    Raises
    ------
    ValueError
        When a customer is none of the company.
    """
    from keycustomer.simulate import true_effects

    effects = true_effects(
        "level", **simulation, ahead=horizon, discount_rate=discount_rate, parameters=parameters
    )
    who = pd.Index(customers, name="customer_id")
    rows = _ids(len(effects.baseline.months)).get_indexer(who)
    if (rows < 0).any():
        raise ValueError(f"customers: {listed(who[rows < 0], 5)} are none of the company's")
    value, profit = effects.values("margin")[rows], effects.values("profit")[rows]
    return TrueLevelValues(who, LEVELS, value, value - profit, effects.values("months")[rows])
