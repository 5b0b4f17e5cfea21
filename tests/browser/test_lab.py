"""A student opens a notebook in JupyterLab and runs all of it."""

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook

if TYPE_CHECKING:
    from conftest import Visit

pytestmark = pytest.mark.browser

START = 90  # seconds for the server to answer, generous for a cold disk
RUN = 300  # seconds for a notebook; a minute alone, more beside other tests

# All cells in the document at once, no news from the network, no dialogs.
SETTINGS = {
    "notebook-extension/tracker": {"windowingMode": "none", "autoStartDefaultKernel": True},
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
}
# Ran to the end, or stopped at an error, which takes the star from the cells still waiting.
FINISHED = """() => {
    const prompts = [...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')];
    const texts = prompts.map(prompt => prompt.textContent.trim());
    return texts.some(text => /\\d/.test(text)) && !texts.some(text => text.includes('*'));
}"""


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab: where it answers, the folder it shows."""

    address: str
    token: str
    folder: Path

    def of(self, name: str) -> str:
        """Address of a notebook in a workspace of its own."""
        return f"{self.address}/lab/workspaces/{Path(name).stem}/tree/{name}?token={self.token}"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def await_answer(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + START
    while time.monotonic() < end and server.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=5):  # noqa: S310
                return
        except OSError:
            time.sleep(0.3)
    pytest.fail(f"JupyterLab does not answer:\n{log.read_text()[-2000:]}")


def environment(folder: Path, root: Path) -> dict[str, str]:
    """Keep the reader's own Jupyter out of it, and the outputs out of the project."""
    for name, values in SETTINGS.items():
        path = folder / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values))
    places = {
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
        "IPYTHONDIR": "ipython",
        "KEYCUSTOMER_OUTPUT": "output",
    }
    own = {name: str(folder / place) for name, place in places.items()}
    return {**os.environ, **own, "KEYCUSTOMER_HOME": str(root)}


@pytest.fixture(scope="module")
def lab(chromium: str, root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Start JupyterLab on a free port of this machine, on copies of the notebooks."""
    pytest.importorskip("jupyterlab", reason="needs the coursework extra")
    folder = tmp_path_factory.mktemp("lab")
    shown = folder / "notebooks"
    shutil.copytree(root / "notebooks", shown, ignore=shutil.ignore_patterns(".*"))
    made = Lab(f"http://127.0.0.1:{free_port()}", secrets.token_hex(16), shown)
    options = {
        "ip": "127.0.0.1",
        "port": made.address.rpartition(":")[2],
        "port_retries": "0",
        "root_dir": str(shown),
        "open_browser": "False",
        "allow_root": "True",
    }
    command = [sys.executable, "-m", "jupyterlab"]
    command += [f"--ServerApp.{name}={value}" for name, value in options.items()]
    command += [f"--IdentityProvider.token={made.token}", "--LabApp.extension_manager=readonly"]
    log = folder / "log"
    with log.open("wb") as told:
        server = subprocess.Popen(
            command, env=environment(folder, root), stdout=told, stderr=told, cwd=shown
        )
        try:
            await_answer(f"{made.address}/api", server, log)
            yield made
        finally:
            server.terminate()
            server.wait(30)


def run_all(lab: Lab, visit: "Visit", name: str) -> NotebookNode:
    """Open a notebook, run all cells from the menu, save it; return what was saved."""
    page = visit.page
    page.goto(lab.of(name))
    # The notebook's own indicator says idle before there is a kernel; the status bar does not.
    page.locator("#jp-main-statusbar", has_text="| Idle").wait_for(timeout=START * 1000)
    page.locator(".lm-MenuBar-itemLabel", has_text="Run").first.click()
    page.locator(".lm-Menu-itemLabel", has_text="Run All Cells").first.click()
    page.wait_for_function(FINISHED, timeout=RUN * 1000)
    before = (lab.folder / name).stat().st_mtime_ns
    page.locator(".jp-Notebook").first.click(position={"x": 2, "y": 2})
    page.keyboard.press("Control+s")
    end = time.monotonic() + START
    while (lab.folder / name).stat().st_mtime_ns == before and time.monotonic() < end:
        page.wait_for_timeout(200)
    page.wait_for_timeout(500)
    return nbformat.read(lab.folder / name, as_version=4)


def errors(book: NotebookNode) -> list[str]:
    return [
        f"{out.ename}: {out.evalue}"
        for cell in book.cells
        for out in cell.get("outputs", [])
        if out.output_type == "error"
    ]


def test_pareto_analysis_runs_in_the_lab(lab: Lab, visit: "Visit") -> None:
    book = run_all(lab, visit, "1_pareto_analysis.ipynb")
    code = [cell for cell in book.cells if cell.cell_type == "code" and cell.source.strip()]
    assert errors(book) == []
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    figures = "img => img.complete && img.naturalWidth > 0"
    images = visit.page.locator(".jp-OutputArea-output img")
    assert images.count() > 0
    assert images.evaluate_all(f"all => all.every({figures})")
    assert visit.outside == []


def test_an_error_in_a_notebook_is_seen(lab: Lab, visit: "Visit") -> None:
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    book = new_notebook(metadata={"kernelspec": kernel})
    book.cells = [new_code_cell("1 + 1"), new_code_cell("1 / 0"), new_code_cell("2 + 2")]
    nbformat.write(book, lab.folder / "faulty.ipynb")
    ran = run_all(lab, visit, "faulty.ipynb")
    assert errors(ran) == ["ZeroDivisionError: division by zero"]
    assert [cell.execution_count for cell in ran.cells] == [1, 2, None]


SLIDER = """
import keycustomer as kc
from keycustomer.casework.slider import show_slider

six = kc.coursework.six_customers()
value, cost = (
    six.pivot(index="customer", columns="level", values=name)[["basic", "proactive", "partnership"]]
    for name in ("value", "cost")
)
def draw(budget):
    return kc.plots.levels_by_value(kc.relationships.select_levels(value, cost, budget), groups=2)

kc.plots.use_style()
show_slider(draw, 0, 400, 200, "budget")
"""

PRICE_SLIDER = """
import keycustomer as kc
from keycustomer.casework.slider import show_slider

curve = kc.pricing.price_curve(-0.8, 0.5, 0.82, churn=0.01, retention_response=3.0)
def draw(price):
    return kc.plots.profit_by_price(curve, price)

kc.plots.use_style()
low, high = curve.frame["price"].iloc[[0, -1]]
show_slider(draw, low, high, curve.today, "price")
"""


@pytest.mark.parametrize("source", [SLIDER, PRICE_SLIDER], ids=["budget", "price"])
def test_a_slider_draws_anew(lab: Lab, visit: "Visit", source: str) -> None:
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    book = new_notebook(metadata={"kernelspec": kernel}, cells=[new_code_cell(source)])
    nbformat.write(book, lab.folder / "slider.ipynb")
    assert errors(run_all(lab, visit, "slider.ipynb")) == []
    image = visit.page.locator(".jp-OutputArea-output .widget-html-content img")
    image.wait_for(timeout=START * 1000)
    before = image.get_attribute("src")
    assert before is not None and image.get_attribute("alt")
    handle = visit.page.locator(".widget-slider .noUi-handle")
    handle.focus()
    for _ in range(20):
        handle.press("ArrowRight")
    visit.page.wait_for_function(
        "before => document.querySelector('.widget-html-content img')?.src !== before",
        arg=before,
        timeout=START * 1000,
    )
    assert image.get_attribute("src") != before
    assert visit.outside == []
