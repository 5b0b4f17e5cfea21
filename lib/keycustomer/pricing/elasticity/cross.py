"""Own and cross elasticities of several products: what one product's price does to another's sales.

Question: which products take customers from each other when prices change?
:func:`cross_elasticities` regresses each product's sales on the prices of all; a
`CrossElasticities` shows them as a matrix.

Source: Deaton & Muellbauer, "Economics and Consumer Behavior" (1980), chapter 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import counted, made_up_note, report_html
from keycustomer.pricing.elasticity.elasticities import Names, price_elasticity
from keycustomer.pricing.panels.panel import PricePanel
from keycustomer.stats.bootstrap import checked_level

MOST_PRODUCTS = 12
"""Products beyond which so many prices can hardly be told apart."""


TOGETHER = 0.9
"""Correlation of two log prices above which that is told."""


@dataclass(frozen=True, eq=False)
class CrossElasticities:
    """Elasticities of every product's sales by every product's price.

    Attributes
    ----------
    frame : DataFrame
        One row a pair: ``product`` (whose sales), ``price_of`` (whose price), ``elasticity``,
        ``standard_error``, ``lower``, ``upper``, ``rows``, ``clusters``, ``relation`` ("own",
        "substitutes", "complements" or "undecided").
    excluded : DataFrame
        reason, rows: unit and period with a price missing.
    level : float
        Level of the intervals.
    simulated : bool
        Whether the data are made up.
    notes : tuple of str
        What a reader should know, prices that move together above all.
    """

    frame: pd.DataFrame = field(repr=False)
    excluded: pd.DataFrame = field(repr=False)
    level: float
    simulated: bool
    notes: tuple[str, ...] = ()

    @property
    def matrix(self) -> pd.DataFrame:
        """Elasticities: rows are whose sales, columns whose price."""
        names = list(dict.fromkeys(self.frame["product"]))
        table = self.frame.pivot(index="product", columns="price_of", values="elasticity")
        return table.loc[names, names]

    @property
    def sentence(self) -> str:
        """The matrix in words."""
        other = self.frame[self.frame["relation"] != "own"]
        counts = other["relation"].value_counts()
        told = ", ".join(f"{int(n)} {name}" for name, n in counts.items())
        own = self.frame.loc[self.frame["relation"] == "own", "elasticity"]
        return (
            f"Own-price elasticities of {counted(len(own), 'product')} from {own.min():.2f} to "
            f"{own.max():.2f}; of {counted(len(other), 'pair')}: {told}."
        )

    def to_frame(self) -> pd.DataFrame:
        """One row a pair of products."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        table = self.matrix.rename_axis("sales of").reset_index()
        return report_html(
            "Own and cross elasticities (columns: whose price)",
            [*made_up_note(self.simulated), self.sentence, *self.notes],
            {"Elasticities": table, "Left out": self.excluded},
        )


def cross_elasticities(
    panel: PricePanel,
    products: Sequence[str] | None = None,
    *,
    method: str = "fixed effects",
    effects: Names = ("unit",),
    cluster: str = "period",
    controls: Names = (),
    level: float = 0.95,
) -> CrossElasticities:
    """Estimate the elasticities of every product by the prices of all.

    Parameters
    ----------
    panel : PricePanel
        Products by unit and period.
    products : sequence of str, optional
        Products to take, at most 12; left out, the four of largest revenue.
    method : {"fixed effects", "poisson"}
        Logs, or sales with zeros kept.
    effects : str or sequence of str
        Columns whose levels are absorbed; a period must not be among them where all units face
        the same prices.
    cluster : str
        Column within which errors go together.
    controls : str or sequence of str
        Columns held fixed, of the product whose sales are explained.
    level : float
        Level of the intervals.

    Returns
    -------
    CrossElasticities

    Raises
    ------
    TypeError, ValueError
        When the panel is none, products do not exist or are fewer than two or too many, no unit and
        period has all prices, or an elasticity cannot be estimated.
    """
    checked_level(level)
    if method not in ("fixed effects", "poisson"):
        raise ValueError(f"method={method!r}: 'fixed effects' or 'poisson' is needed")
    if not isinstance(panel, PricePanel):
        raise TypeError(f"panel={type(panel).__name__}: a PricePanel is needed, see market_panel")
    chosen = _chosen(panel, products)
    prices = panel.frame[panel.frame["product"].isin(chosen)].pivot(
        index=["unit", "period"], columns="product", values="price"
    )
    whole = prices.dropna()
    if whole.empty:
        raise ValueError(f"no unit and period has a price of each of {chosen}; take fewer products")
    names = {product: f"price of {product}" for product in chosen}
    whole = whole.rename(columns=names)
    found = []
    for product in chosen:
        sold = panel.frame[panel.frame["product"] == product]
        rows = sold.drop(columns="price").merge(whole.reset_index(), on=["unit", "period"])
        one = price_elasticity(
            rows,
            method=method,
            price=names[product],
            cross=[name for other, name in names.items() if other != product],
            effects=effects,
            controls=controls,
            cluster=cluster,
            level=level,
        )
        found.append(_pairs(one.frame, product, names))
    missing = int(len(prices) - len(whole))
    return CrossElasticities(
        frame=pd.concat(found, ignore_index=True),
        excluded=pd.DataFrame(
            {"reason": ["unit and period without a price of each product"], "rows": [missing]}
        )[: int(missing > 0)],
        level=level,
        simulated=panel.simulated,
        notes=tuple(_together(whole[list(names.values())])),
    )


def _chosen(panel: PricePanel, products: Sequence[str] | None) -> list[str]:
    known = panel.frame.groupby("product")["revenue"].sum().sort_values(ascending=False)
    if isinstance(products, str):
        raise TypeError(f"products={products!r}: give a list of products")
    chosen = [str(p) for p in known.index[:4]] if products is None else list(products)
    absent = [product for product in chosen if product not in known.index]
    if absent:
        raise ValueError(f"products: the panel has no {absent}; there are {list(known.index[:12])}")
    if len(set(chosen)) != len(chosen) or not 2 <= len(chosen) <= MOST_PRODUCTS:
        raise ValueError(
            f"products={chosen}: from 2 to {MOST_PRODUCTS} different products are needed"
        )
    return chosen


def _together(prices: pd.DataFrame) -> list[str]:
    """Name the pairs of prices that move so much together that they can hardly be told apart."""
    correlation = np.corrcoef(np.log(prices.to_numpy(float)), rowvar=False)
    pairs = [
        f"{prices.columns[one]} and {prices.columns[other]} ({correlation[one, other]:.2f})"
        for one, other in np.argwhere(np.triu(abs(correlation) > TOGETHER, 1))
    ]
    if not pairs:
        return []
    return [
        f"prices move together (correlation of logs): {'; '.join(pairs)}: their effects can hardly "
        "be told apart, so that signs may be chance; take one product of each such pair, or their "
        "category"
    ]


def _pairs(frame: pd.DataFrame, product: str, names: dict[str, str]) -> pd.DataFrame:
    of = {name: other for other, name in names.items()} | {"own": product}
    pairs = frame.assign(product=product, price_of=frame["term"].map(of))
    ends = zip(frame["term"], frame["lower"], frame["upper"], strict=True)
    pairs["relation"] = [_relation(*one) for one in ends]
    columns = ["product", "price_of", "elasticity", "standard_error", "lower", "upper"]
    return pairs[[*columns, "rows", "clusters", "relation"]]


def _relation(term: str, lower: float, upper: float) -> str:
    if term == "own":
        return "own"
    if lower > 0:
        return "substitutes"
    return "complements" if upper < 0 else "undecided"
