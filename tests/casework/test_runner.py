"""Runs publish whole outputs or none, leave alone what is up to date, and survive being killed."""

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from keycustomer.casework import CaseError, execution, run_cases
from keycustomer.casework.freshness import reason_to_run
from keycustomer.casework.plan import plan_run
from keycustomer.casework.progress import LineProgress
from keycustomer.casework.publish import Staging, clean_up
from keycustomer.casework.runner import Outcome
from toy_project import CASE, CUSTOMER_FILE, make_case, make_project, write_notebook

posix = pytest.mark.skipif(os.name != "posix", reason="signals and process groups of POSIX")

FILES = {
    "chapters/0_customer_file.json",
    "chapters/0_customer_file.run.json",
    "chapters/1_pareto_analysis.json",
    "chapters/1_pareto_analysis.run.json",
    "figures/1_line.png",
    "notebooks/0_customer_file.ipynb",
    "notebooks/1_pareto_analysis.ipynb",
    "report.html",
    "results.json",
    "ro-crate-metadata.json",
    "tables/1_revenue.csv",
    "tables/1_revenue.parquet",
}


def run(engine: str, *cases: str, **options: Any) -> tuple[list[Outcome], str]:
    """Run cases; return the outcomes and what was told."""
    told = io.StringIO()
    outcomes = run_cases(cases or ("toy",), engine=engine, progress=LineProgress(told), **options)
    return outcomes, told.getvalue()


def files(folder: Path) -> set[str]:
    """Files of a folder, relative."""
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


def snapshot(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Content and age of all files of a folder."""
    return {
        path: ((folder / path).read_bytes(), (folder / path).stat().st_mtime_ns)
        for path in files(folder)
    }


def results(folder: Path) -> dict[str, Any]:
    """Content of results.json."""
    content: dict[str, Any] = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    return content


def leftovers(output: Path) -> list[str]:
    """What stands beside an output that a run should have removed."""
    return [path.name for path in output.parent.glob(f"{output.name}.new-*")]


@pytest.fixture(scope="module")
def ran(
    tmp_path_factory: pytest.TempPathFactory, engine: str
) -> Iterator[tuple[Path, list[Outcome], str]]:
    """A project whose case was run once; tests leave its output as it is."""
    root = make_project(tmp_path_factory.mktemp("ran") / "project")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KEYCUSTOMER_HOME", str(root))
        outcomes, told = run(engine)
        yield root, outcomes, told


@pytest.fixture
def output(ran: tuple[Path, list[Outcome], str], monkeypatch: pytest.MonkeyPatch) -> Path:
    """Output of the project that was run once."""
    monkeypatch.setenv("KEYCUSTOMER_HOME", str(ran[0]))
    return ran[0] / "casework" / "toy" / "output"


def test_a_run_publishes_everything(ran: tuple[Path, list[Outcome], str], output: Path) -> None:
    _, outcomes, told = ran
    assert [(o.case, o.status, o.problems) for o in outcomes] == [("toy", "completed", ())]
    assert outcomes[0].report == output / "report.html"
    assert files(output) == FILES
    assert not leftovers(output)
    assert "toy 0_customer_file: runs, because it has no output yet" in told
    assert "toy 1_pareto_analysis: done in" in told


def test_what_is_up_to_date_is_left_alone(output: Path, engine: str) -> None:
    before = snapshot(output)
    outcomes, told = run(engine)
    assert outcomes[0].status == "up to date"
    assert (
        "toy: up to date, since data, case file, parameters, notebooks, code and lock are" in told
    )
    assert snapshot(output) == before


def test_a_forced_run_gives_identical_results(output: Path, engine: str, tmp_path: Path) -> None:
    outcomes, _ = run(engine, force=True, output=tmp_path, jobs=1)
    again = outcomes[0].folder
    assert again == tmp_path / "toy"
    assert (tmp_path / "toy.duckdb").is_file()
    first, second = results(output), results(again)
    assert first.pop("run") != second.pop("run")
    assert json.dumps(first) == json.dumps(second)
    for path in sorted(FILES):
        if path.startswith(("tables/", "figures/")) or path == "chapters/1_pareto_analysis.json":
            assert (output / path).read_bytes() == (again / path).read_bytes(), path


def test_the_executed_notebook_tells_no_paths(output: Path, ran: Any) -> None:
    text = (output / "notebooks" / "1_pareto_analysis.ipynb").read_text(encoding="utf-8")
    notebook = json.loads(text)
    assert notebook["metadata"]["papermill"]["output_path"] == "notebooks/1_pareto_analysis.ipynb"
    assert str(ran[0]) not in text


def conditions(output: Path) -> dict[str, Any]:
    path = output / "chapters" / "1_pareto_analysis.run.json"
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["conditions"]
    return content


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"inputs": "x"}, "the data changed"),
        ({"inputs": ""}, "whether the data changed cannot be told"),
        ({"case": "x"}, "the case file changed"),
        ({"notebook": "x"}, "its notebook changed"),
        ({"library": "x"}, "the library's code changed"),
        ({"lock": "x", "python": "3.0"}, "the locked packages changed; the Python version changed"),
        ({"pseudonyms": "x"}, "the key of the pseudonyms changed"),
        ({"parameters": {"draws": 3}}, "draws was 10, is 3, seed was 0, is None"),
        ({}, ""),
    ],
)
def test_the_reason_to_run_is_told(output: Path, changed: dict[str, Any], reason: str) -> None:
    now = {**conditions(output), **changed}
    assert reason_to_run(output, "1_pareto_analysis", now).startswith(reason)
    if not reason:
        assert reason_to_run(output, "1_pareto_analysis", now) == ""


def test_a_missing_file_is_a_reason_to_run(output: Path) -> None:
    table = output / "tables" / "1_revenue.csv"
    content = table.read_bytes()
    table.unlink()
    try:
        reason = reason_to_run(output, "1_pareto_analysis", conditions(output))
        assert reason == "tables/1_revenue.csv is missing from its output"
    finally:
        table.write_bytes(content)
    assert reason_to_run(output, "9_nothing", {"inputs": "x"}) == "it has no output yet"


def test_only_what_changed_runs_again(project: Path, engine: str) -> None:
    run(engine)
    outcomes, told = run(engine, parameters={"draws": "12"})
    assert outcomes[0].status == "completed"
    assert "toy 0_customer_file: up to date, taken over" in told
    assert "toy 1_pareto_analysis: runs, because draws was 10, is 12" in told
    folder = project / "casework" / "toy"
    assert results(folder / "output")["run"]["chapters"]["0_customer_file"]["reused"] is True
    # A changed line of data changes both.
    (folder / "sales.csv").write_text((folder / "sales.csv").read_text() + "007,999,2024-01-31,5\n")
    _, told = run(engine, chapters=["1"])
    assert "toy 1_pareto_analysis: runs, because the data changed" in told
    assert "toy 0_customer_file: left out, because the data changed" in told
    assert "notebooks/0_customer_file.ipynb" not in files(folder / "output")
    assert results(folder / "output")["case"]["chapters"] == ["1_pareto_analysis"]


def test_a_failed_chapter_stops_no_other_and_leaves_the_output(project: Path, engine: str) -> None:
    run(engine)
    output = project / "casework" / "toy" / "output"
    before = snapshot(output)
    outcomes, told = run(engine, parameters={"mode": "fail", "greeting": "hello"})
    problem = "ValueError: on purpose, with postgresql://[redacted]@host/db (cell [4])"
    assert outcomes[0].status == "failed"
    assert outcomes[0].problems == (f"toy 1_pareto_analysis: {problem}",)
    assert f"toy 1_pareto_analysis: failed: {problem}" in told
    assert snapshot(output) == before
    failed = outcomes[0].incomplete
    assert failed == output.with_name("output.failed")
    assert "notebooks/0_customer_file.ipynb" in files(failed)
    assert "tables/1_revenue.csv" not in files(failed)
    kept = (failed / "notebooks" / "1_pareto_analysis.ipynb").read_text(encoding="utf-8")
    assert "on purpose" in kept
    assert "s3cret" not in "".join(
        (failed / path).read_text(encoding="utf-8") for path in files(failed)
    )
    assert results(failed)["run"]["chapters"]["1_pareto_analysis"]["status"] == "failed"
    # Mended, only the failed chapter runs, and what it left is gone.
    outcomes, told = run(engine, parameters={"greeting": "hello"})
    assert outcomes[0].status == "completed"
    assert "toy 0_customer_file: up to date, taken over" in told
    assert not failed.exists()


def test_a_chapter_that_does_not_save_has_failed(project: Path, engine: str) -> None:
    outcomes, _ = run(engine, chapters=["1"], parameters={"mode": "forget"})
    assert outcomes[0].problems == (
        "toy 1_pareto_analysis: its last cell did not save the results: call chapter.save()",
    )


@posix
def test_a_kernel_that_dies_costs_its_chapter(project: Path, engine: str) -> None:
    outcomes, _ = run(engine, parameters={"mode": "die"})
    assert outcomes[0].problems == (
        "toy 1_pareto_analysis: DeadKernelError: the notebook's process died (out of memory?)",
    )
    assert outcomes[0].incomplete is not None
    path = outcomes[0].incomplete / "notebooks" / "1_pareto_analysis.ipynb"
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    assert [
        out["ename"] for cell in cells for out in cell.get("outputs", []) if "ename" in out
    ] == ["DeadKernelError"]


@posix
def test_a_worker_that_dies_costs_its_chapter(project: Path) -> None:
    # A kernel of the default engine is its worker's child.
    outcomes, told = run("default", parameters={"mode": "kill worker"})
    assert outcomes[0].problems == (
        "toy 1_pareto_analysis: its worker process was ended by SIGKILL "
        "(out of memory? try --jobs 1)",
    )
    assert "toy 0_customer_file: done in" in told
    failed = outcomes[0].incomplete
    assert failed is not None
    assert results(failed)["run"]["chapters"]["1_pareto_analysis"]["status"] == "failed"
    assert _gone(int((failed / "kernel").read_text()))


def test_data_that_fail_the_checks_are_reported_whole(project: Path, engine: str) -> None:
    folder = project / "casework" / "toy"
    run(engine)
    before = snapshot(folder / "output")
    sales = folder / "sales.csv"
    sales.write_text(sales.read_text() + ",5,2024-01-05,1\n001,6,2024-13-05,x\n", encoding="utf-8")
    outcomes, _ = run(engine)
    assert outcomes[0].status == "failed"
    text = outcomes[0].problems[0]
    assert text.startswith("toy: the customer base was not prepared\n")
    assert "[missing_customer]" in text
    assert "2024-13-05" in text
    assert snapshot(folder / "output") == before
    assert outcomes[0].incomplete is None


def test_one_case_that_fails_stops_no_other(project: Path, engine: str) -> None:
    make_case(project, "broken", sales="customer_id,date,amount\n,x,y\n")
    outcomes, _ = run(engine, "broken", "toy", chapters=["0"])
    assert [(o.case, o.status) for o in outcomes] == [("broken", "failed"), ("toy", "completed")]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("no such case", "ValueError: no such case"),
        ("first\nsecond", "ValueError: first ... and 1 more line"),
        ("cannot be read:\n  a\n  b\n", "ValueError: cannot be read: a; b"),
        (
            "cannot be read:\n a\n b\n c\n d\n e",
            "ValueError: cannot be read: a; b; c ... and 2 more lines",
        ),
        ("", "ValueError: "),
    ],
)
def test_one_line_tells_the_first_complaints(text: str, told: str) -> None:
    assert execution._summary(ValueError(text)) == told


HOSTILE = '\'; import os; os.abort() #\n"""\\\n{braces} {0} \\u0041 重点客户 $x$ <script>'


def test_hostile_parameters_stay_text(project: Path, engine: str) -> None:
    outcomes, _ = run(engine, chapters=["0"], parameters={"greeting": HOSTILE})
    assert outcomes[0].status == "completed"
    record = outcomes[0].folder / "chapters" / "0_customer_file.json"
    assert json.loads(record.read_text(encoding="utf-8"))["parameters"]["greeting"] == HOSTILE
    path = outcomes[0].folder / "notebooks" / "0_customer_file.ipynb"
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    injected = next(c for c in cells if "injected-parameters" in c["metadata"]["tags"])
    assert "重点客户" in "".join(injected["source"])
    assert "<script>" not in (outcomes[0].folder / "report.html").read_text(encoding="utf-8")


def test_a_project_in_a_folder_with_braces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: str
) -> None:
    """Papermill formats paths with the parameters."""
    root = make_project(tmp_path / "a {draws} {0} 客户 folder")
    monkeypatch.setenv("KEYCUSTOMER_HOME", str(root))
    outcomes, _ = run(engine, chapters=["1"])
    assert outcomes[0].problems == ()


def test_a_project_with_one_notebook_of_its_own(project: Path, engine: str) -> None:
    write_notebook(
        project / "notebooks" / "2_odd.ipynb", 'case: str = "toy"  # the case', CUSTOMER_FILE[:0]
    )
    outcomes, _ = run(engine, chapters=["2"])
    assert "did not save the results" in outcomes[0].problems[0]


def test_plans_tell_all_problems_before_anything_starts(project: Path) -> None:
    with pytest.raises(CaseError) as caught:
        plan_run(["toi", "toy"], parameters={"drawz": "3", "seed": "x"})
    toi, seed, drawz = caught.value.problems
    assert toi.startswith("toi: no case 'toi' under ")
    assert seed == "toy: parameter `seed` of 1_pareto_analysis: got 'x', needs a whole number"
    assert drawz.startswith(
        "toy: no chapter of this run has a parameter 'drawz' (did you mean 'draws'?); they have:"
    )
    with pytest.raises(CaseError, match="no engine 'fast'; the engines are default, forked"):
        run_cases(["toy"], engine="fast")


def test_chapters_must_be_the_cases(project: Path) -> None:
    path = project / "casework" / "toy" / "case.yaml"
    path.write_text(CASE + "chapters: [0]\n", encoding="utf-8")
    with pytest.raises(CaseError, match="case toy does not list chapter 1_pareto_analysis; it"):
        plan_run(["toy"], chapters=["1"])


def test_two_cases_of_one_name_do_not_share_an_output(project: Path, tmp_path: Path) -> None:
    other = make_case(tmp_path / "elsewhere", "toy")
    with pytest.raises(CaseError, match="two cases would write"):
        plan_run(["toy", other], output=tmp_path / "out")
    assert len(plan_run(["toy", other])) == 2


def command(project: Path, *arguments: str) -> "subprocess.Popen[str]":
    """Start the command line in a group of processes of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "keycustomer.cli", *arguments],
        env={**os.environ, "KEYCUSTOMER_HOME": str(project)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def kernel_of(project: Path, process: "subprocess.Popen[str]") -> int:
    """Process id of the kernel, once it is in the cell that waits."""
    folder = project / "casework" / "toy"
    while not (found := [p for p in folder.glob("output.new-*/content/waiting") if p.read_text()]):
        assert process.poll() is None, process.stdout and process.stdout.read()
        time.sleep(0.05)
    return int(found[0].read_text())


def _gone(pid: int) -> bool:
    """Wait until a process has ended; a zombie has."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
            state = Path(f"/proc/{pid}/stat")
            if state.is_file() and state.read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except (ProcessLookupError, FileNotFoundError):
            return True
        time.sleep(0.05)
    return False


@posix
@pytest.mark.parametrize("name", ["default", "forked"])
def test_a_killed_run_leaves_the_output_and_the_next_completes(
    project: Path, engine: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(engine)
    output = project / "casework" / "toy" / "output"
    before = snapshot(output)
    monkeypatch.delenv("KEYCUSTOMER_ZYGOTE", raising=False)
    process = command(project, "run", "toy", "-p", "mode", "wait", "--engine", name)
    kernel = kernel_of(project, process)
    process.kill()
    process.communicate()
    assert snapshot(output) == before
    assert _gone(kernel)
    assert leftovers(output)
    outcomes, _ = run(engine, parameters={"draws": "11"})
    assert outcomes[0].status == "completed"
    assert not leftovers(output)


@posix
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("name", ["default", "forked"])
def test_an_interrupted_run_leaves_nothing_half_written(
    project: Path, name: str, sent: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KEYCUSTOMER_ZYGOTE", raising=False)
    process = command(project, "run", "toy", "-p", "mode", "wait", "--engine", name)
    kernel = kernel_of(project, process)
    # Ctrl-C reaches all of the terminal's processes, `kill` only one.
    if sent == signal.SIGINT:
        os.killpg(process.pid, sent)
    else:
        process.send_signal(sent)
    told, _ = process.communicate()
    assert process.returncode == 130
    assert told.endswith("interrupted; former outputs are as they were\n")
    assert "Traceback" not in told
    assert _gone(kernel)
    output = project / "casework" / "toy" / "output"
    assert not output.exists()
    assert not leftovers(output)


@posix
def test_two_runs_of_one_output_do_not_meet(tmp_path: Path) -> None:
    output = tmp_path / "output"
    with Staging(output) as staging:
        # A lock is held by an open file: the same process may not take it again either.
        with pytest.raises(CaseError, match="another run is writing"):
            Staging(output)
        (staging.content / "a").write_text("1")
        staging.publish()
    assert (output / "a").read_text() == "1"
    assert [path.name for path in tmp_path.iterdir()] == ["output"]


def test_an_unfinished_swap_is_mended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where folders cannot be exchanged in one step, a kill between two is mended."""
    from keycustomer.casework import publish

    monkeypatch.setattr(publish, "_exchange", lambda *_: False)
    output = tmp_path / "output"
    output.mkdir()
    (output / "a").write_text("former")
    staging = Staging(output)
    (staging.content / "a").write_text("new")
    former_rename = Path.rename

    def killed(self: Path, target: Path) -> Path:
        if self.name == "content":
            raise KeyboardInterrupt
        return former_rename(self, target)

    monkeypatch.setattr(Path, "rename", killed)
    with pytest.raises(KeyboardInterrupt):
        staging.publish()
    monkeypatch.setattr(Path, "rename", former_rename)
    staging._lock.close()
    assert not output.exists()
    clean_up(output)
    assert (output / "a").read_text() == "former"
    with Staging(output) as second:
        (second.content / "a").write_text("new")
        second.publish()
    assert (output / "a").read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["output"]


@pytest.mark.skipif(sys.platform != "linux", reason="renameat2 is Linux's")
def test_linux_swaps_in_one_step(tmp_path: Path) -> None:
    from keycustomer.casework.publish import _exchange

    for name in ("new", "old"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a").write_text(name)
    if not _exchange(tmp_path / "new", tmp_path / "old"):
        pytest.skip("this file system does not exchange")
    assert (tmp_path / "old" / "a").read_text() == "new"
    with contextlib.suppress(FileNotFoundError):
        assert not _exchange(tmp_path / "new", tmp_path / "absent")


def test_cores_and_memory_are_divided() -> None:
    from keycustomer.casework.resources import Resources, available

    asked = available({"KEYCUSTOMER_THREADS": "8", "KEYCUSTOMER_MEMORY_LIMIT": "4GB"})
    assert asked == Resources(8, 4_000_000_000)
    share = asked.share(3)
    assert share == Resources(2, 1_333_333_333)
    assert share.environment() == {
        **dict.fromkeys(
            [
                "KEYCUSTOMER_THREADS",
                "OMP_NUM_THREADS",
                "OPENBLAS_NUM_THREADS",
                "MKL_NUM_THREADS",
                "NUMEXPR_NUM_THREADS",
                "VECLIB_MAXIMUM_THREADS",
                "POLARS_MAX_THREADS",
            ],
            "2",
        ),
        "KEYCUSTOMER_MEMORY_LIMIT": "1271MiB",
    }
    assert available({}).threads >= 1
    with pytest.raises(CaseError, match="KEYCUSTOMER_THREADS is '0'; set it to a number of cores"):
        available({"KEYCUSTOMER_THREADS": "0"})
    with pytest.raises(CaseError, match="KEYCUSTOMER_MEMORY_LIMIT is 'much'; set it to an amount"):
        available({"KEYCUSTOMER_MEMORY_LIMIT": "much"})
