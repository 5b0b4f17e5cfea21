"""Two runs differ in what was changed between them, and in nothing else."""

import copy
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from crafted_outputs import claim, measure, results, write
from hypothesis import given, settings
from hypothesis import strategies as st
from keycustomer.casework import CaseError
from keycustomer.casework.across.differing import TOLERANCE, RunDifference, diff_runs
from keycustomer.casework.across.outputs import CaseOutput
from keycustomer.cli import app
from typer.testing import CliRunner

Change = Callable[[dict[str, Any]], object]


def changed(
    *changes: Change, tolerance: float = TOLERANCE, before: Change | None = None
) -> RunDifference:
    """Difference of a run from itself after changes."""
    old = results()
    if before is not None:
        before(old)
    new = copy.deepcopy(old)
    for change in changes:
        change(new)
    folder = Path("crafted")
    return diff_runs(
        CaseOutput("first", folder, old), CaseOutput("first", folder, new), tolerance=tolerance
    )


def test_a_run_does_not_differ_from_itself() -> None:
    found = changed()
    assert found.same and found.unchanged == 7  # four measures and three rows of the ledger
    assert found.conclusion == "Nothing changed."


def test_what_no_result_depends_on_is_left_aside() -> None:
    def other_times(content: dict[str, Any]) -> None:
        content["run"] |= {"started": "2027-01-01", "ended": "2027-01-02", "jobs": 8}
        content["run"]["chapters"]["1_pareto_analysis"] |= {"seconds": 9, "reused": True}

    assert changed(other_times).same


@pytest.mark.parametrize(
    ("change", "rows", "cause"),
    [
        (lambda c: c["run"]["parameters"]["1_pareto_analysis"].update(top=0.1),
         [("parameters", "1_pareto_analysis top", 0.2, 0.1)], "parameters"),
        (lambda c: c["run"]["parameters"]["1_pareto_analysis"].update(new=[1, "a"]),
         [("parameters", "1_pareto_analysis new", None, '[1, "a"]')], "parameters"),
        (lambda c: c["run"]["seeds"].update({"1_pareto_analysis": 1}),
         [("seeds", "1_pareto_analysis", 0, 1)], "seeds"),
        (lambda c: c["run"]["packages"].update(numpy="2.5.0"),
         [("packages", "numpy", "2.4.0", "2.5.0")], "packages"),
        (lambda c: c["run"].update(lock_sha256="f" * 64),
         [("packages", "lock", "d" * 10, "f" * 10)], "packages"),
        (lambda c: c["run"].update(library_sha256="f" * 64),
         [("library", "code", "a" * 10, "f" * 10)], "the library's code"),
        (lambda c: c["run"]["chapters"]["0_customer_file"].update(notebook_sha256="f" * 64),
         [("notebooks", "0_customer_file", "b" * 10, "f" * 10)], "notebooks"),
        (lambda c: c["run"].update(python="3.12.1"),
         [("machine", "Python", "3.11.7", "3.12.1")], "Python or the system"),
        (lambda c: c["run"]["inputs"][0].update(rows=6),
         [("inputs", "transactions, rows", 5, 6)], "the data"),
        (lambda c: c["run"]["case_file"]["resolved"].update(rules={"void": {"action": "drop"}}),
         [("case file", "rules.void.action", None, "drop")], "the case file"),
    ],
)  # fmt: skip
def test_a_changed_cause_is_told(change: Change, rows: list[tuple[Any, ...]], cause: str) -> None:
    found = changed(change)
    assert list(found.changes.itertuples(index=False, name=None)) == rows
    assert found.causes == (cause,) and not found.same
    assert found.conclusion == f"Changed: {cause}; the results did not."
    with_result = changed(change, lambda c: c["measures"][1].update(estimate=0.6))
    assert with_result.conclusion == f"The results changed, and so did: {cause}."


def test_inputs_added_and_removed() -> None:
    def other(content: dict[str, Any]) -> None:
        (row,) = content["run"]["inputs"]
        content["run"]["inputs"] = [{**row, "table": "survey"}, {**row, "table": "survey"}]

    names = list(changed(other).changes["name"])
    assert {"transactions, place", "survey, rows", "survey (2), hash"} <= set(names)


def test_results_that_change_for_no_reason_on_record_are_called_so() -> None:
    found = changed(lambda c: c["measures"][1].update(estimate=0.6))
    assert "though case file, data, parameters" in found.conclusion
    assert "depends on chance or order" in found.conclusion


def test_another_commit_of_the_same_code_is_no_cause() -> None:
    commit = changed(lambda c: c["run"].update(commit="f" * 40))
    assert commit.causes == () and not commit.same
    assert commit.conclusion == "Changed: the commit; the results did not."


def test_changed_numbers() -> None:
    def change(content: dict[str, Any]) -> None:
        content["measures"][1] |= {"estimate": 0.6, "lower": None, "unit": "index"}
        del content["measures"][3]
        content["measures"].append(measure("theil", 0.3))
        content["ledger"][0] |= {"estimate": 0.9, "verdict": "supported"}

    found = changed(change)
    told = {
        (row["chapter"], row["measure"], row["group"], row["part"]): row
        for row in found.numbers.to_dict("records")
    }
    gini = told["1_pareto_analysis", "gini", "", "estimate"]
    assert (gini["old"], gini["new"], gini["status"]) == (0.5, 0.6, "changed")
    assert (gini["change"], gini["relative"]) == pytest.approx((0.1, 0.2))
    assert told["1_pareto_analysis", "gini", "", "lower"]["new"] is None
    assert told["1_pareto_analysis", "gini", "", "unit"]["new"] == "index"
    assert told["1_pareto_analysis", "pareto_share", "top_10", "estimate"]["status"] == "removed"
    assert told["1_pareto_analysis", "theil", "", "estimate"]["status"] == "added"
    assert told["ledger", "K1", "pareto_share", "estimate"]["new"] == 0.9
    assert len(told) == 6 and found.unchanged == 4
    (verdict,) = found.changes.to_dict("records")
    assert verdict == {
        "part": "verdicts", "name": "K1 pareto_share", "old": "not supported", "new": "supported",
    }  # fmt: skip


def test_exclusions_chapters_and_verdicts_are_results() -> None:
    rule = {"table_name": "transactions", "rule": "void", "action": "drop", "rows": 3, "value": 1.0}
    found = changed(
        lambda c: c["exclusions"].append({**rule, "note": ""}),
        lambda c: c["run"]["chapters"]["0_customer_file"].update(status="failed", error="why"),
        lambda c: c["ledger"].append(claim("K1", "supported")),
        lambda c: c["skipped"].append({"section": "1.2", "missing_table": "survey"}),
    )
    told = set(found.changes[["part", "name"]].itertuples(index=False, name=None))
    assert told == {
        ("exclusions", "transactions void, action"),
        ("exclusions", "transactions void, rows"),
        ("exclusions", "transactions void, value"),
        ("chapters", "0_customer_file"),
        ("chapters", "0_customer_file, error"),
        ("verdicts", "K1 pareto_share (2)"),
        ("skipped", "1.2"),
    }
    assert "depends on chance" in found.conclusion


@given(st.floats(-1e12, 1e12), st.floats(-1e-3, 1e-3))
@settings(max_examples=50, deadline=None)
def test_the_tolerance_is_relative(value: float, shift: float) -> None:
    new = value * (1 + shift)
    found = changed(
        lambda c: c["measures"][1].update(estimate=value),
        tolerance=1e-6,
    )
    base = found.new
    after = copy.deepcopy(base.results)
    after["measures"][1]["estimate"] = new
    second = diff_runs(base, CaseOutput("first", base.folder, after), tolerance=1e-6)
    assert second.same == math.isclose(value, new, rel_tol=1e-6)


def test_unknown_and_unknown_are_the_same() -> None:
    def unknown(content: dict[str, Any]) -> None:
        content["measures"][0] |= {"lower": math.nan}

    assert changed(unknown).same


def test_a_tolerance_below_zero_is_refused() -> None:
    with pytest.raises(CaseError, match="--tolerance -1"):
        changed(tolerance=-1)
    with pytest.raises(CaseError, match="--tolerance nan"):
        changed(tolerance=math.nan)


def test_the_command_says_by_its_exit_code(project: Path) -> None:
    old, new = project / "casework" / "toy" / "output", project / "elsewhere"
    write(old, results("toy"))
    content = results("toy")
    write(new, content)
    same = CliRunner().invoke(app, ["diff", "toy", str(new)])
    assert same.exit_code == 0 and "Nothing changed." in same.output
    content["measures"][1]["estimate"] = 0.75
    content["run"]["packages"]["numpy"] = "2.5.0"
    write(new, content)
    told = CliRunner().invoke(app, ["diff", "toy", str(new)])
    assert told.exit_code == 1
    assert "  1_pareto_analysis gini: 0.5 -> 0.75 (+0.25, +50 %)" in told.output
    assert "  numpy: 2.4.0 -> 2.5.0" in told.output
    assert "The results changed, and so did: packages." in told.output
    loose = CliRunner().invoke(app, ["diff", "toy", str(new), "--tolerance", "0.6"])
    assert loose.exit_code == 1 and "the results did not" in loose.output
    as_json = CliRunner().invoke(app, ["diff", "toy", str(new), "--json"])
    read = json.loads(as_json.output)
    assert (read["same"], read["unchanged"], len(read["numbers"])) == (False, 6, 1)
    missing = CliRunner().invoke(app, ["diff", "toy", "nobody"])
    assert missing.exit_code == 2 and "no results.json there" in missing.output


def test_causes_that_no_record_tells_are_not_called_the_same() -> None:
    """Runs of an older version may lack the hash of the code."""
    content = results()
    content["run"] |= {"library_sha256": None, "packages": {}}
    other = copy.deepcopy(content)
    other["measures"][1]["estimate"] = 0.6
    folder = Path("crafted")
    found = diff_runs(CaseOutput("a", folder, content), CaseOutput("a", folder, other))
    assert found.conclusion.endswith("Neither record tells the library's code and the packages.")


@pytest.mark.parametrize("old, new", [(-1e308, 1e308), (5e-324, 1.0)])
def test_changes_past_what_a_number_can_hold_are_json_too(old: float, new: float) -> None:
    found = changed(
        lambda c: c["measures"][1].update(estimate=new),
        before=lambda c: c["measures"][1].update(estimate=old),
    )
    assert json.loads(found.to_json())["numbers"][0]["relative"] is None
