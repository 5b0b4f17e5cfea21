"""Demand of the packaged cereal and car markets, against published numbers to the digits printed.

Sources: Conlon & Gortmaker (2020), RAND Journal of Economics 51, tables 7 and 8; the exercises of
the course on demand estimation by Gortmaker and Conlon (Mixtape Sessions); Berry, Levinsohn & Pakes
(1995) with the data that pyblp packages.
"""

import numpy as np
import pytest
from keycustomer.pricing import MarketSupply, fit_market_demand, shipped_buyers
from known_markets import packaged

FOUR_DIGITS, THREE_DIGITS, TWO_DIGITS = 5e-5, 5e-4, 5e-3  # half a unit of the last digit printed
SEARCH = 0.05  # the objective is flat in the coefficients: its digits fix elasticities, not these

CEREAL_INSTRUMENTS = [f"demand_instruments{k}" for k in range(20)]
CEREAL_RANDOM = {
    "constant": ["spread", "income", "age"],
    "price": ["spread", "income", "income_squared", "child"],
    "sugar": ["spread", "income", "age"],
    "mushy": ["spread", "income", "age"],
}
# Where a search from other places ends; a shorter way there changes nothing but the time.
CEREAL_START = {
    ("constant", "spread"): 0.56, ("price", "spread"): 3.3, ("sugar", "spread"): -0.006,
    ("mushy", "spread"): 0.09, ("constant", "income"): 2.3, ("constant", "age"): 1.28,
    ("price", "income"): 588.0, ("price", "income_squared"): -30.2, ("price", "child"): 11.0,
    ("sugar", "income"): -0.38, ("sugar", "age"): 0.05, ("mushy", "income"): 0.75,
    ("mushy", "age"): -1.35,
}  # fmt: skip

CAR_CHARACTERISTICS = ["hpwt", "air", "mpd", "space"]
CAR_RANDOM = {
    "constant": ["spread"], "price": ["by_income"], "hpwt": ["spread"], "air": ["spread"],
    "mpd": ["spread"], "space": ["spread"],
}  # fmt: skip
CAR_KEYS = [
    ("constant", "spread"), ("price", "by_income"), ("hpwt", "spread"), ("air", "spread"),
    ("mpd", "spread"), ("space", "spread"),
]  # fmt: skip
CAR_PAPER = dict(zip(CAR_KEYS, (3.612, -43.501, 4.628, 1.818, 1.050, 2.056), strict=True))
CAR_FOUND = dict(
    zip(CAR_KEYS, (2.02535, -44.84296, 6.10035, 3.95553, 0.25351, 1.90847), strict=True)
)


@pytest.fixture(scope="module")
def cereal():
    return packaged("nevo_products")


@pytest.fixture(scope="module")
def cars():
    rows = packaged("blp_products")
    return rows.assign(**{f"log_{n}": np.log(rows[n]) for n in ("hpwt", "mpg", "space")})


def price_row(demand):
    return demand.coefficients.set_index("term").loc["price"]


@pytest.mark.parametrize(
    ("steps", "coefficient", "error"), [(1, -30.0978, 1.0187), (2, -30.0471, 1.0086)]
)
def test_cereal_logit_with_product_effects(cereal, steps, coefficient, error):
    demand = fit_market_demand(
        cereal, instruments=CEREAL_INSTRUMENTS, effects=["product"], steps=steps
    )
    row = price_row(demand)
    assert row["estimate"] == pytest.approx(coefficient, abs=FOUR_DIGITS)
    assert row["standard_error"] == pytest.approx(error, abs=FOUR_DIGITS)
    if steps == 1:
        assert demand.own_price_elasticity.estimate == pytest.approx(-3.7126, abs=FOUR_DIGITS)


@pytest.mark.parametrize(
    ("settings", "coefficient", "error"),
    [
        ({"characteristics": ["mushy"]}, -7.480, 0.840),
        ({"effects": ["market", "product"]}, -28.618, 0.892),
        # The exercises' only instrument is the last of the packaged ones.
        (
            {"effects": ["market", "product"], "instruments": ["demand_instruments19"]},
            -30.600,
            0.968,
        ),
    ],
)
def test_cereal_exercises(cereal, settings, coefficient, error):
    row = price_row(fit_market_demand(cereal, **settings))
    assert row["estimate"] == pytest.approx(coefficient, abs=THREE_DIGITS)
    assert row["standard_error"] == pytest.approx(error, abs=THREE_DIGITS)


def test_halving_a_price(cereal):
    demand = fit_market_demand(
        cereal, effects=["market", "product"], instruments=["demand_instruments19"]
    )
    changed = demand.shares_at(factor={"F1B04": 0.5}, market="C01Q2").set_index("product")
    change = 100 * changed["change"]
    assert change["F1B04"] == pytest.approx(223.638, abs=THREE_DIGITS)
    rivals = change.drop(["F1B04", "outside"])
    assert rivals.to_numpy() == pytest.approx(np.full(23, -1.450), abs=THREE_DIGITS)


def cereal_random(cereal, **search):
    return fit_market_demand(
        cereal, instruments=CEREAL_INSTRUMENTS, effects=["product"], random=CEREAL_RANDOM,
        demographics=shipped_buyers("cereal"), start=CEREAL_START, **search,
    )  # fmt: skip


@pytest.mark.slow
def test_cereal_random_coefficients(cereal):
    demand = cereal_random(cereal)
    assert demand.objective == pytest.approx(4.5615, abs=FOUR_DIGITS)
    assert demand.own_price_elasticity.estimate == pytest.approx(-3.618, abs=THREE_DIGITS)
    assert demand.markups()["markup"].mean() == pytest.approx(0.364, abs=THREE_DIGITS)
    row = demand.coefficients.set_index(["term", "kind"]).loc[("price", "mean")]
    assert row["estimate"] == pytest.approx(-62.73, abs=SEARCH)
    assert row["standard_error"] == pytest.approx(14.80, abs=SEARCH)
    assert not any("converge" in note for note in demand.notes)


def test_cars_logit(cars):
    demand = fit_market_demand(cars, characteristics=CAR_CHARACTERISTICS, errors="plain")
    row = price_row(demand)
    assert row["estimate"] == pytest.approx(-0.0886, abs=FOUR_DIGITS)
    assert row["standard_error"] == pytest.approx(0.0040, abs=FOUR_DIGITS)
    assert (demand.inelastic, len(demand.table)) == (1502, 2217)


def cars_random(cars, **settings):
    return fit_market_demand(
        cars, characteristics=CAR_CHARACTERISTICS,
        instruments=[f"demand_instruments{k}" for k in range(8)], random=CAR_RANDOM,
        demographics=shipped_buyers("cars"), linear_price=False,
        supply=MarketSupply(
            ("log_hpwt", "air", "log_mpg", "log_space", "trend"),
            tuple(f"supply_instruments{k}" for k in range(12)),
        ),
        cluster="clustering_ids", **settings,
    )  # fmt: skip


def check_cars(demand):
    assert demand.own_price_elasticity.estimate == pytest.approx(-3.928, abs=THREE_DIGITS)
    assert demand.markups()["markup"].mean() == pytest.approx(0.316, abs=THREE_DIGITS)


def test_cars_random_coefficients_taken_as_found(cars):
    demand = cars_random(cars, start=CAR_FOUND, search=False)
    check_cars(demand)
    assert demand.inelastic == 0
    assert "not searched for" in demand.notes[0]


@pytest.mark.slow
def test_cars_random_coefficients_searched_from_the_first_estimates(cars):
    demand = cars_random(cars, start=CAR_PAPER, steps=2, tolerance=0.01)
    check_cars(demand)
    assert demand.objective == pytest.approx(497.336, abs=TWO_DIGITS)
