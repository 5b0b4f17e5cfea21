"""Relational, selective and transactional customers: by volume and potential loyalty.

Whom should a relationship be offered, and who only wants to buy?  :func:`relationship_types` sorts
customers by two explicit thresholds:

- relational: large and likely to be loyal, worth a relationship;
- transactional: neither, served at least cost;
- selective: one of both.  The large who are not loyal choose anew each time; the small who are
  loyal grow, or stay small.

The thresholds are choices, not findings: how much hangs on them, and whether a customer stays in
its type, is told by :func:`keycustomer.relationships.type_stability`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import counted, percent, report_html
from keycustomer.dimensions.complaints import refuse
from keycustomer.relationships.rules.one_row import one_row_a_customer
from keycustomer.relationships.rules.signs import LoyaltySigns
from keycustomer.stats.proportion import wilson_interval
from keycustomer.stats.samples import FloatArray

TYPES = ("relational", "selective", "transactional")
"""Types of customer."""

PARTS = ("large and loyal", "large, not loyal", "small, loyal", "small, not loyal")
"""Fields of the map of volume and loyalty; the middle two are the selective customers."""

TYPE_OF_PART = (0, 1, 1, 2)
"""Place in `TYPES` of each of `PARTS`."""


@dataclass(frozen=True)
class TypeThresholds:
    """What counts as large and as loyal.

    Attributes
    ----------
    volume : float or None
        Revenue a year from which a customer is large; None: the top `volume_share`.
    volume_share : float
        Share of the customers that are large where no volume is given.
    loyalty : float
        Loyalty from which a customer is likely to be loyal, 0..1.
    """

    volume: float | None = None
    volume_share: float = 0.20
    loyalty: float = 0.60

    def __post_init__(self) -> None:
        """Refuse thresholds that make no sense, all complaints at once."""
        complaints = []
        if self.volume is not None and not math.isfinite(self.volume):
            complaints.append(f"volume={self.volume!r}: a finite revenue a year, or None")
        if not 0 < self.volume_share < 1:
            complaints.append(f"volume_share={self.volume_share!r}: a share between 0 and 1")
        if not 0 <= self.loyalty <= 1:
            complaints.append(f"loyalty={self.loyalty!r}: between 0 and 1")
        refuse(complaints)

    def cut(self, volume: FloatArray) -> float:
        """Revenue a year from which customers of these volumes are large."""
        if self.volume is not None:
            return self.volume
        large = max(math.ceil(round(self.volume_share * len(volume), 9)), 1)
        return float(np.sort(volume)[-large])


@dataclass(frozen=True, eq=False)
class RelationshipTypes:
    """Customers with their type of relationship.

    Attributes
    ----------
    frame : DataFrame
        One row a customer: customer_id, volume, loyalty, part (one of `PARTS`), type.
    summary : DataFrame
        One row a type: type, customers, share, lower, upper (Wilson, 95 %), volume_share.
    parts : DataFrame
        One row a field of the map: part, type, customers, share, volume_share.
    thresholds : TypeThresholds
        As given.
    volume_cut : float
        Revenue a year from which a customer is large.
    signs : LoyaltySigns or None
        What the types rest on; None where a plain table was given.
    currency : str
        Of the volume.
    excluded : int
        Customers whose volume or loyalty is not known.
    notes : tuple of str
        What the reader should know of it.
    """

    frame: pd.DataFrame = field(repr=False)
    summary: pd.DataFrame
    parts: pd.DataFrame
    thresholds: TypeThresholds
    volume_cut: float
    signs: LoyaltySigns | None = field(repr=False)
    currency: str
    excluded: int
    notes: tuple[str, ...]

    @property
    def types(self) -> pd.Series:
        """Type by customer_id."""
        return self.frame.set_index("customer_id")["type"]

    def to_frame(self) -> pd.DataFrame:
        """One row a customer."""
        return self.frame.copy()

    @property
    def sentence(self) -> str:
        """The types in words."""
        row = dict(zip(self.summary["type"], self.summary.to_dict("records"), strict=True))
        return (
            f"{percent(row['relational']['share'])} of the customers are relational and bring "
            f"{percent(row['relational']['volume_share'])} of the revenue; "
            f"{percent(row['transactional']['share'])} are transactional"
        )

    def _repr_html_(self) -> str:
        said = [
            counted(len(self.frame), "customer"),
            f"large from {self.volume_cut:,.0f} {self.currency} a year, loyal from "
            f"{self.thresholds.loyalty:g}",
            self.sentence,
            *self.notes,
        ]
        words = {"volume_share": "share of revenue"}
        tables = {"Types": self.summary, "Parts": self.parts}
        shown = {name: table.rename(columns=words) for name, table in tables.items()}
        return report_html("Types of relationship", said, shown)


def relationship_types(
    signs: LoyaltySigns | pd.DataFrame,
    thresholds: TypeThresholds | None = None,
    *,
    customer: str = "customer_id",
    volume: str = "volume",
    loyalty: str = "loyalty",
) -> RelationshipTypes:
    """Sort customers into relational, selective and transactional ones.

    Parameters
    ----------
    signs : LoyaltySigns or DataFrame
        From :func:`keycustomer.relationships.loyalty_signs`, or any table with one row a customer.
    thresholds : TypeThresholds, optional
        What counts as large and loyal; default: the largest fifth, and a loyalty of .6.
    customer, volume, loyalty : str
        Columns of the table.

    Raises
    ------
    KeyError, ValueError
        When a column is missing, an id repeated, loyalty not between 0 and 1, or nobody is left.
    """
    limits = thresholds or TypeThresholds()
    own = signs if isinstance(signs, LoyaltySigns) else None
    table = signs.frame if isinstance(signs, LoyaltySigns) else signs
    rows = one_row_a_customer(table, customer, [volume, loyalty])
    known = rows.apply(pd.to_numeric).replace([np.inf, -np.inf], np.nan).dropna()
    if known.empty:
        raise ValueError(f"no customer has both {volume} and {loyalty}: nobody can be sorted")
    outside = ~known[loyalty].between(0, 1)
    if outside.any():
        raise ValueError(
            f"{loyalty} must lie between 0 and 1; {counted(int(outside.sum()), 'value')} outside, "
            f"first {known.loc[outside, loyalty].iloc[0]:g} of {known.index[outside][0]!r}"
        )
    cut = limits.cut(known[volume].to_numpy(float))
    place = parts_of(known[volume].to_numpy(float), known[loyalty].to_numpy(float), cut, limits)
    frame = pd.DataFrame(
        {
            "customer_id": known.index,
            "volume": known[volume].to_numpy(float),
            "loyalty": known[loyalty].to_numpy(float),
            "part": np.array(PARTS)[place],
            "type": np.array(TYPES)[np.array(TYPE_OF_PART)[place]],
        }
    )
    excluded = len(rows) - len(known)
    return RelationshipTypes(
        frame,
        _summary(frame),
        _parts(frame),
        limits,
        cut,
        own,
        own.currency if own else "",
        excluded,
        _notes(own, frame, cut, excluded),
    )


def parts_of(
    volume: FloatArray, loyalty: FloatArray, cut: float, thresholds: TypeThresholds
) -> np.ndarray:
    """Place in `PARTS` of each customer.

    Parameters
    ----------
    volume, loyalty : ndarray, shape (customers,)
        Revenue a year, and loyalty 0..1.
    cut : float
        Revenue a year from which a customer is large.
    thresholds : TypeThresholds
        Its loyalty counts.
    """
    return 2 * (volume < cut) + (loyalty < thresholds.loyalty)


def _summary(frame: pd.DataFrame) -> pd.DataFrame:
    table = _by(frame, "type", TYPES)
    lower, upper = wilson_interval(table["customers"], len(frame))
    return table.assign(lower=lower, upper=upper)[
        ["type", "customers", "share", "lower", "upper", "volume_share"]
    ]


def _parts(frame: pd.DataFrame) -> pd.DataFrame:
    table = _by(frame, "part", PARTS)
    return table.assign(type=[TYPES[k] for k in TYPE_OF_PART])[
        ["part", "type", "customers", "share", "volume_share"]
    ]


def _by(frame: pd.DataFrame, column: str, names: tuple[str, ...]) -> pd.DataFrame:
    grouped = frame.groupby(column)["volume"]
    table = pd.DataFrame({"customers": grouped.size(), "volume": grouped.sum()})
    table = table.reindex(list(names), fill_value=0)
    total = table["volume"].sum()
    table["share"] = table["customers"] / len(frame)
    table["volume_share"] = table["volume"] / total if total > 0 else np.nan
    return table.rename_axis(column).reset_index()


def _notes(
    signs: LoyaltySigns | None, frame: pd.DataFrame, cut: float, excluded: int
) -> tuple[str, ...]:
    notes = list(signs.notes) if signs else []
    if excluded:
        notes.append(f"{counted(excluded, 'customer')} without known volume and loyalty left out")
    alike = float((frame["loyalty"] >= 0.95).mean())
    if alike > 0.5:
        notes.append(
            f"{percent(alike)} have a loyalty of .95 and more: behaviour hardly tells them apart, "
            "as where contracts make everybody buy every period"
        )
    if cut <= frame["volume"].min():
        notes.append("every customer is large at this volume")
    return tuple(notes)
