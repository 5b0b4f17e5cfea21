"""What the tests of every folder share: where the project lies, a browser, a database."""

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import hypothesis
import pytest
from prepared_base import hand_made_base  # noqa: F401

if TYPE_CHECKING:
    from keycustomer.customers import CustomerBase

ROOT = Path(__file__).resolve().parent.parent

# New examples are sought everywhere but in a build, which has to mean the same when repeated.
hypothesis.settings.register_profile("local", deadline=None)
hypothesis.settings.register_profile("build", deadline=None, derandomize=True)
hypothesis.settings.load_profile("build" if os.environ.get("CI") else "local")

# What a developer has set for own work (a project elsewhere, a key) must not reach the tests.
for name in [name for name in os.environ if name.startswith("KEYCUSTOMER_")]:
    if not name.startswith(("KEYCUSTOMER_TEST_", "KEYCUSTOMER_REQUIRE_")):
        del os.environ[name]


@pytest.fixture(scope="session")
def root() -> Path:
    """Folder of the project."""
    return ROOT


def lacking(what: str, demanded_by: str) -> NoReturn:
    """Skip for want of a thing, or fail where the environment demands that it is there."""
    if os.environ.get(demanded_by):
        pytest.fail(f"{what} (and {demanded_by} is set, so that this may not skip)", pytrace=False)
    pytest.skip(what)


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of the Chromium to drive; the tests that ask for it skip where there is none."""
    names = ("chromium", "chromium-browser", "google-chrome")
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        lacking(
            f"no Chromium on the path (tried {', '.join(names)})", "KEYCUSTOMER_REQUIRE_BROWSER"
        )
    return found


@pytest.fixture(scope="session")
def postgres_url() -> str:
    """SQLAlchemy URL of a PostgreSQL for the tests; they skip where none is named."""
    url = os.environ.get("KEYCUSTOMER_TEST_POSTGRES_URL", "")
    if not url:
        lacking(
            "KEYCUSTOMER_TEST_POSTGRES_URL names no PostgreSQL (.ci/run starts one)",
            "KEYCUSTOMER_REQUIRE_POSTGRES",
        )
    return url


def prepared(case: str, factory: pytest.TempPathFactory) -> "CustomerBase":
    """Prepare a shipped case's base, in a folder of its own."""
    from keycustomer.casework import load_case
    from keycustomer.customers import prepare_base

    loaded = load_case(case)
    path = factory.mktemp("bases") / f"{case}.duckdb"
    return prepare_base(loaded.specification, loaded.folder, path)


@pytest.fixture(scope="session")
def cdnow_base(tmp_path_factory: pytest.TempPathFactory) -> "CustomerBase":
    """Prepared base of the music retailer, once a session."""
    return prepared("cdnow", tmp_path_factory)


@pytest.fixture(scope="session")
def complete_journey_base(tmp_path_factory: pytest.TempPathFactory) -> "CustomerBase":
    """Prepared base of the grocery retailer, once a session."""
    return prepared("complete_journey", tmp_path_factory)


@pytest.fixture(scope="session")
def mobi_base(tmp_path_factory: pytest.TempPathFactory) -> "CustomerBase":
    """Prepared base of the survey of users of mobile phones, once a session."""
    return prepared("mobi", tmp_path_factory)


@pytest.fixture(scope="session")
def corp_rep_base(tmp_path_factory: pytest.TempPathFactory) -> "CustomerBase":
    """Prepared base of the survey on corporate reputation, once a session."""
    return prepared("corp_rep", tmp_path_factory)


@pytest.fixture(scope="session")
def telecom_base(tmp_path_factory: pytest.TempPathFactory) -> "CustomerBase":
    """Prepared base of the simulated operator, once a session."""
    return prepared("telecom", tmp_path_factory)


@pytest.fixture(scope="session")
def wa_churn_base(tmp_path_factory: pytest.TempPathFactory) -> "CustomerBase":
    """Prepared base of the fictional telephone company, once a session."""
    return prepared("wa_churn", tmp_path_factory)


@pytest.fixture(scope="session")
def cereal_base(tmp_path_factory: pytest.TempPathFactory) -> "CustomerBase":
    """Prepared base of the breakfast cereals, once a session."""
    return prepared("cereal", tmp_path_factory)


@pytest.fixture(scope="session")
def cars_base(tmp_path_factory: pytest.TempPathFactory) -> "CustomerBase":
    """Prepared base of the American cars, once a session."""
    return prepared("cars", tmp_path_factory)


@pytest.fixture(scope="session")
def yogurt_base(tmp_path_factory: pytest.TempPathFactory) -> "CustomerBase":
    """Prepared base of the households that choose yogurt, once a session."""
    return prepared("yogurt", tmp_path_factory)


@pytest.fixture(scope="session")
def green_cars_base(tmp_path_factory: pytest.TempPathFactory) -> "CustomerBase":
    """Prepared base of the stated choices among cars, once a session."""
    return prepared("green_cars", tmp_path_factory)


@pytest.fixture(scope="session")
def electricity_base(tmp_path_factory: pytest.TempPathFactory) -> "CustomerBase":
    """Prepared base of the stated choices among suppliers, once a session."""
    return prepared("electricity", tmp_path_factory)
