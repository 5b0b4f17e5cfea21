"""Products, their owners and their costs: what every market of price competition has in common.

Question: what do firms earn at given prices, and what is a firm's best reply to the others'?
:class:`PriceMarket` asks a demand system for quantities and slopes; the rest, profits,
elasticities, first-order conditions and best replies under floors, follows from who owns what.

Sources: Bertrand (1883), Journal des Savants 67, 499-508, for competition in prices; Morrow &
Skerlos (2011), Operations Research 59(2), 328-345, for the step that best replies are found by.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Self, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.pricing.panels.names import name_of
from keycustomer.stats.samples import FloatArray

Floor: TypeAlias = float | Mapping[str, float] | None
"""Least margin over unit cost as a share of it: for all firms, by firm, or none."""

STEPS = 20_000
"""Steps after which a search for best replies is given up."""

MULTIPLES = (1.0, *np.geomspace(0.2, 5.0, 24).tolist())
"""Multiples of a firm's prices that are tried where its profit may have several peaks."""

NEAR = 1e-13
"""Change of prices, relative to the largest price or cost, at which a search ends."""


class PriceMarket(ABC):
    """Market in which firms set the prices of their products.

    Attributes
    ----------
    unit_costs : ndarray, shape (products,)
        Cost of a unit, currency.
    products : tuple of str
        Names of the products.
    firms : tuple of str
        Owner of each product.
    """

    unit_costs: FloatArray
    products: tuple[str, ...]
    firms: tuple[str, ...]

    @abstractmethod
    def quantities(self, prices: npt.ArrayLike) -> FloatArray:
        """Units sold per period at given prices, shape (products,)."""

    @abstractmethod
    def slopes(self, prices: npt.ArrayLike) -> FloatArray:
        """Change of quantities per currency: row a quantity, column a price."""

    @abstractmethod
    def consumer_surplus(self, prices: npt.ArrayLike) -> float:
        """Consumer surplus per period; NaN where the demand system does not define one."""

    @abstractmethod
    def first_prices(self) -> FloatArray:
        """Prices from which a search for the equilibrium starts."""

    @abstractmethod
    def reply_step(self, prices: FloatArray, own: npt.NDArray[np.bool_]) -> FloatArray:
        """Prices nearer to the owners' best replies, of which a best reply is the fixed point.

        Parameters
        ----------
        prices : ndarray, shape (products,)
            Prices now.
        own : ndarray of bool, shape (products, products)
            Whether two products have one owner.
        """

    @property
    def one_peak(self) -> bool:
        """Whether a firm's profit has one peak only, so that a search ends at the best reply."""
        return True

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the firms in the order of their first products."""
        return tuple(dict.fromkeys(self.firms))

    @property
    def ownership(self) -> npt.NDArray[np.bool_]:
        """Whether two products have one owner, shape (products, products)."""
        owners = np.asarray(self.firms, dtype=object)
        return np.asarray(owners[:, None] == owners, dtype=bool)

    def with_firms(self, firms: Sequence[str]) -> Self:
        """Give the same market with other owners."""
        return replace(self, firms=tuple(firms))  # type: ignore[type-var]

    def with_costs(self, unit_costs: npt.ArrayLike) -> Self:
        """Give the same market at other unit costs."""
        costs = np.asarray(unit_costs, dtype=float)
        return replace(self, unit_costs=costs)  # type: ignore[type-var]

    def joined(self, firms: Sequence[str] | None = None) -> Self:
        """Give the same market with some firms (left out, all) under one owner."""
        some = self.names if firms is None else tuple(firms)
        for firm in some:
            self.of_firm(firm)
        owner = " + ".join(some)
        return self.with_firms([owner if firm in some else firm for firm in self.firms])

    def of_firm(self, firm: str) -> npt.NDArray[np.bool_]:
        """Whether each product belongs to a firm.

        Raises
        ------
        KeyError
            When there is no such firm.
        """
        if firm not in self.firms:
            raise KeyError(f"no firm {firm!r}; there is: {', '.join(self.names)}")
        return np.array([owner == firm for owner in self.firms])

    def price_vector(
        self, prices: npt.ArrayLike | Mapping[str, float], argument: str
    ) -> FloatArray:
        """Read one price for each product, in their order or by name.

        Raises
        ------
        ValueError
            When there are too few, too many or unknown ones, or one is not above 0.
        """
        given: Any = prices
        if isinstance(prices, pd.Series):
            given = prices.to_dict()
        if isinstance(given, Mapping):
            if set(given) != set(self.products):
                raise ValueError(
                    f"{argument}: prices of {', '.join(map(str, given))} given; one is needed for "
                    f"each of {', '.join(self.products)}"
                )
            given = [given[name] for name in self.products]
        return product_numbers(argument, given, self.products, above=0.0)

    def floor_prices(self, floor: Floor) -> FloatArray:
        """Lowest price of each product; minus infinity without a floor.

        Raises
        ------
        KeyError, ValueError
            When a firm is unknown, or a floor below -1 or not finite.
        """
        given = floor if isinstance(floor, Mapping) else dict.fromkeys(self.names, floor)
        lowest = np.full(len(self.products), -np.inf)
        for firm, share in given.items():
            mine = self.of_firm(firm)
            if share is None:
                continue
            told = isinstance(share, (int, float, np.integer, np.floating))
            if not (told and np.isfinite(share) and share >= -1):
                raise ValueError(
                    f"floor={share!r}: the least margin over unit cost, a share of the cost such "
                    "as 0.1, is needed"
                )
            lowest[mine] = (1 + share) * self.unit_costs[mine]
        return lowest

    def product_profits(self, prices: npt.ArrayLike) -> FloatArray:
        """Profit per period by product, ``(price - unit cost) x quantity``, currency."""
        at = np.asarray(prices, dtype=float)
        return (at - self.unit_costs) * self.quantities(at)

    def profits(self, prices: npt.ArrayLike) -> pd.Series:
        """Profit per period by firm, currency, before fixed costs."""
        earned = pd.Series(self.product_profits(prices)).groupby(list(self.firms)).sum()
        return earned.reindex(list(self.names)).rename("profit").rename_axis("firm")

    def marginal_profits(self, prices: npt.ArrayLike) -> FloatArray:
        """Change of the owner's profit per currency of each price: 0 at a best reply."""
        at = np.asarray(prices, dtype=float)
        owned = np.where(self.ownership, self.slopes(at), 0.0)
        return self.quantities(at) + owned.T @ (at - self.unit_costs)

    def elasticities(self, prices: npt.ArrayLike) -> pd.DataFrame:
        """Price elasticities: row a product whose quantity changes, column one whose price does."""
        at = np.asarray(prices, dtype=float)
        matrix = self.slopes(at) * at / self.quantities(at)[:, None]
        names = list(self.products)
        frame = pd.DataFrame(matrix, index=names, columns=names)
        return frame.rename_axis(index="quantity of", columns="price of")

    def best_reply(self, firm: str, prices: npt.ArrayLike, *, floor: Floor = None) -> FloatArray:
        """Prices at which one firm earns most while the others keep theirs.

        Parameters
        ----------
        firm : str
            Who replies.
        prices : array, shape (products,)
            Prices now; only the firm's own change.
        floor : float or mapping of str to float, optional
            Least margin over unit cost, share of the cost.

        Returns
        -------
        ndarray, shape (products,)

        Raises
        ------
        RuntimeError
            When no best reply is found.
        """
        return self.reply_above(firm, np.array(prices, dtype=float), self.floor_prices(floor))

    def reply_above(self, firm: str, prices: FloatArray, lowest: FloatArray) -> FloatArray:
        """Find the best reply of one firm at or above floor prices, see :meth:`best_reply`."""
        mine, at = self.of_firm(firm), prices
        own = np.outer(mine, mine)
        start = at if self.one_peak else self.best_multiple(firm, at)
        # a firm whose rivals are given is a market of its own, with the others' prices in it
        return search(
            lambda now: np.where(mine, np.maximum(self.reply_step(now, own), lowest), at),
            start,
            f"the best reply of {firm}",
        )

    def best_multiple(self, firm: str, prices: FloatArray) -> FloatArray:
        """Prices in which one firm's are the multiple, of a few, that brings it most."""
        mine = self.of_firm(firm)
        tried = [np.where(mine, factor * prices, prices) for factor in MULTIPLES]
        earned = [float(self.product_profits(one)[mine].sum()) for one in tried]
        return tried[int(np.argmax(earned))]


def search(step: Any, start: FloatArray, what: str) -> FloatArray:
    """Follow steps to their fixed point, half-way where whole steps do not get nearer.

    Raises
    ------
    RuntimeError
        When none is reached.
    """
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        for share in (1.0, 0.5, 0.1):
            now = start.copy()
            for _ in range(STEPS):
                new = step(now)
                change = float(np.abs(new - now).max(initial=0.0))
                if not np.isfinite(change):
                    break
                now = new if share == 1.0 else (1 - share) * now + share * new
                if change <= NEAR * float(np.abs(now).max(initial=0.0)):
                    return now
    raise RuntimeError(
        f"no prices were found for {what} in {STEPS:,} steps: profit may rise with the price "
        "without end (demand that hardly falls), or several prices may be as good; check the "
        "elasticities at the prices of today"
    )


def product_numbers(
    name: str,
    values: npt.ArrayLike,
    products: Sequence[str],
    *,
    above: float = -np.inf,
    least: float = -np.inf,
) -> FloatArray:
    """Read one finite number for each product.

    Raises
    ------
    ValueError
        When there are too few or too many, or one is not finite or out of range.
    """
    numbers = np.asarray(values, dtype=float)
    if numbers.shape != (len(products),):
        raise ValueError(
            f"{name}: {numbers.size} numbers (shape {numbers.shape}) given, one is needed for each "
            f"of the {len(products)} products ({', '.join(products)})"
        )
    wrong = ~(np.isfinite(numbers) & (numbers > above) & (numbers >= least))
    if wrong.any():
        which = int(np.argmax(wrong))
        if above > -np.inf:
            allowed = f"above {above:g}"
        else:
            allowed = f"{least:g} or above" if least > -np.inf else "finite"
        raise ValueError(f"{name}: {numbers[which]:g} of {products[which]!r} must be {allowed}")
    return numbers


def product_names(count: int, products: Sequence[object] | None) -> tuple[str, ...]:
    """Names of products, numbers where none are given.

    Raises
    ------
    ValueError
        When there are none, too few or too many, or two are the same.
    """
    names = [f"product {n + 1}" for n in range(count)] if products is None else products
    if count == 0:
        raise ValueError("products: none given; a market needs at least one")
    told = tuple(map(name_of, names))
    if len(told) != count or len(set(told)) < count:
        raise ValueError(
            f"products: {len(told)} names ({', '.join(told)}) for {count} products; one name of "
            "its own is needed for each"
        )
    return told


def owner_names(products: Sequence[str], firms: Sequence[object] | None) -> tuple[str, ...]:
    """Owners of the products, each its own where none are given.

    Raises
    ------
    ValueError
        When there are too few or too many, or one is missing.
    """
    given = list(products if firms is None else firms)
    if len(given) != len(products):
        raise ValueError(f"firms: {len(given)} owners for {len(products)} products")
    missing = pd.Series(given, dtype=object).isna()
    without = [name for name, none in zip(products, missing, strict=True) if none]
    if without:
        raise ValueError(f"firms: {', '.join(without)} without an owner; name one for each product")
    return tuple(map(name_of, given))
