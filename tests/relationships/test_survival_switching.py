"""What ties keep: by hand, against the truth of simulated companies, and its traps."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from keycustomer.relationships import (
    LEVELS,
    CustomerMonths,
    SwitchingCosts,
    customer_months,
    switching_costs,
    switching_over_companies,
    true_switching,
)
from keycustomer.simulate import Parameters, Policy, compare_policies, simulate_company

FIRM = ("estimated_potential", "employees")
TIES = ["contract", "products", "integration", "tenure", "all switching costs"]


@pytest.fixture(scope="module")
def months() -> CustomerMonths:
    return customer_months(simulate_company(1_200, 30, seed=3))


@pytest.fixture(scope="module")
def costs(months: CustomerMonths) -> SwitchingCosts:
    return switching_costs(months, size=FIRM, draws=60)


def test_kept_months_are_those_by_hand(months: CustomerMonths, costs: SwitchingCosts) -> None:
    """Customer by customer: the hazard of each month without contracts, and what it loses."""
    model, frame = costs.model, months.frame
    terms = dict(zip(model.terms, model.coefficients, strict=True))
    hold = frame["contract_left"].map(
        lambda left: terms["contract runs on"] * (left > 1) + terms["contract ends"] * (left == 1)
    )
    known = months.customers.set_index("customer_id").reindex(frame["customer_id"])
    index = hold + terms["further products"] * (frame["products"] - 1).clip(lower=0).to_numpy()
    index += terms["log years"] * np.log1p(frame["tenure"])
    for code, level in enumerate(LEVELS[1:], start=1):
        index += terms[f"level={level}"] * (frame["level"] == code)
    for name in FIRM:
        index += terms[f"log {name}"] * np.log1p(known[name].to_numpy(float))
    relative = np.exp(index)
    left = frame["left"].groupby(frame["number"]).sum()
    rate = left / relative.groupby(frame["number"]).sum()
    hazard = frame["number"].map(rate) * relative
    more = hazard * np.expm1(-hold)
    customer = frame["customer_id"]
    before = more.groupby(customer).cumsum() - more
    lost = 1 - np.exp(-before)
    assert costs.kept_months("contract").estimate == pytest.approx(lost.sum(), rel=1e-8)
    margin = (lost * frame["margin"]).sum()
    assert costs.kept_margin("contract").estimate == pytest.approx(margin, rel=1e-8)


def test_result_says_what_was_found(months: CustomerMonths, costs: SwitchingCosts) -> None:
    assert costs.kept["tie"].tolist() == TIES
    assert costs.months == len(months.frame)
    assert costs.margin == pytest.approx(months.frame["margin"].sum())
    held = costs.kept.set_index("tie")["held"]
    assert held["contract"] == pytest.approx((months.frame["contract_left"] > 0).mean())
    assert held["integration"] == pytest.approx((months.frame["level"] > 0).mean())
    ends = costs.kept[["months_lower", "months", "months_upper"]].to_numpy()
    assert (np.diff(ends, axis=1) > 0).all()
    assert costs.verdict() == "supported"
    text = costs._repr_html_()
    assert "contract kept" in text and "no effect of time alone" in text
    with pytest.raises(KeyError, match="no tie 'price'; there is: contract"):
        costs.kept_months("price")


def test_same_seed_same_intervals(months: CustomerMonths, costs: SwitchingCosts) -> None:
    again = switching_costs(months, size=FIRM, draws=60)
    pd.testing.assert_frame_equal(again.kept, costs.kept)


def test_truth_is_a_rerun_without_the_tie() -> None:
    """Integration: everybody on the basic level, which policies know as well."""
    true = true_switching(400, 24, seed=6).set_index("tie")
    compared = compare_policies([Policy(), Policy("basic", levels="basic")], 400, 24, 6).outcomes
    usual, basic = compared.values()
    lost = (usual.expected_months - basic.expected_months).sum()
    assert true.loc["integration", "months"] == pytest.approx(lost)
    assert (true["months"] > 0).all() and list(true.index) == TIES
    off = Parameters().but({"churn.contract": 0, "churn.renewal": 0, "churn.offers_contract": 0})
    none = true_switching(400, 24, seed=6, parameters=off).set_index("tie")["months"]
    assert none["contract"] == 0


@pytest.fixture(scope="module")
def compared():
    """Four companies, compared at equal potential and staff."""
    return switching_over_companies(4, 600, 30, size=FIRM, draws=50)


def test_like_with_like_comes_near_the_truth_and_the_naive_figure_does_not(compared) -> None:
    summary = compared.summary().set_index("tie")
    relative = summary["error"] / summary["truth"]
    spread = summary["spread"] / summary["truth"] / np.sqrt(4)
    # nothing but chance, at 4 standard errors, and what the measured size leaves of confounding
    assert (relative.abs() < 4 * spread + 0.12).all()
    assert summary.loc["contract", "naive_error"] / summary.loc["contract", "truth"] < -0.25
    assert abs(relative["contract"]) < 0.2
    assert summary["covered"].mean() > 0.75
    margin = compared.summary("margin").set_index("tie")
    naive, error = margin.loc["contract", ["naive_error", "error"]]
    assert naive < -2 * abs(error)


def test_equal_revenue_overstates_products(months: CustomerMonths, costs: SwitchingCosts) -> None:
    """Revenue is what products make: at equal revenue, more products mean a smaller firm."""
    true = true_switching(1_200, 30, seed=3).set_index("tie")["months"]
    revenue = switching_costs(months, draws=20)
    assert revenue.kept_months("products").estimate > 2 * true["products"]
    assert any("products keep is overstated" in note for note in revenue.notes)
    assert abs(costs.kept_months("products").estimate - true["products"]) < 0.8 * true["products"]
    assert any("not known in" in note for note in revenue.notes)  # first months have no last year


def test_tenure_holds_nobody_by_itself() -> None:
    """Without an effect of tenure the old still seem to stay: the disloyal have left."""
    off = Parameters().but({"churn.tenure": 0.0})
    assert true_switching(200, 12, parameters=off).set_index("tie").loc["tenure", "months"] == 0
    compared = switching_over_companies(2, 500, 24, draws=2, parameters=off)
    assert compared.summary().set_index("tie").loc["tenure", "naive_error"] > 0


def test_ties_without_differences_are_left_out(months: CustomerMonths) -> None:
    frame = months.frame.assign(level=2, products=1)
    found = switching_costs(replace(months, frame=frame), size=FIRM, draws=2)
    assert found.kept["tie"].tolist() == ["contract", "tenure", "all switching costs"]
    assert "products, integration: no difference" in " ".join(found.notes)
    alike = frame.assign(contract_left=0)
    with pytest.raises(ValueError, match="there is no switching cost to tell"):
        switching_costs(replace(months, frame=alike), size=FIRM)


def test_unknown_levels_are_a_level(months: CustomerMonths) -> None:
    some = months.frame["customer_id"].isin(months.customers["customer_id"].iloc[::10])
    frame = months.frame.assign(level=months.frame["level"].mask(some, -1))
    found = switching_costs(replace(months, frame=frame), size=FIRM, draws=2)
    assert "level=not known" in set(found.effects["term"])


def test_unknown_margin_leaves_months(months: CustomerMonths) -> None:
    frame = months.frame.assign(margin=np.nan)
    found = switching_costs(replace(months, frame=frame), size=FIRM, draws=4)
    assert found.kept["margin"].isna().all() and found.kept["months"].notna().all()
    assert any("Margin is not known" in note for note in found.notes)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": ("turnover",)}, "size: there is no column 'turnover'"),
        ({"size": ("price_plan",)}, "size: 'price_plan' holds .*, not numbers"),
        ({"size": ("level",), "draws": 1}, "draws=1: at least 2"),
        ({"level": 95}, "95 % is level=0.95"),
        ({"adjust": ("mood",)}, "'mood' is missing"),
    ],
)
def test_what_cannot_be_compared_is_told(months: CustomerMonths, options, message) -> None:
    with pytest.raises(ValueError, match=message):
        switching_costs(months, **options)


def test_summary_knows_two_measures(compared) -> None:
    with pytest.raises(ValueError, match="what='profit' must be 'months' or 'margin'"):
        compared.summary("profit")
    assert "4 companies of 600 accounts" in compared._repr_html_()
