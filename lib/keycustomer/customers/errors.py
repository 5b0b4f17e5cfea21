"""What the checks of a customer base found, and how it is said.

A `Finding` is one complaint: which table and column, what is wrong, how many rows, the first of
them, and the cure. A `CheckReport` holds all of them at once; `DataError` carries one out of
`prepare_base` when the data may not be used as they are.
"""

from __future__ import annotations

import html
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import pandas as pd

Severity = Literal["error", "warning", "note"]

SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")
"""From worst to mildest: refused; handled by a default the reader should know; for information."""

EXAMPLES = 5
"""How many of the first offending rows a finding shows."""

_LONGEST_VALUE = 60


@dataclass(frozen=True)
class Finding:
    """One complaint of the checks.

    Attributes
    ----------
    table, column : str
        Where, in the names of the data model; the column is empty when a whole table is meant.
    rule : str
        Name of the rule or check that found it.
    severity : {"error", "warning", "note"}
        Whether the base is refused, or how loudly to say it.
    what : str
        What is wrong, with its count.
    rows : int
        How many rows (orders, ids, columns) it concerns.
    examples : tuple of str
        The first of them.
    cure : str
        What to do about it.
    source : str
        The column's name in the source, and the source, where that helps.
    """

    table: str
    column: str
    rule: str
    severity: Severity
    what: str
    rows: int
    examples: tuple[str, ...] = ()
    cure: str = ""
    source: str = ""

    @property
    def place(self) -> str:
        """The table, or `table.column`."""
        return f"{self.table}.{self.column}" if self.column else self.table

    def __str__(self) -> str:
        """Say it in words: where, what, the first rows, the cure."""
        source = f" ({self.source})" if self.source else ""
        lines = [f"{self.severity}: {self.place}{source}: {self.what} [{self.rule}]"]
        lines += [f"    {example}" for example in self.examples]
        if self.rows > len(self.examples) >= EXAMPLES:
            lines.append("    ...")
        if self.cure:
            lines.append(f"  cure: {self.cure}")
        return "\n".join(lines)


@dataclass(frozen=True)
class CheckReport:
    """Everything the checks found, worst first.

    Attributes
    ----------
    title : str
        Title of the case.
    findings : tuple of Finding
        The complaints.
    exclusions : DataFrame
        Rows and value the rules remove: table_name, rule, action, rows, value, note; empty when
        errors kept the rules from being applied.
    """

    title: str
    findings: tuple[Finding, ...]
    exclusions: pd.DataFrame

    @property
    def errors(self) -> tuple[Finding, ...]:
        """Findings that keep the base from being prepared."""
        return self._of("error")

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """Findings that a default has dealt with, to be judged by the reader."""
        return self._of("warning")

    @property
    def notes(self) -> tuple[Finding, ...]:
        """Findings dealt with as the case file says, and information."""
        return self._of("note")

    def _of(self, severity: Severity) -> tuple[Finding, ...]:
        return tuple(f for f in self.findings if f.severity == severity)

    def to_frame(self) -> pd.DataFrame:
        """One row a finding: where, rule, severity, what, rows, examples, cure."""
        rows = [
            (f.table, f.column, f.rule, f.severity, f.what, f.rows, "\n".join(f.examples), f.cure)
            for f in self.findings
        ]
        return pd.DataFrame(rows, columns=list(FINDING_COLUMNS))

    def __str__(self) -> str:
        """Say everything at once, worst first."""
        heading = f"{printable(self.title)}: {self._counts()}"
        return "\n\n".join([heading, *map(str, self.findings)])

    def _counts(self) -> str:
        said = [
            f"{len(found)} {severity}{'' if len(found) == 1 else 's'}"
            for severity in SEVERITIES
            if (found := self._of(severity))
        ]
        return ", ".join(said) if said else "the checks found nothing"

    def _repr_html_(self) -> str:
        heads = ("severity", "where", "what", "first rows", "cure")
        head = "".join(f"<th scope='col'>{name}</th>" for name in heads)
        body = "".join(map(_html_row, self.findings))
        caption = html.escape(f"{self.title}: {self._counts()}")
        return (
            f"<table><caption>{caption}</caption>"
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        )


FINDING_COLUMNS = {
    "table_name": "VARCHAR",
    "column_name": "VARCHAR",
    "rule": "VARCHAR",
    "severity": "VARCHAR",
    "what": "VARCHAR",
    "rows": "BIGINT",
    "examples": "VARCHAR",
    "cure": "VARCHAR",
}
"""Columns of the findings table, with their types in the engine."""


class DataError(ValueError):
    """The data, or what the case file says of them, may not be used as they are.

    Attributes
    ----------
    report : CheckReport
        All findings, not only the errors.
    """

    def __init__(self, report: CheckReport) -> None:
        super().__init__(str(report))
        self.report = report

    def __reduce__(self) -> tuple[type[DataError], tuple[CheckReport]]:
        """Survive the way from a worker process to its parent."""
        return type(self), (self.report,)


def worst_first(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Order findings by severity, keeping their order within one."""
    return tuple(sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity)))


def printable(value: object) -> str:
    """Show a value from data on one line, control characters escaped, shortened when long."""
    text = str(value)
    text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 3] + "..."


def quoted(value: object) -> str:
    r"""Show a text from data between quotes: a line break in it is shown as ``\n``."""
    return f"'{printable(value)}'"


def _html_row(finding: Finding) -> str:
    cells = (
        html.escape(finding.severity),
        html.escape(finding.place + (f" ({finding.source})" if finding.source else "")),
        html.escape(f"{finding.what} [{finding.rule}]"),
        "<br>".join(map(html.escape, finding.examples)),
        html.escape(finding.cure),
    )
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"
