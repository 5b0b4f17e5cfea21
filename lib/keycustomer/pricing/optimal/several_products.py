"""Prices of several products that take customers from each other.

Question: which prices together bring most?  A dearer product sends some of its buyers to the
others, so that products priced together are priced higher than each on its own.
:func:`optimal_prices` takes today's prices, quantities and unit costs with a matrix of own and
cross-price elasticities (row: whose quantity, column: whose price), or a logit market, and gives
all prices at once with floors and capacities.

Three forms: a linear system through today's point (solved exactly, a concave quadratic), logit
(equal markups but for floors, by Lambert's W) and constant elasticities.  With constant
elasticities and substitutes no best prices exist: one price raised without end drives all buyers
to the other product.  They are only looked at within a range around today's prices.

Sources: see :mod:`keycustomer.pricing.optimal.product_demand`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.customers.rendering import sentence_html
from keycustomer.pricing.optimal.demand_curves import NoOptimalPrice, above_zero, falling
from keycustomer.pricing.optimal.product_demand import (
    ConstantElasticityProductDemand,
    LinearProductDemand,
    LogitProductDemand,
    ProductDemand,
)
from keycustomer.stats.samples import FloatArray, finite_values

REACHED = 1e-6
"""Relative distance at which a limit is called reached."""

STARTS = 4
"""Starts of the search where profit may have several tops."""


@dataclass(frozen=True, eq=False)
class OptimalPrices:
    """Prices of several products that bring most together.

    Attributes
    ----------
    frame : DataFrame
        One row a product: product, price_today, price, change (share), quantity_today, quantity,
        unit_cost, floor_price, markup (share of the price), profit_today, profit (per period,
        currency), binding ("none", "floor", "capacity", "range").
    elasticities : DataFrame
        Own and cross-price elasticities at the new prices (row whose quantity, column whose price).
    demand : ProductDemand
        The demand behind it.
    notes : tuple of str
        What the reader must know.
    """

    frame: pd.DataFrame
    elasticities: pd.DataFrame = field(repr=False)
    demand: ProductDemand = field(repr=False)
    notes: tuple[str, ...] = ()

    @property
    def gain(self) -> float:
        """Profit per period beyond today's, currency."""
        return float((self.frame["profit"] - self.frame["profit_today"]).sum())

    def to_frame(self) -> pd.DataFrame:
        """Return one row a product."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        said = f"Best prices of {len(self.frame)} products: {self.gain:+,.4g} profit per period. "
        return sentence_html((said + " ".join(self.notes)).strip(), self.frame, numbers=",.4g")


def optimal_prices(
    products: pd.DataFrame,
    elasticities: pd.DataFrame | npt.ArrayLike | None = None,
    *,
    form: str = "linear",
    price_coefficient: float | None = None,
    size: float | None = None,
    floor: float = 0.0,
    capacity: npt.ArrayLike | None = None,
    within: tuple[float, float] | None = None,
    seed: int | np.random.Generator = 0,
) -> OptimalPrices:
    """Find the prices of several products that bring the largest profit together.

    Parameters
    ----------
    products : DataFrame
        One row a product: product, price, quantity (today's, per period), unit_cost.
    elasticities : DataFrame or array, shape (products, products), optional
        Row whose quantity, column whose price; a DataFrame is read by the products' names.  Not
        needed for the form "logit".
    form : {"linear", "logit", "constant elasticity"}
        Form of demand; all pass through today's prices and quantities.
    price_coefficient, size : float, optional
        For the form "logit": utility per unit of currency, below 0, and possible buyers.
    floor : float
        Lowest allowed margin over unit cost as a share of unit cost.
    capacity : float or array, shape (products,), optional
        Units that can be delivered per period, of each product.
    within : tuple of float, optional
        Range of prices to stay in, multiples of today's.
    seed : int or Generator
        Starts of the search where profit may have several tops.

    Raises
    ------
    NoOptimalPrice
        When no prices are the best ones, or none are allowed.
    KeyError, ValueError
        When columns are missing, names differ or a number makes no sense.
    """
    read = _read_products(products)
    price, cost = (read[name].to_numpy(float) for name in ("price", "unit_cost"))
    demand = _demand(read, elasticities, form, price_coefficient, size)
    above_zero("floor", floor, zero=True)
    lowest = cost * (1 + floor)
    most = np.full(len(read), np.inf) if capacity is None else _capacities(capacity, len(read))
    if within is None:
        best = demand.best_prices(cost, lowest)
        limits = (lowest, np.full(len(read), np.inf))
    else:
        limits = _limits(price, lowest, within, read["product"])
        best = _search(demand, cost, limits, np.full(len(read), np.inf), seed)
    if (demand.quantity(best) > most).any():
        best = _search(demand, cost, limits, most, seed, first=best)
    return _result(read, demand, best, lowest, most, limits)


def _read_products(products: pd.DataFrame) -> pd.DataFrame:
    needed = ["product", "price", "quantity", "unit_cost"]
    missing = [name for name in needed if name not in getattr(products, "columns", [])]
    if missing:
        raise KeyError(f"products has no column {', '.join(missing)}; it needs {', '.join(needed)}")
    read = products[needed].reset_index(drop=True)
    if read["product"].duplicated().any():
        twice = read.loc[read["product"].duplicated(), "product"].head(3).tolist()
        raise ValueError(f"products: {twice} come more than once; one row a product")
    for name in needed[1:]:
        values = finite_values(read.set_index("product")[name], f"products[{name!r}]")
        wrong = values < 0 if name == "unit_cost" else values <= 0
        if wrong.any():
            first = read.loc[wrong, "product"].head(3).tolist()
            raise ValueError(f"products[{name!r}]: {first} must be above 0")
    return read


def _demand(
    read: pd.DataFrame, elasticities: Any, form: str, coefficient: float | None, size: float | None
) -> ProductDemand:
    price, units = read["price"].to_numpy(float), read["quantity"].to_numpy(float)
    if form == "logit":
        if coefficient is None or size is None:
            raise ValueError("form='logit' needs price_coefficient and size")
        return LogitProductDemand.through(price, units, coefficient, size)
    if form not in ("linear", "constant elasticity"):
        raise ValueError(f"form={form!r} must be 'linear', 'logit' or 'constant elasticity'")
    matrix = _matrix(elasticities, read["product"])
    if form == "linear":
        return LinearProductDemand.through(price, units, matrix)
    return ConstantElasticityProductDemand(price, units, matrix)


def _matrix(elasticities: Any, names: pd.Series) -> FloatArray:
    """Read the matrix of elasticities in the products' order."""
    if elasticities is None:
        raise ValueError("elasticities are missing: a row (quantity) and column (price) a product")
    if isinstance(elasticities, pd.DataFrame):
        missing = [
            name
            for name in names
            if name not in elasticities.index or name not in elasticities.columns
        ]
        if missing:
            raise ValueError(f"elasticities: no row and column of {missing[:3]}")
        elasticities = elasticities.loc[list(names), list(names)]
    matrix = np.asarray(elasticities, dtype=float)
    if matrix.shape != (len(names),) * 2 or not np.isfinite(matrix).all():
        raise ValueError(
            f"elasticities has shape {matrix.shape}: {len(names)} by {len(names)} finite numbers "
            "are needed"
        )
    for name, own in zip(names, np.diag(matrix), strict=True):
        falling(f"elasticities[{name!r}, {name!r}]", float(own))
    return matrix


def _capacities(capacity: npt.ArrayLike, count: int) -> FloatArray:
    given = np.asarray(capacity, dtype=float)
    if given.ndim > 1 or (given.ndim == 1 and len(given) != count) or not (given > 0).all():
        raise ValueError(f"capacity={capacity!r}: numbers above 0, one or {count}, are needed")
    return np.broadcast_to(given, (count,)).astype(float)


def _limits(
    price: FloatArray, lowest: FloatArray, within: tuple[float, float], names: pd.Series
) -> tuple[FloatArray, FloatArray]:
    low, high = within
    if not 0 < low < high < np.inf:
        raise ValueError(f"within={within!r} must be two rising multiples of today's prices")
    bottom, top = np.maximum(low * price, lowest), high * price
    if (bottom > top).any():
        first = names[bottom > top].head(3).tolist()
        raise NoOptimalPrice(f"{first}: the floor price is above {high:g} times today's price")
    return bottom, top


def _search(
    demand: ProductDemand,
    cost: FloatArray,
    limits: tuple[FloatArray, FloatArray],
    most: FloatArray,
    seed: int | np.random.Generator,
    first: FloatArray | None = None,
) -> FloatArray:
    """Search from several starts within limits; quantities no larger than the capacity."""
    from scipy.optimize import minimize

    low, high = limits
    scale, limited = np.maximum(low, cost), np.isfinite(most)
    far = np.where(np.isfinite(high), high, 3 * scale if first is None else 3 * first)
    room = {
        "type": "ineq",
        "fun": lambda x: (1 - demand.quantity(x * scale) / most)[limited],
        "jac": lambda x: (-demand.jacobian(x * scale) * scale / most[:, None])[limited],
    }
    generator = np.random.default_rng(seed)
    starts = [(low + far) / 2 if first is None else first]
    starts += [low + (far - low) * generator.random(len(low)) for _ in range(STARTS - 1)]
    unit = abs(demand.profit(starts[0], cost)) or 1.0
    found = [
        minimize(
            lambda x: -demand.profit(x * scale, cost) / unit,
            start / scale,
            jac=lambda x: -demand.slope(x * scale, cost) * scale / unit,
            bounds=list(zip(low / scale, high / scale, strict=True)),
            constraints=[room] if limited.any() else [],
            method="SLSQP",
            options={"ftol": 1e-14, "maxiter": 500},
        )
        for start in starts
    ]
    allowed = [
        one.x * scale
        for one in found
        if (demand.quantity(one.x * scale) <= most * (1 + REACHED)).all()
    ]
    if not allowed:
        raise NoOptimalPrice(
            "no prices within the limits keep to the capacity; widen within, or raise capacity"
        )
    return np.asarray(max(allowed, key=lambda prices: demand.profit(prices, cost)))


def _result(
    read: pd.DataFrame,
    demand: ProductDemand,
    best: FloatArray,
    lowest: FloatArray,
    most: FloatArray,
    limits: tuple[FloatArray, FloatArray],
) -> OptimalPrices:
    price, units, cost = (read[name].to_numpy(float) for name in ("price", "quantity", "unit_cost"))
    sold = demand.quantity(best)
    if (sold < 0).any():
        first = read.loc[sold < 0, "product"].head(3).tolist()
        raise NoOptimalPrice(
            f"{first}: the linear system gives less than nothing sold at the best prices; give "
            "within, the range of prices to stay in, or take form='logit'"
        )
    reached = [
        (best >= limits[1] * (1 - REACHED), "range"),
        (best <= limits[0] * (1 + REACHED), "range"),
        (best <= lowest * (1 + REACHED), "floor"),
        (sold >= most * (1 - REACHED), "capacity"),
    ]
    binding = np.full(len(read), "none", dtype=object)
    for where, word in reached:
        binding[where] = word
    frame = pd.DataFrame(
        {
            "product": read["product"],
            "price_today": price,
            "price": best,
            "change": best / price - 1,
            "quantity_today": units,
            "quantity": sold,
            "unit_cost": cost,
            "floor_price": lowest,
            "markup": (best - cost) / best,
            "profit_today": (price - cost) * units,
            "profit": (best - cost) * sold,
            "binding": binding,
        }
    )
    names = pd.Index(read["product"])
    at = pd.DataFrame(demand.elasticities(best), index=names, columns=names)
    return OptimalPrices(frame, at, demand, _notes(frame))


def _notes(frame: pd.DataFrame) -> tuple[str, ...]:
    far = frame.loc[(frame["change"].abs() > 0.5), "product"]
    if far.empty:
        return ()
    named = ", ".join(map(str, far.head(3)))
    return (
        f"The best price lies more than half of today's away for {named}"
        f"{' and others' if len(far) > 3 else ''}: further than data usually reach.",
    )
