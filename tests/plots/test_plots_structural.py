"""Figures of structural models: what they say, that they refuse, that they stay legible."""

from functools import cache

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from keycustomer import plots
from keycustomer.dimensions import ImproperSolution, fit_cfa, fit_sem
from keycustomer.dimensions.structural.models import write_model
from keycustomer.plots.diagram import layers
from legible import check_edges, check_figure, drawn, fresh_figures, title  # noqa: F401
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from structural_answers import CHAIN, chain, heywood


@cache
def fitted(case):
    """Fit a case of drawing: a chain, factors only, many constructs with long names."""
    generator = np.random.default_rng(4)
    match case:
        case "chain":
            return fit_sem(CHAIN, chain(600, generator))
        case "bootstrap":
            return fitted("chain").bootstrap(60)
        case "factors":
            items = {name: [f"{name.lower()}{i}" for i in (1, 2, 3)] for name in "VSL"}
            return fit_cfa(items, chain(300, generator))
        case "one":
            return fit_cfa({"V": ["v1", "v2", "v3"]}, chain(120, generator))
        case "many":
            return many()
        case "wide":
            names = [f"Cause number ${n}" for n in range(5)]
            return many(names, {"Loyalty": names})
    raise ValueError(case)


def many(names=None, paths=None):
    """Seven constructs in a chain with shortcuts, or five causes of one."""
    generator = np.random.default_rng(5)
    long = "PerceivedQualityOfTheWholeService"
    names = names or [
        "Image",
        "Expectation",
        long,
        "Value",
        "Satisfaction",
        "Complaints",
        "Loyalty",
    ]
    paths = paths or {
        "Expectation": ["Image"],
        long: ["Expectation"],
        "Value": ["Expectation", long],
        "Satisfaction": ["Image", "Expectation", long, "Value"],
        "Complaints": ["Satisfaction"],
        "Loyalty": ["Image", "Satisfaction", "Complaints"],
    }
    scores: dict[str, np.ndarray] = {}
    for name in dict.fromkeys([*names, *paths]):
        causes = paths.get(name, [])
        scores[name] = generator.normal(size=500) + sum(0.3 * scores[cause] for cause in causes)
    items = {name: [f"{name} item {i}" for i in range(3)] for name in scores}
    table = {
        item: scores[name] + 0.7 * generator.normal(size=500)
        for name, own in items.items()
        for item in own
    }
    return fit_sem(write_model(items, paths), pd.DataFrame(table))


FIGURES = ("path_diagram", "loading_dots", "effect_dots")


@pytest.mark.parametrize("case", ["chain", "bootstrap", "factors", "one", "many", "wide"])
@pytest.mark.parametrize("name", ["path_diagram", "loading_dots"])
def test_figures_draw_without_a_warning_and_are_described(case, name):
    ax = drawn(getattr(plots, name)(fitted(case)))
    check_edges(ax)
    assert len(plots.description(ax)) > 40
    assert title(ax)


@pytest.mark.parametrize("case", ["chain", "bootstrap", "many", "wide"])
def test_effects_draw(case):
    if case == "wide":
        with pytest.raises(ValueError, match="indirect effects need paths through a third"):
            plots.effect_dots(fitted(case), kinds=("indirect",))
        return
    ax = plots.effect_dots(fitted(case))
    check_figure(ax)
    assert "indirect" in title(ax)


def test_the_path_diagram_tells_paths_and_intervals():
    fit = fitted("chain")
    ax = drawn(plots.path_diagram(fit))
    most = fit.paths().sort_values("standardised").iloc[-1]
    assert title(ax) == (
        f"The strongest path runs from {most['from']} to {most['to']} "
        f"({most['standardised']:.2f}); every path differs from 0".replace("0.", ".")
    )
    texts = " ".join(text.get_text() for text in ax.texts)
    for row in fit.paths().to_dict("records"):
        for column in ("standardised", "standardised_lower", "standardised_upper"):
            assert f"{row[column]:.2f}".lstrip("0") in texts
    assert "R² " in texts
    arrows = [patch for patch in ax.patches if isinstance(patch, FancyArrowPatch)]
    boxes = [patch for patch in ax.patches if isinstance(patch, FancyBboxPatch)]
    assert (len(arrows), len(boxes)) == (3, 3)
    assert "delta method" in ax.get_xlabel()
    assert "bootstrap" in plots.path_diagram(fitted("bootstrap")).get_xlabel()


def test_labels_do_not_cover_boxes_or_each_other():
    for case in ("chain", "many", "wide"):
        ax = drawn(plots.path_diagram(fitted(case)))
        renderer = ax.figure.canvas.get_renderer()
        labels = [text for text in ax.texts if "[" in text.get_text()]
        places = [label.get_window_extent(renderer) for label in labels]
        boxes = [p.get_window_extent(renderer) for p in ax.patches if isinstance(p, FancyBboxPatch)]
        assert not any(a.overlaps(box) for a in places for box in boxes)
        pairs = [(a, b) for i, a in enumerate(places) for b in places[:i]]
        assert not any(a.overlaps(b) for a, b in pairs)


def test_many_correlations_are_told_as_a_range():
    ax = plots.path_diagram(fitted("wide"))
    assert "Constructs at the left correlate by" in ax.get_xlabel()
    assert len([p for p in ax.patches if isinstance(p, FancyArrowPatch)]) == 5


def test_a_factor_model_tells_its_closest_constructs():
    ax = plots.path_diagram(fitted("factors"))
    most = fitted("factors").correlations().sort_values("estimate").iloc[-1]
    assert title(ax).startswith(f"{most['first']} and {most['second']} go together most")
    assert title(plots.path_diagram(fitted("one"))) == "A model of constructs without paths"


def test_loadings_tell_the_weakest():
    ax = plots.loading_dots(fitted("chain"))
    table = fitted("chain").loadings()
    weakest = table.loc[table["standardised"].idxmin()]
    assert f"{weakest['item']} shows {weakest['construct']} least" in title(ax)
    assert len(ax.get_yticklabels()) == 9


def test_fit_tells_which_border_is_missed():
    ax = drawn(plots.fit_bars(fitted("chain")))
    assert title(ax) == "By every index the model fits well"
    items = {"F": ["v1", "v2", "v3", "l1", "l2", "l3"]}
    bad = fit_cfa(items, chain(400, np.random.default_rng(1)))
    assert title(drawn(plots.fit_bars(bad))) == "By no index the model fits well"
    assert "any answers" in title(plots.fit_bars(fitted("one")))


def test_an_improper_solution_refuses_to_be_drawn_but_for_its_fit():
    fit = fit_cfa({"F": ["i1", "i2", "i3"]}, heywood())
    for name in FIGURES:
        with pytest.raises(ImproperSolution, match="must not be read"):
            getattr(plots, name)(fit)
    assert plt.get_fignums() == []
    ax = drawn(plots.fit_bars(fit))
    assert title(ax) == "However well it fits: the solution is impossible and must not be read"
    assert "negative remaining variance" in plots.description(ax)


def test_figures_draw_into_given_axes():
    figure, axes = plt.subplots(1, 2, figsize=(18, 6))
    assert plots.path_diagram(fitted("chain"), axes[0], intervals=False) is axes[0]
    assert plots.fit_bars(fitted("chain"), axes[1]).figure is figure
    assert not any("[" in text.get_text() for text in axes[0].texts)
    drawn(axes[0])


def test_layers_put_causes_left():
    arrows = [("a", "b"), ("b", "c"), ("a", "c"), ("d", "c")]
    assert layers(["a", "b", "c", "d"], arrows) == [["a", "d"], ["b"], ["c"]]
    assert layers(["a"], []) == [["a"]]
