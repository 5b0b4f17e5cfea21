"""Results that a stranger brings: read as they are, or refused in words."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from crafted_outputs import results, write
from keycustomer.casework import CaseError
from keycustomer.casework.across.comparing import compare_cases
from keycustomer.casework.across.differing import diff_runs
from keycustomer.casework.across.ledger import evidence_ledger
from keycustomer.casework.across.outputs import find_outputs, read_output

Change = Callable[[dict[str, Any]], object]


def stored(folder: Path, change: Change) -> Path:
    """Write results with a change, as a program that knows no better would."""
    content = copy.deepcopy(results("second"))
    change(content)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.json").write_text(json.dumps(content), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    "change, complaint",
    [
        (lambda c: c.update(measures=None), "measures holds no rows"),
        (lambda c: c.update(measures=["gini"]), "row 1 of measures is no object"),
        (lambda c: c["measures"][1].update(estimate="0.5"), "estimate '0.5' is no number"),
        (lambda c: c["measures"][1].update(lower=True), "lower True is no number"),
        (lambda c: c["measures"][1].update(upper=10**400), "is no number"),
        (lambda c: c["measures"][1].update(group=None), "group None is no text"),
        (lambda c: c["ledger"][0].update(verdict=None), "row 1 of ledger: verdict None is no text"),
        (lambda c: c["ledger"][0].pop("claim"), "a row of ledger has no 'claim'"),
        (lambda c: c.update(exclusions=[{"table": "x"}]), "exclusions has no 'table_name'"),
        (lambda c: c.update(skipped=None), "skipped holds no rows"),
        (lambda c: c.update(run=None), "run holds no object"),
        (lambda c: c["run"].update(chapters=["1"]), "run.chapters holds no object a chapter"),
        (lambda c: c["run"].update(parameters={"1": None}), "run.parameters holds no object"),
        (lambda c: c["run"].update(inputs=[{"x": 1}]), "run.inputs holds no row a table"),
    ],
)
def test_what_no_run_writes_is_refused_in_words(
    tmp_path: Path, change: Change, complaint: str
) -> None:
    with pytest.raises(CaseError, match="run the case again") as caught:
        read_output(stored(tmp_path, change))
    assert complaint in str(caught.value)


@pytest.mark.parametrize("odd", [float("nan"), float("inf"), float("-inf")])
def test_numbers_that_json_does_not_have_are_not_known(tmp_path: Path, odd: float) -> None:
    """Python writes NaN and Infinity, which other readers refuse."""

    def change(content: dict[str, Any]) -> None:
        content["measures"][1] |= {"estimate": odd, "upper": odd}
        content["ledger"][0] |= {"estimate": odd}

    first = write(tmp_path / "first", results("first"))
    second = read_output(stored(tmp_path / "second", change))
    assert second.measures["estimate"].isna().sum() == 1
    found = compare_cases([first, second])
    assert "gini" not in set(found.differences["measure"])
    assert '"new": null' in diff_runs(first, second).to_json()
    assert evidence_ledger([first, second]).frame["estimate"].isna().sum() >= 1


def test_a_mark_of_the_byte_order_is_no_mistake(tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text(json.dumps(results("first")), encoding="utf-8-sig")
    assert read_output(tmp_path).name == "first"


def test_failed_runs_are_no_outputs(tmp_path: Path) -> None:
    """What failed stands beside the outputs and is not counted as a run of its own."""
    for name in ("one", "one.failed"):
        write(tmp_path / name, results("one"))
    assert [one.folder.name for one in find_outputs(output=tmp_path)] == ["one"]
