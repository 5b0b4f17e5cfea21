"""One look for every figure, and a text alternative for each.

Which colours, fonts and sizes does a figure have, and how is it read by someone who cannot
see it?  :func:`use_style` sets the look once (colours that colour-blind readers can tell
apart, letters that are readable from the back of a classroom, a font for Chinese where one is
installed); :func:`describe` attaches one or two sentences with the figure's numbers to its
axes, and :func:`description` reads them back.  Text that comes from data passes through
:func:`escape_label`, since matplotlib takes ``$`` for the start of a formula.

Sources: Okabe & Ito, "Color Universal Design" (2008), for the palette.
"""

from __future__ import annotations

import math
import textwrap
import unicodedata
import weakref
from functools import cache
from typing import Any

import matplotlib.pyplot as plt
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, PercentFormatter

PALETTE: dict[str, str] = {
    "blue": "#0072B2",
    "vermilion": "#D55E00",
    "green": "#009E73",
    "orange": "#E69F00",
    "sky": "#56B4E9",
    "purple": "#CC79A7",
    "yellow": "#F0E442",
    "black": "#1A1A1A",
    "grey": "#7A7A7A",
    "light grey": "#D4D4D4",
}
"""Okabe and Ito's colours by name, with greys for what stands in the background."""

FIGURE_SIZE = (10.0, 6.0)
"""Width and height of a figure in inches."""

COLUMN_INCHES = 0.15
"""Mean width of a character of a title, bold at 18 points."""

LABEL_INCHES = 1.3
"""Room that labels take at the left of axes, with the margin at the right."""

CJK_FONTS = ("Noto Sans CJK SC", "Source Han Sans SC", "Source Han Sans", "SimHei", "PingFang SC")
"""Fonts with Chinese characters, in order of preference."""

_DESCRIPTIONS: weakref.WeakKeyDictionary[Axes, str] = weakref.WeakKeyDictionary()


@cache
def fonts() -> tuple[str, ...]:
    """Fonts that figures use: DejaVu Sans, then the first installed font with Chinese."""
    installed = {font.name for font in font_manager.fontManager.ttflist}
    chinese = [name for name in (*CJK_FONTS, "PingFang HK") if name in installed]
    return ("DejaVu Sans", *chinese[:1])


def palette(count: int | None = None) -> list[str]:
    """Colours for series, in the order in which they are told apart best.

    Parameters
    ----------
    count : int, optional
        Number of colours; all seven when left out.

    Raises
    ------
    ValueError
        When more colours are asked for than can be told apart.
    """
    colours = [PALETTE[name] for name in PALETTE if name not in ("grey", "light grey", "yellow")]
    if count is None:
        return colours
    if not 0 <= count <= len(colours):
        raise ValueError(
            f"palette(count={count}): only 0 to {len(colours)} colours can be told apart; "
            "group the small series under one name, or draw them in grey"
        )
    return colours[:count]


def style_parameters() -> Any:
    """Matplotlib parameters of the one style (what :func:`use_style` sets)."""
    import seaborn

    look = {**seaborn.axes_style("whitegrid"), **seaborn.plotting_context("notebook", 1.35)}
    return look | {
        "font.family": list(fonts()),
        "figure.figsize": FIGURE_SIZE,
        "figure.dpi": 100,
        "figure.constrained_layout.use": True,
        "savefig.dpi": 110,
        "axes.prop_cycle": plt.cycler(color=palette()),
        "axes.titlesize": 18,
        "axes.titleweight": "bold",
        "axes.titlelocation": "left",
        "axes.titlepad": 12,
        "axes.labelsize": 15,
        "axes.edgecolor": PALETTE["grey"],
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.unicode_minus": True,
        "xtick.labelsize": 14,
        "ytick.labelsize": 14,
        "legend.fontsize": 14,
        "legend.frameon": False,
        "grid.color": "#E6E6E6",
        "lines.linewidth": 3,
        "text.color": PALETTE["black"],
    }


def use_style() -> None:
    """Give every later figure the one style of the course."""
    plt.rcParams.update(style_parameters())


def new_axes(ax: Axes | None = None, *, size: tuple[float, float] | None = None) -> Axes:
    """Return `ax`, or the axes of a new figure.

    Parameters
    ----------
    ax : Axes, optional
        Axes to draw into; left out, a figure is made.
    size : (float, float), optional
        Width and height of the new figure in inches.
    """
    return plt.subplots(figsize=size or FIGURE_SIZE)[1] if ax is None else ax


def escape_label(text: object, width: int | None = None) -> str:
    """Text of a label as it stands: no formula, no line break, no control character.

    Parameters
    ----------
    text : object
        A name or value from data.
    width : int, optional
        Longest label in characters; longer ones end in an ellipsis.
    """
    flat = "".join(" " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c for c in str(text))
    if width is not None and len(flat) > width:
        flat = flat[: max(width - 1, 1)].rstrip() + "…"
    return flat.replace("$", r"\$")


def finding(ax: Axes, text: str, *, width: int | None = None) -> Axes:
    """Set the title: one sentence that states what the figure found, wrapped, never cut.

    Parameters
    ----------
    ax : Axes
        Axes that get the title.
    text : str
        The sentence; ``$`` is shown as it stands.
    width : int, optional
        Columns of one line (a Chinese character takes two); left out, what fits above the axes
        when the labels at their left take about an inch.
    """
    columns = _title_columns(ax) if width is None else width
    ax.set_title(
        "\n".join(_wrap(escape_label(text).replace(" %", "\N{NO-BREAK SPACE}%"), columns)),
        loc="left",
    )
    return ax


def _title_columns(ax: Axes) -> int:
    """Columns that fit between the left edge of the axes and the right edge of their place."""
    place = ax.get_subplotspec()
    beside = place.get_gridspec().ncols / len(place.colspan) if place is not None else 1
    figure = ax.get_figure(root=True)
    width = figure.get_figwidth() if isinstance(figure, Figure) else FIGURE_SIZE[0]
    inches = width / beside - LABEL_INCHES
    return max(int(inches / COLUMN_INCHES), 12)


def _wrap(text: str, width: int) -> list[str]:
    """Lines of at most `width` columns; text without spaces breaks between wide characters."""
    columns = sum(_columns(character) for character in text)
    share_of_width = columns / max(len(text), 1)
    return textwrap.wrap(text, max(int(width / share_of_width), 1)) or [""]


def _columns(character: str) -> int:
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def percent(share: float, digits: int = 1) -> str:
    """Write a share as percent: ``percent(.6774)`` is ``67.7 %``."""
    rounded = round(100 * share, digits) + 0.0
    return f"{rounded:.{digits}f} %".replace("-", "\N{MINUS SIGN}")


def compact_number(value: float) -> str:
    """Write a number in at most three digits and a unit: ``1_234_567`` is ``1.23 M``."""
    if not math.isfinite(value):
        return "not known"
    size, unit = next(
        ((s, u) for s, u in ((1e9, " bn"), (1e6, " M"), (1e3, " k")) if abs(value) >= 0.9995 * s),
        (1.0, ""),
    )
    return f"{value / size:.3g}{unit}".replace("-", "\N{MINUS SIGN}")


def percent_axis(axis: Axis, *, digits: int = 0) -> None:
    """Label an axis that holds shares in percent."""
    axis.set_major_formatter(PercentFormatter(1.0, decimals=digits, symbol=" %"))


def number_axis(axis: Axis) -> None:
    """Label an axis of large numbers with k, M and bn."""
    axis.set_major_formatter(FuncFormatter(lambda value, _: compact_number(value)))


def describe(ax: Axes, text: str) -> Axes:
    """Attach a text alternative: one or two sentences with the figure's numbers.

    Parameters
    ----------
    ax : Axes
        The figure's main axes.
    text : str
        What a reader who cannot see the figure is told.

    Raises
    ------
    ValueError
        When the text is empty.
    """
    if not text.strip():
        raise ValueError("describe(ax, text): the text is empty; say what the figure shows")
    _DESCRIPTIONS[ax] = " ".join(text.split())
    return ax


def description(ax: Axes | Figure) -> str:
    """Text alternative of axes, or of the first described axes in their figure.

    Raises
    ------
    ValueError
        When the figure has none: every figure needs one.
    """
    figure = ax if isinstance(ax, Figure) else ax.figure
    candidates = [] if isinstance(ax, Figure) else [ax]
    for axes in (*candidates, *figure.axes):
        if axes in _DESCRIPTIONS:
            return _DESCRIPTIONS[axes]
    raise ValueError(
        "this figure has no text alternative; call keycustomer.plots.describe(ax, text) "
        "with one or two sentences that give its numbers"
    )
