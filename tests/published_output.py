"""Outputs of cases written by hand, for tests of what reads them."""

from pathlib import Path
from typing import Any

from keycustomer.casework.across.outputs import CaseOutput, read_output
from keycustomer.casework.files import write_json
from keycustomer.casework.freshness import library_hash


def row(
    claim: str,
    measure: str,
    verdict: str,
    ends: tuple[float | None, float | None, float | None] = (None, None, None),
    statement: str = "As tested",
) -> dict[str, Any]:
    """A row of a ledger."""
    parts = dict(zip(("estimate", "lower", "upper"), ends, strict=True))
    return {"claim": claim, "statement": statement, "measure": measure} | parts | {
        "verdict": verdict,
        "data": "made up",
    }  # fmt: skip


def measured(
    measure: str, group: str, ends: tuple[float, float | None, float | None]
) -> dict[str, Any]:
    """A row of the measures."""
    parts = dict(zip(("estimate", "lower", "upper"), ends, strict=True))
    return {"chapter": "1_pareto_analysis", "measure": measure, "group": group} | parts | {
        "truth": None,
        "unit": "share",
        "n": 10,
        "method": "",
    }  # fmt: skip


def publish(
    folder: Path,
    name: str,
    ledger: list[dict[str, Any]],
    *,
    simulated: bool = False,
    measures: list[dict[str, Any]] | None = None,
    **run: Any,
) -> CaseOutput:
    """Write an output folder and read it back."""
    record = {"ended": "2026-11-22T12:00:00+00:00", "keycustomer": "0.1.0"}
    record |= {"library_sha256": library_hash(), "chapters": {}}
    facts = {"name": name, "title": f"Case {name}", "simulated": simulated, "chapters": []}
    folder.mkdir(parents=True, exist_ok=True)
    write_json(
        folder / "results.json",
        {
            "case": facts,
            "measures": measures or [],
            "ledger": ledger,
            "exclusions": [],
            "skipped": [],
            "run": record | run,
        },
    )
    return read_output(folder)
