"""Results keep the agreed shape, and numbers that JSON can hold."""

import json
from pathlib import Path

import duckdb
import pytest
from keycustomer.casework import open_chapter
from keycustomer.casework.files import read_chapter, write_json
from keycustomer.casework.measures import json_number
from keycustomer.casework.results import merge_results

RECORD = {
    "chapter": "1_pareto_analysis",
    "measures": [
        {
            "chapter": "1_pareto_analysis",
            "measure": "gini",
            "group": "",
            "estimate": 0.5,
            "lower": None,
            "upper": None,
            "truth": None,
            "unit": "index 0..1",
            "n": 7,
            "method": "",
        }
    ],
    "ledger": [],
    "skipped": [{"section": "What do they buy?", "missing_table": "products"}],
    "tables": [],
    "figures": [],
    "pages": [],
}


def test_the_contract_others_build_on(project: Path) -> None:
    path = project / "casework" / "toy" / "case.yaml"
    text = path.read_text() + "rules:\n  large_amount: {action: drop, above: 145}\n"
    path.write_text(text, encoding="utf-8")
    chapter = open_chapter("1_pareto_analysis", "toy")
    content = merge_results(chapter.case, chapter.base, [RECORD], {"engine": "default"})
    assert list(content) == ["case", "measures", "ledger", "exclusions", "skipped", "run"]
    assert list(content["measures"][0]) == [
        "chapter",
        "measure",
        "group",
        "estimate",
        "lower",
        "upper",
        "truth",
        "unit",
        "n",
        "method",
    ]
    assert content["skipped"] == RECORD["skipped"]
    assert content["case"]["name"] == "toy"
    assert content["case"]["simulated"] is True
    assert content["case"]["start"] == "2024-01-01"
    assert content["case"]["chapters"] == ["1_pareto_analysis"]
    (exclusion,) = content["exclusions"]
    assert (exclusion["table_name"], exclusion["rule"]) == ("transactions", "large_amount")
    # Orders 97, 98 and 99 are above 145; each brings one and a half times its number.
    assert (exclusion["rows"], exclusion["value"]) == (3, 441)
    json.dumps(content, allow_nan=False)


def test_a_reader_can_query_the_base_beside_the_output(project: Path) -> None:
    chapter = open_chapter("1_pareto_analysis", "toy")
    chapter.base.close()
    with duckdb.connect(str(chapter.base.path), read_only=True) as connection:
        total = connection.execute("select sum(revenue) from transactions").fetchone()
    assert total is not None
    assert float(total[0]) == sum(range(1, 100)) * 1.5


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (0.1 + 0.2, 0.3),
        (3.0, 3),
        (float("nan"), None),
        (None, None),
        (1 / 3, 0.333333333333),
        (-0.0, 0),
        (123456789.123, 123456789.123),
    ],
)
def test_numbers_have_twelve_digits(value: float | None, number: float | None) -> None:
    assert json_number(value, "x") == number
    assert repr(json_number(value, "x")) == repr(number)


def test_files_are_written_the_same_way_everywhere(tmp_path: Path) -> None:
    (tmp_path / "chapters").mkdir()
    path = tmp_path / "chapters" / "1_a.json"
    write_json(path, {"客户": 0.1})
    assert path.read_bytes() == '{\n "客户": 0.1\n}\n'.encode()
    assert read_chapter(tmp_path, "1_a") == {"客户": 0.1}
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(path, {"a": float("nan")})
