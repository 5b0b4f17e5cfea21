"""How many respondents a choice study needs, before anybody is asked.

:func:`simulate_answers` lets made-up respondents answer a design, with worths that are given;
:func:`study_power` tells how sure the worths would be known by number of respondents: from the
information of the tasks at those worths and, where asked, from studies that are simulated and
fitted.  Respondents who differ, which the first does not know, make the errors larger.

Sources: Rose & Bliemer (2013), Transportation 40, 1021-1041, for sample sizes; Train (2009),
section 3.7.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import counted, report_html
from keycustomer.lifetime.arguments import whole_number
from keycustomer.pricing.choice.choice_data import NONE_COLUMN, ChoiceData, read_choices
from keycustomer.pricing.choice.choice_designs import ChoiceDesign
from keycustomer.pricing.choice.coding import Coding, coding_of
from keycustomer.pricing.choice.design_search import d_error
from keycustomer.pricing.choice.logit import fit_logit
from keycustomer.pricing.choice.ratios import Ratios
from keycustomer.pricing.choice.willingness import willingness_to_pay
from keycustomer.pricing.choice.worth import PER_UNIT
from keycustomer.simulate.choice_tasks import NONE
from keycustomer.stats.bootstrap import Progress, Seed, after_quiet, checked_level
from keycustomer.stats.samples import FloatArray

GivenWorths = Mapping[str, float | Mapping[str, float]]

GOOD_POWER = 0.8
"""Power that a study is planned for."""


@dataclass(frozen=True, eq=False)
class DesignPower:
    """How sure worths would be known.

    Attributes
    ----------
    frame : DataFrame
        One row a number of respondents and level: ``respondents``, ``attribute``, ``level``,
        ``worth`` (as given), ``standard_error`` (expected), ``power`` (probability that the
        interval excludes 0); where studies were simulated ``simulated_error`` (root mean square)
        and ``simulated_power``.
    level : float
        Level of the intervals.
    runs : int
        Simulated studies a number of respondents.
    notes : tuple of str
        What a reader should know.
    """

    frame: pd.DataFrame = field(repr=False)
    level: float
    runs: int
    notes: tuple[str, ...] = ()

    @property
    def enough(self) -> int | None:
        """Fewest respondents tried at which every worth but 0 has a power of 80 %; None if none."""
        real = self.frame[self.frame["worth"] != 0]
        least = real.groupby("respondents")["power"].min()
        there = least.index[least >= GOOD_POWER]
        return int(there.min()) if len(there) else None

    @property
    def sentence(self) -> str:
        """The finding in words."""
        if self.enough is None:
            most = int(self.frame["respondents"].max())
            return (
                f"{counted(most, 'respondent')} are too few: some worth has less than 80 % power."
            )
        return (
            f"{counted(self.enough, 'respondent')} tell every worth from 0 with a probability of "
            "at least 80 %."
        )

    def to_frame(self) -> pd.DataFrame:
        """One row a number of respondents and level."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        told = [self.sentence, *self.notes]
        return report_html("Power of a choice design", told, {"By respondents": self.frame})


def simulate_answers(
    design: ChoiceDesign,
    worths: GivenWorths,
    *,
    respondents: int,
    sensitivity: float,
    basic: float | None = None,
    spread: float = 0.0,
    seed: Seed = 0,
) -> pd.DataFrame:
    """Let made-up respondents answer the tasks of a design.

    Parameters
    ----------
    design : ChoiceDesign
        From :func:`keycustomer.pricing.choice_design`.
    worths : mapping
        Worth by attribute, in the unit of the price: level -> worth against the reference, or of a
        number the worth of one more; what is left out is worth 0.
    respondents : int
        How many.
    sensitivity : float
        Utility of a unit of money.
    basic : float, optional
        What the package with all references is worth rather than none; left out, the mean price.
    spread : float
        Standard deviation between respondents of what each level is worth, in the unit of price.
    seed : int or Generator
        Draws worths, tasks and chance.

    Returns
    -------
    DataFrame
        A table of choices, for :func:`keycustomer.pricing.read_choices`.
    """
    _check(sensitivity, spread, basic)
    whole_number(respondents, "respondents", of="respondents", least=1)
    generator = np.random.default_rng(seed)
    rows = design.tasks_for(respondents, generator)
    value = _values(design, worths)
    who = pd.factorize(rows["respondent_id"])[0]
    worth = np.full(len(rows), _basic(design, basic))
    for name, levels in value.items():
        own = spread * generator.standard_normal((respondents, len(levels)))
        if name in design.levels:
            # the reference, and what is no package at all, is worth nothing
            place = pd.Index(list(levels)).get_indexer(pd.Index(rows[name].astype(str)))
            given = np.array(list(levels.values()))[place] + own[who, place]
            worth += np.where(place > 0, given, 0.0)
        else:
            worth += rows[name].to_numpy(dtype=float) * (levels[PER_UNIT] + own[who, 0])
    utility = sensitivity * (worth - rows[design.price].to_numpy(dtype=float))
    utility[(rows["alternative"] == NONE).to_numpy()] = 0.0
    utility += generator.gumbel(size=len(rows))
    shown = design.alternatives + design.none
    best = utility.reshape(-1, shown).max(axis=1)
    chosen = utility == np.repeat(best, shown)
    rows.insert(4, "chosen", chosen)
    return rows


def study_power(
    design: ChoiceDesign,
    worths: GivenWorths,
    *,
    sensitivity: float,
    respondents: Sequence[int] = (50, 100, 200, 400),
    basic: float | None = None,
    spread: float = 0.0,
    runs: int = 0,
    level: float = 0.95,
    seed: Seed = 0,
    progress: Progress | None = None,
) -> DesignPower:
    """Tell how sure worths would be known by number of respondents.

    Parameters
    ----------
    design, worths, sensitivity, basic, spread
        As for :func:`keycustomer.pricing.simulate_answers`; the expected errors are those of
        respondents who do not differ, only the simulated ones know `spread`.
    respondents : sequence of int
        Numbers of respondents to try.
    runs : int
        Studies to simulate and fit for each number; 0 for none.
    level : float
        Level of the intervals.
    seed : int or Generator
        For the simulated studies.
    progress : callable, optional
        Called with studies done and in all, once the work has taken two seconds.

    Returns
    -------
    DesignPower

    Raises
    ------
    ValueError
        When worths name what is not in the design, or numbers cannot be.
    """
    _check(sensitivity, spread, basic)
    checked_level(level)
    sizes = _sizes(respondents, runs)
    errors, table = _expected(design, worths, sensitivity, basic)
    parts = [table.assign(standard_error=errors / np.sqrt(n)).assign(respondents=n) for n in sizes]
    frame = pd.concat(parts, ignore_index=True)
    bound = NormalDist().inv_cdf((1 + level) / 2)
    ratio = (frame["worth"].abs() / frame["standard_error"]).to_numpy()
    law = NormalDist()
    frame["power"] = [law.cdf(z - bound) + law.cdf(-z - bound) for z in ratio]
    if runs:
        given = {"sensitivity": sensitivity, "basic": basic, "spread": spread}
        found = _studies(design, worths, given, sizes, runs, level, seed, progress)
        frame = frame.merge(_simulated(found, table), how="left")
    first = ["respondents", "attribute", "level", "worth"]
    frame = frame[[*first, *(name for name in frame if name not in first)]]
    told = "expected errors are those of respondents who do not differ, and answer by the model"
    return DesignPower(frame, level, runs, (told,))


def _studies(
    design: ChoiceDesign,
    worths: GivenWorths,
    given: Mapping[str, Any],
    sizes: Sequence[int],
    runs: int,
    level: float,
    seed: Seed,
    progress: Progress | None,
) -> pd.DataFrame:
    """Estimates of simulated studies."""
    generator = np.random.default_rng(seed)
    report = after_quiet(progress)
    found = []
    for n in np.repeat(sizes, runs).tolist():
        answers = simulate_answers(design, worths, respondents=n, seed=generator, **given)
        found.append(_fitted(answers, design, level).assign(respondents=n))
        report(len(found), runs * len(sizes))
    return pd.concat(found, ignore_index=True)


def _check(sensitivity: float, spread: float, basic: float | None) -> None:
    _number(sensitivity, "sensitivity")
    _number(spread, "spread")
    if basic is not None:
        _number(basic, "basic")
    if not sensitivity > 0:
        raise ValueError(
            f"sensitivity={sensitivity!r}: give the utility of a unit of money, above 0"
        )
    if not spread >= 0:
        raise ValueError(f"spread={spread!r}: give a number of at least 0")


def _number(value: object, what: str) -> float:
    """Refuse what is no finite number."""
    right = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    if not (right and np.isfinite(value)):  # type: ignore[call-overload]
        raise ValueError(f"{what}={value!r}: give a finite number")
    return float(value)  # type: ignore[arg-type]


def _sizes(respondents: Sequence[int], runs: int) -> list[int]:
    sizes = [respondents] if isinstance(respondents, int) else list(respondents)
    if not sizes or any(isinstance(n, bool) or not isinstance(n, int) or n < 2 for n in sizes):
        raise ValueError(f"respondents={respondents!r}: give whole numbers of at least 2")
    if isinstance(runs, bool) or not isinstance(runs, int) or runs < 0:
        raise ValueError(f"runs={runs!r}: give a whole number of at least 0")
    return sorted(set(sizes))


def _basic(design: ChoiceDesign, basic: float | None) -> float:
    return float(np.mean(design.attributes[design.price])) if basic is None else float(basic)  # type: ignore[arg-type]


def _values(design: ChoiceDesign, worths: GivenWorths) -> dict[str, dict[str, float]]:
    """Worth of every level of every attribute but the price, the references at 0."""
    if not isinstance(worths, Mapping):
        raise TypeError(f"worths is a {type(worths).__name__}; give name -> worths")
    unknown = [name for name in worths if name not in design.attributes or name == design.price]
    if unknown:
        there = [name for name in design.attributes if name != design.price]
        raise ValueError(f"worths names {unknown}; attributes are {', '.join(there)}")
    found = {}
    for name in design.attributes:
        if name == design.price:
            continue
        given = worths.get(name, {} if name in design.levels else 0.0)
        if name not in design.levels:
            if isinstance(given, Mapping):
                raise ValueError(f"worths of {name!r}, a number: give the worth of one more")
            found[name] = {PER_UNIT: _number(given, f"worths of {name!r}")}
            continue
        own = design.levels[name]
        if not isinstance(given, Mapping) or set(given) - set(own[1:]):
            raise ValueError(
                f"worths of {name!r}: give level -> worth of {', '.join(own[1:])} against {own[0]}"
            )
        found[name] = {
            level: _number(given.get(level, 0.0), f"worths of {name!r}: {level!r}") for level in own
        }
    return found


def _expected(
    design: ChoiceDesign, worths: GivenWorths, sensitivity: float, basic: float | None
) -> tuple[FloatArray, pd.DataFrame]:
    """Give errors of worths by one respondent, and the rows they belong to."""
    value = _values(design, worths)
    coding, true = _coding(design, value, sensitivity, _basic(design, basic))
    columns = coding.design(design.frame)
    shown = design.alternatives + design.none
    tasks = columns.reshape(-1, shown, columns.shape[1])
    utility = tasks @ true
    weight = np.exp(utility - utility.max(axis=1, keepdims=True))
    probability = weight / weight.sum(axis=1, keepdims=True)
    apart = tasks - np.einsum("tjk,tj->tk", tasks, probability)[:, None, :]
    information = np.einsum("tjk,tj,tjl->kl", apart, probability, apart) / design.blocks
    if not np.isfinite(d_error(information)):
        raise ValueError(
            f"with sensitivity={sensitivity:g} and these worths the answers are all but certain, "
            "and tell some worth from no other: give worths of the size of the prices, and a "
            "sensitivity that a difference between two packages times it is about 1"
        )
    names = coding.names
    rows = [
        (name, level, worth)
        for name, levels in value.items()
        for level, worth in levels.items()
        if level == PER_UNIT or level != design.levels[name][0]
    ]
    tops = np.array(
        [np.eye(len(names))[names.index(a if b == PER_UNIT else f"{a}: {b}")] for a, b, _ in rows]
    )
    bottoms = np.repeat(-np.eye(len(names))[[names.index(design.price)]], len(rows), axis=0)
    ratios = Ratios(tops, bottoms, true, np.linalg.inv(information))
    table = pd.DataFrame(rows, columns=["attribute", "level", "worth"])
    return np.sqrt(np.diag(ratios.joint_covariance)), table


def _coding(
    design: ChoiceDesign, value: Mapping[str, Mapping[str, float]], sensitivity: float, basic: float
) -> tuple[Coding, FloatArray]:
    """Coefficients that a fit would have, and their true values."""
    answers = design.frame.assign(respondent_id="R1", chosen=False)
    answers["task"] = answers["block"].astype(str) + "/" + answers["task"].astype(str)
    first = ~answers.duplicated("task")
    coding = coding_of(_read(answers.assign(chosen=first).drop(columns=NONE_COLUMN), design))
    true = np.zeros(len(coding.names))
    for place, one in enumerate(coding.coefficients):
        column, level = one.factors[0]
        if column == design.price:
            true[place] = -sensitivity
        elif column in value:
            true[place] = sensitivity * value[column][level or PER_UNIT]
        else:
            true[place] = -sensitivity * basic
    return coding, true


def _read(answers: pd.DataFrame, design: ChoiceDesign) -> ChoiceData:
    offered = [name for name in design.attributes if name != design.price]
    return read_choices(
        answers, price=design.price, attributes=offered, levels=design.levels, simulated=True
    )


def _fitted(answers: pd.DataFrame, design: ChoiceDesign, level: float) -> pd.DataFrame:
    return willingness_to_pay(fit_logit(_read(answers, design)), level=level).frame


def _simulated(found: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """Errors of simulated studies by number of respondents and level."""
    rows = found.merge(table)
    rows["square"] = (rows["willingness_to_pay"] - rows["worth"]) ** 2
    rows["told"] = (rows["lower"] > 0) | (rows["upper"] < 0)
    by = rows.groupby(["respondents", "attribute", "level"], sort=False)
    errors = by.agg(simulated_error=("square", "mean"), simulated_power=("told", "mean"))
    errors["simulated_error"] **= 0.5
    return errors.reset_index()
