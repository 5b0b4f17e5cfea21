"""What changed between two runs: what they were made from, and what they found.

Question: this number was another one last week; what else was?

- :func:`diff_runs`: two outputs make a :class:`RunDifference`.
- :attr:`RunDifference.changes`: case file, inputs, parameters, seeds, notebooks, library, packages,
  machine, chapters, exclusions and verdicts, as rows of old and new.
- :attr:`RunDifference.numbers`: measures, and the numbers of the ledger, beyond a tolerance.
- :attr:`RunDifference.conclusion`: whether changed numbers come with a changed cause.

Left aside, since no result depends on them: times, memory, number of processes, engine, paths of
the outputs.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from keycustomer.casework.across.outputs import CaseOutput
from keycustomer.casework.errors import CaseError
from keycustomer.casework.report.front import day
from keycustomer.customers.rendering import sentence_html

TOLERANCE = 1e-9
"""Relative change of a number from which it counts as changed: results hold twelve digits."""

CAUSES = {
    "case file": "the case file",
    "inputs": "the data",
    "parameters": "parameters",
    "seeds": "seeds",
    "notebooks": "notebooks",
    "library": "the library's code",
    "packages": "packages",
    "machine": "Python or the system",
}
"""Parts of a run that its results may come from, as they are called."""

ABOUT = ("checkout",)
"""Parts of a run that are told, though its results do not come from them: the code's hash tells."""

RESULTS = ("chapters", "exclusions", "skipped", "verdicts")
"""Parts of a run that come of it, but for its numbers."""

LINES = 40
"""Changed numbers that the text shows; JSON has all."""

_HASH = 10
_HASHES = {
    "the data": "inputs",
    "the library's code": "library_sha256",
    "the packages": "packages",
}
_PARTS = ("estimate", "lower", "upper", "truth", "n", "unit", "method")
_CHANGES = ["part", "name", "old", "new"]
_NUMBERS = ["chapter", "measure", "group", "part", "status", "old", "new", "change", "relative"]

Facts = dict[str, Any]


@dataclass(frozen=True, eq=False)
class RunDifference:
    """What changed between two runs.

    Attributes
    ----------
    old, new : CaseOutput
        The runs.
    changes : DataFrame
        One row a change: part (a key of `CAUSES`, one of `ABOUT` or of `RESULTS`), name, old, new
        (None: not there).
    numbers : DataFrame
        One row a changed part of a measure: chapter (`ledger` for numbers of claims), measure,
        group, part (estimate, lower, ..., unit, method), status (`changed`, `added`, `removed`),
        old, new, change and relative change (NaN where there is none).
    unchanged : int
        Measures, with those of the ledger, in which nothing changed.
    tolerance : float
        Largest relative change that is none.
    """

    old: CaseOutput
    new: CaseOutput
    changes: pd.DataFrame = field(repr=False)
    numbers: pd.DataFrame = field(repr=False)
    unchanged: int
    tolerance: float

    @property
    def same(self) -> bool:
        """Whether nothing changed."""
        return self.changes.empty and self.numbers.empty

    @property
    def causes(self) -> tuple[str, ...]:
        """What changed of that which results may come from."""
        present = set(self.changes["part"])
        return tuple(told for part, told in CAUSES.items() if part in present)

    @property
    def conclusion(self) -> str:
        """Whether changed results come with a changed cause, in one sentence."""
        found = not self.numbers.empty or bool(set(self.changes["part"]) & set(RESULTS))
        causes = ", ".join(self.causes)
        if self.same:
            return "Nothing changed."
        if not found:
            return f"Changed: {causes or 'the commit'}; the results did not."
        if causes:
            return f"The results changed, and so did: {causes}."
        return (
            "The results changed, though case file, data, parameters, seeds, notebooks, code, "
            "packages and machine are the same as far as the records tell: perhaps something in a "
            f"chapter depends on chance or order.{self._unrecorded}"
        )

    @property
    def _unrecorded(self) -> str:
        """Say which causes neither record tells, so that nobody knows whether they changed."""
        runs = self.old.run, self.new.run
        missing = [name for name, key in _HASHES.items() if not any(run.get(key) for run in runs)]
        return f" Neither record tells {' and '.join(missing)}." if missing else ""

    @property
    def sentence(self) -> str:
        """What changed, in one or two sentences."""
        count = len(self.numbers[["chapter", "measure", "group"]].drop_duplicates())
        return f"{self.conclusion} {count:,} numbers changed, {self.unchanged:,} did not."

    @property
    def text(self) -> str:
        """All changes as lines."""
        return "\n".join(_lines(self))

    def to_frame(self) -> pd.DataFrame:
        """Return the changed numbers."""
        return self.numbers

    def to_json(self) -> str:
        """Return all changes as JSON."""
        content = {
            "same": self.same,
            "conclusion": self.conclusion,
            "tolerance": self.tolerance,
            "old": _identity(self.old),
            "new": _identity(self.new),
            "changes": self.changes.to_dict("records"),
            "numbers": [
                {key: None if _unknown(value) else value for key, value in row.items()}
                for row in self.numbers.to_dict("records")
            ],
            "unchanged": self.unchanged,
        }
        return json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False)

    def _repr_html_(self) -> str:
        return sentence_html(self.sentence, self.changes.astype(str))


def diff_runs(old: CaseOutput, new: CaseOutput, *, tolerance: float = TOLERANCE) -> RunDifference:
    """Tell what changed between two runs.

    Parameters
    ----------
    old, new : CaseOutput
        Outputs of two runs, usually of one case.
    tolerance : float
        Largest relative change of a number that counts as none.

    Returns
    -------
    RunDifference

    Raises
    ------
    CaseError
        When the tolerance is not a number of at least 0.
    """
    if not tolerance >= 0:
        raise CaseError(f"--tolerance {tolerance}: give a number of at least 0")
    before, after = _facts(old), _facts(new)
    rows = [
        (part, name, _plain(before[part].get(name)), _plain(after[part].get(name)))
        for part in before
        for name in {**before[part], **after[part]}
        if _differ(before[part].get(name), after[part].get(name), tolerance)
    ]
    numbers, unchanged = _numbers(old, new, tolerance)
    changes = pd.DataFrame(rows, columns=_CHANGES, dtype=object)
    return RunDifference(old, new, changes, numbers, unchanged, tolerance)


def _facts(output: CaseOutput) -> dict[str, Facts]:
    """Return what a run was made from and what came of it, by part and name."""
    run = output.run
    parameters = run.get("parameters") or {}
    chapters = run.get("chapters") or {}
    return {
        "case file": dict(_flat((run.get("case_file") or {}).get("resolved") or {})),
        "inputs": _inputs(run.get("inputs") or ()),
        "parameters": {
            f"{chapter} {name}": value
            for chapter, values in parameters.items()
            for name, value in values.items()
            if name != "seed"
        },
        "seeds": {chapter: seed for chapter, seed in (run.get("seeds") or {}).items()},
        "notebooks": {
            name: _short(record.get("notebook_sha256")) for name, record in chapters.items()
        },
        "library": {
            "version": run.get("keycustomer"),
            "code": _short(run.get("library_sha256")),
        },
        "checkout": {
            "commit": _short(run.get("commit")),
            "uncommitted changes": run.get("dirty"),
        },
        "packages": {"lock": _short(run.get("lock_sha256")), **(run.get("packages") or {})},
        "machine": {
            "Python": run.get("python"),
            "system": run.get("platform"),
            "time zone": run.get("time_zone_of_machine"),
        },
        "chapters": _chapters(chapters),
        "exclusions": _exclusions(output.results["exclusions"]),
        "skipped": {row["section"]: row["missing_table"] for row in output.results["skipped"]},
        "verdicts": {
            " ".join(key): row["verdict"]
            for key, row in _keyed(output.results["ledger"], ("claim", "measure")).items()
        },
    }


def _flat(value: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Keys of a case file with dots between them, and their values."""
    for key, inner in value.items():
        name = f"{before}{key}"
        if isinstance(inner, Mapping) and inner:
            yield from _flat(inner, f"{name}.")
        else:
            yield name, inner


def _inputs(rows: Iterable[Mapping[str, Any]]) -> Facts:
    """Return inputs by table, numbered where a table has several files."""
    facts: Facts = {}
    for (table, *more), row in _keyed(list(rows), ("table",)).items():
        name = " ".join([table, *more])
        facts |= {
            f"{name}, {told}": row.get(key)
            for key, told in (("location", "place"), ("rows", "rows"), ("bytes", "bytes"))
        }
        facts[f"{name}, hash"] = _short(row.get("sha256"))
    return facts


def _chapters(chapters: Mapping[str, Mapping[str, Any]]) -> Facts:
    facts: Facts = {}
    for name, record in chapters.items():
        facts[name] = record.get("status")
        if record.get("error"):
            facts[f"{name}, error"] = record["error"]
    return facts


def _exclusions(rows: Iterable[Mapping[str, Any]]) -> Facts:
    facts: Facts = {}
    for key, row in _keyed(list(rows), ("table_name", "rule")).items():
        name = " ".join(key)
        facts |= {f"{name}, {part}": row.get(part) for part in ("action", "rows", "value")}
    return facts


def _keyed(
    rows: Sequence[Mapping[str, Any]], names: Sequence[str]
) -> dict[tuple[str, ...], Mapping[str, Any]]:
    """Rows by the values of some columns; those that repeat are numbered."""
    seen: Counter[tuple[str, ...]] = Counter()
    keyed: dict[tuple[str, ...], Mapping[str, Any]] = {}
    for row in rows:
        key = tuple(str(row[name]) for name in names)
        seen[key] += 1
        keyed[key if seen[key] == 1 else (*key, f"({seen[key]})")] = row
    return keyed


def _numbers(old: CaseOutput, new: CaseOutput, tolerance: float) -> tuple[pd.DataFrame, int]:
    """Compare measures and the ledger; count what did not change."""
    before, after = _measures(old), _measures(new)
    rows: list[tuple[Any, ...]] = []
    unchanged = 0
    for key in {**before, **after}:
        own = list(_changed(key, before.get(key), after.get(key), tolerance))
        rows += own
        unchanged += not own
    return pd.DataFrame(rows, columns=_NUMBERS), unchanged


def _measures(output: CaseOutput) -> dict[tuple[str, ...], Mapping[str, Any]]:
    measures = _keyed(output.results["measures"], ("chapter", "measure", "group"))
    claims = [
        {**row, "chapter": "ledger", "measure": row["claim"], "group": row["measure"]}
        for row in output.results["ledger"]
    ]
    return {**measures, **_keyed(claims, ("chapter", "measure", "group"))}


def _changed(
    key: tuple[str, ...],
    old: Mapping[str, Any] | None,
    new: Mapping[str, Any] | None,
    tolerance: float,
) -> Iterator[tuple[Any, ...]]:
    """Rows of a measure's changed parts; one row, its estimate, where it is new or gone."""
    chapter, measure, group = key[0], key[1], " ".join(key[2:])
    if old is None or new is None:
        status = "added" if old is None else "removed"
        values = (
            None if old is None else old["estimate"],
            None if new is None else new["estimate"],
        )
        yield (chapter, measure, group, "estimate", status, *values, math.nan, math.nan)
        return
    for part in _PARTS:
        before, after = old.get(part), new.get(part)
        if _differ(before, after, tolerance):
            changes = _sizes(before, after)
            yield (chapter, measure, group, part, "changed", before, after, *changes)


def _differ(old: Any, new: Any, tolerance: float) -> bool:
    """Whether two values differ; numbers by more than the relative tolerance."""
    if _unknown(old) or _unknown(new):
        return not (_unknown(old) and _unknown(new))
    if _is_number(old) and _is_number(new):
        return not math.isclose(old, new, rel_tol=tolerance, abs_tol=0.0)
    return bool(old != new)


def _sizes(old: Any, new: Any) -> tuple[float, float]:
    """Absolute and relative change of two numbers; NaN where there is none."""
    if not (_is_number(old) and _is_number(new)):
        return math.nan, math.nan
    change = float(new) - float(old)
    relative = change / abs(old) if old else math.nan
    # past what a number can hold there is none to tell
    change, relative = (one if math.isfinite(one) else math.nan for one in (change, relative))
    return change, relative


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _unknown(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def _short(digest: Any) -> str | None:
    return None if digest is None else str(digest)[:_HASH]


def _plain(value: Any) -> Any:
    """Return a value that a table cell and JSON can hold."""
    if _unknown(value) or isinstance(value, str | int | float):
        return None if _unknown(value) else value
    return json.dumps(value, ensure_ascii=False)


def _identity(output: CaseOutput) -> Facts:
    made = str(output.run.get("ended") or output.run.get("started") or "")
    return {"case": output.name, "made": made, "folder": str(output.folder)}


def _lines(found: RunDifference) -> Iterator[str]:
    """Lines of the text."""
    for label, output in (("old", found.old), ("new", found.new)):
        made = str(output.run.get("ended") or output.run.get("started") or "")
        yield f"{label}: {output.name}, made on {day(made)} {made[11:19]}: {output.folder}"
    if found.old.name != found.new.name:
        yield "These are runs of two cases; to compare cases: keycustomer compare."
    for part in (*CAUSES, *ABOUT, *RESULTS):
        own = found.changes[found.changes["part"] == part]
        if len(own):
            yield f"\n{part}"
            for row in own.to_dict("records"):
                yield f"  {row['name']}: {_text(row['old'])} -> {_text(row['new'])}"
    if len(found.numbers):
        yield "\nmeasures"
        yield from _number_lines(found.numbers)
    yield f"\n{found.unchanged:,} numbers unchanged (relative tolerance {found.tolerance:g})."
    yield found.conclusion


def _number_lines(numbers: pd.DataFrame) -> Iterator[str]:
    for row in numbers.head(LINES).to_dict("records"):
        group = f"[{row['group']}]" if row["group"] else ""
        part = "" if row["part"] == "estimate" else f", {row['part']}"
        change = "" if math.isnan(row["change"]) else f" ({row['change']:+.4g}{_relative(row)})"
        status = "" if row["status"] == "changed" else f" ({row['status']})"
        yield (
            f"  {row['chapter']} {row['measure']}{group}{part}: "
            f"{_text(row['old'])} -> {_text(row['new'])}{change}{status}"
        )
    if len(numbers) > LINES:
        yield f"  and {len(numbers) - LINES:,} more; --json has all"


def _relative(row: Mapping[Any, Any]) -> str:
    return "" if math.isnan(row["relative"]) else f", {100 * row['relative']:+.3g} %"


def _text(value: Any) -> str:
    if _unknown(value):
        return "none"
    return f"{value:.9g}" if isinstance(value, float) else str(value)
