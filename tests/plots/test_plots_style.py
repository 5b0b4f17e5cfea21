"""Labels, numbers, titles and text alternatives of figures."""

import gc
import sys

import matplotlib as mpl
import pytest
from keycustomer import plots
from matplotlib import pyplot as plt

mpl.use("Agg")


@pytest.fixture(autouse=True)
def no_open_figure():
    yield
    plt.close("all")


def test_dollars_are_no_formula():
    assert plots.escape_label("$5 to $6") == r"\$5 to \$6"
    ax = plots.new_axes()
    label = ax.set_title(plots.escape_label("price $x_1$"))
    assert label._preprocess_math(label.get_text()) == ("price $x_1$", False)
    ax.figure.canvas.draw()


@pytest.mark.parametrize("text", ["a\nb", "a\tb", "a\x00b", "a\u2028b"])
def test_labels_stay_on_one_line(text):
    assert plots.escape_label(text) == "a b"


def test_long_labels_are_cut():
    assert plots.escape_label("a" * 20, 8) == "aaaaaaa…"
    assert plots.escape_label("short", 8) == "short"
    assert plots.escape_label(12.5) == "12.5"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1_234_567, "1.23 M"),
        (-2_500, "\N{MINUS SIGN}2.5 k"),
        (999.9, "1 k"),
        (12, "12"),
        (3.2e9, "3.2 bn"),
        (0, "0"),
        (float("nan"), "not known"),
    ],
)
def test_compact_numbers(value, text):
    assert plots.compact_number(value) == text


def test_percent():
    assert plots.percent(0.6774) == "67.7 %"
    assert plots.percent(-0.3, 0) == "\N{MINUS SIGN}30 %"
    assert plots.percent(-0.00001) == "0.0 %"


def test_titles_are_wrapped_and_never_cut():
    plots.use_style()
    ax = plots.new_axes()
    words = "The top 20 % of customers bring 67.7 % of revenue " * 3
    plots.finding(ax, words)
    ax.figure.canvas.draw()
    assert ax.get_title(loc="left").replace("\n", " ").split() == words.split()
    assert ax.title.get_window_extent().x1 <= ax.figure.bbox.x1
    assert ax._left_title.get_window_extent().x1 <= ax.figure.bbox.x1


def test_titles_without_spaces_are_wrapped_too():
    plots.use_style()
    ax = plots.finding(plots.new_axes(), "重点客户带来的收入占比" * 6)
    ax.figure.canvas.draw()
    assert ax._left_title.get_window_extent().x1 <= ax.figure.bbox.x1


def test_figures_have_a_text_alternative():
    ax = plots.new_axes()
    with pytest.raises(
        ValueError, match=r"this figure has no text alternative; call keycustomer\."
    ):
        plots.description(ax)
    with pytest.raises(ValueError, match="the text is empty; say what the figure shows"):
        plots.describe(ax, "  ")
    plots.describe(ax, "Two\n  bars.")
    assert plots.description(ax) == plots.description(ax.figure) == "Two bars."
    other = ax.figure.add_subplot(1, 2, 2)
    assert plots.description(other) == "Two bars."


def test_text_alternatives_do_not_keep_figures_alive():
    module = sys.modules["keycustomer.plots.style"]
    gc.collect()
    before = len(module._DESCRIPTIONS)
    plots.describe(plots.new_axes(), "A bar.")
    plt.close("all")
    gc.collect()
    assert len(module._DESCRIPTIONS) <= before


def test_colours_and_fonts():
    assert len(set(plots.palette())) == len(plots.palette())
    assert plots.palette(2) == [plots.PALETTE["blue"], plots.PALETTE["vermilion"]]
    with pytest.raises(ValueError, match="only 0 to 7 colours can be told apart"):
        plots.palette(8)
    assert plots.fonts()[0] == "DejaVu Sans"


def test_the_style_is_the_same_for_every_figure():
    plots.use_style()
    assert mpl.rcParams["font.family"] == list(plots.fonts())
    assert mpl.rcParams["figure.figsize"] == [10, 6]
