"""Figures of account plans: who is planned for, what to do first, and what it promises.

:func:`account_plan_map` draws each account by its value now and its potential value, with the
action that comes first; :func:`account_promise_dots` what the chosen actions of each account
promise together, with the interval, beside their plain sum.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter

from keycustomer.plots.audit import axis_label, counted, title_width
from keycustomer.plots.labels import UNDERLAY, name_points, name_rows, names_in_words, short_names
from keycustomer.plots.legends import legend_below
from keycustomer.plots.style import (
    PALETTE,
    compact_number,
    describe,
    escape_label,
    finding,
    new_axes,
    number_axis,
)

if TYPE_CHECKING:
    from keycustomer.strategy.plans.top_accounts import AccountPlans

LOOKS = (
    ("o", "blue"),
    ("s", "vermilion"),
    ("^", "green"),
    ("D", "purple"),
    ("v", "orange"),
    ("P", "sky"),
    ("X", "black"),
)
"""Marker and colour of the actions, in the order in which they are most often first."""

NO_ACTION = "no action pays"
NOT_WEIGHED = "no action weighed"

MOST_NAMES = 15
"""Accounts up to which a map has their names; beyond, it has their ranks."""

WIDE = 8.0
"""Times that the largest value is the smallest one from which on an axis is logarithmic."""

NAME = 22
"""Characters of an account's name."""

ACTIONS_WIDTH = 70
"""Characters of the actions under an account's line."""

PLAIN: dict[str, Any] = {
    "marker": "d", "ms": 9, "mfc": "white", "mec": PALETTE["vermilion"], "mew": 2, "ls": "",
}  # fmt: skip
"""Look of the plain sum."""


def account_plan_map(result: AccountPlans, ax: Axes | None = None) -> Axes:
    """Draw accounts by value now and potential value, with the action that comes first.

    Parameters
    ----------
    result : AccountPlans
        From `keycustomer.strategy.account_plans`.
    ax : Axes, optional
        Axes to draw into.

    Raises
    ------
    ValueError
        When no account has a potential value.
    """
    known = result.frame["potential"].notna() & result.frame["value_now"].notna()
    frame = result.frame[known].reset_index(drop=True)
    if frame.empty:
        raise ValueError(
            "no account has a potential value to draw: "
            + result.missing.get("potential value", "none of them bought")
        )
    ax = new_axes(ax, size=(10, 8.0))
    x = frame["value_now"].to_numpy(float)
    y = frame["potential"].to_numpy(float)
    first = _first_actions(result, frame)
    ends = frame[["potential_lower", "potential_upper"]].to_numpy(float)
    ax.vlines(x, ends[:, 0], ends[:, 1], color=PALETTE["light grey"], lw=4, zorder=1)
    keys = _draw_points(ax, x, y, first)
    _scales(ax, x, np.concatenate([y, ends[np.isfinite(ends)]]))
    months = result.potential_months
    if months is not None and result.by == result.potential_of:
        keys.append(_draw_going_on(ax, months / 12))
    ax.set_xlabel(axis_label(f"value now: {result.value_name} of the last year", _unit(result)))
    ahead = "to come" if months is None else f"of {months:.0f} months ahead"
    ax.set_ylabel(axis_label(f"potential value: {result.potential_of} {ahead}", _unit(result)))
    legend_below(ax, columns=2, handles=keys)
    finding(ax, _map_title(result, first))
    name_points(ax, x, y, _names(frame), width=NAME)
    told = "; ".join(
        f"{label}: {compact_number(now)} now, {compact_number(then)} to come, {action}"
        for label, now, then, action in zip(frame["label"], x, y, first, strict=True)
    )
    return describe(
        ax,
        f"Map of {counted(len(frame), 'account')} by {result.value_name} of the last "
        f"year and potential value in {result.currency}"
        f"{', simulated' if result.simulated else ''}: {told}.",
    )


def _first_actions(result: AccountPlans, frame: pd.DataFrame) -> list[str]:
    """Name the action that comes first for each account."""
    if result.total is None:
        return [NOT_WEIGHED] * len(frame)
    return [
        NOT_WEIGHED if pd.isna(promised) else NO_ACTION if pd.isna(action) else str(action)
        for action, promised in zip(frame["action_1"], frame["promised"], strict=True)
    ]


def _draw_points(ax: Axes, x: np.ndarray, y: np.ndarray, first: list[str]) -> list[Line2D]:
    """Draw the accounts, and give the keys of their looks."""
    counts = pd.Series(first).value_counts()
    rest = [name for name in counts.index if name in (NO_ACTION, NOT_WEIGHED)]
    kinds = [name for name in counts.index if name not in rest]
    looks = [LOOKS[place % len(LOOKS)] for place in range(len(kinds))]
    keys = []
    looks += [("o", "grey")] * len(rest)
    for kind, (marker, colour) in zip([*kinds, *rest], looks, strict=True):
        own = np.array([one == kind for one in first])
        face = "white" if kind == NO_ACTION else PALETTE[colour]
        look: dict[str, Any] = {
            "marker": marker,
            "ms": 12,
            "mfc": face,
            "mec": PALETTE[colour],
            "mew": 2,
        }
        ax.plot(x[own], y[own], ls="", zorder=3, **look)
        label = kind if kind in rest else f"first: {kind}"
        keys.append(Line2D([], [], ls="", label=escape_label(label, 34), **look))
    return keys


def _scales(ax: Axes, x: np.ndarray, y: np.ndarray) -> None:
    """Set both axes, logarithmic where values lie far apart."""
    for values, name in ((x, "x"), (y, "y")):
        low, high = float(values.min()), float(values.max())
        room = 0.12 * (high - low) or max(abs(high), 1.0)
        set_scale, set_ends = getattr(ax, f"set_{name}scale"), getattr(ax, f"set_{name}lim")
        if low > 0 and high >= WIDE * low:
            set_scale("log")
            room_factor = (high / low) ** 0.12
            set_ends(low / room_factor, high * room_factor)
        else:
            set_ends(low - room, high + room)
    for axis in (ax.xaxis, ax.yaxis):
        if axis.get_scale() == "log":
            axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axis.set_minor_formatter(NullFormatter())
        number_axis(axis)


def _draw_going_on(ax: Axes, years: float) -> Line2D:
    """Draw where an account would be that stays for sure and brings what it brought."""
    (low, high), limits = ax.get_xlim(), ax.get_ylim()
    grid = np.linspace(low, high, 200)
    look: dict[str, Any] = {"color": PALETTE["grey"], "lw": 2, "ls": "--"}
    ax.plot(grid, years * grid, zorder=0, **look)
    ax.set_xlim(low, high)
    ax.set_ylim(*limits)
    return Line2D([], [], label="stays, and brings as much as last year", **look)


def _names(frame: pd.DataFrame) -> list[str]:
    if len(frame) > MOST_NAMES:
        return [f"{rank:,}" for rank in frame["rank"]]
    short = short_names(list(dict.fromkeys(frame["label"])), NAME)
    return [short[one] for one in frame["label"]]


def _map_title(result: AccountPlans, first: list[str]) -> str:
    kinds = [one for one in first if one not in (NO_ACTION, NOT_WEIGHED)]
    if not kinds:
        said = "no action pays" if NO_ACTION in first else "their value now and to come"
        return f"{counted(len(first), 'account')}: {said}"
    counts = pd.Series(kinds).value_counts()
    told = [f"{name} first for {count:,}" for name, count in counts.items()]
    if len(counts) > 1:
        more = len(counts) - 2
        others = [f"{more} other actions" if more > 1 else told[2]] if more else []
        listed = names_in_words([*told[:2], *others], 3, 60)
        return f"Plans differ: of {counted(len(first), 'account')}, {listed}"
    return f"One answer for all: {told[0]} of {counted(len(first), 'account')}"


def _unit(result: AccountPlans) -> str:
    return f"{result.currency}, simulated" if result.simulated else result.currency


def account_promise_dots(result: AccountPlans, ax: Axes | None = None) -> Axes:
    """Draw what the chosen actions of each account promise, the largest at the top.

    Parameters
    ----------
    result : AccountPlans
        From `keycustomer.strategy.account_plans`, with actions.
    ax : Axes, optional
        Axes to draw into.

    Raises
    ------
    ValueError
        When the plans have no actions.
    """
    if result.total is None:
        raise ValueError("the plans have no actions: give account_plans(..., actions=...)")
    known = result.frame[result.frame["promised"].notna()]
    frame = known.sort_values("promised", kind="stable").reset_index(drop=True)
    ax = new_axes(ax, size=(10, 2.8 + 0.72 * max(len(frame), 2)))
    labels = _names_of_rows(frame)
    lines = frame[["promised_lower", "promised_upper"]].to_numpy(float)
    places = np.arange(len(frame))
    ax.axvline(0, color=PALETTE["black"], lw=1.5)
    ax.hlines(places, lines[:, 0], lines[:, 1], color=PALETTE["blue"], lw=4)
    ax.plot(frame["promised"], places, "o", color=PALETTE["blue"], ms=11)
    other = not np.allclose(frame["promised"], frame["promised_plain"])
    if other:
        ax.plot(frame["promised_plain"], places, zorder=4, **PLAIN)
    if not (frame["promised"] > 0).any():
        ax.set_xlim(-1, 1)
    name_rows(ax, labels)
    _write_actions(ax, result, frame)
    number_axis(ax.xaxis)
    ahead = "" if result.horizon is None else f" over {result.horizon} months"
    ax.set_xlabel(f"Promised beyond going on as today{ahead} ({_unit(result)})")
    legend_below(ax, columns=2, handles=_promise_keys(other, bool(np.isfinite(lines).any())))
    finding(ax, _promise_title(result, frame), width=title_width(ax, labels))
    told = "; ".join(
        f"{row['label']} {compact_number(row['promised'])}{_ends(row)}"
        for row in frame[::-1].to_dict("records")
    )
    return describe(
        ax,
        f"What the actions of {counted(len(frame), 'account')} promise together in "
        f"{result.currency}{', simulated' if result.simulated else ''}: {told}.",
    )


def _names_of_rows(frame: pd.DataFrame) -> list[str]:
    short = short_names(list(dict.fromkeys(frame["label"])), NAME)
    return [escape_label(short[one], NAME) for one in frame["label"]]


def _write_actions(ax: Axes, result: AccountPlans, frame: pd.DataFrame) -> None:
    """Write each account's actions under its line."""
    for place, customer in enumerate(frame["customer_id"]):
        own = result.actions.loc[result.actions["customer_id"] == customer, "action"]
        ax.annotate(
            escape_label(" + ".join(map(str, own)) or NO_ACTION, ACTIONS_WIDTH),
            (0.01, place - 0.34),
            xycoords=("axes fraction", "data"),
            va="center",
            fontsize=12,
            color=PALETTE["black"],
            bbox=UNDERLAY,
        )


def _promise_keys(other: bool, intervals: bool) -> list[Line2D]:
    blue: dict[str, Any] = {"color": PALETTE["blue"], "marker": "o", "ms": 11}
    told = "together, with interval" if intervals else "together"
    keys = [Line2D([], [], lw=4 if intervals else 0, label=told, **blue)]
    if other:
        keys.append(Line2D([], [], label="each alone, added up", **PLAIN))
    return keys


def _promise_title(result: AccountPlans, frame: pd.DataFrame) -> str:
    total, count = result.total, counted(len(frame), "account")
    if total is None or not (frame["promised"] > 0).any():
        return f"No action promises more than going on as today, for any of {count}"
    said = f"The plans promise {_short(total.estimate)} {result.currency}"
    if math.isnan(total.lower):
        return said
    sure = int((frame["promised_lower"] > 0).sum())
    return (
        f"{said} [{_short(total.lower)}, {_short(total.upper)}]; for {sure:,} of {count} the "
        "interval lies above 0"
    )


def _short(value: float) -> str:
    """Write a number that no line break parts from its unit."""
    return compact_number(value).replace(" ", "\N{NO-BREAK SPACE}")


def _ends(row: dict[Any, Any]) -> str:
    lower, upper = float(row["promised_lower"]), float(row["promised_upper"])
    if math.isnan(lower):
        return ""
    return f" [{compact_number(lower)}, {compact_number(upper)}]"
