"""The price corridor of each tier: from the floor to what customers would still pay.

Question: within which prices may a salesperson move?  From below a price is bounded by the floor
over unit cost, and by the price that also pays for serving the tier; from above by what its
customers are willing to pay, and by the price at which they are indifferent between this offer and
the next best one (its price plus what this offer is worth more).  :func:`price_corridor` puts these
side by side by tier, with the price that brings most, held within the corridor, and the discount
from the list price that is permitted.

Sources: Nagle, Hogan & Zale (2016), "The Strategy and Tactics of Pricing", chapter 2, for the price
window between cost and value; course material T4 and K8.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.customers.rendering import sentence_html
from keycustomer.pricing.optimal.demand_curves import above_zero
from keycustomer.pricing.panels.numbers import numbers_in
from keycustomer.stats import Estimate
from keycustomer.stats.samples import FloatArray, share_of

ByTier: TypeAlias = float | pd.Series | Mapping[Any, Any]
"""One number for all tiers, or one for each by its name."""


@dataclass(frozen=True, eq=False)
class PriceCorridor:
    """Prices between floor and worth, by tier.

    Attributes
    ----------
    frame : DataFrame
        One row a tier: tier, list_price, price_today, unit_cost, floor_price (never below),
        full_cost_price (cost to serve included: nothing is earned there), indifference_price (of
        the customers, against the next best offer; NaN where not given), willingness_to_pay (that
        the kept share of customers has at least; NaN where not given), highest_price (the lower of
        both; infinite where neither is given), best_price (by the responses; NaN where not given,
        infinite where there is none), recommended_price, permitted_discount (share of the list
        price down to the floor price), discount_today, recommended_discount, open (whether there
        is a corridor), held_by ("nothing", "floor", "worth", "today": why the recommended price is
        not the best one; today where no best price is known).
    floor : float
        Lowest allowed margin over unit cost as a share of unit cost.
    keeping : float
        Share of a tier's customers whose willingness to pay is not exceeded.
    currency : str
        Unit of the prices.
    simulated : bool
        Whether the data are made up.
    notes : tuple of str
        What the reader must know.
    """

    frame: pd.DataFrame
    floor: float
    keeping: float
    currency: str = ""
    simulated: bool = False
    notes: tuple[str, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """Return one row a tier."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        kind = "Simulated: " if self.simulated else ""
        said = f"{kind}price corridor of {len(self.frame)} tiers, floor {self.floor:.0%} over cost."
        return sentence_html(f"{said} {' '.join(self.notes)}".strip(), self.frame, numbers=",.4g")


def price_corridor(
    tiers: pd.DataFrame,
    *,
    floor: float = 0.1,
    best_price: ByTier | None = None,
    willingness_to_pay: Mapping[Any, npt.ArrayLike] | ByTier | None = None,
    keeping: float = 0.8,
    reference_price: ByTier | None = None,
    differentiation_value: ByTier = 0.0,
    currency: str = "",
    simulated: bool = False,
) -> PriceCorridor:
    """Put floor, cost, worth and the best price of each tier side by side.

    Parameters
    ----------
    tiers : DataFrame
        One row a tier, as :func:`tier_prices` gives it: tier, list_price, price (paid today, per
        unit), unit_cost, optional cost_to_serve (per unit).
    floor : float
        Lowest allowed margin over unit cost as a share of unit cost.
    best_price : float, Series or mapping, optional
        Price that brings most, by tier, such as from :func:`lifetime_optimal_price`; infinite
        where there is none.
    willingness_to_pay : mapping of tier to array, or number by tier, optional
        Willingness to pay of a tier's customers (then the one that `keeping` of them have at least
        is taken), or one number (or Estimate) a tier, per unit.
    keeping : float
        Share of customers whose willingness to pay is not to be exceeded, 0..1.
    reference_price : float, Series or mapping, optional
        Price of the next best offer, per unit.
    differentiation_value : float, Series or mapping
        What this offer is worth more than the next best one, currency per unit; below 0 less.
    currency, simulated
        What the result says.

    Raises
    ------
    KeyError, ValueError
        When columns or tiers are missing, or a number makes no sense.
    """
    read = _read_tiers(tiers)
    above_zero("floor", floor, zero=True)
    names = read["tier"]
    worth = _worths(willingness_to_pay, names, share_of(keeping, "keeping"))
    indifferent = _by_tier(reference_price, names, "reference_price")
    indifferent = indifferent + _by_tier(differentiation_value, names, "differentiation_value")
    best = _by_tier(best_price, names, "best_price")
    frame = _corridors(read, float(floor), worth, indifferent, best)
    return PriceCorridor(frame, float(floor), keeping, currency, simulated, _notes(frame))


def _corridors(
    read: pd.DataFrame, floor: float, worth: FloatArray, indifferent: FloatArray, best: FloatArray
) -> pd.DataFrame:
    """Put the bounds of each tier together, and the best price between them."""
    listed, today, cost = (
        read[name].to_numpy(float) for name in ("list_price", "price", "unit_cost")
    )
    floor_price = cost * (1 + floor)
    highest = np.fmin(np.fmin(worth, indifferent), np.inf)
    wanted = np.where(np.isnan(best), today, best)
    opened = floor_price <= highest
    held = np.clip(wanted, floor_price, np.maximum(highest, floor_price))
    recommended = np.where(opened & np.isfinite(held), held, np.nan)
    return pd.DataFrame(
        {
            "tier": read["tier"],
            "list_price": listed,
            "price_today": today,
            "unit_cost": cost,
            "floor_price": floor_price,
            "full_cost_price": cost + read["cost_to_serve"].to_numpy(float),
            "indifference_price": indifferent,
            "willingness_to_pay": worth,
            "highest_price": highest,
            "best_price": best,
            "recommended_price": recommended,
            "permitted_discount": 1 - floor_price / listed,
            "discount_today": 1 - today / listed,
            "recommended_discount": 1 - recommended / listed,
            "open": opened,
            "held_by": np.select(
                [wanted < floor_price, wanted > highest, np.isnan(best)],
                ["floor", "worth", "today"],
                "nothing",
            ),
        }
    )


def tier_prices(customers: pd.DataFrame) -> pd.DataFrame:
    """Add up customers at today's prices by tier.

    Parameters
    ----------
    customers : DataFrame
        One row a customer, as :func:`customers_at_prices` gives it: tier, price, list_price,
        revenue, goods_cost and, where known, cost_to_serve.

    Returns
    -------
    DataFrame
        One row a tier: tier, customers, list_price, price, unit_cost, cost_to_serve (all per unit,
        means by units).

    Raises
    ------
    KeyError
        When a column is missing.
    """
    needed = ["tier", "price", "list_price", "revenue", "goods_cost"]
    missing = [name for name in needed if name not in customers]
    if missing:
        raise KeyError(f"customers has no column {', '.join(missing)}")
    sums = customers.assign(
        units=customers["revenue"] / customers["price"],
        listed=customers["list_price"] * customers["revenue"] / customers["price"],
        cost_to_serve=customers.get("cost_to_serve", 0.0),
        customers=1,
    ).groupby("tier")
    added = sums[["customers", "units", "listed", "revenue", "goods_cost", "cost_to_serve"]].sum()
    per_unit = {
        "list_price": added["listed"] / added["units"],
        "price": added["revenue"] / added["units"],
        "unit_cost": added["goods_cost"] / added["units"],
        "cost_to_serve": added["cost_to_serve"] / added["units"],
    }
    return pd.DataFrame({"customers": added["customers"]} | per_unit).reset_index()


def _read_tiers(tiers: pd.DataFrame) -> pd.DataFrame:
    needed = ["tier", "list_price", "price", "unit_cost"]
    missing = [name for name in needed if name not in getattr(tiers, "columns", [])]
    if missing:
        raise KeyError(f"tiers has no column {', '.join(missing)}; it needs {', '.join(needed)}")
    read = tiers.assign(cost_to_serve=tiers.get("cost_to_serve", 0.0)).reset_index(drop=True)
    if read.empty or read["tier"].duplicated().any():
        raise ValueError("tiers: one row a tier is needed, and at least one")
    for name in (*needed[1:], "cost_to_serve"):
        values = numbers_in(read[name], f"tiers[{name!r}]").to_numpy()
        least = 0.0 if name in ("unit_cost", "cost_to_serve") else np.finfo(float).tiny
        wrong = ~(np.isfinite(values) & (values >= least))
        if wrong.any():
            first = read.loc[wrong, "tier"].head(3).tolist()
            raise ValueError(f"tiers[{name!r}]: {first} must be finite and above 0")
    return read


def _by_tier(given: ByTier | None, names: pd.Series, argument: str) -> FloatArray:
    """Read one number for all tiers or one for each; NaN where nothing is given."""
    if given is None:
        return np.full(len(names), np.nan)
    if isinstance(given, (Mapping, pd.Series)):
        by_name = dict(given)
        missing = [name for name in names if name not in by_name]
        if missing:
            raise KeyError(f"{argument}: no entry for the tier {missing[0]!r}")
        values = [by_name[name] for name in names]
    else:
        values = [given] * len(names)
    return np.array([getattr(one, "estimate", one) for one in values], dtype=float)


def _worths(given: Any, names: pd.Series, keeping: float) -> FloatArray:
    """Willingness to pay that the kept share of each tier's customers has at least."""
    many = isinstance(given, Mapping) and any(
        np.ndim(one) == 1 for one in given.values() if not isinstance(one, Estimate)
    )
    if not many:
        return _by_tier(given, names, "willingness_to_pay")
    reached = {}
    for tier, values in given.items():
        known = np.asarray(values, dtype=float)
        known = known[np.isfinite(known)]
        if not known.size:
            raise ValueError(f"willingness_to_pay[{tier!r}]: nobody's is known")
        reached[tier] = float(np.quantile(known, 1 - keeping))
    return _by_tier(reached, names, "willingness_to_pay")


def _notes(frame: pd.DataFrame) -> tuple[str, ...]:
    said = []
    closed = frame.loc[~frame["open"], "tier"].map(str).tolist()
    if closed:
        said.append(
            f"No corridor for {', '.join(closed)}: the floor price lies above what the customers "
            "would pay; serve at lower cost, or let go."
        )
    below = frame["recommended_price"] < frame["full_cost_price"]
    if below.any():
        named = ", ".join(map(str, frame.loc[below, "tier"]))
        said.append(f"The recommended price of {named} does not pay for serving the tier.")
    endless = np.isinf(frame["best_price"]) & np.isinf(frame["highest_price"])
    if endless.any():
        named = ", ".join(map(str, frame.loc[endless, "tier"]))
        said.append(f"No best price and no upper bound for {named}: nothing is recommended.")
    beneath = frame["price_today"] < frame["floor_price"]
    if beneath.any():
        named = ", ".join(map(str, frame.loc[beneath, "tier"]))
        said.append(f"Today's price of {named} breaks the floor.")
    return tuple(said)
