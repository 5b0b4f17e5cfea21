"""Effects of relationship levels in simulated companies: estimated from the panel, and true."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from keycustomer import relationships
from keycustomer.relationships import LEVELS, CustomerMonths, customer_months
from keycustomer.simulate import Parameters, simulate_company

SIZE = {"accounts": 600, "months": 36, "seed": 3}
BY_SIZE = Parameters().but({"firms.level_size": 0.8})
"""A company that serves the large well: the strongest confounding by size."""


@pytest.fixture(scope="module")
def months() -> CustomerMonths:
    return customer_months(simulate_company(**SIZE))


@pytest.fixture(scope="module")
def truth() -> pd.DataFrame:
    return relationships.true_level_effects(SIZE)


def test_naive_rates_are_leavers_by_months_at_the_level(months: CustomerMonths) -> None:
    found = relationships.level_effects(months, trim=0.0)
    by_level = months.frame.groupby("level")["left"]
    rates = by_level.sum() / by_level.size()
    for code, level in enumerate(LEVELS):
        own = found.estimate(level, "mean", "naive").estimate
        assert own == pytest.approx(rates[code], rel=1e-12)
    assert found.customers == len(months.customers)


def test_truth_is_that_of_everybody_on_one_level(truth: pd.DataFrame) -> None:
    """By hand: survival and months of a company in which all have partnership care."""
    from keycustomer.simulate import Policy, compare_policies

    run = compare_policies([Policy("all", levels="partnership")], **SIZE).outcomes["all"]
    rate = (1 - run.survival).sum() / run.expected_months.sum()
    known = truth.set_index(["measure", "setting"])["truth"]
    assert known["mean", "partnership"] == pytest.approx(rate, rel=1e-9)
    assert known["ratio", "partnership"] == pytest.approx(rate / known["mean", "basic"], rel=1e-9)
    assert known["difference", "partnership"] == pytest.approx(rate - known["mean", "basic"])


def test_truth_of_some_customers_is_of_these_alone() -> None:
    few = [f"K{number:07d}" for number in range(1, 101)]
    own = relationships.true_level_effects(SIZE, "margin", customers=few)
    from keycustomer.simulate import true_effects

    margin = true_effects("level", **SIZE).values("margin")[:100].mean(axis=0)
    np.testing.assert_allclose(own.query("measure == 'mean'")["truth"], margin, rtol=1e-12)


def test_confounding_by_size_hides_the_effect_from_the_naive_comparison() -> None:
    """Where the large get more care, naive says hardly anything; adjusting finds most of it."""
    over = relationships.effects_over_companies(
        companies=2, accounts=800, parameters=BY_SIZE, trim=0.0
    )
    table = over.to_frame().query("measure == 'ratio'").set_index(["method", "setting"])
    bias = table["bias"].unstack("setting")
    assert over.companies == 2
    assert (bias.loc["naive", ["accountable", "proactive", "partnership"]] > 0.15).all()
    for method in ("adjusted", "doubly robust"):
        assert abs(bias.loc[method, "partnership"]) < bias.loc["naive", "partnership"] / 2
    assert table.loc["adjusted", "coverage"].mean() >= 0.8


def test_intervals_of_a_usual_company_hold_the_truth(
    months: CustomerMonths, truth: pd.DataFrame
) -> None:
    """Twelve intervals of one seeded company by the two methods that may claim it."""
    found = relationships.level_effects(months, trim=0.0).beside(truth)
    claimed = found[found["method"] != "naive"].query("measure == 'ratio'")
    assert len(claimed) == 8
    assert claimed["held"].sum() >= 7


def test_what_follows_the_level_is_no_covariate(months: CustomerMonths) -> None:
    entry = relationships.customers_at_entry(months)
    chosen = relationships.default_confounders(entry)
    assert not {"contacts_a_month", "complaints_a_month", "months", "left", "key_account"} & {
        *chosen
    }
    assert {"margin_at_entry", "estimated_potential", "price_plan_at_entry"} <= {*chosen}


def test_roles_are_told_by_when_and_by_what_goes_together() -> None:
    company = simulate_company(**SIZE, parameters=BY_SIZE)
    roles = relationships.covariate_roles(customer_months(company)).set_index("covariate")
    assert roles.loc["key_account", ["role", "adjust"]].tolist() == ["habit", False]
    assert roles.loc["contacts_a_month", ["role", "adjust"]].tolist() == ["mediator", False]
    assert roles.loc["estimated_potential", "role"] == "confounder"
    assert roles.loc["contacts_a_month", "p_level"] < 1e-6 < roles.loc["firm_age", "p_level"]


def test_adjusting_for_what_the_level_moves_loses_sight_of_its_effect(
    months: CustomerMonths, truth: pd.DataFrame
) -> None:
    found = relationships.adjustment_sets(months, truth=truth).frame
    widths = (np.log(found["upper"]) - np.log(found["lower"])).groupby(
        found["adjusted_for"], sort=False
    )
    width = widths.mean()
    assert width["also what the level moves"] > 1.3 * width["all known at entry"]
    assert found.groupby("setting")["truth"].nunique().eq(1).all()
    nothing = found[found["adjusted_for"] == "nothing"].set_index("setting")["estimate"]
    naive = relationships.level_effects(months, trim=0.0).estimate("partnership", "ratio", "naive")
    # by a logistic regression on the level alone and a log-linear one of the months
    assert nothing["partnership"] == pytest.approx(naive.estimate, rel=0.01)


def test_over_companies_each_set_is_a_method() -> None:
    over = relationships.adjustment_over_companies(companies=1, accounts=400)
    table = over.to_frame()
    assert set(table["method"]) == {
        "nothing",
        "size",
        "all known at entry",
        "also what the level moves",
    }
    assert "Simulated" in over._repr_html_()


def test_entry_is_the_first_month_and_what_followed(months: CustomerMonths) -> None:
    entry = relationships.customers_at_entry(months).set_index("customer_id")
    rows = months.frame[months.frame["customer_id"] == entry.index[0]]
    own = entry.iloc[0]
    assert own["margin_at_entry"] == rows["margin"].iloc[0]
    assert own["total_margin"] == pytest.approx(rows["margin"].sum())
    assert own["months"] == len(rows)
    assert own["window"] == months.months - rows["number"].iloc[0]
    assert entry["left"].sum() == months.frame["left"].sum()


def test_unknown_and_changing_levels_are_told(months: CustomerMonths) -> None:
    frame = months.frame.copy()
    ids = frame["customer_id"].unique()
    frame.loc[frame["customer_id"].isin(ids[:7]), "level"] = -1
    moved = frame["customer_id"].isin(ids[50:55]) & (frame["number"] > 2)
    frame.loc[moved, "level"] = (frame.loc[moved, "level"] + 1) % len(LEVELS)
    found = relationships.level_effects(replace(months, frame=frame))
    said = " ".join(found.notes)
    assert "level of 7 customers is not known" in said
    changed = int((frame.groupby("customer_id")["level"].nunique() > 1).sum())
    assert changed >= 3
    assert f"{changed} customers changed level" in said


def test_wrong_words_list_the_right_ones(months: CustomerMonths) -> None:
    with pytest.raises(ValueError, match="outcome='churn': one of leaving, margin, months"):
        relationships.level_effects(months, "churn")
    with pytest.raises(ValueError, match=r"outcome='churn'.*one of basic, reactive"):
        relationships.true_level_effects(SIZE, "churn")
    with pytest.raises(ValueError, match="companies=0: at least 1"):
        relationships.effects_over_companies(companies=0)
