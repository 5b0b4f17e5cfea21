"""Cases side by side: the same measures, and what lies between them.

Question: in what do these cases differ by more than their intervals leave open?

- :func:`compare_cases`: outputs of cases make a :class:`ComparedCases`.
- :func:`mover_difference`: the interval of a difference from two estimates with theirs.

Numbers are set against each other only where they mean the same: the same measure and group, the
same unit, the same currency.  An interval of a difference supposes that the two samples are
independent and that both intervals have the same level; two outputs that read the same data get
none.  Many differences are looked at together: of those whose true value is zero, about one in
twenty will seem to differ by chance, and not one by one, since measures of a case rest on the same
customers.  That two cases differ does not say why.

Sources: Zou, G. Y. & Donner, A. (2008), "Construction of confidence limits about effect measures: a
general approach", Statistics in Medicine 27, 1693-1702 (MOVER: method of variance estimates
recovery), section 2.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any, Literal

import numpy as np
import pandas as pd

from keycustomer.casework.across.outputs import RESULTS, CaseOutput
from keycustomer.casework.errors import CaseError, did_you_mean
from keycustomer.casework.measures import MEASURES
from keycustomer.customers.rendering import sentence_html

KEYS = ["chapter", "measure", "group"]
"""What tells one measure from another."""

CHANCE = 0.05
"""Share of true differences of zero that an interval of 95 % leaves out."""

Finding = Literal["higher", "lower", "not told apart", ""]

_VALUES = ["estimate", "lower", "upper"]
_ASSUMED = "assumed"


@dataclass(frozen=True, eq=False)
class ComparedCases:
    """Measures of several cases side by side.

    Attributes
    ----------
    cases : DataFrame
        One row a case: case (its label), name, title, simulated, currency, chapters, made, folder.
    frame : DataFrame
        One row a measure, group and case: chapter, measure, group, case, simulated, unit,
        estimate, lower, upper, truth, n, method.
    differences : DataFrame
        One row a measure, group and pair: chapter, measure, group, case, reference, simulated
        (whether the data of either are made up), unit, difference (case less reference), lower,
        upper, finding (`higher`, `lower`, `not told apart`; empty without an interval), why (what
        stands against a difference or its interval).
    """

    cases: pd.DataFrame
    frame: pd.DataFrame = field(repr=False)
    differences: pd.DataFrame = field(repr=False)

    def to_frame(self) -> pd.DataFrame:
        """Measures by rows and cases by columns.

        Columns: chapter, measure, group, unit, then for each case its estimate, lower and upper.
        A unit that differs between cases is given as all of them.
        """
        keys = self.frame[KEYS].drop_duplicates()
        units = self.frame.groupby(KEYS, sort=False)["unit"].agg(_all_units)
        table = keys.merge(units.reset_index(), on=KEYS, how="left")
        for case in self.cases["case"]:
            own = self.frame[self.frame["case"] == case]
            named = {name: f"{case} {name}" for name in _VALUES}
            table = table.merge(own[KEYS + _VALUES].rename(columns=named), on=KEYS, how="left")
        return table

    @property
    def shared(self) -> pd.DataFrame:
        """Rows of measures that at least two cases report."""
        known = self.frame[self.frame["estimate"].notna()]
        counts = known.groupby(KEYS)["case"].transform("nunique")
        return known[counts > 1]

    @property
    def sentences(self) -> tuple[str, ...]:
        """What was compared and found."""
        shared = self.shared[KEYS].drop_duplicates()
        all_rows = self.frame[KEYS].drop_duplicates()
        told = self.differences[self.differences["finding"] != ""]
        apart = told[told["finding"] != "not told apart"]
        lines = [
            f"{len(self.cases)} cases: {', '.join(self.cases['case'])}; "
            f"{_of(len(shared), len(all_rows), 'number')} reported by at least two of them."
        ]
        if len(told):
            lines.append(
                f"{_of(len(apart), len(told), 'difference')} with an interval "
                f"{'lies' if len(apart) == 1 else 'lie'} away from zero; were all true differences "
                f"zero, about {_about(CHANCE * len(told))} would by chance, several at once since "
                "measures of a case rest on the same customers. That cases differ does not say why."
            )
        without = self.differences.loc[self.differences["finding"] == "", "why"]
        counts = without.value_counts()
        lines += [f"{why[:1].upper()}{why[1:]}: {counts[why]}." for why in map(str, counts.index)]
        made_up = list(self.cases.loc[self.cases["simulated"], "case"])
        if made_up:
            lines.append(f"Simulated: {', '.join(made_up)}.")
        return tuple(lines)

    @property
    def sentence(self) -> str:
        """What was compared and found, in one or two sentences."""
        return " ".join(self.sentences[:2])

    def _repr_html_(self) -> str:
        return sentence_html(self.sentence)


def mover_difference(
    first: tuple[float, float, float], second: tuple[float, float, float]
) -> tuple[float, float, float]:
    """Difference of two independent estimates with the interval that theirs imply.

    Parameters
    ----------
    first, second : (float, float, float)
        Estimate, lower and upper end; both intervals of one level.

    Returns
    -------
    (float, float, float)
        First less second, and the ends of its interval; NaN ends where an interval is unknown or
        does not hold its estimate.

    Notes
    -----
    Zou & Donner (2008), equation 5: the distance of each end is the root of the squared distances
    of the two ends that pull the difference there, so that intervals may be lopsided.

    Examples
    --------
    >>> mover_difference((5.0, 2.0, 8.0), (1.0, -3.0, 5.0))
    (4.0, -1.0, 9.0)
    """
    (one, low_one, high_one), (two, low_two, high_two) = first, second
    difference = one - two
    held = low_one <= one <= high_one and low_two <= two <= high_two
    if not held:
        return difference, math.nan, math.nan
    lower = difference - math.hypot(one - low_one, high_two - two)
    upper = difference + math.hypot(high_one - one, two - low_two)
    return difference, lower, upper


def compare_cases(
    outputs: Sequence[CaseOutput], *, measures: Sequence[str] = (), pairwise: bool = False
) -> ComparedCases:
    """Set the measures of cases side by side.

    Parameters
    ----------
    outputs : sequence of CaseOutput
        Two or more; the first is what the others are set against.
    measures : sequence of str
        Names of measures, or `name[group]`; empty: all.
    pairwise : bool
        Whether every pair is compared, not only each case with the first.

    Returns
    -------
    ComparedCases

    Raises
    ------
    CaseError
        When there are fewer than two outputs, one is given twice, or no case reports a measure.
    """
    _check_outputs(outputs)
    labels = _labels(outputs)
    frame = pd.concat(
        [_rows(output, label) for output, label in zip(outputs, labels, strict=True)],
        ignore_index=True,
    )
    frame = _in_order(_chosen(frame, measures))
    labelled = dict(zip(labels, outputs, strict=True))
    pairs = (
        list(combinations(labels, 2)) if pairwise else [(labels[0], name) for name in labels[1:]]
    )
    rows = [row for pair in pairs for row in _differences(frame, *pair, labelled)]
    differences = pd.DataFrame(rows, columns=_DIFFERENCE_COLUMNS)
    return ComparedCases(_case_rows(labelled), frame, differences)


_DIFFERENCE_COLUMNS = [
    *KEYS, "case", "reference", "simulated", "unit", "difference", "lower", "upper", "finding",
    "why",
]  # fmt: skip


def _check_outputs(outputs: Sequence[CaseOutput]) -> None:
    if len(outputs) < 2:
        raise CaseError(
            f"to compare, name at least two cases that have been run; got {len(outputs)}"
        )
    counts = Counter(output.folder for output in outputs)
    twice = [str(folder) for folder, count in counts.items() if count > 1]
    if twice:
        raise CaseError(f"{twice[0]} is given twice; a case cannot be compared with itself")
    repeated = [text for output in outputs for text in _repeated(output)]
    if repeated:
        raise CaseError(*repeated)


def _repeated(output: CaseOutput) -> Iterator[str]:
    """Say which measure stands twice in an output."""
    rows = output.measures
    for row in rows[rows.duplicated(KEYS)].to_dict("records"):
        group = f"[{row['group']}]" if row["group"] else ""
        yield (
            f"{output.folder / RESULTS}: {row['measure']}{group} of chapter {row['chapter']} "
            "stands there twice; run the case again with --force"
        )


def _labels(outputs: Sequence[CaseOutput]) -> list[str]:
    """Names of the cases, numbered where two have the same."""
    counts = Counter(output.name for output in outputs)
    seen: Counter[str] = Counter()
    labels = []
    for output in outputs:
        seen[output.name] += 1
        several = counts[output.name] > 1
        labels.append(f"{output.name} ({seen[output.name]})" if several else output.name)
    return labels


def _case_rows(labelled: dict[str, CaseOutput]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "case": label,
                "name": output.name,
                "title": output.title,
                "simulated": output.simulated,
                "currency": output.currency,
                "chapters": len(output.chapters),
                "made": str(output.run.get("ended") or output.run.get("started") or ""),
                "folder": output.folder,
            }
            for label, output in labelled.items()
        ]
    )


def _rows(output: CaseOutput, label: str) -> pd.DataFrame:
    """Measures of a case, with the unit of its money spelled out."""
    frame = output.measures
    unit = frame["unit"].map(lambda text: in_currency(str(text), output.currency))
    return frame.assign(case=label, simulated=output.simulated, unit=unit)[
        [*KEYS, "case", "simulated", "unit", *_VALUES, "truth", "n", "method"]
    ]


def in_currency(unit: str, currency: str) -> str:
    """Return a unit with the case's currency for the word.

    Examples
    --------
    >>> in_currency("currency per customer", "EUR")
    'EUR per customer'
    """
    known = currency not in ("", "none")
    return " ".join(currency if word == "currency" and known else word for word in unit.split(" "))


def _chosen(frame: pd.DataFrame, measures: Sequence[str]) -> pd.DataFrame:
    if not measures:
        return frame
    wanted = [_measure_and_group(text, frame) for text in measures]
    kept = np.zeros(len(frame), dtype=bool)
    for name, group in wanted:
        own = (frame["measure"] == name).to_numpy(dtype=bool)
        kept |= own if group is None else own & (frame["group"] == group).to_numpy(dtype=bool)
    return frame[kept].reset_index(drop=True)


def _measure_and_group(text: str, frame: pd.DataFrame) -> tuple[str, str | None]:
    """Read `name` or `name[group]`, and refuse what no case reports."""
    name, bracket, rest = text.strip().partition("[")
    reported = sorted(set(frame["measure"]))
    if name not in reported:
        known = {measure for chapter in MEASURES.values() for measure in chapter}
        why = "none of these cases reports it" if name in known else "there is no such measure"
        raise CaseError(
            f"measure {name!r}: {why}{did_you_mean(name, reported)}; "
            f"they report: {', '.join(reported)}"
        )
    if not bracket:
        return name, None
    group = rest.removesuffix("]")
    groups = sorted(set(frame.loc[frame["measure"] == name, "group"]))
    if group not in groups:
        raise CaseError(
            f"measure {name!r} has no group {group!r}{did_you_mean(group, groups)}; "
            f"it has: {', '.join(groups)}"
        )
    return name, group


def _in_order(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows by chapter and measure as the vocabulary has them, groups as they come."""
    places = {
        (chapter, name): place
        for place, (chapter, name) in enumerate(
            (chapter, name) for chapter, names in MEASURES.items() for name in names
        )
    }
    order = [
        places.get(pair, len(places))
        for pair in zip(frame["chapter"], frame["measure"], strict=True)
    ]
    groups = frame.groupby(KEYS, sort=False).ngroup()
    sorted_rows = frame.assign(order=order, within=groups).sort_values(
        ["order", "within"], kind="stable"
    )
    return sorted_rows.drop(columns=["order", "within"]).reset_index(drop=True)


def _differences(
    frame: pd.DataFrame, reference: str, case: str, labelled: dict[str, CaseOutput]
) -> Iterator[dict[str, Any]]:
    """Differences of a case from a reference, one a measure and group that both report."""
    own, other = (frame[frame["case"] == label] for label in (case, reference))
    both = own.merge(other, on=KEYS, suffixes=("", "_reference"))
    both = both[both["estimate"].notna() & both["estimate_reference"].notna()]
    dependent = _same_data(labelled[case], labelled[reference])
    for row in both.to_dict("records"):
        yield {
            **{key: row[key] for key in KEYS},
            "case": case,
            "reference": reference,
            "simulated": labelled[case].simulated or labelled[reference].simulated,
            **_difference(row, dependent),
        }


def _difference(row: dict[Any, Any], dependent: bool) -> dict[str, Any]:
    """Return one difference, its interval and what can be said, or why nothing can."""
    nothing = {"unit": "", "difference": math.nan, "lower": math.nan, "upper": math.nan}
    units = row["unit"], row["unit_reference"]
    if scale_of(units[0]) != scale_of(units[1]):
        return {**nothing, "finding": "", "why": "no difference across currencies or units"}
    if len({_ASSUMED in unit.split() for unit in units}) > 1:
        why = "no difference between what was measured and what rests on an assumed margin"
        return {**nothing, "finding": "", "why": why}
    first = tuple(float(row[name]) for name in _VALUES)
    second = tuple(float(row[f"{name}_reference"]) for name in _VALUES)
    difference, lower, upper = mover_difference(first, second)  # type: ignore[arg-type]
    why = ""
    if dependent:
        lower = upper = math.nan
        why = "no interval of a difference between two runs on the same data"
    elif math.isnan(lower):
        why = "no interval of a difference where an estimate has none"
    elif lower == upper:
        lower = upper = math.nan
        why = "both numbers are fixed by what they measure, without an error of sampling"
    values = {"difference": difference, "lower": lower, "upper": upper}
    return {"unit": row["unit"], **values, "finding": _finding(lower, upper), "why": why}


def _finding(lower: float, upper: float) -> Finding:
    if math.isnan(lower) or math.isnan(upper):
        return ""
    if lower > 0:
        return "higher"
    return "lower" if upper < 0 else "not told apart"


def scale_of(unit: str) -> str:
    """Return what two units share if their numbers can be subtracted."""
    plain = " ".join(unit.lower().split())
    return "share" if plain.startswith("share") else plain


def _same_data(first: CaseOutput, second: CaseOutput) -> bool:
    """Whether two outputs read a common input, so that their estimates are not independent."""
    return bool(_inputs(first) & _inputs(second))


def _inputs(output: CaseOutput) -> set[str]:
    rows = output.run.get("inputs") or ()
    return {str(row["sha256"]) for row in rows if row.get("sha256")}


def _all_units(units: pd.Series) -> str:
    return " / ".join(dict.fromkeys(map(str, units)))


def _about(expected: float) -> str:
    """Write a number to expect: whole, with a decimal where it is small."""
    return f"{expected:.0f}" if expected >= 1.95 else f"{expected:.1f}"


def _of(count: int, total: int, noun: str) -> str:
    return f"{count:,} of {total:,} {noun}{'' if total == 1 else 's'}"
