"""Importance-performance map: where an improvement counts most, as a list of priorities.

Which drivers should be worked on first?  :func:`importance_performance` sets each driver's
importance against its performance, the mean answer on a scale from 0 to 100, and divides the map
into four fields (Martilla & James): important and weak, *concentrate here*; important and strong,
*keep up*; unimportant and weak, *low priority*; unimportant and strong, *possible overkill*.  The
list is ordered by importance times the room left above; how sure a driver's field and its place on
the list are comes from the resamples.

The map is descriptive: it takes what goes with the outcome for what drives it.

Sources: Martilla & James, Journal of Marketing 41, 1977; Ringle & Sarstedt, Industrial
Management & Data Systems 116, 2016, for performance as ``100 (mean - min) / (max - min)``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import percent, report_html
from keycustomer.dimensions.drivers.importance import (
    RelativeImportance,
    ends,
    ranks_of,
)
from keycustomer.stats.samples import FloatArray

Borders: TypeAlias = Literal["mean", "median"] | tuple[float, float]
"""Where the fields meet: means or medians of the drivers, or a share and a performance."""

CONCENTRATE, KEEP, LOW, OVERKILL = (
    "concentrate here",
    "keep up",
    "low priority",
    "possible overkill",
)
FIELDS = (CONCENTRATE, KEEP, LOW, OVERKILL)
"""Fields of the map: important and weak, important and strong, unimportant and weak, and strong."""


@dataclass(frozen=True, eq=False)
class ImportancePerformance:
    """Importance against performance, and what to work on first.

    Attributes
    ----------
    outcome : str
        What is driven.
    method : str
        How importance was measured.
    respondents : int
        Respondents used.
    frame : DataFrame
        One row a driver, the first priority first: `driver`, `priority` (place on the list) with
        `priority_lower` and `priority_upper`, `importance` (share of the variance explained) with
        `importance_lower` and `importance_upper`, `performance` (0..100) with its ends, `room`
        (importance times what is missing to 100), `field`, `certainty` (resamples that put it in
        this field), `gain` (units of the outcome that one unit more of this driver goes with,
        others the same) with its ends, `correlation` with the outcome.
    importance_border, performance_border : float
        Where the fields meet.
    level : float
        Confidence level of all intervals.
    notes : tuple of str
        What a reader must know.
    """

    outcome: str
    method: str
    respondents: int
    frame: pd.DataFrame
    importance_border: float
    performance_border: float
    level: float
    notes: tuple[str, ...]

    def of_field(self, field: str) -> list[str]:
        """Drivers in a field of the map, the first priority first.

        Raises
        ------
        ValueError
            When there is no such field.
        """
        if field not in FIELDS:
            raise ValueError(f"field={field!r}: one of {', '.join(map(repr, FIELDS))}")
        return self.frame.loc[self.frame["field"] == field, "driver"].tolist()

    @property
    def sentences(self) -> list[str]:
        """Say what comes first and how sure that is, then the drivers to concentrate on."""
        first = self.frame.iloc[0]
        low, high = first["priority_lower"], first["priority_upper"]
        places = f"place {low}" if low == high else f"places {low} to {high}"
        weak = self.of_field(CONCENTRATE)
        named = ", ".join(weak) if weak else "none of the drivers"
        return [
            f"First priority: {first['driver']}, {percent(first['importance'], 0)} of what is "
            f"explained and performance {first['performance']:.0f} of 100 "
            f"({places} in {percent(self.level, 0)} of the resamples).",
            f"Important and weak, so to concentrate on: {named}.",
        ]

    def to_frame(self) -> pd.DataFrame:
        """Return the table of the drivers."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        shown = self.frame[["priority", "driver", "field", "certainty"]].copy()
        shown["certainty"] = [percent(value, 0) for value in self.frame["certainty"]]
        shown["importance"] = [percent(value, 0) for value in self.frame["importance"]]
        shown["performance"], shown["gain"] = self.frame["performance"], self.frame["gain"]
        title = f"Importance and performance of the drivers of {self.outcome}"
        return report_html(title, [*self.sentences, *self.notes], {"Priorities": shown})


def importance_performance(
    importance: RelativeImportance,
    *,
    low: float,
    high: float,
    reverse: Sequence[str] = (),
    borders: Borders = "mean",
) -> ImportancePerformance:
    """Set importance against performance and order the drivers by priority.

    Parameters
    ----------
    importance : RelativeImportance
        From :func:`~keycustomer.dimensions.drivers.importance.relative_importance`.
    low, high : float
        Ends of the answer scale, such as 1 and 7: what could be answered, not what was.
    reverse : sequence of str
        Drivers of which less is better, such as sacrifices: their performance is counted from the
        upper end of the scale.
    borders : {"mean", "median"} or (float, float)
        Where the fields meet: means or medians over the drivers, or a share of what is explained
        and a performance.

    Returns
    -------
    ImportancePerformance

    Raises
    ------
    ValueError
        When means lie outside the scale, a reversed driver is unknown, or borders are none.
    """
    _check(importance, low, high, reverse)
    sign = np.array([driver in reverse for driver in importance.drivers])
    point, cloud = (
        performance_of(means, low, high, sign)
        for means in (importance.in_order_given("mean"), importance.draws.means)
    )
    shares = importance.in_order_given("share")
    cut = _borders(shares[None], point[None], borders)
    drawn = _borders(importance.draws.shares, cloud, borders)
    fields = _fields(importance.draws.shares, cloud, *drawn)
    own = _fields(shares[None], point[None], *cut)[0]
    columns = _columns(importance, shares, point, cloud)
    columns["field"] = [FIELDS[k] for k in own]
    columns["certainty"] = (fields == own).mean(axis=0)
    frame = pd.DataFrame(columns).sort_values("priority", ignore_index=True)
    return ImportancePerformance(
        importance.outcome,
        importance.method,
        importance.respondents,
        frame,
        float(cut[0][0, 0]),
        float(cut[1][0, 0]),
        importance.level,
        (*importance.notes, *_notes(importance, reverse)),
    )


def performance_of(
    means: FloatArray, low: float, high: float, reversed_: np.ndarray | None = None
) -> FloatArray:
    """Turn mean answers on a scale from `low` to `high` into performance from 0 to 100.

    Parameters
    ----------
    means : ndarray
        Mean answers, drivers in the last dimension.
    low, high : float
        Ends of the scale.
    reversed_ : ndarray of bool, optional
        Drivers of which less is better.
    """
    performance = 100 * (means - low) / (high - low)
    return performance if reversed_ is None else np.where(reversed_, 100 - performance, performance)


def _check(importance: RelativeImportance, low: float, high: float, reverse: Sequence[str]) -> None:
    check_scale(importance, low, high)
    unknown = [name for name in reverse if name not in importance.drivers]
    if isinstance(reverse, str) or unknown:
        raise ValueError(
            f"reverse={reverse!r}: a list of drivers is needed, out of "
            f"{', '.join(map(repr, importance.drivers))}"
        )


def check_scale(importance: RelativeImportance, low: float, high: float) -> None:
    """Check that a scale holds the mean answers.

    Raises
    ------
    ValueError
        When `low` is not below `high`, or means lie outside.
    """
    if not low < high:
        raise ValueError(f"low={low!r}, high={high!r}: the scale's lower end must be the smaller")
    outside = importance.frame[~importance.frame["mean"].between(low, high)]
    if len(outside):
        row = outside.iloc[0]
        raise ValueError(
            f"low={low:g}, high={high:g}: the mean answer of {row['driver']!r} is "
            f"{row['mean']:.3g}, outside this scale; give the ends of the scale as it was asked"
        )


def _borders(
    shares: FloatArray, performance: FloatArray, borders: Borders
) -> tuple[FloatArray, FloatArray]:
    """Borders by row, each of shape (rows, 1)."""
    if isinstance(borders, str) and borders in get_args(get_args(Borders)[0]):
        middle = np.mean if borders == "mean" else np.median
        return (
            np.asarray(middle(shares, axis=1, keepdims=True)),
            np.asarray(middle(performance, axis=1, keepdims=True)),
        )
    if isinstance(borders, str) or len(borders) != 2:
        raise ValueError(
            f"borders={borders!r}: 'mean', 'median', or a pair (share of what is explained 0..1, "
            "performance 0..100)"
        )
    share, performed = borders
    rows = (len(shares), 1)
    return np.full(rows, float(share)), np.full(rows, float(performed))


def _fields(
    shares: FloatArray, performance: FloatArray, important: FloatArray, strong: FloatArray
) -> np.ndarray:
    """Places in `FIELDS`, by row and driver."""
    return 2 * (shares < important) + (performance >= strong).astype(int)


def _columns(
    importance: RelativeImportance, shares: FloatArray, point: FloatArray, cloud: FloatArray
) -> dict[str, Any]:
    level = importance.level
    room = shares * (100 - point) / 100
    places = ranks_of(importance.draws.shares * (100 - cloud)).astype(float)
    lower, upper = ends(places, level)
    intervals = {
        "importance": [importance.in_order_given(f"share_{end}") for end in ("lower", "upper")],
        "performance": ends(cloud, level),
        "gain": [importance.in_order_given(f"coefficient_{end}") for end in ("lower", "upper")],
    }
    values = {
        "importance": shares,
        "performance": point,
        "gain": importance.in_order_given("coefficient"),
    }
    columns: dict[str, Any] = {
        "driver": list(importance.drivers),
        "priority": ranks_of(room[None])[0],
        "priority_lower": np.floor(lower).astype(int),
        "priority_upper": np.ceil(upper).astype(int),
    }
    for name, value in values.items():
        columns[name] = value
        columns[f"{name}_lower"], columns[f"{name}_upper"] = intervals[name]
    columns["room"] = room
    columns["correlation"] = importance.in_order_given("correlation")
    return columns


def _notes(importance: RelativeImportance, reverse: Sequence[str]) -> Iterator[str]:
    falling = importance.frame.loc[importance.frame["correlation"] < 0, "driver"].tolist()
    doubtful = [name for name in falling if name not in reverse]
    if doubtful:
        yield (
            f"higher answers go with less {importance.outcome} for {', '.join(doubtful)}: where "
            "less of it is better, name it in `reverse`"
        )
    rising = [name for name in reverse if name not in falling]
    if rising:
        yield (
            f"{', '.join(rising)} counted as better when lower, though higher answers go with more "
            f"{importance.outcome}"
        )
