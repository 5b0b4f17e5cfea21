"""Estimated demand of a market: elasticities, diversion, markups, and what other prices would do.

`MarketDemand` is what :func:`~keycustomer.pricing.fit_market_demand` gives.  Everything it tells
follows from the coefficients and the tastes of buyers: own and cross elasticities by market,
diversion ratios, markups and marginal costs under an ownership, shares at other prices, prices
after a merger.  Markups assume that firms set prices (Bertrand-Nash) and know this demand.

Sources: Berry (1994); Nevo (2000), Journal of Economics & Management Strategy 9, 513-548 (a
practitioner's guide); Conlon & Gortmaker (2020), RAND Journal of Economics 51, 1108-1161.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import report_html
from keycustomer.pricing.market.linear_gmm import FirstStage
from keycustomer.pricing.market.tables import MarketTable, need_owners
from keycustomer.pricing.market.tastes import MarketTastes, priced
from keycustomer.stats.estimate import Estimate
from keycustomer.stats.samples import FloatArray

OUTSIDE = "outside"
"""Column of diversion ratios for those who then buy none of the products."""

Ownership = str | Mapping[str, str]


@dataclass(frozen=True, eq=False)
class MarketDemand:
    """Demand of a market.

    Attributes
    ----------
    table : MarketTable
        The rows it was learnt from.
    model : str
        "logit", "nested logit" or "random coefficients".
    method : str
        How the coefficients were estimated, in words.
    coefficients : DataFrame
        term, kind ("mean", "spread", "nesting" or a demographic), estimate, standard_error, lower,
        upper.
    tastes : dict of str to MarketTastes
        By market.
    quality : ndarray, shape (rows,)
        Unobserved quality (the structural residual), utility; absorbed effects are taken out.
    own_price_elasticity : Estimate
        Mean own-price elasticity over all products and markets.
    objective : float
        Of the moments (rows times their weighted square).
    first_stage : FirstStage or None
        Whether the instruments move the price; None where there are none, or the price has no mean
        coefficient.
    identification : str
        Which variation identifies the price coefficient.
    notes : tuple of str
        What a reader has to know.
    level : float
        Confidence level of the intervals.
    """

    table: MarketTable
    model: str
    method: str
    coefficients: pd.DataFrame
    tastes: dict[str, MarketTastes] = field(repr=False)
    quality: FloatArray = field(repr=False)
    own_price_elasticity: Estimate
    objective: float
    first_stage: FirstStage | None
    identification: str
    notes: tuple[str, ...] = ()
    level: float = 0.95

    def to_frame(self) -> pd.DataFrame:
        """Give the coefficients."""
        return self.coefficients.copy()

    @property
    def price_coefficient(self) -> Estimate:
        """Mean price coefficient, utility per unit of price.

        Raises
        ------
        ValueError
            When only demographics move the price coefficient.
        """
        chosen = self.coefficients.query("term == 'price' and kind == 'mean'")
        if chosen.empty:
            raise ValueError("the price has no mean coefficient in this model; see coefficients")
        row = chosen.iloc[0]
        return Estimate(
            float(row["estimate"]),
            float(row["lower"]),
            float(row["upper"]),
            "utility per unit of price",
            len(self.table),
            self.method,
            self.level,
        )

    def own_elasticities(self) -> pd.DataFrame:
        """Give the own-price elasticity of every row, with market, product, price and share."""
        rows = self.table.frame
        own = [np.diag(tastes.elasticities(price)) for _, tastes, price in self._markets()]
        kept = [n for n in ("market", "product", "firm", "price", "share") if n in rows]
        return rows[kept].assign(own_price_elasticity=np.concatenate(own))

    @property
    def inelastic(self) -> int:
        """Rows with an own-price elasticity above -1, where no firm that sets prices would stay."""
        return int((self.own_elasticities()["own_price_elasticity"] > -1).sum())

    def elasticities(self, market: str) -> pd.DataFrame:
        """Own and cross-price elasticities in a market.

        Parameters
        ----------
        market : str
            Name of the market.

        Returns
        -------
        DataFrame, shape (products, products)
            Row: product whose share moves; column: product whose price moves.
        """
        tastes, rows = self._market(market)
        names = pd.Index(rows["product"], name="product")
        values = tastes.elasticities(rows["price"].to_numpy())
        return pd.DataFrame(values, names, names.rename("price of"))

    def diversion_ratios(self, market: str) -> pd.DataFrame:
        """Where buyers go whom a product loses by a slightly higher price.

        Parameters
        ----------
        market : str
            Name of the market.

        Returns
        -------
        DataFrame, shape (products, products + 1)
            Row: product that loses them; column: where they go, last "outside"; rows sum to 1.
        """
        tastes, rows = self._market(market)
        names = pd.Index(rows["product"], name="product")
        values = tastes.diversion(rows["price"].to_numpy())
        return pd.DataFrame(values, names, pd.Index([*names, OUTSIDE], name="goes to"))

    def markups(self, ownership: Ownership = "firm") -> pd.DataFrame:
        """Markups and marginal costs at which the observed prices are the best answers.

        Parameters
        ----------
        ownership : str or mapping
            Column that names the owner of each product ("product": every product for itself), a
            mapping of product to owner, or "monopoly" (one owner of all, where no such column is).

        Returns
        -------
        DataFrame
            market, product, owner, price, share, own_price_elasticity, margin (price less marginal
            cost, per unit), marginal_cost, markup ((price - marginal cost) / price, the Lerner
            index).

        Notes
        -----
        A negative marginal cost says that the estimated demand is too inelastic for the ownership.
        """
        owner = self.owners(ownership)
        rows = self.own_elasticities().drop(columns="firm", errors="ignore")
        rows.insert(2, "owner", owner)
        parts = []
        for (_, tastes, price), same in zip(self._markets(), self.same_owner(owner), strict=True):
            parts.append(tastes.markups(price, same))
        margin = np.concatenate(parts)
        return rows.assign(
            margin=margin,
            marginal_cost=rows["price"] - margin,
            markup=margin / rows["price"],
        )

    def owners(self, ownership: Ownership) -> np.ndarray:
        """Owner of every row under an ownership (see `markups`)."""
        rows = self.table.frame
        if not isinstance(ownership, str):
            owner = rows["product"].map(dict(ownership))
            if owner.isna().any():
                unknown = sorted(set(rows.loc[owner.isna(), "product"]))[:5]
                raise ValueError(f"ownership: no owner is given for products {unknown}")
            return owner.astype(str).to_numpy()
        if ownership == "monopoly" and ownership not in rows:
            return np.full(len(rows), "monopoly")
        need_owners(rows, ownership)
        return rows[ownership].astype(str).to_numpy()

    def same_owner(self, owner: np.ndarray) -> Iterator[FloatArray]:
        """Give, market by market, 1 where two products have the same owner, else 0."""
        for _, rows in self._places():
            mine = owner[rows]
            yield (mine[:, None] == mine).astype(float)

    def _places(self) -> Iterator[tuple[str, np.ndarray]]:
        yield from self.table.places.items()

    def _markets(self) -> Iterator[tuple[str, MarketTastes, FloatArray]]:
        price = self.table.frame["price"].to_numpy()
        for name, rows in self._places():
            yield name, self.tastes[name], price[rows]

    def _market(self, market: str) -> tuple[MarketTastes, pd.DataFrame]:
        if market not in self.tastes:
            raise ValueError(
                f"market={market!r}: there is no such market; the first are "
                f"{self.table.markets[:5]}, of {len(self.tastes)}"
            )
        rows = self.table.frame
        return self.tastes[market], rows[rows["market"] == market].reset_index(drop=True)

    def shares_at(
        self, prices: Mapping[str, float] | pd.Series | None = None, *, market: str,
        factor: Mapping[str, float] | None = None,
    ) -> pd.DataFrame:  # fmt: skip
        """Give the shares in a market at other prices, all else as it was.

        Parameters
        ----------
        prices : mapping or Series, optional
            New price by product; products left out keep theirs.
        market : str
            Name of the market.
        factor : mapping, optional
            What prices are multiplied by, by product (0.5 halves them).

        Returns
        -------
        DataFrame
            product, price, new_price, share, new_share, change (new share over the old one, less
            1); last a row "outside" without prices; `attrs["simulated"]` says whether data are.

        Raises
        ------
        ValueError
            When a product is not in the market, or a price is not above 0.
        """
        tastes, rows = self._market(market)
        old = pd.Series(rows["price"].to_numpy(float), index=rows["product"])
        new = _changed(old, dict(prices if prices is not None else {}), dict(factor or {}), market)
        before, after = (tastes.shares(one.to_numpy()) for one in (old, new))
        told = pd.DataFrame(
            {
                "product": [*old.index, OUTSIDE],
                "price": [*old, np.nan],
                "new_price": [*new, np.nan],
                "share": [*before, 1 - before.sum()],
                "new_share": [*after, 1 - after.sum()],
            }
        )
        told = told.assign(change=told["new_share"] / told["share"] - 1)
        told.attrs["simulated"] = self.table.simulated
        return told

    def equilibrium_prices(
        self, market: str, costs: Mapping[str, float] | pd.Series, ownership: Ownership = "firm"
    ) -> pd.Series:
        """Prices of a market at which no owner gains by changing its own.

        Parameters
        ----------
        market : str
            Name of the market.
        costs : mapping or Series
            Marginal cost by product.
        ownership : str or mapping
            See `markups`.

        Returns
        -------
        Series
            Price by product.

        Raises
        ------
        ValueError
            When a cost is missing, or no equilibrium is found.
        """
        tastes, rows = self._market(market)
        given = rows["product"].map(dict(costs)).astype(float)
        if given.isna().any():
            missing = rows.loc[given.isna(), "product"].tolist()[:5]
            raise ValueError(f"costs: no cost is given for products {missing} of market {market}")
        owner = self.owners(ownership)[(self.table.frame["market"] == market).to_numpy()]
        same = (owner[:, None] == owner).astype(float)
        cost, start = (np.asarray(one, dtype=float) for one in (given, rows["price"]))
        price, _ = priced(tastes, cost, same, start)
        return pd.Series(price, index=pd.Index(rows["product"], name="product"), name="price")

    @property
    def sentence(self) -> str:
        """What the demand is like, in words."""
        data = "Simulated: " if self.table.simulated else ""
        few = self.inelastic
        return (
            f"{data}mean own-price elasticity {self.own_price_elasticity} ({self.model}, "
            f"{self.method}); {few:,} of {len(self.table):,} rows have inelastic demand"
        )

    def _repr_html_(self) -> str:
        first = [] if self.first_stage is None else [f"{self.first_stage.sentence}."]
        said = [f"{self.sentence}.", f"{self.identification}.", *first, *self.notes]
        return report_html("Demand of a market", said, {"Coefficients": self.coefficients})


def coefficient_rows(
    names: list[tuple[str, str]], values: Any, errors: Any, critical: float
) -> pd.DataFrame:
    """Put coefficients into rows, with intervals of so many errors to each side."""
    estimate, error = np.asarray(values, dtype=float), np.asarray(errors, dtype=float)
    reach = critical * error
    told = pd.DataFrame(names, columns=["term", "kind"])
    return told.assign(
        estimate=estimate, standard_error=error, lower=estimate - reach, upper=estimate + reach
    )


def _changed(
    old: pd.Series, prices: dict[str, float], factor: dict[str, float], market: str
) -> pd.Series:
    unknown = sorted(set(prices) | set(factor) - set(old.index), key=str)
    unknown = [name for name in unknown if name not in old.index]
    if unknown:
        raise ValueError(f"market {market!r} has no product {unknown}; it has {list(old.index)}")
    new = old.copy()
    for name, times in factor.items():
        new[name] *= times
    for name, value in prices.items():
        new[name] = value
    if not (np.isfinite(new) & (new > 0)).all():
        raise ValueError(f"prices must be above 0, got {new[~(new > 0)].to_dict()}")
    return new
