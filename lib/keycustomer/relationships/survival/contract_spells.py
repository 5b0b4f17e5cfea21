"""Spells from the contracts of a base, which know either days or tenures.

:func:`spells_of_base` gives the table that :func:`keycustomer.relationships.read_spells` checks.
With days, a customer is seen from the window's first month on; who left before is not in the
window and cannot be among those who could leave in it.
"""

from __future__ import annotations

import pandas as pd

from keycustomer.customers.base import CustomerBase
from keycustomer.relationships.months.typed import typed_columns
from keycustomer.relationships.vocabulary import LEVELS

KEPT = ("relationship_level", "price_plan")
"""Columns of a contract that are covariates."""

SHOWN = 5
"""Offending rows named in a message."""

Table = tuple[pd.DataFrame, dict[str, int], tuple[str, ...]]


def spells_of_base(base: CustomerBase) -> Table:
    """Take the spells from a base's contracts.

    Returns
    -------
    DataFrame
        One row a customer: customer_id, entry, tenure (months), ended, reason, covariates.
    dict of str to int
        Customers that are left out, by why.
    tuple of str
        Notes.

    Raises
    ------
    ValueError
        When the base has no contracts, or they end before they begin or are two of a customer
        without days.
    """
    if not base.has("contracts"):
        raise ValueError(
            f"{base.title}: the base has no contracts table, so nobody can be said to have left; "
            "for customers without contracts see lifetime (probability alive)"
        )
    dated = base.has("contracts", "start")
    frame, left_out, notes = _dated(base) if dated else _undated(base)
    frame = _levels_in_order(frame)
    names = [name for kind in base.attributes.values() for name in kind]
    people = base.query("from customers")
    kept = [name for name in names if name in people.columns and name not in frame.columns]
    known = typed_columns(people[["customer_id", *kept]], kept)
    return frame.merge(known, on="customer_id", how="left"), left_out, notes


def _levels_in_order(frame: pd.DataFrame) -> pd.DataFrame:
    """Put relationship levels in their order, where they are the five known ones."""
    name = KEPT[0]
    if name not in frame.columns or not frame[name].dropna().isin(LEVELS).all():
        return frame
    return frame.assign(**{name: pd.Categorical(frame[name], LEVELS, ordered=True)})


def _undated(base: CustomerBase) -> Table:
    """Tenures as the table has them, one row a customer."""
    contracts = base.query("from contracts")
    twice = contracts["customer_id"].duplicated()
    if twice.any():
        raise ValueError(
            f"{base.title}: contracts have tenures but no days, and {twice.sum():,} customers have "
            f"more than one (first: {contracts.loc[twice, 'customer_id'].iloc[:SHOWN].tolist()}), "
            "so that they cannot be put in order; give days (start, end), or one row a customer"
        )
    unknown = contracts[["tenure", "ended"]].isna().any(axis=1)
    contracts = contracts[~unknown]
    kept = [name for name in ("reason", *KEPT) if name in contracts.columns]
    frame = contracts[["customer_id", "tenure", *kept]].assign(
        ended=contracts["ended"].astype(bool)
    )
    notes = [
        "Tenures are as recorded: everybody is taken as seen from the start.",
        "Contracts and attributes are those of the day of the record: who stayed long had time to "
        "come to a longer contract, which then looks as if it had kept them all along.",
    ]
    return frame, {"no tenure or no end known": int(unknown.sum())}, tuple(notes)


def _dated(base: CustomerBase) -> Table:
    """Tenures in calendar months, seen from the window's first month on."""
    contracts = base.query("from contracts")
    for name in ("end", "reason", *KEPT):
        if name not in contracts.columns:
            contracts[name] = pd.NaT if name == "end" else None
    contracts[["start", "end"]] = contracts[["start", "end"]].apply(pd.to_datetime)
    _refuse_backward(base, contracts)
    first, last = pd.Timestamp(base.start), pd.Timestamp(base.end)
    begun = contracts[contracts["start"] <= last].sort_values(["customer_id", "start"])
    begun["end"] = begun["end"].where(begun["end"] <= last)
    table = _relationships(begun, first)
    before = table["end"] < first
    ahead = ~contracts["customer_id"].isin(begun["customer_id"])
    left_out = {
        "left before the window opened": int(before.sum()),
        "contract begins after the window": int(contracts.loc[ahead, "customer_id"].nunique()),
    }
    frame = _measured(base, table[~before], first, last)
    return frame, left_out, _notes(begun, first)


def _refuse_backward(base: CustomerBase, contracts: pd.DataFrame) -> None:
    wrong = contracts["end"] < contracts["start"]
    if wrong.any():
        raise ValueError(
            f"{base.title}: {wrong.sum():,} contracts end before they begin (first: customers "
            f"{contracts.loc[wrong, 'customer_id'].iloc[:SHOWN].tolist()}); mend them, or drop "
            "them by the case file's rule `contradiction: drop`"
        )


def _relationships(begun: pd.DataFrame, first: pd.Timestamp) -> pd.DataFrame:
    """One row a customer: first day, last day (NaT while one runs), terms when first seen."""
    by = begun.groupby("customer_id", sort=True)
    running = begun["end"].isna().groupby(begun["customer_id"]).any()
    table = pd.DataFrame({"start": by["start"].min(), "end": by["end"].max()})
    table["end"] = table["end"].mask(running)
    closing = begun.sort_values(["customer_id", "end", "start"], na_position="last")
    closing = closing.drop_duplicates("customer_id", keep="last").set_index("customer_id")
    table["reason"] = closing["reason"].where(closing["end"].notna(), None)
    seen = begun[begun["end"].isna() | (begun["end"] >= first)]
    # of the contracts still there when the window opens, the one that began last before it
    opening = seen.assign(late=seen["start"].where(seen["start"] >= first, first))
    opening = opening.sort_values(["customer_id", "late", "start"], ascending=[True, True, False])
    opening = opening.drop_duplicates("customer_id").set_index("customer_id")
    return table.join(opening[list(KEPT)]).reset_index()


def _measured(
    base: CustomerBase, table: pd.DataFrame, first: pd.Timestamp, last: pd.Timestamp
) -> pd.DataFrame:
    """Count calendar months from the month of joining."""
    known = _joined(base).reindex(table["customer_id"]).set_axis(table.index)
    origin = _month(known.where(known < table["start"], table["start"]))
    final = _month(table["end"].fillna(last))
    return pd.DataFrame(
        {
            "customer_id": table["customer_id"],
            "entry": (first.year * 12 + first.month - origin).clip(lower=0).astype(float),
            "tenure": (final - origin + 1).astype(float),
            "ended": table["end"].notna(),
            **{name: table[name] for name in ("reason", *KEPT)},
        }
    )


def _joined(base: CustomerBase) -> pd.Series:
    """Day on which each customer joined, unknown where the customers table does not tell."""
    people = base.query("from customers")
    if "joined_on" not in people.columns:
        people["joined_on"] = pd.NaT
    return pd.to_datetime(people["joined_on"]).groupby(people["customer_id"]).min()


def _month(days: pd.Series) -> pd.Series:
    return days.dt.year * 12 + days.dt.month


def _notes(begun: pd.DataFrame, first: pd.Timestamp) -> tuple[str, ...]:
    """Say which customers had pauses, and which survivors the window begins with."""
    before = begun.groupby("customer_id")["end"].cummax().groupby(begun["customer_id"]).shift()
    paused = (begun["start"] - before) > pd.Timedelta(days=1)
    pauses = begun.loc[paused, "customer_id"].nunique()
    said = []
    if pauses:
        said.append(f"{pauses:,} customers had a pause between contracts, counted as one stay.")
    if (begun["start"] < first).any():
        said.append(
            f"Who left before {first.date()} is not in the window; older customers count among "
            "those who could leave from the tenure they had on that day."
        )
    return tuple(said)
