"""Figures of PLS path models: what they say, and that they stay legible."""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from keycustomer import dimensions, plots
from legible import check_edges, check_figure, check_given_axes, drawn, fresh_figures, title  # noqa: F401

LONG = "A construct whose name is far too long for any axis, worth $5 & more"


@cache
def result_of(case):
    rng = np.random.default_rng(0)
    value, own, rest = rng.normal(size=(3, 120))
    satisfaction = 0.6 * value + own
    parts = {"v": value, "s": satisfaction, "l": satisfaction + rest}
    answers = pd.DataFrame(
        {f"{k}{n}": np.round(10 + x + rng.normal(size=120)) for k, x in parts.items() for n in "12"}
    )
    names = {
        "short": ("Value", "Satisfaction", "Loyalty"),
        "long": (LONG, f"{LONG} (2)", f"{LONG} (3)"),
        "pair": ("Value", "Loyalty"),
    }[case]
    blocks = {name: [f"{key}1", f"{key}2"] for name, key in zip(names, "vsl", strict=False)}
    paths = {names[at]: names[:at] for at in range(1, len(names))}
    return dimensions.fit_pls(paths, blocks, answers).bootstrap(60, seed=1)


@pytest.mark.parametrize("case", ["short", "long", "pair"])
@pytest.mark.parametrize("effects", ["path", "indirect", "total"])
def test_effects_are_drawn_and_described(case, effects) -> None:
    ax = drawn(plots.effect_bars(result_of(case), effects=effects))
    check_edges(ax)
    if (case, effects) == ("pair", "indirect"):
        assert title(ax) == "No route leads over another construct"
        return
    assert "from zero; strongest: " in title(ax)
    assert "60 draws" in plots.description(ax)
    assert ax.get_xlabel().startswith("effect of one standard deviation")


def test_the_title_counts_what_differs_from_zero() -> None:
    result = result_of("short")
    table = result.paths()
    sure = ((table["lower"] > 0) | (table["upper"] < 0)).sum()
    largest = table.iloc[int(table["estimate"].abs().argmax())]
    told = title(plots.effect_bars(result))
    assert told.startswith(f"{sure} of 3 paths differ")
    assert told.endswith(f"{largest['from']} → {largest['to']}, {largest['estimate']:.2f}")


def test_smaller_effects_are_counted(monkeypatch) -> None:
    monkeypatch.setattr("keycustomer.plots.pls.MOST_ROWS", 2)
    ax = drawn(plots.effect_bars(result_of("short")))
    assert ax.get_xlabel().endswith("1 smaller effect not shown")
    assert plots.description(ax).endswith("1 smaller effect not shown.")


def test_unknown_effects_are_told() -> None:
    with pytest.raises(ValueError, match="effects='direct': choose one of 'path', 'indirect'"):
        plots.effect_bars(result_of("short"), effects="direct")


@pytest.mark.parametrize("case", ["short", "long", "pair"])
@pytest.mark.parametrize("intervals", [True, False])
def test_the_map_states_what_moves_the_target(case, intervals) -> None:
    result = result_of(case)
    target = result.fit.model.constructs[-1]
    model = result if intervals else result.fit
    found = dimensions.construct_performance(model, target, low=0, high=20)
    ax = plots.construct_map(found)
    check_figure(ax)
    first = found.constructs.iloc[0]
    assert f"goes with {first['importance']:.2f} more of" in title(ax)
    assert f"it stands at {first['performance']:.0f} of 100" in title(ax)
    assert f"performance {first['performance']:.0f}" in plots.description(ax)


def test_axes_given_are_drawn_into(monkeypatch) -> None:
    check_given_axes(lambda ax: plots.effect_bars(result_of("short"), ax), monkeypatch)
