"""The equation of a demand model: what is explained, by what, with which instruments and effects.

:func:`demand_design` reads columns from a market table, takes effects out and refuses what they
leave nothing of; :func:`identifying_words` says which variation of the price then remains.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import Literal

import numpy as np
import pandas as pd

from keycustomer.pricing.market.linear_gmm import (
    FirstStage,
    absorb,
    check_instruments,
    check_rank,
    first_stage,
)
from keycustomer.pricing.market.tables import MarketTable, need_column
from keycustomer.stats.samples import FloatArray
from keycustomer.stats.student import student_quantile

CONSTANT = "constant"
"""Name of the constant: the worth of buying any of the products at all."""

PRICE = "price"

FEW_CLUSTERS = 20
"""With fewer groups clustered errors are too small, even with the t distribution."""

MANY_EFFECTS = 0.1
"""Share of the rows that effects take from which errors are said to be too small."""

Errors = Literal["robust", "plain"]


@dataclass(frozen=True, eq=False)
class DemandDesign:
    """Columns of a demand equation, effects taken out.

    Attributes
    ----------
    table : MarketTable
        The rows.
    exogenous : tuple of str
        Names of the regressors besides the price (and the share within the nest).
    instruments : tuple of str
        Names of the excluded instruments; none makes the price its own.
    effects : tuple of str
        Names of the effects.
    groups : tuple of ndarray of int
        Group of each row by effect.
    regressors : ndarray, shape (rows, k)
        Exogenous regressors, effects taken out.
    excluded : ndarray, shape (rows, m)
        Excluded instruments, effects taken out.
    price : ndarray, shape (rows,)
        Price, effects taken out.
    cluster : ndarray of int or None
        Group of each row for errors.
    cluster_name : str
        Its column, empty where there is none.
    price_left : float
        Share of the variance of the price that effects leave.
    """

    table: MarketTable
    exogenous: tuple[str, ...]
    instruments: tuple[str, ...]
    effects: tuple[str, ...]
    groups: tuple[np.ndarray, ...] = field(repr=False)
    regressors: FloatArray = field(repr=False)
    excluded: FloatArray = field(repr=False)
    price: FloatArray = field(repr=False)
    cluster: np.ndarray | None = field(repr=False)
    cluster_name: str
    price_left: float

    def first_stage(self) -> FirstStage | None:
        """Tell whether the instruments move the price; None where there are none."""
        if not self.instruments:
            return None
        return first_stage(self.price, self.regressors, self.excluded, cluster=self.cluster)


def demand_design(
    table: MarketTable,
    *,
    characteristics: Sequence[str],
    instruments: Sequence[str],
    effects: Sequence[str],
    cluster: str | None,
) -> DemandDesign:
    """Put together a demand equation.

    Parameters
    ----------
    table : MarketTable
        The rows.
    characteristics, instruments : sequence of str
        Columns of numbers.
    effects : sequence of str
        Columns of groups, each with a constant of its own.
    cluster : str, optional
        Column of groups for errors.

    Raises
    ------
    ValueError
        When columns are missing or no numbers, the price, a characteristic or an instrument does
        not vary beyond effects and the others, or there are too few clusters.
    """
    for argument, given in (
        ("characteristics", characteristics), ("instruments", instruments), ("effects", effects)
    ):  # fmt: skip
        if isinstance(given, str):
            raise ValueError(f"{argument}={given!r}: give a list of columns, [{given!r}]")
    groups = tuple(_codes(table, name, "effects") for name in effects)
    names = (*characteristics, *(() if effects else (CONSTANT,)))
    raw = [_column(table, name, "characteristic") for name in names]
    price = table.frame["price"].to_numpy(float)
    before = np.column_stack([*raw, price])
    left = absorb(before, groups)
    check_rank(left, before, [*names, PRICE], "regressor")
    moved = np.empty((len(table), len(instruments)))
    for place, name in enumerate(instruments):
        moved[:, place] = table.numbers(name, "instrument")
    excluded = absorb(moved, groups) if instruments else moved
    check_instruments(excluded, moved, left[:, :-1], instruments)
    return DemandDesign(
        table, names, tuple(instruments), tuple(effects), groups, left[:, :-1], excluded,
        left[:, -1], *_cluster(table, cluster), float(left[:, -1].var() / price.var()),
    )  # fmt: skip


def identifying_words(design: DemandDesign) -> str:
    """Say which variation identifies the price coefficient."""
    effects = " and ".join(design.effects)
    left = f"{100 * design.price_left:.1f} %"
    within = (
        f"within {effects}, which leave {left} of the variance of the price"
        if effects
        else "between all products and markets"
    )
    if not design.instruments:
        return (
            f"The price coefficient rests on all variation of the price {within}: it is drawn "
            "towards 0 where firms ask more when demand is high"
        )
    shown = ", ".join(design.instruments[:3]) + (" ..." if len(design.instruments) > 3 else "")
    return (
        f"The price coefficient rests on the part of the price that {len(design.instruments)} "
        f"instruments move ({shown}) {within}: it is right if they move what is bought through "
        "the price alone"
    )


def _column(table: MarketTable, name: str, role: str) -> FloatArray:
    return np.ones(len(table)) if name == CONSTANT else table.numbers(name, role)


def _codes(table: MarketTable, name: str, role: str) -> np.ndarray:
    need_column(table.frame, name, role)
    codes, _ = pd.factorize(table.frame[name], use_na_sentinel=True)
    if (codes < 0).any():
        raise ValueError(f"{role} {name!r}: {(codes < 0).sum():,} rows have no value")
    return np.asarray(codes)


def _cluster(table: MarketTable, name: str | None) -> tuple[np.ndarray | None, str]:
    if name is None:
        return None, ""
    codes = _codes(table, name, "cluster")
    if codes.max() < 1:
        raise ValueError(f"cluster={name!r}: errors need at least two groups, there is one")
    return codes, name


def interval_quantile(design: DemandDesign, level: float) -> float:
    """Errors to each side of an interval: normal, or t with groups - 1 degrees of freedom."""
    if design.cluster is None:
        return NormalDist().inv_cdf((1 + level) / 2)
    return student_quantile(level, int(design.cluster.max()))


def few_clusters(design: DemandDesign) -> list[str]:
    """Say so where clusters are too few for their errors to be trusted."""
    count = 0 if design.cluster is None else int(design.cluster.max()) + 1
    if not 0 < count < FEW_CLUSTERS:
        return []
    return [f"Only {count} groups of {design.cluster_name}: clustered errors are too small then."]


def few_rows(design: DemandDesign) -> list[str]:
    """Say so where effects take so many rows that errors without a correction are too small."""
    own = [g for g in design.groups if not _nested(g, design.cluster)]
    used = len(design.exogenous) + 1 + sum(int(group.max()) for group in own) + bool(own)
    rows = len(design.table)
    if used <= MANY_EFFECTS * rows:
        return []
    if used >= rows:
        return [f"Effects take all {rows:,} rows: errors mean nothing."]
    short = 1 - (1 - used / rows) ** 0.5
    return [
        f"Effects and characteristics take {used:,} of {rows:,} rows: errors, which carry no "
        f"correction for that, are too small by about {100 * short:.0f} %."
    ]


def _nested(group: np.ndarray, cluster: np.ndarray | None) -> bool:
    """Whether each group lies within one cluster: its mean then costs the errors nothing."""
    if cluster is None:
        return False
    return bool((pd.Series(cluster).groupby(group).nunique() == 1).all())


def error_words(design: DemandDesign, errors: Errors) -> str:
    """Say how errors were made."""
    if design.cluster is not None:
        return f"errors clustered by {design.cluster_name} ({design.cluster.max() + 1:,} groups)"
    return "robust errors" if errors == "robust" else "plain errors"
