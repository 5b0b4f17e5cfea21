"""Case runs: case files, the chapters' notebooks, their results and reports.

Question: how does one file that describes a customer base become a report that can be trusted,
run again and compared?

- :func:`load_case` reads and checks a case file; :class:`Case` is what it says.
- :func:`open_chapter` opens a chapter inside its notebook; :class:`Chapter` records its results.
- :func:`run_cases` runs the chapters of cases in worker processes and publishes their output.
- :func:`sweep_case` runs a case at every point of a grid; :func:`read_sweep` reads one back.

Names load their module at first use: papermill imports this package while it is itself being
imported.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from keycustomer.casework.across.comparing import compare_cases
    from keycustomer.casework.across.differing import diff_runs
    from keycustomer.casework.across.ledger import evidence_ledger
    from keycustomer.casework.across.notes import fill_note
    from keycustomer.casework.across.outputs import find_outputs
    from keycustomer.casework.case import Case, CaseError, CaseSpecification, load_case
    from keycustomer.casework.chapter import Chapter, open_chapter
    from keycustomer.casework.runner import run_cases
    from keycustomer.casework.sweeps.results import read_sweep
    from keycustomer.casework.sweeps.sweeping import sweep_case

__all__ = [
    "Case",
    "CaseError",
    "CaseSpecification",
    "Chapter",
    "compare_cases",
    "diff_runs",
    "evidence_ledger",
    "fill_note",
    "find_outputs",
    "load_case",
    "open_chapter",
    "read_sweep",
    "run_cases",
    "sweep_case",
]

_MODULE_OF = {
    "Case": "case",
    "CaseError": "case",
    "CaseSpecification": "case",
    "Chapter": "chapter",
    "compare_cases": "across.comparing",
    "diff_runs": "across.differing",
    "evidence_ledger": "across.ledger",
    "fill_note": "across.notes",
    "find_outputs": "across.outputs",
    "load_case": "case",
    "open_chapter": "chapter",
    "read_sweep": "sweeps.results",
    "run_cases": "runner",
    "sweep_case": "sweeps.sweeping",
}


def __getattr__(name: str) -> Any:
    """Load the module that owns `name` at its first use."""
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """All public names, loaded or not."""
    return sorted({*globals(), *__all__})
