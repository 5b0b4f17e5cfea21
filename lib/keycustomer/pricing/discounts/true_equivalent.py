"""The equivalent discount as it truly is in the simulated company, and over many companies (T4).

Question: is the estimated equivalent discount right, and is service really the cheaper way?
:func:`true_equivalent_discount` runs the company on, once with one relationship level more for
every customer below the highest, and several times with more discount for the same customers, and
finds the discount that keeps as many; profits of both ways follow.
:func:`equivalent_over_companies` sets estimate and truth side by side in many companies.

The rule of T4's first half, fixed beforehand: service before price is supported where the interval
of the mean difference of true profit over companies, one level more less the discount that keeps
as many, lies wholly above zero; not supported where it lies wholly at or below.

Source: Law, "Simulation Modeling and Analysis" (2015), sections 9.4 and 11.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.customers.rendering import report_html
from keycustomer.dimensions.known_truth import company_of
from keycustomer.lifetime.arguments import whole_number
from keycustomer.pricing.discounts.discount_months import Source, discount_months
from keycustomer.pricing.discounts.equivalent import equivalent_discount
from keycustomer.pricing.discounts.retention import METHODS, retention_response
from keycustomer.relationships.many_companies import (
    FEWEST,
    mean_over_companies,
    simulated_companies,
)
from keycustomer.relationships.vocabulary import LEVELS
from keycustomer.simulate import (
    Company,
    Outcome,
    Parameters,
    Policy,
    PolicyComparison,
    compare_policies,
)
from keycustomer.stats import Estimate, verdict_above
from keycustomer.stats.bootstrap import Progress
from keycustomer.stats.samples import FloatArray

STEPS = (0.02, 0.04, 0.06, 0.09, 0.13, 0.20)
"""Discounts tried, shares of the list price on top of today's."""

SIZES = ("smallest", "second", "third", "largest")
"""Quarters of the customers by revenue."""

ALL = "all"

USUAL, LEVEL = "as today", "one level more"

UNIT = "currency a customer and year"


@dataclass(frozen=True, eq=False)
class TrueEquivalent:
    """What truly keeps as many customers as one level more.

    Attributes
    ----------
    frame : DataFrame
        One row for all customers, each quarter by revenue and each level from which the step is
        taken: by ("all", "size", "level"), group ("all", "smallest" to "largest", names of levels),
        customers, yearly_revenue, retention (share still there as today), retention_gain (by one
        level more), discount (that keeps as many, share of the list price; NaN where none of those
        tried does), level_profit, discount_profit (change against today, currency a customer and
        year), saving (by service against the discount).
    curve : DataFrame
        One row a discount tried: discount, retention_gain, profit, for all customers.
    horizon : int
        Months ahead.
    """

    frame: pd.DataFrame
    curve: pd.DataFrame
    horizon: int

    @property
    def discount(self) -> float:
        """Equivalent discount for all customers, share of the list price."""
        return float(self.frame["discount"].iloc[0])

    @property
    def saving(self) -> float:
        """What service brings more than the discount, all customers, currency each a year."""
        return float(self.frame["saving"].iloc[0])

    def to_frame(self) -> pd.DataFrame:
        """Give a copy of `frame`."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        said = [
            f"Simulated, the truth over {self.horizon} months: one level more keeps as many as "
            f"{self.discount:.1%} of discount."
        ]
        tables = {"By size and level": self.frame, "Discounts tried": self.curve}
        return report_html("True equivalent discount", said, tables)


def true_equivalent_discount(
    source: Source, *, horizon: int = 12, discounts: Sequence[float] = STEPS
) -> TrueEquivalent:
    """Find the discount that truly keeps as many customers as one level more.

    Parameters
    ----------
    source : CustomerBase or Company
        A base made from a simulated company, or such a company.
    horizon : int
        Months ahead of the window's end, in which both are kept up.
    discounts : sequence of float
        Discounts to try, rising; between them retention is taken as a straight line.

    Raises
    ------
    ValueError
        When the data are real, or nobody below the highest level is left.
    """
    ahead = whole_number(horizon, "horizon", of="months", least=1)
    company = company_of(source, "retention with and without a level")
    level = np.asarray(company.accounts.level)
    below = level < len(LEVELS) - 1
    settings = company.settings
    policies = {
        USUAL: Policy(USUAL),
        LEVEL: Policy(LEVEL, levels=(level + below).astype(int).tolist()),
        **{
            _name(x): Policy(_name(x), discount=np.where(below, x, 0.0).tolist()) for x in discounts
        },
    }
    compared = compare_policies(
        policies,
        settings.accounts,
        settings.months,
        settings.seed,
        start=settings.start,
        ahead=ahead,
        parameters=company.parameters,
    )
    who = np.flatnonzero(below & (compared.outcomes[USUAL].expected_months > 0))
    if not who.size:
        raise ValueError(f"source: nobody below the level {LEVELS[-1]!r} is left at the end")
    revenue = compared.outcomes[USUAL].expected_revenue[who]
    order = who[np.argsort(revenue, kind="stable")]
    parts = [("all", ALL, who)]
    parts += [("size", *one) for one in zip(SIZES, np.array_split(order, len(SIZES)), strict=True)]
    parts += [("level", name, who[level[who] == code]) for code, name in enumerate(LEVELS[:-1])]
    rows = [
        {"by": by, "group": name, **_compared(compared, part, discounts, ahead)}
        for by, name, part in parts
        if part.size
    ]
    return TrueEquivalent(pd.DataFrame(rows), _curve(compared, who, discounts, ahead), ahead)


def _name(discount: float) -> str:
    return f"{discount:.4%} more discount"


def _changes(
    compared: PolicyComparison, name: str, who: npt.NDArray[np.int64], ahead: int
) -> tuple[float, float]:
    """Change of retention and of yearly profit, mean over some accounts."""
    usual, other = compared.outcomes[USUAL], compared.outcomes[name]
    kept = float((other.survival[who] - usual.survival[who]).mean())
    earned = float((other.expected_profit[who] - usual.expected_profit[who]).mean())
    return kept, 12 / ahead * earned


def _compared(
    compared: PolicyComparison,
    who: npt.NDArray[np.int64],
    discounts: Sequence[float],
    ahead: int,
) -> dict[str, Any]:
    kept, level_profit = _changes(compared, LEVEL, who, ahead)
    tried = np.array([(0.0, 0.0), *(_changes(compared, _name(x), who, ahead) for x in discounts)])
    grid = np.array([0.0, *discounts])
    found = first_reach(grid, tried[:, 0], kept)
    profit = float(np.interp(found, grid, tried[:, 1])) if np.isfinite(found) else np.nan
    usual: Outcome = compared.outcomes[USUAL]
    return {
        "customers": len(who),
        "yearly_revenue": 12 / ahead * float(usual.expected_revenue[who].mean()),
        "retention": float(usual.survival[who].mean()),
        "retention_gain": kept,
        "discount": found,
        "level_profit": level_profit,
        "discount_profit": profit,
        "saving": level_profit - profit,
    }


def first_reach(grid: FloatArray, reached: FloatArray, wanted: float) -> float:
    """First place at which a curve reaches a height, by straight lines; NaN where it never does.

    Parameters
    ----------
    grid, reached : ndarray, shape (k,)
        Places, rising, and heights.
    wanted : float
        The height.
    """
    above = np.flatnonzero(reached >= wanted)
    if not above.size:
        return float("nan")
    k = int(above[0])
    if k == 0:
        return float(grid[0])
    share = (wanted - reached[k - 1]) / (reached[k] - reached[k - 1])
    return float(grid[k - 1] + share * (grid[k] - grid[k - 1]))


def _curve(
    compared: PolicyComparison,
    who: npt.NDArray[np.int64],
    discounts: Sequence[float],
    ahead: int,
) -> pd.DataFrame:
    rows = [(0.0, 0.0, 0.0), *((x, *_changes(compared, _name(x), who, ahead)) for x in discounts)]
    return pd.DataFrame(rows, columns=["discount", "retention_gain", "profit"])


@dataclass(frozen=True, eq=False)
class EquivalentOverCompanies:
    """Estimated and true equivalent discounts in many simulated companies.

    Attributes
    ----------
    frame : DataFrame
        One row a company and method: company, method, level, log_price (log-odds), discount, lower,
        upper, truth, held (whether the interval holds the truth; one that rules nothing out does),
        estimated_saving, true_saving (currency a customer and year), first_stage_f; empty where
        nothing was estimated.
    groups : DataFrame
        One row a company and group of customers, as :attr:`TrueEquivalent.frame`, with company.
    accounts, months : int
        Size and window of each company.
    """

    frame: pd.DataFrame
    groups: pd.DataFrame = field(repr=False)
    accounts: int
    months: int

    @property
    def companies(self) -> int:
        """Number of companies."""
        return int(self.groups["company"].nunique())

    def saving(self, group: str = ALL) -> Estimate:
        """Mean over companies of what service truly brings more than the equivalent discount.

        Parameters
        ----------
        group : str
            All customers, a quarter by size, or a level from which the step is taken.

        Raises
        ------
        KeyError
            When there is no such group.
        """
        rows = self.groups[self.groups["group"] == group]
        if rows.empty:
            known = ", ".join(map(repr, self.groups["group"].drop_duplicates()))
            raise KeyError(f"no group {group!r}; there is: {known}")
        return mean_over_companies(rows["saving"].dropna().to_numpy(dtype=float), UNIT)

    def verdict(self, group: str = ALL) -> str:
        """Verdict on T4: one level more brings more than the discount that keeps as many."""
        return verdict_above(self.saving(group), 0.0)

    def to_frame(self) -> pd.DataFrame:
        """One row a method: medians over companies, and how often the interval held the truth."""
        rows = []
        for method, own in self.frame.groupby("method", sort=False) if len(self.frame) else ():
            rows.append(
                {
                    "method": method,
                    "companies": len(own),
                    "log_price": float(own["log_price"].mean()),
                    "wrong_sign": int((own["log_price"] <= 0).sum()),
                    "median_discount": float(own["discount"].fillna(np.inf).median()),
                    "median_truth": float(own["truth"].median()),
                    "held": float(own["held"].mean()),
                    "nothing_ruled_out": int(own["upper"].isna().sum()),
                    "open_above": int(np.isinf(own["upper"]).sum()),
                }
            )
        return pd.DataFrame(rows)

    def by_group(self) -> pd.DataFrame:
        """One row a group of customers: means over companies, the saving's interval and verdict."""
        rows = []
        for (by, name), own in self.groups.groupby(["by", "group"], sort=False):
            group = str(name)
            mean = self.saving(group)
            means = own[["yearly_revenue", "retention_gain", "discount"]].mean().to_dict()
            row = {"by": by, "group": group, **means, "saving": mean.estimate}
            ends = {"lower": mean.lower, "upper": mean.upper}
            rows.append(row | ends | {"verdict": self.verdict(group)})
        return pd.DataFrame(rows)

    def _repr_html_(self) -> str:
        mean = self.saving()
        said = [
            f"Simulated: {self.companies} companies of {self.accounts:,} accounts.",
            f"Service before price: one level more brings {mean} {UNIT} more than the discount "
            f"that keeps as many: {self.verdict()}.",
        ]
        groups = self.by_group().rename(columns={"lower": "from", "upper": "to"})
        tables = {"Estimated against true": self.to_frame(), "By group": groups}
        return report_html("Equivalent discount over companies", said, tables)


def equivalent_over_companies(
    companies: int = FEWEST,
    accounts: int = 1_000,
    months: int = 36,
    *,
    first_seed: int = 301,
    methods: Sequence[str] = METHODS,
    horizon: int = 12,
    parameters: Parameters | None = None,
    progress: Progress | None = None,
) -> EquivalentOverCompanies:
    """Compare estimated and true equivalent discounts over simulated companies.

    Parameters
    ----------
    companies, accounts, months, first_seed, parameters, progress
        As in :func:`keycustomer.relationships.many_companies.simulated_companies`.
    methods : sequence of str
        Estimators to hold against the truth; none, where the truth alone is asked for.
    horizon : int
        Months ahead for the truth.

    Notes
    -----
    A company of 1,000 accounts takes about two seconds, its truth alone half a second.
    """
    rows, groups = [], []
    made = simulated_companies(
        companies, accounts, months, first_seed, parameters=parameters, progress=progress
    )
    for company in made:
        truth = true_equivalent_discount(company, horizon=horizon)
        seed = company.settings.seed
        rows += _estimated(company, truth, methods) if methods else []
        groups.append(truth.frame.assign(company=seed))
    told = pd.concat(groups, ignore_index=True)
    return EquivalentOverCompanies(pd.DataFrame(rows), told, accounts, months)


def _estimated(
    company: Company, truth: TrueEquivalent, methods: Sequence[str]
) -> list[dict[str, Any]]:
    data = discount_months(company)
    costs = company.parameters.costs
    rows = []
    for method in methods:
        response = retention_response(data, method=method)
        found = equivalent_discount(response, costs.level, cost_per_size=costs.level_size)
        one = found.discount
        low, high = (one.lower, one.upper) if np.isfinite(one.estimate) else found.open_interval
        rows.append(
            {"company": company.settings.seed, "method": method}
            | dict(zip(("level", "log_price"), response.coefficients.tolist(), strict=True))
            | {"discount": one.estimate, "lower": low, "upper": high}
            | {"truth": truth.discount, "held": not (truth.discount < low or truth.discount > high)}
            | {"estimated_saving": found.saving.estimate, "true_saving": truth.saving}
            | {"first_stage_f": response.first_stage_f}
        )
    return rows
