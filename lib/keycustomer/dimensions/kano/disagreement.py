"""Do the methods agree? Kano classes of the same attributes, method beside method.

The table counts statements, the continuous scores weigh them, the contrasts look at satisfaction
instead.  :func:`compare_kano_methods` sets their classes side by side, measures how far each two
agree (share and Cohen's kappa), and, where the truth is known (simulated data), how often each is
right.

Source: Cohen, "A coefficient of agreement for nominal scales" (Educational and Psychological
Measurement 20, 1960); Mikulic & Prebezac, "A critical review of techniques for classifying quality
attributes in the Kano model" (Managing Service Quality 21(1), 2011), on the disagreement.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import counted, report_html
from keycustomer.dimensions.kano.classification import KanoClasses
from keycustomer.dimensions.kano.continuous import ContinuousKano
from keycustomer.dimensions.kano.contrasts import PenaltyReward
from keycustomer.dimensions.kano.evaluation import CLASS_NAMES
from keycustomer.stats.proportion import wilson_interval

Classified = KanoClasses | ContinuousKano | PenaltyReward | Mapping[str, str]
"""A result with classes, or the letter of the class by attribute."""

UNKNOWN = ""
"""Letter of an attribute that a method does not classify."""


@dataclass(frozen=True, eq=False)
class KanoDisagreement:
    """Classes of the same attributes by several methods.

    Attributes
    ----------
    frame : DataFrame
        One row an attribute: ``attribute``, one column a method (letter, empty where the method
        does not classify it), ``agree`` (whether all that classify it, at least two, say the same);
        ``truth`` where it is known.
    methods : tuple of str
        Names of the methods.
    agreement : DataFrame
        One row two methods: ``first``, ``second``, ``attributes`` (classified by both), ``same``,
        ``share_same``, ``kappa`` (1 full agreement, 0 what chance gives, NaN where both give all
        attributes one class).
    right : DataFrame
        One row a method where the truth is known, else empty: ``method``, ``attributes``,
        ``right``, ``share_right``, ``lower``, ``upper`` (Wilson, 95 %).
    """

    frame: pd.DataFrame = field(repr=False)
    methods: tuple[str, ...]
    agreement: pd.DataFrame = field(repr=False)
    right: pd.DataFrame = field(repr=False)

    @property
    def disputed(self) -> tuple[str, ...]:
        """Attributes on which the methods disagree."""
        return tuple(self.frame.loc[~self.frame["agree"], "attribute"])

    @property
    def sentence(self) -> str:
        """The disagreement in words."""
        n = len(self.frame)
        said = (
            f"{len(self.methods)} methods give the same class to {n - len(self.disputed)} of "
            f"{counted(n, 'attribute')}"
        )
        return f"{said}; they dispute {', '.join(self.disputed)}." if self.disputed else f"{said}."

    def to_frame(self) -> pd.DataFrame:
        """One row an attribute."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        tables = {
            "Classes by method": self.frame,
            "Agreement of each two methods": self.agreement,
            "Against the truth": self.right,
        }
        return report_html("Where the methods disagree", [self.sentence], tables)


def compare_kano_methods(
    methods: Mapping[str, Classified], *, truth: Mapping[str, str] | None = None
) -> KanoDisagreement:
    """Set the classes of several methods side by side.

    Parameters
    ----------
    methods : mapping of str to result or mapping
        By the name of the method: a result of `classify_kano`, `continuous_kano` or
        `penalty_reward`, or letters by attribute.
    truth : mapping of str to str, optional
        True letter by attribute.

    Returns
    -------
    KanoDisagreement

    Raises
    ------
    ValueError
        When there are fewer than two methods, a letter is unknown, or no attribute is classified
        by two methods.
    """
    if len(methods) < 2:
        raise ValueError(f"at least two methods are compared, got {len(methods)}")
    letters = {name: _letters(name, result) for name, result in methods.items()}
    known = _letters("truth", truth) if truth is not None else {}
    attributes = list(dict.fromkeys(a for classes in letters.values() for a in classes))
    frame = pd.DataFrame({"attribute": attributes})
    for name, classes in letters.items():
        frame[name] = [classes.get(attribute, UNKNOWN) for attribute in attributes]
    given = frame[list(letters)]
    frame["agree"] = [_all_same(row) for row in given.to_numpy()]
    if not ((given != UNKNOWN).sum(axis=1) > 1).any():
        raise ValueError("no attribute is classified by two methods; name the attributes alike")
    if truth is not None:
        frame["truth"] = [known.get(attribute, UNKNOWN) for attribute in attributes]
    agreement = pd.DataFrame([_pair(frame, *two) for two in combinations(letters, 2)])
    right = pd.DataFrame([_rightness(frame, name) for name in letters] if known else [])
    return KanoDisagreement(frame, tuple(letters), agreement, right)


def _letters(name: str, result: Classified) -> dict[str, str]:
    classes = dict(result) if isinstance(result, Mapping) else result.classes
    unknown = {a: c for a, c in classes.items() if c not in (*CLASS_NAMES, UNKNOWN)}
    if unknown:
        first = ", ".join(f"{a}: {c!r}" for a, c in list(unknown.items())[:3])
        raise ValueError(f"{name}: classes are {', '.join(CLASS_NAMES)}, got {first}")
    if name in ("attribute", "agree"):
        raise ValueError(f"a method cannot be called {name!r}; choose another name")
    return classes


def _all_same(row: np.ndarray) -> bool:
    given = [letter for letter in row if letter != UNKNOWN]
    return len(given) > 1 and len(set(given)) == 1


def _pair(frame: pd.DataFrame, first: str, second: str) -> dict[str, object]:
    both = frame[(frame[first] != UNKNOWN) & (frame[second] != UNKNOWN)]
    same = int((both[first] == both[second]).sum())
    return {
        "first": first,
        "second": second,
        "attributes": len(both),
        "same": same,
        "share_same": same / len(both) if len(both) else np.nan,
        "kappa": cohens_kappa(both[first], both[second]),
    }


def cohens_kappa(first: pd.Series, second: pd.Series) -> float:
    """Agreement of two classifications beyond chance (Cohen 1960).

    Parameters
    ----------
    first, second : Series of str
        Classes of the same things in the same order.

    Returns
    -------
    float
        1 full agreement, 0 as much as chance; NaN where chance agrees fully or nothing is given.
    """
    if not len(first):
        return np.nan
    share_same = float((first.to_numpy() == second.to_numpy()).mean())
    shares = [column.value_counts(normalize=True) for column in (first, second)]
    chance = float(shares[0].mul(shares[1], fill_value=0.0).sum())
    return (share_same - chance) / (1 - chance) if chance < 1 else np.nan


def _rightness(frame: pd.DataFrame, method: str) -> dict[str, object]:
    known = frame[(frame["truth"] != UNKNOWN) & (frame[method] != UNKNOWN)]
    right = int((known[method] == known["truth"]).sum())
    lower, upper = wilson_interval(right, len(known))
    return {
        "method": method,
        "attributes": len(known),
        "right": right,
        "share_right": right / len(known) if len(known) else np.nan,
        "lower": float(lower),
        "upper": float(upper),
    }
