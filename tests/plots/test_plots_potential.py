"""Figures of potential value and of what models imply: what they say, and that it stays legible."""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from keycustomer import lifetime, plots
from legible import check_edges, check_given_axes, drawn, fresh_figures, title  # noqa: F401
from period_tables import cdnow_lines

SPLIT = "1997-09-30"


def small_purchases():
    """Six customers and their purchases on single days."""
    days = {"a": (0, 3, 9, 15), "b": (0, 20), "c": (1,), "d": (1, 2, 30), "e": (2,), "f": (3, 40)}
    rows = [(name, day, 10.0 + day) for name, when in days.items() for day in when]
    frame = pd.DataFrame(rows, columns=["customer_id", "date", "revenue"])
    return frame.assign(date=pd.Timestamp("2024-01-01") + pd.to_timedelta(frame["date"], unit="D"))


@cache
def fitted(case):
    """Purchases, their split and the models of the calibration period."""
    lines, day = (small_purchases(), "2024-01-25") if case == "small" else (cdnow_lines(), SPLIT)
    split = lifetime.split_holdout(lines, day)
    models = lifetime.fit_bgnbd(split.calibration), lifetime.fit_gammagamma(split.calibration)
    return lines, split, models


@cache
def result_of(case, name):
    lines, split, (model, spend) = fitted(case)
    match name:
        case "implied_windows":
            models = lifetime.bootstrap_models(split.calibration, model, draws=4)
            return lifetime.concentration_by_age(
                model, lines, end=split.split, models=models, draws=5
            )
        case "by_window":
            return lifetime.concentration_by_window(
                model, lines, spend=spend, end=split.split, draws=5
            )
        case "expected_fall":
            return lifetime.foreseen_fall(model, split, groups=3, draws=10)
    values = lifetime.value_customers(model, spend, split.calibration, horizon=52.0)
    draws = [values.frame["residual_value"].to_numpy() * np.linspace(1, 1.5, split.customers)]
    return lifetime.map_potential(split.calibration, values, top=0.4, draws=draws)


FUNCTIONS = {"by_window": "implied_windows"}
NAMES = ("value_map", "group_bars", "rank_map", "implied_windows", "by_window", "expected_fall")
CASES = ("small", "cdnow")


def figure_of(case, name, ax=None):
    return getattr(plots, FUNCTIONS.get(name, name))(result_of(case, name), ax)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", NAMES)
def test_every_figure_has_a_finding_a_description_and_labels(case, name):
    ax = drawn(figure_of(case, name))
    assert len(title(ax)) > 20
    assert len(plots.description(ax)) > 60
    assert "nan" not in title(ax) + plots.description(ax)
    assert ax.get_xlabel()
    assert ax.get_ylabel() or name == "group_bars"


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", NAMES)
def test_titles_and_labels_stay_within_the_figure(case, name):
    ax = drawn(figure_of(case, name))
    check_edges(ax)


@pytest.mark.parametrize("name", NAMES)
def test_figures_draw_into_the_axes_they_are_given_and_show_nothing(name, monkeypatch):
    check_given_axes(lambda ax: figure_of("small", name, ax), monkeypatch)


def test_the_map_draws_every_customer_once_and_the_uncertain_again():
    result = result_of("cdnow", "value_map")
    ax = figure_of("cdnow", "value_map")
    points = [len(part.get_offsets()) for part in ax.collections]
    unsure = len(result.uncertain())
    assert unsure > 0
    assert sum(points) == len(result.frame) + unsure
    key = result.groups["customers"]
    share = plots.percent(key[1] / (key[0] + key[1]), 0)
    assert title(ax) == (
        f"Of {key[0] + key[1]:,} key customers {share} are fading; {key[2]:,} others have the "
        "potential of one"
    )
    assert f"For {unsure:,} customers the group is uncertain" in plots.description(ax)


def test_bars_are_the_shares_of_the_groups():
    result = result_of("cdnow", "group_bars")
    widths = sorted(patch.get_width() for patch in figure_of("cdnow", "group_bars").patches)
    table = result.groups[["customer_share", "current_share", "potential_share"]]
    np.testing.assert_allclose(widths, np.sort(table.to_numpy().ravel()))


def test_the_windows_say_what_was_seen_and_implied():
    result = result_of("cdnow", "implied_windows")
    ax = figure_of("cdnow", "implied_windows")
    last = result.of("all").iloc[-1]
    for column in ("seen", "implied", "luck_alone"):
        assert plots.percent(last[column], 0) in title(ax)
    assert plots.percent(result.lasting.estimate) in plots.description(ax)
    assert "months" in ax.get_xlabel() and "first purchase" in ax.get_xlabel()
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert {"seen", "implied by the model", "luck alone"} <= set(labels)


def test_the_fall_says_how_much_of_it_was_expected():
    result = result_of("cdnow", "expected_fall")
    ax = figure_of("cdnow", "expected_fall")
    assert "the model had expected" in title(ax)
    np.testing.assert_allclose(ax.get_lines()[2].get_ydata(), result.frame["expected"])
    assert "was not foreseen" in plots.description(ax)


def test_who_did_not_fall_is_said_to_have_risen():
    result = result_of("small", "expected_fall")
    frame = result.frame.assign(second=result.frame["same_again"] + 1)
    risen = lifetime.ForeseenFall(
        result.model, result.value, 6, "one", "two", frame,
        type(result.foreseen)(np.nan, np.nan, np.nan, "share", 6, "none"),
    )  # fmt: skip
    assert title(drawn(plots.expected_fall(risen))).startswith("The best group did not fall")


def test_hostile_names_and_empty_groups():
    table = pd.DataFrame({"customer_id": list("abc"), "$x^_1": [0.0, 0.0, 5.0]})
    values = pd.DataFrame({"customer_id": list("abc"), "\\frac$": [0.0, 0.0, 0.0]})
    result = lifetime.map_potential(table, values, current="$x^_1", potential="\\frac$", top=0.3)
    for name in ("value_map", "group_bars", "rank_map"):
        ax = drawn(getattr(plots, name)(result))
        assert "nan" not in title(ax) + plots.description(ax)
    assert title(plots.group_bars(result)) == "What the groups bring"
    nobody = lifetime.map_potential(table, values, current="$x^_1", potential="\\frac$", top=0.0)
    assert title(drawn(plots.value_map(nobody))) == "Nobody is a key customer now"
