"""pyproject.toml, requirements.lock and environment.yml say the same on every supported machine."""

import re
import sys
import tomllib
from dataclasses import dataclass
from importlib import metadata
from itertools import product
from pathlib import Path

import pytest
import yaml
from packaging.markers import Marker, default_environment
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
ENVIRONMENT = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))

# Optional to jsonschema, and seconds of every Jupyter start; lark is there only for it.
LEFT_OUT = {"rfc3987-syntax", "lark"}

PYTHONS = ("3.11.9", "3.12.1", "3.13.0")
SYSTEMS = {
    "linux": {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix"},
    "macos": {"sys_platform": "darwin", "platform_system": "Darwin", "os_name": "posix"},
    "windows": {"sys_platform": "win32", "platform_system": "Windows", "os_name": "nt"},
}
MACHINES = [
    pytest.param(python, system, id=f"{system}-{python}")
    for python, system in product(PYTHONS, SYSTEMS)
]


@dataclass(frozen=True)
class Pin:
    """One pinned version: where it applies and the hashes it may have."""

    name: str
    version: str
    marker: Marker | None
    hashes: tuple[str, ...]

    def applies(self, machine: dict[str, str]) -> bool:
        return self.marker is None or self.marker.evaluate(machine)


def machine(python: str, system: str) -> dict[str, str]:
    """Marker values of a CPython on a system."""
    return {
        **default_environment(),
        **SYSTEMS[system],
        "python_full_version": python,
        "python_version": python.rpartition(".")[0],
        "implementation_version": python,
    }


def read_lock(text: str) -> list[Pin]:
    """Pins of a lock: lines of ``name==version ; marker``, each followed by its hashes."""
    pins = []
    for line in text.replace("\\\n", " ").splitlines():
        stated, *hashes = re.split(r"\s+--hash=", line)
        requirement = Requirement(stated)
        (specifier,) = requirement.specifier
        assert specifier.operator == "==", f"not an exact pin: {stated}"
        pins.append(
            Pin(
                canonicalize_name(requirement.name),
                specifier.version,
                requirement.marker,
                tuple(part.strip() for part in hashes),
            )
        )
    return pins


def stated_requirements() -> dict[str, Requirement]:
    """Every requirement of pyproject.toml, extras included, by its text."""
    extras = PROJECT["optional-dependencies"].values()
    texts = {*PROJECT["dependencies"], *(text for extra in extras for text in extra)}
    return {text: Requirement(text) for text in sorted(texts)}


def complaints(pins: list[Pin], where: dict[str, str]) -> list[str]:
    """What a set-up on that machine would get wrong."""
    active = [pin for pin in pins if pin.applies(where)]
    versions = {pin.name: pin.version for pin in active}
    twice = sorted({pin.name for pin in active if [p.name for p in active].count(pin.name) > 1})
    found = [f"{name} is pinned twice" for name in twice]
    for text, requirement in stated_requirements().items():
        version = versions.get(canonicalize_name(requirement.name))
        if version is None:
            found.append(f"{text} has no pin")
        elif not requirement.specifier.contains(version, prereleases=True):
            found.append(f"{text} is pinned at {version}")
    return found


@pytest.mark.parametrize(("python", "system"), MACHINES)
def test_lock_satisfies_pyproject(python: str, system: str) -> None:
    assert complaints(read_lock(LOCK), machine(python, system)) == []


@pytest.mark.parametrize(
    ("before", "after", "complaint"),
    [
        (r"(?m)^duckdb==.*", "duckdb==0.1", "duckdb>=2 is pinned at 0.1"),
        (r"(?m)^duckdb==.*", "duckling==1.0", "duckdb>=2 has no pin"),
        (r"(?m)^numpy==(\S+) ; .*3\.12'", r"numpy==\1", "numpy is pinned twice"),
        (r"(?m)^scipy==(\S+) ; .*< '3\.12'", r"scipy==\1 ; sys_platform == 'nowhere'", None),
    ],
)
def test_a_lock_that_disagrees_is_told(before: str, after: str, complaint: str | None) -> None:
    spoiled = re.sub(r"(?m)^(\S+==.*?) \\\n(?:\s+--hash.*\n?)+", r"\1\n", LOCK)
    spoiled = re.sub(before, after, spoiled)
    found = [
        line
        for python in PYTHONS
        for line in complaints(read_lock(spoiled), machine(python, "linux"))
    ]
    assert (complaint or "scipy>=1.16 has no pin") in found


def test_every_pin_carries_hashes() -> None:
    bare = [
        pin.name
        for pin in read_lock(LOCK)
        if not pin.hashes or any(not re.fullmatch("sha256:[0-9a-f]{64}", h) for h in pin.hashes)
    ]
    assert bare == []


def test_lock_names_no_host() -> None:
    assert [line for line in LOCK.splitlines() if "://" in line or line.startswith("-")] == []


def test_lock_leaves_out_what_slows_jupyter() -> None:
    assert LEFT_OUT.isdisjoint(pin.name for pin in read_lock(LOCK))


def installed(name: str) -> str | None:
    """Version of a package in this environment."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def test_pins_need_nothing_beyond_the_lock() -> None:
    """Without dependency resolution, what a pin needs has to be a pin too."""
    here = default_environment()
    active = {pin.name: pin.version for pin in read_lock(LOCK) if pin.applies(here)}
    others = {name: at for name in active if (at := installed(name)) != active[name]}
    if others and not (Path(sys.prefix) / ".set-up").exists():
        pytest.skip(f"this environment was not installed from requirements.lock: {others}")
    assert others == {}
    missing = []
    for name in active:
        for text in metadata.requires(name) or []:
            need = Requirement(text)
            needed = need.marker is None or need.marker.evaluate({**here, "extra": ""})
            at = active.get(canonicalize_name(need.name))
            if needed and (at is None or not need.specifier.contains(at, prereleases=True)):
                missing.append(f"{name} needs {text}, the lock has {at}")
    assert missing == []


def test_conda_door_lists_the_requirements_of_pyproject() -> None:
    *conda, pip = ENVIRONMENT["dependencies"]
    assert conda == [f"python{PROJECT['requires-python']}", "pip"]
    assert pip["pip"] == [*sorted(stated_requirements(), key=str.lower), "--editable ."]


def test_supported_pythons_are_the_ones_tried_here() -> None:
    supported = SpecifierSet(PROJECT["requires-python"])
    assert [python for python in PYTHONS if python not in supported] == []
    assert "3.10.13" not in supported and "3.14.0" not in supported


def test_version_is_said_once() -> None:
    import keycustomer

    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert PROJECT["version"] == keycustomer.__version__ == citation["version"]
    assert metadata.version("keycustomer") == PROJECT["version"]
