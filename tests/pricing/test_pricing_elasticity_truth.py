"""Estimators beside the truth: limits of least squares, recovery and coverage by instruments."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from keycustomer.customers import CustomerBase
from keycustomer.pricing import (
    KnownPanel,
    account_elasticities,
    account_panel,
    elasticity_comparison,
    elasticity_over_companies,
    elasticity_over_panels,
    known_panel,
    price_elasticity,
    true_elasticities,
)
from keycustomer.pricing.elasticity.over_many import ElasticityRecovery
from keycustomer.simulate import simulate_company
from keycustomer.stats.proportion import wilson_interval

ERRORS = 3.5  # standard errors within which an estimate lies but once in 2,000 times
RARELY = 0.999  # a right level is rejected once in a thousand times
PANELS = 200
SMALL = {"units": 50, "periods": 10}
NEAR = 0.15  # standard error against the spread of 200 estimates, itself known to 5 %


@pytest.fixture(scope="module")
def panels() -> ElasticityRecovery:
    return elasticity_over_panels(PANELS, **SMALL)


@pytest.fixture(scope="module")
def companies() -> ElasticityRecovery:
    return elasticity_over_companies(20, accounts=200)


@pytest.mark.parametrize("endogeneity", [-0.3, 0.0, 0.3, 1.0])
def test_least_squares_tends_to_its_limit(endogeneity: float) -> None:
    """Elasticity + endogeneity s_u^2 / (s_z^2 + endogeneity^2 s_u^2 + s_v^2)."""
    spreads = {"spread_demand": 0.4, "spread_instrument": 0.15, "spread_price": 0.1}
    known = known_panel(1_000, 20, -1.5, endogeneity=endogeneity, seed=1, **spreads)
    limit = -1.5 + endogeneity * 0.16 / (0.0225 + endogeneity**2 * 0.16 + 0.01)
    assert known.limits["fixed effects"] == known.limits["ols"] == pytest.approx(limit)
    found = price_elasticity(known.panel).own.iloc[0]
    assert abs(found["elasticity"] - limit) < ERRORS * found["standard_error"]


def test_habits_of_units_mislead_who_compares_units() -> None:
    known = known_panel(1_500, 12, -1.5, habit=0.1, seed=2)
    limit = -1.5 + (0.3 * 0.16 + 0.1) / (0.0225 + 0.09 * 0.16 + 0.01 + 0.01)
    assert known.limits["ols"] == pytest.approx(limit)
    found = price_elasticity(known.panel, method="ols").own.iloc[0]
    assert abs(found["elasticity"] - limit) < ERRORS * found["standard_error"]


def test_estimates_of_many_panels_are_where_they_should_be(panels: ElasticityRecovery) -> None:
    for row in panels.summary.to_dict("records"):
        error = panels.frame.loc[panels.frame["method"] == row["method"], "elasticity"].sem()
        assert abs(row["mean"] - row["limit"]) < ERRORS * error
    table = panels.summary.set_index("method")
    assert table.loc["IV", "coverage_lower"] < 0.95 < table.loc["IV", "coverage_upper"]
    assert table.loc["fixed effects", "coverage"] == 0
    spread = panels.frame.query("method == 'IV'")["elasticity"].std()
    assert table.loc["IV", "standard_error"] == pytest.approx(spread, rel=NEAR)


def test_many_companies(companies: ElasticityRecovery) -> None:
    """Discounts follow demand: only cost shocks tell what prices do."""
    table = companies.summary.set_index("method")
    assert table.loc["naive OLS", "bias_upper"] < -1.5  # large accounts get more discount
    assert table.loc["fixed effects", "bias_lower"] > 0.5  # weak demand gets more discount
    assert table.loc["fixed effects", "coverage"] < 0.1
    for method in ("IV", "IV of changes"):
        assert table.loc[method, "bias_lower"] < 0 < table.loc[method, "bias_upper"]
        least, most = wilson_interval(20 * table.loc[method, "coverage"], 20, RARELY)
        assert least <= 0.95 <= most
    assert table.loc["IV of changes", "rmse"] < table.loc["IV", "rmse"]
    assert companies.frame["seed"].nunique() == 20
    assert "Simulated: 20 companies" in companies._repr_html_()


def test_the_truth_is_weighted_as_the_estimator_is() -> None:
    company = simulate_company(100, 12, 1)
    rows, told = account_panel(company).frame, account_elasticities(company)
    assert told is not None
    own = rows["unit"].map(told)
    truth = elasticity_comparison(company).frame.set_index("method")["truth"]
    assert truth["IV"] == pytest.approx(own.mean())
    assert truth["Poisson"] == pytest.approx(np.average(own, weights=rows["quantity"]))
    tiers = np.where(rows["unit"] < "K0000051", "A", "B")
    assert list(true_elasticities(rows.assign(tier=tiers), told, "tier").index) == ["A", "B"]


def test_the_simulated_operator(telecom_base: CustomerBase) -> None:
    comparison = elasticity_comparison(telecom_base)
    table = comparison.frame.set_index("method")
    assert table["truth"]["IV"] == pytest.approx(-0.99, abs=0.05)
    assert table["elasticity"]["naive OLS"] < -3 and table["elasticity"]["fixed effects"] > -0.3
    assert table["held"]["IV"] and not table["held"]["naive OLS"]
    assert table["effective_f"]["IV"] > 100 and comparison.simulated
    assert "true is" in comparison.sentence and "made up" in comparison._repr_html_()


def test_tiers_have_their_own_truth() -> None:
    company = simulate_company(200, 24, 5)
    told = account_elasticities(company)
    assert told is not None
    tiers = pd.Series(np.where(np.arange(len(told)) % 2 == 0, "A", "B"), index=told.index)
    frame = elasticity_comparison(company, tiers=tiers, methods=("IV",)).frame
    assert frame["group"].tolist() == ["A", "B"] and frame["truth"].nunique() == 2


def test_real_data_have_no_truth() -> None:
    panel = known_panel(40, 8).panel
    frame = elasticity_comparison(panel).frame
    assert frame["truth"].isna().all() and frame["held"].isna().all()
    without = panel.frame.drop(columns="instrument")
    plain = elasticity_comparison(replace(panel, frame=without, simulated=False))
    assert plain.frame["method"].tolist() == ["naive OLS", "fixed effects", "Poisson"]
    assert "No estimate by instruments" in plain.notes[0]
    assert "not known" in plain.sentence
    assert "Simulated" not in plain._repr_html_()


def test_a_known_panel_is_repeated_by_its_seed() -> None:
    one, two, other = (known_panel(5, 4, seed=seed) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(one.panel.frame, two.panel.frame)
    assert not one.panel.frame.equals(other.panel.frame) and isinstance(one, KnownPanel)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: known_panel(1, 5), "at least 2 of each"),
        (lambda: known_panel(spread_unit=-1), "none may be negative"),
        (lambda: elasticity_comparison(known_panel(20, 5), methods=("magic",)), "some of"),
        (lambda: elasticity_comparison(known_panel(20, 5), tiers=pd.Series({"a": "A"})), "tiers"),
        (lambda: elasticity_over_panels(1), "panels=1: at least 2"),
        (lambda: elasticity_over_companies(1), "companies=1: at least 2"),
    ],
)
def test_what_cannot_be_compared_is_refused(call: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


def test_a_source_of_another_kind_is_refused() -> None:
    with pytest.raises(TypeError, match="source=int"):
        elasticity_comparison(3)  # type: ignore[arg-type]
