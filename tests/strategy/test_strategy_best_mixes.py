"""Best mixes: closed forms, brute force, equal marginal returns, and what is left unspent."""

from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keycustomer.strategy import LeverCurves, best_mix, mixes_by_budget, proportional_cut
from keycustomer.strategy.levers.curves import LeverCurve

EXACT = 1e-6
"""Returns are made equal by halving an interval 80 times; spending follows them less exactly."""

GRID = 0.02
"""A grid of 1/60 of the budget misses the best net gain by less than this share."""


def curve(
    name: str, ceiling: float, scale: float, straight: float = 0.0, tried: float = 500.0
) -> LeverCurve:
    """Make a curve of one exponential and a straight part."""
    return LeverCurve(
        lever=name,
        scales=np.array([scale]),
        weights=np.array([ceiling, straight]),
        drawn=np.zeros((0, 2)),
        tried=tried,
        first=1.0,
        data=pd.DataFrame({"company": [0]}),
        bend="diminishing",
        misfit=0.0,
        level=0.95,
    )


def curves(*some: LeverCurve, today: dict[str, float] | None = None) -> LeverCurves:
    """Put curves side by side."""
    return LeverCurves({one.lever: one for one in some}, today or {})


def test_two_exponentials_have_a_closed_form() -> None:
    """Of one scale, spendings differ by scale x log(ratio of ceilings)."""
    both = curves(curve("one", 600, 50), curve("other", 300, 50))
    mix = best_mix(both, 120.0)
    assert mix.spending["one"] - mix.spending["other"] == pytest.approx(50 * np.log(2), rel=EXACT)
    assert mix.spent == pytest.approx(120, rel=EXACT)
    # the common return is 12 exp(-s / 50) at s = 60 + 25 log 2
    assert mix.common_return == pytest.approx(12 * np.exp(-(60 + 25 * np.log(2)) / 50), rel=EXACT)
    assert mix.optimality_gap < EXACT


def test_beyond_enough_nothing_is_spent() -> None:
    """Enough is scale x log(ceiling / scale) each; a lever that does not pay gets nothing."""
    three = curves(curve("one", 600, 50), curve("other", 100, 50), curve("idle", 40, 50))
    mix = best_mix(three, 10_000.0)
    assert mix.enough == pytest.approx(50 * np.log(12) + 50 * np.log(2), rel=EXACT)
    assert mix.spent == pytest.approx(mix.enough, rel=EXACT)
    assert mix.frame.set_index("lever")["place"]["idle"] == "nothing"
    assert "are left, since beyond 159 no unit comes back" in mix.sentence
    forced = best_mix(three, 400.0, spend_all=True)
    assert forced.spent == pytest.approx(400, rel=EXACT)
    assert forced.spending["idle"] > 0 and forced.common_return < 1
    assert forced.optimality_gap < EXACT


def test_straight_levers_are_filled_up() -> None:
    """Along straight lines the return does not change; ends and budgets are kept nevertheless."""
    lines = curves(
        curve("a", 0, 1, straight=2.0, tried=100), curve("b", 0, 1, straight=2.0, tried=300)
    )
    mix = best_mix(lines, 200.0)
    assert mix.spent == pytest.approx(200, rel=EXACT)
    assert mix.frame["gain"].sum() == pytest.approx(400, rel=EXACT)
    steep = curves(curve("a", 0, 1, straight=3.0, tried=100), curve("b", 300, 60))
    found = best_mix(steep, 150.0)
    assert found.spending["a"] == pytest.approx(100, rel=EXACT)
    assert found.frame["place"][0] == "all that was tried" and found.optimality_gap < EXACT
    rest = best_mix(steep, 5_000.0, spend_all=True)
    assert "no more was tried" in rest.sentence and rest.spent <= 600 * (1 + EXACT)


amounts = st.tuples(st.floats(20, 800), st.floats(10, 200), st.floats(-0.5, 1.2))


@settings(max_examples=25, deadline=None)
@given(st.lists(amounts, min_size=3, max_size=3), st.floats(20, 900), st.booleans())
def test_no_mix_of_a_grid_is_better(
    shapes: list[tuple[float, float, float]], budget: float, spend_all: bool
) -> None:
    """Brute force finds nothing better, and the conditions of the optimum hold."""
    some = curves(*(curve(f"lever {n}", *shape) for n, shape in enumerate(shapes)))
    mix = best_mix(some, budget, spend_all=spend_all)
    steps = np.arange(61) * budget / 60
    nets = [
        np.where(steps <= 500, one.gain(steps) - steps, -np.inf) for one in some.curves.values()
    ]
    best = max(
        nets[0][i] + nets[1][j] + nets[2][k]
        for i, j in product(range(61), repeat=2)
        for k in ([60 - i - j] if spend_all else range(61 - i - j))
        if i + j <= 60
    )
    assert mix.spent <= budget * (1 + EXACT)
    assert mix.optimality_gap < 1e-4 * max(mix.common_return, 1)
    if mix.spent >= budget * (1 - EXACT) or not spend_all:
        assert mix.net >= best - EXACT * abs(best) - EXACT
        assert best >= mix.net - GRID * sum(shape[0] for shape in shapes) - 2 * budget / 60 * 80


def test_intervals_are_those_of_mixes_on_drawn_curves() -> None:
    """The quick mixes of drawn curves agree with the exact mix of each."""
    rng = np.random.default_rng(2)
    drawn = np.column_stack([rng.uniform(300, 700, 40), np.zeros(40)])
    one, other = curve("one", 500, 60), curve("other", 350, 40)
    one = LeverCurve(**{**vars(one), "drawn": drawn})
    other = LeverCurve(**{**vars(other), "drawn": drawn[::-1] * 0.6})
    mix = best_mix(curves(one, other), 150.0).frame.set_index("lever")
    exact = [
        best_mix(
            curves(
                LeverCurve(**{**vars(one), "weights": one.drawn[n]}),
                LeverCurve(**{**vars(other), "weights": other.drawn[n]}),
            ),
            150.0,
        ).spending["one"]
        for n in range(40)
    ]
    step = one.tried / 200
    low, high = np.quantile(exact, [0.025, 0.975])
    assert mix.loc["one", "lower"] == pytest.approx(low, abs=2 * step)
    assert mix.loc["one", "upper"] == pytest.approx(high, abs=2 * step)


def test_equal_cuts_cost_nothing_only_where_levers_are_alike() -> None:
    """Alike levers with the same money lose nothing; unlike ones lose what moving money brings."""
    alike = curves(
        curve("one", 400, 80), curve("other", 400, 80), today={"one": 150.0, "other": 150.0}
    )
    assert proportional_cut(alike, 0.2).difference.estimate == pytest.approx(0, abs=EXACT)
    unlike = proportional_cut(alike, 0.2, today={"one": 280.0, "other": 20.0})
    by_hand = 2 * -400 * np.expm1(-120 / 80) + 400 * np.expm1(-224 / 80) + 400 * np.expm1(-16 / 80)
    assert unlike.difference.estimate == pytest.approx(by_hand, rel=EXACT)
    assert unlike.money == 240 and "no draws" in unlike.difference.method
    assert "80% of today's money" in unlike.sentence and "<table" in unlike._repr_html_()


def test_more_money_moves_along_the_same_path() -> None:
    """With more money no lever gets less, and beyond enough nothing changes."""
    some = curves(
        curve("one", 600, 50), curve("other", 100, 50), today={"one": 100.0, "other": 100.0}
    )
    path = mixes_by_budget(some)
    wide = path.frame.pivot(index="budget", columns="lever", values="spending")
    assert (wide.diff().dropna() >= -EXACT).all(axis=None)
    assert wide.sum(axis=1).max() == pytest.approx(path.enough, rel=EXACT)
    assert path.today == 200 and wide.index.max() == 300
    assert "beyond 159 no unit comes back" in path.sentence
    with pytest.raises(ValueError, match="budget=-1"):
        mixes_by_budget(some, [-1.0])


def test_complaints_name_what_is_wrong() -> None:
    """Budgets, cuts and today's spending must make sense."""
    some = curves(curve("one", 600, 50), today={"one": 100.0})
    for wrong in (0, -3, np.nan, np.inf, "much"):
        with pytest.raises(ValueError, match=r"budget=.* must be a finite amount above 0"):
            best_mix(some, wrong)
    with pytest.raises(ValueError, match=r"cut=1 must be a share of today's money, such as 0\.2"):
        proportional_cut(some, 1)
    with pytest.raises(ValueError, match="today: spending is given for no lever; it is needed for"):
        proportional_cut(curves(curve("one", 600, 50)), 0.2)
    with pytest.raises(ValueError, match=r"today\['one'\]=-5.0 must be an amount"):
        proportional_cut(some, 0.2, today={"one": -5})
    with pytest.raises(ValueError, match=r"one: 800\.00 is more than was tried \(500\.00\)"):
        proportional_cut(some, 0.2, today={"one": 1000.0})


@pytest.mark.parametrize("unit", [1e-9, 1e12])
def test_any_unit_of_money_gives_the_same_split(unit: float) -> None:
    """Amounts in billionths or in billions: the shares are the same, and are written out."""
    plain = best_mix(curves(curve("one", 600, 50), curve("other", 300, 50)), 120.0)
    scaled = curves(
        *(
            curve(name, top * unit, 50 * unit, tried=500 * unit)
            for name, top in (("one", 600), ("other", 300))
        )
    )
    mix = best_mix(scaled, 120.0 * unit)
    assert mix.frame["share"].tolist() == pytest.approx(plain.frame["share"].tolist(), rel=EXACT)
    assert "Of 0," not in mix.sentence and "one 0" not in mix.sentence


def test_a_split_over_growing_gains_is_not_called_sure() -> None:
    grown = replace(curve("b", 0, 1, straight=2.0), bend="growing")
    mix = best_mix(curves(curve("a", 600, 50), grown), 100.0)
    assert mix.growing == ("b",) and "another split may be better" in mix.sentence
