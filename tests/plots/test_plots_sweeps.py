"""Figures of sweeps: what is drawn is what was found, whatever the grid looks like."""

import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from keycustomer import plots
from keycustomer.casework.sweeps.grid import Axis
from keycustomer.casework.sweeps.results import Sweep
from legible import check_figure, check_given_axes, fresh_figures, title  # noqa: F401
from matplotlib.axes import Axes

NUMBERS = Axis("draws", (10, 100, 1000))
TEXTS = Axis("rule", ("a <b> $x$", "重点客户", "a rather long name of a method of segmentation"))
SEEDS = Axis("simulation.seed", tuple(range(1234561, 1234591)), True)
CUTS = Axis("share", (0.1, 0.2))
MANY = Axis("cut", tuple(range(20)))


def sweep_of(*axes: Axis, simulated: bool = False, truth: bool = False) -> Sweep:
    """A sweep whose measure rises by one with every value of the first axis."""
    values = list(itertools.product(*(axis.values for axis in axes)))
    frame = pd.DataFrame(values, columns=[axis.name for axis in axes])
    places = np.array(list(itertools.product(*(range(len(axis.values)) for axis in axes))), float)
    first, last = places[:, 0], places[:, -1]
    estimate = first + (last / 100 if len(axes) > 1 else 0)
    frame = frame.assign(
        point=[f"p{n}" for n in range(len(frame))], chapter="1_a", measure="gini", group="",
        estimate=estimate, lower=estimate - 1, upper=estimate + 1,
        truth=np.where(first < 2, estimate + 0.5, estimate + 2) if truth else np.nan,
        unit="index 0..1", status="completed",
    )  # fmt: skip
    verdicts = pd.DataFrame(columns=["claim", "measure", "verdict"])
    return Sweep("toy", "Toy", simulated, axes, ("1_a",), Path(), frame, frame, verdicts)


def marked(ax: Axes) -> list[np.ndarray]:
    """Points of every line drawn."""
    return [line.get_xydata() for line in ax.lines]


@pytest.mark.parametrize(
    ("axes", "told"),
    [
        ([NUMBERS], "gini: 0 at draws = 10, 2 at 1000"),
        ([NUMBERS, CUTS], "gini: 0 to 2.01 over draws and share"),
        ([TEXTS], "gini: 0 to 2 over rule"),
        ([TEXTS, CUTS], "gini: 0 to 2.01 over rule and share"),
        ([NUMBERS, SEEDS], "gini: on average 0.145 at draws = 10, 2.15 at 1000"),
        ([SEEDS], "gini: 0 to 29 over simulation.seed"),
        ([CUTS, MANY], "gini: on average 0.095 at share = 0.1, 1.1 at 0.2"),
        ([Axis("draws", (5,))], "gini: 0 whatever draws is"),
        ([Axis("cut", (None, 1, 2))], "gini: 0 to 2 over cut"),
        ([Axis("exact", (True, False)), NUMBERS], "gini: 0 to 1.02 over exact and draws"),
    ],
)
def test_every_grid_has_a_figure(axes: list[Axis], told: str) -> None:
    ax = plots.sweep_lines(sweep_of(*axes), "gini")
    assert title(ax) == told
    check_figure(ax)


def test_a_number_is_a_line_and_a_name_is_dots() -> None:
    line = plots.sweep_lines(sweep_of(NUMBERS), "gini")
    assert marked(line)[0].tolist() == [[10, 0], [100, 1], [1000, 2]]
    assert line.lines[0].get_linestyle() == "-"
    assert len(line.collections) == 1
    dots = plots.sweep_lines(sweep_of(TEXTS), "gini")
    assert marked(dots)[0].tolist() == [[0, 0], [1, 1], [2, 2]]
    assert dots.lines[0].get_linestyle() == "None"


def test_repetitions_are_drawn_with_their_mean() -> None:
    ax = plots.sweep_lines(sweep_of(NUMBERS, SEEDS), "gini")
    dots, mean = marked(ax)
    assert len(dots) == len(NUMBERS.values) * len(SEEDS.values)
    assert mean[:, 1] == pytest.approx(0.145 + np.arange(3))


def test_curves_by_a_second_parameter() -> None:
    ax = plots.sweep_lines(sweep_of(NUMBERS, CUTS), "gini")
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [
        "share = 0.1", "share = 0.2",
    ]  # fmt: skip
    turned = plots.sweep_lines(sweep_of(NUMBERS, CUTS), "gini", over="share", by="draws")
    assert turned.get_xlabel() == "share"
    assert len(turned.lines) == len(NUMBERS.values)


def test_intervals_beside_the_truth() -> None:
    ax = plots.sweep_lines(sweep_of(SEEDS, simulated=True, truth=True), "gini")
    assert title(ax) == "Simulated: gini: 2 of 30 intervals hold the truth"
    check_figure(ax)


def test_axes_that_are_given(monkeypatch: pytest.MonkeyPatch) -> None:
    check_given_axes(lambda ax: plots.sweep_lines(sweep_of(NUMBERS), "gini", ax=ax), monkeypatch)


def test_what_cannot_be_drawn() -> None:
    sweep = sweep_of(NUMBERS)
    with pytest.raises(ValueError, match="over='drawz': the grid has no such parameter; it has"):
        plots.sweep_lines(sweep, "gini", over="drawz")
    sweep.frame["estimate"] = np.nan
    with pytest.raises(ValueError, match="measure 'gini', group '': no point has an estimate"):
        plots.sweep_lines(sweep, "gini")
