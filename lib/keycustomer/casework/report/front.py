"""What stands before the chapters of a report, and the appendix.

Question: what must a reader know who looks at the first page only?

:func:`front` makes, from the content of ``results.json``: what the data are, when and with what the
report was made, the main figures, the evidence ledger, what the rules removed, what was skipped,
which chapters failed; and for the appendix all measures and the run record.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from keycustomer.casework.across.rules import RULES
from keycustomer.casework.measures import MEASURES

# Measures of the first page, in order: name, group, the least a reader needs to know of it.
_MAIN = (
    ("buyers", "", "customers who bought"),
    ("revenue", "", "revenue observed"),
    ("pareto_share", "top_20", "of revenue from the top 20 % of customers"),
    ("customers_for_80", "", "of customers bring 80 % of revenue"),
    ("gini", "", "Gini coefficient of revenue"),
    ("retained_top_20", "", "of the top 20 % are in the top 20 % again"),
    ("lasting_pareto_share", "Pareto/NBD", "of purchases from the top 20 %, luck taken out"),
    ("customer_equity", "", "value still to come from present customers"),
    ("overlooked_share", "", "of those with key potential are not key now"),
    (
        "indirect_value_loyalty",
        "",
        "standard deviations of loyalty for one of value, by way of satisfaction",
    ),
    ("cfi", "", "comparative fit index of the measurement model"),
)
_MONEY = ("revenue", "customer_equity")
_PACKAGES = (
    "numpy",
    "pandas",
    "duckdb",
    "scipy",
    "matplotlib",
    "seaborn",
    "papermill",
    "ipykernel",
)
_COUNTED = ("customers", "orders", "lines", "days", "pairs")
_THIN = "\N{NARROW NO-BREAK SPACE}"
_MONTHS = (
    "January February March April May June July August September October November December".split()
)


def front(results: Mapping[str, Any]) -> dict[str, Any]:
    """Gather what the page's template shows.

    Parameters
    ----------
    results : mapping
        Content of ``results.json``; keys that are absent are left out of the page.

    Returns
    -------
    dict
        Names of the template.
    """
    case, run = results.get("case") or {}, results.get("run") or {}
    measures = list(results.get("measures") or ())
    return {
        "title": str(case.get("title") or case.get("name") or "Case report"),
        "data": str(case.get("data") or ""),
        "simulated": bool(case.get("simulated")),
        "facts": [*_case_facts(case), *_run_facts(run)],
        "main": _main_figures(measures),
        "ledger": [_with_number(row, "measure") for row in results.get("ledger") or ()],
        "exclusions": [_exclusion(row, case) for row in results.get("exclusions") or ()],
        "skipped": list(results.get("skipped") or ()),
        "measures": [_with_number(row, "group") for row in measures],
        "with_truth": any(row.get("truth") is not None for row in measures),
        "problems": _problems(run),
        "record": _record(run),
    }


def day(text: object) -> str:
    """Return an ISO date or time as a reader writes a date; other text as it is."""
    try:
        value = dt.datetime.fromisoformat(str(text))
    except ValueError:
        return str(text)
    return f"{value.day} {_MONTHS[value.month - 1]} {value.year}"


def _case_facts(case: Mapping[str, Any]) -> list[tuple[str, str]]:
    facts = []
    if case.get("start") and case.get("end"):
        facts.append(("Observed", f"{day(case['start'])} to {day(case['end'])}"))
    if case.get("currency") not in (None, "", "none"):
        facts.append(("Amounts in", str(case["currency"])))
    if case.get("margin") is not None:
        facts.append(("Assumed margin", _percent(float(case["margin"]))))
    if "identifiable" in case:
        shown = "under their ids" if case["identifiable"] else "under pseudonyms"
        facts.append(("Customers appear", shown))
    return facts


def _run_facts(run: Mapping[str, Any]) -> list[tuple[str, str]]:
    facts = []
    made = run.get("ended") or run.get("started")
    if made:
        clock = str(made)[11:16]
        facts.append(("Made on", f"{day(made)}, {clock} UTC" if clock else day(made)))
    if run.get("keycustomer"):
        commit = str(run.get("commit") or "")[:10]
        changed = " with changes" if commit and run.get("dirty") else ""
        version = f"keycustomer {run['keycustomer']}"
        facts.append(("Made with", f"{version} ({commit}{changed})" if commit else version))
    return facts


def _main_figures(measures: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Return the figures of the first page that the case has."""
    found = {(row.get("measure"), row.get("group") or ""): row for row in measures}
    figures = []
    for name, group, caption in _MAIN:
        row = found.get((name, group))
        if row is None or row.get("estimate") is None:
            continue
        unit = str(row.get("unit") or "")
        money = name in _MONEY and unit not in ("", "currency")
        show = compact if money else _shower(unit)
        figures.append(
            {
                "value": show(float(row["estimate"])),
                "unit": unit if money else "",
                "interval": _interval(row, show),
                "caption": caption.replace(" %", f"{_THIN}%"),
            }
        )
    return figures


def compact(value: float) -> str:
    """Return an amount with the digits a board takes in.

    Examples
    --------
    >>> compact(2_500_315.63)
    '2.50 million'
    """
    for size, name in ((1e9, "billion"), (1e6, "million")):
        if abs(value) >= size:
            return with_minus(f"{value / size:.2f} {name}")
    return with_minus(f"{value:,.0f}")


def written(value: float, unit: str) -> str:
    """Return a number as the report writes numbers of its unit.

    Examples
    --------
    >>> written(0.25, "share of revenue").replace(chr(0x202F), " ")
    '25.0 %'
    """
    return _shower(unit)(value)


def _shower(unit: str) -> Callable[[Any], str]:
    """Return how numbers of a unit are written."""
    show = _digits
    if unit.startswith("share"):
        show = _percent
    elif unit.split(" ")[0] in _COUNTED and " per " not in unit:
        show = _whole
    return lambda value: with_minus(show(float(value)))


def with_minus(text: str) -> str:
    """Write the minus sign of a number as such, and none before zero.

    Examples
    --------
    >>> with_minus("-0.0")
    '0.0'
    """
    zero = not any(digit in text for digit in "123456789")
    return text.replace("-", "" if zero else "\N{MINUS SIGN}")


def _whole(value: float) -> str:
    return f"{value:,.0f}"


def _percent(value: float) -> str:
    return f"{100 * value:.1f}{_THIN}%"


def _digits(value: float) -> str:
    """Three significant digits for the small, two decimals for the large."""
    if value == 0 or abs(value) >= 1000:
        return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.2f}"
    return f"{value:.3g}" if abs(value) < 100 else f"{value:.1f}"


def _interval(row: Mapping[str, Any], show: Callable[[Any], str]) -> str:
    if row.get("lower") is None or row.get("upper") is None:
        return ""
    return f"{show(row['lower'])} to {show(row['upper'])}"


def _with_number(row: Mapping[str, Any], detail: str) -> dict[str, str]:
    """Row of the ledger or of the measures, its numbers written out."""
    known = MEASURES.get(str(row.get("chapter")), {}).get(str(row.get("measure")))
    unit = str(row.get("unit") or unit_of(str(row.get("measure"))))
    show = _shower(unit)
    estimate = row.get("estimate")
    texts = {name: "" if row.get(name) is None else str(row[name]) for name in row}
    return {
        **texts,
        "detail": str(row.get(detail) or ""),
        "meaning": known.meaning if known else "",
        "unit": unit,
        "value": "unknown" if estimate is None else show(estimate),
        "interval": _interval(row, show),
        "truth": "" if row.get("truth") is None else show(row["truth"]),
        "count": "" if row.get("n") is None else f"{row['n']:,}",
    }


def unit_of(measure: str) -> str:
    """Return the unit of a measure whose row carries none, as in the ledger."""
    units = {rule.measure: rule.unit for rule in RULES.values()}
    units |= {name: entry.unit for chapter in MEASURES.values() for name, entry in chapter.items()}
    return units.get(measure, "share" if "share" in measure else "")


def _exclusion(row: Mapping[str, Any], case: Mapping[str, Any]) -> dict[str, str]:
    texts = {name: "" if row.get(name) is None else str(row[name]) for name in row}
    value = row.get("value")
    return {
        **texts,
        "rows": "" if row.get("rows") is None else f"{int(row['rows']):,}",
        "value": "" if value is None else f"{float(value):,.2f}",
    }


def _problems(run: Mapping[str, Any]) -> dict[str, str]:
    """Error of each chapter that failed, by name."""
    chapters = run.get("chapters") or {}
    return {
        str(name): str(record.get("error") or "the notebook ended with an error")
        for name, record in chapters.items()
        if record.get("status") == "failed"
    }


def _record(run: Mapping[str, Any]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the run record in groups of name and value."""
    packages = run.get("packages") or {}
    versions = [(name, str(packages[name])) for name in _PACKAGES if name in packages]
    groups = [
        ("Inputs", [_input(row) for row in run.get("inputs") or ()]),
        ("Parameters", _parameters(run.get("parameters") or {})),
        ("Chapters", _executions(run.get("chapters") or {})),
        ("Machine", _machine(run)),
        ("Versions", [*_own_versions(run), *versions]),
    ]
    return [(name, rows) for name, rows in groups if rows]


def _input(row: Mapping[str, Any]) -> tuple[str, str]:
    size = f"{row['bytes']:,} bytes" if row.get("bytes") is not None else ""
    rows = f"{row['rows']:,} rows" if row.get("rows") is not None else ""
    digest = f"SHA-256 {row['sha256']}" if row.get("sha256") else ""
    told = ", ".join(part for part in (str(row.get("location") or ""), size, rows, digest) if part)
    return str(row.get("table") or "input"), told


def _parameters(parameters: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, str]]:
    return [
        (name, ", ".join(f"{key} = {value!r}" for key, value in values.items()))
        for name, values in parameters.items()
        if values
    ]


def _executions(chapters: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, str]]:
    return [
        (
            name,
            f"{record.get('status')}, {float(record.get('seconds') or 0):.1f} s"
            + (", taken over from the run before" if record.get("reused") else ""),
        )
        for name, record in chapters.items()
    ]


def _machine(run: Mapping[str, Any]) -> list[tuple[str, str]]:
    names = {
        "platform": "system",
        "python": "Python",
        "engine": "engine",
        "jobs": "processes",
        "threads_per_job": "threads a process",
        "memory_limit_per_job": "memory a process",
        "time_zone_of_machine": "time zone",
    }
    return [(told, str(run[key])) for key, told in names.items() if run.get(key) is not None]


def _own_versions(run: Mapping[str, Any]) -> list[tuple[str, str]]:
    names = {"keycustomer": "keycustomer", "commit": "commit", "lock_sha256": "lock SHA-256"}
    return [(told, str(run[key])) for key, told in names.items() if run.get(key)]
