"""Figures of churn models: what they say, that they stay legible, that they escape data."""

from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from keycustomer import plots
from keycustomer.relationships import (
    ChurnOverCompanies,
    class_weight_trap,
    fit_churn,
    retention_curves,
    validate_churn,
)
from legible import check_figure, check_given_axes, drawn, fresh_figures, title  # noqa: F401

HOSTILE = "a $ <b> & a name of a feature that goes on and on"


def rows_of(customers: int, seed: int = 0, effect: float = 1.2) -> pd.DataFrame:
    """Customer-months of which leaving goes with one number and one word."""
    generator = np.random.default_rng(seed)
    n = 6 * customers
    frame = pd.DataFrame(
        {
            "customer_id": np.repeat(np.arange(customers), 6),
            "number": np.tile(np.arange(6), customers),
            HOSTILE: generator.normal(size=n),
            "plan": generator.choice(["monthly", "12 months", "a very long plan indeed"], n),
        }
    )
    odds = -2.5 + effect * frame[HOSTILE]
    frame["truth"] = 1 / (1 + np.exp(-odds))
    return frame.assign(left=generator.random(n) < frame["truth"])


FEATURES = [HOSTILE, "plan"]
MODELS = {"logistic": {}, "a ridge with $ in its very long name": {"penalty": 30.0}}


@pytest.fixture(scope="module")
def rows():
    return rows_of(250)


@pytest.fixture(scope="module")
def checked(rows):
    return validate_churn(rows, MODELS, features=FEATURES, truth="truth", draws=30)


@pytest.fixture(scope="module")
def model(rows):
    return fit_churn(rows, features=FEATURES)


@pytest.fixture(scope="module")
def curves(rows, model):
    return retention_curves(model, rows.drop_duplicates("customer_id"), 12, draws=30)


@pytest.fixture(scope="module")
def trap(rows):
    return class_weight_trap(rows, features=FEATURES, draws=5)


@pytest.fixture(scope="module")
def companies():
    """Scores of eight companies, made up."""
    generator = np.random.default_rng(1)
    names = ["logistic", "boosting", "same for all", "truth"]
    frame = pd.DataFrame(
        [
            {"company": c, "model": name, "auc": 0.5 + 0.1 * k, "slope": 1.0, "brier_skill": 0.01}
            for c in range(8)
            for k, name in enumerate(names)
        ]
    )
    frame["auc"] += generator.normal(0, 0.02, len(frame))
    return ChurnOverCompanies(frame, 8, 500, 36, "time", 1)


def check_both(draw, monkeypatch):
    check_figure(draw(None))
    plt.close("all")
    check_given_axes(draw, monkeypatch)


def test_calibration_says_whether_probabilities_are_right(checked, monkeypatch):
    check_both(lambda ax: plots.churn_calibration(checked, ax), monkeypatch)
    one = drawn(plots.churn_calibration(checked.scores["logistic"]))
    said = "right within chance" if checked.scores["logistic"].calibrated else "off by more"
    assert said in title(one)
    assert "chance alone reaches" in plots.description(one)
    with pytest.raises(ValueError, match="can be told apart"):
        plots.churn_calibration(checked, models=["forest"])


@pytest.mark.parametrize("measure", ["auc", "ece", "brier", "brier_skill", "log_loss", "slope"])
def test_scores_name_the_best_and_whether_it_is_chance(checked, measure, monkeypatch):
    check_both(lambda ax: plots.churn_score_dots(checked, ax, measure=measure), monkeypatch)
    ax = plots.churn_score_dots(checked, measure=measure)
    assert any(name in title(ax) for name in ("logistic", "ridge"))
    if measure == "auc":
        attained = checked.attainable_auc
        assert f"the truth attains {attained:.3g}" in title(ax)
        assert "beyond chance" in title(ax)


def test_an_unknown_measure_is_refused(checked, companies):
    with pytest.raises(ValueError, match="measure='gini'"):
        plots.churn_score_dots(checked, measure="gini")
    with pytest.raises(ValueError, match="measure='gini'"):
        plots.churn_company_dots(companies, measure="gini")
    with pytest.raises(ValueError, match="models="):
        plots.churn_company_dots(companies, models=["forest"])


def test_odds_ratios_name_the_strongest(model, monkeypatch):
    check_both(lambda ax: plots.odds_ratio_dots(model, ax), monkeypatch)
    ax = plots.odds_ratio_dots(model)
    assert "goes with leaving more" in title(ax)
    assert "not what causes it" in plots.description(ax)
    assert len(ax.get_yticks()) == 3
    assert len(plots.odds_ratio_dots(model, most=1).get_yticks()) == 1


def test_odds_ratios_without_intervals_or_effect_say_so(rows):
    shrunk = plots.odds_ratio_dots(fit_churn(rows, features=FEATURES, penalty=5.0))
    check_figure(shrunk)
    assert "without intervals" in title(shrunk)
    nothing = fit_churn(rows_of(60, seed=3, effect=0.0), features=["plan"])
    ax = plots.odds_ratio_dots(nothing)
    check_figure(ax)
    assert "beyond chance" in title(ax)


def test_marks_of_ratios_stand_apart(rows):
    for penalty in (1.0, 100.0, 3_000.0):
        ax = drawn(plots.odds_ratio_dots(fit_churn(rows, features=FEATURES, penalty=penalty)))
        boxes = [t.get_window_extent() for t in ax.get_xticklabels() if t.get_text()]
        inside = sorted((b for b in boxes if b.width > 0), key=lambda box: box.x0)
        assert len(inside) > 1
        assert all(one.x1 < other.x0 for one, other in pairwise(inside))


def test_class_weights_say_how_many_times_too_many(trap, monkeypatch):
    check_both(lambda ax: plots.class_weight_bars(trap, ax), monkeypatch)
    ax = plots.class_weight_bars(trap)
    times = trap.to_frame()["times_too_high"].max()
    assert f"{times:.1f} times as many" in title(ax)


def test_the_expected_stay_gives_mean_and_spread(curves, monkeypatch):
    names = list(curves.customers[:2])
    check_both(lambda ax: plots.retention_fan(curves, ax, customers=names), monkeypatch)
    ax = plots.retention_fan(curves, unit="year")
    last = curves.mean()["retention"].iloc[-1]
    assert title(ax).startswith(f"{100 * last:.0f} % are expected to be there after 12 years")
    with pytest.raises(ValueError, match="at most 6"):
        plots.retention_fan(curves, customers=range(7))


def test_one_period_and_two_customers_are_enough(model, rows):
    few = retention_curves(model, rows.drop_duplicates("customer_id").head(2), 1)
    check_figure(plots.retention_fan(few))


@pytest.mark.parametrize("measure", ["auc", "slope", "brier_skill"])
def test_companies_are_dots_and_said_to_be_simulated(companies, measure, monkeypatch):
    check_both(lambda ax: plots.churn_company_dots(companies, ax, measure=measure), monkeypatch)
    ax = plots.churn_company_dots(companies, measure=measure, models=["logistic", "boosting"])
    assert "simulated" in title(ax) and "Simulated" in plots.description(ax)
    assert len(ax.get_yticks()) == 2


def test_seven_models_and_tiny_data_are_told():
    rows = rows_of(40, seed=5)
    models = {f"model number {n} with a name": {"penalty": float(n)} for n in range(1, 7)}
    found = validate_churn(
        rows, models, how="customers", features=FEATURES, draws=10, bins=4, folds=2
    )
    check_figure(plots.churn_calibration(found))
    check_figure(plots.churn_score_dots(found))
    check_figure(plots.churn_score_dots(found, measure="ece"))
