"""Errors of a market's demand are said to be too small where effects take many of the rows."""

import numpy as np
import pandas as pd
import pytest
from keycustomer.pricing import fit_market_demand
from known_markets import known_market

TRIES = 60
"""Markets for coverage: its standard error is then 5 points where it is 80 %."""


def two_products(seed: int) -> pd.DataFrame:
    rows = known_market(seed=seed)
    return rows[rows["product"].isin(["P0", "P1"])]


def note_of(demand) -> str:
    return " ".join(note for note in demand.notes if "too small by" in note)


def test_effects_that_take_half_of_the_rows_are_told():
    rows = two_products(1)
    plain = {"characteristics": ["x"], "instruments": ["cost"]}
    within = fit_market_demand(rows, effects=["market"], **plain)
    used = rows["market"].nunique() + 2
    short = 100 * (1 - np.sqrt(1 - used / len(rows)))
    assert f"take {used:,} of {len(rows):,} rows" in note_of(within)
    assert f"about {short:.0f} %" in note_of(within)
    # effects within clusters cost their errors nothing, and without effects few rows are taken
    assert not note_of(fit_market_demand(rows, effects=["market"], cluster="market", **plain))
    assert not note_of(fit_market_demand(rows, **plain))


def test_the_note_tells_what_the_errors_lack():
    """The spread of estimates over markets is the mean error, enlarged as the note says."""
    found = []
    for seed in range(TRIES):
        demand = fit_market_demand(two_products(seed), instruments=["cost"], effects=["market"])
        found.append(demand.coefficients.set_index("term").loc["price"])
    table = pd.DataFrame(found)
    enlarged = table["standard_error"].median() * np.sqrt(2)
    assert table["estimate"].std() == pytest.approx(enlarged, rel=0.25)
    assert table["estimate"].std() > 1.15 * table["standard_error"].median()
