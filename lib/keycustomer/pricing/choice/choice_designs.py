"""Make the tasks of a choice study: which packages stand side by side, at which prices.

:func:`choice_design` makes tasks in which every level comes equally often, as few levels as
possible come twice in a task, no package is dominated where it is known which level is better, and
prohibited combinations do not occur; the D-error tells how near it comes to a design that cannot be
beaten, and how far ahead of tasks at random it is.  :attr:`ChoiceDesign.questionnaire` prints
the tasks; :meth:`ChoiceDesign.tasks_for` writes them as a table of choices that only lacks the
answers; :func:`keycustomer.pricing.study_power` tells how many respondents are needed.

Sources: Huber & Zwerina (1996), Journal of Marketing Research 33, 307-317; Rose & Bliemer (2009),
Transport Reviews 29, 587-617, for D-errors and blocks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import counted, report_html
from keycustomer.pricing.choice.choice_data import NONE_COLUMN
from keycustomer.pricing.choice.design_rules import (
    check_sizes,
    checked_attributes,
    rules_of,
)
from keycustomer.pricing.choice.design_search import (
    IntArray,
    balanced_start,
    improve,
    orthogonal_d_error,
    overlaps,
    random_d_error,
    share_out,
)
from keycustomer.pricing.choice.questionnaires import questionnaire_html
from keycustomer.simulate.choice_tasks import NONE
from keycustomer.stats.bootstrap import Seed

Direction = Literal["more", "less"]

STARTS = 3
"""Starts of the search, of which the best is kept."""

RANDOM_DESIGNS = 100
"""Random designs that a design is compared with."""


@dataclass(frozen=True, eq=False)
class ChoiceDesign:
    """Tasks of a choice study.

    Attributes
    ----------
    frame : DataFrame
        One row an alternative: ``block``, ``task`` (within the block), ``alternative``,
        ``is_none``, the price and the attributes.
    attributes : dict of str to tuple
        Levels by attribute, the price among them.
    price : str
        Attribute that is the price.
    blocks, tasks, alternatives : int
        Blocks (a respondent answers one), tasks a block, packages a task.
    none : bool
        Whether none of the packages may be taken.
    d_error : float
        Of one respondent, at equal utilities of the packages; smaller is better.
    random_d_error : float
        Median of tasks at random.
    orthogonal_d_error : float
        What no balanced design of this size can beat.
    overlap : DataFrame
        One row an attribute: ``levels``, ``least`` and ``most`` (how often a level is shown),
        ``repeats`` (pairs in a task with the same level), ``fewest_repeats`` possible.
    faults : int
        Packages that are dominated, prohibited or shown twice; 0 is wanted.
    seed : int or None
        Seed; None where a generator was given.
    notes : tuple of str
        What a reader should know.
    """

    frame: pd.DataFrame = field(repr=False)
    attributes: dict[str, tuple[object, ...]]
    price: str
    blocks: int
    tasks: int
    alternatives: int
    none: bool
    d_error: float
    random_d_error: float
    orthogonal_d_error: float
    overlap: pd.DataFrame = field(repr=False)
    faults: int
    seed: int | None
    notes: tuple[str, ...] = ()

    @property
    def efficiency(self) -> float:
        """Part of the information that an unbeatable design would give, 0..1."""
        return self.orthogonal_d_error / self.d_error

    @property
    def sentence(self) -> str:
        """The design in one sentence."""
        none = " and none" if self.none else ""
        return (
            f"{counted(self.blocks, 'block')} of {counted(self.tasks, 'task')} with "
            f"{counted(self.alternatives, 'package')}{none}: D-efficiency "
            f"{100 * self.efficiency:.0f} %; tasks at random need "
            f"{self.random_d_error / self.d_error:.2f} times as many respondents."
        )

    @property
    def levels(self) -> dict[str, tuple[str, ...]]:
        """Levels of the attributes that are no numbers, the reference first, for `read_choices`."""
        return {
            name: tuple(str(level) for level in levels)
            for name, levels in self.attributes.items()
            if any(isinstance(level, str) for level in levels)
        }

    @property
    def questionnaire(self) -> str:
        """All blocks as a page of HTML to print, with a box to tick under every package."""
        return questionnaire_html(self.frame, self.price, tuple(self.attributes))

    def tasks_for(self, respondents: int | Sequence[str], seed: Seed = 0) -> pd.DataFrame:
        """Write the tasks of respondents as a table of choices without the answers.

        Parameters
        ----------
        respondents : int or sequence of str
            How many, or their ids.
        seed : int or Generator
            Shares out the blocks (each to as many) and draws the order of the tasks.

        Returns
        -------
        DataFrame
            One row an alternative: respondent_id, block, task (in the order shown), alternative,
            the price and the attributes; with a column ``chosen`` it is what
            :func:`keycustomer.pricing.read_choices` reads.
        """
        ids = _ids(respondents)
        generator = np.random.default_rng(seed)
        block = generator.permutation(np.arange(len(ids)) % self.blocks)
        place = generator.permuted(np.tile(np.arange(self.tasks), (len(ids), 1)), axis=1)
        shown = self.alternatives + self.none
        row = (block[:, None] * self.tasks + place)[:, :, None] * shown + np.arange(shown)
        found = self.frame.iloc[row.ravel()].drop(columns=NONE_COLUMN).reset_index(drop=True)
        found["task"] = np.tile(np.repeat(np.arange(1, self.tasks + 1), shown), len(ids))
        found.insert(0, "respondent_id", np.repeat(ids, self.tasks * shown))
        return found

    def to_frame(self) -> pd.DataFrame:
        """One row an alternative."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        first = self.frame[self.frame["block"] == 1].drop(columns=["block", NONE_COLUMN])
        tables = {"Balance": self.overlap, "Block 1": first}
        return report_html("Choice design", [self.sentence, *self.notes], tables)


def choice_design(
    attributes: Mapping[str, Sequence[object]],
    *,
    price: str = "price",
    tasks: int = 8,
    alternatives: int = 3,
    blocks: int = 1,
    none: bool = True,
    directions: Mapping[str, Direction] | None = None,
    prohibited: Sequence[Mapping[str, object]] = (),
    swaps: int = 3000,
    seed: Seed = 0,
) -> ChoiceDesign:
    """Make the tasks of a choice study.

    Parameters
    ----------
    attributes : mapping of str to sequence
        Levels by attribute, the price among them, such as ``{"price": [60, 90, 120], "energy":
        ["standard", "green"]}``.  Numbers enter the model as they are; of others the first level is
        the reference.
    price : str
        Attribute that is the price.
    tasks : int
        Tasks a respondent answers.
    alternatives : int
        Packages in a task, without the option to take none.
    blocks : int
        Sets of tasks, each for a part of the respondents.
    none : bool
        Whether none of the packages may be taken.
    directions : mapping of str to {"more", "less"}, optional
        Attributes of which more (the later level, the larger number) or less is better for
        everybody; a package that is worse in all of them and alike in the others is not shown.
        Left out, the price: less.
    prohibited : sequence of mapping
        Combinations that must not occur, such as ``[{"energy": "green", "contract": "monthly"}]``.
    swaps : int
        Swaps tried from each of three starts.
    seed : int or Generator
        The same seed gives the same design.

    Returns
    -------
    ChoiceDesign

    Raises
    ------
    ValueError
        When there are too few tasks for the coefficients, attributes have too few levels, names
        are unknown, or no design without prohibited or dominated packages is found.
    """
    levels = checked_attributes(attributes, price)
    better = {price: "less"} if directions is None else directions
    rules = rules_of(levels, alternatives, better, prohibited)
    check_sizes(rules, tasks, alternatives, blocks, swaps)
    generator = np.random.default_rng(seed)
    whole = tasks * blocks
    tries = [
        improve(rules, balanced_start(rules, whole, generator), swaps, generator)
        for _ in range(STARTS)
    ]
    codes, faults, error = min(tries, key=lambda one: one[1:])
    _check_found(faults, error, whole)
    block = share_out(codes, blocks, generator)
    return ChoiceDesign(
        frame=_frame(codes[np.argsort(block, kind="stable")], levels, price, blocks, none),
        attributes=levels,
        price=price,
        blocks=blocks,
        tasks=tasks,
        alternatives=alternatives,
        none=none,
        d_error=blocks * error,
        random_d_error=blocks * random_d_error(rules, whole, RANDOM_DESIGNS, generator),
        orthogonal_d_error=blocks * orthogonal_d_error(rules, whole),
        overlap=_overlap(codes, levels),
        faults=faults,
        seed=seed if isinstance(seed, int) else None,
        notes=_notes(codes, levels, prohibited),
    )


def _ids(respondents: int | Sequence[str]) -> list[str]:
    if isinstance(respondents, int | np.integer) and not isinstance(respondents, bool):
        if respondents < 1:
            raise ValueError(f"respondents={respondents!r}: at least 1 is needed")
        digits = max(len(str(respondents)), 3)
        return [f"R{number:0{digits}d}" for number in range(1, respondents + 1)]
    listed = hasattr(respondents, "__len__") and not isinstance(respondents, str | bytes)
    if not listed or not len(respondents):  # type: ignore[arg-type]
        raise TypeError(f"respondents={respondents!r}: give a number or a list of ids")
    unknown = int(pd.isna(pd.Series(list(respondents), dtype=object)).sum())  # type: ignore[arg-type]
    if unknown:
        raise ValueError(f"respondents holds {counted(unknown, 'empty id')}; give everybody one")
    ids = [str(one) for one in respondents]  # type: ignore[union-attr]
    if len(set(ids)) < len(ids):
        raise ValueError("respondents names somebody twice; give every respondent one id")
    return ids


def _check_found(faults: int, error: float, tasks: int) -> None:
    if faults:
        raise ValueError(
            f"no design without prohibited, dominated or repeated packages was found: "
            f"{counted(faults, 'package')} left in {counted(tasks, 'task')}; allow more "
            "combinations, give fewer directions, show fewer alternatives, or try more swaps"
        )
    if not np.isfinite(error):
        raise ValueError(
            f"{counted(tasks, 'task')} do not identify all levels; add tasks or blocks, or take "
            "out levels or prohibited combinations"
        )


def _frame(
    codes: IntArray,
    levels: Mapping[str, tuple[object, ...]],
    price: str,
    blocks: int,
    none: bool,
) -> pd.DataFrame:
    """Rows of the design in order of blocks, the option to take none last in each task."""
    tasks, alternatives, _ = codes.shape
    shown = alternatives + none
    place = np.tile(np.arange(shown), tasks)
    is_none = place == alternatives
    number = np.repeat(np.arange(tasks), shown)
    frame = pd.DataFrame(
        {
            "block": number // (tasks // blocks) + 1,
            "task": number % (tasks // blocks) + 1,
            "alternative": [
                NONE if last else str(k + 1) for k, last in zip(place, is_none, strict=True)
            ],
            NONE_COLUMN: is_none,
        }
    )
    for column, (name, own) in enumerate(levels.items()):
        without: object = 0.0 if not any(isinstance(one, str) for one in own) else NONE
        values = np.array([*own, without], dtype=object)
        code = np.full((tasks, shown), len(own))
        code[:, :alternatives] = codes[:, :, column]
        frame[name] = values[code.ravel()]
        if without == 0.0:
            frame[name] = frame[name].astype(float)
    return frame[
        ["block", "task", "alternative", NONE_COLUMN, price, *(n for n in levels if n != price)]
    ]


def _overlap(codes: IntArray, levels: Mapping[str, tuple[object, ...]]) -> pd.DataFrame:
    repeats = np.array([overlaps(task) for task in codes]).sum(axis=0)
    rows = []
    for place, (name, own) in enumerate(levels.items()):
        times = np.bincount(codes[:, :, place].ravel(), minlength=len(own))
        part = np.bincount(np.arange(codes.shape[1]) % len(own))
        fewest = len(codes) * int((part * (part - 1) // 2).sum())
        rows.append((name, len(own), times.min(), times.max(), repeats[place], fewest))
    names = ["attribute", "levels", "least", "most", "repeats", "fewest_repeats"]
    return pd.DataFrame(rows, columns=names)


def _notes(
    codes: IntArray,
    levels: Mapping[str, tuple[object, ...]],
    prohibited: Sequence[Mapping[str, object]],
) -> tuple[str, ...]:
    shown = codes.shape[0] * codes.shape[1]
    uneven = [name for name, own in levels.items() if shown % len(own)]
    told = [
        f"{shown:,} packages do not divide by the number of levels of {', '.join(uneven)}: some "
        "levels are shown once more than others"
    ]
    cost = [f"{counted(len(prohibited), 'prohibited combination')} cost efficiency"]
    return (*(told if uneven else []), *(cost if prohibited else []))
