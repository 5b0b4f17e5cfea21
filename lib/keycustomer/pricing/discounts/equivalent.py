"""The equivalent discount of a service level: how much discount buys the same retention (T4).

Question: what would one relationship level more keep, which discount would keep as many, and which
of the two costs less?  :func:`equivalent_discount` takes the two responses of leaving from
:func:`~keycustomer.pricing.discounts.retention.retention_response`.  With log-odds of leaving
falling by b a level and rising by p per unit of log price, the discount x, points of the list
price on top of a present one d, solves

    p log((1 - d - x) / (1 - d)) = -b,     x = (1 - d) (1 - exp(-b / p)),

and no discount does it where p is not positive.  A ratio of two estimates is no normal number:
its interval is Fieller's by default, which is open above where the data cannot rule out that
discounts keep nobody.

The level costs what the firm states, the discount what it takes from everybody who would have
stayed anyway; the first is an amount a customer, the second a share of what the customer buys, so
that there is a size from which service is the cheaper way.

Source: Fieller (1954), Journal of the Royal Statistical Society B 16, 175-185.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.customers.rendering import made_up_note, report_html
from keycustomer.pricing.discounts.discount_months import Source
from keycustomer.pricing.discounts.ratios import INTERVALS, ratio_interval
from keycustomer.pricing.discounts.retention import RetentionResponse, retention_response
from keycustomer.relationships.effects.amounts import contact_costs
from keycustomer.relationships.effects.landmarks import customers_now, landmark_months
from keycustomer.relationships.effects.values_by_level import standard_size
from keycustomer.relationships.months.panel import CustomerMonths
from keycustomer.relationships.vocabulary import LEVELS
from keycustomer.stats import Estimate, verdict_above
from keycustomer.stats.bootstrap import Seed, checked_level
from keycustomer.stats.samples import FloatArray

SHARE = "share of the list price"

NO_DISCOUNT = "no discount keeps as many: a lower price does not keep customers in this estimate"


@dataclass(frozen=True, eq=False)
class EquivalentDiscount:
    """A discount that keeps as many customers as one relationship level more.

    Attributes
    ----------
    discount : Estimate
        Points of the list price on top of today's, as a share; NaN where no discount does it, an
        upper end of infinity where that cannot be ruled out.
    level_cost, discount_cost, saving : Estimate
        What one level more costs, what the equivalent discount costs, and what service saves
        against the discount; currency a customer and year, mean over the customers.
    open_interval : tuple of float
        Ends of the discount's interval even where there is no estimate: from the least discount
        that would do to infinity, where none may do; NaN where nothing is ruled out.
    by_level : DataFrame
        One row a level from which a step is taken: level, to, customers, level_cost,
        discount_cost, saving (currency a customer and year), break_even_revenue (yearly revenue
        from which the step costs less than the discount).
    by_size : DataFrame
        The same by quarter of the customers, the smallest first: group, customers,
        yearly_revenue, level_cost, discount_cost, saving.
    response : RetentionResponse
        What it was computed from.
    elasticity : float
        By which usage answers to the price.
    customers : int
        Present customers below the highest level.
    present_discount : float
        Their mean discount in the last year, weighted by list value.
    notes : tuple of str
        What the reader should know.
    """

    discount: Estimate
    level_cost: Estimate
    discount_cost: Estimate
    saving: Estimate
    open_interval: tuple[float, float] = field(repr=False)
    by_level: pd.DataFrame = field(repr=False)
    by_size: pd.DataFrame = field(repr=False)
    response: RetentionResponse = field(repr=False)
    elasticity: float
    customers: int
    present_discount: float
    notes: tuple[str, ...]

    @property
    def simulated(self) -> bool:
        """Whether the data are made up."""
        return self.response.data.months.simulated

    @property
    def currency(self) -> str:
        """Unit of the amounts."""
        return self.response.data.months.currency

    def verdict(self) -> str:
        """Verdict on T4's claim that service keeps the same customers at less cost.

        The rule: the saving's interval lies wholly above 0 for "supported", wholly at or below it
        for "not supported".
        """
        return verdict_above(self.saving, 0.0)

    def to_frame(self) -> pd.DataFrame:
        """One row a quantity: quantity, estimate, lower, upper, unit."""
        told = {
            "equivalent discount": self.discount,
            "cost of one level more": self.level_cost,
            "cost of the equivalent discount": self.discount_cost,
            "saved by service": self.saving,
        }
        return pd.DataFrame(
            [
                {"quantity": name, "estimate": one.estimate, "lower": one.lower}
                | {"upper": one.upper, "unit": one.unit}
                for name, one in told.items()
            ]
        )

    def _repr_html_(self) -> str:
        said = [
            *made_up_note(self.simulated),
            f"{self.customers:,} present customers below the level {LEVELS[-1]}; amounts in "
            f"{self.currency} a customer and year.",
            f"Service before price: {self.verdict()}.",
            *self.notes,
        ]
        tables = {
            "Equivalent discount": self.to_frame().rename(columns={"lower": "from", "upper": "to"}),
            "By level": self.by_level,
            "By size": self.by_size,
        }
        return report_html("Equivalent discount of one level more", said, tables)


def equivalent_discount(
    source: Source | RetentionResponse,
    level_costs: Sequence[float],
    *,
    method: str = "control function",
    interval: str = "fieller",
    elasticity: float = 0.0,
    cost_per_size: float = 0.0,
    level: float = 0.95,
    draws: int = 1000,
    seed: Seed = 0,
) -> EquivalentDiscount:
    """Tell which discount keeps as many customers as one level more, and what both cost.

    Parameters
    ----------
    source : CustomerBase, Company or RetentionResponse
        Where the responses come from.
    level_costs : sequence of 5 float
        Cost of each level, currency a customer and month, without contacts: a stated assumption.
        Contacts are counted as recorded.
    method : {"control function", "naive"}
        As in :func:`retention_response`; not used where a response is given.
    interval : {"fieller", "delta", "bootstrap"}
        Fieller's; of the delta method, which is too short and closed where the price response is
        uncertain; or of customers drawn again (the influence of each counted as often as drawn).
    elasticity : float
        Own-price elasticity of usage: who gets a discount uses more.  0: not at all.
    cost_per_size : float
        By how much the logarithm of a level's cost rises with a standard deviation of the logarithm
        of the yearly margin, as in :func:`keycustomer.relationships.level_values`.
    level : float
        Of the intervals.
    draws, seed
        Of the bootstrap.

    Raises
    ------
    TypeError, ValueError
        As :func:`retention_response`, and when costs or the elasticity make no sense, or nobody
        is present below the highest level.
    """
    costs = _checked_costs(level_costs)
    _check_choices(interval, elasticity, level)
    response = (
        source
        if isinstance(source, RetentionResponse)
        else retention_response(source, method=method, level=level)
    )
    book = _Book(response.data.months, costs, elasticity, cost_per_size)
    ends = ratio_interval(
        response.coefficients,
        response.covariance,
        response.influence,
        interval,
        level=level,
        draws=draws,
        seed=seed,
    )
    points = [book.points(one) for one in ends]
    return _told(response, book, points, interval, elasticity, level)


class _Book:
    """The present customers below the highest level, and what either way costs with each."""

    def __init__(
        self, months: CustomerMonths, costs: FloatArray, elasticity: float, cost_per_size: float
    ) -> None:
        now = customers_now(months)
        year = _last_year(months).reindex(now["customer_id"])
        level = now["level"].to_numpy(dtype=np.int64)
        usable = (level >= 0) & (level < len(LEVELS) - 1)
        usable &= (year["list_revenue"] > 0).to_numpy() & year["margin"].notna().to_numpy()
        if not usable.any():
            raise ValueError(
                "source: no present customer has a known level below the highest, a margin and "
                "purchases in the last year, so that no step can be priced"
            )
        self.elasticity = elasticity
        self.level: npt.NDArray[np.int64] = level[usable]
        self.left_out = int((~usable).sum())
        kept = year[usable]
        self.listed: FloatArray = kept["list_revenue"].to_numpy(dtype=float)
        self.revenue: FloatArray = kept["revenue"].to_numpy(dtype=float)
        self.goods: FloatArray = self.revenue - kept["margin"].to_numpy(dtype=float)
        self.present = float(1 - self.revenue.sum() / self.listed.sum())
        contacts = contact_costs(landmark_months(months)).of(now)[usable]
        size = standard_size(now["yearly_margin"].to_numpy(dtype=float))[usable]
        monthly = costs * np.exp(cost_per_size * size)[:, None] + contacts
        rows = np.arange(len(self.level))
        self.steps: FloatArray = 12 * (monthly[rows, self.level + 1] - monthly[rows, self.level])

    def points(self, ratio: float) -> float:
        """Points of discount from a ratio of level to price response, infinite where none does."""
        return float((1 - self.present) * -np.expm1(-ratio)) if np.isfinite(ratio) else ratio

    def costs(self, points: float) -> FloatArray:
        """Yearly margin that a discount costs with each customer, shape (n,)."""
        if not np.isfinite(points):
            return np.full(len(self.listed), points)
        paid = self.revenue / self.listed
        factor = np.maximum(paid - points, 1e-9) / paid
        used = factor**self.elasticity
        before = self.revenue - self.goods
        return before - used * (self.revenue * factor - self.goods)


def _last_year(months: CustomerMonths) -> pd.DataFrame:
    """Amounts of the last twelve months by customer, scaled to a year."""
    rows = months.frame[months.frame["number"] > months.months - 13]
    means = rows.groupby("customer_id")[["list_revenue", "revenue", "margin"]].mean()
    return 12 * means


def _told(
    response: RetentionResponse,
    book: _Book,
    points: list[float],
    interval: str,
    elasticity: float,
    level: float,
) -> EquivalentDiscount:
    n = len(response.influence)
    method = f"{interval} interval of a ratio"
    found, _, high = points
    unit = f"{response.data.months.currency} a customer and year"
    steps = float(book.steps.mean())
    means = [float(book.costs(one).mean()) for one in points]

    def estimate(values: Sequence[float], what: str) -> Estimate:
        if not np.isfinite(values[0]):
            return Estimate.without_interval(np.nan, what, n, NO_DISCOUNT, level)
        return Estimate(values[0], values[1], values[2], what, n, method, level)

    return EquivalentDiscount(
        estimate(points, SHARE),
        Estimate(steps, steps, steps, unit, len(book.level), "as stated", level),
        estimate(means, unit),
        estimate([one - steps for one in means], unit),
        (points[1], points[2]),
        _by_level(book, found),
        _by_size(book, found),
        response,
        elasticity,
        len(book.level),
        book.present,
        tuple(_notes(response, book, found, high)),
    )


def _by_level(book: _Book, points: float) -> pd.DataFrame:
    rows = []
    cost = book.costs(points)
    for code in range(len(LEVELS) - 1):
        who = book.level == code
        if who.any():
            share = float(cost[who].sum() / book.revenue[who].sum())
            step = float(book.steps[who].mean())
            row = {"level": LEVELS[code], "to": LEVELS[code + 1], "customers": int(who.sum())}
            even = step / share if np.isfinite(share) and share > 0 else np.nan
            rows.append(row | _costs_of(book, cost, who) | {"break_even_revenue": even})
    return pd.DataFrame(rows)


def _by_size(book: _Book, points: float, groups: int = 4) -> pd.DataFrame:
    order = np.argsort(book.revenue, kind="stable")
    cost = book.costs(points)
    rows = []
    for number, who in enumerate(np.array_split(order, min(groups, len(order))), start=1):
        row: dict[str, float] = {"group": number, "customers": len(who)}
        row |= {"yearly_revenue": float(book.revenue[who].mean())}
        rows.append(row | _costs_of(book, cost, who))
    return pd.DataFrame(rows)


def _costs_of(book: _Book, cost: FloatArray, who: npt.NDArray[np.generic]) -> dict[str, float]:
    step, given = float(book.steps[who].mean()), float(cost[who].mean())
    given = given if np.isfinite(given) else np.nan
    return {"level_cost": step, "discount_cost": given, "saving": given - step}


def _checked_costs(level_costs: Sequence[float]) -> FloatArray:
    costs = np.asarray(level_costs, dtype=float)
    right = costs.shape == (len(LEVELS),) and np.isfinite(costs).all() and (costs >= 0).all()
    if not right:
        raise ValueError(
            f"level_costs={level_costs!r}: five amounts of 0 or larger are needed, from "
            f"{LEVELS[0]} to {LEVELS[-1]}, currency a customer and month"
        )
    return costs


def _check_choices(interval: str, elasticity: float, level: float) -> None:
    checked_level(level)
    if interval not in INTERVALS:
        raise ValueError(f"interval={interval!r}: choose one of {', '.join(map(repr, INTERVALS))}")
    if not -20 <= elasticity <= 0:
        raise ValueError(
            f"elasticity={elasticity!r}: an own-price elasticity is 0 or negative; where the "
            "estimate is positive it is no demand curve and nothing can be decided from it"
        )


def _notes(response: RetentionResponse, book: _Book, points: float, high: float) -> list[str]:
    told = ["Costs of the levels are assumed, not measured; contacts count as recorded."]
    if not np.isfinite(points):
        told.append(NO_DISCOUNT[0].upper() + NO_DISCOUNT[1:] + ".")
    elif not np.isfinite(high):
        told.append(
            "The upper end is open: the data cannot rule out that no discount keeps as many."
        )
    if book.left_out:
        told.append(
            f"{book.left_out:,} present customers are left out: on the highest level, or level, "
            "margin or purchases not known."
        )
    return [*told, *response.notes]
