"""How own prices and those of competitors moved between two parts of the window.

Question: who went down, and how far?  :func:`own_prices` gives Fisher's index of list prices,
prices paid and unit costs over what customers bought in both parts, :func:`rival_prices` the
competitors' prices of the market table, weighed by what the firm sells of each product.

Source: Diewert (1976), Journal of Econometrics 4, for Fisher's index.
"""

from __future__ import annotations

import math

import pandas as pd

from keycustomer.customers.base import CustomerBase
from keycustomer.strategy.troubles.cells import Parts

LIST, PAID, COST, RIVALS = (
    "own list prices",
    "own prices paid",
    "unit costs",
    "competitors' prices",
)


def own_prices(told: pd.DataFrame, discounts: bool) -> pd.DataFrame:
    """Tell the relative change of own prices and costs.

    Parameters
    ----------
    told : DataFrame
        From :func:`keycustomer.strategy.troubles.cells.with_prices`.
    discounts : bool
        Whether list prices are known apart from prices paid.

    Returns
    -------
    DataFrame
        whose, change (relative), products.
    """
    own = told[told["matched"]]
    paid = {side: own[f"list_{side}"] * own[f"kept_{side}"] for side in "01"}
    pairs = {
        LIST: (own["list_0"], own["list_1"]),
        PAID: (paid["0"], paid["1"]),
        COST: (own["unit_cost_0"], own["unit_cost_1"]),
    }
    if not discounts:
        del pairs[LIST]
    quantities = own["quantity_0"], own["quantity_1"]
    products = int(own["product_id"].nunique())
    rows = [
        {"whose": name, "change": _fisher(*pair, *quantities) - 1, "products": products}
        for name, pair in pairs.items()
    ]
    return pd.DataFrame(rows)


def _fisher(before: pd.Series, after: pd.Series, first: pd.Series, last: pd.Series) -> float:
    """Geometric mean of the indices with the first and with the last quantities."""
    was, now = (one.to_numpy(dtype=float) for one in (before, after))
    indices = []
    for quantity in (first.to_numpy(dtype=float), last.to_numpy(dtype=float)):
        worth = float(was @ quantity)
        indices.append(float(now @ quantity) / worth if worth > 0 else math.nan)
    return math.sqrt(indices[0] * indices[1])


def rival_prices(base: CustomerBase, parts: Parts) -> pd.DataFrame:
    """Tell the relative change of competitors' prices, where the market table knows them.

    Returns
    -------
    DataFrame
        whose, change, products; no row where the base does not tell.
    """
    empty = pd.DataFrame({"whose": [], "change": [], "products": []})
    if not all(base.has("market", c) for c in ("competitor_price", "month", "quantity")):
        return empty
    found = base.query(
        # attributes of the market are texts in the base
        "with rows as (select product, try_cast(month as date) as day, quantity::double as sold, "
        "try_cast(competitor_price as double) as rival from market) "
        "select product, day >= $c as late, sum(rival * sold) / sum(sold) as price, "
        "sum(sold) as quantity from rows where sold > 0 and rival > 0 "
        "and (day between $a and $b or day between $c and $d) group by all",
        a=parts.first[0], b=parts.first[1], c=parts.last[0], d=parts.last[1],
    )  # fmt: skip
    wide = found.pivot(index="product", columns="late", values=["price", "quantity"]).dropna()
    if wide.empty or wide["price"].shape[1] < 2:
        return empty
    change = _fisher(
        wide["price", False], wide["price", True], wide["quantity", False], wide["quantity", True]
    )
    return pd.DataFrame([{"whose": RIVALS, "change": change - 1, "products": len(wide)}])
