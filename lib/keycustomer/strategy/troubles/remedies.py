"""The remedies of the five troubles, tried in simulated companies: what each changes, and what not.

Question: does the remedy for a trouble cure it, does it pay, and does it make another trouble
worse?  :func:`remedy_effects` runs at least 20 simulated companies as they are, under each remedy
(`REMEDIES`), and under all six tools together, with the same chance; it measures every trouble's
indicator on what the company's tables would show
(:mod:`keycustomer.strategy.troubles.symptoms`), and profit and leaving by what is expected.

Which remedy belongs to which trouble follows what the tools are for, not what does best: *a* levels
by value, with an archive from which the value is known (T1, T6); *b* the same with a service
process (T3); *c* every account in one channel, by revenue (T5); *d* discounts only at risk and
never below the floor (T4); *e* dossier, service process and archive (T2, T3, T6) for the large
alone, those of the fifth with the largest potential spend.  Other policies may be given.

The rules: a remedy *eases* its trouble when the mean change of the indicator over companies lies,
with its whole interval, on the better side of 0 (supported), and not when it lies wholly on the
other side; it *pays* when the mean change of profit lies above 0 so; and so for leaving.

All interplay of the tools is built into the simulated operator: these are findings about a made-up
company.  Profit counts what the parameters say tools cost to run, not what it takes to introduce
them.  A remedy holds from the first month of the window.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import counted, made_up_note, percent, report_html
from keycustomer.relationships.many_companies import FEWEST, mean_over_companies
from keycustomer.simulate import TOOLS, Company, Outcome, Parameters, Policy, policy_of_tools
from keycustomer.simulate.companies import companies_under
from keycustomer.stats import Estimate, verdict_above, verdict_below
from keycustomer.stats.bootstrap import Progress, after_quiet
from keycustomer.stats.samples import FloatArray
from keycustomer.strategy.troubles.symptoms import SYMPTOMS, company_symptoms

USUAL = "business as usual"

ALL = "all"
"""What all six tools together are called beside the letters of the troubles."""

LARGE_SHARE = 0.2
"""Part of the accounts, by potential spend, for which the remedy of the large holds."""


@dataclass(frozen=True, eq=False)
class Remedy:
    """A remedy.

    Attributes
    ----------
    name : str
        What is done, in a few words.
    policy : Policy
        How it is done.
    large_only : bool
        Whether it holds for the large accounts alone.
    """

    name: str
    policy: Policy
    large_only: bool = False


REMEDIES: dict[str, Remedy] = {
    "a": Remedy("levels by value, archive kept", policy_of_tools(["segmentation", "back office"])),
    "b": Remedy(
        "levels by value, service process, delivered",
        policy_of_tools(["segmentation", "service", "back office"]),
    ),
    "c": Remedy("one channel for each account", policy_of_tools(["channel"])),
    "d": Remedy("discounts only at risk, above the floor", policy_of_tools(["pricing"])),
    "e": Remedy(
        "dossier, service, archive for the large",
        policy_of_tools(["dossier", "service", "back office"]),
        large_only=True,
    ),
    ALL: Remedy("all six tools", policy_of_tools(TOOLS)),
}
"""Remedy of each trouble, and all tools together."""

OUTCOMES: dict[str, tuple[str, bool]] = {
    "profit": ("EUR an account over the window", True),
    "margin": ("EUR an account over the window", True),
    "leaving": ("share of accounts gone by the end", False),
    "large_leaving_rate": ("share of classes A and B a year", False),
}
"""What else is measured: unit, and whether more is better."""


@dataclass(frozen=True, eq=False)
class RemedyEffects:
    """What the remedies change, over simulated companies.

    Attributes
    ----------
    frame : DataFrame
        One row a remedy and measure: remedy (letter, or "all"), name, measure (letter of a
        trouble's indicator, or one of `OUTCOMES`), indicator, unit, before, after (means over
        companies), change, lower, upper (95 % interval of its mean), verdict (that it got better).
    companies : DataFrame
        One row a company and policy: company (seed), remedy ("" as usual), then a column a measure.
    accounts, months : int
        Size and window of each company.
    simulated : bool
        Always true.
    notes : tuple of str
        What the reader must know.
    """

    frame: pd.DataFrame
    companies: pd.DataFrame = field(repr=False)
    accounts: int
    months: int
    simulated: bool = True
    notes: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """Number of companies."""
        return int(self.companies["company"].nunique())

    @property
    def remedies(self) -> tuple[str, ...]:
        """Letters of the remedies, "all" last where it was run."""
        return tuple(self.frame["remedy"].drop_duplicates())

    def of(self, remedy: str, measure: str | None = None) -> Estimate:
        """Mean change by a remedy over companies.

        Parameters
        ----------
        remedy : str
            Letter of a trouble, or "all".
        measure : str, optional
            Letter of a trouble's indicator, or one of `OUTCOMES`; left out, the remedy's own.
        """
        row = self._row(remedy, measure)
        ends = float(row["change"]), float(row["lower"]), float(row["upper"])
        return Estimate(*ends, row["unit"], self.count, "bootstrap of companies")

    def verdict(self, remedy: str, measure: str | None = None) -> str:
        """Verdict on the claim that a measure gets better by a remedy."""
        return str(self._row(remedy, measure)["verdict"])

    def _row(self, remedy: str, measure: str | None) -> pd.Series:
        wanted = measure or remedy
        own = self.frame[(self.frame["remedy"] == remedy) & (self.frame["measure"] == wanted)]
        if own.empty:
            measures = ", ".join(self.frame["measure"].drop_duplicates())
            raise KeyError(
                f"no {wanted!r} of remedy {remedy!r}; remedies: {', '.join(self.remedies)}; "
                f"measures: {measures}"
            )
        return own.iloc[0]

    def summary(self) -> pd.DataFrame:
        """Sum up: one row a trouble's own remedy.

        Returns
        -------
        DataFrame
            trouble, remedy, indicator, before, after, lower, upper (of the change), eases
            (verdict), there_before, there_after (share of companies with the indicator beyond the
            threshold), profit, profit_lower, profit_upper (change, EUR an account), profit_share
            (of today's profit), pays (verdict), leaving (change, share of accounts), keeps
            (verdict).
        """
        rows = []
        for letter in self.remedies:
            if letter not in SYMPTOMS:
                continue
            own, profit, stay = (
                self._row(letter, measure) for measure in (letter, "profit", "leaving")
            )
            rows.append(
                {"trouble": letter, "remedy": own["name"], "indicator": own["indicator"],
                 **{c: own[c] for c in ("before", "after", "lower", "upper")},
                 "eases": own["verdict"], "there_before": self.there("", letter),
                 "there_after": self.there(letter, letter), "profit": profit["change"],
                 "profit_lower": profit["lower"], "profit_upper": profit["upper"],
                 "profit_share": profit["change"] / profit["before"], "pays": profit["verdict"],
                 "leaving": stay["change"], "keeps": stay["verdict"]}
            )  # fmt: skip
        return pd.DataFrame(rows)

    def there(self, remedy: str, trouble: str) -> float:
        """Share of the companies whose indicator lies where the trouble is."""
        own = self.companies.loc[self.companies["remedy"] == remedy, trouble]
        return float(np.mean([SYMPTOMS[trouble].beyond(value) for value in own]))

    @property
    def thresholds(self) -> dict[str, float]:
        """Threshold of each trouble's indicator."""
        return {letter: one.threshold for letter, one in SYMPTOMS.items()}

    def side_effects(self, measures: Sequence[str] = tuple(SYMPTOMS)) -> pd.DataFrame:
        """Tell what every remedy does to every trouble's indicator.

        Parameters
        ----------
        measures : sequence of str
            Letters of the troubles, and names out of `OUTCOMES`.

        Returns
        -------
        DataFrame
            A row a remedy, a column a measure: "better", "worse", "none" (no change in any company)
            or "open" (the interval of the change holds 0).
        """
        own = self.frame[self.frame["measure"].isin(list(measures))].copy()
        own["effect"] = [_effect(row) for row in own.to_dict("records")]
        wide = own.pivot(index="remedy", columns="measure", values="effect")
        return wide.loc[list(self.remedies), list(measures)]

    @property
    def eased(self) -> str:
        """Verdict on the claim that every remedy eases its own trouble.

        Supported when all do, not supported when one does not, else undecided.
        """
        return _joint(self.summary()["eases"])

    @property
    def cured(self) -> str:
        """Verdict on the claim that every remedy eases its own trouble and pays.

        Eased, not gone: in how many companies the trouble is still there tells `there`.  Supported
        when all do both, not supported when one does not do one, else undecided.
        """
        table = self.summary()
        return _joint([*table["eases"], *table["pays"]])

    @property
    def sentence(self) -> str:
        """The finding in words."""
        table = self.summary()
        eased = list(table.loc[table["eases"] == "supported", "trouble"])
        paying = list(table.loc[table["pays"] == "supported", "trouble"])
        said = (
            f"In {counted(self.count, 'simulated company', 'simulated companies')} the remedies "
            f"ease {_listed(eased)} of the troubles {_listed(list(table['trouble']))}; those of "
            f"{_listed(paying)} pay"
        )
        costly = table.loc[table["keeps"] == "not supported", "trouble"]
        said += f"; that of {_listed(list(costly))} costs customers" if len(costly) else ""
        left = [
            f"{row['trouble']} in {percent(row['there_after'], 0)}"
            for row in table.to_dict("records")
            if row["there_after"] > 0
        ]
        return said + (
            f"; eased is not gone: the indicator still lies beyond its threshold for "
            f"{', '.join(left)} of the companies"
            if left
            else ""
        )

    def to_frame(self) -> pd.DataFrame:
        """Give a copy of `frame`."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        said = [*made_up_note(True), f"{self.sentence}.", *self.notes]
        shown = self.summary().rename(columns={"lower": "change from", "upper": "change to"})
        effects = self.side_effects().reset_index()
        return report_html(
            "The remedies of the five troubles", said, {"Remedies": shown, "On others": effects}
        )


def remedy_effects(
    companies: int = FEWEST,
    accounts: int = 300,
    months: int = 36,
    first_seed: int = 1,
    *,
    remedies: Mapping[str, Remedy] | None = None,
    parameters: Parameters | None = None,
    progress: Progress | None = None,
) -> RemedyEffects:
    """Try the remedies of the five troubles in simulated companies.

    Parameters
    ----------
    companies : int
        Companies, at least 20: seeds `first_seed`, `first_seed` + 1, ...
    accounts, months : int
        Size and window of each; at least two years.
    first_seed : int
        Seed of the first company.
    remedies : mapping of str to Remedy, optional
        Remedy by letter of the trouble ("a" to "e"), or "all"; left out, `REMEDIES`.
    parameters : Parameters, optional
        True coefficients; left out, those of the course.
    progress : callable, optional
        Called with runs done and in all.

    Raises
    ------
    ValueError
        When there are too few companies or months, or a letter is unknown.
    """
    chosen = dict(REMEDIES if remedies is None else remedies)
    _refuse(companies, months, chosen)
    policies = {"": Policy(USUAL)} | {letter: one.policy for letter, one in chosen.items()}
    seeds = range(first_seed, first_seed + companies)
    runs = companies_under(policies, seeds, accounts, months, parameters=parameters)
    report = after_quiet(progress)
    usual: dict[int, Company] = {}
    rows = []
    for letter, company in runs:
        seed = company.settings.seed
        usual.setdefault(seed, company)  # the first policy is business as usual
        treated = company
        if letter and chosen[letter].large_only:
            treated = for_the_large(usual[seed], company)
        measured = company_symptoms(treated) | _outcomes(treated.outcome)
        rows.append({"company": seed, "remedy": letter} | measured)
        report(len(rows), companies * len(policies))
    table = pd.DataFrame(rows).rename(columns={"large": "large_leaving_rate"})
    table = table.sort_values("company", kind="stable", ignore_index=True)
    return RemedyEffects(
        _changes(table, chosen), table, accounts, months, notes=_notes(chosen, table)
    )


def _refuse(companies: int, months: int, remedies: Mapping[str, Remedy]) -> None:
    if isinstance(companies, bool) or not isinstance(companies, int) or companies < FEWEST:
        raise ValueError(
            f"companies={companies!r}: at least {FEWEST} are needed, since one company is an "
            "anecdote"
        )
    if months < 24:
        raise ValueError(f"months={months!r}: two years are needed to compare the first and last")
    unknown = [letter for letter in remedies if letter not in (*SYMPTOMS, ALL)]
    if unknown or not remedies:
        raise ValueError(
            f"remedies: {unknown or 'none given'}; a remedy stands under the letter of its trouble "
            f"({', '.join(SYMPTOMS)}) or under {ALL!r}"
        )


def for_the_large(usual: Company, treated: Company) -> Company:
    """Put together a company in which a policy holds for the large accounts alone.

    Accounts do not influence each other, so that each has what happened to it in the run it belongs
    to.

    Parameters
    ----------
    usual, treated : Company
        The same company as usual and under the policy.
    """
    potential = usual.accounts.potential
    size = math.ceil(LARGE_SHARE * len(potential))
    large = np.zeros(len(potential), dtype=bool)
    large[np.argsort(-potential, kind="stable")[:size]] = True

    def mixed(one: FloatArray, other: FloatArray, axis: int) -> FloatArray:
        shape = [1] * one.ndim
        shape[axis] = len(large)
        return np.where(large.reshape(shape), other, one)

    panel = {
        part.name: mixed(
            getattr(usual.panel, part.name),
            getattr(treated.panel, part.name),
            0 if part.name in ("left", "adopted") else 1,
        )
        for part in fields(usual.panel)
        if part.name != "paths"
    }
    totals = {
        part.name: mixed(getattr(usual.outcome, part.name), getattr(treated.outcome, part.name), 0)
        for part in fields(Outcome)
    }
    return replace(treated, panel=replace(treated.panel, **panel), outcome=Outcome(**totals))


def _outcomes(outcome: Outcome) -> dict[str, float]:
    return {
        "profit": float(outcome.expected_profit.mean()),
        "margin": float(outcome.expected_margin.mean()),
        "leaving": float(1 - outcome.survival.mean()),
    }


def _changes(table: pd.DataFrame, remedies: Mapping[str, Remedy]) -> pd.DataFrame:
    """Mean changes over companies, a row a remedy and measure."""
    by_policy = {letter: own.set_index("company") for letter, own in table.groupby("remedy")}
    rows = []
    for letter, remedy in remedies.items():
        for measure, indicator, unit, more_is_better in _measures():
            before, after = by_policy[""][measure], by_policy[letter][measure]
            change = mean_over_companies((after - before).to_numpy(dtype=float), unit)
            judge = verdict_above if more_is_better else verdict_below
            rows.append(
                {"remedy": letter, "name": remedy.name, "measure": measure,
                 "indicator": indicator, "unit": unit, "before": before.mean(),
                 "after": after.mean(), "change": change.estimate, "lower": change.lower,
                 "upper": change.upper, "verdict": judge(change, 0.0)}
            )  # fmt: skip
    return pd.DataFrame(rows)


def _effect(row: Mapping[Any, Any]) -> str:
    """Tell what a remedy did to an indicator."""
    if row["lower"] == row["upper"] == 0:
        return "none"
    if row["verdict"] == "supported":
        return "better"
    measure = row["measure"]
    more = SYMPTOMS[measure].below if measure in SYMPTOMS else OUTCOMES[measure][1]
    strictly = row["upper"] < 0 if more else row["lower"] > 0
    return "worse" if strictly else "open"


def _measures() -> Iterator[tuple[str, str, str, bool]]:
    """Name, words, unit of each measure, and whether more is better."""
    for letter, one in SYMPTOMS.items():
        yield letter, one.indicator, one.unit, one.below
    for name, (unit, more) in OUTCOMES.items():
        yield name, name.replace("_", " "), unit, more


def _notes(remedies: Mapping[str, Remedy], table: pd.DataFrame) -> tuple[str, ...]:
    notes = [
        "How the tools work together is built into the simulated operator; in a real firm it would "
        "have to be found out.",
    ]
    near = [letter for letter in ("a", "b") if letter in remedies]
    if near:
        notes.append(
            f"The {'remedies' if len(near) > 1 else 'remedy'} of {' and '.join(near)} "
            f"{'set' if len(near) > 1 else 'sets'} levels by value, which is what the indicator "
            "measures: that it eases says that it is carried out, not that it is right; whether it "
            "pays is another matter."
        )
    if "c" in remedies:
        notes.append(
            "With one channel for each account nobody is claimed twice at the same time: what is "
            "left of the indicator are accounts handed over within a quarter."
        )
    unknown = int(table.drop(columns=["company", "remedy"]).isna().to_numpy().sum())
    if unknown:
        notes.append(
            f"{counted(unknown, 'number')} could not be told in a company (a rate of nobody); its "
            "mean has no interval."
        )
    return tuple(notes)


def _joint(verdicts: Iterable[str]) -> str:
    """Join verdicts on parts to one on all of them."""
    found = set(verdicts)
    if found == {"supported"}:
        return "supported"
    return "not supported" if "not supported" in found else "undecided"


def _listed(letters: Sequence[Any]) -> str:
    return ", ".join(map(str, letters)) or "none"
