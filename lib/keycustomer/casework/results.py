"""The results of a case: its chapters' records merged into one file others build on.

Question: what did this case show, in numbers that a program can read?

`results.json` has the keys `case`, `measures`, `ledger`, `exclusions`, `skipped` and `run`.
Identical inputs give the same bytes in all of them but `run`.

:func:`merge_results` makes the content of the file of the records of chapters.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from keycustomer.casework.case import Case
from keycustomer.casework.measures import json_number
from keycustomer.customers.base import CustomerBase

_INTERVAL = ("estimate", "lower", "upper")
MEASURE_COLUMNS = ("chapter", "measure", "group", *_INTERVAL, "truth", "unit", "n", "method")
LEDGER_COLUMNS = ("claim", "statement", "measure", *_INTERVAL, "verdict", "data")
_EXCLUSION = ("table_name", "rule", "action", "rows", "value", "note")


def merge_results(
    case: Case,
    base: CustomerBase,
    chapters: Iterable[Mapping[str, Any]],
    run: Mapping[str, Any],
) -> dict[str, Any]:
    """Merge the records of chapters.

    Parameters
    ----------
    case : Case
        The case.
    base : CustomerBase
        Its prepared base.
    chapters : iterable of mapping
        Records as `Chapter.save` writes them, in reading order.
    run : mapping
        The run record.

    Returns
    -------
    dict
        The content of `results.json`.
    """
    records = list(chapters)
    return {
        "case": _facts(case, base, [str(record["chapter"]) for record in records]),
        "measures": _rows(records, "measures", MEASURE_COLUMNS),
        "ledger": _rows(records, "ledger", LEDGER_COLUMNS),
        "exclusions": _exclusions(base),
        "skipped": _rows(records, "skipped", ("section", "missing_table")),
        "run": dict(run),
    }


def _facts(case: Case, base: CustomerBase, chapters: list[str]) -> dict[str, Any]:
    return {
        "name": case.name,
        "title": base.title,
        "data": base.data,
        "simulated": base.simulated,
        "identifiable": base.identifiable,
        "currency": base.currency,
        "time_zone": base.time_zone,
        "start": base.start.isoformat() if base.window else None,
        "end": base.end.isoformat() if base.window else None,
        "margin": base.margin,
        "cost_per_order": base.cost_per_order,
        "tables": sorted(base.tables),
        "chapters": chapters,
    }


def _rows(
    records: Iterable[Mapping[str, Any]], kind: str, columns: tuple[str, ...]
) -> list[dict[str, Any]]:
    return [{name: row[name] for name in columns} for record in records for row in record[kind]]


def _exclusions(base: CustomerBase) -> list[dict[str, Any]]:
    """Rows and value that each rule removed, without numpy's types."""
    rows = base.exclusions.sort_values(["table_name", "rule"]).to_dict("records")
    plain = []
    for row in rows:
        numbers = {name: json_number(row[name], f"exclusions.{name}") for name in ("rows", "value")}
        texts = {name: _text(row[name]) for name in ("table_name", "rule", "action", "note")}
        plain.append({name: {**texts, **numbers}[name] for name in _EXCLUSION})
    return plain


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
