"""The run record says how an output was made, without secrets, and is a valid RO-Crate."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from keycustomer.casework import load_case, run_cases
from keycustomer.casework.crate import CONTEXT, PROFILE, SPECIFICATION
from keycustomer.casework.files import sha256_of
from keycustomer.casework.record import commit_of
from keycustomer.casework.redaction import redact, redact_notebook, secrets_of
from toy_project import make_project


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory, engine: str) -> Iterator[Path]:
    """Output of a small case with a lock, under version control."""
    root = make_project(tmp_path_factory.mktemp("record") / "project")
    (root / "requirements.lock").write_text("numpy==2\n")
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.org"]
    for arguments in (["init", "-q"], ["add", "."], [*identity, "commit", "-q", "-m", "Begin"]):
        subprocess.run(["git", "-C", str(root), *arguments], check=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KEYCUSTOMER_HOME", str(root))
        run_cases(["toy"], engine=engine, parameters={"seed": "3"})
        yield root / "casework" / "toy" / "output"


@pytest.fixture
def record(output: Path) -> dict[str, Any]:
    """The run record."""
    content: dict[str, Any] = json.loads((output / "results.json").read_text(encoding="utf-8"))
    run: dict[str, Any] = content["run"]
    return run


def test_the_record_says_from_what_with_what_and_how(output: Path, record: dict[str, Any]) -> None:
    assert record["case_file"]["sha256"] == sha256_of(output.parent / "case.yaml")
    assert record["case_file"]["resolved"]["tables"]["transactions"]["csv"] == "sales.csv"
    assert record["parameters"]["0_customer_file"] == {"greeting": "a = b"}
    assert record["seeds"] == {"1_pareto_analysis": 3}
    (table,) = record["inputs"]
    assert table["sha256"] == sha256_of(output.parent / "sales.csv")
    assert record["lock_sha256"] == sha256_of(output.parents[2] / "requirements.lock")
    assert record["packages"]["duckdb"]
    chapter = record["chapters"]["1_pareto_analysis"]
    assert chapter["status"] == "completed"
    assert chapter["started"] <= chapter["ended"] <= record["ended"]
    assert chapter["peak_memory_bytes"] > 10_000_000
    assert str(output.parents[2]) not in json.dumps(record)


def test_outputs_are_hashed_but_figures_only_listed(output: Path, record: dict[str, Any]) -> None:
    listed = {row["path"]: row["sha256"] for row in record["outputs"]}
    assert listed["tables/1_revenue.csv"] == sha256_of(output / "tables" / "1_revenue.csv")
    assert listed["chapters/1_pareto_analysis.json"]
    assert listed["figures/1_line.png"] is None


def test_the_commit_and_whether_it_was_changed(output: Path, record: dict[str, Any]) -> None:
    root = output.parents[2]
    head = subprocess.run(
        ["git", "-C", str(root), "rev-parse", "HEAD"], capture_output=True, text=True, check=True
    )
    assert record["commit"] == head.stdout.strip()
    # The run's own output is not ignored here.
    assert commit_of(root) == {"commit": record["commit"], "dirty": True}


def test_no_commit_outside_of_version_control(tmp_path: Path) -> None:
    assert commit_of(tmp_path) == {"commit": None, "dirty": None}


def references(value: Any) -> Iterator[str]:
    """All ids that an entity refers to."""
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, dict) and set(item) == {"@id"}:
            yield item["@id"]


def test_the_crate_is_a_process_run_crate(output: Path) -> None:
    """Requirements of RO-Crate 1.1, sections 3 to 5, and of Process Run Crate 0.5."""
    crate = json.loads((output / "ro-crate-metadata.json").read_text(encoding="utf-8"))
    assert crate["@context"] == CONTEXT
    ids = [entity["@id"] for entity in crate["@graph"]]
    assert len(ids) == len(set(ids))
    entities = {entity["@id"]: entity for entity in crate["@graph"]}
    assert all("@type" in entity for entity in entities.values())
    descriptor = entities["ro-crate-metadata.json"]
    assert descriptor["@type"] == "CreativeWork"
    assert descriptor["about"] == {"@id": "./"}
    assert descriptor["conformsTo"] == {"@id": SPECIFICATION}
    root = entities["./"]
    assert root["@type"] == "Dataset"
    assert all(root[key] for key in ("name", "description", "datePublished", "license"))
    assert root["conformsTo"] == {"@id": PROFILE}
    external = {"http://schema.org/CompletedActionStatus", SPECIFICATION}
    for entity in entities.values():
        for value in entity.values():
            assert set(references(value)) <= set(ids) | external
    parts = {part["@id"] for part in root["hasPart"]}
    files = {entity["@id"] for entity in entities.values() if entity["@type"] == "File"}
    assert parts == files
    on_disk = {p.relative_to(output).as_posix() for p in output.rglob("*") if p.is_file()}
    assert files == on_disk - {"ro-crate-metadata.json"}


def test_every_chapter_is_an_action_of_the_crate(output: Path) -> None:
    crate = json.loads((output / "ro-crate-metadata.json").read_text(encoding="utf-8"))
    entities = {entity["@id"]: entity for entity in crate["@graph"]}
    actions = [entities[item["@id"]] for item in entities["./"]["mentions"]]
    assert [action["@type"] for action in actions] == ["CreateAction"] * 2
    pareto = actions[1]
    assert entities[pareto["instrument"]["@id"]]["@type"] == "SoftwareApplication"
    assert {"@id": "tables/1_revenue.csv"} in pareto["result"]
    assert {"@id": "#input-0"} in pareto["object"]
    assert entities["#parameter-1_pareto_analysis-seed"]["value"] == "3"
    assert entities["#parameter-0_customer_file-greeting"]["value"] == "a = b"
    assert pareto["endTime"] >= pareto["startTime"]


def test_secrets_are_redacted_in_every_form(tmp_path: Path) -> None:
    word = 'p@ss "wörd"\\'
    written = [word, repr(word), json.dumps(word), "p%40ss%20%22w%C3%B6rd%22%5C"]
    clean = redact("; ".join(written), [word])
    assert "ss" not in clean
    assert clean.count("[redacted]") == 4
    assert redact("postgresql://me:word@host/db", []) == "postgresql://[redacted]@host/db"
    assert redact("a@b.c, http://host/x", []) == "a@b.c, http://host/x"
    path = tmp_path / "a.ipynb"
    path.write_text(json.dumps({"cells": [{"cell_type": "code", "source": f"code {word}"}]}))
    redact_notebook(path, [word, "code"])
    assert json.loads(path.read_text())["cells"] == [
        {"cell_type": "code", "source": "[redacted] [redacted]"}
    ]


def test_the_password_of_a_whole_url_is_a_secret(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP", "postgresql://me:w%40rd5@host/db")
    path = project / "casework" / "toy" / "case.yaml"
    text = path.read_text().replace("csv: sales.csv", "sql: ${SHOP}\n    table: sales")
    path.write_text(text, encoding="utf-8")
    secrets = secrets_of(load_case("toy").specification)
    assert secrets == ["postgresql://me:w%40rd5@host/db", "w@rd5"]
