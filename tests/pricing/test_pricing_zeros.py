"""Dropped zeros: the truth where it is known, another package, and the grocery's soft drinks."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf
from keycustomer import pricing
from keycustomer.pricing.pooling.zeros import WAYS
from revenue_tiers import abc

# two Newton fits of the same likelihood stop within their tolerances
NEWTON = 1e-6
# methods.md gives figures of one laying-out of soft drinks (products, weeks and prices chosen
# there); ours, the hundred products that sell most, has them to a quarter
PUBLISHED = 0.25
# bias of a mean over 40 panels whose spread between panels is below 0.15
UNBIASED = 0.06


def test_each_way_is_the_regression_it_says():
    known = pricing.known_sales(products=6, weeks=20, seed=3)
    found = pricing.zero_trap(known).frame.set_index(["way", "tier"])
    frame = known.frame.assign(x=np.log(known.frame["price"]))
    week = frame["period"].rank(method="dense").astype(int)
    part = frame.assign(week=week)[frame["tier"] == "B"]
    sold = part[part["quantity"] > 0]
    right = "~ C(product) + C(week) + x"
    dropped = smf.ols(f"np.log(quantity) {right}", sold).fit()
    bent = smf.ols(f"np.log(quantity + 1) {right}", part).fit()
    kept = smf.glm(f"quantity {right}", part, family=sm.families.Poisson()).fit(tol=1e-12)
    for way, fit in zip(WAYS, (dropped, bent, kept), strict=True):
        assert found.loc[(way, "B"), "elasticity"] == pytest.approx(fit.params["x"], abs=NEWTON)


def test_poisson_errors_are_clustered_by_product():
    known = pricing.known_sales(means={"B": -2.0}, products=12, weeks=25, seed=3)
    found = pricing.zero_trap(known, effects=()).frame
    frame = known.frame.assign(x=np.log(known.frame["price"]))
    fit = smf.glm("quantity ~ C(product) + x", frame, family=sm.families.Poisson()).fit(
        cov_type="cluster",
        cov_kwds={"groups": pd.factorize(frame["product"])[0], "use_correction": False},
    )
    # G / (G - 1) and (n - 1) / (n - k), products within clusters not counted in k
    scale = np.sqrt(12 / 11 * 299 / 298)
    error = found.loc[found["way"] == WAYS[2], "standard_error"].item()
    assert error == pytest.approx(fit.bse["x"] * scale, rel=1e-5)


def test_dropped_zeros_flatten_small_tiers_and_poisson_does_not():
    found = pricing.zero_trap_over_seeds(seeds=40)
    table = found.frame.set_index(["way", "tier"])
    for tier in "ABC":
        assert table.loc[(WAYS[2], tier), "elasticity"] == pytest.approx(-2.5, abs=UNBIASED)
        assert table.loc[(WAYS[2], tier), "coverage"] >= 0.8
    dropped = table.loc[WAYS[0], "elasticity"]
    assert dropped["A"] < dropped["B"] - 0.4 < dropped["C"] - 0.8
    assert table.loc[(WAYS[0], "C"), "coverage"] == 0
    assert found.by_tier["zeros"].is_monotonic_increasing


def test_unit_of_quantity_moves_log_of_one_more_and_nothing_else():
    known = pricing.known_sales(products=10, weeks=20, seed=1)
    ones = pricing.zero_trap(known).by_tier
    tens = pricing.zero_trap(known.frame.assign(quantity=10 * known.frame["quantity"])).by_tier
    assert tens[WAYS[0]].to_numpy() == pytest.approx(ones[WAYS[0]].to_numpy(), abs=NEWTON)
    assert tens[WAYS[2]].to_numpy() == pytest.approx(ones[WAYS[2]].to_numpy(), abs=NEWTON)
    assert (np.abs(tens[WAYS[1]] - ones[WAYS[1]]) > 0.1).all()


def test_soft_drinks_of_the_grocery(complete_journey_base):
    panel = pricing.sales_panel(
        complete_journey_base,
        product="product_id",
        unit="tier",
        tiers=abc(complete_journey_base),
        category="SOFT DRINKS",
        largest=100,
    )
    found = pricing.zero_trap(panel)
    table = found.by_tier.set_index("tier")
    assert table[WAYS[0]].to_numpy() == pytest.approx([-2.88, -1.88, -1.80], abs=PUBLISHED)
    assert table[WAYS[2]].to_numpy() == pytest.approx([-3.24, -3.11, -4.23], abs=0.3)
    assert "no sale" in found.sentence


def test_another_engine_agrees(complete_journey_base):
    panel = pricing.sales_panel(
        complete_journey_base,
        product="product_id",
        unit="tier",
        tiers=abc(complete_journey_base),
        category="SOFT DRINKS",
        largest=25,
    )
    ours = pricing.zero_trap(panel).frame.set_index(["way", "tier"])
    other = pricing.price_elasticity(
        panel, method="poisson", by="tier", effects=("product", "period"), cluster="product"
    ).frame
    own = other[other["term"] == "own"].set_index("group")
    assert ours.loc[WAYS[2], "elasticity"].to_numpy() == pytest.approx(
        own.loc[list("ABC"), "elasticity"].to_numpy(), abs=1e-5
    )


def test_one_tier_and_refusals():
    known = pricing.known_sales(means={"A": -2.0}, products=5, weeks=10)
    assert pricing.zero_trap(known, by=None).frame["tier"].nunique() == 1
    with pytest.raises(ValueError, match="none of the 50 rows can be used"):
        pricing.zero_trap(known.frame.assign(quantity=0.0))
    with pytest.raises(ValueError, match="no column 'shop'"):
        pricing.zero_trap(known, by="shop")
    with pytest.raises(ValueError, match="effects or controls explain the price"):
        same = known.frame.groupby("period")["price"].transform("first")
        pricing.zero_trap(known.frame.assign(price=same))
    with pytest.raises(ValueError, match="at least 2"):
        pricing.zero_trap_over_seeds(seeds=1)


def test_one_product_a_tier_has_no_error():
    frame = pricing.known_customers(sizes={"A": (30, 20)}, seed=1).frame
    found = pricing.zero_trap(frame, effects=()).frame
    assert found["standard_error"].isna().all() and found["elasticity"].notna().all()
    with pytest.raises(ValueError, match=r"'quantity' holds 1 value .*'x'"):
        pricing.zero_trap(frame.assign(quantity=["x", *frame["quantity"][1:]]), effects=())
