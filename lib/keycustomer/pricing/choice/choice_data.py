"""Choice tasks as they were answered: who chose which alternative at which price.

Question: are these rows whole tasks in which exactly one alternative was chosen, and what does each
alternative offer?  :func:`read_choices` takes a prepared base with the table `choices`, or any long
table (one row an alternative in a task), checks it and gives a :class:`ChoiceData`, from which the
logit models are fitted.  Tasks may show different numbers of alternatives.  The option to take none
of the offers has no attributes and no price; it is known by its label.

Source: Train, "Discrete Choice Methods with Simulation" (2009), chapters 2 and 3.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.customers.base import CustomerBase
from keycustomer.customers.rendering import counted, report_html
from keycustomer.pricing.choice.task_checks import complaints_about, left_out, numbers_of
from keycustomer.simulate.choice_tasks import CHOICE_LEVELS, NONE

IntArray = npt.NDArray[np.int64]

KEYS = ("respondent_id", "task", "alternative", "chosen")
"""Columns that every table of choices has."""

MOST_LEVELS = 30
"""Different numbers beyond which an attribute is one measured, not one of levels."""

NONE_COLUMN = "is_none"
"""Column of :attr:`ChoiceData.frame` that marks the option to take none of the offers."""


@dataclass(frozen=True, eq=False)
class ChoiceData:
    """Answered choice tasks.

    Attributes
    ----------
    frame : DataFrame
        One row an alternative, the rows of a task together: respondent_id, task, alternative,
        chosen, is_none, the price, the attributes, and what else is known of the respondent.
    price : str
        Column of the price.
    attributes : tuple of str
        Columns of what the alternatives offer beside the price.
    levels : dict of str to tuple of str
        Levels of the attributes that are no numbers, the reference first.
    excluded : DataFrame
        what, tasks that were left out.
    notes : tuple of str
        What a reader should know.
    simulated : bool
        Whether the data are made up.
    currency : str
        Currency of the price; empty where not known.
    """

    frame: pd.DataFrame = field(repr=False)
    price: str
    attributes: tuple[str, ...]
    levels: dict[str, tuple[str, ...]]
    excluded: pd.DataFrame = field(repr=False)
    notes: tuple[str, ...] = ()
    simulated: bool = False
    currency: str = ""

    @property
    def starts(self) -> IntArray:
        """First row of each task, shape (tasks,)."""
        return task_starts(self.frame)

    @property
    def tasks(self) -> int:
        """Number of tasks."""
        return len(self.starts)

    @property
    def respondents(self) -> int:
        """Number of respondents."""
        return int(self.frame["respondent_id"].nunique())

    @property
    def alternatives(self) -> tuple[str, ...]:
        """Labels of the alternatives, in the order in which they first appear."""
        return tuple(self.frame["alternative"].astype(str).unique())

    @property
    def has_none(self) -> bool:
        """Whether a task lets the respondent take none of the offers."""
        return bool(self.frame[NONE_COLUMN].any())

    @property
    def sentence(self) -> str:
        """The data in one sentence."""
        made_up = "Simulated: " if self.simulated else ""
        none = " and may take none" if self.has_none else ""
        return (
            f"{made_up}{counted(self.respondents, 'respondent')} answered "
            f"{counted(self.tasks, 'task')} of {_sizes(self.starts, len(self.frame))}{none}."
        )

    def where(self, kept: npt.ArrayLike) -> ChoiceData:
        """Keep the rows marked True; whole tasks, or tasks without some alternatives.

        Parameters
        ----------
        kept : array of bool, shape (rows,)
            A task that loses the chosen alternative, or all but one, goes altogether.
        """
        frame = self.frame[np.asarray(kept, dtype=bool)]
        task = pd.MultiIndex.from_frame(frame[["respondent_id", "task"]]).factorize()[0]
        whole = (np.bincount(task) > 1) & (np.bincount(task, weights=frame["chosen"]) == 1)
        return replace(self, frame=frame[whole[task]].reset_index(drop=True))

    def to_frame(self) -> pd.DataFrame:
        """One row an alternative in a task."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        rows = [
            (name, ", ".join(self.levels[name]) if name in self.levels else "a number")
            for name in (self.price, *self.attributes)
        ]
        shown = pd.DataFrame(rows, columns=["attribute", "levels, the reference first"])
        tables = {"Attributes": shown, "Tasks left out": self.excluded}
        return report_html("Choice tasks", [self.sentence, *self.notes], tables)


def task_starts(frame: pd.DataFrame) -> IntArray:
    """First row of each task where the rows of a task stand together, shape (tasks,)."""
    respondent = pd.factorize(frame["respondent_id"])[0]
    task = pd.factorize(frame["task"])[0]
    new = (np.diff(respondent, prepend=-1) != 0) | (np.diff(task, prepend=-1) != 0)
    return np.flatnonzero(new)


def read_choices(
    choices: CustomerBase | pd.DataFrame,
    *,
    price: str = "price",
    attributes: Sequence[str] | None = None,
    levels: Mapping[str, Sequence[str]] | None = None,
    none: str | None = NONE,
    traits: pd.DataFrame | pd.Series | None = None,
    columns: Mapping[str, str] | None = None,
    broken: Literal["refuse", "exclude"] = "refuse",
    currency: str | None = None,
    simulated: bool = False,
) -> ChoiceData:
    """Read answered choice tasks and check them.

    Parameters
    ----------
    choices : CustomerBase or DataFrame
        A prepared base with the table choices, or one row an alternative in a task with
        respondent_id, task, alternative, chosen (true, false, 1, 0), the price and attributes.
    price : str
        Column of the price, entered as paid: what costs more is a larger number.
    attributes : sequence of str, optional
        Columns of what the alternatives offer; default: all that differ between the alternatives of
        a task, beside the price.  Others are taken for what is known of the respondents.
    levels : mapping of str to sequence of str, optional
        Levels of attributes in their order, the reference first; an attribute named here counts as
        one of levels even where it is written in numbers.  Left out, the categories of a
        categorical column, else in order of the alphabet.
    none : str or None
        Label of the option to take none of the offers, as alternative or in the attributes; None
        where there is no such option.
    traits : DataFrame or Series, optional
        What is known of the respondents (segment, attitude ...), by respondent_id as index or
        column; added to the frame.
    columns : mapping of str to str, optional
        Own names of respondent_id, task, alternative and chosen, such as ``{"task": "chid"}``.
        Without a respondent_id every task is a respondent of its own.
    broken : {"refuse", "exclude"}
        What to do with tasks in which none or several alternatives are chosen, an alternative
        stands alone or twice, or a value is missing: complain, or leave out and count.
    currency : str, optional
        Currency of the price; default: the base's.
    simulated : bool
        Whether a table is made up; a base says so itself.

    Returns
    -------
    ChoiceData

    Raises
    ------
    TypeError, ValueError
        With every complaint about the table, the first tasks it is about, and the cure.
    """
    rows, own_currency, made_up, known = _opened(choices)
    rows = _renamed(rows, columns or {})
    offered = _attributes(rows, price, attributes)
    rows[NONE_COLUMN] = _none_rows(rows, offered, none)
    given = {**{k: v for k, v in known.items() if k in offered}, **(levels or {})}
    rows, found = _typed(rows, price, offered, given)
    rows, excluded = _whole_tasks(rows, (price, *offered), found, broken)
    rows = _with_traits(rows, traits)
    told = [f"{counted(int(excluded['tasks'].sum()), 'task')} left out"] if len(excluded) else []
    return ChoiceData(
        frame=rows,
        price=price,
        attributes=offered,
        levels=found,
        excluded=excluded,
        notes=tuple(told),
        simulated=made_up or simulated,
        currency=own_currency if currency is None else currency,
    )


def _opened(
    choices: CustomerBase | pd.DataFrame,
) -> tuple[pd.DataFrame, str, bool, dict[str, tuple[str, ...]]]:
    """Rows, currency, whether simulated, and levels whose order is known."""
    if isinstance(choices, pd.DataFrame):
        return choices.reset_index(drop=True), "", False, {}
    if not isinstance(choices, CustomerBase):
        raise TypeError(
            f"choices is a {type(choices).__name__}; give a prepared base with the table choices, "
            "or a DataFrame with a row an alternative"
        )
    if not choices.has("choices"):
        raise ValueError(
            f"the base {choices.title!r} has no table choices; name one in its case file"
        )
    known = {} if choices.simulation is None else CHOICE_LEVELS
    return choices.query("from choices"), choices.currency, choices.simulated, known


def _renamed(rows: pd.DataFrame, columns: Mapping[str, str]) -> pd.DataFrame:
    unknown = [name for name in columns if name not in KEYS]
    if unknown:
        raise ValueError(f"columns names {unknown}; what can be renamed is {', '.join(KEYS)}")
    rows = rows.rename(columns={own: name for name, own in columns.items()})
    if "task" in rows and "respondent_id" not in rows:
        rows = rows.assign(respondent_id=rows["task"])
    missing = [name for name in KEYS if name not in rows]
    if missing:
        raise ValueError(
            f"choices lacks {', '.join(missing)}; its columns are {', '.join(map(str, rows))}; "
            f"say which they are, such as columns={{{missing[0]!r}: ...}}"
        )
    return rows


def _attributes(
    rows: pd.DataFrame, price: str, attributes: Sequence[str] | None
) -> tuple[str, ...]:
    if isinstance(attributes, str):
        raise TypeError(f"attributes={attributes!r} is one text; give a list, [{attributes!r}]")
    others = [str(name) for name in rows if name not in (*KEYS, NONE_COLUMN, price)]
    offered = _varying(rows, others) if attributes is None else list(attributes)
    missing = [name for name in (price, *offered) if name not in rows]
    if missing:
        raise ValueError(
            f"choices has no column {', '.join(map(repr, missing))}; there are "
            f"{', '.join((price, *others)) if price in rows else ', '.join(others)}"
        )
    return tuple(offered)


def _varying(rows: pd.DataFrame, names: Sequence[str]) -> list[str]:
    """Columns that differ within at least one task."""
    task = rows.groupby(["respondent_id", "task"], sort=False, dropna=False).ngroup().to_numpy()
    first = np.flatnonzero(~pd.Series(task).duplicated().to_numpy())
    codes = {name: pd.factorize(rows[name])[0] for name in names}
    return [name for name in names if (codes[name] != codes[name][first][task]).any()]


def _none_rows(rows: pd.DataFrame, offered: tuple[str, ...], none: str | None) -> pd.Series:
    marked = _labelled(rows, offered, none)
    told = rows[NONE_COLUMN] if NONE_COLUMN in rows else marked
    otherwise = told.astype(object) != marked.astype(object)
    if otherwise.any():
        raise ValueError(
            f"column {NONE_COLUMN} differs from the label none={none!r} in "
            f"{counted(int(otherwise.sum()), 'row')}, first {rows.index[otherwise][:3].tolist()}; "
            "name the label of the none option, or drop the column"
        )
    return marked


def _labelled(rows: pd.DataFrame, offered: tuple[str, ...], none: str | None) -> pd.Series:
    """Whether a row has the label of the none option."""
    if none is None:
        return pd.Series(False, rows.index)
    texts = [name for name in ("alternative", *offered) if rows[name].dtype.kind not in "iufb"]
    marked = np.zeros(len(rows), dtype=bool)
    for name in texts:
        marked |= (rows[name] == none).fillna(False).to_numpy(dtype=bool)
    return pd.Series(marked, rows.index)


def _typed(
    rows: pd.DataFrame,
    price: str,
    offered: tuple[str, ...],
    given: Mapping[str, Sequence[str]],
) -> tuple[pd.DataFrame, dict[str, tuple[str, ...]]]:
    """Prices and measured attributes as numbers, the others as text with their levels."""
    unknown = [name for name in given if name not in offered]
    if unknown:
        raise ValueError(f"levels names {unknown}; the attributes are {', '.join(offered)}")
    is_offer = ~rows[NONE_COLUMN]
    found: dict[str, tuple[str, ...]] = {}
    typed = {price: numbers_of(rows[price].where(is_offer, 0.0), price)}
    for name in offered:
        values = rows[name]
        numbers = pd.to_numeric(values.where(is_offer), errors="coerce")
        is_number = bool((numbers.notna() | values.isna() | ~is_offer).all())
        if name not in given and is_number and not isinstance(values.dtype, pd.CategoricalDtype):
            typed[name] = numbers.astype(float).where(is_offer, 0.0)
        else:
            if name not in given:
                _refuse_odd_texts(name, values[is_offer], numbers[is_offer])
            typed[name] = values.astype(object).where(values.isna(), values.astype(str))
            found[name] = _levels(name, values[is_offer], given.get(name))
    return rows.assign(**typed), found


def _refuse_odd_texts(name: str, values: pd.Series, numbers: pd.Series) -> None:
    """Refuse a few texts among many different numbers: slips of the pen, not levels."""
    odd = numbers.isna() & values.notna()
    if numbers.nunique() > MOST_LEVELS and odd.any():
        raise ValueError(
            f"attribute {name!r} holds {counted(int(odd.sum()), 'value')} that are no numbers "
            f"among {numbers.nunique():,} different numbers, first at rows "
            f"{values.index[odd][:3].tolist()}: {', '.join(map(repr, values[odd].head(3)))}; "
            "correct them, or name the levels in levels="
        )


def _levels(name: str, values: pd.Series, given: Sequence[str] | None) -> tuple[str, ...]:
    there = values.dropna()
    seen = set(there.astype(str))
    if given is None and isinstance(there.dtype, pd.CategoricalDtype):
        given = [str(one) for one in there.cat.categories]
    order = sorted(seen) if given is None else [str(level) for level in given]
    strangers = sorted(seen - set(order))
    if strangers:
        raise ValueError(
            f"attribute {name!r} has {', '.join(map(repr, strangers[:5]))}, which levels does not "
            f"name ({', '.join(order)}); add them, or correct the table"
        )
    return tuple(level for level in order if level in seen)


def _whole_tasks(
    rows: pd.DataFrame,
    offered: tuple[str, ...],
    levels: Mapping[str, Sequence[str]],
    broken: str,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows in order of their tasks, without the broken ones, and the count of these."""
    if broken not in ("refuse", "exclude"):
        raise ValueError(f"broken={broken!r}: give 'refuse' or 'exclude'")
    if rows.empty:
        raise ValueError("choices is empty: there is no task to learn from")
    rows, task = _in_order(rows)
    chosen = numbers_of(rows["chosen"], "chosen")
    if not chosen.dropna().isin([0, 1]).all():
        values = ", ".join(map(repr, chosen[~chosen.isin([0, 1])].head(3)))
        raise ValueError(f"column chosen holds {values}; give true or false, 1 or 0")
    rows["chosen"] = chosen == 1
    wrong = complaints_about(rows, task, chosen, offered, levels)
    if wrong and broken == "refuse":
        told = "; ".join(f"{one.what} in {one.told(rows, task)}" for one in wrong)
        raise ValueError(
            f"choices: {told}. Correct the table, or leave these tasks out and have them counted "
            "with broken='exclude'"
        )
    kept, excluded = left_out(task, wrong)
    if not kept.any():
        raise ValueError(f"no task is left: {', '.join(excluded['what'])}")
    return rows[kept].reset_index(drop=True), excluded


def _in_order(rows: pd.DataFrame) -> tuple[pd.DataFrame, IntArray]:
    """Rows by respondent and task as they first appear, and the code of each row's task."""
    for name in KEYS[:3]:
        if rows[name].isna().any():
            first = rows.index[rows[name].isna()][:3].tolist()
            raise ValueError(f"choices has rows without {name}, first at {first}; fill them in")
    who, what = (pd.factorize(rows[name])[0].astype(np.int64) for name in KEYS[:2])
    task = pd.factorize(who * (what.max() + 1) + what)[0].astype(np.int64)
    order = np.argsort(who * (task.max() + 1) + task, kind="stable")
    return rows.iloc[order].reset_index(drop=True), pd.factorize(task[order])[0].astype(np.int64)


def _with_traits(rows: pd.DataFrame, traits: pd.DataFrame | pd.Series | None) -> pd.DataFrame:
    if traits is None:
        return rows
    frame = traits.to_frame() if isinstance(traits, pd.Series) else traits
    keys = [name for name in ("respondent_id", "customer_id") if name in frame]
    by_id = frame.set_index(keys[0]) if keys else frame
    if not by_id.index.is_unique:
        twice = by_id.index[by_id.index.duplicated()][:3].tolist()
        raise ValueError(f"traits has several rows for {twice}; give one row a respondent")
    there = [name for name in by_id if name in rows]
    if there:
        raise ValueError(f"traits and choices both have {there}; rename one of them")
    known = rows["respondent_id"].isin(by_id.index)
    if not known.any():
        raise ValueError(
            f"traits knows none of the respondents; it is indexed by {by_id.index[:3].tolist()}, "
            f"the respondents are {rows['respondent_id'].unique()[:3].tolist()}"
        )
    return rows.join(by_id, on="respondent_id")


def _sizes(starts: IntArray, rows: int) -> str:
    sizes = np.unique(np.diff(starts, append=rows))
    return f"{' to '.join(str(n) for n in sorted({sizes[0], sizes[-1]}))} alternatives"
