"""Figures of reliability and validity: what they say, and that they stay legible."""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from keycustomer import dimensions, plots
from legible import check_edges, check_figure, check_given_axes, drawn, fresh_figures, title  # noqa: F401

LONG = "A construct whose name is far too long for any axis, worth $5 & more"


@cache
def answers():
    rng = np.random.default_rng(0)
    first, other = rng.normal(size=(2, 150))
    third = 0.97 * first + 0.2 * rng.normal(size=150)
    parts = {"a": first, "b": other, "c": third}
    frame = pd.DataFrame(
        {f"{k}{n}": x + 0.6 * rng.normal(size=150) for k, x in parts.items() for n in range(3)}
    )
    return frame.assign(b2=0.4 * other + rng.normal(size=150))


BLOCKS = {
    "short": {"A": ["a0", "a1", "a2"], "B": ["b0", "b1", "b2"], "C": ["c0", "c1", "c2"]},
    "long": {
        LONG: ["a0", "a1", "a2"],
        f"{LONG} (2)": ["c0", "c1"],
        f"{LONG} (3)": ["b0", "b1", "b2"],
        "single": ["c2"],
    },
    "pair": {"A": ["a0", "a1"], "B": ["b0"]},
}


@cache
def reliability(case):
    return dimensions.measure_reliability(BLOCKS[case], answers(), draws=60, seed=1)


@cache
def ratios(case):
    return dimensions.heterotrait_monotrait(BLOCKS[case], answers(), draws=100, seed=1)


@pytest.mark.parametrize("case", list(BLOCKS))
@pytest.mark.parametrize("measures", [("alpha", "omega"), ("alpha", "omega", "ave"), ("ave",)])
def test_reliability_is_drawn_and_described(case, measures) -> None:
    ax = plots.reliability_bars(reliability(case), measures=measures)
    check_figure(ax)
    assert "reliable for certain" in title(ax)
    assert "150 respondents" in plots.description(ax)


def test_the_title_counts_the_reliable() -> None:
    result = reliability("short")
    omegas = [result.of(name, "omega") for name in BLOCKS["short"]]
    count = sum(own.lower >= 0.7 for own in omegas)
    told = title(plots.reliability_bars(result))
    assert told.startswith(f"{count} of 3 constructs are reliable for certain (omega from 0.7 on)")
    assert told.endswith(f"least: B, {result.of('B', 'omega').estimate:.2f}")


def test_what_is_absent_is_said() -> None:
    ax = plots.reliability_bars(reliability("pair"))
    assert "no alpha (raw), no omega" in [text.get_text() for text in ax.texts]


def test_unknown_measures_are_told() -> None:
    with pytest.raises(ValueError, match=r"measures=\['beta'\]: one to three of alpha"):
        plots.reliability_bars(reliability("short"), measures=("beta",))


@pytest.mark.parametrize(
    ("case", "told"),
    [
        ("short", "Without b2 alpha of B rises by"),
        ("long", "Without b2 alpha of"),
        ("pair", "No construct has three items, so none can be left out"),
    ],
)
def test_items_that_can_be_left_out_are_named(case, told) -> None:
    ax = drawn(plots.dropped_bars(reliability(case)))
    check_edges(ax)
    assert title(ax).startswith(told)
    assert plots.description(ax)


@pytest.mark.parametrize("case", list(BLOCKS))
def test_ratios_are_drawn_and_described(case) -> None:
    result = ratios(case)
    ax = drawn(plots.trait_ratio_map(result))
    check_edges(ax)
    assert "distinct" in title(ax)
    assert plots.description(ax).startswith("HTMT2 of pairs of constructs")
    shown = [text.get_text() for text in ax.texts]
    assert all(f"{own:.2f}" in shown for own in result.pairs["estimate"])


def test_the_title_counts_the_doubtful() -> None:
    result = ratios("short")
    closest = result.pairs.iloc[int(result.pairs["estimate"].argmax())]
    told = title(plots.trait_ratio_map(result))
    assert told.startswith(f"{len(result.doubtful)} of 3 pairs")
    assert told.endswith(
        f"closest: {closest['construct']} and {closest['other']}, {closest['estimate']:.2f}"
    )
    calm = {name: BLOCKS["short"][name][:2] for name in "AB"}
    single = dimensions.heterotrait_monotrait(calm, answers(), draws=100)
    assert title(plots.trait_ratio_map(single)) == "A and B are distinct"


def test_axes_given_are_drawn_into(monkeypatch) -> None:
    check_given_axes(lambda ax: plots.trait_ratio_map(ratios("short"), ax), monkeypatch)
