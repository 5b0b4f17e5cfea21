"""Figures of elasticities say what they found, stay legible with any names, and show nothing."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from keycustomer import plots
from keycustomer.pricing import (
    CrossElasticities,
    Elasticities,
    ElasticityComparison,
    ElasticityRecovery,
    cross_elasticities,
    elasticity_comparison,
    elasticity_over_companies,
    known_panel,
    price_elasticity,
)
from keycustomer.simulate import simulate_company
from legible import check_figure, check_given_axes, fresh_figures, title  # noqa: F401

LONG = "a very long $name$ of a product in the file, with its brand and the size of its bottle"


@pytest.fixture(scope="module")
def comparison() -> ElasticityComparison:
    return elasticity_comparison(simulate_company(200, 24, 3))


@pytest.fixture(scope="module")
def recovery() -> ElasticityRecovery:
    return elasticity_over_companies(2, accounts=60, months=24)


@pytest.fixture(scope="module")
def instrumented() -> Elasticities:
    return price_elasticity(known_panel(60, 12).panel, method="iv", instruments="instrument")


def crossed(names: list[str]) -> CrossElasticities:
    """Products of these names with chance prices and sales."""
    chance, n = np.random.default_rng(1), 20 * 12
    parts = [
        pd.DataFrame(
            {
                "product": name,
                "unit": np.repeat([f"u{k}" for k in range(20)], 12),
                "period": np.tile(pd.date_range("2024-01-01", periods=12, freq="MS"), 20),
                "quantity": chance.gamma(2, 3, n),
                "price": chance.gamma(50, 0.02, n),
                "revenue": 1.0,
            }
        )
        for name in names
    ]
    return cross_elasticities(replace(known_panel(2, 2).panel, frame=pd.concat(parts)), names)


def test_estimators_beside_the_truth(comparison: ElasticityComparison) -> None:
    ax = plots.elasticity_dots(comparison)
    check_figure(ax)
    truth = comparison.frame["truth"].iloc[-1]
    assert title(ax).startswith("Simulated: naive OLS finds")
    assert f"true is {truth:.2f}".replace("-", "\N{MINUS SIGN}") in title(ax)
    assert "Poisson" in plots.description(ax)


def test_estimators_of_real_data(comparison: ElasticityComparison) -> None:
    panel = replace(known_panel(30, 6).panel, simulated=False)
    ax = plots.elasticity_dots(elasticity_comparison(panel, methods=("naive OLS",)))
    check_figure(ax)
    assert "truth is not known" in title(ax) and "Simulated" not in plots.description(ax)
    with pytest.raises(ValueError, match="group='A': one of \\['all'\\]"):
        plots.elasticity_dots(comparison, group="A")


def test_errors_in_many_companies(recovery: ElasticityRecovery) -> None:
    ax = plots.recovery_points(recovery)
    check_figure(ax)
    assert "is off by" in title(ax) and "2 companies" in plots.description(ax)


def test_the_first_stage(instrumented: Elasticities) -> None:
    ax = plots.first_stage_points(instrumented)
    check_figure(ax)
    assert "strong enough" in title(ax)
    plain = price_elasticity(known_panel(60, 12).panel)
    with pytest.raises(ValueError, match="no instruments"):
        plots.first_stage_points(plain)


def test_prices_and_quantities_left(instrumented: Elasticities) -> None:
    ax = plots.price_quantity_points(instrumented)
    check_figure(ax)
    assert len(ax.get_legend().get_texts()) == 2
    tiers = known_panel(60, 12).panel.frame.assign(tier=LONG)
    check_figure(plots.price_quantity_points(price_elasticity(tiers, by="tier")))
    counted = price_elasticity(known_panel(60, 12).panel, method="poisson")
    with pytest.raises(ValueError, match="no logs of quantities"):
        plots.price_quantity_points(counted)


def test_what_identifies(instrumented: Elasticities) -> None:
    ax = plots.price_variation_bars(instrumented)
    check_figure(ax)
    assert "identifies the elasticity" in title(ax)
    pooled = price_elasticity(known_panel(60, 12).panel, method="ols")
    check_figure(plots.price_variation_bars(pooled))
    named = known_panel(60, 12).panel.frame.rename(columns={"unit": LONG})
    wide = price_elasticity(named, effects=LONG, cluster=LONG)
    check_figure(plots.price_variation_bars(wide))


@pytest.mark.parametrize(
    "names", [["a", "b"], [f"{LONG} {k}" for k in range(5)], [f"brand {k}" for k in range(10)]]
)
def test_the_matrix_of_products(names: list[str]) -> None:
    ax = plots.cross_elasticity_map(crossed(names))
    check_figure(ax)
    assert f"of {len(names) * (len(names) - 1)} pairs" in title(ax)


@pytest.mark.parametrize(
    "name",
    ["elasticity_dots", "first_stage_points", "price_quantity_points", "price_variation_bars"],
)
def test_figures_go_into_given_axes(
    name: str,
    comparison: ElasticityComparison,
    instrumented: Elasticities,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    result = comparison if name == "elasticity_dots" else instrumented
    check_given_axes(lambda ax: getattr(plots, name)(result, ax), monkeypatch)
