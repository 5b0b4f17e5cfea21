"""What placeholders of a note stand for, in the results of a case.

Question: what does this case say, and what does it not say because a chapter did not run?

:class:`Answers` finds rows of measures and of the ledger, decides conditions, and writes numbers;
where there is none, it says why.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from keycustomer.casework.across.note_syntax import (
    Condition,
    Placeholder,
    Reference,
    chapters_of,
)
from keycustomer.casework.errors import CaseError, did_you_mean
from keycustomer.casework.report.front import compact, unit_of, with_minus, written

_THIN = "\N{NARROW NO-BREAK SPACE}"
_SUFFIX = {"percent": f"{_THIN}%", "points": " percentage points"}
_DIGITS = {"percent": 1, "points": 1, "number": 2, "whole": 0}
# Amounts from here on are written without cents.
_WITHOUT_CENTS = 100
_NOT_KNOWN = "not known"

Row = Mapping[str, Any]


class NotComputed(Exception):
    """What a placeholder asks for is not in the results, though it might have been."""


class Answers:
    """The results of a case, as a note asks for them.

    Parameters
    ----------
    results : mapping
        Content of `results.json`.
    """

    def __init__(self, results: Mapping[str, Any]) -> None:
        self._results = results
        self.case: Mapping[str, Any] = results["case"]
        self._chapters: Mapping[str, Any] = results["run"].get("chapters") or {}
        self._ran = [
            name
            for name in self.case.get("chapters") or ()
            if self._chapters.get(name, {}).get("status", "completed") == "completed"
        ]

    def row(self, reference: Reference) -> Row:
        """Row of a measure, or of a claim decided by one measure.

        Raises
        ------
        NotComputed
            When the chapter did not run, or has not reported it.
        CaseError
            When the group is none of those there are, or several rows fit.
        """
        rows = self.verdicts(reference) if reference.is_claim else self.rows(reference)
        if len(rows) > 1:
            raise CaseError(_several(reference, rows))
        return rows[0]

    def rows(self, reference: Reference) -> Sequence[Row]:
        """Rows of a measure: of one group where the reference names one, else of all."""
        chapters = chapters_of(reference)
        own = [
            row
            for row in self._results["measures"]
            if row["measure"] == reference.name and row["chapter"] in chapters
        ]
        if not own:
            raise NotComputed(self._why_not(chapters))
        found = [row for row in own if row["group"] == reference.group]
        if found or not reference.group:
            return found or own
        groups = [str(row["group"]) for row in own]
        if all(chapter in self._ran for chapter in chapters):
            raise CaseError(
                f"measure {reference.name!r} has no group {reference.group!r} here"
                f"{did_you_mean(reference.group, groups)}; it has: {', '.join(groups)}"
            )
        raise NotComputed(self._why_not(chapters))

    def verdicts(self, reference: Reference) -> Sequence[Row]:
        """Rows of a claim: of one measure where the reference names one, else of all."""
        own = [row for row in self._results["ledger"] if row["claim"] == reference.name]
        if not own:
            raise NotComputed(f"no verdict on {reference.name} in this run{self._left_out()}")
        found = [row for row in own if reference.group in ("", row["measure"])]
        if found:
            return found
        if self._left_out():
            raise NotComputed(f"no verdict on {reference} in this run{self._left_out()}")
        measures = [str(row["measure"]) for row in own]
        raise CaseError(
            f"claim {reference.name} is not decided by {reference.group!r}"
            f"{did_you_mean(reference.group, measures)} here, but by: {', '.join(measures)}"
        )

    def all_verdicts(self) -> Sequence[Row]:
        """Return every row of the ledger."""
        rows: Sequence[Row] = self._results["ledger"]
        if not rows:
            raise NotComputed(f"no claim was tested in this run{self._left_out()}")
        return rows

    def parameter(self, name: str) -> Any:
        """Value of a parameter, such as `3.budget_share`."""
        number, _, key = name.partition(".")
        for chapter, values in (self._results["run"].get("parameters") or {}).items():
            if chapter.partition("_")[0] == number:
                if key not in values:
                    raise CaseError(
                        f"chapter {number} has no parameter {key!r}{did_you_mean(key, values)}; "
                        f"it has: {', '.join(values)}"
                    )
                return values[key]
        raise NotComputed(f"chapter {number} did not run")

    def holds(self, condition: Condition) -> bool:
        """Whether a condition holds.

        Raises
        ------
        NotComputed
            When that cannot be said.
        """
        if condition.kind == "ran":
            return any(name.partition("_")[0] == str(condition.chapter) for name in self._ran)
        if condition.kind == "known":
            return self._known(condition.references[0])
        row = self.row(condition.references[0])
        if condition.kind == "is":
            return bool(row["verdict"] == condition.verdict)
        first, *others = [_estimate(self.row(one)) for one in condition.references]
        second = others[0] if others else condition.number
        if second is None:
            raise NotComputed(_NOT_KNOWN)
        return first > second if condition.way == "above" else first < second

    def _known(self, reference: Reference) -> bool:
        try:
            return self.row(reference)["estimate"] is not None
        except NotComputed:
            return False

    def _why_not(self, chapters: Sequence[str]) -> str:
        """Say why no row of a measure of these chapters is there."""
        missing = [chapter for chapter in chapters if chapter not in self._ran]
        if not missing:
            return f"chapter {_number(chapters[0])} reported none in this run"
        failed = self._chapters.get(missing[0], {}).get("status") == "failed"
        return f"chapter {_number(missing[0])} {'failed' if failed else 'did not run'}"

    def _left_out(self) -> str:
        """Say which of the case's chapters did not run; empty when all did."""
        resolved = (self._results["run"].get("case_file") or {}).get("resolved") or {}
        planned = resolved.get("chapters") or list(self._chapters)
        missing = [_number(chapter) for chapter in planned if chapter not in self._ran]
        return f" (without chapter {', '.join(missing)})" if missing else ""

    def text(self, placeholder: Placeholder) -> str:
        """Text of a placeholder for one number, verdict or fact."""
        writers = {
            "value": self._value,
            "part": self._part,
            "difference": self._pair,
            "ratio": self._pair,
            "verdict": lambda one: str(self.row(one.references[0])["verdict"]),
            "statement": lambda one: str(self.row(one.references[0])["statement"]),
            "parameter": self._parameter,
            "case": self._fact,
        }
        return writers[placeholder.kind](placeholder)

    def _value(self, asked: Placeholder) -> str:
        row = self.row(asked.references[0])
        text = self.number(_estimate(row), row, asked)
        return f"{text} ({self._interval(row, asked)})" if asked.with_interval else text

    def _interval(self, row: Row, asked: Placeholder | None = None) -> str:
        if row["lower"] is None or row["upper"] is None:
            return "no interval"
        return " to ".join(self.number(row[end], row, asked) for end in ("lower", "upper"))

    def _part(self, asked: Placeholder) -> str:
        row = self.row(asked.references[0])
        if asked.part == "interval":
            return self._interval(row, asked)
        value = row.get(asked.part)
        if value is None:
            raise NotComputed(f"no {asked.part} is known of {asked.references[0]}")
        return f"{value:,}" if asked.part == "n" else self.number(value, row, asked)

    def _pair(self, asked: Placeholder) -> str:
        """Difference or ratio of two estimates; without an interval, since they may depend."""
        rows = [self.row(one) for one in asked.references]
        first, second = map(_estimate, rows)
        if asked.kind == "difference":
            return self.number(first - second, rows[0], asked)
        if second == 0:
            raise NotComputed(f"{asked.references[1]} is zero")
        return self.number(first / second, {"unit": "ratio"}, asked)

    def _parameter(self, asked: Placeholder) -> str:
        value = self.parameter(asked.fact)
        if isinstance(value, int | float) and not isinstance(value, bool):
            plain = f"{value:,}" if isinstance(value, int) else f"{value:g}"
            return self.number(value, {"unit": ""}, asked) if asked.form else plain
        return ", ".join(map(str, value)) if isinstance(value, list) else str(value)

    def _fact(self, asked: Placeholder) -> str:
        value = self.case.get(asked.fact)
        if value in (None, ""):
            raise NotComputed(f"the case has no {asked.fact}")
        return ", ".join(value) if isinstance(value, list) else str(value)

    def number(self, value: float, row: Row, asked: Placeholder | None = None) -> str:
        """Write a number as asked, or as the report writes its unit."""
        form = asked.form if asked else ""
        unit = str(row["unit"] if "unit" in row else unit_of(str(row["measure"])))
        if form == "money":
            digits = asked.digits if asked else None
            return f"{_amount(value, digits)} {self._money(unit)}".strip()
        if not form:
            return written(value, unit)
        digits = asked.digits if asked and asked.digits is not None else _DIGITS[form]
        scale = 100 if form in _SUFFIX else 1
        return with_minus(f"{scale * value:,.{digits}f}") + _SUFFIX.get(form, "")

    def _money(self, unit: str) -> str:
        """Return the unit of an amount: the case's currency."""
        currency = str(self.case.get("currency") or "")
        return "" if currency == "none" else currency or unit

    def verdict_line(self, row: Row) -> tuple[str, str]:
        """Return the number of a row of the ledger and its interval, written out."""
        if row["estimate"] is None:
            return _NOT_KNOWN, ""
        interval = self._interval(row)
        return self.number(row["estimate"], row), "" if interval == "no interval" else interval


def _amount(value: float, digits: int | None) -> str:
    """Write an amount: small ones with cents, large ones in millions."""
    if digits is None and abs(value) >= _WITHOUT_CENTS:
        return compact(value)
    return with_minus(f"{value:,.{2 if digits is None else digits}f}")


def _estimate(row: Row) -> float:
    if row["estimate"] is None:
        raise NotComputed(_NOT_KNOWN)
    return float(row["estimate"])


def _number(chapter: str) -> str:
    return chapter.partition("_")[0]


def _several(reference: Reference, rows: Sequence[Row]) -> str:
    """Say how to tell the rows apart that fit a reference."""
    if reference.is_claim:
        names = ", ".join(f"{reference.name}[{row['measure']}]" for row in rows)
        return f"claim {reference.name} is decided by several measures; write one of: {names}"
    chapters = sorted({_number(str(row["chapter"])) for row in rows})
    if len(chapters) > 1:
        names = ", ".join(f"{n}.{reference.name}" for n in chapters)
        return f"chapters {', '.join(chapters)} report {reference.name!r}; write one of: {names}"
    groups = ", ".join(str(row["group"]) for row in rows)
    return f"measure {reference.name!r} has several groups; name one of: {groups}"
