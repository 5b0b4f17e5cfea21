"""The trap of dropped zeros: where small tiers look less price-sensitive than they are.

Question: what becomes of an elasticity when weeks without a sale are left out?  A logarithm cannot
hold a week in which nothing was sold.  Weeks of a high price are the ones without sales, so that
the rows that are left are those where something was sold in spite of the price: the smaller the
tier, the more weeks go, and the flatter its demand looks.  Adding 1 before taking the logarithm
keeps the rows and gives another number that is not an elasticity.  Poisson regression keeps them
and estimates the elasticity of the mean.

:func:`zero_trap` sets the three side by side by tier; :func:`zero_trap_over_seeds` does so where
the truth is known.

Sources: Santos Silva & Tenreyro (2006), Review of Economics and Statistics 88, 641-658; Chen &
Roth (2024), Quarterly Journal of Economics 139, 891-936 (log(1 + q) depends on the unit).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import percent, sentence_html
from keycustomer.pricing.pooling.known import known_sales
from keycustomer.pricing.pooling.rows import Named, PooledRows, read_rows
from keycustomer.pricing.pooling.tier_slopes import fit_tier_slopes
from keycustomer.stats.bootstrap import Progress, after_quiet, checked_level
from keycustomer.stats.student import student_quantile

WAYS = ("log-log, zeros dropped", "log(quantity + 1)", "Poisson, zeros kept")
"""What is done with weeks without a sale."""


@dataclass(frozen=True, eq=False)
class ZeroTrap:
    """Elasticities by what is done with rows without sales.

    Attributes
    ----------
    frame : DataFrame
        One row a way and tier: ``way``, ``tier``, ``elasticity``, ``standard_error``, ``lower``,
        ``upper``, ``rows``, ``zeros`` (share of the tier's rows without a sale), ``truth`` where
        it is known, and over repetitions ``coverage``.
    simulated : bool
        Whether the data are made up.
    level : float
        Level of the intervals.
    repetitions : int
        Panels; 1 for a panel of data.
    excluded : DataFrame
        reason, rows: what no way uses.
    """

    frame: pd.DataFrame = field(repr=False)
    simulated: bool
    level: float
    repetitions: int
    excluded: pd.DataFrame = field(repr=False)

    @property
    def by_tier(self) -> pd.DataFrame:
        """Elasticities with tiers as rows and ways as columns, and the share of zeros."""
        table = self.frame.pivot(index="tier", columns="way", values="elasticity")[list(WAYS)]
        zeros = self.frame.groupby("tier")["zeros"].first()
        return table.assign(zeros=zeros).rename_axis(columns=None).reset_index()

    @property
    def sentence(self) -> str:
        """The trap in words."""
        worst = self.by_tier.sort_values("zeros").iloc[-1]
        return (
            f"In tier {worst['tier']}, {percent(worst['zeros'], 0)} of whose rows have no sale, "
            f"the elasticity is {worst[WAYS[0]]:.2f} with these rows dropped and "
            f"{worst[WAYS[2]]:.2f} with them kept."
        )

    def to_frame(self) -> pd.DataFrame:
        """One row a way and tier."""
        return self.frame.copy()

    def __repr__(self) -> str:
        """Say the trap in words."""
        return f"ZeroTrap({self.sentence})"

    def _repr_html_(self) -> str:
        made_up = "Simulated. " if self.simulated else ""
        return sentence_html(made_up + self.sentence, self.by_tier, self.frame)


def zero_trap(
    source: Any,
    *,
    by: str | None = "tier",
    product: str | None = "product",
    price: str = "price",
    quantity: str = "quantity",
    effects: Sequence[str] = ("period",),
    level: float = 0.95,
) -> ZeroTrap:
    """Estimate elasticities by tier with rows without sales dropped, bent and kept.

    Parameters
    ----------
    source : PricePanel or DataFrame
        One row a product, tier and period, those without sales among them.
    by : str or None
        Column of the tier; its elasticities are estimated apart, each with its own effects.
    product, price, quantity : str
        Names of the columns.
    effects : sequence of str
        What all products of a tier share, such as ("period",) or ().
    level : float
        Level of the intervals, clustered by product.

    Returns
    -------
    ZeroTrap

    Raises
    ------
    ValueError
        When a column is missing or nothing is left to estimate from.
    """
    checked_level(level)
    return _trap(source, _named(by, product, price, quantity, effects), level)


def zero_trap_over_seeds(
    *,
    seeds: int = 50,
    first_seed: int = 1,
    level: float = 0.95,
    progress: Progress | None = None,
    **drawn: Any,
) -> ZeroTrap:
    """Set the three ways beside the truth of many drawn panels.

    Parameters
    ----------
    seeds : int
        Panels, at least 2.
    first_seed : int
        Seed of the first.
    level : float
        Level of the intervals.
    progress : callable, optional
        Told how many are done.
    **drawn
        As in :func:`known_sales`.

    Returns
    -------
    ZeroTrap
        Elasticities are means over the panels, `standard_error` their standard deviation between
        panels, `lower` and `upper` the interval of the mean.
    """
    if seeds < 2:
        raise ValueError(f"seeds={seeds}: at least 2 are needed")
    report, runs = after_quiet(progress), []
    named = _named("tier", "product", "price", "quantity", ())
    for number in range(seeds):
        known = known_sales(seed=first_seed + number, **drawn)
        found = _trap(known, named, level).frame
        runs.append(found.assign(truth=found["tier"].map(known.truth)))
        report(number + 1, seeds)
    whole = pd.concat(runs, ignore_index=True)
    none = pd.DataFrame({"reason": [], "rows": []})
    return ZeroTrap(_over_seeds(whole, seeds, level), True, level, seeds, none)


def _named(
    by: str | None, product: str | None, price: str, quantity: str, effects: Sequence[str]
) -> Named:
    """Name the tier as the customer, with effects of its own."""
    if by is None:
        crossed: Sequence[str] = effects
    else:
        crossed = [f"{by}^{effect}" for effect in effects]
    who = by if by is not None else product
    if who is None:
        raise ValueError("by=None and product=None: without either there is nothing to compare")
    return Named(who, by, product, price, quantity, None, crossed)


def _trap(source: Any, named: Named, level: float) -> ZeroTrap:
    kept = read_rows(source, named, "poisson")
    sold = read_rows(source, named, "log-log")
    bent = replace(kept, quantity=kept.quantity + 1)
    zeros = _zeros(kept)
    fits = {WAYS[0]: (sold, False), WAYS[1]: (bent, False), WAYS[2]: (kept, True)}
    parts = [_rows_of(way, rows, poisson, zeros, level) for way, (rows, poisson) in fits.items()]
    return ZeroTrap(pd.concat(parts, ignore_index=True), kept.simulated, level, 1, kept.excluded)


def _zeros(rows: PooledRows) -> Mapping[str, float]:
    tier = rows.tier[rows.group]
    share = np.bincount(tier, weights=rows.quantity == 0) / np.bincount(tier)
    return dict(zip(rows.tiers, share.tolist(), strict=True))


def _rows_of(
    way: str, rows: PooledRows, poisson: bool, zeros: Mapping[str, float], level: float
) -> pd.DataFrame:
    found = fit_tier_slopes(rows, poisson=poisson, by_cell=True)
    # one product alone says nothing of how products of a tier differ
    error = np.where(np.asarray(found.clusters) > 1, found.error, np.nan)
    reach = np.array([student_quantile(level, count - 1) for count in found.clusters]) * error
    return pd.DataFrame(
        {
            "way": way,
            "tier": rows.tiers,
            "elasticity": found.slope,
            "standard_error": error,
            "lower": found.slope - reach,
            "upper": found.slope + reach,
            "rows": np.bincount(rows.tier[rows.group], minlength=len(rows.tiers)),
            "zeros": [zeros.get(tier, math.nan) for tier in rows.tiers],
        }
    )


def _over_seeds(whole: pd.DataFrame, seeds: int, level: float) -> pd.DataFrame:
    whole = whole.assign(
        coverage=(whole["lower"] <= whole["truth"]) & (whole["truth"] <= whole["upper"])
    )
    groups = whole.groupby(["way", "tier"], sort=False)
    table = groups[["elasticity", "rows", "zeros", "truth", "coverage"]].mean()
    table["standard_error"] = groups["elasticity"].std()
    reach = student_quantile(level, seeds - 1) * table["standard_error"] / math.sqrt(seeds)
    table["lower"], table["upper"] = table["elasticity"] - reach, table["elasticity"] + reach
    return table.reset_index()
