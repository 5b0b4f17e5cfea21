"""Ways of pooling held against the truth: what is measured, and refusals."""

import numpy as np
import pandas as pd
import pytest
from keycustomer import pricing
from keycustomer.simulate import simulate_company

# bias of what changes leave of discounts given in weak months: 0.2 in all companies
LEFT_BIAS = 0.3


def test_figures_by_hand():
    known = pricing.known_customers(sizes={"A": (5, 12), "B": (8, 10)}, seed=1)
    found = pricing.pooling_comparison(known, methods=("empirical Bayes",))
    estimate = found.estimates["empirical Bayes"].frame.set_index("customer")
    error = estimate["elasticity"] - known.truth
    held = (estimate["lower"] <= known.truth) & (known.truth <= estimate["upper"])
    row = found.of("empirical Bayes")
    assert row["rmse"] == pytest.approx(np.sqrt((error**2).mean()))
    assert row["bias"] == pytest.approx(error.mean())
    assert row["coverage"] == pytest.approx(held.mean())
    part = error[estimate["tier"] == "B"]
    assert found.of("empirical Bayes", "B")["rmse"] == pytest.approx(np.sqrt((part**2).mean()))


def test_same_seed_same_figures_and_progress():
    calls = []
    one = pricing.pooling_over_seeds(seeds=2, methods=("no pooling",), progress=calls.append)
    two = pricing.pooling_over_seeds(seeds=2, methods=("no pooling",))
    pd.testing.assert_frame_equal(one.frame, two.frame)
    assert one.runs["repetition"].max() == 2


def test_companies():
    found = pricing.pooling_over_companies(
        companies=3, accounts=120, months=30, methods=("complete pooling", "empirical Bayes")
    )
    assert found.of("empirical Bayes")["rmse"] < found.of("complete pooling")["rmse"]
    assert 0 < found.of("empirical Bayes")["bias"] < LEFT_BIAS
    assert set(found.frame["tier"]) == {"all", "large", "small"}
    assert "3 companies" in found.sentence


def test_a_company_and_its_tiers():
    company = simulate_company(80, 24, 3)
    ids = company.truth.accounts["customer_id"]
    tiers = pd.Series(np.where(np.arange(len(ids)) % 2, "odd", "even"), ids)
    found = pricing.pooling_comparison(company, tiers=tiers, methods=("empirical Bayes",))
    assert set(found.frame["tier"]) == {"all", "odd", "even"}
    assert "Simulated" in found._repr_html_()


def test_refusals(complete_journey_base):
    known = pricing.known_customers(sizes={"A": (5, 12)}, means={"A": -1.0})
    with pytest.raises(ValueError, match="whose true elasticities nobody knows"):
        pricing.pooling_comparison(complete_journey_base)
    with pytest.raises(ValueError, match="true elasticity of every customer is needed"):
        pricing.pooling_comparison(known.frame)
    with pytest.raises(ValueError, match="1 customers have no true elasticity"):
        pricing.pooling_comparison(known.frame, known.truth.iloc[1:])
    with pytest.raises(ValueError, match="tiers are for a base or company"):
        pricing.pooling_comparison(known, tiers=known.truth)
    with pytest.raises(ValueError, match="at least 2"):
        pricing.pooling_over_seeds(seeds=1)
    with pytest.raises(ValueError, match="no method 'ridge'"):
        pricing.pooling_comparison(known).of("ridge")
