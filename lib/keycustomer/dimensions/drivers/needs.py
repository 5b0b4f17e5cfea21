"""Five kinds of need, each with its own measure (course claim R5).

What does a customer need beyond what it says?  Kotler's five kinds are read off a survey:

==========  =====================================================================
stated      what customers call important (stated importance above its mean)
real        what the outcome hangs on (derived importance above its mean)
unstated    what is taken for granted: must-be attributes in Kano's sense
delight     what is not expected: attractive attributes in Kano's sense
secret      social and self-expression attributes that are felt and not said
==========  =====================================================================

An attribute can be of several kinds, or of none.  The map is a teaching device: it puts measures
of different nature side by side and none of them sees into a mind.

Sources: Kotler & Keller, "Marketing Management", chapter 1; Kano (1984) for must-be and attractive
quality.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from keycustomer.customers.rendering import report_html
from keycustomer.dimensions.complaints import refuse
from keycustomer.dimensions.drivers.stated import FELT, SAID, SAID_AND_FELT, StatedDerived
from keycustomer.dimensions.kano.evaluation import CLASS_NAMES

KINDS = ("stated", "real", "unstated", "delight", "secret")
"""The five kinds of need."""

MEASURES = {
    "stated": "stated importance above the mean",
    "real": "derived importance above the mean",
    "unstated": "must-be (Kano)",
    "delight": "attractive (Kano)",
    "secret": "social or self-expression, felt and not said",
}
"""How each kind is measured."""


@dataclass(frozen=True, eq=False)
class KindsOfNeed:
    """Attributes by kind of need.

    Attributes
    ----------
    outcome : str
        What derived importance refers to.
    frame : DataFrame
        One row an attribute, the largest derived importance first: `driver`, a column of bool (or
        missing where it was not measured) for each of `stated`, `real`, `unstated`, `delight`,
        `secret`, then the measures: `stated_importance`, `derived_importance`, `kano_class`,
        `social` and `certainty` (resamples that agree on said and felt).
    notes : tuple of str
        What a reader must know.
    """

    outcome: str
    frame: pd.DataFrame
    notes: tuple[str, ...]

    def of_kind(self, kind: str) -> list[str]:
        """Attributes of a kind of need, the largest derived importance first.

        Raises
        ------
        ValueError
            When there is no such kind.
        """
        if kind not in KINDS:
            raise ValueError(f"kind={kind!r}: one of {', '.join(map(repr, KINDS))}")
        return self.frame.loc[self.frame[kind].fillna(False).astype(bool), "driver"].tolist()

    def kinds(self) -> pd.DataFrame:
        """Attributes by kind.

        Returns
        -------
        DataFrame
            One row a kind: `kind`, `measure`, `attributes` (how many), `names`.
        """
        rows = [
            (kind, MEASURES[kind], len(self.of_kind(kind)), ", ".join(self.of_kind(kind)))
            for kind in KINDS
        ]
        return pd.DataFrame(rows, columns=["kind", "measure", "attributes", "names"])

    def to_frame(self) -> pd.DataFrame:
        """Return the table of the attributes."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        title = f"Five kinds of need, with {self.outcome}"
        return report_html(title, self.notes, {"Kinds of need": self.kinds()})


def kinds_of_need(
    stated: StatedDerived,
    kano: Mapping[str, str | None],
    secret: Sequence[str],
) -> KindsOfNeed:
    """Sort attributes into five kinds of need.

    Parameters
    ----------
    stated : StatedDerived
        From :func:`~keycustomer.dimensions.drivers.stated.stated_against_derived`.
    kano : mapping of attribute to class
        Kano's class of each attribute, as letter or name ("M" or "must-be"); None or left out
        where it was not asked.
    secret : sequence of str
        The social and self-expression attributes.

    Returns
    -------
    KindsOfNeed

    Raises
    ------
    ValueError
        With every complaint: attributes that were not compared, unknown classes.
    """
    names = stated.frame["driver"].tolist()
    refuse(_complaints(names, kano, secret))
    classes = [_class(kano.get(name)) for name in names]
    reading, social = stated.frame["reading"], stated.frame["driver"].isin(list(secret))
    asked = pd.Series([known is not None for known in classes])
    frame = pd.DataFrame(
        {
            "driver": names,
            "stated": reading.isin([SAID_AND_FELT, SAID]),
            "real": reading.isin([SAID_AND_FELT, FELT]),
            "unstated": pd.Series([c == "must-be" for c in classes], dtype="boolean").where(asked),
            "delight": pd.Series([c == "attractive" for c in classes], dtype="boolean").where(
                asked
            ),
            "secret": social & (reading == FELT),
            "stated_importance": stated.frame["stated"],
            "derived_importance": stated.frame["derived"],
            "kano_class": classes,
            "social": social,
            "certainty": stated.frame["certainty"],
        }
    )
    return KindsOfNeed(stated.outcome, frame, (*stated.notes, *_notes(frame)))


def _complaints(
    names: list[str], kano: Mapping[str, str | None], secret: Sequence[str]
) -> Iterator[str]:
    if isinstance(secret, str):
        yield f"secret={secret!r} is one text; give a list, such as [{secret!r}]"
        return
    known = ", ".join(map(repr, names))
    for argument, given in (("kano", list(kano)), ("secret", list(secret))):
        strange = [name for name in given if name not in names]
        if strange:
            yield (
                f"{argument}: {', '.join(map(repr, strange))} is none of the attributes compared "
                f"({known})"
            )
    for name, value in kano.items():
        if value is not None and _class(value) is None:
            allowed = ", ".join(f"{letter!r} ({long})" for letter, long in CLASS_NAMES.items())
            yield f"kano: class {value!r} of {name!r} is none of {allowed}"


def _class(value: str | None) -> str | None:
    """Name of a class given as letter or name; None where it is neither."""
    if value is None:
        return None
    text = str(value).strip()
    return CLASS_NAMES.get(text.upper()) or next(
        (long for long in CLASS_NAMES.values() if long == text.lower().replace("_", "-")), None
    )


def _notes(frame: pd.DataFrame) -> Iterator[str]:
    yield "a teaching device: five measures of different nature side by side"
    unknown = frame.loc[frame["kano_class"].isna(), "driver"].tolist()
    if unknown:
        yield (
            "not asked in Kano's pairs, so unstated and delight are not known: "
            f"{', '.join(unknown)}"
        )
    if not frame["social"].any():
        yield "no social or self-expression attribute among them, so no secret need can be seen"
