"""Effects of treatments as published, and Qini curves by another package."""

import numpy as np
import pandas as pd
import pytest
from keycustomer.relationships import cross_fit_uplift, qini_curves, read_trial, targeting_value
from known_surveys import r_data

# Dehejia & Wahba (1999), Journal of the American Statistical Association 94, table 2: the National
# Supported Work experiment, 185 with and 260 without the training: 1,794 (standard error 633).
PUBLISHED, STANDARD_ERROR = 1794, 633
WHOLE = 0.5  # printed without decimals
NEAR = 0.12  # a bootstrap interval's half width against 1.96 published standard errors

# scikit-uplift 0.5.1, qini_curve on the table below: customers down to a depth, gain.
BY_SKLIFT = {
    40: 3.0,
    80: 6.18181818181818,
    120: 7.522388059701495,
    200: 15.03921568627451,
    300: 9.5,
    400: 8.832487309644662,
}
SKLIFT_AREA = 0.02457964394119268  # trapezia over all 400, divided by 400 and by the 203 treated
EXACT = 1e-9  # the same sums in another order


def test_the_experiment_of_lalonde() -> None:
    frame = r_data("causaldata", "nsw_mixtape").rename_axis("customer_id")
    frame["nobody_before"] = frame["re74"] == 0
    trial = read_trial(
        frame,
        treated="treat",
        outcome="re78",
        features=["age", "educ", "black", "hisp", "marr", "nodegree", "nobody_before", "re75"],
        propensity=185 / 445,
    )
    everybody = targeting_value(trial, np.ones(len(trial), dtype=bool), draws=2_000)
    assert everybody.estimate == pytest.approx(PUBLISHED, abs=WHOLE)
    half = (everybody.upper - everybody.lower) / 2
    assert half == pytest.approx(1.96 * STANDARD_ERROR, rel=NEAR)
    robust = cross_fit_uplift(trial).average
    assert abs(robust.estimate - PUBLISHED) < STANDARD_ERROR / 2
    assert robust.lower > 0


def test_qini_curve_of_scikit_uplift() -> None:
    generator = np.random.default_rng(20261122)
    x = generator.normal(size=400)
    score = np.round(x + generator.normal(size=400), 6)
    treated = generator.integers(0, 2, 400)
    stayed = generator.random(400) < 1 / (1 + np.exp(-(0.3 + 0.5 * x * treated)))
    frame = pd.DataFrame({"x": x, "offer": treated, "stayed": stayed.astype(int)})
    trial = read_trial(frame, treated="offer", outcome="stayed", features=["x"], propensity=0.5)
    rules = pd.DataFrame({"score": score}, index=trial.customers)
    found = qini_curves(trial, rules, points=401, draws=2)
    gain = found.curve("score")["gain"].to_numpy() * treated.sum()
    assert {k: gain[k] for k in BY_SKLIFT} == pytest.approx(BY_SKLIFT, abs=EXACT)
    assert found.area["score"].estimate == pytest.approx(SKLIFT_AREA, abs=EXACT)
