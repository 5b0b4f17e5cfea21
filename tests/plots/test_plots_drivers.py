"""Figures of value drivers: their titles are the findings, and names stay legible."""

from functools import cache

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from keycustomer import plots
from keycustomer.dimensions import (
    importance_drift,
    importance_performance,
    kinds_of_need,
    layer_importance,
    relative_importance,
    stated_against_derived,
)
from keycustomer.plots.labels import name_points, short_names, shorten
from legible import check_figure, check_given_axes, drawn, fresh_figures, title  # noqa: F401

LONG = "Your overall impression of the {} that we deliver to your sites, in $ and 客户"
NAMES = {
    "short": "quality service price portal".split(),
    "long": [LONG.format(word) for word in ("quality", "service", "price", "customer portal")],
    "many": [f"attribute number {n}" for n in range(24)],
    "alike": [f"<b>{'same words again ' * 4}</b>{' ' * n}" for n in range(3)],
}
FIGURES = ("importance_bars", "place_map", "priority_map", "stated_derived_map")
FIGURES = (*FIGURES, "drift_lines", "layer_bars", "need_map")


def answers(names):
    """Answers on a scale from 1 to 7: the first driver counts most and the last lowers it."""
    rng = np.random.default_rng(1)
    n, size = 240, len(names)
    values = rng.normal(size=(n, size)) + 0.5 * rng.normal(size=(n, 1))
    weights = np.linspace(0.9, -0.2, size)
    wave = np.arange(n) % 3
    outcome = values @ weights + 0.8 * wave * values[:, -1] + rng.normal(size=n)
    frame = pd.DataFrame(np.clip(4 + values + np.linspace(-1, 1, size), 1, 7), columns=names)
    said = {
        f"says {k}": np.clip(np.round(5 - k % 4 + rng.normal(size=n)), 1, 7) for k in range(size)
    }
    return frame.assign(y=outcome, wave=wave, **said)


@cache
def result_of(kind, figure):
    names = NAMES[kind]
    frame = answers(names)
    said = {name: f"says {k}" for k, name in enumerate(names)}
    outcome = {"Gesamtzufriedenheit mit allem ($)": ["y"]}
    if figure == "drift_lines":
        return importance_drift(frame, outcome, names, "wave", draws=60)
    if figure in ("stated_derived_map", "need_map"):
        stated = stated_against_derived(frame, outcome, names, said, draws=30)
        if figure == "stated_derived_map":
            return stated
        return kinds_of_need(stated, {names[0]: "M", names[-1]: "A"}, names[1:2])
    found = relative_importance(frame, outcome, names, draws=60)
    if figure == "priority_map":
        return importance_performance(found, low=1, high=7)
    if figure == "layer_bars":
        return layer_importance(found, {"a very long name of a layer indeed": names[:2]})
    return found


@pytest.mark.parametrize("kind", NAMES)
@pytest.mark.parametrize("figure", FIGURES)
def test_every_figure_draws_with_any_names_and_is_described(kind, figure):
    result = result_of(kind, figure)
    check_figure(getattr(plots, figure)(result))


@pytest.mark.parametrize("figure", FIGURES)
def test_a_figure_draws_into_given_axes(figure, monkeypatch):
    result = result_of("short", figure)
    check_given_axes(lambda ax: getattr(plots, figure)(result, ax), monkeypatch)


def test_the_title_says_whether_first_and_second_are_established():
    clear = plots.importance_bars(result_of("short", "importance_bars"))
    assert title(clear).startswith("quality counts most, ")
    unclear = result_of("many", "importance_bars")
    assert not unclear.places()["established"].iloc[0]
    assert title(plots.importance_bars(unclear)).startswith("What counts most is not established")


def test_bars_are_as_long_as_the_importance_and_falling_drivers_are_marked():
    result = result_of("short", "importance_bars")
    ax = plots.importance_bars(result)
    widths = [bar.get_width() for bar in ax.patches]
    assert widths == pytest.approx(result.frame["importance"].iloc[::-1].tolist())
    frame = answers(NAMES["short"])
    frame["quality"] = 8 - frame["quality"]
    falling = relative_importance(frame, "y", NAMES["short"], draws=20)
    legend = plots.importance_bars(falling).get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["the more, the lower"]


def test_the_cells_of_the_place_map_are_shares_of_the_resamples():
    result = result_of("short", "place_map")
    cells = plots.place_map(result).images[0].get_array()
    np.testing.assert_allclose(cells.sum(axis=0), 1)
    np.testing.assert_allclose(cells.sum(axis=1), 1)
    np.testing.assert_allclose(np.diag(cells), result.places()["share_of_draws"])


def test_drift_colours_what_changed_and_says_it():
    result = result_of("short", "drift_lines")
    assert result.changed
    ax = plots.drift_lines(result)
    assert title(ax).startswith(f"{result.changed[0]} ")
    assert "more than chance" in title(ax)
    frame = answers(NAMES["short"]).assign(wave=lambda f: f.index // 3 % 2)
    still = importance_drift(frame, "y", NAMES["short"], "wave", draws=60)
    assert "No driver's importance changed by more than chance" in title(plots.drift_lines(still))


def test_one_driver_needs_no_order():
    alone = relative_importance(answers(["quality"]), "y", ["quality"], draws=20)
    assert title(plots.importance_bars(alone)).startswith("quality explains ")
    drawn(plots.place_map(alone))


def test_long_names_lose_what_they_share_before_they_lose_letters():
    names = [LONG.format(word) for word in ("quality", "service")]
    assert list(short_names(names, 20).values()) == ["quality", "service"]
    assert short_names(["a", "b"], 20) == {"a": "a", "b": "b"}
    unequal = ["speed of the very long hotline name", "speed of the very long hotline"]
    assert len(set(short_names(unequal, 12).values())) == 2
    assert list(short_names(["the same old story", "the same  old story"], 9).values()) == [
        "1 th…ory",
        "2 th…ory",
    ]
    assert shorten("abcdefghij", 5) == "a…hij"


def test_names_beside_points_do_not_cover_each_other():
    ax = plt.subplots(figsize=(10, 7))[1]
    rng = np.random.default_rng(2)
    x, y = rng.random((2, 12))
    ax.scatter(x, y)
    ax.margins(0.15)
    name_points(ax, x, y, [f"attribute {k}" for k in range(12)])
    ax.figure.canvas.draw()
    boxes = [text.get_window_extent().padded(-1) for text in ax.texts]
    assert not any(a.overlaps(b) for n, a in enumerate(boxes) for b in boxes[n + 1 :])
    assert all(ax.get_window_extent().overlaps(box) for box in boxes)
