"""A two-chapter case run against the same notebooks through papermill's command line.

    python -m benchmarks.case_run [--case cdnow] [--repeat 3]

The command line runs one notebook after the other, each in a fresh kernel; the case run executes
both in kernels forked from a pre-imported process, side by side, and also writes the report, the
results and the record.  Both find the base prepared (warm).  Printed are the best of the repeats.

Two things bound the ratio: what the notebooks compute, which both ways pay, and the imports, which
the case run pays once and the command line once a notebook.  So the fixed cost of a notebook is
printed too: of one that only imports what every chapter does, through the command line, and as one
more notebook of a run that forks kernels.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import nbformat

from benchmarks.measure import ROOT, Usage, in_own_process, report

CHAPTERS = ("0_customer_file", "1_pareto_analysis")
BIN = Path(sys.executable).parent
MORE = 8
TRIVIAL = "import pandas as pd\nimport keycustomer as kc\nkc.plots.use_style()"
FORKED = """
import sys
from pathlib import Path
from keycustomer.casework.execution import run_notebook
from keycustomer.casework.forked import forked_kernels

source, count = Path(sys.argv[1]), int(sys.argv[2])
with forked_kernels():
    for number in range(count):
        run = run_notebook(source, source.with_name(f"{number}.ipynb"), {}, engine="forked")
        assert not run.error, run.error
"""


def papermill(case: str, folder: Path) -> Usage:
    """Run the chapters through papermill's command line, one after the other."""
    used = []
    for chapter in CHAPTERS:
        notebook = ROOT / "notebooks" / f"{chapter}.ipynb"
        command = [str(BIN / "papermill"), str(notebook), str(folder / f"{chapter}.ipynb")]
        command += ["-p", "case", case, "--cwd", str(ROOT / "notebooks")]
        used.append(_usage(command))
    return Usage(
        sum(usage.wall for usage in used),
        sum(usage.cpu for usage in used),
        max(usage.peak_memory for usage in used),
    )


def case_run(case: str, engine: str, folder: Path) -> Usage:
    """Run the case as a whole."""
    command = [str(BIN / "keycustomer"), "run", case, "--force", "--engine", engine]
    return _usage([*command, "--output", str(folder)])


def fixed_costs(folder: Path, repeat: int) -> dict[str, Usage]:
    """Measure what one notebook costs before it computes anything, both ways."""
    trivial = folder / "trivial.ipynb"
    cells = [nbformat.v4.new_code_cell(TRIVIAL)]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel}), trivial)
    commands = {
        "papermill": [str(BIN / "papermill"), str(trivial), str(folder / "run.ipynb")],
        "one": [sys.executable, "-c", FORKED, str(trivial), "1"],
        "more": [sys.executable, "-c", FORKED, str(trivial), str(1 + MORE)],
    }
    used = {name: fastest(partial(_usage, command), repeat) for name, command in commands.items()}
    one, more = used["one"], used["more"]
    further = Usage((more.wall - one.wall) / MORE, (more.cpu - one.cpu) / MORE, more.peak_memory)
    return {"papermill": used["papermill"], "forked first": one, "forked more": further}


def _usage(command: Sequence[str]) -> Usage:
    return in_own_process(command)[0]


def fastest(way: Callable[[], Usage], repeat: int) -> Usage:
    """Return the use of the repeat that took the least CPU time."""
    return min((way() for _ in range(repeat)), key=lambda usage: usage.cpu)


def show(title: str, notebooks: int, used: Mapping[str, Usage]) -> None:
    """Print every way and its ratios to papermill's command line."""
    print(title)
    anchor = used["papermill"]
    for name, usage in used.items():
        report(name, notebooks, usage, anchor.cpu)
        cpu, wall = anchor.cpu / usage.cpu, anchor.wall / usage.wall
        print(f"{'':12} {cpu:.2f} times as fast by CPU time, {wall:.2f} times by the clock")


def main() -> None:
    """Measure all ways and print the ratios."""
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
        whole = {name: fastest(way, arguments.repeat) for name, way in ways.items()}
        fixed = fixed_costs(place, arguments.repeat)
    show(f"case {arguments.case}, {len(CHAPTERS)} notebooks", len(CHAPTERS), whole)
    show("fixed cost of a notebook (forked: the first, and every further one)", 1, fixed)


if __name__ == "__main__":
    main()
