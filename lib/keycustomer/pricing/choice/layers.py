"""Worth of the layers of a product: core, tangible, augmented, in money (course claim K5).

:func:`layer_worth` sums what the attributes of each layer add when a package goes from plain to
full, by the choices of respondents.  Plain and full are fixed before looking (the first and the
last level as they are listed, or as given), not picked by what came out best, so that a layer can
be worth nothing or less.  The verdict on the augmented layer: it carries more than its even share
(one over the number of layers) of what all layers are worth, when the 95 % interval of its share
lies wholly above; not supported when wholly at or below; undecided otherwise.  Shares say
something of a whole whose parts add up: where the total is not surely above 0 the verdict is
undecided, and where another layer takes away (its interval below 0) or the share exceeds 1, the
claim is not called supported.

Only what was varied in the tasks can have a worth: what every package has, the very core, shows
only in what respondents would pay for the plain package rather than take none.

Sources: Levitt (1980), Harvard Business Review 58(1), 83-91, and Kotler for the layers; Train
(2009), section 3.3, for the worths.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import percent, report_html
from keycustomer.pricing.choice.group_rows import row_named, rows_of_group
from keycustomer.pricing.choice.logit import EVERYBODY, LogitModel
from keycustomer.pricing.choice.money_gaps import (
    delta_estimate,
    none_weights,
    package_gap,
    price_weights,
    worth_ratios,
)
from keycustomer.stats.bootstrap import checked_level
from keycustomer.stats.estimate import Estimate, verdict_above
from keycustomer.stats.samples import FloatArray

Ends = Mapping[str, tuple[object, object]]

OTHER = "other"
"""Layer of the attributes that are in none."""

FIRM_TOTAL = 4.0
"""Standard errors from the total to zero below which shares are doubtful."""


@dataclass(frozen=True, eq=False)
class LayerWorth:
    """What the layers of a product are worth.

    Attributes
    ----------
    frame : DataFrame
        One row a group and layer: ``group``, ``layer``, ``attributes`` (how many), ``worth``
        (currency) with ``lower`` and ``upper``, ``share`` of the total with ``share_lower`` and
        ``share_upper`` (NaN where the total is not positive), ``per_attribute``, ``verdict``
        (whether the layer is worth something: its interval above 0), ``respondents``.
    attributes : DataFrame
        One row a group and attribute: ``group``, ``layer``, ``attribute``, ``plain``, ``full``,
        ``worth``, ``lower``, ``upper``.
    totals : dict of str to Estimate
        Worth of the full package over the plain one, by group.
    basic : dict of str to Estimate
        Worth of the plain package over taking none, by group; empty without such an option.
    judged : str
        Layer of the verdict.
    level : float
        Level of the intervals.
    currency : str
        Currency; empty where not known.
    simulated : bool
        Whether the data are made up.
    notes : tuple of str
        What a reader should know.
    """

    frame: pd.DataFrame = field(repr=False)
    attributes: pd.DataFrame = field(repr=False)
    totals: dict[str, Estimate]
    basic: dict[str, Estimate]
    judged: str
    level: float
    currency: str = ""
    simulated: bool = False
    notes: tuple[str, ...] = ()

    @property
    def groups(self) -> tuple[str, ...]:
        """Groups, all respondents first."""
        return tuple(self.totals)

    @property
    def even_share(self) -> float:
        """Share of a layer if all were worth the same."""
        return 1.0 / len(self.of_group(EVERYBODY))

    @property
    def share(self) -> Estimate:
        """Share of the judged layer in what all layers are worth to all respondents."""
        return self.share_of(self.judged)

    @property
    def verdict(self) -> str:
        """Whether the judged layer carries more than its even share (K5)."""
        if not self.totals[EVERYBODY].lower > 0:
            return "undecided"
        found = verdict_above(self.share, self.even_share)
        parts = self.share.estimate <= 1 and not (self.of_group(EVERYBODY)["upper"] < 0).any()
        return found if parts or found != "supported" else "undecided"

    @property
    def sentence(self) -> str:
        """The finding in words."""
        made_up = "Simulated: " if self.simulated else ""
        unit = f" {self.currency}" if self.currency else ""
        if not self.totals[EVERYBODY].estimate > 0:
            return (
                f"{made_up}the full package is worth {self.totals[EVERYBODY]}{unit} over the plain "
                f"one: nothing of which the {self.judged} layer could have a share "
                f"({self.verdict})."
            )
        return (
            f"{made_up}the {self.judged} layer carries {self.share.as_percent(0)} of the "
            f"{self.totals[EVERYBODY]}{unit} that the full package is worth over the plain one; "
            f"more than an even share of {percent(self.even_share, 0)}: {self.verdict}."
        )

    def of_group(self, group: str) -> pd.DataFrame:
        """Rows of one group.

        Raises
        ------
        ValueError
            When there is no such group.
        """
        return rows_of_group(self.frame, group)

    def share_of(self, layer: str, group: str = EVERYBODY) -> Estimate:
        """Share of one layer as an estimate.

        Raises
        ------
        ValueError
            When there is no such group or layer.
        """
        row = row_named(self.of_group(group), "layer", layer)
        value, lower, upper = (float(row[k]) for k in ("share", "share_lower", "share_upper"))
        n = int(row["respondents"])
        return Estimate(value, lower, upper, "share of worth", n, "logit, delta", self.level)

    def to_frame(self) -> pd.DataFrame:
        """One row a group and layer."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        shown = self.frame.rename(columns={"lower": "from", "upper": "to"})
        own = self.attributes.rename(columns={"lower": "from", "upper": "to"})
        for name in ("share", "share_lower", "share_upper"):
            shown[name] = [percent(value) for value in shown[name]]
        tables = {"Layers": shown, "Attributes": own}
        return report_html("Worth of product layers", [self.sentence, *self.notes], tables)


def layer_worth(
    model: LogitModel,
    layers: Mapping[str, Sequence[str]],
    *,
    ends: Ends | None = None,
    judged: str = "augmented",
    level: float = 0.95,
) -> LayerWorth:
    """Sum willingness to pay by product layer.

    Parameters
    ----------
    model : LogitModel
        From :func:`keycustomer.pricing.fit_logit`; with ``by=`` layers are valued by group too.
    layers : mapping of layer to its attributes
        Such as ``{"core": ["contract"], "tangible": ["energy"], "augmented": ["service_level"]}``;
        attributes of no layer make up the layer "other".
    ends : mapping of attribute to (plain, full), optional
        Levels or numbers that make an attribute plain and full; left out, its first and last level
        in the order of the data, its smallest and largest number.
    judged : str
        Layer of the verdict.
    level : float
        Level of the intervals.

    Returns
    -------
    LayerWorth

    Raises
    ------
    TypeError
        When the model is no logit.
    ValueError
        With every complaint: an attribute that is none, or stands in two layers; an empty layer;
        an unknown level; a price coefficient of all respondents that is not negative.
    """
    checked_level(level)
    if not isinstance(model, LogitModel):
        raise TypeError(f"model is a {type(model).__name__}; fit one with fit_logit")
    if not isinstance(layers, Mapping) or not isinstance(ends or {}, Mapping):
        raise TypeError("layers: give layer -> attributes; ends: attribute -> (plain, full)")
    wrong = list(_complaints(model, layers, ends or {}, judged))
    if wrong:
        raise ValueError("; ".join(wrong))
    placed = {name for names in layers.values() for name in names}
    rest = [name for name in model.attributes if name not in placed]
    whole = {k: list(v) for k, v in layers.items()}
    if rest:
        whole[OTHER] = [*whole.get(OTHER, []), *rest]
    steps = {name: _ends(model, name, ends or {}) for name in model.attributes}
    parts, notes = [], []
    for one in (model, *model.groups.values()):
        if float(price_weights(one) @ one.coefficients.to_numpy()) > 0:
            parts.append(_of_model(one, whole, steps, level))
        elif one is model:
            raise ValueError(
                f"the coefficient of {model.price} is not negative: respondents take the dearer "
                "offer, so that nothing can be expressed in money"
            )
        else:
            notes.append(f"group {one.group}: the price coefficient is not negative, left out")
    return LayerWorth(
        frame=pd.concat([part.frame for part in parts], ignore_index=True),
        attributes=pd.concat([part.attributes for part in parts], ignore_index=True),
        totals={part.group: part.total for part in parts},
        basic={part.group: part.basic for part in parts if part.basic is not None},
        judged=judged,
        level=level,
        currency=model.data.currency,
        simulated=model.data.simulated,
        notes=(*model.notes, *notes, *_notes(parts, rest)),
    )


@dataclass(frozen=True, eq=False)
class _Part:
    """Layers of one group."""

    group: str
    frame: pd.DataFrame
    attributes: pd.DataFrame
    total: Estimate
    basic: Estimate | None
    doubtful: bool


def _complaints(
    model: LogitModel, layers: Mapping[str, Sequence[str]], ends: Ends, judged: str
) -> Iterator[str]:
    if len(layers) < 2:
        yield f"layers: at least two are needed, got {len(layers)}"
    if judged not in layers:
        yield f"judged={judged!r} is no layer; there are {', '.join(map(repr, layers))}"
    home: dict[str, str] = {}
    for layer, names in layers.items():
        listed = isinstance(names, Iterable) and not isinstance(names, str)
        if not listed or not names or not all(isinstance(name, str) for name in names):
            yield f"layer {layer!r}: a list of attributes is needed, got {names!r}"
            continue
        for name in names:
            if name not in model.attributes:
                yield f"layer {layer!r}: {name!r} is none of {', '.join(model.attributes)}"
            elif name in home:
                yield f"attribute {name!r} stands in layers {home[name]!r} and {layer!r}"
            home[name] = layer
    for name, pair in ends.items():
        if name not in model.attributes:
            yield f"ends: {name!r} is none of {', '.join(model.attributes)}"
        elif not isinstance(pair, tuple | list) or len(pair) != 2 or pair[0] == pair[1]:
            yield f"ends of {name!r}: give two different values (plain, full), got {pair!r}"
        elif name not in model.coding.levels and not all(map(_is_number, pair)):
            yield f"ends of {name!r}, a number: give two finite numbers, got {pair!r}"
        else:
            strangers = set(map(str, pair)) - set(model.coding.levels.get(name, map(str, pair)))
            if strangers:
                yield f"ends of {name!r}: no level {', '.join(map(repr, sorted(strangers)))}"


def _is_number(value: object) -> bool:
    right = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    return right and bool(np.isfinite(value))  # type: ignore[call-overload]


def _ends(model: LogitModel, name: str, ends: Ends) -> tuple[object, object]:
    if name in ends:
        return ends[name][0], ends[name][1]
    own = model.coding.levels.get(name)
    if own:
        return own[0], own[-1]
    frame = model.data.frame
    values = frame.loc[~frame["is_none"], name].astype(float)
    return float(values.min()), float(values.max())


def _of_model(
    model: LogitModel,
    layers: Mapping[str, Sequence[str]],
    steps: Mapping[str, tuple[object, object]],
    level: float,
) -> _Part:
    names = [name for own in layers.values() for name in own]
    gaps = [package_gap(model, {n: steps[n][1]}, {n: steps[n][0]}) for n in names]
    bottom = price_weights(model)
    unit = model.data.currency or "currency"
    ratios = worth_ratios(model, gaps, [bottom] * len(gaps))
    member = np.array([[name in own for name in names] for own in layers.values()], dtype=float)
    worths = [delta_estimate(model, ratios, row, level, unit) for row in member]
    each = [delta_estimate(model, ratios, row, level, unit) for row in np.eye(len(names))]
    total = delta_estimate(model, ratios, np.ones(len(names)), level, unit)
    firm = 2 * total.estimate / max(total.upper - total.lower, 1e-300) * model.margin
    basic = None
    if model.data.has_none and any(n.startswith("none") for n in model.coding.names):
        own = worth_ratios(model, [none_weights(model)], [bottom])
        basic = delta_estimate(model, own, np.ones(1), level, unit)
    return _Part(
        group=model.group,
        frame=_layer_frame(model, layers, worths, _shares(model, member @ np.array(gaps), level)),
        attributes=_attribute_frame(model, layers, steps, each),
        total=total,
        basic=basic,
        doubtful=firm < FIRM_TOTAL,
    )


def _shares(model: LogitModel, gaps: FloatArray, level: float) -> list[Estimate]:
    """Share of each layer in the utility of all: the price cancels."""
    whole = gaps.sum(axis=0)
    if float(whole @ model.coefficients.to_numpy()) <= 0:
        why = "the full package is worth no more than the plain one"
        return [
            Estimate.without_interval(float("nan"), "share", model.respondents, why, level)
            for _ in gaps
        ]
    ratios = worth_ratios(model, list(gaps), [whole] * len(gaps))
    return [delta_estimate(model, ratios, row, level, "share") for row in np.eye(len(gaps))]


def _layer_frame(
    model: LogitModel,
    layers: Mapping[str, Sequence[str]],
    worths: Sequence[Estimate],
    shares: Sequence[Estimate],
) -> pd.DataFrame:
    rows = [
        {
            "group": model.group,
            "layer": layer,
            "attributes": len(names),
            "worth": worth.estimate,
            "lower": worth.lower,
            "upper": worth.upper,
            "share": share.estimate,
            "share_lower": share.lower,
            "share_upper": share.upper,
            "per_attribute": worth.estimate / len(names),
            "verdict": verdict_above(worth, 0.0),
            "respondents": model.respondents,
        }
        for (layer, names), worth, share in zip(layers.items(), worths, shares, strict=True)
    ]
    return pd.DataFrame(rows)


def _attribute_frame(
    model: LogitModel,
    layers: Mapping[str, Sequence[str]],
    steps: Mapping[str, tuple[object, object]],
    worths: Sequence[Estimate],
) -> pd.DataFrame:
    placed = [(layer, name) for layer, own in layers.items() for name in own]
    rows = [
        (model.group, layer, name, *map(_told, steps[name]), one.estimate, one.lower, one.upper)
        for (layer, name), one in zip(placed, worths, strict=True)
    ]
    columns = ["group", "layer", "attribute", "plain", "full", "worth", "lower", "upper"]
    return pd.DataFrame(rows, columns=columns)


def _told(value: object) -> str:
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def _notes(parts: Sequence[_Part], rest: Sequence[str]) -> Iterator[str]:
    if rest:
        yield f"{', '.join(rest)}: in no layer, counted as {OTHER!r}"
    if parts[0].basic is not None:
        yield (
            f"beyond the layers, the plain package itself is worth {parts[0].basic} rather than "
            "none of the offers: what every package has is part of the core, and was not varied"
        )
    for part in parts:
        if part.doubtful:
            yield (
                f"{part.group}: the total is less than {FIRM_TOTAL:g} standard errors from zero, "
                "so that shares are doubtful"
            )
        against = part.frame.loc[part.frame["worth"] < 0, "layer"]
        if len(against):
            yield (
                f"{part.group}: {', '.join(against)} worth less than nothing from plain to full, "
                "so that shares are no parts of a whole (of a number, full is the largest; see "
                "ends)"
            )
    yield "a layer with more attributes in the tasks gathers more: see per_attribute"
