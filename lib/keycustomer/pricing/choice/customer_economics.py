"""Economic value to the customer: what an offer is worth to one who could take the next best one.

The price of the next best alternative (the reference price) plus everything in which the offer is
worth more to this customer than the alternative, less everything in which it is worth less.  The
items are not known to the cent: each is a number, a range, a range with a likely value, or an
estimate, and :func:`economic_value` draws them to tell how sure the sum is, which price leaves the
customer which part of the value created, and how probably the customer gains at all.

Sources: Forbis & Mehta (1981), Business Horizons 24(3), 32-42; Anderson & Narus (1998), Harvard
Business Review 76(6), 53-65; Nagle, Hogan & Zale, "The Strategy and Tactics of Pricing" (2016),
chapter 2.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import percent, report_html
from keycustomer.lifetime.arguments import whole_number
from keycustomer.stats.bootstrap import Seed, checked_level
from keycustomer.stats.estimate import Estimate
from keycustomer.stats.samples import FloatArray

Item = float | tuple[float, float] | tuple[float, float, float] | Estimate

LARGEST = 1e100
"""Size from which the square of a number, its variance, is no number any more."""

FEWEST_DRAWS = 1000
"""Draws below which the ends of the interval are noise."""


@dataclass(frozen=True, eq=False)
class EconomicValue:
    """What an offer is worth to a customer.

    Attributes
    ----------
    frame : DataFrame
        One row an item, the reference price first: ``item``, ``value`` (mean), ``lower``,
        ``upper``, ``law`` (number, uniform, triangular, normal), ``share_of_variance`` of the sum
        that the item brings when items are independent.
    value : Estimate
        Economic value to the customer: mean, and interval of the draws.
    draws : ndarray, shape (draws,)
        Drawn values.
    reference_price : float
        Mean price of the next best alternative.
    unit_cost : float
        Cost to the supplier; NaN where not given.
    price : float
        Price considered; NaN where not given.
    level : float
        Level of the interval.
    currency : str
        Currency; empty where not known.
    notes : tuple of str
        What a reader should know.
    """

    frame: pd.DataFrame = field(repr=False)
    value: Estimate
    draws: FloatArray = field(repr=False)
    reference_price: float
    unit_cost: float
    price: float
    level: float
    currency: str = ""
    notes: tuple[str, ...] = ()

    @property
    def differentiation_value(self) -> float:
        """Mean value beyond the reference price."""
        return self.value.estimate - self.reference_price

    @property
    def created(self) -> float:
        """Value created: mean value to the customer less the supplier's cost."""
        return self.value.estimate - self.unit_cost

    @property
    def left_to_customer(self) -> float:
        """Share of the value created that the price leaves to the customer; NaN without both."""
        return self.customer_share(self.price)

    @property
    def sentence(self) -> str:
        """The finding in words."""
        unit = f" {self.currency}" if self.currency else ""
        told = (
            f"The offer is worth {self.value}{unit} to the customer, "
            f"{self.differentiation_value:,.2f}{unit} more than the next best costs."
        )
        if math.isnan(self.price):
            return told
        share = self.left_to_customer
        left = "" if math.isnan(share) else f" leaves the customer {percent(share, 0)} of the value"
        odds = percent(self.probability_of_gain(self.price), 0)
        joined = f"{left} and" if left else ""
        return f"{told} A price of {self.price:,.2f}{unit}{joined} pays for the customer in {odds}."

    def customer_share(self, price: float) -> float:
        """Share of the value created that a price leaves to the customer.

        Parameters
        ----------
        price : float
            Below 0 the customer loses, above 1 the supplier does.
        """
        return (self.value.estimate - price) / self.created if self.created > 0 else math.nan

    def price_for_share(self, share: float) -> float:
        """Price that leaves the customer a share of the value created.

        Parameters
        ----------
        share : float
            0..1: at 0 the price is the whole value, at 1 the supplier's cost.

        Raises
        ------
        ValueError
            When the share is not in 0..1, no unit cost was given, or the value does not reach it.
        """
        if not 0 <= share <= 1:
            raise ValueError(f"share={share!r}: give a number in 0..1")
        if math.isnan(self.unit_cost):
            raise ValueError("no unit_cost was given: the value created is not known without it")
        if self.created <= 0:
            raise ValueError(
                f"the offer costs {self.unit_cost:,.2f} and is worth {self.value.estimate:,.2f}: "
                "no price suits both sides; lower the cost, add to the value, or leave the customer"
            )
        return self.value.estimate - share * self.created

    def probability_of_gain(self, price: float) -> float:
        """Probability that the offer is worth more than its price, over the draws."""
        return float((self.draws > price).mean())

    def sure_price(self, probability: float = 0.9) -> float:
        """Highest price at which the customer gains with a probability."""
        if not 0 < probability < 1:
            raise ValueError(f"probability={probability!r}: give a number between 0 and 1")
        return float(np.quantile(self.draws, 1 - probability))

    def to_frame(self) -> pd.DataFrame:
        """One row an item, the reference price first."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        shown = self.frame.rename(columns={"lower": "from", "upper": "to"})
        title = f"Economic value to the customer{f', {self.currency}' if self.currency else ''}"
        return report_html(title, [self.sentence, *self.notes], {"Items": shown})


def economic_value(
    reference_price: Item,
    items: Mapping[str, Item],
    *,
    unit_cost: float | None = None,
    price: float | None = None,
    correlation: float = 0.0,
    currency: str = "",
    level: float = 0.95,
    draws: int = 20_000,
    seed: Seed = 0,
) -> EconomicValue:
    """Sum up what an offer is worth to a customer.

    Parameters
    ----------
    reference_price : Item
        Price of what the customer would take otherwise.
    items : mapping of str to Item
        What the offer is worth more than that (negative: less): a number; ``(low, high)``, all
        between as likely; ``(low, likely, high)``, a triangle; or an Estimate with its interval,
        taken as normal, such as a willingness to pay.
    unit_cost : float, optional
        Cost to the supplier, for the share of the value that is left to the customer.
    price : float, optional
        A price to judge.
    correlation : float
        Correlation of the items' standard normal scores, 0..1 (not included): items that are
        overrated together make the sum less sure.
    currency : str
        Currency.
    level : float
        Level of the interval.
    draws : int
        Draws.
    seed : int or Generator
        For the draws.

    Returns
    -------
    EconomicValue

    Raises
    ------
    ValueError
        With every complaint about items, prices and costs.
    """
    _check(unit_cost, price, correlation, draws)
    checked_level(level)
    if not isinstance(items, Mapping) or not items:
        raise ValueError("items is empty: give name -> value, at least one difference")
    named = {"reference price": reference_price, **{str(k): v for k, v in items.items()}}
    if len(named) <= len(items):
        raise ValueError("an item is called 'reference price', which is given apart; rename it")
    wrong = [told for name, item in named.items() if (told := _complaint(name, item))]
    if wrong:
        raise ValueError("; ".join(wrong))
    uniform = _uniforms(len(named), draws, correlation, seed)
    drawn = np.array([_draw(item, u) for item, u in zip(named.values(), uniform, strict=True)])
    total = drawn.sum(axis=0)
    tail = (1 - level) / 2
    frame = _frame(named, level)
    value = float(frame["value"].sum())
    lower, upper = map(float, np.quantile(total, [tail, 1 - tail]))
    how = f"{draws:,} draws of {len(named)} items"
    return EconomicValue(
        frame=frame,
        value=Estimate(value, lower, upper, currency or "currency", draws, how, level),
        draws=total,
        reference_price=float(frame["value"].iloc[0]),
        unit_cost=math.nan if unit_cost is None else float(unit_cost),
        price=math.nan if price is None else float(price),
        level=level,
        currency=currency,
        notes=_notes(frame, value, unit_cost, price, correlation),
    )


def _check(unit_cost: float | None, price: float | None, correlation: float, draws: int) -> None:
    for name, number in (("unit_cost", unit_cost), ("price", price)):
        if number is not None and not (_is_number(number) and number >= 0):
            raise ValueError(f"{name}={number!r}: give a number of at least 0")
    if not (_is_number(correlation) and 0 <= correlation < 1):
        raise ValueError(f"correlation={correlation!r}: give a number from 0 to below 1")
    whole_number(draws, "draws", of="draws", least=FEWEST_DRAWS)


def _is_number(value: object) -> bool:
    """Whether a value is a finite number, small enough to be squared."""
    right = isinstance(value, int | float | np.integer) and not isinstance(value, bool)
    return right and math.isfinite(value) and abs(value) < LARGEST  # type: ignore[arg-type]


def _complaint(name: str, item: Item) -> str:
    """Tell what is wrong with an item; empty where nothing is."""
    numbers: tuple[float, ...]
    if isinstance(item, Estimate):
        numbers = (item.lower, item.estimate, item.upper)
        fine = "an estimate with a finite interval around it"
    elif isinstance(item, tuple | list):
        numbers, fine = tuple(item), "(low, high) or (low, likely, high), not all the same"
        if len(numbers) not in (2, 3) or numbers[0] == numbers[-1]:
            return f"item {name!r}: give {fine}, got {item!r}"
    else:
        numbers, fine = (item,), "a number"
    if not all(map(_is_number, numbers)) or list(numbers) != sorted(numbers):
        return f"item {name!r}: give {fine}, in order, got {item!r}"
    if name == "reference price" and _moments(item)[0] < 0:
        return f"reference_price={item!r}: give a price of at least 0"
    return ""


def _uniforms(items: int, draws: int, correlation: float, seed: Seed) -> FloatArray:
    """Equally correlated uniform numbers, shape (items, draws), by a Gaussian copula."""
    from scipy.special import ndtr

    generator = np.random.default_rng(seed)
    own = generator.standard_normal((items, draws))
    common = generator.standard_normal(draws)
    return np.asarray(ndtr(math.sqrt(1 - correlation) * own + math.sqrt(correlation) * common))


def _draw(item: Item, uniform: FloatArray) -> FloatArray:
    """Values of an item at its quantiles."""
    if isinstance(item, Estimate):
        from scipy.special import ndtri

        return np.asarray(item.estimate + item.standard_error * ndtri(uniform))
    if not isinstance(item, tuple | list):
        return np.full(len(uniform), float(item))
    low, high = float(item[0]), float(item[-1])
    if len(item) == 2:
        return low + (high - low) * uniform
    likely = float(item[1])
    left = (likely - low) / (high - low)
    rising = low + np.sqrt(uniform * (high - low) * (likely - low))
    falling = high - np.sqrt((1 - uniform) * (high - low) * (high - likely))
    return np.where(uniform < left, rising, falling)


def _moments(item: Item) -> tuple[float, float, str]:
    """Mean, variance and law of an item, in closed form."""
    if isinstance(item, Estimate):
        return item.estimate, item.standard_error**2, "normal"
    if not isinstance(item, tuple | list):
        return float(item), 0.0, "number"
    if len(item) == 2:
        return (item[0] + item[1]) / 2, (item[1] - item[0]) ** 2 / 12, "uniform"
    a, c, b = item
    return (a + b + c) / 3, (a * a + b * b + c * c - a * b - a * c - b * c) / 18, "triangular"


def _frame(named: Mapping[str, Item], level: float) -> pd.DataFrame:
    moments = [_moments(item) for item in named.values()]
    ends = np.array([(1 - level) / 2, (1 + level) / 2])
    lower, upper = np.array([_draw(item, ends) for item in named.values()]).T
    variance = np.array([one[1] for one in moments])
    return pd.DataFrame(
        {
            "item": list(named),
            "value": [one[0] for one in moments],
            "lower": lower,
            "upper": upper,
            "law": [one[2] for one in moments],
            "share_of_variance": variance / max(variance.sum(), np.finfo(float).tiny),
        }
    )


def _notes(
    frame: pd.DataFrame,
    value: float,
    unit_cost: float | None,
    price: float | None,
    correlation: float,
) -> tuple[str, ...]:
    told = []
    if unit_cost is not None and unit_cost >= value:
        told.append("the offer costs at least what it is worth: no price suits both sides")
    if price is not None and unit_cost is not None and price < unit_cost:
        told.append("the price lies below cost: the supplier pays for the sale")
    if price is not None and price > value:
        told.append("the price lies above the value: the customer is better off with the next best")
    if correlation == 0 and (frame["law"] != "number").sum() > 1:
        told.append("the items are taken to be independent; see correlation")
    return tuple(told)
