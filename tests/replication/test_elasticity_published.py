"""Elasticities as published: cigarettes by instruments, gasoline by fixed effects."""

import numpy as np
import pandas as pd
import pytest
from keycustomer.pricing import price_elasticity
from known_surveys import r_data

# Stock & Watson, Introduction to Econometrics, chapter 12: 48 states in 1995, real prices, packs a
# head, robust standard errors.  Instruments: the sales tax, and the tax on cigarettes.
IN_1995 = {
    "sales tax": (("tdiff",), (), -1.08, 0.32),
    "sales tax, income": (("tdiff",), ("income",), -1.14, 0.37),
    "both taxes, income": (("tdiff", "rtax"), ("income",), -1.28, 0.25),
}
# Table 12.1: differences from 1985 to 1995, with income; first-stage F, p of the J test.
DIFFERENCES = {
    "sales tax": (("tdiff",), -0.94, 0.21, 33.7, None),
    "cigarette tax": (("rtax",), -1.34, 0.23, 107.2, None),
    "both": (("tdiff", "rtax"), -1.20, 0.20, 88.6, 0.026),
}
# Baltagi, Econometric Analysis of Panel Data, tables 2.5 and 3.1: 18 countries, 1960 to 1978.
GASOLINE = {
    "pooled": ((), -0.8918),
    "within": (("country",), -0.3217),
    "two-way": (("country", "year"), -0.1929),
}
PRINTED = 0.005  # half of the last printed digit
PRINTED_FOUR = 0.0001  # the last printed digit: two-way lies between two of them
STRENGTH = 0.05  # F, relative: other small-sample corrections
AGREEMENT = 0.03  # their J test assumes equal variances, ours does not


@pytest.fixture(scope="module")
def cigarettes() -> pd.DataFrame:
    """Real prices, taxes and income a head of the states, in 1985 and 1995."""
    raw = r_data("AER", "CigarettesSW")
    return pd.DataFrame(
        {
            "state": raw["state"].astype(str),
            "year": raw["year"].astype(str),
            "packs": raw["packs"].astype(float),
            "price": raw["price"] / raw["cpi"],
            "income": np.log(raw["income"] / raw["population"] / raw["cpi"]),
            "tdiff": (raw["taxs"] - raw["tax"]) / raw["cpi"],
            "rtax": raw["tax"] / raw["cpi"],
        }
    )


@pytest.mark.parametrize("which", IN_1995)
def test_cigarettes_in_1995(cigarettes: pd.DataFrame, which: str) -> None:
    instruments, controls, published, error = IN_1995[which]
    found = price_elasticity(
        cigarettes[cigarettes["year"] == "1995"],
        method="iv",
        quantity="packs",
        effects=(),
        instruments=instruments,
        controls=controls,
        cluster="state",
    ).own.iloc[0]
    assert found["elasticity"] == pytest.approx(published, abs=PRINTED)
    # with a cluster a row the correction is n/(n-k): the robust error they print
    assert found["standard_error"] == pytest.approx(error, abs=PRINTED)


@pytest.mark.parametrize("which", DIFFERENCES)
def test_cigarettes_from_1985_to_1995(cigarettes: pd.DataFrame, which: str) -> None:
    instruments, published, error, strength, disagreement = DIFFERENCES[which]
    panel = cigarettes.assign(
        product="cigarettes",
        unit=cigarettes["state"],
        period=pd.to_datetime(cigarettes["year"]),
    )
    result = price_elasticity(
        panel,
        method="iv",
        quantity="packs",
        changes=True,
        effects=(),
        instruments=instruments,
        controls="income",
    )
    found, stage = result.own.iloc[0], result.first_stage.iloc[0]
    assert found["rows"] == 48
    assert found["elasticity"] == pytest.approx(published, abs=PRINTED)
    assert found["standard_error"] == pytest.approx(error, abs=PRINTED)
    assert stage["f"] == pytest.approx(strength, rel=STRENGTH)
    if disagreement is not None:
        assert stage["overidentification"] == pytest.approx(disagreement, abs=AGREEMENT)


@pytest.mark.parametrize("which", GASOLINE)
def test_gasoline(which: str) -> None:
    raw = r_data("plm", "Gasoline")
    frame = raw.assign(gas=np.exp(raw["lgaspcar"]), price=np.exp(raw["lrpmg"]))
    effects, published = GASOLINE[which]
    found = price_elasticity(
        frame,
        quantity="gas",
        method="fixed effects" if effects else "ols",
        effects=effects,
        controls=("lincomep", "lcarpcap"),
        cluster="country",
    )
    assert found.own["elasticity"][0] == pytest.approx(published, abs=PRINTED_FOUR)
