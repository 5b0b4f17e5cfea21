"""The page on what runs across cases says what the code does."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from crafted_outputs import output
from keycustomer import casework

PAGE = Path(__file__).resolve().parents[2] / "docs" / "across_cases.md"
TEXT = PAGE.read_text(encoding="utf-8")


def test_the_examples_run(monkeypatch: pytest.MonkeyPatch) -> None:
    outputs = [output("first"), output("second")]
    monkeypatch.setattr(casework, "find_outputs", lambda: outputs, raising=False)
    names: dict[str, Any] = {}
    exec("\n".join(re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL)), names)  # noqa: S102
    assert len(names["compared"].differences) > 0
    assert names["ledger"].matrix().loc["K1"].notna().sum() == 2
    assert not names["changed"].same  # other data


def test_every_command_and_public_name_exists() -> None:
    command = [sys.executable, "-m", "keycustomer.cli", "--help"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    used = set(re.findall(r"(?m)(?:^|`)keycustomer (\w+)", TEXT))
    assert {"compare", "diff", "index", "ledger", "note", "sweep"} <= used
    assert [name for name in used if not re.search(rf"\b{name}\b", told)] == []
    assert set(re.findall(r"kc\.casework\.(\w+)", TEXT)) <= set(casework.__all__)
