"""What each depth of discount would earn and cost with each customer, and where floors forbid it.

Question: who is worth a discount?  Two matrices with a row a customer and a column a depth, `gain`
and `cost`, and a third one that says which depths leave the floor over unit cost:
:class:`DiscountOptions`.  :func:`discount_options` makes them from what is known of customers,
:func:`read_discount_options` reads them from any arrays.

For a customer with log-odds of leaving a within the horizon, a response p of these log-odds to the
log price, list value L, cost of goods c as a share of it and usage elasticity e, a discount x gives

    staying = 1 - 1 / (1 + exp(-(a + p log(1 - x))))
    gain    = change of [months there x monthly margin + staying x value of a customer who stays]
    cost    = months of the horizon x L (1 - x)^e x,

the cost being the discount put aside: what is handed out if the customer stays, most of it to
customers who would have stayed anyway.  A cost weighed by the chance to stay would make those most
at risk look cheap and overdraw the budget where their risk is overrated.

Source: Neslin et al. (2006), Journal of Marketing Research 43, 204-211 (profit of a retention
offer: who is kept, and who gets it for nothing).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit, logit

from keycustomer.customers.rendering import report_html
from keycustomer.dimensions.complaints import refuse
from keycustomer.lifetime.arguments import need_columns
from keycustomer.pricing.panels.numbers import numbers_in
from keycustomer.stats.samples import FloatArray

BoolArray = npt.NDArray[np.bool_]

DEPTHS = (0.02, 0.05, 0.10, 0.15, 0.20)
"""Depths of discount to choose from, shares of the list price."""

COLUMNS = ("customer_id", "risk", "response", "list_value", "unit_cost", "serving", "value")
"""What must be known of a customer, see :func:`discount_options`."""

ROUNDING = 1e-9
"""Difference of two shares that rounding alone makes."""


@dataclass(frozen=True, eq=False)
class DiscountOptions:
    """Gain and cost of every depth for every customer, n customers and k depths.

    Attributes
    ----------
    customers : Index
        Who stands in which row.
    depths : tuple of float
        Discounts as shares of the list price, above 0 and rising; "no discount" is not among them.
    gain : ndarray, shape (n, k)
        Expected profit against no discount, currency.
    cost : ndarray, shape (n, k)
        Discount put aside, currency.
    allowed : ndarray of bool, shape (n, k)
        Whether the price stays at or above the floor price.
    risk : ndarray, shape (n,)
        Chance to leave within the horizon without a discount; NaN where not told.
    staying : ndarray, shape (n, k + 1)
        Chance to stay, no discount first; NaN where not told.
    """

    customers: pd.Index = field(repr=False)
    depths: tuple[float, ...]
    gain: FloatArray = field(repr=False)
    cost: FloatArray = field(repr=False)
    allowed: BoolArray = field(repr=False)
    risk: FloatArray = field(repr=False)
    staying: FloatArray = field(repr=False)

    def __len__(self) -> int:
        """Count the customers."""
        return len(self.customers)

    @property
    def deepest(self) -> npt.NDArray[np.int64]:
        """Code of the deepest allowed depth, 0 where none is, shape (n,)."""
        codes = np.arange(1, len(self.depths) + 1)
        return np.asarray((self.allowed * codes).max(axis=1), dtype=np.int64)

    def totals(self, codes: npt.NDArray[np.integer[Any]]) -> tuple[float, float]:
        """Gain and cost of a choice, 0 for none and j for the j-th depth, currency."""
        rows = np.flatnonzero(codes)
        chosen = codes[rows] - 1
        return float(self.gain[rows, chosen].sum()), float(self.cost[rows, chosen].sum())

    def to_frame(self) -> pd.DataFrame:
        """One row a customer and depth: customer_id, discount, gain, cost, allowed, staying."""
        n, k = self.gain.shape
        return pd.DataFrame(
            {
                "customer_id": np.repeat(self.customers.to_numpy(), k),
                "discount": np.tile(self.depths, n),
                "gain": self.gain.ravel(),
                "cost": self.cost.ravel(),
                "allowed": self.allowed.ravel(),
                "staying": self.staying[:, 1:].ravel(),
            }
        )

    def by_depth(self) -> pd.DataFrame:
        """One row a depth, given to all it is allowed for: discount, allowed, worth it, sums."""
        rows = []
        for j, depth in enumerate(self.depths):
            who = self.allowed[:, j]
            rows.append(
                {
                    "discount": depth,
                    "allowed": int(who.sum()),
                    "worth_it": int((who & (self.gain[:, j] > 0)).sum()),
                    "gain": float(self.gain[who, j].sum()),
                    "cost": float(self.cost[who, j].sum()),
                }
            )
        return pd.DataFrame(rows)

    def _repr_html_(self) -> str:
        said = [
            f"{len(self):,} customers; gain is expected profit against no discount, cost the "
            "discount put aside for the customer.",
            f"For {int((~self.allowed).all(axis=1).sum()):,} customers the floor forbids all "
            "depths.",
        ]
        return report_html("Discounts to choose from", said, {"To all allowed": self.by_depth()})


def discount_options(
    customers: pd.DataFrame,
    *,
    depths: Sequence[float] = DEPTHS,
    floor: float = 0.10,
    elasticity: float = 0.0,
    years: float = 1.0,
) -> DiscountOptions:
    """Work out what each depth would earn and cost with each customer.

    Parameters
    ----------
    customers : DataFrame
        One row a customer: customer_id; risk (chance to leave within the horizon without a
        discount, 0..1); response (log-odds of leaving per unit of log price; 0: a discount keeps
        nobody); list_value (yearly, at list prices, currency); unit_cost (cost of goods as a share
        of list value); serving (cost to serve a year, currency); value (of a customer still there
        at the end of the horizon, currency).
    depths : sequence of float
        Discounts to choose from, shares of the list price, rising.
    floor : float
        Least margin over unit cost, share of unit cost.
    elasticity : float
        Own-price elasticity of usage, 0 or negative.
    years : float
        Horizon for which a discount is given.

    Raises
    ------
    TypeError, ValueError
        When columns are missing or hold what cannot be, or arguments are out of range.
    """
    _check(customers, floor, elasticity, years)
    shares = checked_depths(depths)
    column = {name: customers[name].to_numpy(dtype=float)[:, None] for name in COLUMNS[1:]}
    x = np.concatenate([[0.0], shares])
    with np.errstate(divide="ignore"):
        odds = logit(column["risk"])
    # where the odds are infinite a customer is lost or sure, whatever the price
    staying = 1 - expit(odds + column["response"] * np.log1p(-x))
    there = years * (1 + staying) / 2
    used = column["list_value"] * (1 - x) ** elasticity
    margin = used * (1 - x - column["unit_cost"]) - column["serving"]
    profit = there * margin + staying * column["value"]
    return DiscountOptions(
        pd.Index(customers["customer_id"], name="customer_id"),
        shares,
        profit[:, 1:] - profit[:, :1],
        (years * used * x)[:, 1:],
        floor_allows(shares, column["unit_cost"][:, 0], floor),
        column["risk"][:, 0],
        staying,
    )


def floor_allows(depths: Sequence[float], unit_cost: FloatArray, floor: float) -> BoolArray:
    """Whether discounts leave the floor price unit cost x (1 + floor), shape (n, k).

    Parameters
    ----------
    depths : sequence of float
        Shares of the list price.
    unit_cost : ndarray, shape (n,)
        Share of the list price.
    floor : float
        Share of unit cost.
    """
    price = 1 - np.asarray(depths, dtype=float)
    return np.asarray(price >= (1 + floor) * unit_cost[:, None] - ROUNDING)


def read_discount_options(
    gain: Any,
    cost: Any,
    depths: Sequence[float],
    *,
    allowed: Any = None,
    risk: Any = None,
    customers: Sequence[Any] | pd.Index | None = None,
) -> DiscountOptions:
    """Read options from arrays.

    Parameters
    ----------
    gain, cost : array, shape (n, k)
        Expected profit against no discount, and what it costs the budget, currency.
    depths : sequence of k float
        Shares of the list price, rising.
    allowed : array of bool, shape (n, k), optional
        Left out, all are.
    risk : array, shape (n,), optional
        Chance to leave without a discount.
    customers : sequence, optional
        Names; left out, row numbers.

    Raises
    ------
    ValueError
        When shapes do not fit, entries are not finite, or a cost is negative.
    """
    shares = checked_depths(depths)
    gains, costs = np.asarray(gain, dtype=float), np.asarray(cost, dtype=float)
    n = len(gains)
    permitted = np.ones((n, len(shares)), bool) if allowed is None else np.asarray(allowed)
    chance = np.full(n, np.nan) if risk is None else np.asarray(risk, dtype=float)
    names = pd.RangeIndex(n) if customers is None else pd.Index(customers)
    shape = (n, len(shares))
    told = {"gain": gains, "cost": costs, "allowed": permitted}
    refuse(
        f"{name} has shape {one.shape}: {shape} is needed, a row a customer and a column a depth"
        for name, one in told.items()
        if one.shape != shape
    )
    refuse(
        f"{name} has {int((~np.isfinite(one)).sum()):,} entries that are not finite"
        for name, one in list(told.items())[:2]
        if not np.isfinite(one).all()
    )
    if (costs < 0).any() or len(names) != n or chance.shape != (n,):
        raise ValueError(
            "cost, risk, customers: costs are 0 or larger, and one risk and name a customer is "
            f"needed ({n:,})"
        )
    if names.has_duplicates:
        raise ValueError(
            f"customers: {names[names.duplicated()][0]!r} comes more than once; one row a customer "
            "is needed"
        )
    staying = np.full((n, len(shares) + 1), np.nan)
    index = names.rename("customer_id")
    return DiscountOptions(index, shares, gains, costs, permitted.astype(bool), chance, staying)


def checked_depths(depths: Sequence[float]) -> tuple[float, ...]:
    """Read depths: above 0, below 1, rising.

    Raises
    ------
    ValueError
        When they are not.
    """
    texts = isinstance(depths, str) or any(isinstance(one, str) for one in depths)
    shares = np.asarray([] if texts else depths, dtype=float)
    fine = shares.ndim == 1 and shares.size and ((shares > 0) & (shares < 1)).all()
    if not fine or (np.diff(shares) <= 0).any():
        raise ValueError(
            f"depths={depths!r}: rising shares of the list price above 0 and below 1 are needed, "
            "such as (0.05, 0.10); no discount is always a choice"
        )
    return tuple(float(one) for one in shares)


def _check(customers: pd.DataFrame, floor: float, elasticity: float, years: float) -> None:
    need_columns(customers, COLUMNS, "customers")
    rules = (
        ("risk", lambda v: (v >= 0) & (v <= 1), "chances from 0 to 1"),
        (
            "response",
            lambda v: v >= 0,
            "0 or larger: a response below 0 says that discounts drive customers away; "
            "set it to 0 or estimate it from discounts given at random",
        ),
        ("list_value", lambda v: v >= 0, "amounts of 0 or larger"),
        ("unit_cost", lambda v: v >= 0, "shares of the list value"),
        ("serving", np.isfinite, "finite amounts"),
        ("value", np.isfinite, "finite amounts"),
    )
    twice = customers.loc[customers["customer_id"].duplicated(), "customer_id"]
    complaints = [
        f"customers.customer_id: {one!r} comes more than once; one row a customer is needed"
        for one in twice.unique()[:1]
    ]
    for name, fine, said in rules:
        values = numbers_in(customers[name], f"customers.{name}").to_numpy()
        wrong = ~(np.isfinite(values) & fine(values))
        if wrong.any():
            first = int(np.flatnonzero(wrong)[0])
            complaints.append(
                f"customers.{name}: {values[first]:g} of customer "
                f"{customers['customer_id'].iloc[first]!r} ({int(wrong.sum()):,} such); {said}"
            )
    refuse(complaints)
    bounds = (("floor", floor, 0, 10), ("elasticity", elasticity, -20, 0), ("years", years, 0, 10))
    refuse(
        f"{name}={value!r}: a number from {low} to {high} is needed"
        for name, value, low, high in bounds
        if not low <= value <= high
    )
