"""Lifetime value as a function of the relationship level, in closed form.

Question: a closer relationship costs so much a month; how much better must it keep the customer to
be worth it?  With margin m, cost c and retention rate r per period, and i the discount rate, a
customer who is there now is worth ``(m - c) (1 + i) / (1 + i - r)``: what is left of a period times
the margin multiple.  Paying x more a period is worth it once the retention rate rises by
``x / (m - c) (1 + i - r)``.  The larger the margin, the less must be gained: this is why levels
belong to large customers, and also why size alone decides nothing, for it says nothing of the gain.

:func:`level_worth` values every level for one or many customers, :func:`break_even_retention`
gives the gain needed.

Sources: Gupta & Lehmann (2003), Journal of Interactive Marketing 17(1), 9-24, for the multiple;
the gain needed follows by setting two such values equal.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.customers.rendering import sentence_html
from keycustomer.lifetime.arguments import whole_number
from keycustomer.lifetime.margin import margin_multiple
from keycustomer.lifetime.units import force_of_interest
from keycustomer.relationships.vocabulary import LEVELS
from keycustomer.stats.samples import FloatArray

HALVINGS = 60
"""Halvings of the interval in which the retention rate needed is looked for: all digits."""


def periods_worth(
    retention: npt.ArrayLike,
    discount_rate: float = 0.1,
    *,
    horizon: int | None = None,
    unit: str = "month",
) -> Any:
    """Worth of one unit of currency a period for as long as the customer stays, the first at once.

    Parameters
    ----------
    retention : float or array
        Probability to stay from one period to the next, 0..1.
    discount_rate : float
        Effective rate per year, a share.
    horizon : int, optional
        Periods counted, at least 1; left out, all.
    unit : {"day", "week", "month", "quarter", "year"}
        Length of a period.

    Returns
    -------
    float or ndarray
        ``(1 + i) / (1 + i - r)`` without a horizon.
    """
    ahead = None if horizon is None else _horizon(horizon) - 1
    return margin_multiple(retention, discount_rate, horizon=ahead, first_margin=True, unit=unit)


def break_even_retention(
    margin: npt.ArrayLike,
    retention: npt.ArrayLike,
    extra_cost: npt.ArrayLike,
    discount_rate: float = 0.1,
    *,
    horizon: int | None = None,
    unit: str = "month",
) -> Any:
    """How much the retention rate must rise to pay for an extra cost per period.

    Parameters
    ----------
    margin : float or array
        What a customer leaves per period after today's cost, currency above 0.
    retention : float or array
        Retention rate per period today, 0..1.
    extra_cost : float or array
        Further cost per period while the customer stays, currency; below 0 a saving, and the
        result is the loss of retention that eats it up.
    discount_rate : float
        Effective rate per year, a share.
    horizon : int, optional
        Periods counted; left out, all.
    unit : {"day", "week", "month", "quarter", "year"}
        Length of a period.

    Returns
    -------
    float or ndarray
        Share to be added to the retention rate; NaN where not even keeping every customer would
        pay, minus infinity where a saving pays though all left at once.

    Raises
    ------
    ValueError
        When a margin is not above 0, or a share is none.

    Examples
    --------
    >>> round(break_even_retention(100.0, 0.98, 10.0, 0.1), 4)
    0.0028
    """
    margins, stay, extra = np.broadcast_arrays(
        *(np.asarray(one, dtype=float) for one in (margin, retention, extra_cost))
    )
    wrong = margins[~((margins > 0) & np.isfinite(margins))]
    if wrong.size:
        raise ValueError(
            f"margin: {wrong[0]:g} is no finite amount above 0; a customer that brings nothing is "
            "not made worth more by staying"
        )
    if not np.isfinite(extra).all():
        raise ValueError("extra_cost: finite amounts per period are needed")
    today = periods_worth(stay, discount_rate, horizon=horizon, unit=unit)
    with np.errstate(divide="ignore", invalid="ignore"):
        needed = np.where(extra < margins, today * margins / (margins - extra), np.inf)
    rate = _rate_worth(needed, discount_rate, horizon, unit)
    gain = rate - stay
    return gain.item() if gain.ndim == 0 else gain


def _rate_worth(needed: Any, discount_rate: float, horizon: int | None, unit: str) -> FloatArray:
    """Retention rate at which a unit of currency a period is worth so much; NaN if none is."""
    if horizon is None:
        rate = math.exp(force_of_interest(discount_rate, unit)) * (1 - 1 / needed)
        reached = np.where(rate <= 1, rate, np.nan)
    else:
        low, high = np.zeros_like(needed), np.ones_like(needed)
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            short = periods_worth(middle, discount_rate, horizon=horizon, unit=unit) < needed
            low, high = np.where(short, middle, low), np.where(short, high, middle)
        most = periods_worth(1.0, discount_rate, horizon=horizon, unit=unit)
        reached = np.where(needed <= most, high, np.nan)
    # less than one period's worth is reached though everybody left at once
    return np.where(needed < 1, -np.inf, reached)


@dataclass(frozen=True, eq=False)
class LevelWorth:
    """Lifetime values by relationship level.

    Attributes
    ----------
    labels : tuple of str
        The levels, from least to most care.
    margin, retention, cost : ndarray, shape (n, levels)
        Per customer and period: margin before the level's cost (currency), retention rate, cost
        of the level (currency).
    value : ndarray, shape (n, levels)
        Worth of a customer who is there now, currency.
    discount_rate : float
        Effective rate per year, a share.
    horizon : int or None
        Periods counted; None for all.
    unit : str
        Length of a period.
    """

    labels: tuple[str, ...]
    margin: FloatArray = field(repr=False)
    retention: FloatArray = field(repr=False)
    cost: FloatArray = field(repr=False)
    value: FloatArray = field(repr=False)
    discount_rate: float
    horizon: int | None
    unit: str

    @property
    def best(self) -> Any:
        """Position of the level with the largest value by customer, shape (n,)."""
        return self.value.argmax(axis=1)

    def to_frame(self) -> pd.DataFrame:
        """List customers and levels.

        Returns
        -------
        DataFrame
            A row a customer and level: customer (position), level, margin, cost, retention, value,
            extra_value (over the level before), extra_retention (over the level before),
            break_even (the extra retention that would just pay; NaN where nothing would), pays.
            The first level has nothing before it.
        """
        customers, levels = self.value.shape
        before = np.full((customers, 1), np.nan)
        extra = np.diff(self.value, axis=1)
        columns = {
            "margin": self.margin,
            "cost": self.cost,
            "retention": self.retention,
            "value": self.value,
            "extra_value": np.hstack([before, extra]),
            "extra_retention": np.hstack([before, np.diff(self.retention, axis=1)]),
            "break_even": np.hstack([before, self._break_even()]),
        }
        frame = pd.DataFrame({name: one.ravel() for name, one in columns.items()})
        frame.insert(0, "customer", np.repeat(np.arange(customers), levels))
        frame.insert(1, "level", np.tile(self.labels, customers))
        pays = pd.Series(frame["extra_value"] > 0, dtype="boolean")
        return frame.assign(pays=pays.where(frame["extra_value"].notna()))

    def _break_even(self) -> FloatArray:
        """Extra retention needed at every step up; NaN where there is no profit to gain."""
        left = self.margin - self.cost
        usable = left[:, :-1] > 0
        gain = break_even_retention(
            np.where(usable, left[:, :-1], 1.0),
            self.retention[:, :-1],
            left[:, :-1] - left[:, 1:],
            self.discount_rate,
            horizon=self.horizon,
            unit=self.unit,
        )
        return np.where(usable, gain, np.nan)

    def _repr_html_(self) -> str:
        ahead = "for ever" if self.horizon is None else f"over {self.horizon} {self.unit}s"
        table = self.to_frame().head(4 * len(self.labels))
        rest = len(self.value) - 4
        more = f" (the first 4 of {len(self.value):,} customers)" if rest > 0 else ""
        said = f"Lifetime value by level {ahead} at {self.discount_rate:.1%} a year{more}."
        return sentence_html(said, table, numbers=",.4g")


def level_worth(
    margin: npt.ArrayLike,
    retention: npt.ArrayLike,
    cost: npt.ArrayLike,
    *,
    discount_rate: float = 0.1,
    horizon: int | None = None,
    unit: str = "month",
    labels: Sequence[str] = LEVELS,
) -> LevelWorth:
    """Value customers at every relationship level.

    Parameters
    ----------
    margin : float or array, shape (n,) or (n, levels)
        Margin per period before the level's cost, currency.
    retention : array, shape (levels,) or (n, levels)
        Retention rate per period at each level, 0..1.
    cost : array, shape (levels,) or (n, levels)
        Cost of the level per period, currency.
    discount_rate : float
        Effective rate per year, a share.
    horizon : int, optional
        Periods counted; left out, all.
    unit : {"day", "week", "month", "quarter", "year"}
        Length of a period.
    labels : sequence of str
        Names of the levels.

    Raises
    ------
    ValueError
        When shapes do not fit, a number is not finite, or a rate is no share.
    """
    given = np.atleast_1d(np.asarray(margin, dtype=float))
    margins = given[:, None] if given.ndim == 1 else given
    parts = [margins, np.asarray(retention, dtype=float), np.asarray(cost, dtype=float)]
    for name, one in zip(("margin", "retention", "cost"), parts, strict=True):
        if not np.isfinite(one).all():
            raise ValueError(f"{name}: {int((~np.isfinite(one)).sum()):,} numbers are not finite")
        if name != "margin" and one.shape[-1:] != (len(labels),):
            raise ValueError(
                f"{name}: one number for each of the {len(labels)} levels is needed "
                f"({', '.join(labels)}), got shape {one.shape}"
            )
    try:
        size = np.broadcast_shapes(*(one.shape for one in parts))
    except ValueError:
        raise ValueError(
            "margin, retention and cost are of different numbers of customers: shapes "
            f"{', '.join(str(one.shape) for one in parts)}"
        ) from None
    margins, stay, costs = (np.broadcast_to(one, size) for one in parts)
    worth = periods_worth(stay, discount_rate, horizon=horizon, unit=unit)
    return LevelWorth(
        tuple(labels), margins, stay, costs, (margins - costs) * worth, discount_rate, horizon, unit
    )


def _horizon(horizon: int) -> int:
    return whole_number(horizon, "horizon", of="periods", least=1)
