"""The index leads to every report, and leaves out no case without a word."""

import re
from pathlib import Path

import pytest
from crafted_outputs import measure, results, write
from keycustomer.casework.across.indexing import write_index
from keycustomer.casework.project import Project
from keycustomer.cli import app
from toy_project import make_case
from typer.testing import CliRunner

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def casework(project: Path) -> Path:
    """Cases in every state: reported, failed, unreadable, not run."""
    folder = project / "casework"
    for name in ("good", "made up", "failed", "broken"):
        make_case(project, name)
    chapter = [measure("revenue", 1.0, unit="currency", chapter="0_customer_file")]
    write(folder / "good" / "output", results("good", title=HOSTILE))
    write(folder / "made up" / "output", results("made up", chapter, [], simulated=True))
    (folder / "good" / "output" / "note.html").write_text("n")
    failed = results("failed")
    error = f"on purpose {HOSTILE}"
    failed["run"]["chapters"]["1_pareto_analysis"] |= {"status": "failed", "error": error}
    write(folder / "failed" / "output.failed", failed)
    (folder / "broken" / "output").mkdir()
    (folder / "broken" / "output" / "results.json").write_text("{")
    (folder / "ledger.html").write_text("l")
    sweep = folder / "good" / "sweeps" / "seeds"
    sweep.mkdir(parents=True)
    (sweep / "sweep.html").write_text("s")
    return folder


def sections(text: str) -> dict[str, str]:
    """Content by heading, without tags."""
    parts = re.split(r'<h2 id="section-\d+">(.*?)</h2>', text)
    return {
        head: " ".join(re.sub(r"<[^>]+>", " ", body).split())
        for head, body in zip(parts[1::2], parts[2::2], strict=True)
    }


def test_every_case_stands_somewhere(casework: Path) -> None:
    page = write_index(Project(casework.parent))
    text = page.read_text(encoding="utf-8")
    found = sections(text)
    assert page == casework / "index.html"
    assert list(found) == [
        "Failed runs",
        "Outputs that cannot be read",
        "Reports",
        "Across cases",
        "Not run yet",
    ]
    assert "failed 1_pareto_analysis on purpose" in found["Failed runs"]
    assert "not JSON" in found["Outputs that cannot be read"]
    assert "1 supported, 1 not supported, 1 undecided note" in found["Reports"]
    assert "2 January 2026 (outdated)" in found["Reports"]
    assert "of revenue from the top 20" in found["Reports"]
    assert found["Not run yet"].startswith("failed: keycustomer run failed toy:")
    assert (
        "Evidence ledger" in found["Across cases"]
        and "Sweep of good: seeds" in found["Across cases"]
    )
    assert "2 cases have a report; 1 failed the last time; 1 cannot be read; 2 not run yet." in text
    assert "Simulated data: made up." in text
    assert "<script" not in text


def test_links_are_relative_and_lead_somewhere(casework: Path) -> None:
    text = write_index(Project(casework.parent)).read_text(encoding="utf-8")
    links = [link for link in re.findall(r'href="([^"]*)"', text) if not link.startswith("#")]
    assert len(links) == 6
    assert all((casework / link.replace("%20", " ")).is_file() for link in links)


def test_an_index_of_outputs_elsewhere(casework: Path, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    write(runs / "one", results("one"))
    write(runs / "two.failed", results("two"))
    text = write_index(Project(casework.parent), output=runs).read_text(encoding="utf-8")
    found = sections(text)
    assert list(found) == ["Failed runs", "Reports"]
    assert "two" in found["Failed runs"] and "all chapters ran" in found["Failed runs"]
    assert "Case one" in found["Reports"] and "two" not in found["Reports"]


def test_the_command(project: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["index", "--to", str(tmp_path / "pages")])
    assert result.exit_code == 0, result.output
    text = (tmp_path / "pages" / "index.html").read_text(encoding="utf-8")
    assert "No case has been run yet" in text and "toy: keycustomer run toy" in text


def test_an_index_and_the_ledger_agree_on_what_is_outdated(casework: Path) -> None:
    """A report of unknown code is as outdated as one of other code."""
    content = results("good")
    content["run"]["library_sha256"] = None
    write(casework / "good" / "output", content)
    page = write_index(Project(casework.parent)).read_text(encoding="utf-8")
    assert "(outdated)" in sections(page)["Reports"]
