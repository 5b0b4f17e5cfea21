"""A reader opens a report on a machine without network."""

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Visit

pytestmark = pytest.mark.browser

IMAGES = """all => all.map(img => ({
    loaded: img.complete && img.naturalWidth > 0,
    alt: (img.getAttribute('alt') || '').trim(),
    source: (img.getAttribute('src') || '').slice(0, 11),
}))"""
FORMULAS = """all => all.map(math => {
    const box = math.getBoundingClientRect();
    return box.width > 0 && box.height > 0;
})"""
# Text a reader sees, but not code, where a dollar sign or a backslash may stand.
PROSE = """() => {
    const copy = document.body.cloneNode(true);
    copy.querySelectorAll('pre, code, script, style, math').forEach(node => node.remove());
    return copy.textContent;
}"""
DEAD_LINKS = """all => all.map(link => link.getAttribute('href'))
    .filter(href => !document.getElementById(decodeURIComponent(href.slice(1))))"""
EXTERNAL = """all => all.map(node => node.getAttribute('src') || node.getAttribute('href'))
    .filter(address => address && !/^(data:|#)/.test(address))"""


@pytest.fixture(scope="module")
def output(chromium: str, root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run the music-retailer case once; its output folder."""
    folder = tmp_path_factory.mktemp("report")
    command = [sys.executable, "-m", "keycustomer.cli", "run", "cdnow", "--output", str(folder)]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return folder / "cdnow"


@pytest.fixture
def report(output: Path, visit: "Visit") -> "Visit":
    """Open the report of that run, the network gone."""
    visit.page.context.set_offline(True)
    visit.page.goto((output / "report.html").as_uri(), wait_until="load")
    return visit


def test_every_figure_is_there_and_described(report: "Visit", output: Path) -> None:
    images = report.page.locator("img").evaluate_all(IMAGES)
    figures = list((output / "figures").rglob("*.png"))
    assert len(images) >= len(figures) > 0
    assert [image for image in images if not image["loaded"]] == []
    assert [image for image in images if len(image["alt"]) < 20] == []
    assert {image["source"] for image in images} == {"data:image/"}


def test_equations_are_drawn(report: "Visit") -> None:
    drawn = report.page.locator("math").evaluate_all(FORMULAS)
    assert len(drawn) > 0 and all(drawn)
    prose = report.page.evaluate(PROSE)
    assert [mark for mark in (r"\frac", r"\sum", "$$", r"\(") if mark in prose] == []


def test_nothing_leaves_the_machine(report: "Visit", output: Path) -> None:
    assert report.outside == []
    pages = [address for address in report.asked if not address.startswith("data:")]
    assert pages == [(output / "report.html").as_uri()]
    sources = "script[src], link[href], img, iframe, video, audio, source, object, embed"
    assert report.page.locator(sources).evaluate_all(EXTERNAL) == []
    assert report.complaints == []


def test_contents_lead_to_every_chapter(report: "Visit") -> None:
    links = report.page.locator("a[href^='#']")
    assert links.count() > 0
    assert links.evaluate_all(DEAD_LINKS) == []


def test_inputs_are_folded(report: "Visit") -> None:
    folds = report.page.locator("details:has(pre)")
    assert folds.count() > 0
    assert folds.evaluate_all("all => all.filter(fold => fold.open).length") == 0
    assert not report.page.locator("details pre").first.is_visible()
    folds.first.locator("summary").first.click()
    assert folds.first.locator("pre").first.is_visible()


def test_the_report_says_what_the_results_say(report: "Visit", output: Path) -> None:
    ledger = json.loads((output / "results.json").read_text(encoding="utf-8"))["ledger"]
    text = report.page.inner_text("body")
    assert ledger and [row["claim"] for row in ledger if row["claim"] not in text] == []
    assert [row["verdict"] for row in ledger if row["verdict"] not in text] == []


def test_the_page_fits_its_window(report: "Visit") -> None:
    report.page.set_viewport_size({"width": 900, "height": 700})
    across = "() => document.documentElement.scrollWidth - window.innerWidth"
    assert report.page.evaluate(across) <= 0


def test_a_request_that_would_leave_is_seen(visit: "Visit", tmp_path: Path) -> None:
    page = tmp_path / "leaking.html"
    page.write_text('<img src="https://figures.example/a.png" alt="none"><p>text</p>')
    visit.page.goto(page.as_uri(), wait_until="load")
    assert visit.outside == ["https://figures.example/a.png"]
    images = visit.page.locator("img").evaluate_all(IMAGES)
    assert [image["loaded"] for image in images] == [False]
