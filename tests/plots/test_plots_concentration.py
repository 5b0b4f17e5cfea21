"""Figures of concentration: titles with the finding, numbers in the text, no cut text."""

import warnings

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from keycustomer import pareto, plots
from matplotlib import pyplot as plt

mpl.use("Agg")

CHINESE = "收入 $revenue$ <b>"


def base(revenue, profit, orders):
    n = len(revenue)
    return pd.DataFrame(
        {
            "customer_id": [f"客户${i}$" for i in range(n)],
            CHINESE: np.asarray(revenue, dtype=float),
            "revenue": np.asarray(revenue, dtype=float),
            "profit": np.asarray(profit, dtype=float),
            "orders": orders,
            "days": np.arange(n) % 7,
        }
    )


def skewed():
    generator = np.random.default_rng(0)
    revenue = generator.pareto(1.2, 300) + 1
    return base(revenue, revenue - 3, generator.poisson(2, 300))


BASES = {
    "skewed": skewed,
    "tiny": lambda: base([10, 5, 1], [3, -1, -9], [2, 1, 0]),
    "one": lambda: base([4], [1], [1]),
    "equal": lambda: base([2] * 10, [0.5] * 10, [1] * 10),
    "negative": lambda: base([10, 5, -3], [-1, -2, -3], [1, 1, 1]),
}


def drawn(name, frame):
    """The figure of one function on one base."""
    if name in ("pareto_curve", "lorenz_curve", "decile_bars"):
        return pareto.concentration(frame[CHINESE], quantity=CHINESE, draws=20)
    if name == "whale_curve":
        return pareto.whale_curve(frame["profit"], draws=20)
    if name == "abc_bars":
        return pareto.abc_by_rank(frame, CHINESE)
    if name == "abc_change_map":
        return pareto.abc_change(frame, CHINESE, "profit")
    if name == "abc_xyz_map":
        rows = frame[["customer_id", "revenue"]].assign(period=pd.Timestamp(2024, 1, 1))
        xyz = pareto.xyz_classes(rows, minimum=1)
        return pareto.abc_xyz(pareto.abc_by_rank(frame, CHINESE), xyz)
    return pareto.rfm_segments(pareto.rfm_scores(frame, recency="days"))


FIGURES = (
    "pareto_curve",
    "lorenz_curve",
    "decile_bars",
    "whale_curve",
    "abc_bars",
    "abc_change_map",
    "abc_xyz_map",
    "rfm_map",
    "segment_bars",
)


@pytest.fixture(autouse=True)
def styled():
    plots.use_style()
    yield
    plt.close("all")


@pytest.mark.parametrize("base_name", BASES)
@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_draws_on_every_base(name, base_name):
    result = drawn(name, BASES[base_name]())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # Chinese labels are among the bases, and not every machine has a font for them.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        ax = getattr(plots, name)(result)
        ax.figure.canvas.draw()
    title = ax._left_title
    assert title.get_window_extent().x1 <= ax.figure.bbox.x1 + 1
    assert len(title.get_text()) > 15
    assert any(character.isdigit() for character in plots.description(ax))
    assert "nan" not in plots.description(ax) + title.get_text()


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_draws_into_given_axes_and_nowhere_else(name):
    figure, (left, right) = plt.subplots(1, 2)
    assert getattr(plots, name)(drawn(name, skewed()), ax=left) is left
    assert plt.get_fignums() == [figure.number]
    assert not right.has_data()
    if name not in ("rfm_map", "segment_bars"):
        assert left.get_xlabel() != ""


def test_the_pareto_title_states_the_share_with_its_interval():
    result = pareto.concentration(np.arange(1, 201), quantity="revenue", draws=100)
    title = plots.pareto_curve(result).get_title(loc="left").replace("\n", " ")
    top = result.top[0.2]
    expected = f"{100 * top.estimate:.1f} % [{100 * top.lower:.1f}, {100 * top.upper:.1f}]"
    assert expected in title.replace("\N{NO-BREAK SPACE}", " ")
    assert "customers for" not in title


def test_buyers_are_named_as_such():
    result = pareto.concentration([0, 1, 2, 3], population="buyers", draws=20)
    ax = plots.pareto_curve(result)
    assert "buyers" in ax.get_xlabel()
    assert "buyers" in plots.description(ax)


def test_a_top_that_was_not_measured_is_refused():
    result = pareto.concentration([1, 2, 3], draws=10)
    with pytest.raises(ValueError, match=r"top=0.3 was not measured; choose one of 0.2, 0.1, 0.01"):
        plots.pareto_curve(result, top=0.3)


def test_negative_values_are_said_in_the_lorenz_title():
    result = pareto.concentration([5, 4, -1], draws=10)
    title = plots.lorenz_curve(result).get_title(loc="left")
    assert "there is no Gini" in title.replace("\n", " ")


def test_the_whale_names_who_eats_the_profit():
    ax = plots.whale_curve(pareto.whale_curve([10, 5, 0, -5], draws=20))
    text = plots.description(ax)
    assert "25.0 % of customers cost more than they bring; they eat 33.3 %" in text
    assert "the peak is 150 % of the total after 50.0 % of the customers" in text
    only = plots.whale_curve(pareto.whale_curve([1, 2], draws=20))
    assert "No customer costs more" in only.get_title(loc="left")


def test_empty_segments_stand_in_the_figure_and_its_text():
    segments = pareto.rfm_segments(pareto.rfm_scores(BASES["tiny"](), recency="days"))
    ax = plots.segment_bars(segments)
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert len(labels) == len(segments.summary)
    assert sum("(empty)" in label for label in labels) == len(segments.empty) > 0
    assert f"Empty segments: {', '.join(segments.empty)}." in plots.description(ax)


def test_the_rfm_map_shows_every_segment():
    segments = pareto.rfm_segments(pareto.rfm_scores(skewed(), recency="days"))
    ax = plots.rfm_map(segments)
    shown = " ".join(text.get_text() for text in ax.texts)
    assert all(rule.segment in shown for rule in pareto.RFM_RULES)
