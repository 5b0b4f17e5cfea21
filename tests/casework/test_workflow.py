"""A workflow's jobs are commands: chapters run as parts, and are gathered whatever has failed."""

import ast
import importlib.util
import io
import json
import os
import re
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest
from keycustomer.casework import CaseError, run_cases
from keycustomer.casework.parts import gather_cases, prepare_cases, run_parts
from keycustomer.casework.progress import LineProgress
from keycustomer.casework.runner import Outcome
from keycustomer.casework.workflow import write_workflow
from keycustomer.cli import app
from toy_project import CASE, make_case, make_project
from typer.testing import CliRunner

ODD = "a {x} 客户's folder"

needs_snakemake = pytest.mark.skipif(
    importlib.util.find_spec("snakemake") is None or os.name != "posix",
    reason="Snakemake is not installed (the extra `workflow` has it), or the shell is not POSIX's",
)


def parts(engine: str, **options: object) -> tuple[list[Outcome], str]:
    """Run chapters of the toy case as parts; return the outcomes and what was told."""
    told = io.StringIO()
    outcomes = run_parts(["toy"], engine=engine, progress=LineProgress(told), **options)
    return outcomes, told.getvalue()


def gathered() -> tuple[Outcome, str]:
    told = io.StringIO()
    (outcome,) = gather_cases(["toy"], progress=LineProgress(told))
    return outcome, told.getvalue()


def results(folder: Path) -> dict[str, object]:
    content = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    content.pop("run")
    return dict(content)


def test_parts_become_the_output_of_one_run(project: Path, engine: str, tmp_path: Path) -> None:
    folder = project / "casework" / "toy"
    assert prepare_cases(["toy"]) == [folder / "base.duckdb"]
    for chapter in ("0", "1"):
        outcomes, told = parts(engine, chapters=[chapter])
        assert [outcome.status for outcome in outcomes] == ["completed"]
        assert "left out" not in told
    assert not (folder / "output").exists()
    outcome, told = gathered()
    assert (outcome.status, outcome.folder) == ("completed", folder / "output")
    assert "toy 1_pareto_analysis: up to date, taken over" in told
    run_cases(["toy"], output=tmp_path, engine=engine, progress=LineProgress(io.StringIO()))
    assert results(folder / "output") == results(tmp_path / "toy")
    assert gathered()[0].status == "up to date"


def test_a_failed_part_is_gathered_with_its_error(project: Path, engine: str) -> None:
    folder = project / "casework" / "toy"
    path = folder / "case.yaml"
    path.write_text(CASE + "parameters:\n  1_pareto_analysis:\n    mode: fail\n", encoding="utf-8")
    first, _ = gathered()
    assert first.status == "failed"
    assert first.incomplete is None
    assert first.problems[0] == (
        "toy 0_customer_file: not run as a part, and it has no output yet; first: "
        "keycustomer run toy --chapter 0_customer_file --part"
    )
    outcomes, _ = parts(engine)
    assert [outcome.status for outcome in outcomes] == ["completed", "failed"]
    outcome, _ = gathered()
    assert outcome.status == "failed"
    assert outcome.incomplete == folder / "output.failed"
    assert "on purpose" in outcome.problems[0]
    assert not (folder / "output").exists()
    report = (folder / "output.failed" / "report.html").read_text(encoding="utf-8")
    assert "on purpose" in report
    assert "s3cret" not in report
    measures = results(folder / "output.failed")["measures"]
    assert [row["measure"] for row in measures] == ["customers"]


def test_parts_of_an_output_elsewhere(project: Path, engine: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    (outcome,) = run_parts(["toy"], chapters=["0"], output=out, engine=engine)
    assert outcome.folder == out / "toy.parts" / "0_customer_file"
    assert (out / "toy.duckdb").is_file()
    result = CliRunner().invoke(app, ["gather", "toy", "--output", str(out)])
    assert result.exit_code == 1
    assert "1_pareto_analysis: not run as a part" in result.output
    assert (out / "toy.failed" / "notebooks" / "0_customer_file.ipynb").is_file()


def cases_of(snakefile: Path) -> dict[str, dict[str, object]]:
    """The table of cases in a Snakefile."""
    text = snakefile.read_text(encoding="utf-8")
    table = text[text.index("\nCASES = ") + len("\nCASES = ") : text.index("\n\nKEYCUSTOMER")]
    return dict(ast.literal_eval(table))


def test_a_snakefile_says_its_jobs(project: Path, tmp_path: Path) -> None:
    make_case(tmp_path / ODD, "toy")
    other = tmp_path / ODD / "casework" / "toy" / "case.yaml"
    written = write_workflow(["toy", other], to=project / "deep" / "Snakefile")
    assert written.jobs == {
        "toy": ("0_customer_file", "1_pareto_analysis"),
        "toy_2": ("0_customer_file", "1_pareto_analysis"),
    }
    assert written.sentence == (
        "2 cases, 4 chapters, 9 jobs; memory and time of 0 chapters as measured in their last run"
    )
    own, foreign = cases_of(written.path).values()
    assert own["case"] == "toy"
    assert own["files"] == ["casework/toy/case.yaml", "casework/toy/sales.csv"]
    assert foreign["case"] == f"../{ODD}/casework/toy/case.yaml"
    text = written.path.read_text(encoding="utf-8")
    assert "Path(workflow.basedir, '..')" in text
    assert str(project) not in text
    assert "retries: 0" in text


def test_memory_and_time_come_from_the_last_run(project: Path) -> None:
    chapters = project / "casework" / "toy" / "output" / "chapters"
    chapters.mkdir(parents=True)
    run = {"peak_memory_bytes": 1_000_000_000, "seconds": 600.0}
    (chapters / "0_customer_file.run.json").write_text(json.dumps(run))
    written = write_workflow()
    assert written.measured == 1
    told = cases_of(written.path)["toy"]["chapters"]
    # Half as much again and what stands beside the kernel; five times as long.
    assert (told["0_customer_file"]["mem_mb"], told["0_customer_file"]["minutes"]) == (2000, 50)
    assert (told["1_pareto_analysis"]["mem_mb"], told["1_pareto_analysis"]["minutes"]) == (2000, 30)


def test_what_is_not_written(project: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["workflow"])
    assert result.exit_code == 0, result.output
    assert result.output.startswith(f"{project / 'Snakefile'}: 1 case, 2 chapters, 5 jobs; ")
    assert CliRunner().invoke(app, ["workflow"]).exit_code == 0
    (tmp_path / "Snakefile").write_text("rule mine:\n")
    with pytest.raises(CaseError, match="was not written by this command; name another file"):
        write_workflow(to=tmp_path / "Snakefile")
    result = CliRunner().invoke(app, ["workflow", "tay"])
    assert result.exit_code == 1
    assert "no case 'tay' under" in result.output
    assert (tmp_path / "Snakefile").read_text() == "rule mine:\n"


def test_the_page_on_workflows_says_what_there_is() -> None:
    root = Path(__file__).resolve().parents[2]
    page = (root / "docs" / "workflow.md").read_text(encoding="utf-8")
    commands = set(re.findall(r"keycustomer ([a-z]+)", page))
    known = {command.name or command.callback.__name__ for command in app.registered_commands}
    assert {"workflow", "prepare", "run", "gather"} <= commands <= known
    template = (files("keycustomer.casework") / "workflow.smk.j2").read_text(encoding="utf-8")
    settings = re.findall(r'config\.get\("(\w+)"', template)
    assert [f"| `{name}` |" in page for name in settings] == [True] * 3
    rules = re.findall(r"(?m)^rule (\w+):", template)
    assert [f"| `{name}` |" in page for name in rules if name != "all"] == [True] * 4


def snakemake(root: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run Snakemake as a reader would, in the project."""
    variables = {name: value for name, value in os.environ.items() if "KEYCUSTOMER" not in name}
    return subprocess.run(
        [sys.executable, "-m", "snakemake", "--cores", "2", "--keep-going", *arguments],
        cwd=root,
        env=variables | {"XDG_CACHE_HOME": str(root / "cache")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@needs_snakemake
@pytest.mark.slow
def test_snakemake_runs_the_cases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two cases in a folder with an odd name, a chapter of one of which fails."""
    root = make_project(tmp_path / ODD)
    (root / "casework" / "toy" / "case.yaml").write_text(CASE + "chapters: [0]\n")
    make_case(root, "broken", CASE + "chapters: [1]\nparameters: {1: {mode: fail}}\n")
    monkeypatch.setenv("KEYCUSTOMER_HOME", str(root))
    write_workflow()
    done = snakemake(root)
    assert done.returncode == 1
    casework, marks = root / "casework", root / "build" / "workflow"
    assert (casework / "toy" / "output" / "report.html").is_file()
    failed = casework / "broken" / "output.failed"
    assert "on purpose" in (failed / "report.html").read_text(encoding="utf-8")
    assert "on purpose" in (marks / "broken" / "1_pareto_analysis.log").read_text(encoding="utf-8")
    assert (marks / "toy" / "report.done").is_file()
    assert not (marks / "broken" / "1_pareto_analysis.done").exists()
    assert "keycustomer run broken --chapter 1_pareto_analysis --part" in done.stdout
    # What is left to do is what failed, and what waits for it.
    left = snakemake(root, "--dry-run")
    stats = left.stdout[left.stdout.index("Job stats") :].splitlines()
    jobs = dict(line.split() for line in stats[3 : stats.index("", 3)])
    assert jobs == {"all": "1", "chapter": "1", "report": "1", "evidence": "1", "total": "4"}
