"""Outputs of cases as runs write them, made by hand, for tests of what stands across cases."""

import copy
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from keycustomer.casework.across.outputs import CaseOutput, read_output

CHAPTERS = ("0_customer_file", "1_pareto_analysis")


def measure(
    name: str,
    estimate: float | None,
    lower: float | None = None,
    upper: float | None = None,
    *,
    group: str = "",
    unit: str = "index 0..1",
    chapter: str = "1_pareto_analysis",
    truth: float | None = None,
    n: int | None = 100,
) -> dict[str, Any]:
    """A row of the measures."""
    return {
        "chapter": chapter,
        "measure": name,
        "group": group,
        "estimate": estimate,
        "lower": lower,
        "upper": upper,
        "truth": truth,
        "unit": unit,
        "n": n,
        "method": "",
    }


def claim(
    name: str,
    verdict: str,
    *,
    measure: str = "pareto_share",
    estimate: float | None = 0.7,
    lower: float | None = 0.6,
    upper: float | None = 0.8,
    statement: str = "A fifth brings four fifths",
) -> dict[str, Any]:
    """A row of the ledger."""
    return {
        "claim": name,
        "statement": statement,
        "measure": measure,
        "estimate": estimate,
        "lower": lower,
        "upper": upper,
        "verdict": verdict,
        "data": "crafted",
    }


MEASURES = (
    measure("revenue", 2_500_000.0, unit="currency", chapter="0_customer_file"),
    measure("gini", 0.5, 0.4, 0.6),
    measure("pareto_share", 0.7, 0.6, 0.8, group="top_20", unit="share of revenue", truth=0.72),
    measure("pareto_share", 0.5, 0.4, 0.65, group="top_10", unit="share of revenue"),
)
LEDGER = (
    claim("K1", "not supported"),
    claim("K1", "undecided", measure="lasting_pareto_share", estimate=None, lower=None, upper=None),
    claim("K2", "supported", measure="overlooked_share", statement="Others <later>"),
)


def results(
    name: str = "first",
    measures: Sequence[Mapping[str, Any]] = MEASURES,
    ledger: Sequence[Mapping[str, Any]] = LEDGER,
    **case: Any,
) -> dict[str, Any]:
    """Content of a results file; keywords go into its `case`."""
    chapters = list(case.pop("chapters", CHAPTERS))
    run = {
        "case_file": {"sha256": "c" * 64, "resolved": {"title": "T", "chapters": list(CHAPTERS)}},
        "parameters": {"1_pareto_analysis": {"top": 0.2, "seed": 0, "every": "month"}},
        "seeds": {"1_pareto_analysis": 0},
        "inputs": [
            {
                "table": "transactions",
                "location": "sales.csv",
                "bytes": 10,
                "sha256": name.encode().hex().ljust(64, "0"),
                "rows": 5,
                "note": "",
            }
        ],
        "chapters": {
            chapter: {
                "status": "completed",
                "error": "",
                "started": "2026-01-02T03:04:05.000+00:00",
                "ended": "2026-01-02T03:05:05.000+00:00",
                "notebook_sha256": "b" * 64,
            }
            for chapter in chapters
        },
        "started": "2026-01-02T03:04:05.000+00:00",
        "ended": "2026-01-02T03:05:05.000+00:00",
        "keycustomer": "0.1.0",
        "library_sha256": "a" * 64,
        "lock_sha256": "d" * 64,
        "commit": "e" * 40,
        "dirty": False,
        "python": "3.11.7",
        "platform": "Linux",
        "time_zone_of_machine": "UTC",
        "packages": {"numpy": "2.4.0"},
    }
    facts = {
        "name": name,
        "title": f"Case {name}",
        "data": "Made by hand.",
        "simulated": False,
        "currency": "EUR",
        "start": None,
        "end": None,
        "chapters": chapters,
        **case,
    }
    content = {"measures": list(measures), "ledger": list(ledger), "exclusions": [], "skipped": []}
    return copy.deepcopy({"case": facts, **content, "run": run})


def write(folder: Path, content: Mapping[str, Any]) -> CaseOutput:
    """Write results into a folder, with a report beside them, and read them back."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.json").write_text(json.dumps(content), encoding="utf-8")
    (folder / "report.html").write_text("<!DOCTYPE html><title>r</title>", encoding="utf-8")
    return read_output(folder)


def output(name: str = "first", *args: Any, **case: Any) -> CaseOutput:
    """An output that stands in no folder."""
    return CaseOutput(name, Path("crafted") / name, results(name, *args, **case))
