"""Demand of a market from its market table: the one call for all models.

:func:`fit_market_demand` reads the table and fits a plain logit, a nested logit (`nests`) or random
coefficients (`random`); with `instruments` prices may answer to what is not seen of demand.

Sources: Berry (1994), RAND Journal of Economics 25, 242-262; Berry, Levinsohn & Pakes (1995),
Econometrica 63, 841-890; Nevo (2001), Econometrica 69, 307-342.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from keycustomer.pricing.market.demand import MarketDemand
from keycustomer.pricing.market.design import Errors, demand_design
from keycustomer.pricing.market.plain_logit import fit_plain_logit
from keycustomer.pricing.market.random_coefficients import (
    MarketSupply,
    fit_random_coefficients,
    random_terms,
    read_buyers,
)
from keycustomer.pricing.market.tables import MarketTable, read_market
from keycustomer.stats.samples import share_of

if TYPE_CHECKING:
    from keycustomer.customers import CustomerBase

GRADIENT = 1e-5
"""The search for random coefficients ends when no slope of the objective is larger."""


def fit_market_demand(
    market: CustomerBase | pd.DataFrame | MarketTable,
    *,
    price: str = "price",
    characteristics: Sequence[str] = (),
    instruments: Sequence[str] = (),
    effects: Sequence[str] = (),
    random: Mapping[str, Sequence[str]] | Sequence[str] | None = None,
    demographics: pd.DataFrame | None = None,
    nests: str | None = None,
    supply: MarketSupply | None = None,
    linear_price: bool = True,
    steps: int = 1,
    cluster: str | None = None,
    errors: Errors = "robust",
    start: Mapping[tuple[str, str], float] | None = None,
    search: bool = True,
    tolerance: float = GRADIENT,
    draws: int = 100,
    seed: int | np.random.Generator = 0,
    level: float = 0.95,
) -> MarketDemand:
    """Fit the demand of a market.

    Parameters
    ----------
    market : CustomerBase, DataFrame or MarketTable
        Products by market (see `read_market`).
    price : str
        Column of the price.
    characteristics : sequence of str
        Columns of numbers that buyers may like.
    instruments : sequence of str
        Columns that move the price and not what buyers want; none makes the price exogenous.
    effects : sequence of str
        Columns of groups with a constant each, such as product and market; they replace the
        constant.
    random : mapping or sequence of str, optional
        Characteristics ("constant" and "price" among them) whose coefficients differ by buyer: by
        "spread" and by demographics, such as {"price": ["spread", "income"]}; of a sequence all
        have a spread.
    demographics : DataFrame, optional
        Kinds of buyers: market, weight (equal where missing), demographics and, where draws are
        given, nodes0, nodes1 ... in the order of the terms with a spread, the constant first.
    nests : str, optional
        Column of nests, for a nested logit.
    supply : MarketSupply, optional
        Costs of firms that set prices, learnt together with random coefficients.
    linear_price : bool
        Whether the price has a mean coefficient; without one, random coefficients of the price
        (by income) carry it.
    steps : {1, 2}
        One step (2SLS), or two with efficient weights.
    cluster : str, optional
        Column whose groups share shocks; intervals then rest on t with groups - 1 degrees of
        freedom.
    errors : {"robust", "plain"}
        Without clusters; plain ones take all rows for equally spread (logit only).
    start : mapping, optional
        Starting values by (characteristic, kind), such as {("price", "spread"): 2.5}.
    search : bool
        False takes `start` as given (published values) and estimates the rest; a search takes
        half a minute on two thousand rows.
    tolerance : float
        Largest slope of the objective at the end of the search.
    draws : int
        Buyers a market drawn where no demographics are given.
    seed : int or Generator
        Of these draws.
    level : float
        Confidence level of the intervals.

    Returns
    -------
    MarketDemand

    Raises
    ------
    ValueError
        When the table is not fit for the model (see `read_market`), a column is missing or tells
        nothing beyond the others and the effects, or the arguments do not go together.
    """
    table = market if isinstance(market, MarketTable) else read_market(market, price=price)
    _check(table, price, market, steps, errors, level)
    design = demand_design(
        table,
        characteristics=characteristics,
        instruments=instruments,
        effects=effects,
        cluster=cluster,
    )
    if random is None:
        _only_with_random(demographics, supply, linear_price, start, search)
        return fit_plain_logit(design, nests=nests, steps=steps, errors=errors, level=level)
    if nests is not None or errors != "robust":
        raise ValueError("random coefficients go with robust or clustered errors, without nests")
    terms = random_terms(design, random)
    if not linear_price and "price" not in terms.names:
        raise ValueError("linear_price=False needs a random coefficient of the price")
    if not instruments:
        raise ValueError(
            "random coefficients need instruments, for the price and for every spread: see "
            "differentiation_instruments and rival_instruments"
        )
    buyers = read_buyers(design, terms, demographics, draws, seed)
    return fit_random_coefficients(
        design, terms, buyers, steps=steps, linear_price=linear_price, supply=supply, start=start,
        search=search, tolerance=tolerance, level=level,
    )  # fmt: skip


def _check(
    table: MarketTable, price: str, market: object, steps: int, errors: str, level: float
) -> None:
    if isinstance(market, MarketTable) and price != "price":
        raise ValueError(
            f"price={price!r}: a MarketTable's price is 'price'; name it in read_market"
        )
    if table.frame["price"].nunique() < 2:
        only = table.frame["price"].iloc[0]
        raise ValueError(f"there is only one price ({only}): demand cannot be learnt from it")
    if steps not in (1, 2):
        raise ValueError(f"steps={steps!r}: allowed are 1 (2SLS) and 2 (GMM in two steps)")
    if errors not in ("robust", "plain"):
        raise ValueError(f"errors={errors!r}: allowed are 'robust' and 'plain'")
    if not 0 < share_of(level, "level") < 1:
        raise ValueError(f"level={level}: it must lie between 0 and 1")


def _only_with_random(
    demographics: object, supply: object, linear_price: bool, start: object, search: bool
) -> None:
    given = {
        "demographics": demographics is not None,
        "supply": supply is not None,
        "linear_price": not linear_price,
        "start": start is not None,
        "search": not search,
    }
    named = [name for name, told in given.items() if told]
    if named:
        raise ValueError(f"{', '.join(named)}: only with random coefficients; give random")
