"""What no file of the project holds: machine paths, package hosts, leftovers, weight."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
LARGEST = 500_000  # bytes

# Parts are joined here, so that this file does not hold what it looks for.
MACHINE_PATHS = re.compile(r"(?<![\w.])/(?:home|Users|root|work)/" + r"\w|\b[A-Z]:\\Users\\\w")
PACKAGE_HOSTS = re.compile(
    "|".join(("py" + r"pi\.org", "python" + "hosted", r"anaconda" + r"\.org"))
)
LEFTOVERS = re.compile(r"\b(?:TO" + "DO|FIX" + "ME|X" + r"XX)\b")


def tracked() -> list[Path]:
    """Files that git keeps or would keep; all files where the project is no checkout."""
    command = ["git", "ls-files", "-co", "--exclude-standard", "-z"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        pytest.skip("not a git checkout")
    return [path for name in done.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def offences(text: str) -> list[str]:
    """Places in a text that tie it to a machine or a host, or that were left over."""
    patterns = (MACHINE_PATHS, PACKAGE_HOSTS, LEFTOVERS)
    return [found.group() for pattern in patterns for found in pattern.finditer(text)]


def test_no_file_names_a_machine_or_a_package_host() -> None:
    found = {}
    for path in tracked():
        text = path.read_text(encoding="utf-8", errors="ignore")
        if b"\0" not in path.read_bytes()[:1024] and (told := offences(text)):
            found[str(path.relative_to(ROOT))] = told
    assert found == {}


@pytest.mark.parametrize(
    "text",
    [
        "cd /home/" + "ann/project",
        "see /Users/" + "ann",
        "C:\\Users\\" + "ann",
        "https://py" + "pi.org/simple",
        "files.python" + "hosted.org",
        "# TO" + "DO later",
    ],
)
def test_an_offence_is_seen(text: str) -> None:
    assert offences(text)


@pytest.mark.parametrize("text", ["work/main", "casework/cdnow/work/1", "the root/leaf", "~/home"])
def test_an_innocent_path_is_not(text: str) -> None:
    assert offences(text) == []


def test_no_file_is_large() -> None:
    sizes = {str(path.relative_to(ROOT)): path.stat().st_size for path in tracked()}
    assert {name: size for name, size in sizes.items() if size > LARGEST} == {}


def test_no_third_party_data_file() -> None:
    """Data come from packages, the generator or the reader; the cards are text."""
    names = [path.relative_to(ROOT).as_posix() for path in tracked()]
    assert [name for name in names if name.startswith("data/") and not name.endswith(".md")] == []


def test_test_files_have_names_of_their_own() -> None:
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    assert sorted({name for name in names if names.count(name) > 1}) == []
    assert list((ROOT / "tests").rglob("__init__.py")) == []


def test_text_files_end_their_lines_one_way() -> None:
    endings = (".py", ".md", ".yaml", ".yml", ".toml", ".sql", ".ipynb", ".cff", ".lock")
    returns = [
        str(path.relative_to(ROOT))
        for path in tracked()
        if path.suffix in endings and b"\r\n" in path.read_bytes()
    ]
    assert returns == []


def test_citation_says_what_it_must() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()
    assert citation["cff-version"] == "1.2.0" and citation["type"] == "software"
    assert all({"name"} <= author.keys() for author in citation["authors"])


def test_links_between_the_texts_lead_somewhere() -> None:
    broken = []
    for path in tracked():
        if path.suffix == ".md":
            text = path.read_text(encoding="utf-8")
            for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", text):
                if not (path.parent / target).exists():
                    broken.append(f"{path.relative_to(ROOT)} -> {target}")
    assert broken == []
