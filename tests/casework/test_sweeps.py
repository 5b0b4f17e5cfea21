"""Sweeps: grids mean what they say, points run once, a kill loses only what was at work."""

import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keycustomer.casework import CaseError, load_case, read_sweep, sweep_case
from keycustomer.casework.parameters import Parameter
from keycustomer.casework.progress import LineProgress
from keycustomer.casework.sweeps.grid import Axis, Point, grid_points, parse_axis, read_grid
from keycustomer.casework.sweeps.results import Sweep
from keycustomer.casework.sweeps.sheet import sweep_page
from keycustomer.cli import app
from scipy.stats import binomtest
from toy_project import write_notebook
from typer.testing import CliRunner

EXACT = 1e-12  # the same formula computed twice

PARAMETERS = """\
case: str = "toy"  # the case
share: float = 0.2  # what is measured, share 0..1
draws: int = 10  # count
mode: str = "well"  # what happens
names: list[str] = ["a"]  # a list
"""

CELLS = [
    """
import os
import time
from pathlib import Path

import keycustomer as kc

chapter = kc.casework.open_chapter(
    "0_customer_file", case, share=share, draws=draws, mode=mode, names=names
)
if mode == "fail":
    raise ValueError("on purpose")
home = Path(os.environ["KEYCUSTOMER_HOME"])
if mode == "wait" and not (home / "go").exists():
    (home / "waiting").write_text("here")
    time.sleep(120)
""",
    """
chapter.measure("stale_share", share)
chapter.measure("orders", draws, truth=12)
chapter.measure("completeness", 0.5, group="name")
verdict = "supported" if share > 0.25 else "undecided"
chapter.ledger("K1", "The few bring the most", "stale_share", share, verdict)
chapter.save()
""",
]

DECLARED = {
    "1_a": {
        "draws": Parameter("draws", "int", 10),
        "share": Parameter("share", "float", 0.2),
        "mode": Parameter("mode", "str", "well"),
        "names": Parameter("names", "str", [], many=True),
        "case": Parameter("case", "str", "toy"),
    }
}


@pytest.fixture
def swept(project: Path) -> Path:
    """The project, with one chapter that measures what its parameters say."""
    for notebook in (project / "notebooks").iterdir():
        notebook.unlink()
    write_notebook(project / "notebooks" / "0_customer_file.ipynb", PARAMETERS, CELLS)
    return project


def run(engine: str, grid: dict[str, list[str]], **options: object) -> tuple[Sweep, str]:
    """Sweep the toy case; return the sweep and what was told."""
    told = io.StringIO()
    sweep = sweep_case("toy", grid, engine=engine, progress=LineProgress(told), **options)
    return sweep, told.getvalue()


def read(**grid: list[object]) -> tuple[Axis, ...]:
    return read_grid({name.replace("__", "."): list(v) for name, v in grid.items()}, DECLARED)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("draws=1,2", ["1", "2"]),
        ("mode = a b , c", ["a b", "c"]),
        ('mode="a,b",c', ["a,b", "c"]),
        ('names=["x","y"],["z"]', ['["x","y"]', '["z"]']),
        ("mode=a=b", ["a=b"]),
        ("mode=,x", ["", "x"]),
    ],
)
def test_texts_of_values(text: str, values: list[str]) -> None:
    assert parse_axis(text)[1] == values


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("draws", "--grid draws: write it as NAME=V1,V2,... or NAME=FIRST..LAST"),
        ("=1", "--grid =1: write it as"),
        ("draws=", "--grid draws=: no value is given"),
        ('mode="a', "a quote or bracket is open"),
        ("names=[1,2", "a quote or bracket is open"),
    ],
)
def test_what_is_no_grid(text: str, message: str) -> None:
    with pytest.raises(CaseError, match=re.escape(message)):
        parse_axis(text)


@pytest.mark.parametrize(
    ("values", "expanded"),
    [
        (["1..4"], (1, 2, 3, 4)),
        (["1..10..4", "20"], (1, 5, 9, 20)),
        (["5"], (5,)),
    ],
)
def test_whole_numbers_count(values: list[object], expanded: tuple[int, ...]) -> None:
    (axis,) = read(draws=values)
    assert axis.values == expanded
    assert all(type(value) is int for value in axis.values)


def test_steps_of_numbers_have_no_noise() -> None:
    (axis,) = read(share=["0.1..0.7..0.1"])
    assert axis.values == (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
    assert read(mode=["1..3"])[0].values == ("1..3",)


def test_keys_of_the_case_file_are_typed() -> None:
    seed, margin, rule = read(
        simulation__seed=["1..3"], economics__margin=["0.1"], rules__duplicate_line=["keep"]
    )
    assert (seed.values, seed.in_case, seed.is_seed) == ((1, 2, 3), True, True)
    assert (margin.values, rule.values) == ((0.1,), ("keep",))


def test_all_problems_of_a_grid_at_once() -> None:
    with pytest.raises(CaseError) as caught:
        read(drawz=["1"], margin=["0.1"], draws=["x"], share=["0.1", "1e-1"], case=["toy"])
    drawz, margin, draws, share, case = caught.value.problems
    assert "--grid drawz: no chapter of this sweep has such a parameter" in drawz
    assert "(did you mean 'draws'?)" in drawz
    assert "(did you mean 'economics.margin'?)" in margin
    assert draws == "--grid draws: got 'x', needs a whole number"
    assert share == "--grid share: the value 0.1 stands twice"
    assert "--grid case: no chapter" in case


@pytest.mark.parametrize(
    ("grid", "message"),
    [
        ({}, "the grid is empty; give --grid NAME=V1,V2,... at least once"),
        ({"draws": ["4..1"]}, "4..1 counts nowhere"),
        ({"draws": ["1..3..0"]}, "1..3..0 counts nowhere"),
        ({"draws": ["1..99999"]}, "1..99999 are 99,999 values; at most 10,000"),
        ({"draws": ["1..200"], "share": ["1..200"]}, "the grid has 40,000 points; at most 10,000"),
    ],
)
def test_grids_of_no_use(grid: dict[str, list[object]], message: str) -> None:
    with pytest.raises(CaseError, match=re.escape(message)):
        read(**grid)


def test_all_combinations_the_last_fastest() -> None:
    points = grid_points(read(draws=["1", "2"], mode=["a", "b"]))
    assert [point.name for point in points] == [
        "draws=1,mode=a", "draws=1,mode=b", "draws=2,mode=a", "draws=2,mode=b",
    ]  # fmt: skip


# A parameter's values are of one type.
VALUES = st.one_of(
    st.lists(kind, min_size=2, max_size=6)
    for kind in (
        st.text(max_size=40),
        st.integers(),
        st.floats(allow_nan=False, allow_infinity=False),
        st.booleans(),
        st.lists(st.text(max_size=5), max_size=3),
    )
)


@given(VALUES)
@settings(max_examples=60)
def test_names_of_points_are_safe_and_their_own(values: list[object]) -> None:
    points = {json.dumps(value): Point((("p", value),)) for value in values}
    names = [point.name for point in points.values()]
    assert len({name.lower() for name in names}) == len(points)
    for name in names:
        assert re.fullmatch(r"p=[A-Za-z0-9.+-]*[A-Za-z0-9](,[0-9a-f]{8})?", name)
        assert len(name) <= 120


def test_points_run_and_become_one_table(swept: Path, engine: str) -> None:
    sweep, told = run(engine, {"share": ["0.2..0.3..0.1"], "mode": ["well", "fail"]})
    assert "toy share=0.2,mode=well: completed (" in told
    assert "(4 of 4, 2 failed)" in told
    assert list(sweep.points["status"]) == ["completed", "failed", "completed", "failed"]
    assert (
        list(sweep.failed["problem"]) == ["0_customer_file: ValueError: on purpose (cell [3])"] * 2
    )
    stale = sweep.values("stale_share")
    assert list(stale["estimate"]) == [0.2, 0.3]
    assert list(stale["unit"]) == ["share of records"] * 2
    blank = sweep.frame[sweep.frame["status"] == "failed"]
    assert list(blank["measure"]) == ["", ""]
    assert blank["estimate"].isna().all()
    assert "on purpose" in blank["problem"].iloc[0]
    assert list(sweep.values("completeness", "name")["share"]) == [0.2, 0.3]
    assert list(sweep.verdicts["verdict"]) == ["undecided", "supported"]
    assert sweep.verdict_counts[["supported", "undecided"]].to_numpy().tolist() == [[1, 1]]
    assert sweep.sentence == (
        "Toy: 4 points over share (2 values) and mode (2 values); 2 of them failed. "
        "Between points, 1 of 3 measures and 1 verdict differ."
    )
    check_files(sweep)


def check_files(sweep: Sweep) -> None:
    """Check the table, the page and the record of the sweep of two shares and two modes."""
    again = read_sweep(sweep.folder)
    pd.testing.assert_frame_equal(again.frame, sweep.frame)
    pd.testing.assert_frame_equal(again.points, sweep.points)
    assert again.axes == sweep.axes
    assert again.sentence == sweep.sentence
    text = pd.read_csv(sweep.table)
    assert list(text["measure"].fillna("")) == list(sweep.frame["measure"])
    page = sweep.page.read_text(encoding="utf-8")
    assert 'href="points/share=0.2,mode=well/report.html"' in page
    assert 'href="points/share=0.2,mode=fail.failed/report.html"' in page
    assert page.count("<figure>") == 1
    assert "Simulated data" in page
    for link in re.findall(r'href="(points/[^"]+)"', page):
        assert (sweep.folder / link).is_file()


def test_points_that_are_done_are_left_alone(swept: Path, engine: str) -> None:
    first, _ = run(engine, {"draws": ["1"]})
    again, told = run(engine, {"draws": ["1", "2"]})
    assert first.folder == again.folder
    assert "toy draws=1: up to date (" in told
    assert "toy draws=1 0_customer_file: runs" not in told
    assert "toy draws=2 0_customer_file: runs, because it has no output yet" in told
    assert list(again.values("orders")["estimate"]) == [1.0, 2.0]
    # Of a point that fails now, the table tells nothing that a former run has found.
    cells = [CELLS[0].replace('mode == "fail"', "draws == 1"), CELLS[1]]
    write_notebook(swept / "notebooks" / "0_customer_file.ipynb", PARAMETERS, cells)
    failed, _ = run(engine, {"draws": ["1"]})
    assert list(failed.frame["measure"]) == [""]
    assert failed.verdicts.empty
    assert (failed.folder / "points" / "draws=1" / "results.json").is_file()


def test_another_case_file_has_a_base_of_its_own(swept: Path, engine: str) -> None:
    sweep, told = run(engine, {"minimum_cell": ["2", "3"]}, name="cells")
    assert sweep.folder == swept / "casework" / "toy" / "sweeps" / "cells"
    assert told.count("customer base: starting") == 2
    variant = load_case(sweep.folder / "bases" / "minimum_cell=3" / "toy" / "case.yaml")
    assert variant.specification.minimum_cell == 3
    assert (variant.folder / variant.specification.tables["transactions"].csv).is_file()
    assert load_case("toy").specification.minimum_cell == 5
    assert list(sweep.values("orders")["minimum_cell"]) == [2, 3]


def test_sweeps_of_simulated_companies_are_checked_first(swept: Path) -> None:
    with pytest.raises(CaseError) as caught:
        sweep_case("toy", {"simulation.seed": ["1", "2"]})
    (said,) = caught.value.problems
    assert said.startswith(
        "--grid simulation.seed=1, and 1 more like it: `simulation` is given, but no table is"
    )
    with pytest.raises(
        CaseError, match=r"economics\.margin=2\.0: `economics\.margin`: Input should"
    ):
        sweep_case("toy", {"economics.margin": ["0.5", "2"]})
    with pytest.raises(CaseError, match="-p draws: it is in the grid too; give it once"):
        sweep_case("toy", {"draws": ["1"]}, parameters={"draws": "2"})
    with pytest.raises(CaseError, match=r"--name '\.\./x': use at most 64 letters"):
        sweep_case("toy", {"draws": ["1"]}, name="../x")
    assert not (swept / "casework" / "toy" / "sweeps").exists()


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_a_killed_sweep_goes_on_where_it_was(
    swept: Path, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    grid = {"mode": ["first", "wait", "last"]}
    command = ["sweep", "toy", "--grid", "mode=first,wait,last", "--jobs", "1"]
    process = subprocess.Popen(
        [sys.executable, "-m", "keycustomer.cli", *command],
        env={**os.environ, "KEYCUSTOMER_HOME": str(swept)},
        stdout=subprocess.DEVNULL,
    )
    while not (swept / "waiting").exists():
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    points = swept / "casework" / "toy" / "sweeps" / "mode" / "points"
    assert (points / "mode=first" / "results.json").is_file()
    assert not (points / "mode=wait").exists()
    (swept / "go").touch()
    resumed, told = run(engine, grid)
    assert re.findall(r"toy mode=(\w+) 0_customer_file: runs", told) == ["wait", "last"]
    assert sorted(path.name for path in points.iterdir()) == [
        "mode=first", "mode=last", "mode=wait",
    ]  # fmt: skip
    undisturbed, _ = run(engine, grid, name="undisturbed")
    pd.testing.assert_frame_equal(
        resumed.frame.drop(columns="seconds"), undisturbed.frame.drop(columns="seconds")
    )


def test_the_command(swept: Path, engine: str, tmp_path: Path) -> None:
    def invoke(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(app, ["sweep", "toy", *arguments])
        assert "Traceback" not in result.output
        return result.exit_code, result.output

    place = tmp_path / "there"
    given = ["--grid", "mode=well,fail", "-p", "draws", "3", "--to", str(place), "--engine", engine]
    code, output = invoke(*given)
    assert code == 1
    assert f"table: {place / 'sweep.csv'}" in output
    assert "mode=fail: FAILED: 0_customer_file: ValueError: on purpose" in output
    assert list(read_sweep(place).values("orders")["estimate"]) == [3.0]
    code, output = invoke("--grid", "draws=1", "--grid", "draws=2", "--grid", "x")
    assert code == 1
    assert "--grid draws is given twice" in output
    assert "--grid x: write it as NAME=V1,V2" in output
    assert invoke()[0] == 2
    with pytest.raises(CaseError, match="no finished sweep there"):
        read_sweep(tmp_path)


def made_up(axes: tuple[Axis, ...], rows: list[dict[str, object]]) -> Sweep:
    """A sweep of crafted rows."""
    plain = {
        "chapter": "0_customer_file", "measure": "orders", "group": "", "lower": np.nan,
        "upper": np.nan, "truth": np.nan, "unit": "orders", "n": np.nan, "method": "",
        "status": "completed", "seconds": 1.0, "problem": "",
    }  # fmt: skip
    frame = pd.DataFrame([plain | {"point": f"p{n}"} | row for n, row in enumerate(rows)])
    names = [axis.name for axis in axes]
    points = frame[["point", *names, "status", "seconds", "problem"]]
    verdicts = pd.DataFrame(columns=["claim", "statement", "measure", "verdict"])
    return Sweep("toy", "Toy", False, axes, ("0_customer_file",), Path(), points, frame, verdicts)


@pytest.mark.parametrize(("held", "of"), [(0, 5), (3, 5), (5, 5), (18, 20)])
def test_the_interval_of_a_coverage_is_exact(held: int, of: int) -> None:
    rows = [
        {"seed": n, "estimate": 1.0, "lower": 0.0, "upper": 2.0, "truth": 1.0 if n < held else 3.0}
        for n in range(of)
    ]
    table = made_up((Axis("seed", tuple(range(of))),), rows).coverage()
    exact = binomtest(held, of).proportion_ci(0.95, method="exact")
    found = table.loc[0, ["share", "lower", "upper"]].astype(float)
    assert list(found) == pytest.approx([held / of, exact.low, exact.high], abs=EXACT)


def test_what_a_sweep_does_not_have() -> None:
    sweep = made_up((Axis("draws", (1, 2)),), [{"draws": 1, "estimate": 1.0}])
    with pytest.raises(ValueError, match=r"no measure 'order' \(did you mean 'orders'\?\)"):
        sweep.values("order")
    with pytest.raises(ValueError, match="measure 'orders' has no group 'x'; it has: ''"):
        sweep.values("orders", "x")


def test_a_page_says_what_could_not_be_drawn() -> None:
    rows = [{"draws": n, "estimate": 5.0} for n in (1, 2)]
    html = sweep_page(made_up((Axis("draws", (1, 2)),), rows)).html
    assert "0 of 1 measures differ between points; 0 of them are drawn." in html
    assert "<figure>" not in html
    hostile = made_up((Axis("mode", ("<script>", "b")),), [{"mode": "<script>", "estimate": 1.0}])
    assert "<script>" not in sweep_page(hostile).html
