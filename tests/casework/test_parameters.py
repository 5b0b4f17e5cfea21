"""Parameters come from the notebook itself, and values take the declared type or are refused."""

import ast
import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keycustomer.casework import CaseError
from keycustomer.casework.execution import readable_translator
from keycustomer.casework.parameters import convert_all, parse_parameters, read_parameters
from toy_project import notebook

CELL = """\
case: str = "cdnow"  # customer base to analyse
url: str = "a=b; c == d  # no comment"  # a default papermill cannot read, text
draws: int = 1_000  # bootstrap draws, count
share: float = .2  # part called the top, share 0..1
strict: bool = False  # whether to be strict
start: str | None = None  # first day, ISO date
tops: list[float] = [0.2, 0.1]  # parts, shares
every: Literal["week", "month"] = "month"  # length of a period
"""


def test_declarations_are_read_whole() -> None:
    declared = parse_parameters(CELL, "1_pareto_analysis.ipynb")
    assert {name: p.annotation for name, p in declared.items()} == {
        "case": "str",
        "url": "str",
        "draws": "int",
        "share": "float",
        "strict": "bool",
        "start": "str | None",
        "tops": "list[float]",
        "every": "Literal['week', 'month']",
    }
    assert declared["url"].default == "a=b; c == d  # no comment"
    assert declared["draws"].default == 1000
    assert declared["share"].help == "part called the top, share 0..1"


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("draws = 3", "write `name: type = value  # meaning, unit`"),
        ("draws: int", "no default; write `name: type = value  # meaning, unit`"),
        ("import os", "write `name: type = value  # meaning, unit`"),
        ('draws: int = "x"', "the default is not of type int: got 'x', needs a whole number"),
        ("draws: int = f()", "the default is not of type int: malformed node"),
        ("draws: complex = 1", "type 'complex'; allowed are str, int, float, bool"),
        ("draws: int | str = 1", "a parameter has one type, or `type | None`"),
        ("_draws: int = 1", "'_draws' is not a name for a parameter"),
        ("case: str = 'y'", "`case` is declared twice"),
    ],
)
def test_other_lines_are_refused(line: str, complaint: str) -> None:
    with pytest.raises(CaseError) as caught:
        parse_parameters(f"case: str = 'x'\n{line}", "a.ipynb")
    assert str(caught.value).startswith(f"a.ipynb: parameters cell, `{line}`: {complaint}")


def test_a_notebook_needs_one_parameters_cell_with_a_case(tmp_path: Path) -> None:
    path = tmp_path / "1_a.ipynb"
    path.write_text(json.dumps(notebook("draws: int = 1", [])), encoding="utf-8")
    with pytest.raises(CaseError, match=r"must declare `case: str = ...`"):
        read_parameters(path)
    content = notebook("case: str = 'x'", [])
    content["cells"] *= 2
    path.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(CaseError, match="2 cells are tagged `parameters`; tag exactly one"):
        read_parameters(path)
    path.write_text("{}", encoding="utf-8")
    with pytest.raises(CaseError, match="not a notebook of format 4"):
        read_parameters(path)


@pytest.mark.parametrize(
    ("name", "written", "value"),
    [
        ("draws", "1e3", 1000),
        ("draws", "010", 10),
        ("draws", 500.0, 500),
        ("share", "1e-1", 0.1),
        ("share", "2", 2.0),
        ("strict", "TRUE", True),
        ("start", "null", None),
        ("start", "2024-01-01", "2024-01-01"),
        ("tops", "0.2, 0.1", [0.2, 0.1]),
        ("tops", "[0.5]", [0.5]),
        ("tops", (1, 2), [1.0, 2.0]),
        ("every", "week", "week"),
        ("url", "007", "007"),
        ("url", "1e3", "1e3"),
    ],
)
def test_words_take_the_declared_type(name: str, written: Any, value: Any) -> None:
    values, wrong = convert_all({name: written}, parse_parameters(CELL, "a.ipynb"), "1_a")
    assert not wrong
    assert values == {name: value}
    assert type(values[name]) is type(value)


@pytest.mark.parametrize(
    ("name", "written", "complaint"),
    [
        ("draws", "1.5", "got '1.5', needs a whole number"),
        ("draws", True, "got True, needs a whole number"),
        ("share", "nan", "got 'nan', needs a finite number"),
        ("share", math.inf, "got inf, needs a finite number"),
        ("share", "1_0", "got '1_0', needs a finite number"),
        ("strict", "yes", "got 'yes', needs true or false"),
        ("strict", 1, "got 1, needs true or false"),
        ("url", 7, "got 7, needs text"),
        ("url", "a\0b", "got 'a\\x00b', which holds characters no text file can hold"),
        ("url", "\ud800", "got '\\ud800', which holds characters no text file can hold"),
        ("tops", "[0.1", "got '[0.1', which is no JSON list"),
        ("every", "weak", "got 'weak', allowed are 'week', 'month' (did you mean 'week'?)"),
    ],
)
def test_values_that_do_not_fit_are_refused(name: str, written: Any, complaint: str) -> None:
    _, wrong = convert_all({name: written}, parse_parameters(CELL, "a.ipynb"), "1_a")
    assert wrong[name].startswith(f"parameter `{name}` of 1_a: {complaint}")


def test_unknown_names_and_the_case_are_refused_together() -> None:
    given_values = {"drawz": 1, "case": "x", "__import__": "os"}
    _, wrong = convert_all(given_values, parse_parameters(CELL, "a.ipynb"), "1_a")
    assert wrong["drawz"].startswith("1_a has no parameter 'drawz' (did you mean 'draws'?); it has")
    assert wrong["case"] == "parameter `case` is set by the run; name the case itself instead"
    assert wrong["__import__"].startswith("1_a has no parameter '__import__'; it has: url, draws")


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_injected_text_is_python_and_means_the_same(text: str) -> None:
    assert ast.literal_eval(readable_translator().translate(text)) == text


@pytest.mark.parametrize("value", ["重点客户", "é'\"\\\n", True, None, 1.5, [1, "大"], {"大": 1}])
def test_injected_values_are_readable(value: Any) -> None:
    written = readable_translator().translate(value)
    assert ast.literal_eval(written) == value
    assert "\\u" not in written


def test_papermill_still_has_the_traps_that_are_worked_around() -> None:
    """When this fails, a workaround has become needless."""
    program = "from papermill.translators import PythonTranslator as T\nprint(T.translate('重'))\n"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == '"\\u91cd"'
