"""The command says what it did, or what is wrong in lines, and its exit code tells."""

import os
import re
import subprocess
import sys
from pathlib import Path

import keycustomer
import pytest
from keycustomer.casework import load_case
from keycustomer.cli import app
from toy_project import CASE
from typer.testing import CliRunner, Result

HEAVY = ("pandas", "duckdb", "papermill", "matplotlib", "numpy", "pydantic")


def invoke(*arguments: str) -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(app, list(arguments))


def test_the_version() -> None:
    result = invoke("--version")
    assert result.output == f"keycustomer {keycustomer.__version__}\n"
    assert result.exit_code == 0


def test_help_imports_nothing_heavy() -> None:
    program = (
        "import sys\n"
        "sys.argv = ['keycustomer', '--help']\n"
        "from keycustomer.cli import app\n"
        "try:\n"
        "    app()\n"
        "except SystemExit:\n"
        f"    print('heavy:', [name for name in {HEAVY!r} if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.endswith("heavy: []\n")
    commands = re.findall(r"(?m)^│ ([a-z]+) ", done.stdout)
    assert commands[:4] == ["new", "check", "run", "list"]
    assert commands[-3:] == ["workflow", "prepare", "gather"]


def test_the_list(project: Path) -> None:
    (project / "casework" / "odd").mkdir()
    (project / "casework" / "odd" / "case.yaml").write_text("title: Odd\n")
    result = invoke("list")
    assert result.exit_code == 0
    assert result.output == (
        "chapters: 0_customer_file, 1_pareto_analysis\n"
        f"cases in {project / 'casework'}:\n"
        "  odd: case.yaml:1: `currency` is missing (2 problems in all)\n"
        "  toy: Toy\n"
    )


def test_the_check(project: Path) -> None:
    result = invoke("check", "toy")
    assert result.exit_code == 0
    assert result.output == "Toy: the checks found nothing\n"
    sales = project / "casework" / "toy" / "sales.csv"
    sales.write_text(sales.read_text() + ",5,2024-01-05,1\n")
    result = invoke("check", "toy")
    assert result.exit_code == 1
    assert "[missing_customer]" in result.output
    assert not (project / "casework" / "toy" / "base.duckdb").exists()


def test_a_run_and_what_it_prints(project: Path, tmp_path: Path, engine: str) -> None:
    out = tmp_path / "out"
    arguments = ["--chapter", "1", "--output", str(out), "--jobs", "1", "--engine", engine]
    result = invoke("run", "toy", *arguments, "-p", "draws", "1e1", "-p", "mode", "-x = 'y'")
    assert result.exit_code == 0, result.output
    report = out / "toy" / "report.html"
    assert result.output.splitlines()[-1].startswith("toy: completed, ")
    assert result.output.endswith(f" s: {report}\n")
    assert report.is_file()
    result = invoke("run", "toy", *arguments, "-p", "mode", "fail")
    assert result.exit_code == 1
    assert f"with their errors: {out / 'toy.failed'}" in result.output
    assert f"the former output is as it was: {out / 'toy'}" in result.output
    assert "Traceback" not in result.output


FILE = "notebooks/0_customer_file.ipynb"

TO_FILE = [
    ["run", "toy", "--output", FILE],
    ["prepare", "toy", "--output", f"{FILE}/deeper"],
    ["sweep", "toy", "--chapter", "1", "--grid", "draws=5", "--to", FILE],
    ["index", "--to", FILE],
    ["workflow", "--to", f"{FILE}/Snakefile"],
]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["run", "tay"], 1, "no case 'tay' under "),
        (["run", "../toy"], 1, "'../toy': a case's name or folder is given without '..'"),
        (["run", "toy", "--chapter", "7"], 1, "no chapter '7'; the chapters are: 0_customer_file"),
        (["run", "toy", "-p", "draws", "x"], 1, "parameter `draws` of 1_pareto_analysis: got 'x'"),
        (["run", "toy", "-p", "draws"], 1, "-p draws: no value is given; write -p NAME VALUE"),
        (["run", "toy", "-p", "seed", "1", "-p", "seed=2"], 1, "-p seed is given twice"),
        (["run", "toy", "-p", "case", "x"], 1, "parameter `case` is set by the run"),
        (["run", "toy", "--engine", "x"], 1, "no engine 'x'; the engines are default, forked"),
        (["run", "toy", "--jobs", "0"], 2, "greater than or equal to 1"),
        (["run"], 2, "Missing argument"),
        (["new", "../x", "--data", "a.csv"], 1, "'../x' is no name for a case"),
        (["new", "x", "--data", "absent.csv"], 1, "absent.csv"),
        (["check", "to\ny"], 1, "is no name for a case"),
        *((words, 1, "notebooks/0_customer_file.ipynb: a file, not a folder") for words in TO_FILE),
    ],
)
def test_errors_are_lines(project: Path, arguments: list[str], code: int, message: str) -> None:
    result = invoke(*arguments)
    assert result.exit_code == code
    assert message in result.output
    assert "Traceback" not in result.output


def test_a_new_case_asks_for_what_it_cannot_know(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    data = tmp_path / "sales 2024.csv"
    data.write_text(
        "Kunde;Datum;Betrag;\"weird: # 'column'\"\n007;13.02.2024;1,50;x\n", encoding="utf-8"
    )
    result = invoke("new", "mine", "--data", data.name)
    assert result.exit_code == 0, result.output
    assert "- transactions: customer_id is 'Kunde', date is 'Datum', amount is 'Betrag'" in (
        result.output
    )
    assert "- transactions: not used are \"weird: # 'column'\"" in result.output
    assert "- `currency`: the one currency of all amounts" in result.output
    folder = project / "casework" / "mine"
    assert (folder / "brief.md").read_text(encoding="utf-8").startswith("# Mine\n")
    asked = invoke("check", "mine")
    assert asked.exit_code == 1
    assert asked.output == "case.yaml:9: `currency` is missing\n"
    path = folder / "case.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("currency:\n", "currency: EUR\n"))
    table = load_case("mine").specification.tables["transactions"]
    assert table.csv == str(data)
    assert (table.format.delimiter, table.format.decimal) == (";", ",")
    assert invoke("check", "mine").output == "Mine: the checks found nothing\n"
    again = invoke("new", "mine", "--data", data.name)
    assert again.exit_code == 1
    assert f"{path} exists and is not overwritten; choose another name" in again.output


def test_a_new_case_with_several_tables(project: Path) -> None:
    folder = project / "casework" / "shop"
    folder.mkdir()
    (folder / "orders.csv").write_text("customer_id,date,amount,NO\n1,2024-01-02,3,x\n")
    (folder / "people.csv").write_text("customer_id,name,email,phone\n1,A,a@b.c,5\n")
    files = [str(folder / name) for name in ("orders.csv", "people.csv")]
    result = invoke("new", "shop", "--data", files[0], "--data", files[1])
    assert result.exit_code == 0, result.output
    text = (folder / "case.yaml").read_text(encoding="utf-8")
    assert "    csv: orders.csv\n" in text
    assert '    # not used: "NO"\n' in text
    assert "  customers:\n    csv: people.csv\n" in text
    twice = invoke("new", "shop2", "--data", files[0], "--data", files[0])
    assert "both look like the table transactions" in twice.output
    assert not (project / "casework" / "shop2").exists()


def test_without_a_project(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "keycustomer.cli", "list"],
        env={**os.environ, "KEYCUSTOMER_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == (
        f"KEYCUSTOMER_HOME is {str(tmp_path)!r}, which has no folders `notebooks` and `casework`; "
        "set it to the project's folder, or unset it\n"
    )


def test_all_problems_of_a_case_file_are_printed(project: Path) -> None:
    path = project / "casework" / "toy" / "case.yaml"
    path.write_text(CASE.replace("title", "titel") + "chapters: [9]\n", encoding="utf-8")
    result = invoke("run", "toy")
    assert result.exit_code == 1
    assert [line.partition(": ")[0] for line in result.output.splitlines()] == [
        "case.yaml:1",
        "case.yaml:1",
        "case.yaml:9",
    ]
