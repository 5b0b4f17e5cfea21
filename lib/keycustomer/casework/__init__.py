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

from typing import TYPE_CHECKING

from keycustomer.lazy import lazy_names

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

_NAMES: dict[str, tuple[str, ...]] = {
    "across.comparing": ("compare_cases",),
    "across.differing": ("diff_runs",),
    "across.ledger": ("evidence_ledger",),
    "across.notes": ("fill_note",),
    "across.outputs": ("find_outputs",),
    "case": ("Case", "CaseError", "CaseSpecification", "load_case"),
    "chapter": ("Chapter", "open_chapter"),
    "runner": ("run_cases",),
    "sweeps.results": ("read_sweep",),
    "sweeps.sweeping": ("sweep_case",),
}
"""Public names by module; a name must differ from every module's name."""

_lazy, __getattr__, __dir__ = lazy_names(__name__, _NAMES)
