"""Offering an account its next needs, and what that would bring.

What it takes up without an offer it takes up anyway: the action is worth the take-ups that come on
top.  Chances come from what customers with the same categories took up in the last year
(:mod:`keycustomer.dimensions.behaviour.association`), what a category earns from what it brings its
buyers beside all else they buy, both after the share of revenue that serving takes; how much more
often an offered need is taken up is stated.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from keycustomer.customers.base import CustomerBase
from keycustomer.customers.rendering import percent
from keycustomer.dimensions.behaviour.adoption import Adoption, read_adoption
from keycustomer.dimensions.behaviour.association import learn_take_up
from keycustomer.stats.samples import FloatArray
from keycustomer.strategy.actions.accounts_now import AccountsNow
from keycustomer.strategy.actions.levers import Doing, Lever, Rows
from keycustomer.strategy.actions.shifts import Shift
from keycustomer.strategy.actions.source import Source
from keycustomer.strategy.actions.vocabulary import ACTIONS, ActionAssumptions

if TYPE_CHECKING:
    from keycustomer.simulate import Company

YEAR_DAYS = 365

YEAR = 12

FEWEST = 10
"""Take-ups of a category in the time learnt from, below which it is not offered."""


@dataclass(frozen=True, eq=False)
class Needs:
    """What accounts may take up, and what it brings.

    Attributes
    ----------
    categories : Index
        What can be taken up.
    chances : DataFrame
        Chance to take a category up within a month (columns) by customer_id; 0 where it has it.
    taken : ndarray, shape (categories,)
        Take-ups that the chances were learnt from.
    relative : ndarray, shape (categories,)
        Margin of the category, less serving, beside all else its buyers buy.
    serving : float
        Cost to serve, share of revenue.
    """

    categories: pd.Index
    chances: pd.DataFrame = field(repr=False)
    taken: FloatArray
    relative: FloatArray
    serving: float = 0.0


def read_needs(source: Source, generator: np.random.Generator, serving: float = 0.0) -> Needs:
    """Learn what accounts may take up next, and what it earns after a share of revenue to serve.

    Raises
    ------
    ValueError
        When categories or their margins are not known, or nothing was taken up often enough.
    """
    adoption, margins = (
        _of_base(source, serving)
        if isinstance(source, CustomerBase)
        else _of_company(source, serving)
    )
    horizon = min(YEAR_DAYS, adoption.days // 3)
    model = learn_take_up(adoption, adoption.days, horizon, FEWEST, generator)
    chance = np.nan_to_num(model.chances(adoption.owned(adoption.days)))
    names = adoption.categories[model.candidates]
    monthly = 1 - (1 - chance) ** (YEAR_DAYS / 12 / horizon)
    taken = np.asarray(
        adoption.taken_up(adoption.days - horizon, horizon).sum(axis=0)
    ).ravel()[model.candidates]  # fmt: skip
    table = pd.DataFrame(monthly, adoption.customers, names)
    return Needs(names, table, taken.astype(float), _relative(margins, names), serving)


def _relative(margins: pd.DataFrame, names: pd.Index) -> FloatArray:
    """Margin of each category over that of all else, of those who buy both."""
    total = margins.sum(axis=1)
    found = []
    for name in names:
        own = margins[name] if name in margins else pd.Series(0.0, margins.index)
        buyers = own > 0
        rest = float((total - own)[buyers].sum())
        found.append(float(own[buyers].sum()) / rest if rest > 0 else 0.0)
    return np.maximum(np.array(found), 0.0)


def _of_base(base: CustomerBase, serving: float) -> tuple[Adoption, pd.DataFrame]:
    """First purchases, and margins less serving of the last year by customer and category."""
    adoption = read_adoption(base, "category")
    cost = "l.cost" if base.has("transactions", "cost") else "null"
    rows = base.query(
        f"select l.customer_id, p.category, sum(l.revenue)::double as revenue, "  # noqa: S608
        f"sum({cost})::double as cost from transactions l join products p using (product_id) "
        "where l.date between $start and $end and l.date > $end - 365 and p.category is not null "
        "group by all order by all",
        start=base.start,
        end=base.end,
    )
    margin = rows["revenue"] - rows["cost"]
    if margin.isna().all():
        if base.margin is None:
            raise ValueError("the cost of what is sold is not known, nor a margin assumed")
        margin = base.margin * rows["revenue"]
    return adoption, _wide(rows.assign(margin=margin - serving * rows["revenue"]))


def _of_company(company: Company, serving: float) -> tuple[Adoption, pd.DataFrame]:
    """Read the same from a simulated company's order lines."""
    from keycustomer.simulate.columns import customer_ids
    from keycustomer.simulate.vocabulary import CATEGORIES

    panel, products = company.panel, company.products
    kinds = np.eye(len(CATEGORIES))[products.category]
    starts = company.settings.calendar().astype("datetime64[D]")
    ids = pd.Index(customer_ids(company.accounts.number), name="customer_id")
    first = np.full((len(ids), len(CATEGORIES)), -1)
    margin = np.zeros(first.shape)
    for month in reversed(range(panel.months)):
        sold = panel.quantities(month, company.accounts, products)
        first[sold @ kinds > 0] = month
        if month >= panel.months - YEAR:
            price = panel.list_prices(month, products) * (1 - panel.discount[month][:, None])
            cost = panel.unit_costs(month, products)[company.accounts.region]
            margin += np.nan_to_num(sold * (price * (1 - serving) - cost)) @ kinds
    row, column = np.nonzero(first >= 0)
    day = (starts[first[row, column]] - starts[0]).astype(np.int64)
    names = pd.Index(CATEGORIES, name="category")
    end = (starts[-1].astype("datetime64[M]") + 1).astype("datetime64[D]")
    days = int((end - starts[0]).astype(np.int64))
    return Adoption(ids, names, row, column, day, days), pd.DataFrame(margin, ids, names)


def _wide(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.pivot_table(
        index="customer_id", columns="category", values="margin", aggfunc="sum", fill_value=0.0
    )


def need_lever(
    now: AccountsNow,
    needs: Needs,
    stated: ActionAssumptions,
    horizon: int,
    draws: int,
    generator: np.random.Generator,
) -> Lever:
    """Weigh that next needs are offered, from a dossier that is kept for it.

    Parameters
    ----------
    now : AccountsNow
        The accounts.
    needs : Needs
        What they may take up.
    stated : ActionAssumptions
        What is stated of offers.
    horizon : int
        Months ahead.
    draws, generator
        How often take-up is drawn (a gamma of the take-ups seen), and from where.
    """
    chance = needs.chances.reindex(now.frame.index).fillna(0.0).to_numpy(dtype=float)
    served = now.column("margin") - needs.serving * now.column("revenue")
    worth = np.maximum(np.nan_to_num(served), 0.0)[:, None] * needs.relative
    often = generator.gamma(needs.taken, 1 / needs.taken, (draws, len(needs.taken)))
    rate = -np.log1p(-np.minimum(chance, 1 - 1e-9))
    elapsed = np.arange(horizon)
    best = (chance * worth).argmax(axis=1)

    def shift(rows: Rows, k: int) -> Shift:
        extra = np.zeros((draws, len(rows), horizon))
        for place in range(len(needs.categories)):
            each = often[:, None, None, place] * rate[rows, None, place] * elapsed
            more = np.exp(-each) - np.exp(-(1 + stated.offer_effect) * each)
            extra += worth[rows, place][:, None] * more
        return Shift(extra=extra, cost=stated.dossier_cost)

    def told(row: int, k: int) -> str:
        category = needs.categories[best[row]]
        year = 1 - (1 - chance[row, best[row]]) ** 12
        return f"offer {category} first (chance {percent(year, 0)} a year)"

    return Lever(
        ACTIONS[5],
        ("offer next needs",),
        np.asarray((chance * worth > 0).any(axis=1))[:, None],
        [f"{int((row == 0).sum())} of {len(row)} categories taken up" for row in chance],
        told,
        shift,
        lambda row, k: Doing(dossier=True),
        f"An offer from a well-kept dossier raises take-up by {percent(stated.offer_effect, 0)} "
        "(stated, not estimated), and a category brings this account what it brings others beside "
        "all else they buy.",
    )
