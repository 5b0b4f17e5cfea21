"""Published numbers beside those of the cases.

Question: is what this case shows usual, as far as anybody has published it?

- :data:`PUBLISHED`: published numbers by claim and measure.
- :func:`beside_published`: them, with the same measure of each case.

Sources: named with each number.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from keycustomer.casework.across.outputs import CaseOutput
from keycustomer.pareto.published import YARDSTICKS

COLUMNS = ("claim", "measure", "group", "whose", "kind", "value", "lower", "upper", "source")
_COMPUTED = "computed here"
_Row = tuple[str, str, str, str, str, float, float, float, str]


@dataclass(frozen=True)
class PublishedNumber:
    """A published number.

    Attributes
    ----------
    claim, measure, group : str
        The claim, and the measure of the cases it stands beside.
    whose : str
        Whose customers were measured.
    value : float
        The number, in the measure's unit.
    source : str
        Author and year.
    """

    claim: str
    measure: str
    group: str
    whose: str
    value: float
    source: str

    @property
    def kind(self) -> str:
        """Whether somebody measured it, or it is what the claim says."""
        return "claimed" if self.source.startswith("the claim") else "published"


PUBLISHED = (
    *(
        PublishedNumber("K1", "pareto_share", "top_20", one.base, one.top_20_share, one.source)
        for one in YARDSTICKS
    ),
    PublishedNumber(
        "R2",
        "retained_top_20",
        "",
        "heavy buyers of brands, a year later, about",
        0.5,
        "Sharp, Romaniuk & Graham (2019)",
    ),
)
"""Published numbers; the rule of thumb under test is one of those of K1."""

MEANINGS = {
    "pareto_share": "share of value that the top 20 % of customers bring",
    "retained_top_20": "share of the best customers of one period that are among the best of the "
    "next (cases: the two halves of their window; published: two years)",
}
"""What is compared, by measure."""


def beside_published(outputs: Sequence[CaseOutput], labels: Sequence[str]) -> pd.DataFrame:
    """Put the measures of cases beside published ones.

    Parameters
    ----------
    outputs : sequence of CaseOutput
        Published outputs.
    labels : sequence of str
        What to call each.

    Returns
    -------
    DataFrame
        One row a number: claim, measure, group, whose, kind ("claimed", "published", "case",
        "simulated case"), value, lower, upper (NaN where there is no interval), source; by
        measure, largest first.
    """
    rows = [
        (
            *(one.claim, one.measure, one.group, one.whose, one.kind),
            *(one.value, math.nan, math.nan, one.source),
        )
        for one in PUBLISHED
    ]
    for output, label in zip(outputs, labels, strict=True):
        rows += _own(output, label)
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    order = {one.measure: place for place, one in enumerate(PUBLISHED)}
    frame["place"] = frame["measure"].map(order)
    frame = frame.sort_values(["place", "value"], ascending=[True, False], kind="stable")
    return frame.drop(columns="place").reset_index(drop=True)


def _own(output: CaseOutput, label: str) -> list[_Row]:
    """Rows of a case, for the measures that have a published number."""
    wanted = {(one.measure, one.group): one.claim for one in PUBLISHED}
    kind = "simulated case" if output.simulated else "case"
    rows: list[_Row] = []
    for row in output.measures.dropna(subset="estimate").to_dict("records"):
        key = (str(row["measure"]), str(row["group"]))
        if key in wanted:
            ends = (row["estimate"], row["lower"], row["upper"])
            rows.append((wanted[key], *key, label, kind, *ends, _COMPUTED))
    return rows
