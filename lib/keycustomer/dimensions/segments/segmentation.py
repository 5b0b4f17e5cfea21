"""Segments of customers: who is in which, what marks each, and where a new customer belongs.

:func:`segment_customers` cuts customers into a number of segments that :func:`segment_numbers` has
shown to be worth it.  The labels are the same at every run: segments are sorted by size, or by the
mean of a value, and numbered from 1, and each has a name made of the traits that set it off most.
:meth:`Segmentation.place` puts customers who took no part where the rule would have put them.

Sources: Dolnicar, Grün & Leisch, "Market Segmentation Analysis" (2018), chapters 7 and 8.
"""

from __future__ import annotations

import html
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from keycustomer.dimensions.segments.numbers import one_thread
from keycustomer.dimensions.segments.partitions import (
    STARTS,
    Drawn,
    Partition,
    check_different,
    check_method,
    fit_partitions,
)
from keycustomer.dimensions.segments.variables import SegmentVariables, Variable
from keycustomer.stats import finite_values
from keycustomer.stats.bootstrap import Seed
from keycustomer.stats.samples import FloatArray, Values

FITTED_ON = 5000
"""Customers a segmentation is fitted on; all others of a larger base are placed by its rule."""

SALIENT = 0.3
"""Standardised difference from which a trait goes into a segment's name."""

TRAITS = 2
"""Traits in a name."""


@dataclass(frozen=True, eq=False)
class Segmentation:
    """Customers in segments.

    Attributes
    ----------
    variables : SegmentVariables
        What the customers were described by.
    partition : Partition
        The rule.
    labels : ndarray of int, shape (customers,)
        Segment of each customer, 0 the first.
    frame : DataFrame
        One row a customer: ``customer_id``, ``segment`` (1 the first), ``name``, ``certainty``
        (mixtures: probability of the segment; k-means: 0 on the border of two segments, 1 in the
        centre of one).
    segments : DataFrame
        One row a segment: ``segment``, ``name``, ``customers``, ``share``, ``certainty`` (mean);
        with a value also ``value`` (sum), ``value_share`` and ``value_mean``.
    profiles : DataFrame
        One row a segment and code: ``segment``, ``name``, ``kind``, ``variable``, ``level``,
        ``mean`` (in the variable's own unit; for a level its share), ``overall``, ``difference``
        (in standard deviations over all customers).
    value : str
        What `value` is; empty without.
    fitted_on : int
        Customers the rule was fitted on.
    """

    variables: SegmentVariables = field(repr=False)
    partition: Partition = field(repr=False)
    labels: np.ndarray = field(repr=False)
    frame: pd.DataFrame = field(repr=False)
    segments: pd.DataFrame
    profiles: pd.DataFrame = field(repr=False)
    value: str
    fitted_on: int

    @property
    def method(self) -> str:
        """How the segments were found."""
        return self.partition.method

    @property
    def names(self) -> list[str]:
        """Names of the segments in order."""
        return self.segments["name"].tolist()

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know."""
        known = self.variables.notes
        if self.fitted_on == len(self.variables):
            return known
        rule = (
            f"fitted on {self.fitted_on:,} of {len(self.variables):,} customers, drawn by chance; "
            "the others are placed by the rule"
        )
        return (*known, rule)

    def place(self, frame: pd.DataFrame, *, customer_id: str = "customer_id") -> pd.DataFrame:
        """Place new customers by the rule of these segments.

        Parameters
        ----------
        frame : DataFrame
            One row a customer, with every variable; values not known count as average.
        customer_id : str
            Column with the id; without it, the index names the customers.

        Returns
        -------
        DataFrame
            As `frame` of the segmentation.

        Raises
        ------
        ValueError
            When columns are missing or a number is none.
        """
        ids = frame[customer_id] if customer_id in frame.columns else frame.index.to_series()
        variables = self.variables
        plain = variables.read_again(frame)
        drawn = self._drawn(plain)
        return _placed(ids.to_numpy(), self.partition, drawn, self.names)

    def _drawn(self, plain: FloatArray) -> Drawn:
        mixture = self.partition.mixture
        design = None if mixture is None else mixture.design
        return Drawn.of(replace(self.variables, plain=plain), self.method, design)

    def to_frame(self) -> pd.DataFrame:
        """One row a customer, a copy of `frame`."""
        return self.frame.copy()

    def traits(self, segment: int, count: int = 5) -> pd.DataFrame:
        """List what marks a segment most, by standardised difference.

        Parameters
        ----------
        segment : int
            Number of the segment, 1 the first.
        count : int
            Rows at most.

        Raises
        ------
        ValueError
            When there is no such segment.
        """
        if segment not in set(self.segments["segment"]):
            raise ValueError(f"segment={segment!r}: 1 to {len(self.segments)} is needed")
        own = self.profiles[self.profiles["segment"] == segment]
        order = own["difference"].abs().sort_values(ascending=False, kind="stable").index
        return own.loc[order].head(count).reset_index(drop=True)

    def _repr_html_(self) -> str:
        table = self.segments.to_html(index=False, escape=True, float_format="{:,.3f}".format)
        head = f"{len(self.segments)} segments of {len(self.variables):,} customers, {self.method}."
        return "".join(f"<p>{html.escape(one)}</p>" for one in (head, *self.notes)) + table


def segment_customers(
    variables: SegmentVariables,
    segments: int,
    *,
    method: str = "k-means",
    value: Values | None = None,
    sort_by: str = "size",
    seed: Seed = 0,
) -> Segmentation:
    """Cut customers into segments.

    Parameters
    ----------
    variables : SegmentVariables
        From :func:`read_variables`.
    segments : int
        Number of segments, from 1.
    method : {"k-means", "mixture", "latent class"}
        How segments are found.
    value : Series, array or sequence, optional
        What each customer brings, in the order of `variables.customers` (a series by customer id
        is matched), for the value of each segment.
    sort_by : {"size", "value"}
        Order of the segments: by customers, or by mean value.
    seed : int or Generator
        The same seed gives the same segments.

    Returns
    -------
    Segmentation

    Raises
    ------
    ValueError
        When an argument makes no sense.
    """
    _check(variables, segments, method, value, sort_by)
    worth = None if value is None else _worth(value, variables)
    generator = np.random.default_rng(seed)
    drawn = Drawn.of(variables, method)
    few = _some(drawn, generator)
    with one_thread():
        once = np.ones((1, len(few)))
        rule = fit_partitions(few, segments, once, starts=STARTS, generator=generator, fine=True)[0]
        labels = rule.labels(drawn)
    counts = np.bincount(labels, minlength=segments).astype(float)
    by = counts if worth is None or sort_by == "size" else _means(labels, worth, segments)
    rule = rule.ordered(np.argsort(-by, kind="stable"))
    return _described(variables, rule, drawn, worth, getattr(value, "name", None), len(few))


def _check(
    variables: SegmentVariables, segments: int, method: str, value: Values | None, sort_by: str
) -> None:
    check_method(variables, method)
    most = len(variables) // 5
    if isinstance(segments, bool) or segments != int(segments) or not 1 <= segments <= most:
        raise ValueError(
            f"segments={segments!r}: a whole number from 1 to {most} is needed with "
            f"{len(variables):,} customers (five a segment)"
        )
    check_different(variables, int(segments))
    if sort_by not in ("size", "value") or (sort_by == "value" and value is None):
        raise ValueError(f"sort_by={sort_by!r}: 'size', or 'value' together with value=...")


def _worth(value: Values, variables: SegmentVariables) -> FloatArray:
    """Value of every customer; a series whose index holds the ids is matched by them."""
    ids = pd.Index(variables.customers)
    if isinstance(value, pd.Series) and not value.index.equals(pd.RangeIndex(len(value))):
        missing = ids.difference(value.index)
        if len(missing):
            first = ", ".join(map(repr, missing[:3]))
            raise ValueError(f"value: no value of customer {first} ({len(missing):,} customers)")
        value = value.reindex(ids)
    worth = finite_values(value, "value")
    if worth.size != len(ids):
        raise ValueError(
            f"value: {worth.size:,} values for {len(ids):,} customers; give a series by customer id"
        )
    return worth


def _some(drawn: Drawn, generator: np.random.Generator) -> Drawn:
    if len(drawn) <= FITTED_ON:
        return drawn
    rows = np.sort(generator.choice(len(drawn), FITTED_ON, replace=False))
    coded = drawn.coded[rows]
    return Drawn(
        drawn.method, coded if drawn.design is None else drawn.rows[rows], coded, drawn.design
    )


def _means(labels: np.ndarray, values: FloatArray, segments: int) -> FloatArray:
    counts = np.bincount(labels, minlength=segments)
    sums = np.bincount(labels, weights=values, minlength=segments)
    return sums / np.maximum(counts, 1)


def _described(
    variables: SegmentVariables,
    rule: Partition,
    drawn: Drawn,
    worth: FloatArray | None,
    value: object,
    fitted_on: int,
) -> Segmentation:
    labels = rule.labels(drawn)
    profiles = _profiles(variables, labels, rule.segments)
    names = _names(profiles, rule.segments)
    profiles.insert(1, "name", [names[one - 1] for one in profiles["segment"]])
    frame = _placed(variables.customers, rule, drawn, names)
    table = _sizes(frame, labels, names, worth)
    said = "" if worth is None else str(value or "value")
    return Segmentation(variables, rule, labels, frame, table, profiles, said, fitted_on)


def _placed(ids: np.ndarray, rule: Partition, drawn: Drawn, names: list[str]) -> pd.DataFrame:
    labels = rule.labels(drawn)
    return pd.DataFrame(
        {
            "customer_id": ids,
            "segment": labels + 1,
            "name": np.array(names, dtype=object)[labels],
            "certainty": rule.certainty(drawn),
        }
    )


def _sizes(
    frame: pd.DataFrame, labels: np.ndarray, names: list[str], worth: FloatArray | None
) -> pd.DataFrame:
    count = len(names)
    customers = np.bincount(labels, minlength=count)
    table = pd.DataFrame(
        {
            "segment": np.arange(1, count + 1),
            "name": names,
            "customers": customers,
            "share": customers / len(labels),
            "certainty": _means(labels, frame["certainty"].to_numpy(), count),
        }
    )
    if worth is not None:
        table["value"] = np.bincount(labels, weights=worth, minlength=count)
        total = table["value"].sum()
        table["value_share"] = table["value"] / total if total > 0 else np.nan
        table["value_mean"] = _means(labels, worth, count)
    return table


def _profiles(variables: SegmentVariables, labels: np.ndarray, segments: int) -> pd.DataFrame:
    """Means of every code in every segment, in the variables' units and standardised."""
    plain = variables.plain
    counts = np.bincount(labels, minlength=segments)
    sums = np.zeros((segments, plain.shape[1]))
    np.add.at(sums, labels, plain)
    means = sums / np.maximum(counts, 1)[:, None]
    overall, spread = plain.mean(axis=0), plain.std(axis=0)
    difference = (means - overall) / spread
    rows: list[dict[str, Any]] = []
    for segment in range(segments):
        code = 0
        for variable in variables.variables:
            for level in variable.levels or ("",):
                rows.append(
                    {
                        "segment": segment + 1,
                        "kind": variable.kind,
                        "variable": variable.name,
                        "level": level,
                        "mean": _in_unit(variable, means[segment, code]),
                        "overall": _in_unit(variable, overall[code]),
                        "difference": difference[segment, code],
                    }
                )
                code += 1
    return pd.DataFrame(rows)


def _in_unit(variable: Variable, value: float) -> float:
    """Mean in the variable's unit; of logarithms, the value at the mean logarithm."""
    if variable.levels:
        return float(value)
    number = variable.centre + variable.spread * value
    return float(np.expm1(number) if variable.logged else number)


def _names(profiles: pd.DataFrame, segments: int) -> list[str]:
    """Name each segment by its most salient traits; more of them where two would be the same."""
    names: list[str] = []
    for segment in range(1, segments + 1):
        own = profiles[profiles["segment"] == segment]
        own = own[own["difference"].abs() >= SALIENT]
        order = own["difference"].abs().sort_values(ascending=False, kind="stable").index
        traits = [_trait(row) for row in own.loc[order].drop_duplicates("variable").itertuples()]
        name = ", ".join(traits[:TRAITS]) or "average"
        for more in range(TRAITS + 1, len(traits) + 1):
            if name not in names:
                break
            name = ", ".join(traits[:more])
        names.append(name if name not in names else f"{name} ({segment})")
    return names


def _trait(row: Any) -> str:
    name = str(row.variable).replace("_", " ")
    if row.level:
        return f"{name} {row.level}" if row.difference > 0 else f"not {name} {row.level}"
    return f"{'high' if row.difference > 0 else 'low'} {name}"
