"""Figures of lifetime models: what they say, that they stay legible, that they escape data."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from keycustomer import lifetime, plots
from keycustomer.lifetime import (
    BetaLaw,
    CustomerTrace,
    GammaLaw,
    HistoryMatrix,
    LawShares,
)
from legible import check_edges, drawn, fresh_figures  # noqa: F401


def title(ax):
    return (
        ax.get_title(loc="left")
        .replace("-\n", "-")
        .replace("\n", " ")
        .replace("\N{NO-BREAK SPACE}", " ")
    )


def matrix(cells, frequencies, *, horizon=0.0, T=10.0, unit="week"):
    measure = "expected_purchases" if horizon else "probability_alive"
    cells = np.asarray(cells, dtype=float)
    frame = pd.DataFrame(cells, frequencies, np.linspace(0, T, cells.shape[1]))
    return HistoryMatrix(measure, frame, T, horizon, unit, "BG/NBD")


def trace(customer, days, alive):
    """Follow a customer who bought on these days (numbers), probability given day by day."""
    bought = pd.Timestamp(2024, 1, 1) + pd.to_timedelta(days, unit="D")
    age = np.arange(len(alive))
    place = np.searchsorted(days, age, side="right") - 1
    frame = pd.DataFrame(
        {
            "date": bought[0] + pd.to_timedelta(age, unit="D"),
            "frequency": place,
            "recency": np.asarray(days, dtype=float)[place],
            "T": age.astype(float),
            "probability_alive": alive,
        }
    )
    return CustomerTrace(customer, "Pareto/NBD", pd.DatetimeIndex(bought), frame)


def shares(quantity, share, upper, *, mean, median, alike=False):
    ends = np.linspace(0, upper, len(share) + 1)
    frame = pd.DataFrame({"lower": ends[:-1], "upper": ends[1:], "share": share})
    if upper != 1:
        frame.loc[len(frame) - 1, "upper"] = np.inf
    return LawShares(quantity, frame, mean, median, alike, "MBG/NBD")


NONE = np.nan
ALIVE = [[1, NONE, NONE], [NONE, 0.85, 0.92], [NONE, 0.04, 0.99]]
BUY = [[0.2, NONE, NONE], [NONE, 0.6, 0.8], [NONE, 0.5, 12.4]]
LEAVING = "probability of leaving after a purchase"


@pytest.fixture(scope="module")
def comparison():
    laws = GammaLaw(0.6, 11), GammaLaw(0.5, 9)
    bought = lifetime.simulate_customers("Pareto/NBD", *laws, 39.0, customers=600, whole_days=True)
    model = lifetime.fit_paretonbd(bought)
    frame = pd.DataFrame(
        [
            ("Pareto/NBD", "model", 4, -950.5, 1909.0, 4.5, 1.6, 0.885, 0.63, 0.64),
            ("$B_G$/NBD", "model", 4, -948.25, 1904.5, 0.0, 1.608, 0.8785, 0.6256, 0.633),
            ("same count again", "baseline", *[NONE] * 4, 1.9, 1.25, 0.6, 0.623),
            ("everybody zero", "baseline", *[NONE] * 4, 2.4, 0.0, NONE, 0.2),
            ("perfect foresight", "foresight", *[NONE] * 4, 0.0, 1.0, 1.0, 0.887),
        ],
        columns="predictor kind parameters log_likelihood aic aic_difference rmse total_ratio "
        "correlation capture".split(),
    ).assign(mae=0.8)
    return lifetime.ModelComparison(frame, model.to_frame(), None)


RESULTS = {
    "alive": ("history_map", lambda: matrix(ALIVE, [0, 1, 20])),
    "one that never came back": ("history_map", lambda: matrix([[0.7, NONE, NONE]], [0])),
    "nobody leaves": ("history_map", lambda: matrix(np.ones((2, 3)), [1, 2])),
    "one frequency": ("history_map", lambda: matrix([[NONE, 0.5, 0.9]], [3], T=1.0)),
    "purchases": ("history_map", lambda: matrix(BUY, [0, 1, 20], horizon=1.0)),
    "no purchases": ("history_map", lambda: matrix(np.zeros((2, 3)), [1, 2], horizon=4.0)),
    "a hundred rows": (
        "history_map",
        lambda: matrix(np.random.default_rng(1).random((100, 40)), range(100), T=2000.0),
    ),
    "customer": ("alive_over_time", lambda: trace("$x^ <b>", [0, 3, 4], np.linspace(1, 0.2, 30))),
    "one purchase": ("alive_over_time", lambda: trace("a", [0], np.linspace(1, 0.9, 9))),
    "one day": ("alive_over_time", lambda: trace("a", [0], np.array([1.0]))),
    "rates": (
        "law_bars",
        lambda: shares("purchases per year", [0.6, 0.3, 0.1], 9, mean=2, median=1),
    ),
    "chances": ("law_bars", lambda: shares(LEAVING, [0.5, 0.3, 0.2], 1, mean=0.4, median=0.33)),
    "alike": (
        "law_bars",
        lambda: shares(LEAVING, [0, 1, 0], 1, mean=0.5, median=0.5, alike=True),
    ),
    "never": ("law_bars", lambda: shares(LEAVING, [1, 0, 0], 1, mean=0, median=0, alike=True)),
    "split": ("law_bars", lambda: shares(LEAVING, [0.7, 0, 0.3], 1, mean=0.3, median=0)),
}


@pytest.mark.parametrize("name", RESULTS)
def test_every_figure_has_a_finding_a_description_and_labels(name):
    function, result = RESULTS[name]
    ax = drawn(getattr(plots, function)(result()))
    assert len(title(ax)) > 20
    assert any(character.isdigit() for character in plots.description(ax))
    assert "nan" not in title(ax) + plots.description(ax)
    assert ax.get_xlabel() and ax.get_ylabel()
    check_edges(ax)


@pytest.mark.parametrize("name", ["alive", "customer", "rates"])
def test_figures_draw_into_the_axes_they_are_given_and_show_nothing(name, monkeypatch):
    monkeypatch.setattr(plt, "show", lambda: pytest.fail("plt.show() was called"))
    figure, (left, right) = plt.subplots(1, 2)
    function, result = RESULTS[name]
    assert getattr(plots, function)(result(), left) is left
    assert plt.get_fignums() == [figure.number]
    assert figure.axes == [left, right] and not right.has_data()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "alive",
            "Alive after a silence of 5 weeks: 85 % of those who came back once, "
            "4 % of those who came back 20 times",
        ),
        ("one that never came back", "A customer who never came back in 10 weeks: alive 70 %"),
        ("nobody leaves", "Everybody is alive, whatever the history"),
        (
            "one frequency",
            "Alive after a silence of 0.5 weeks: 50 % of those who came back 3 times",
        ),
        (
            "purchases",
            "Expected in the next 1 week: 12.4 purchases of a customer who came back 20 times, "
            "just seen; 0.2 of one who never did",
        ),
        (
            "customer",
            "Alive with probability 20 % after 25 days of silence; the longest before was 3 days",
        ),
        (
            "one purchase",
            "Alive with probability 90 % after 8 days of silence, which began with the first "
            "purchase",
        ),
        ("rates", "Purchases per year: half the customers lie below 1, the mean is 2"),
        (
            "chances",
            "Probability of leaving after a purchase: half the customers lie below 33.0 %, the "
            "mean is 40.0 %",
        ),
        ("alike", "Probability of leaving after a purchase: 50.0 % for all customers alike"),
        (
            "never",
            "Nobody leaves: the probability of leaving after a purchase is 0 for all customers",
        ),
        ("split", "30.0 % of customers leave at the first occasion, the others never"),
    ],
)
def test_the_title_states_the_finding(name, said):
    function, result = RESULTS[name]
    assert title(getattr(plots, function)(result())) == said


def test_a_map_shows_the_cells_and_leaves_the_impossible_empty():
    ax = plots.history_map(matrix(ALIVE, [0, 1, 20]))
    shown = ax.images[0].get_array()
    np.testing.assert_array_equal(np.ma.getmaskarray(shown), np.isnan(ALIVE))
    np.testing.assert_array_equal(shown.compressed(), np.array(ALIVE)[~np.isnan(ALIVE)])
    assert [label.get_text() for label in ax.get_yticklabels()] == ["0", "1", "20"]


def test_bars_show_the_shares_at_their_places():
    result = RESULTS["rates"][1]()
    bars = plots.law_bars(result).patches
    np.testing.assert_allclose([bar.get_height() for bar in bars], result.frame["share"])
    np.testing.assert_allclose([bar.get_x() for bar in bars], result.frame["lower"])


def test_every_purchase_is_marked():
    ax = plots.alive_over_time(RESULTS["customer"][1]())
    (marks,) = (found for found in ax.collections if found.get_label() == "purchase")
    assert len(marks.get_segments()) == 3
    assert "\\$x^ <b>" in ax.get_xlabel()


@pytest.mark.parametrize(
    ("measure", "said"),
    [
        ("aic_difference", "$B_G$/NBD fits best by AIC, 4.5 below Pareto/NBD"),
        (
            "rmse",
            "Root mean squared error of holdout purchases: 1.600 by Pareto/NBD, against 1.900 by "
            "same count again",
        ),
        (
            "total_ratio",
            "Predicted over actual holdout purchases: 0.885 by Pareto/NBD, against 1.250 by same "
            "count again",
        ),
        (
            "capture",
            "Share of holdout purchases by those foretold to be the best: 64.0 % by Pareto/NBD, "
            "against 62.3 % by same count again",
        ),
    ],
)
def test_models_are_compared_with_the_best_baseline(comparison, measure, said):
    ax = drawn(plots.model_bars(comparison, measure))
    assert title(ax).replace("\\$", "$") == said
    known = comparison.frame[measure].dropna()
    np.testing.assert_allclose([bar.get_width() for bar in ax.patches], known[::-1])
    assert all(name in plots.description(ax) for name in ("Pareto/NBD", "\\$B_G\\$/NBD"))
    assert ax.get_tightbbox().x1 <= ax.figure.bbox.x1 + 1


def test_one_model_and_none(comparison):
    frame = comparison.frame
    one = lifetime.ModelComparison(frame.iloc[:1], comparison.estimates, None)
    assert title(drawn(plots.model_bars(one))) == "Pareto/NBD is the only model with a likelihood"
    none = lifetime.ModelComparison(frame.iloc[2:], comparison.estimates, None)
    assert (
        title(drawn(plots.model_bars(none)))
        == "Nothing to compare: no model has a value of aic_difference"
    )


def test_an_unknown_measure_is_refused_with_those_that_are():
    with pytest.raises(ValueError, match="measure='r2': one of 'aic_difference', 'rmse'"):
        plots.model_bars(None, "r2")


@pytest.fixture(scope="module")
def contracts():
    # the high-end segment of Fader & Hardie (2007), of a thousand customers
    survivors = (1000, 869, 743, 653, 593, 551, 517, 491)
    return lifetime.tenures_from_survivors(survivors, unit="year")


def test_renewals_are_drawn_beside_the_model(contracts):
    seen, model = lifetime.survival_curve(contracts), lifetime.fit_sbg(contracts)
    ax = drawn(plots.renewal_curve(seen, model=model, renewals=12))
    assert title(ax) == (
        "Customers left: observed 49 % at renewal 7; shifted beta-geometric 38 % at renewal 12"
    )
    line = next(line for line in ax.get_lines() if line.get_label() == model.model)
    np.testing.assert_allclose(line.get_ydata(), model.survival(np.arange(13)))
    (dots,) = ax.containers
    np.testing.assert_allclose(dots[0].get_ydata(), seen.to_frame()["survival"])
    assert "1,000 customers" in plots.description(ax)


def test_retention_rates_begin_at_the_first_renewal(contracts):
    ax = drawn(plots.renewal_curve(lifetime.survival_curve(contracts), measure="retention"))
    assert title(ax) == ("Retention rate: observed 87 % at the first renewal, 95 % at renewal 7")
    np.testing.assert_array_equal(ax.containers[0][0].get_xdata(), np.arange(1, 8))


def test_a_cohort_that_all_leaves_is_drawn():
    gone = lifetime.survival_curve(lifetime.tenures_from_survivors([10, 0]))
    assert title(drawn(plots.renewal_curve(gone))) == (
        "Customers left: observed 0 % at the first renewal"
    )


def test_an_unknown_share_of_renewals_is_refused(contracts):
    with pytest.raises(ValueError, match="measure='churn': one of 'survival', 'retention'"):
        plots.renewal_curve(lifetime.survival_curve(contracts), measure="churn")


def test_fitted_models_are_drawn():
    bought = lifetime.simulate_customers(
        "BG/NBD", GammaLaw(0.3, 5), BetaLaw(0.8, 2.4), 39.0, customers=500, whole_days=True
    )
    model = lifetime.fit_paretonbd(bought)
    drawn(plots.history_map(lifetime.alive_matrix(model)))
    drawn(plots.history_map(lifetime.purchase_matrix(model, 39)))
    drawn(plots.law_bars(lifetime.purchasing_shares(model)))
    drawn(plots.law_bars(lifetime.dropout_shares(model)))
