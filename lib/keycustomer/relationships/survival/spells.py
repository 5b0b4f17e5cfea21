"""Spells: how long each customer was under observation, and whether and why it left.

Question: from which tenure on was a customer seen, up to which, and how did it end?  A base that
opens in January has no customer who left before; those who had joined years ago are in it because
they stayed.  So a spell has an *entry*, the tenure at which the customer was first seen, and counts
among those who could leave from there on only (left truncation); who is still there at the end has
a tenure that goes on (right censoring).  Leaving out either makes customers look more, or less,
loyal than they are.

Main names: :func:`read_spells`, one spell a customer; :func:`month_spells`, one piece a
customer-month, for covariates that change over time; `Spells`.

Source: Klein & Moeschberger, "Survival Analysis" (2003), chapters 3 and 9.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import pandas as pd

from keycustomer.customers.base import CustomerBase
from keycustomer.customers.rendering import counted, report_html
from keycustomer.relationships.months.panel import CustomerMonths
from keycustomer.relationships.survival.contract_spells import spells_of_base
from keycustomer.stats.samples import finite_values

SHOWN = 5
"""Offending rows named in a message."""

NOT_RECORDED = "not recorded"
"""What stands for the reason of those who left without one."""

TimeScale = Literal["tenure", "calendar"]


@dataclass(frozen=True, eq=False)
class Spells:
    """Times under observation.

    Attributes
    ----------
    frame : DataFrame
        One row a spell or a piece of one: customer_id; entry and tenure (in `unit`: the customer
        could leave after `entry` and up to `tenure`); ended (bool: it left at `tenure`); reason
        (text of those who left, missing for the others); then the covariates.
    unit : str
        Unit of time.
    scale : {"tenure", "calendar"}
        What time counts from: the customer's joining, or the window's first month.
    excluded : DataFrame
        why, customers: what was given and is in no spell.
    notes : tuple of str
        What the reader must know of these spells.
    """

    frame: pd.DataFrame
    unit: str = "month"
    scale: TimeScale = "tenure"
    excluded: pd.DataFrame = field(default_factory=lambda: exclusions({}), repr=False)
    notes: tuple[str, ...] = ()

    @property
    def customers(self) -> int:
        """Number of customers."""
        return int(self.frame["customer_id"].nunique())

    @property
    def left(self) -> int:
        """Number of customers who left."""
        return int(self.frame["ended"].sum())

    def to_frame(self) -> pd.DataFrame:
        """Give a copy of `frame`."""
        return self.frame.copy()

    def with_columns(self, columns: pd.DataFrame | pd.Series) -> Spells:
        """Add covariates known by customer.

        Parameters
        ----------
        columns : DataFrame or Series
            Indexed by customer_id, one row a customer.

        Raises
        ------
        ValueError
            When customers stand in it twice, some of the spells' are missing, or a column exists.
        """
        table = columns.to_frame() if isinstance(columns, pd.Series) else columns
        _check_known(table, self.frame)
        there = self.frame["customer_id"]
        added = table.reindex(pd.Index(there)).set_axis(self.frame.index)
        return replace(self, frame=pd.concat([self.frame, added], axis=1))

    def of_reason(self, reason: str) -> Spells:
        """Take leaving for one reason as the only event: who left for another was seen till then.

        Raises
        ------
        ValueError
            When nobody left for that reason.
        """
        reasons = self.reasons()
        if not (reasons == reason).any():
            found = ", ".join(map(repr, sorted(reasons.dropna().unique()))) or "none"
            raise ValueError(f"reason={reason!r}: nobody left for it; reasons found: {found}")
        ended = (reasons == reason).to_numpy()
        return replace(self, frame=self.frame.assign(ended=ended))

    def reasons(self) -> pd.Series:
        """Reason of every spell that ended, `NOT_RECORDED` where none is known; else missing."""
        known = self.frame["reason"].astype(object).where(self.frame["reason"].notna(), None)
        told = known.where(known.notna(), NOT_RECORDED)
        return told.where(self.frame["ended"], None)

    def as_if_seen_from_the_start(self) -> Spells:
        """Give the spells without their entries: the mistake that makes survivors look loyal.

        Raises
        ------
        ValueError
            When customers are in several pieces, which have to keep their entries.
        """
        if self.frame["customer_id"].duplicated().any():
            raise ValueError(
                "as_if_seen_from_the_start: some customers are in several pieces, which have to "
                "keep their entries; make the spells with read_spells(base)"
            )
        said = "Taken as if everybody had been seen from the start: survivors only count too much."
        return replace(self, frame=self.frame.assign(entry=0.0), notes=(*self.notes, said))

    def sentences(self) -> list[str]:
        """Say what the spells are."""
        entry = self.frame.groupby("customer_id")["entry"].min()
        since = "joining" if self.scale == "tenure" else "the window's first month"
        said = (
            f"{counted(self.customers, 'customer')}, {self.left:,} of whom left; time in "
            f"{self.unit}s since {since}."
        )
        late = int((entry > 0).sum())
        if late and self.scale == "tenure":
            said += f" {counted(late, 'customer')} had a tenure already when first seen."
        return [said, *self.notes]

    def _repr_html_(self) -> str:
        return report_html("Spells", self.sentences(), {"Left out": self.excluded})


def exclusions(customers: dict[str, int]) -> pd.DataFrame:
    """Table of what was left out: why, customers."""
    kept = {why: n for why, n in customers.items() if n}
    return pd.DataFrame({"why": list(kept), "customers": list(kept.values())})


def read_spells(
    source: CustomerBase | pd.DataFrame, *, covariates: pd.DataFrame | pd.Series | None = None
) -> Spells:
    """Read how long customers stayed.

    Parameters
    ----------
    source : CustomerBase or DataFrame
        A base with a contracts table, which knows either days (start, end) or tenures (tenure,
        ended); or a frame with tenure (months), ended (bool) and, where known, customer_id, entry
        (months, 0 where not given) and reason; all its other columns are covariates.  A customer
        may be in several rows that follow one another.
    covariates : DataFrame or Series, optional
        Further covariates by customer_id, for example a tier.

    Returns
    -------
    Spells
        Of a base with days: entry and tenure in calendar months since the month of joining (the
        first contract where that is not known), a month counting when the customer was there for
        a day; covariates are price_plan and relationship_level when first seen and the attribute
        columns.  Contracts of a customer that follow one another, after a pause too, are one
        relationship.  Of a base with tenures: entry 0.

    Raises
    ------
    TypeError
        When the source is neither.
    ValueError
        With every complaint about the table.

    Notes
    -----
    A file of those there at a day, with those who left in the last month before it, saw nobody for
    more than that month.  Give then ``entry`` as ``tenure - 1``: who left earlier is not in it.
    """
    if isinstance(source, CustomerBase):
        frame, left_out, notes = spells_of_base(source)
    elif isinstance(source, pd.DataFrame):
        frame, left_out, notes = source, {}, ()
    else:
        raise TypeError(
            f"source={type(source).__name__}: a prepared CustomerBase (customers.open_base) or a "
            "DataFrame with tenure and ended is needed"
        )
    frame, never = _checked(frame)
    left_out = left_out | {"never under observation: tenure equals entry": never}
    spells = Spells(frame, excluded=exclusions(left_out), notes=notes)
    return spells if covariates is None else spells.with_columns(covariates)


def month_spells(months: CustomerMonths, *, time: TimeScale = "tenure") -> Spells:
    """Lay customer-months out as spells of one month each, for covariates that change.

    Parameters
    ----------
    months : CustomerMonths
        See :func:`keycustomer.relationships.customer_months`.
    time : {"tenure", "calendar"}
        Count months since the customer joined, or since the window opened.  In calendar time
        everybody is compared in the same month, and tenure can be a covariate.

    Returns
    -------
    Spells
        All columns of the months and of their customers are covariates; the panel knows no
        reasons.

    Raises
    ------
    ValueError
        When there is no such time.
    """
    if time not in ("tenure", "calendar"):
        raise ValueError(f"time={time!r} must be 'tenure' or 'calendar'")
    frame = months.frame.rename(columns={"left": "ended", "tenure": "years"})
    number = frame["number"].to_numpy(float)
    entry = number if time == "calendar" else _months_since_joining(months, number)
    placed = pd.DataFrame(
        {
            "customer_id": frame["customer_id"],
            "entry": entry,
            "tenure": entry + 1,
            "ended": frame["ended"].to_numpy(bool),
            "reason": pd.Series(None, index=frame.index, dtype=object),
        }
    )
    rest = frame.drop(columns=["customer_id", "ended"])
    known = months.customers.drop(columns=["joined_on"]).set_index("customer_id")
    own = known.reindex(pd.Index(frame["customer_id"])).set_axis(frame.index)
    whole = pd.concat([placed, rest, own], axis=1).reset_index(drop=True)
    return Spells(whole, scale=time, notes=months.notes)


def _months_since_joining(months: CustomerMonths, number: np.ndarray) -> np.ndarray:
    """Calendar months since the month of joining, of the first month seen where not known."""
    ids = months.frame["customer_id"]
    joined = months.customers.set_index("customer_id")["joined_on"].reindex(ids)
    day = pd.to_datetime(joined)
    first = 12 * (day.dt.year - months.start.year) + (day.dt.month - months.start.month)
    seen = pd.Series(number).groupby(ids.to_numpy()).transform("min").to_numpy()
    months_in = months.frame["tenure"].to_numpy(float) * 12
    begun = seen - pd.Series(months_in).groupby(ids.to_numpy()).transform("min").round().to_numpy()
    origin = first.to_numpy(float)
    return number - np.minimum(np.where(np.isnan(origin), begun, origin), seen)


def _check_known(table: pd.DataFrame, frame: pd.DataFrame) -> None:
    """Refuse covariates by customer that do not fit the spells."""
    if not table.index.is_unique:
        twice = table.index[table.index.duplicated()][:SHOWN].tolist()
        raise ValueError(f"covariates: customers {twice} stand in it more than once")
    missing = ~frame["customer_id"].isin(table.index)
    if missing.any():
        raise ValueError(
            f"covariates: {missing.sum():,} spells are of customers who are not in it (first: "
            f"{frame.loc[missing, 'customer_id'].iloc[:SHOWN].tolist()}); index it by customer_id"
        )
    same = [str(name) for name in table.columns if name in frame.columns]
    if same:
        raise ValueError(f"covariates: the spells have a column {', '.join(map(repr, same))}")


def _checked(given: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Give the table in order, without rows of no length, and the number of customers of those."""
    absent = [name for name in ("tenure", "ended") if name not in given.columns]
    if absent:
        raise ValueError(
            f"source: column {', '.join(map(repr, absent))} is missing; columns found: "
            f"{', '.join(map(str, given.columns)) or 'none'}"
        )
    if given.empty:
        raise ValueError("source: there is no customer in the table")
    frame = _complete(given)
    _complain(frame)
    never = frame["tenure"] == frame["entry"]
    kept = frame[~never]
    if kept.empty:
        raise ValueError("source: nobody was under observation: every tenure equals its entry")
    gone = ~frame["customer_id"].isin(kept["customer_id"])
    return kept.reset_index(drop=True), int(frame.loc[gone, "customer_id"].nunique())


def _complete(given: pd.DataFrame) -> pd.DataFrame:
    """Put the own columns in front, in order of customer and time, with what was not given."""
    if not pd.api.types.is_bool_dtype(given["ended"]) or given["ended"].isna().any():
        raise ValueError("source: column 'ended' must be True or False in every row")
    index = pd.RangeIndex(len(given))
    count = given["customer_id"] if "customer_id" in given.columns else pd.Series(index)
    reason = given["reason"] if "reason" in given.columns else pd.Series(None, index, object)
    entry = given["entry"] if "entry" in given.columns else pd.Series(0.0, index)
    own = pd.DataFrame(
        {
            "customer_id": count.to_numpy(),
            "entry": finite_values(entry, "source['entry']"),
            "tenure": finite_values(given["tenure"], "source['tenure']"),
            "ended": given["ended"].to_numpy(bool),
            "reason": reason.to_numpy(),
        },
        index=index,
    )
    rest = given.drop(columns=[name for name in own.columns if name in given.columns])
    whole = pd.concat([own, rest.set_axis(index)], axis=1)
    return whole.sort_values(["customer_id", "entry", "tenure"], kind="stable")


def _complain(frame: pd.DataFrame) -> None:
    """Raise one error with every complaint about entries, tenures and their order."""
    same = frame["customer_id"].eq(frame["customer_id"].shift())
    wrong = {
        "an entry below 0": frame["entry"] < 0,
        "a tenure below its entry": frame["tenure"] < frame["entry"],
        "rows of one customer that overlap": same & (frame["entry"] < frame["tenure"].shift()),
        "rows after the customer has left": same & frame["ended"].shift(fill_value=False),
    }
    said = [
        f"source: {what} ({rows.sum():,} rows; first: customers {_first(frame, rows)})"
        for what, rows in wrong.items()
        if rows.any()
    ]
    if said:
        raise ValueError("\n".join(said))


def _first(frame: pd.DataFrame, rows: pd.Series) -> list[object]:
    return list(frame.loc[rows, "customer_id"].iloc[:SHOWN])
