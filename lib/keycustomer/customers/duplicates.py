"""Probable duplicate customers: records that may be one customer written down twice.

Question: how many customers are there really, and whose value is split over several records?
:func:`probable_duplicates` proposes pairs with their probability and the clusters they form.
Nothing is merged: a proposal is for somebody who knows the customers.

Sources: the course's R1 (verify, delete what is out of date); the model is in
`keycustomer.customers.linkage`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import duckdb
import numpy as np
import pandas as pd

from keycustomer.customers.base import CustomerBase, configure, in_memory
from keycustomer.customers.linkage import FIELDS, Level, prepare, priors, settings
from keycustomer.customers.rendering import amount, counted, percent, report_html, share_of
from keycustomer.customers.statements import identifier, statement

IDENTIFYING = ("name", "email", "phone", "address")
"""Fields of which at least one is needed to look for duplicates."""

_ENDS = ("customer_id_l", "customer_id_r")
_PAIR_COLUMNS = (*_ENDS, "probability", "name", "contact", "same", "revenue")


@dataclass(frozen=True)
class DuplicateReport:
    """Records that may be one customer, proposed for a decision.

    Attributes
    ----------
    threshold : float
        Probability from which a pair is proposed.
    currency : str
        Currency of amounts.
    identifiable : bool
        Whether the report may show customers' own ids.
    compared_by : tuple of str
        Fields on file that were compared; empty when there are none to compare.
    missing : tuple of str
        Fields that would have helped and are not on file.
    records : int
        Customers on file.
    pairs : DataFrame
        customer_id_l, customer_id_r, probability, name and contact (how they agree), same (fields
        that are the same), revenue (of both, currency); the most probable first.
    clusters : DataFrame
        cluster (1, 2, ...), customer_id, revenue (currency); the most valuable cluster first.
    value : float
        Revenue of the customers involved, currency.
    value_share : float
        Its share of the revenue of all customers on file, 0..1.
    ignored : DataFrame
        Values that too many customers share to identify anybody: field, customers.
    parameters : DataFrame
        The model: comparison, agreement, m, u.
    """

    threshold: float
    currency: str
    identifiable: bool
    compared_by: tuple[str, ...]
    missing: tuple[str, ...]
    records: int
    pairs: pd.DataFrame = field(repr=False)
    clusters: pd.DataFrame = field(repr=False)
    value: float
    value_share: float
    ignored: pd.DataFrame = field(repr=False)
    parameters: pd.DataFrame = field(repr=False)

    @property
    def customers(self) -> int:
        """Customers who stand in a proposed pair."""
        return len(self.clusters)

    @property
    def surplus(self) -> int:
        """Records too many, if all proposals were right."""
        return len(self.clusters) - int(self.clusters["cluster"].nunique())

    @property
    def sentence(self) -> str:
        """The finding in words, computed."""
        if not self.compared_by:
            return (
                f"Duplicates cannot be looked for: no customer has a {', '.join(IDENTIFYING[:-1])} "
                f"or {IDENTIFYING[-1]} on file."
            )
        rest = f" (not on file: {', '.join(self.missing)})" if self.missing else ""
        return (
            f"Compared by {', '.join(self.compared_by)}{rest}, {counted(len(self.pairs), 'pair')} "
            f"of {counted(self.records, 'record')} are one customer with a probability of at least "
            f"{self.threshold:g}: {counted(self.customers, 'record')}, {self.surplus:,} too many "
            f"if all proposals are right, with {amount(self.value, self.currency)} of revenue "
            f"({percent(self.value_share)} of that on file). Nothing was merged."
        )

    def to_frame(self) -> pd.DataFrame:
        """Return the proposed pairs."""
        return self.pairs.copy()

    def _repr_html_(self) -> str:
        shown = self.pairs if self.identifiable else self.pairs.drop(columns=[*_ENDS])
        tables = {
            "Pairs to look at": shown,
            "Values that too many customers share": self.ignored,
        }
        return report_html("Probable duplicates", [self.sentence], tables)


def probable_duplicates(base: CustomerBase, *, threshold: float = 0.9) -> DuplicateReport:
    """Look for customers who are probably on file more than once.

    Parameters
    ----------
    base : CustomerBase
        The prepared base.
    threshold : float
        Probability from which a pair is proposed, between 0 and 1.

    Returns
    -------
    DuplicateReport
        Without names, e-mail addresses, phones and addresses it says what is missing.

    Raises
    ------
    ValueError
        When the threshold is no probability.

    Notes
    -----
    Records are compared when they share an e-mail address, phone number, name or address, or the
    postal code or city and the beginning of the name, in groups of at most
    `linkage.LARGEST_BLOCK`; so the work grows with the number of customers, and a pair that shares
    none of these is not seen.
    """
    if not 0 < threshold < 1:
        raise ValueError(f"threshold is a probability between 0 and 1, got {threshold!r}")
    known = [field for field in FIELDS if base.has("customers") and base.has("customers", field)]
    if not set(known) & set(IDENTIFYING):
        return _nothing_to_compare(base, threshold)
    customers = base.query(_customers_sql(base, known))
    with in_memory() as connection:
        configure(connection)
        prepare(connection, customers)
        levels = priors(connection, len(customers))
        pairs = _pairs(connection, levels, len(customers), threshold)
        ignored = _ignored(connection)
    clusters = _clusters(pairs, customers)
    value = float(clusters["revenue"].sum())
    return DuplicateReport(
        threshold=threshold,
        currency=base.currency,
        identifiable=base.identifiable,
        compared_by=tuple(known),
        missing=tuple(field for field in FIELDS if field not in known),
        records=len(customers),
        pairs=pairs,
        clusters=clusters,
        value=value,
        value_share=share_of(value, float(customers["revenue"].sum())),
        ignored=ignored,
        parameters=_parameters(levels),
    )


def _nothing_to_compare(base: CustomerBase, threshold: float) -> DuplicateReport:
    on_file = base.query("select count(*) as n from customers") if base.has("customers") else None
    return DuplicateReport(
        threshold=threshold,
        currency=base.currency,
        identifiable=base.identifiable,
        compared_by=(),
        missing=FIELDS,
        records=0 if on_file is None else int(on_file["n"].iloc[0]),
        pairs=pd.DataFrame(columns=list(_PAIR_COLUMNS)),
        clusters=pd.DataFrame(columns=["cluster", "customer_id", "revenue"]),
        value=0.0,
        value_share=float("nan"),
        ignored=pd.DataFrame(columns=["field", "customers"]),
        parameters=_parameters(()),
    )


def _parameters(levels: tuple[Level, ...]) -> pd.DataFrame:
    rows = [(level.comparison, level.agreement, level.m, level.u) for level in levels]
    return pd.DataFrame(rows, columns=["comparison", "agreement", "m", "u"])


def _customers_sql(base: CustomerBase, known: list[str]) -> str:
    fields = [
        f"file.{identifier(field)}" if field in known else f"null::varchar as {identifier(field)}"
        for field in FIELDS
    ]
    nobody = "(select null::varchar as customer_id, 0 as revenue where false)"
    bought = "transactions" if base.has("transactions") else nobody
    return statement("duplicates_customers", fields=", ".join(fields), transactions=bought)


def _pairs(
    connection: duckdb.DuckDBPyConnection,
    levels: tuple[Level, ...],
    customers: int,
    threshold: float,
) -> pd.DataFrame:
    from splink import DuckDBAPI, Linker

    api = DuckDBAPI(connection)
    model = settings(levels, customers)
    linker = Linker(api.register("blocked"), model, log_level=None)
    found = linker.inference.predict(threshold_match_probability=threshold)
    sql = statement("duplicates_pairs", pairs=identifier(found.physical_name))
    pairs = connection.execute(sql).df()
    for comparison in ("name", "contact"):
        pairs[comparison] = _in_words(pairs.pop(f"{comparison}_level"), comparison, levels)
    return pairs[list(_PAIR_COLUMNS)]


def _in_words(numbers: pd.Series, comparison: str, levels: tuple[Level, ...]) -> pd.Series:
    """Agreement in words; the engine counts levels from the worst (0) up, -1 is unknown."""
    words = [level.agreement for level in levels if level.comparison == comparison]
    names = {-1: "not known"} | dict(enumerate(reversed(words)))
    return numbers.map(names).astype(str)


def _ignored(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    counts = connection.execute(
        "select count(*) filter (email_shared) as email, count(*) filter (phone_shared) as phone "
        "from records"
    ).df()
    rows = [{"field": field, "customers": int(counts[field].iloc[0])} for field in counts]
    return pd.DataFrame([row for row in rows if row["customers"]], columns=["field", "customers"])


def _clusters(pairs: pd.DataFrame, customers: pd.DataFrame) -> pd.DataFrame:
    """Label connected records, the most valuable cluster first, equal ones by their smallest id."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    ids = np.unique(pairs[[*_ENDS]].to_numpy(dtype=object))
    if not len(ids):
        return pd.DataFrame(columns=["cluster", "customer_id", "revenue"])
    place = {name: position for position, name in enumerate(ids)}
    ends = [pairs[side].map(place).to_numpy() for side in _ENDS]
    links = coo_array((np.ones(len(pairs)), ends), shape=(len(ids), len(ids)))
    label = connected_components(links, directed=False)[1]
    revenue = customers.set_index("customer_id")["revenue"].reindex(ids).to_numpy()
    members = pd.DataFrame({"label": label, "customer_id": ids.astype(str), "revenue": revenue})
    members["worth"] = members.groupby("label")["revenue"].transform("sum")
    members["first"] = members.groupby("label")["customer_id"].transform("min")
    members = members.sort_values(["worth", "first", "customer_id"], ascending=[False, True, True])
    members["cluster"] = pd.factorize(members["label"])[0] + 1
    return members[["cluster", "customer_id", "revenue"]].reset_index(drop=True)
