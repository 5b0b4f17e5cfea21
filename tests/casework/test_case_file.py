"""A case file is read as written, and every problem of it is shown with its line and cure."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keycustomer.casework import CaseError, load_case
from keycustomer.casework.yaml_text import parse_yaml
from toy_project import CASE, make_case


def problems(project: Path, text: str) -> list[str]:
    (project / "casework" / "toy" / "case.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(CaseError) as caught:
        load_case("toy")
    return list(caught.value.problems)


@pytest.mark.parametrize(
    "text", ["NO", "yes", "010", "0x1F", "1e3", "1_000", "2017-01-01", "12:30:00", ".inf", "1.0"]
)
def test_scalars_stay_as_written(text: str) -> None:
    assert parse_yaml(f"key: {text}", "case.yaml").content == {"key": text}


@pytest.mark.parametrize("text", ["", "~", "null"])
def test_no_value_is_none_but_quoted_is_text(text: str) -> None:
    assert parse_yaml(f"key: {text}", "case.yaml").content == {"key": None}
    assert parse_yaml(f"key: '{text}'", "case.yaml").content == {"key": text}


@settings(deadline=None)
@given(st.dictionaries(st.from_regex(r"[a-z]{1,8}", fullmatch=True), st.text("abc\"'\\: #-\n")))
def test_quoted_text_survives(content: dict[str, str]) -> None:
    import json

    text = "\n".join(f"{key}: {json.dumps(value)}" for key, value in content.items())
    if content:
        assert parse_yaml(text, "case.yaml").content == content


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: !!python/object/apply:os.system [ls]", "case.yaml:2: tag tag:yaml.org,2002:"),
        ("a: !secret x", "case.yaml:1: tag !secret is refused; write the plain value"),
        ("a: &x 1\nb: *x", "case.yaml:1: anchor &x is refused; write the value out"),
        ("a:\n  <<: {b: 1}", "case.yaml:2: merge key << is refused; write the values out"),
        ("a: 1\nb: 2\na: 3", "case.yaml:3: key 'a' stands here and on line 1; keep one"),
        ("a: 1\n---\nb: 2", "case.yaml:2: a second document begins; a case file holds one"),
        ("- a\n- b", "case.yaml:1: the file must hold `key: value` lines"),
        ("", "case.yaml:1: the file is empty"),
        ("? [a, b]\n: c", "case.yaml:1: a key must be a word"),
        ("a: b: c", "case.yaml:1: not readable as YAML: mapping values are not allowed here"),
        ("a:\n\tb: c", "case.yaml:2: not readable as YAML"),
        ("a: b\x00", "case.yaml:1: character U+0000 is not allowed in YAML; remove it"),
        ("a: " + "[" * 30 + "]" * 30, "case.yaml:1: nested deeper than 20 levels"),
    ],
)
def test_machinery_and_slips_are_refused_by_line(text: str, message: str) -> None:
    with pytest.raises(CaseError) as caught:
        parse_yaml(text, "case.yaml")
    assert str(caught.value).startswith(message)


def test_tabs_get_their_cure() -> None:
    with pytest.raises(CaseError, match="indent with spaces, never with tabs"):
        parse_yaml("a:\n\tb: c", "case.yaml")


def test_other_encodings_are_refused_by_line(project: Path) -> None:
    path = project / "casework" / "toy" / "case.yaml"
    path.write_bytes("title: x\ndata: Müller\n".encode("latin-1"))
    with pytest.raises(CaseError) as caught:
        load_case("toy")
    assert str(caught.value) == "case.yaml:2: byte 0xfc is not UTF-8; save the file as UTF-8"


def test_byte_order_mark_and_chinese(project: Path) -> None:
    path = project / "casework" / "toy" / "case.yaml"
    path.write_text(CASE.replace("Toy", "重点客户"), encoding="utf-8-sig")
    assert load_case("toy").specification.title == "重点客户"


def test_a_minimal_case(project: Path) -> None:
    case = load_case("toy")
    assert case.name == "toy"
    assert case.folder == project / "casework" / "toy"
    assert case.chapters == ("0_customer_file", "1_pareto_analysis")
    assert case.specification.minimum_cell == 5
    assert case.specification.simulated is True


def test_all_problems_at_once_in_the_order_of_lines(project: Path) -> None:
    text = """\
titel: Toy
time_zone: Europe/Berlinn
observed:
  start: 20170101
tables:
  transactions:
    csv: sales.csv
    colums: {date: day}
chapters: [1, 1_pareto_analysi, 9]
parameters:
  1_pareto_analysis:
    draw: 3
    draws: many
  0: {}
minimum_cell: none
"""
    assert problems(project, text) == [
        "case.yaml:1: `currency` is missing",
        "case.yaml:1: `title` is missing",
        "case.yaml:1: unknown key `titel` (did you mean 'title'?); known here are: title, data, "
        "simulated, identifiable, currency, time_zone, observed, economics, simulation, tables, "
        "rules, chapters, parameters, minimum_cell",
        "case.yaml:2: `time_zone`: no time zone 'Europe/Berlinn'; write one such as "
        "'Europe/Berlin' or 'UTC'; got 'Europe/Berlinn'",
        "case.yaml:4: `observed.start`: write the date as YYYY-MM-DD; got '20170101'",
        "case.yaml:8: unknown key `tables.transactions.colums` (did you mean 'columns'?); known "
        "here are: shipped, simulated, csv, parquet, excel, duckdb, sql, sheet, table, query, "
        "columns, attributes, format",
        "case.yaml:9: no chapter '1_pareto_analysi' (did you mean '1_pareto_analysis'?); the "
        "chapters are: 0_customer_file, 1_pareto_analysis",
        "case.yaml:9: no chapter '9'; the chapters are: 0_customer_file, 1_pareto_analysis",
        "case.yaml:12: 1_pareto_analysis has no parameter 'draw' (did you mean 'draws'?); it has: "
        "draws, seed, share, mode",
        "case.yaml:13: parameter `draws` of 1_pareto_analysis: got 'many', needs a whole number",
        "case.yaml:15: `minimum_cell`: Input should be a valid integer, unable to parse string as "
        "an integer; got 'none'",
    ]


def test_unknown_tables_and_columns_are_named(project: Path) -> None:
    text = CASE.replace("transactions:", "transaction:")
    assert problems(project, text)[0].startswith(
        "case.yaml:6: `tables`: no such table ['transaction']; the data model has customers,"
    )


def test_a_case_without_transactions_is_refused(project: Path) -> None:
    text = CASE.replace("transactions:", "customers:")
    assert problems(project, text) == [
        "case.yaml:6: `tables`: a table `choices`, `contracts`, `market`, `survey` or "
        "`transactions` is needed: chapters rest on them"
    ]


def test_a_case_of_answers_alone_runs_no_chapter_of_order_lines(project: Path) -> None:
    text = CASE.replace("transactions:", "survey:")
    assert problems(project, text + "chapters: [0_customer_file]\n") == [
        "case.yaml:1: chapter 0_customer_file needs the table `transactions`"
    ]


def test_parameters_are_converted_to_their_types(project: Path) -> None:
    text = CASE + (
        "parameters:\n  1: {draws: 1e3, share: 1e-1, mode: 010}\n"
        '  0_customer_file: {greeting: "NO \\"quotes\\" \\\\ 客户\\n#"}\n'
    )
    (project / "casework" / "toy" / "case.yaml").write_text(text, encoding="utf-8")
    assert load_case("toy").specification.parameters == {
        "1_pareto_analysis": {"draws": 1000, "share": 0.1, "mode": "010"},
        "0_customer_file": {"greeting": 'NO "quotes" \\ 客户\n#'},
    }


def test_keys_without_value_say_nothing(project: Path) -> None:
    (project / "casework" / "toy" / "case.yaml").write_text(CASE + "rules:\nchapters:\n")
    assert load_case("toy").specification.rules == {}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("../toy", "'../toy': a case's name or folder is given without '..'"),
        ("casework/../../etc", "a case's name or folder is given without '..'"),
        ("..", "a case's name or folder is given without '..'"),
        ("..\\toy", "a case's name or folder is given without '..'"),
        ("toy\0", "'toy\\x00' is no name for a case and no path"),
        (" ", "' ' is no name for a case and no path"),
        ("to y", "'to y' is no name for a case: use at most 64 letters, digits, _ and -"),
        ("nul", "'nul' is no name for a case"),
        ("-rf", "'-rf' is no name for a case"),
        ("tay", "(did you mean 'toy'?); there are: toy (or give the path of a case.yaml)"),
        ("/etc/passwd.yaml", "a case file is called case.yaml, in a folder named as the case"),
        ("/nowhere/case.yaml", "no case file at /nowhere/case.yaml"),
    ],
)
def test_names_that_are_none_are_refused(project: Path, name: str, message: str) -> None:
    with pytest.raises(CaseError) as caught:
        load_case(name)
    assert message in str(caught.value)


def test_a_case_elsewhere_by_path(project: Path, tmp_path: Path) -> None:
    folder = make_case(tmp_path / "elsewhere", "mine")
    assert load_case(folder).name == "mine"
    assert load_case(folder / "case.yaml").folder == folder.resolve()


def test_the_shipped_cases_are_right(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEYCUSTOMER_HOME", str(root))
    purchases, answers = ("0_customer_file", "1_pareto_analysis"), ("2_value_dimensions",)
    levels, prices = ("3_relationship_levels",), ("4_pricing_elasticity",)
    strategy = ("5_marketing_strategy",)
    chapters = {
        "cdnow": purchases,
        "complete_journey": purchases + answers + levels + prices + strategy,
        "telecom": purchases + answers + levels + prices + strategy,
        "mobi": answers,
        "corp_rep": answers,
        "wa_churn": levels,
        "cereal": prices,
        "cars": prices,
        "yogurt": prices,
        "green_cars": prices,
        "electricity": prices,
    }
    for name, listed in chapters.items():
        case = load_case(name)
        assert case.chapters == listed
        assert (case.folder / "brief.md").is_file()
        tables = case.specification.tables
        nobody_to_hide = bool({"customers", "transactions", "market"} & set(tables))
        assert case.specification.identifiable == nobody_to_hide
        assert case.specification.simulated == (name in ("telecom", "wa_churn", "cereal"))
    assert load_case("cdnow").specification.economics.margin is None


def test_no_project_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEYCUSTOMER_HOME", str(tmp_path))
    with pytest.raises(CaseError, match=r"KEYCUSTOMER_HOME is .* no folders `notebooks`"):
        load_case("toy")


def test_an_unknown_key_is_refused_even_without_a_value(project: Path) -> None:
    found = problems(project, CASE + "rulles:\n")
    assert len(found) == 1
    assert "unknown key `rulles` (did you mean 'rules'?)" in found[0]
