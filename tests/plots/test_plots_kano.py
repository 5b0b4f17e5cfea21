"""Figures of Kano classes: what they say, that they stay legible, and what cannot be drawn."""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from keycustomer import dimensions, plots
from legible import check_figure, check_given_axes, fresh_figures, title  # noqa: F401

PAIRS = {"M": (3, 5), "O": (1, 5), "A": (1, 3), "I": (3, 3), "R": (5, 3), "Q": (1, 1)}
EFFECTS = {"M": (-1, 0), "O": (-0.6, 0.6), "A": (0, 1)}
CLASSES = "OOMMOAIAIAAI"
SHORT = tuple(
    "quality service price ordering hotline portal affinity recognition community brand "
    "customisation expression".split()
)
LONG = tuple(f"the {name} of all services of the operator, $ and {name}" for name in SHORT)
NAMES = ("kano_bars", "better_worse_map", "kano_plane", "contrast_bars", "kano_methods")
FIGURES = [(name, case) for name in NAMES for case in ("survey", "long names")]
FIGURES += [("kano_bars", "two attributes"), ("contrast_bars", "two attributes")]
FIGURES += [("kano_bars", "six answers"), ("better_worse_map", "six answers")]


def survey(names, n=300):
    rng = np.random.default_rng(7)
    frame, outcome = {}, rng.normal(0, 0.5, n)
    for name, letter in zip(names, CLASSES, strict=False):
        sure = rng.random(n) < 0.7
        for part, answer in zip(("with", "without"), PAIRS[letter], strict=True):
            frame[f"kano_{part}_{name}"] = np.where(sure, answer, rng.integers(1, 6, n))
        frame[f"importance_{name}"] = rng.integers(1, 8, n)
        seen = rng.integers(1, 8, n)
        frame[f"seen {name}"] = seen
        outcome = outcome + np.select([seen <= 2, seen >= 6], EFFECTS.get(letter, (0, 0)))
    return pd.DataFrame(frame).astype(float).assign(satisfaction=outcome)


@cache
def results(case):
    """Classes, plane, contrasts and comparison of one survey."""
    names = {"long names": LONG, "two attributes": SHORT[:2]}.get(case, SHORT)
    answers = survey(names)
    classes = dimensions.classify_kano(answers.head(6) if case == "six answers" else answers)
    plane = dimensions.continuous_kano(answers, importance="importance_", draws=50)
    seen = {name: f"seen {name}" for name in names}
    contrasts = dimensions.penalty_reward(answers, "satisfaction", seen, low=2, high=6, draws=50)
    truth = dict(zip(names, CLASSES, strict=False))
    methods = {"table": classes, "continuous": plane, "contrasts": contrasts}
    return classes, plane, contrasts, dimensions.compare_kano_methods(methods, truth=truth)


def figure_of(case, name, ax=None):
    classes, plane, contrasts, comparison = results(case)
    shown = {
        "kano_plane": plane,
        "contrast_bars": contrasts,
        "kano_methods": comparison,
    }
    return getattr(plots, name)(shown.get(name, classes), ax)


@pytest.mark.parametrize(("name", "case"), FIGURES)
def test_every_figure_says_what_it_found_and_stays_within_its_edges(name, case):
    check_figure(figure_of(case, name))


@pytest.mark.parametrize("name", NAMES)
def test_figures_draw_into_the_axes_they_are_given_and_show_nothing(name, monkeypatch):
    check_given_axes(lambda ax: figure_of("two attributes", name, ax), monkeypatch)


def test_bars_are_the_shares_of_the_answers():
    classes = results("survey")[0]
    ax = plots.kano_bars(classes)
    widths = np.array([bar.get_width() for bar in ax.patches]).reshape(6, -1)
    np.testing.assert_allclose(widths.sum(axis=0), 1)
    rows = classes.overall.set_index("attribute")
    labels = [label.get_text() for label in ax.get_yticklabels()]
    np.testing.assert_allclose(widths[0], (rows["M"] / rows["n"])[labels])


def test_points_lie_where_better_and_worse_put_them():
    classes = results("survey")[0]
    ax = plots.better_worse_map(classes)
    points = np.array([part.get_offsets()[0] for part in ax.collections])
    frame = classes.overall
    np.testing.assert_allclose(points, np.column_stack([-frame["worse"], frame["better"]]))
    best = frame.loc[frame["better"].idxmax(), "attribute"]
    assert title(ax).startswith(f"{best} satisfies most")


def test_more_important_attributes_have_larger_marks():
    plane = results("survey")[1]
    sizes = [part.get_sizes()[0] for part in plots.kano_plane(plane).collections]
    importance = plane.overall["importance"].to_numpy()
    assert np.array_equal(np.argsort(sizes), np.argsort(importance))


def test_the_comparison_marks_what_is_disputed():
    comparison = results("survey")[3]
    labels = [label.get_text() for label in plots.kano_methods(comparison).get_yticklabels()]
    assert {name.removesuffix(" *") for name in labels if name.endswith(" *")} == set(
        comparison.disputed
    )


def test_groups_are_drawn_by_name():
    answers = survey(SHORT[:3]).assign(who=["small", "large"] * 150)
    classes = dimensions.classify_kano(answers, by="who", draws=5)
    assert plots.kano_bars(classes, group="large").get_xlabel() == "Share of the answers in large"
    with pytest.raises(ValueError, match="no group 'medium'; there are 'large', 'small'"):
        plots.better_worse_map(classes, group="medium")


def test_nothing_to_draw_is_said():
    reverse = pd.DataFrame({"kano_with_a": [5.0] * 9, "kano_without_a": [3.0] * 9})
    with pytest.raises(ValueError, match="no attribute has an answer of class M, O, A or I"):
        plots.better_worse_map(dimensions.classify_kano(reverse))
    half = pd.DataFrame({"kano_with_a": [5.0, np.nan], "kano_without_a": [np.nan, 3.0]})
    with pytest.raises(ValueError, match="no attribute was answered"):
        plots.kano_bars(dimensions.classify_kano(half))
    with pytest.raises(ValueError, match="no attribute was answered"):
        plots.kano_plane(dimensions.continuous_kano(half))
