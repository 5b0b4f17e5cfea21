"""A two-chapter case run against the same notebooks through papermill's command line.

    python -m benchmarks.case_run [--case cdnow] [--repeat 3]

The command line runs one notebook after the other, each in a fresh kernel; the case run executes
both in kernels forked from a pre-imported process, side by side, and also writes the report, the
results and the record. Both find the base prepared (warm). Printed are the best of the repeats.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks.measure import ROOT, Usage, in_own_process, report

CHAPTERS = ("0_customer_file", "1_pareto_analysis")
BIN = Path(sys.executable).parent


def papermill(case: str, folder: Path) -> Usage:
    """Run the chapters through papermill's command line, one after the other."""
    used = []
    for chapter in CHAPTERS:
        notebook = ROOT / "notebooks" / f"{chapter}.ipynb"
        command = [str(BIN / "papermill"), str(notebook), str(folder / f"{chapter}.ipynb")]
        command += ["-p", "case", case, "--cwd", str(ROOT / "notebooks")]
        used.append(in_own_process(command)[0])
    return Usage(
        sum(usage.wall for usage in used),
        sum(usage.cpu for usage in used),
        max(usage.peak_memory for usage in used),
    )


def case_run(case: str, engine: str, folder: Path) -> Usage:
    """Run the case as a whole."""
    command = [str(BIN / "keycustomer"), "run", case, "--force", "--engine", engine]
    return in_own_process([*command, "--output", str(folder)])[0]


def main() -> None:
    """Measure all three ways and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--case", default="cdnow")
    parser.add_argument("--repeat", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        ways = {
            "papermill": lambda: papermill(arguments.case, place),
            "run": lambda: case_run(arguments.case, "default", place),
            "run forked": lambda: case_run(arguments.case, "forked", place),
        }
        for way in ways.values():
            way()  # prepares the bases, so that all that follows is warm
        best = {
            name: min((way() for _ in range(arguments.repeat)), key=lambda usage: usage.wall)
            for name, way in ways.items()
        }
    for name, usage in best.items():
        report(name, len(CHAPTERS), usage, best["papermill"].cpu)
        print(f"{'':12} wall time: {best['papermill'].wall / usage.wall:.2f} times as fast")


if __name__ == "__main__":
    main()
