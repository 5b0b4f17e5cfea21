"""Importance by product layer: core, tangible, augmented (course claim K5).

Does satisfaction hang on the core of the product, on its tangible form or on what is added to it?
:func:`layer_importance` sums the importance of the attributes of each layer.  A layer with more
attributes gathers more, so three figures stand side by side: the sum, the mean of an attribute,
and the importance when each layer enters as one player (Owen's quotient game of the Shapley
value), which does not grow by cutting an attribute in two.

Sources: Levitt, Harvard Business Review 58, 1980, and Kotler, for the layers; Owen (1977), "Values
of games with a priori unions".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import percent, report_html
from keycustomer.dimensions.complaints import refuse
from keycustomer.dimensions.drivers.importance import RelativeImportance, ends, shares_of
from keycustomer.dimensions.drivers.priorities import check_scale, performance_of
from keycustomer.dimensions.drivers.subsets import split_over_drivers
from keycustomer.stats.samples import FloatArray

MOST_LAYERS = 10
"""Layers that are compared as players."""


@dataclass(frozen=True, eq=False)
class LayerImportance:
    """Importance and performance of product layers.

    Attributes
    ----------
    outcome, method : str
        What is driven, and how importance was measured.
    respondents : int
        Respondents used.
    frame : DataFrame
        One row a layer, in the order given: `layer`, `attributes` (how many), `importance` (share
        of what is explained, summed) with `lower` and `upper`, `per_attribute` (mean of an
        attribute) with its ends, `as_one` (share when each layer is one player), `performance`
        (0..100, mean of its attributes) with its ends; NaN without a scale.
    drivers : DataFrame
        One row an attribute: `layer`, `driver`, `importance`.
    level : float
        Confidence level of all intervals.
    notes : tuple of str
        What a reader must know.
    """

    outcome: str
    method: str
    respondents: int
    frame: pd.DataFrame
    drivers: pd.DataFrame
    level: float
    notes: tuple[str, ...]

    @property
    def sentences(self) -> list[str]:
        """Say which layer counts most, in sum and by attribute."""
        most = self.frame.iloc[int(self.frame["importance"].argmax())]
        each = self.frame.iloc[int(self.frame["per_attribute"].argmax())]
        return [
            f"The {most['layer']} layer brings {percent(most['importance'], 0)} of what is "
            f"explained of {self.outcome}, interval {percent(most['lower'], 0)} to "
            f"{percent(most['upper'], 0)}, with {most['attributes']} attributes.",
            f"An attribute of the {each['layer']} layer counts most: "
            f"{percent(each['per_attribute'])} each.",
        ]

    def to_frame(self) -> pd.DataFrame:
        """Return the table of the layers."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        shown = self.frame[["layer", "attributes", "lower", "upper"]].copy()
        for column in ("importance", "per_attribute", "as_one"):
            shown[column] = [percent(value) for value in self.frame[column]]
        shown["performance"] = self.frame["performance"]
        title = f"Product layers and {self.outcome}"
        tables = {"Layers": shown, "Attributes": self.drivers}
        return report_html(title, [*self.sentences, *self.notes], tables)


def layer_importance(
    importance: RelativeImportance,
    layers: Mapping[str, Sequence[str]],
    *,
    low: float | None = None,
    high: float | None = None,
) -> LayerImportance:
    """Sum importance by product layer.

    Parameters
    ----------
    importance : RelativeImportance
        From :func:`~keycustomer.dimensions.drivers.importance.relative_importance`.
    layers : mapping of layer to its drivers
        Such as ``{"core": ["functional_quality", ...], "tangible": [...], "augmented": [...]}``.
        Drivers of no layer make up the layer "other".
    low, high : float, optional
        Ends of the answer scale, for the performance.

    Returns
    -------
    LayerImportance

    Raises
    ------
    ValueError
        With every complaint: a driver that is none, or stands in two layers; an empty layer; a
        scale that does not hold the means.
    """
    refuse(_complaints(importance, layers, low, high))
    if low is not None and high is not None:
        check_scale(importance, low, high)
    placed = [name for names in layers.values() for name in names]
    others = [name for name in importance.drivers if name not in placed]
    whole = {**layers, "other": others} if others else dict(layers)
    member = np.array([[d in names for d in importance.drivers] for names in whole.values()])
    shares = importance.in_order_given("share")
    means = importance.in_order_given("mean")
    frame = pd.DataFrame({"layer": list(whole), "attributes": member.sum(axis=1)})
    sums = member.T.astype(float)
    each = sums / sums.sum(axis=0)
    for prefix, weights, name in (("", sums, "importance"), ("per_attribute_", each, "")):
        frame[name or "per_attribute"] = shares @ weights
        frame[f"{prefix}lower"], frame[f"{prefix}upper"] = ends(
            importance.draws.shares @ weights, importance.level
        )
    frame["as_one"] = shares_of(_as_players(importance.correlations, member))
    ends_of_scale = (np.nan, np.nan) if low is None or high is None else (low, high)
    frame["performance"] = performance_of(means, *ends_of_scale) @ each
    frame["performance_lower"], frame["performance_upper"] = ends(
        performance_of(importance.draws.means, *ends_of_scale) @ each, importance.level
    )
    return LayerImportance(
        importance.outcome,
        importance.method,
        importance.respondents,
        frame,
        _attributes(whole, importance),
        importance.level,
        (*importance.notes, *_notes(others)),
    )


def _complaints(
    importance: RelativeImportance,
    layers: Mapping[str, Sequence[str]],
    low: float | None,
    high: float | None,
) -> Iterator[str]:
    if not 1 <= len(layers) <= MOST_LAYERS:
        yield f"layers: 1 to {MOST_LAYERS} are needed, got {len(layers)}"
    home: dict[str, str] = {}
    for layer, names in layers.items():
        if isinstance(names, str) or not names:
            yield f"layer {layer!r}: a list of drivers is needed, got {names!r}"
            continue
        for name in names:
            if name not in importance.drivers:
                yield (
                    f"layer {layer!r}: {name!r} is none of the drivers "
                    f"{', '.join(map(repr, importance.drivers))}"
                )
            elif name in home:
                yield f"driver {name!r} stands in layers {home[name]!r} and {layer!r}"
            home[name] = layer
    if (low is None) != (high is None):
        yield f"low={low!r}, high={high!r}: both ends of the scale are needed, or neither"


def _as_players(correlations: FloatArray, member: np.ndarray) -> FloatArray:
    """Shapley value of R2 by layer, each layer joining with all its attributes at once."""
    layers = len(member)
    r2 = np.zeros((2**layers, 1))
    for subset in range(1, 2**layers):
        inside = [bool(subset >> k & 1) for k in range(layers)]
        chosen = np.flatnonzero(member[inside].any(axis=0))
        with_outcome = correlations[chosen, -1]
        slopes = np.linalg.solve(correlations[np.ix_(chosen, chosen)], with_outcome)
        r2[subset] = with_outcome @ slopes
    return split_over_drivers(r2)[0]


def _attributes(
    layers: Mapping[str, Sequence[str]], importance: RelativeImportance
) -> pd.DataFrame:
    share = dict(zip(importance.drivers, importance.in_order_given("share"), strict=True))
    rows = [
        (layer, name, share[name])
        for layer, names in layers.items()
        for name in sorted(names, key=lambda name: -share[name])
    ]
    return pd.DataFrame(rows, columns=["layer", "driver", "importance"])


def _notes(others: list[str]) -> Iterator[str]:
    if others:
        yield f"drivers of no layer, counted as other: {', '.join(others)}"
