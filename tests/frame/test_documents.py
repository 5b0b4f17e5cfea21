"""What README and the page on the case file say is what the code does."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from account_bases import telecom_base
from keycustomer import customers, dimensions, lifetime, pricing, relationships
from keycustomer.casework.across.numerals import typed_numbers
from keycustomer.casework.case import CaseSpecification, load_case
from keycustomer.customers.rules import RULES
from keycustomer.customers.schema import TABLES
from keycustomer.customers.specification import (
    SOURCE_KINDS,
    Economics,
    Format,
    TableSpecification,
    Window,
)

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
LIFETIME_VALUE = (ROOT / "docs" / "lifetime_value.md").read_text(encoding="utf-8")
RELATIONSHIP_LEVELS = (ROOT / "docs" / "relationship_levels.md").read_text(encoding="utf-8")
PRICING = (ROOT / "docs" / "pricing.md").read_text(encoding="utf-8")
STRATEGY = (ROOT / "docs" / "strategy.md").read_text(encoding="utf-8")
VALUE_DIMENSIONS = (ROOT / "docs" / "value_dimensions.md").read_text(encoding="utf-8")
CASE_FILE = (ROOT / "docs" / "case_file.md").read_text(encoding="utf-8")
TOLD = sorted(path for name in ("brief.md", "note.md") for path in ROOT.glob(f"casework/*/{name}"))
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def first_cells(text: str) -> set[str]:
    """Names in the first column of all tables."""
    return set(re.findall(r"(?m)^\| \**`([^`|]+)`\** \|", text))


@pytest.mark.parametrize(
    "model", [CaseSpecification, Format, TableSpecification], ids=lambda model: model.__name__
)
def test_every_key_is_explained(model: type) -> None:
    beside = {"sheet", "table", "query"}  # explained with the source they belong to
    keys = set(model.model_fields)
    assert keys - beside - first_cells(CASE_FILE) == set()
    assert all(f"`{key}`" in CASE_FILE for key in keys)


def test_parts_of_a_key_are_explained() -> None:
    parts = [*Economics.model_fields, *Window.model_fields, *SOURCE_KINDS]
    assert [part for part in parts if f"`{part}`" not in CASE_FILE] == []


def test_every_table_and_column_is_explained_as_the_model_has_it() -> None:
    for name, table in TABLES.items():
        section = CASE_FILE.partition(f"### `{name}`: one row is {table.row}\n")[2]
        section = re.split(r"\n##", section)[0]
        for column, said in table.columns.items():
            label = f"**`{column}`**" if said.required else f"`{column}`"
            assert f"| {label} | {said.meaning} |" in section, f"{name}.{column}"
        assert first_cells(section) == set(table.columns)
        assert ("`attributes`" in section) == table.attributes


def test_every_rule_is_explained_as_the_registry_has_it() -> None:
    for name, rule in RULES.items():
        does = ", ".join(f"`{action}`" for action in rule.actions)
        parts = [does, rule.meaning, "needs `above`" if rule.threshold else ""]
        line = f"| `{name}` | {rule.flags} | {'; '.join(filter(None, parts))} |"
        assert line in CASE_FILE, f"expected: {line}"


def test_every_target_of_make_is_explained() -> None:
    (phony,) = re.findall(r"(?m)^\.PHONY: (.*)$", MAKEFILE)
    targets = set(phony.split()) - {"help"}
    explained = set(re.findall(r"@echo '  make (\w+) ", MAKEFILE))
    assert explained == targets
    assert {"casework", "test", "lab"} <= set(re.findall(r"make (\w+)", README)) <= targets


def test_every_command_in_the_readme_exists() -> None:
    used = set(re.findall(r"(?m)^(?:\S*/|\S*\\)?keycustomer (\w+)", README))
    command = [sys.executable, "-m", "keycustomer.cli", "--help"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert {"new", "check", "run"} <= used
    assert [name for name in used if not re.search(rf"\b{name}\b", told)] == []


def test_the_case_file_in_the_readme_is_one(tmp_path: Path) -> None:
    (text,) = re.findall(r"```yaml\n(title:.*?)```", README, flags=re.DOTALL)
    path = tmp_path / "case.yaml"
    path.write_text(text, encoding="utf-8")
    specification = load_case(path).specification
    assert specification.currency == yaml.safe_load(text)["currency"]
    assert set(specification.tables) == set(yaml.safe_load(text)["tables"])


def test_readme_states_no_result() -> None:
    """Numbers of a result come from code; a typed one would grow stale."""
    prose = re.sub(r"(?s)```.*?```|`[^`\n]*`", "", README)
    assert re.findall(r"\d+(?:\.\d+)? ?%|\b\d{1,3}(?:,\d{3})+\b|\b0\.\d+", prose) == []


@pytest.mark.parametrize("path", TOLD, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_no_number_of_a_result_is_typed_into_a_brief_or_note(path: Path) -> None:
    assert typed_numbers(path.read_text(encoding="utf-8")) == []


def test_every_case_has_its_brief_and_the_telecom_case_a_note() -> None:
    cases = {path.parent for path in (ROOT / "casework").glob("*/case.yaml")}
    assert {case for case in cases if not (case / "brief.md").is_file()} == set()
    assert (ROOT / "casework" / "telecom" / "note.md").is_file()


def test_the_examples_on_lifetime_value_run(cdnow_base, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(customers, "open_base", lambda path: cdnow_base)
    blocks = re.findall(r"```python\n(.*?)```", LIFETIME_VALUE, flags=re.DOTALL)
    names: dict[str, Any] = {}
    exec("\n".join(blocks), names)  # noqa: S102
    assert names["values"].equity.n == names["model"].customers
    months, quick = names["monthly"].parameters, names["quick"].parameters
    weeks = lifetime.fit_model("BG/NBD", names["customers"]).parameters
    assert months["alpha"] * 30.4375 / 7 == pytest.approx(weeks["alpha"], rel=1e-6)
    assert quick == pytest.approx(names["model"].parameters, rel=1e-9)
    assert set(names["compared"].frame["predictor"]) > set(names["models"])


def test_every_call_in_the_table_of_models_exists() -> None:
    assert called(LIFETIME_VALUE) and called(LIFETIME_VALUE) <= set(dir(lifetime))


def called(text: str) -> set[str]:
    """Functions in the last column of a page's tables."""
    calls = re.findall(r"(?m)^\| .* \| (`.*`) \|$", text)
    return {name for call in calls for name in re.findall(r"(\w+)\(", call)}


def test_the_examples_on_value_dimensions_run() -> None:
    blocks = re.findall(r"```python\n(.*?)```", VALUE_DIMENSIONS, flags=re.DOTALL)
    names: dict[str, Any] = {}
    exec("\n".join(blocks), names)  # noqa: S102
    assert names["fitted"].admissible
    effect = names["by_satisfaction"]
    assert effect.lower < effect.estimate < effect.upper
    assert len(names["policies"].to_frame()) == 2


def test_every_call_in_the_table_of_questions_exists() -> None:
    assert called(VALUE_DIMENSIONS) and called(VALUE_DIMENSIONS) <= set(dir(dimensions))
    levels = called(RELATIONSHIP_LEVELS)
    assert levels and levels <= set(dir(relationships))


def test_the_examples_on_prices_run() -> None:
    blocks = re.findall(r"```python\n(.*?)```", PRICING, flags=re.DOTALL)
    names: dict[str, Any] = {}
    exec("\n".join(blocks), names)  # noqa: S102
    naive, shifted = (names[name].own_price_elasticity() for name in ("naive", "shifted"))
    assert naive.estimate < -2 < shifted.estimate < 0
    assert names["ladder"].best_revenue.estimate == 1500
    assert round(names["demand"].own_price_elasticity.estimate, 4) == -3.7126
    assert names["plan"].spent <= 5_000
    assert set(names["P"].__all__) == set(pricing.__all__)


def test_the_examples_on_relationship_levels_run() -> None:
    blocks = re.findall(r"```python\n(.*?)```", RELATIONSHIP_LEVELS, flags=re.DOTALL)
    names: dict[str, Any] = {}
    exec("\n".join(blocks), names)  # noqa: S102
    best, few, judged = names["best"], names["few"], names["judged"]
    assert best.cost <= names["money"] and 0 <= best.gap < 1e-4
    assert (few.levels == 4).sum() <= 5
    assert judged.frame["attainable_gain_share"].max() <= 1
    assert abs(names["plan"].equal_margin_gap) < 1e-9


def test_the_examples_on_strategy_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    company = {"accounts": 300, "months": 36, "seed": 4}
    small = telecom_base(tmp_path / "telecom.duckdb", accounts=300, simulation=company)
    monkeypatch.setattr(customers, "open_base", lambda path: small)
    blocks = re.findall(r"```python\n(.*?)```", STRATEGY, flags=re.DOTALL)
    names: dict[str, Any] = {}
    exec("\n".join(blocks), names)  # noqa: S102
    assert sum(names["shares"]) == pytest.approx(100)  # efficiency: all of it is shared out
    assert len(names["plans"].frame) == 5
    assert names["delivered"].promised.n == 5
    assert set(names["found"].frame["key"]) <= set("abcde")
    assert sum(names["mix"].spending.values()) <= 40 + 1e-9
