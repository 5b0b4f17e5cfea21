"""Kinds of buyers that ship with pyblp, for the markets that the cases cereal and cars read.

:func:`shipped_buyers` gives the frame `demographics` of
:func:`~keycustomer.pricing.fit_market_demand`: draws and demographics by market, as Nevo (2000) and
Berry, Levinsohn & Pakes (1995, 1999) used them.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pandas as pd

FILES = {"cereal": "nevo_agents.csv", "cars": "blp_agents.csv"}


def shipped_buyers(case: str) -> pd.DataFrame:
    """Read the kinds of buyers of a shipped market.

    Parameters
    ----------
    case : {"cereal", "cars"}
        Name of the case.

    Returns
    -------
    DataFrame
        market, weight, nodes0, nodes1 ... and demographics: of cereal income, income_squared, age
        and child (in logarithms where they are amounts, less their means); of cars income and
        by_income (its inverse).

    Raises
    ------
    ValueError
        When there is no such case, or pyblp's data are not there.
    """
    if case not in FILES:
        raise ValueError(f"case={case!r}: buyers ship for {sorted(FILES)}")
    found = find_spec("pyblp")
    if found is None or not found.submodule_search_locations:
        raise ValueError("the package pyblp, which holds the buyers, is not installed")
    path = Path(found.submodule_search_locations[0]) / "data" / FILES[case]
    rows = pd.read_csv(path).rename(columns={"market_ids": "market", "weights": "weight"})
    rows = rows.drop(columns=["city_ids", "quarter"], errors="ignore")
    return rows.assign(by_income=1 / rows["income"]) if case == "cars" else rows
