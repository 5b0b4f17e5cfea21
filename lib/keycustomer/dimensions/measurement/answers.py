"""Answers to a survey as numbers that can be measured with.

Which questions were asked, on which scale, and who answered them?  :func:`read_answers` takes a
survey table as it stands (columns of text, marks for "no answer", items asked the other way
round) and gives :class:`Answers`, or says everything that is wrong at once.  Nothing is guessed:
a blank counts as not answered, any other mark only when it is named in `missing`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import pandas as pd

from keycustomer.customers.errors import quoted
from keycustomer.customers.rendering import counted, percent, report_html
from keycustomer.dimensions.complaints import did_you_mean, listed, refuse

Constructs: TypeAlias = Mapping[str, Sequence[str]]

FEWEST_RESPONDENTS = 10
"""Respondents below which nothing is measured: a correlation then says next to nothing."""

EXAMPLES = 3
"""Rows or names that a complaint shows."""


@dataclass(frozen=True, eq=False)
class Answers:
    """Answers to the items of a survey.

    Attributes
    ----------
    answers : DataFrame, shape (respondents, items)
        One row a respondent, with the index of the table; one column an item; NaN where it was
        not answered.  Reversed items are turned already.
    constructs : dict of str to tuple of str
        Items by construct; empty when plain items were asked for.
    low, high : float
        Ends of the scale; where they were not given, the smallest and the largest answer.
    unanswered : Series of int
        Answers missing, by item, of those who answered at least one item.
    silent : int
        Rows of the table without a single answer; they are left out.
    turned : tuple of str
        Items turned by `reverse`.
    notes : tuple of str
        What the reader should know of how the table was read.
    """

    answers: pd.DataFrame
    constructs: dict[str, tuple[str, ...]]
    low: float
    high: float
    unanswered: pd.Series
    silent: int
    turned: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())

    @property
    def items(self) -> tuple[str, ...]:
        """Items in the order asked for."""
        return tuple(self.answers.columns)

    @property
    def respondents(self) -> int:
        """Number of respondents who answered at least one item."""
        return len(self.answers)

    def of(self, construct: str) -> pd.DataFrame:
        """Answers to the items of one construct.

        Raises
        ------
        KeyError
            When there is no such construct.
        """
        if construct not in self.constructs:
            raise KeyError(f"no construct {construct!r}; there are {listed(self.constructs)}")
        return self.answers[list(self.constructs[construct])]

    def to_frame(self) -> pd.DataFrame:
        """One row an item: construct, item, answered, unanswered, mean, turned."""
        owner = {item: name for name, items in self.constructs.items() for item in items}
        return pd.DataFrame(
            {
                "construct": [owner.get(item, "") for item in self.items],
                "item": list(self.items),
                "answered": self.respondents - self.unanswered.to_numpy(),
                "unanswered": self.unanswered.to_numpy(),
                "mean": self.answers.mean().to_numpy(),
                "turned": [item in self.turned for item in self.items],
            }
        )

    def _repr_html_(self) -> str:
        said = f"{counted(self.respondents, 'respondent')}, {counted(len(self.items), 'item')}, "
        scale = f"scale {self.low:g} to {self.high:g}"
        return report_html("Answers", [said + scale, *self.notes], {"Items": self.to_frame()})


def read_answers(
    frame: pd.DataFrame,
    constructs_or_items: Constructs | Iterable[str],
    *,
    low: float | None = None,
    high: float | None = None,
    missing: object | Iterable[object] = (),
    reverse: Iterable[str] = (),
) -> Answers:
    """Read the items of a survey table as numbers.

    Parameters
    ----------
    frame : DataFrame
        One row a respondent; items may be numbers or text.  It is not changed.
    constructs_or_items : mapping of str to sequences of str, or iterable of str
        Items by construct, or plain items.
    low, high : float, optional
        Ends of the scale all the items share, both of them answers.  Left out, nothing is
        refused for lying outside and the ends are those of the answers.
    missing : value or iterable of values
        Marks of "not answered" beside blanks, such as ``-99`` or ``"no answer"``.
    reverse : iterable of str
        Items asked the other way round: an answer x is read as low + high - x.

    Returns
    -------
    Answers

    Raises
    ------
    ValueError
        With every complaint at once: items that are not in the table or are named twice, answers
        that are no numbers or outside the scale, items without an answer or with one and the same
        answer throughout, a scale that does not rise, too few respondents.
    """
    constructs, items = named_items(constructs_or_items)
    turned = (reverse,) if isinstance(reverse, str) else tuple(reverse)
    complaints = [
        *item_complaints(frame, constructs, items),
        *_scale_complaints(items, turned, low, high),
    ]
    columns = [item for item in dict.fromkeys(items) if _columns_called(frame, item) == 1]
    marks = _marks(missing)
    numbers: dict[str, pd.Series] = {}
    for item in columns:
        numbers[item], wrong = _as_numbers(frame[item], marks)
        complaints += _value_complaints(item, frame[item], numbers[item], wrong, low, high)
    given = pd.DataFrame(numbers, index=frame.index, columns=columns, dtype=float)
    answered = given[given.notna().any(axis=1)]
    if columns and len(answered) < FEWEST_RESPONDENTS:
        complaints.append(
            f"{counted(len(answered), 'respondent')} answered: at least {FEWEST_RESPONDENTS} are "
            "needed to measure anything"
        )
    refuse(complaints, "the survey cannot be read")
    ends = _ends(answered, low, high)
    for item in turned:
        answered[item] = ends[0] + ends[1] - answered[item]
    return _read(answered, constructs, ends, len(frame), turned, low is None or high is None)


def named_items(
    constructs_or_items: Constructs | Iterable[str],
) -> tuple[dict[str, tuple[str, ...]], tuple[str, ...]]:
    """Tell constructs and their items, or plain items, apart.

    Parameters
    ----------
    constructs_or_items : mapping of str to sequences of str, or iterable of str
        As in :func:`read_answers`.

    Returns
    -------
    constructs : dict of str to tuple of str
        Empty for plain items.
    items : tuple of str
        All items in order, as often as they are named.
    """
    if isinstance(constructs_or_items, Mapping):
        constructs = {
            str(name): (items,) if isinstance(items, str) else tuple(items)
            for name, items in constructs_or_items.items()
        }
        return constructs, tuple(item for items in constructs.values() for item in items)
    if isinstance(constructs_or_items, str):
        return {}, (constructs_or_items,)
    return {}, tuple(constructs_or_items)


def construct_items(constructs: Constructs) -> dict[str, tuple[str, ...]]:
    """Items by construct, each item in one construct.

    Parameters
    ----------
    constructs : mapping of str to sequences of str
        Construct -> its items.

    Raises
    ------
    ValueError
        When there are no constructs, one is without items, or an item is named twice.
    """
    named, items = named_items(constructs)
    if not named:
        raise ValueError(
            "constructs must name the items by construct, such as {'trust': ['trust_1', "
            "'trust_2', 'trust_3']}"
        )
    empty = [name for name, own in named.items() if not own]
    if empty:
        raise ValueError(f"constructs without items: {', '.join(map(repr, empty))}")
    twice = [item for item in dict.fromkeys(items) if items.count(item) > 1]
    if twice:
        raise ValueError(
            f"items named more than once: {', '.join(map(repr, twice))}; each may stand once, in "
            "one construct"
        )
    return named


def _columns_called(frame: pd.DataFrame, item: str) -> int:
    return int((frame.columns == item).sum())


def item_complaints(frame: pd.DataFrame, constructs: Constructs, items: Sequence[str]) -> list[str]:
    """Complain of items that are none, named twice, or not in the table (did you mean)."""
    if not items:
        return ["no items are named: give the columns that hold the answers"]
    complaints = [f"construct {c!r} has no items" for c, names in constructs.items() if not names]
    twice = [item for item in dict.fromkeys(items) if items.count(item) > 1]
    if twice:
        complaints.append(f"items named twice: {listed(twice)}; name each once, in one construct")
    for item in dict.fromkeys(items):
        found = _columns_called(frame, item)
        if found > 1:
            complaints.append(f"the table has {found} columns called {item!r}: rename them")
        if not found:
            complaints.append(f"item {item!r} is not in the table{_meant(item, frame)}")
    return complaints


def _meant(item: str, frame: pd.DataFrame) -> str:
    return did_you_mean(item, frame.columns) or f"; its columns are {listed(frame.columns, 8)}"


def _scale_complaints(
    items: Sequence[str], turned: Sequence[str], low: float | None, high: float | None
) -> list[str]:
    complaints = []
    if low is not None and high is not None and not low < high:
        complaints.append(f"low={low:g} and high={high:g}: the scale must rise from low to high")
    unknown = [item for item in turned if item not in items]
    if unknown:
        complaints.append(f"reverse names {listed(unknown)}, which is not among the items")
    if turned and (low is None or high is None):
        complaints.append("reverse needs the ends of the scale: give low and high, such as 1 and 7")
    return complaints


def _marks(missing: object) -> tuple[frozenset[float], frozenset[str]]:
    """Tell marks of "not answered" that are numbers from those that are words."""
    plural = isinstance(missing, Iterable) and not isinstance(missing, (str, bytes))
    marks = pd.Series(list(missing) if plural else [missing], dtype=object)  # type: ignore[call-overload]
    numbers = pd.to_numeric(marks, errors="coerce")
    words = marks[numbers.isna()].map(_text)
    return frozenset(numbers.dropna()), frozenset(words)


def _text(value: object) -> str:
    return str(value).strip()


def _as_numbers(
    column: pd.Series, marks: tuple[frozenset[float], frozenset[str]]
) -> tuple[pd.Series, pd.Series]:
    """Give the column as floats, and where it holds something that is no number."""
    plain = column if column.dtype.kind in "iufb" else column.astype(object)
    numbers = pd.to_numeric(plain, errors="coerce").astype(float)
    numbers = numbers.mask(numbers.isin(marks[0]))
    unread = ~np.isfinite(numbers) & column.notna()
    # a mark that is a number has just been emptied and is read once more
    rest = column[unread].astype(object)
    again = pd.to_numeric(rest, errors="coerce").isin(marks[0])
    said = ~again & ~rest.map(_text).isin({"", *marks[1]})
    return numbers, said.reindex(column.index, fill_value=False)


def _value_complaints(
    item: str,
    column: pd.Series,
    numbers: pd.Series,
    wrong: pd.Series,
    low: float | None,
    high: float | None,
) -> list[str]:
    if wrong.any():
        return [
            f"{item}: {_shown_rows(column, wrong)} no number; if it means 'not answered', name it "
            "in missing, as in missing=('no answer',)"
        ]
    outside = (numbers < (-math.inf if low is None else low)) | (
        numbers > (math.inf if high is None else high)
    )
    if outside.any():
        scale = (
            f"{'...' if low is None else f'{low:g}'} to {'...' if high is None else f'{high:g}'}"
        )
        return [
            f"{item}: {_shown_rows(column, outside)} outside the scale {scale}; correct low and "
            "high, or name marks of 'not answered' in missing, as in missing=(-99,)"
        ]
    return flat_complaints(item, numbers)


def column_complaints(frame: pd.DataFrame, item: str) -> list[str]:
    """Say why a column cannot be used as numbers: not there, twice, text, infinite, empty."""
    return item_complaints(frame, {}, [item]) or number_complaints(item, frame[item])


def number_complaints(item: str, column: pd.Series) -> list[str]:
    """Complain of text and infinite values in answers that should be numbers already."""
    if not column.notna().any():
        return flat_complaints(item, column)
    if column.dtype.kind in "iufb":
        endless = pd.Series(np.isinf(column.to_numpy(float, na_value=0.0)), column.index)
        return [f"{item}: {_shown_rows(column, endless)} infinite"] if endless.any() else []
    text = column.map(lambda value: isinstance(value, str))
    shown = _shown_rows(column, text if text.any() else column.notna())
    return [f"{item}: {shown} no number; read the survey by read_answers first"]


def flat_complaints(item: str, numbers: pd.Series) -> list[str]:
    """Complain of an item that nobody answered, or everybody in the same way."""
    given = numbers.dropna()
    if given.empty:
        return [f"{item}: nobody answered it; leave it out"]
    if given.min() == given.max():
        return [
            f"{item}: all {len(given):,} answers are {given.iloc[0]:g}; an item that never differs "
            "measures nothing, leave it out"
        ]
    return []


def _shown_rows(column: pd.Series, wrong: pd.Series) -> str:
    """Count and show the first wrong values: `2 answers ('often' in row 3, ...) are`."""
    first = column[wrong].head(EXAMPLES)
    shown = ", ".join(f"{quoted(value)} in row {row}" for row, value in first.items())
    more = ", ..." if wrong.sum() > EXAMPLES else ""
    return f"{counted(int(wrong.sum()), 'answer')} ({shown}{more}) {_is(int(wrong.sum()))}"


def _is(n: int) -> str:
    return "is" if n == 1 else "are"


def _ends(answered: pd.DataFrame, low: float | None, high: float | None) -> tuple[float, float]:
    values = answered.to_numpy()
    return (
        float(np.nanmin(values) if low is None else low),
        float(np.nanmax(values) if high is None else high),
    )


def _read(
    answered: pd.DataFrame,
    constructs: dict[str, tuple[str, ...]],
    ends: tuple[float, float],
    rows: int,
    turned: tuple[str, ...],
    assumed: bool,
) -> Answers:
    unanswered = answered.isna().sum().rename("unanswered")
    silent = rows - len(answered)
    holes = int(unanswered.sum())
    notes = [
        *([f"{counted(silent, 'row')} without any answer left out"] if silent else []),
        *([f"{counted(holes, 'answer')} missing ({_share(holes, answered)})"] if holes else []),
        *([f"turned round: {', '.join(turned)}"] if turned else []),
        *(["the ends of the scale are those of the answers"] if assumed else []),
    ]
    return Answers(answered, constructs, *ends, unanswered, silent, turned, tuple(notes))


def _share(holes: int, answered: pd.DataFrame) -> str:
    return f"{percent(holes / answered.size)} of the cells"
