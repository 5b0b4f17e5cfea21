"""The key-account file: what is known of all customers, so that one of them can be judged.

A customer's figures mean something beside those of the others.  :func:`open_dossiers` reads a
customer base once (value now and before, lifetime value, survey, next needs), and the
:class:`DossierBook` it gives makes the page of any customer.  What a base does not have is left
out, and every page says what and why.

Source: the course's T2, know the customer better than it knows itself: a complete key-account file.
"""

from __future__ import annotations

import datetime as dt
import html
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import pandas as pd

from keycustomer.customers.base import CustomerBase
from keycustomer.customers.table import customer_categories, customer_table
from keycustomer.dimensions.dossier.page import Dossier, make_dossier
from keycustomer.dimensions.dossier.ratings import rated_constructs
from keycustomer.stats import share_of

if TYPE_CHECKING:
    from keycustomer.dimensions.behaviour.needs import NextNeeds
    from keycustomer.dimensions.measurement.survey import Survey
    from keycustomer.dimensions.segments.segmentation import Segmentation
    from keycustomer.lifetime import CustomerValues, PotentialMap

Part = TypeVar("Part")

YEAR = 365
"""Days of the window called now."""

HORIZON_YEARS = 3
"""Years ahead for which potential value is counted."""


@dataclass(frozen=True, eq=False)
class DossierBook:
    """A customer base read for dossiers.

    Attributes
    ----------
    base : CustomerBase
        The base.
    value : str
        What makes a customer large: `revenue`, `margin` or `profit`.
    customers : DataFrame
        The customer table of all days observed, by customer id.
    now, before : DataFrame
        The same for the last year, and for the year before it (empty where the base is shorter).
    values : CustomerValues or None
        Lifetime values.
    survey : Survey or None
    needs : NextNeeds or None
    segmentation : Segmentation or None
    missing : dict of str to str
        Why values, survey or needs are not there.
    top : float
        Share of the customers called key accounts.
    """

    base: CustomerBase = field(repr=False)
    value: str
    customers: pd.DataFrame = field(repr=False)
    now: pd.DataFrame = field(repr=False)
    before: pd.DataFrame = field(repr=False)
    values: CustomerValues | None = field(repr=False)
    survey: Survey | None = field(repr=False)
    needs: NextNeeds | None = field(repr=False)
    segmentation: Segmentation | None = field(repr=False)
    missing: dict[str, str]
    top: float

    @property
    def window(self) -> tuple[dt.date, dt.date]:
        """First and last day of now."""
        return _last_year(self.base)

    @cached_property
    def ranked(self) -> pd.Series:
        """Value now of those who bought, the largest first, by customer id."""
        bought = self.now[self.now["orders"] > 0][self.value]
        return bought.sort_values(ascending=False, kind="stable")

    def named(self, measure: str) -> str:
        """Name revenue, margin or profit, saying what rests on an assumed margin."""
        assumed = self.base.margin is not None and measure != "revenue"
        return f"assumed {measure}" if assumed else measure

    def place(self, customer_id: str) -> int:
        """Rank by value of the last year, 1 the largest; 0 when it bought nothing."""
        found = np.flatnonzero(self.ranked.index == customer_id)
        return int(found[0]) + 1 if found.size else 0

    @property
    def key_accounts(self) -> list[str]:
        """Ids of the most valuable customers now, the largest first."""
        count = int(np.ceil(self.top * len(self.ranked) - 1e-9))
        return [str(one) for one in self.ranked.index[:count]]

    @cached_property
    def rated(self) -> dict[str, list[str]]:
        """Items of the constructs that are answered by ratings; empty without a survey."""
        if self.survey is None:
            return {}
        return {kind: self.survey.constructs[kind] for kind in rated_constructs(self.survey)}

    @cached_property
    def ratings(self) -> pd.DataFrame:
        """Mean answer to every rated construct, one row a questionnaire; empty where none is."""
        if self.survey is None or not self.rated:
            return pd.DataFrame()
        return self.survey.scores(list(self.rated), every_wave=True)

    @cached_property
    def potential(self) -> PotentialMap | None:
        """Map of customers by what they brought and what they are expected to bring."""
        from keycustomer.lifetime import map_potential

        if self.values is None:
            return None
        table = self.customers.reset_index()
        return map_potential(table, self.values, current=self.value, top=self.top)

    @cached_property
    def categories(self) -> pd.DataFrame:
        """Categories bought by customer; empty where none are known."""
        base = self.base
        if not (base.has("transactions", "product_id") and base.has("products", "category")):
            return pd.DataFrame(columns=["customer_id", "category", "revenue"])
        return customer_categories(base)

    def dossier(self, customer_id: str, *, label: str | None = None) -> Dossier:
        """Make the page of a customer.

        Parameters
        ----------
        customer_id : str
            The customer.
        label : str, optional
            What the page calls it; left out, its name or id, or, where customers may not be named,
            its rank: ``customer 17`` has the seventeenth largest value of the last year.

        Returns
        -------
        Dossier

        Raises
        ------
        KeyError
            When there is no such customer.
        """
        if customer_id not in self.customers.index:
            first = ", ".join(map(repr, self.key_accounts[:3]))
            raise KeyError(
                f"no customer {customer_id!r} in {self.base.title!r}; ids are texts, the largest "
                f"customers are {first}"
            )
        return make_dossier(self, customer_id, label)

    def save(
        self,
        folder: str | Path,
        customers: Sequence[str] | None = None,
        *,
        labels: Mapping[str, str] | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> list[Path]:
        """Write a page for each of several customers, numbered in their order.

        Parameters
        ----------
        folder : str or Path
            Where to; made when it is not there.
        customers : sequence of str, optional
            The customers; left out, all key accounts.
        labels : mapping of str to str, optional
            What pages call customers, by id.
        progress : callable, optional
            Called as ``progress(done, all)`` after every page.

        Returns
        -------
        list of Path
            ``dossier_001.html`` and so on: no id is put in a file's name.
        """
        chosen = self.key_accounts if customers is None else list(customers)
        Path(folder).mkdir(parents=True, exist_ok=True)
        paths = []
        for number, customer in enumerate(chosen, 1):
            page = self.dossier(customer, label=(labels or {}).get(customer))
            paths.append(page.save(Path(folder) / f"dossier_{number:03d}.html"))
            if progress is not None:
                progress(number, len(chosen))
        return paths

    def _repr_html_(self) -> str:
        said = [
            f"{len(self.key_accounts):,} key accounts: the {100 * self.top:.0f} % of buyers with "
            f"most {self.value} from {self.window[0]} to {self.window[1]}.",
            *(f"Not in the dossiers: {what}: {why}" for what, why in self.missing.items()),
        ]
        return "".join(f"<p>{html.escape(one)}</p>" for one in said)


def open_dossiers(
    base: CustomerBase,
    *,
    value: str | None = None,
    values: CustomerValues | None = None,
    survey: Survey | None = None,
    needs: NextNeeds | None = None,
    segmentation: Segmentation | None = None,
    top: float = 0.05,
) -> DossierBook:
    """Read a customer base for dossiers.

    Parameters
    ----------
    base : CustomerBase
        The prepared base, with transactions.
    value : {"revenue", "margin", "profit"}, optional
        What makes a customer large; left out, profit where it is known, else revenue.
    values : CustomerValues, optional
        Lifetime values from `keycustomer.lifetime.value_customers`; left out, a BG/NBD and a
        Gamma-Gamma model are fitted and count three years ahead, where they can be.
    survey : Survey, optional
        From `open_survey`; left out, the base's own.
    needs : NextNeeds, optional
        From `next_needs`; left out, learnt here where categories are known.
    segmentation : Segmentation, optional
        Segments to name.
    top : float
        Share of the customers called key accounts, 0..1.

    Returns
    -------
    DossierBook

    Raises
    ------
    ValueError
        When the base has no transactions, or does not know the value asked for.
    """
    table = customer_table(base).set_index("customer_id")
    measured = _value(table, value)
    missing: dict[str, str] = {}
    if values is None:
        values = _tried(lambda: _lifetime_values(table), "potential value", missing)
    if survey is None:
        survey = _tried(lambda: _survey(base), "survey", missing)
    if needs is None:
        needs = _tried(lambda: _next_needs(base), "next needs", missing)
    start, end = _last_year(base)
    now = _between(base, start, end, table.index)
    return DossierBook(
        base, measured, table, now, _year_before(base, table.index), values, survey, needs,
        segmentation, missing, share_of(top, "top"),
    )  # fmt: skip


def _last_year(base: CustomerBase) -> tuple[dt.date, dt.date]:
    return max(base.start, base.end - dt.timedelta(days=YEAR - 1)), base.end


def _between(base: CustomerBase, start: dt.date, end: dt.date, customers: pd.Index) -> pd.DataFrame:
    """Make the customer table of some days; a customer who bought nothing has zeros."""
    table = customer_table(base, start=start, end=end).set_index("customer_id")
    sums = ["orders", "units", "revenue", "discount", "margin", "cost_to_serve", "profit"]
    known = [name for name in sums if table[name].notna().any()]
    table = table.reindex(customers)
    absent = table["orders"].isna()
    return table.assign(**{name: table[name].mask(absent, 0.0) for name in known})


def _year_before(base: CustomerBase, customers: pd.Index) -> pd.DataFrame:
    start, _ = _last_year(base)
    first, last = start - dt.timedelta(days=YEAR), start - dt.timedelta(days=1)
    if first < base.start:
        return pd.DataFrame()
    return _between(base, first, last, customers)


def _value(table: pd.DataFrame, value: str | None) -> str:
    if value is None:
        return "profit" if table["profit"].notna().all() else "revenue"
    if value not in ("revenue", "margin", "profit"):
        raise ValueError(f"value={value!r}: 'revenue', 'margin' or 'profit' is needed")
    if table[value].isna().any():
        raise ValueError(f"value={value!r}: the base does not know the {value} of every customer")
    return value


def _tried(make: Callable[[], Part], what: str, missing: dict[str, str]) -> Part | None:
    """Make a part, or note why it cannot be made."""
    try:
        return make()
    except ValueError as error:
        missing[what] = str(error)
        return None


def _lifetime_values(table: pd.DataFrame) -> CustomerValues:
    from keycustomer.lifetime import fit_gammagamma, fit_model, value_customers

    customers = table.reset_index()
    revenue, kept = customers["revenue"].sum(), customers["margin"].sum(min_count=len(customers))
    share = float(np.clip(kept / revenue, 0.0, 1.0)) if revenue > 0 and kept > 0 else 1.0
    return value_customers(
        fit_model("BG/NBD", customers),
        fit_gammagamma(customers),
        customers,
        margin=share,
        horizon=52.18 * HORIZON_YEARS,
    )


def _survey(base: CustomerBase) -> Survey:
    from keycustomer.dimensions.measurement.survey import open_survey

    return open_survey(base)


def _next_needs(base: CustomerBase) -> NextNeeds:
    from keycustomer.dimensions.behaviour.needs import next_needs

    try:
        return next_needs(base)
    except ValueError:
        # Where categories are few and taken up seldom, a longer look back finds enough of it.
        return next_needs(base, horizon=min(YEAR, base.days // 3), at_least=10)
