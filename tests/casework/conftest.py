"""Fixtures of the casework tests: a small project, and kernels that start quickly."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from toy_project import make_project

VARIABLES = (
    "KEYCUSTOMER_HOME",
    "KEYCUSTOMER_OUTPUT",
    "KEYCUSTOMER_BASE",
    "KEYCUSTOMER_CASE_FILE",
    "KEYCUSTOMER_PSEUDONYM_KEY",
)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of its own for one test."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    root = make_project(tmp_path / "project")
    monkeypatch.setenv("KEYCUSTOMER_HOME", str(root))
    return root


@pytest.fixture(scope="session")
def engine() -> Iterator[str]:
    """The quickest engine there is, its imports done once for all tests."""
    if not hasattr(os, "fork"):
        yield "default"
        return
    from keycustomer.casework.forked import forked_kernels

    with forked_kernels():
        yield "forked"
