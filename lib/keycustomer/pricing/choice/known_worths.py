"""Worths found in the choices of simulated companies, beside what is true.

In a simulated company it is known what every level of the choice tasks is worth to each account,
and how firmly it chooses.  :func:`worth_recovery` draws companies one after the other, fits the
logit (of all, by need segment) and the mixed logit to the tasks of those who took part, and tells
how far the estimates are from the mean worth of the respondents, and how often the intervals hold
it; :func:`true_worths` gives the truth for the tasks of one company.  One logit for all is not made
for respondents who differ: how far its worths are from their mean is measured here, not assumed.

Source: Swait & Louviere (1993), Journal of Marketing Research 30, 305-314, for the scale.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
import pandas as pd

from keycustomer.customers.base import CustomerBase
from keycustomer.customers.rendering import counted, report_html
from keycustomer.dimensions.known_truth import company_of
from keycustomer.pricing.choice.choice_data import ChoiceData, read_choices
from keycustomer.pricing.choice.logit import EVERYBODY, fit_logit
from keycustomer.pricing.choice.mixed import fit_mixed_logit
from keycustomer.pricing.choice.willingness import willingness_to_pay
from keycustomer.relationships.many_companies import simulated_companies
from keycustomer.simulate import Company
from keycustomer.simulate.choice_rows import ChoiceStudy, choice_rows
from keycustomer.simulate.choice_tasks import CHOICE_LEVELS
from keycustomer.simulate.columns import customer_ids
from keycustomer.simulate.tables import observe
from keycustomer.simulate.vocabulary import SEGMENTS
from keycustomer.stats.bootstrap import Progress
from keycustomer.stats.proportion import wilson_interval

WorthMethod = Literal["logit", "mixed logit"]


@dataclass(frozen=True, eq=False)
class WorthRecovery:
    """Estimated and true worths over simulated companies.

    Attributes
    ----------
    frame : DataFrame
        One row a company, method, group and level: ``company`` (seed), ``method``, ``group``,
        ``attribute``, ``level``, ``truth`` (mean over the respondents of the group, EUR a month),
        ``willingness_to_pay``, ``standard_error``, ``lower``, ``upper``, ``held``, ``respondents``.
    companies : int
        Companies.
    level : float
        Level of the intervals.
    notes : tuple of str
        What a reader should know.
    """

    frame: pd.DataFrame = field(repr=False)
    companies: int
    level: float
    notes: tuple[str, ...] = ()

    @property
    def summary(self) -> pd.DataFrame:
        """One row a method and group kind: mean error, its size, coverage with Wilson interval."""
        kind = self.frame["group"].where(self.frame["group"] == EVERYBODY, "segment")
        return _summary(self.frame.assign(group=kind), ["method", "group"])

    @property
    def by_level(self) -> pd.DataFrame:
        """The same by level, groups taken together by kind."""
        kind = self.frame["group"].where(self.frame["group"] == EVERYBODY, "segment")
        return _summary(self.frame.assign(group=kind), ["method", "group", "attribute", "level"])

    @property
    def sentence(self) -> str:
        """The finding in words."""
        parts = [
            f"{row['method']} ({row['group']}) errs by {row['root_mean_square_error']:.1f} EUR and "
            f"its intervals hold the truth in {100 * row['coverage']:.0f} %"
            for _, row in self.summary.iterrows()
        ]
        return f"Simulated, {counted(self.companies, 'company', 'companies')}: {'; '.join(parts)}."

    def to_frame(self) -> pd.DataFrame:
        """One row a company, method, group and level."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        shown = self.summary.rename(columns={"lower": "from", "upper": "to"})
        told = [self.sentence, *self.notes]
        return report_html("Worths against the truth", told, {"By method": shown})


def worth_recovery(
    companies: int = 20,
    accounts: int = 1000,
    months: int = 12,
    first_seed: int = 1,
    *,
    methods: Sequence[WorthMethod] = ("logit",),
    draws: int = 100,
    level: float = 0.95,
    progress: Progress | None = None,
) -> WorthRecovery:
    """Compare estimated with true worths over simulated companies.

    Parameters
    ----------
    companies : int
        How many, with seeds from `first_seed` on.
    accounts, months : int
        Size and window of each; about a quarter of the accounts of the first answer the tasks.
    first_seed : int
        Seed of the first company.
    methods : sequence of {"logit", "mixed logit"}
        Models: the logit of all and by true need segment, the mixed logit of all.
    draws : int
        Draws a respondent of the mixed logit.
    level : float
        Level of the intervals.
    progress : callable, optional
        Called with companies done and in all, once the work has taken two seconds.

    Returns
    -------
    WorthRecovery
    """
    unknown = [name for name in methods if name not in get_args(WorthMethod)]
    if unknown or not methods or isinstance(methods, str):
        raise ValueError(f"methods={methods!r}: give some of {', '.join(get_args(WorthMethod))}")
    frames, notes = [], []
    for company in simulated_companies(companies, accounts, months, first_seed, progress=progress):
        seed = company.settings.seed
        study = observe(company).study
        data, truth = tasks_with_truth(company, study)
        for method in methods:
            try:
                found = pd.concat(_estimates(data, method, draws, level), ignore_index=True)
            except ValueError as wrong:
                notes.append(f"company {seed}, {method}: {wrong}")
                continue
            frames.append(found.assign(company=seed, method=method).merge(truth))
    if not frames:
        raise ValueError(f"no company could be estimated: {'; '.join(notes[:3])}")
    frame = pd.concat(frames, ignore_index=True)
    held = (frame["lower"] <= frame["truth"]) & (frame["truth"] <= frame["upper"])
    return WorthRecovery(_ordered(frame.assign(held=held)), companies, level, tuple(notes))


def true_worths(source: CustomerBase | Company) -> pd.DataFrame:
    """Tell what the levels are truly worth to those who answered the tasks of a simulated company.

    Parameters
    ----------
    source : CustomerBase or Company
        A base made from a simulated company, or the company itself.

    Returns
    -------
    DataFrame
        One row a group (all, and every need segment) and level: group, attribute, level, truth
        (mean worth against the first level, EUR a month).

    Raises
    ------
    ValueError
        When the base holds real data, whose truth nobody knows.
    """
    company = company_of(source, "true worths")
    return tasks_with_truth(company, observe(company).study)[1]


def tasks_with_truth(company: Company, study: ChoiceStudy) -> tuple[ChoiceData, pd.DataFrame]:
    """Tasks of a simulated company by need segment, and what is true of who answered them.

    Returns
    -------
    (ChoiceData, DataFrame)
        The frame of the tasks has the column segment; the truth has a row a group and level:
        group, attribute, level, truth (mean worth against the first level, EUR a month).
    """
    accounts = company.accounts
    segment = np.array(SEGMENTS)[accounts.segment]
    traits = pd.Series(segment, customer_ids(accounts.number), name="segment")
    data = read_choices(
        choice_rows(accounts, study),
        levels=CHOICE_LEVELS,
        traits=traits,
        currency="EUR",
        simulated=True,
    )
    worth = pd.DataFrame(
        study.worths.worth[study.took_part],
        columns=pd.MultiIndex.from_tuples(study.worths.levels, names=["attribute", "level"]),
    )
    by_segment = worth.groupby(segment[study.took_part]).mean()
    by_group = pd.concat([worth.mean().to_frame(EVERYBODY).T, by_segment]).rename_axis("group")
    truth = by_group.melt(ignore_index=False, value_name="truth").reset_index()
    return data, truth


def _estimates(data: ChoiceData, method: str, draws: int, level: float) -> Iterator[pd.DataFrame]:
    if method == "logit":
        model = fit_logit(data, by="segment", level=level)
        yield willingness_to_pay(model, level=level).frame
    else:
        mixed = fit_mixed_logit(data, draws=draws, level=level)
        yield mixed.worths.assign(group=EVERYBODY, respondents=mixed.respondents)


def _ordered(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[
        [
            *("company", "method", "group", "attribute", "level", "truth"),
            *("willingness_to_pay", "standard_error", "lower", "upper", "held", "respondents"),
        ]
    ]


def _summary(frame: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    known = frame.dropna(subset="willingness_to_pay")
    error = known["willingness_to_pay"] - known["truth"]
    judged = known.assign(error=error, square=error**2).groupby(keys, sort=False)
    found = judged.agg(
        estimates=("error", "size"),
        mean_error=("error", "mean"),
        root_mean_square_error=("square", "mean"),
        standard_error=("standard_error", "mean"),
        coverage=("held", "mean"),
    ).reset_index()
    found["root_mean_square_error"] **= 0.5
    times = (found["coverage"] * found["estimates"]).round()
    found["lower"], found["upper"] = wilson_interval(
        times.to_numpy(dtype=np.int64), found["estimates"].to_numpy(dtype=np.int64), 0.95
    )
    return found
