"""Figures of validation: what they say, that they stay legible, that they escape data."""

import dataclasses

import matplotlib.pyplot as plt
import numpy as np
import pytest
from keycustomer import lifetime, plots
from legible import check_figure, drawn, fresh_figures, title  # noqa: F401
from period_tables import cdnow_lines


def split_of(share: int) -> lifetime.HoldoutSplit:
    """One customer in `share` of CDNOW, at the end of its 39th week."""
    lines = cdnow_lines()
    chosen = lines[lines["customer_id"].astype(int) % share == 0]
    return lifetime.split_holdout(chosen, "1997-09-30", start="1997-01-01", end="1998-06-30")


@dataclasses.dataclass(frozen=True)
class Rate:
    """A model that expects the same of every purchase made so far."""

    model: str
    each: float
    unit: str = "week"

    def expected_purchases(self, horizon, customers):
        return 0.1 + self.each * customers["frequency"].to_numpy() * horizon / 39

    def expected_purchases_new(self, horizon):
        return self.each * np.asarray(horizon) / 39


MODELS = (Rate("half", 0.5), Rate("seven tenths", 0.7))
SPLITS = {"one in ten": split_of(10), "one in 500": split_of(500)}
DRAW = {
    "week": lambda m, s, ax=None: plots.tracking_curve(lifetime.tracking(m, s), ax),
    "cumulative": lambda m, s, ax=None: plots.tracking_curve(
        lifetime.tracking(m, s, "month"), ax, cumulative=True
    ),
    "frequency": lambda m, s, ax=None: plots.expected_by_group(
        lifetime.conditional_expectation(m, s, draws=20), ax
    ),
    "recency": lambda m, s, ax=None: plots.expected_by_group(
        lifetime.conditional_expectation(m, s, "recency", draws=20), ax
    ),
    "calibration": lambda m, s, ax=None: plots.calibration_curve(
        lifetime.calibration_table(m, s, draws=20), ax
    ),
    "curve": lambda m, s, ax=None: plots.capture_curve(lifetime.holdout_scores(m, s, draws=20), ax),
} | {
    measure: lambda m, s, ax=None, measure=measure: plots.score_bars(
        lifetime.holdout_scores(m, s, draws=20), ax, measure=measure
    )
    for measure in ("capture", "rmse", "mae", "total_ratio", "correlation")
}


@pytest.mark.parametrize("case", SPLITS)
@pytest.mark.parametrize("name", DRAW)
def test_every_figure_says_what_it_found_and_stays_within_its_borders(case, name):
    check_figure(DRAW[name](MODELS, SPLITS[case]))


@pytest.mark.parametrize("name", DRAW)
def test_figures_draw_into_the_axes_they_are_given_and_show_nothing(name, monkeypatch):
    monkeypatch.setattr(plt, "show", lambda: pytest.fail("plt.show() was called"))
    _, ax = plt.subplots()
    assert DRAW[name](MODELS, SPLITS["one in 500"], ax) is ax
    assert len(plt.get_fignums()) == 1


@pytest.mark.parametrize("name", DRAW)
def test_one_model_is_enough(name):
    drawn(DRAW[name](MODELS[0], SPLITS["one in ten"]))


@pytest.mark.parametrize("name", DRAW)
def test_seven_models_and_hostile_names(name):
    many = [Rate(f"$x^{n}_{{<b>", 0.1 + n / 10) for n in range(7)]
    drawn(DRAW[name](many, SPLITS["one in 500"]))


@pytest.mark.parametrize("name", DRAW)
def test_nobody_came_back(name):
    split = SPLITS["one in 500"]
    daily = split.daily.assign(repeats=0)
    silent = dataclasses.replace(split, purchases=np.zeros(split.customers), daily=daily)
    ax = drawn(DRAW[name](MODELS, silent))
    assert "nan" not in title(ax) + plots.description(ax)


def test_tracking_draws_what_was_counted():
    result = lifetime.tracking(MODELS, SPLITS["one in ten"])
    ax = plots.tracking_curve(result)
    actual, *expected = [line.get_ydata() for line in ax.get_lines()[:3]]
    np.testing.assert_array_equal(actual, result.of("half")["actual"])
    for line, model in zip(expected, MODELS, strict=True):
        np.testing.assert_array_equal(line, result.of(model.model)["expected"])
    ratio = result.ratios.set_index("model")["holdout"]
    best = (ratio - 1).abs().idxmin()
    off = plots.percent(abs(ratio[best] - 1))
    more = "more" if ratio[best] > 1 else "fewer"
    assert (
        title(ax) == f"{best}, the closest model, foretold {off} {more} repeat purchases than came"
    )


def test_weeks_cut_off_are_not_drawn():
    split = SPLITS["one in ten"]
    days = split.daily.iloc[:-3]
    short = dataclasses.replace(split, daily=days, end=days["date"].iloc[-1].date())
    ax = plots.tracking_curve(lifetime.tracking(MODELS, short))
    assert len(ax.get_lines()[0].get_ydata()) == 77


def test_the_capture_names_the_best_model_the_count_and_foresight():
    scores = lifetime.holdout_scores(MODELS, SPLITS["one in ten"], draws=20)
    held = {name: plots.percent(one["capture"].estimate) for name, one in scores.estimates.items()}
    said = title(plots.capture_curve(scores))
    # both models rank as the plain count does
    assert said == (
        f"The top 20 % by half hold {held['half']} of what followed, by a plain count "
        f"{held['same count again']} (a gap within chance), by foresight "
        f"{held['perfect foresight']}"
    )


def test_a_gap_beyond_chance_is_not_called_chance():
    split = SPLITS["one in ten"]
    noise = np.random.default_rng(0).random(split.customers)
    scores = lifetime.holdout_scores({"noise": noise}, split, draws=50)
    assert "chance" not in title(plots.capture_curve(scores))


def test_groups_outside_their_intervals_are_counted():
    split = SPLITS["one in ten"]
    exact = lifetime.conditional_expectation({"exact": split.purchases}, split, draws=20)
    assert title(plots.expected_by_group(exact)) == (
        "exact meets what every group bought, within chance"
    )
    none = lifetime.conditional_expectation({"none": np.zeros(split.customers)}, split, draws=20)
    assert title(plots.expected_by_group(none)).startswith(
        "none meets 0 of 8 groups within chance; most is missed at frequency "
    )


def test_bars_are_the_scores():
    scores = lifetime.holdout_scores(MODELS, SPLITS["one in ten"], draws=20)
    ax = plots.score_bars(scores, measure="rmse")
    widths = [patch.get_width() for patch in ax.patches]
    frame = scores.to_frame()
    np.testing.assert_allclose(widths[::-1], frame["rmse"])
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert labels[::-1] == frame["predictor"].tolist()


def test_a_score_without_a_value_has_no_bar():
    scores = lifetime.holdout_scores(MODELS, SPLITS["one in ten"], draws=5)
    labels = plots.score_bars(scores, measure="correlation").get_yticklabels()
    assert "everybody zero" not in [label.get_text() for label in labels]


def test_a_correlation_below_zero_is_drawn_to_the_left():
    split = SPLITS["one in ten"]
    scores = lifetime.holdout_scores(
        {"reversed": 20 - split.purchases.clip(max=20)}, split, draws=5
    )
    ax = drawn(plots.score_bars(scores, measure="correlation"))
    assert ax.get_xlim()[0] < min(patch.get_width() for patch in ax.patches) < -0.9


def test_root_axes_have_round_numbers_apart():
    for reach in (0.013, 0.9, 1.08, 6.4, 81.0, 12_345.0):
        ticks = np.array(plots.validation._round_numbers(reach))
        assert ticks[0] == 0
        assert 4 <= ticks.size <= 10
        assert np.diff(np.sqrt(ticks / reach)).min() > 0.08


def test_unknown_names_are_refused():
    table = lifetime.calibration_table(MODELS, SPLITS["one in 500"], draws=5)
    with pytest.raises(ValueError, match="predictors: 'third' is none of 'half', 'seven tenths'"):
        plots.calibration_curve(table, predictors=["third"])
    scores = lifetime.holdout_scores(MODELS, SPLITS["one in 500"], draws=5)
    with pytest.raises(ValueError, match="measure='r2': one of 'rmse', 'mae'"):
        plots.score_bars(scores, measure="r2")


def test_baselines_can_be_drawn_alone():
    table = lifetime.calibration_table(MODELS, SPLITS["one in ten"], draws=5)
    ax = drawn(plots.calibration_curve(table, predictors=["same rate"]))
    assert title(ax).startswith("same rate: ")
    legend = [text.get_text() for text in ax.get_legend().get_texts()]
    assert legend == ["bought as predicted", "same rate"]
