"""A headless Chromium that records what it asks for."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="needs the dev extra")

# A page must not be helped by the browser's own traffic, nor stopped by a missing screen.
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
LOCAL = re.compile(r"(?:file|data|blob|about):|(?:http|ws)://127\.0\.0\.1:")


@dataclass
class Visit:
    """A page and what happened on it: addresses asked for, complaints of its scripts."""

    page: "playwright.Page"
    asked: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    @property
    def outside(self) -> list[str]:
        """Addresses asked for that are not on this machine."""
        return [address for address in self.asked if not LOCAL.match(address)]


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator["playwright.Browser"]:
    """Start the browser once a session."""
    with playwright.sync_playwright() as play:
        started = play.chromium.launch(executable_path=chromium, args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def visit(browser: "playwright.Browser") -> Iterator[Visit]:
    """Open an empty page whose requests are recorded; those that would leave are cut off."""
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    made = Visit(context.new_page())
    made.page.on("request", lambda request: made.asked.append(request.url))
    made.page.on("pageerror", lambda error: made.complaints.append(str(error)))
    context.route(
        lambda address: not LOCAL.match(address), lambda route: route.abort("internetdisconnected")
    )
    yield made
    context.close()
