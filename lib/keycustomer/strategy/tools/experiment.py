"""Trials of the tools: how a firm could find out whether they are a system.

What would a firm have to try?  :func:`tool_experiment` takes the customers of a simulated company
at the end of its window, deals them by lot to the runs of a design (groups made alike by last
year's profit), lets each group have its tools for the months ahead, and estimates from what then
happened the effect of every tool, of pairs, and what all tools bring beyond the sum of each alone.
Since the company is made up, the truth stands beside it: the same customers under all 64 subsets.

Beside the design asked for, all five are compared: what each would find with any number of
customers (a fraction mixes effects, a factorial adds up pairs only), its error over many lots, how
often its intervals hold the truth, and how many customers it takes to see the system.

Averages over what else is in use, which a factorial estimates, are no Shapley values: all settings
of the others weigh the same here, all sizes of coalitions there (Banzhaf against Shapley).  Tools
that work on branches, such as a back office, would be dealt to branches, which takes more customers
still; and customers here do not meet each other.

Sources: as in :mod:`keycustomer.strategy.tools.designs` and
:mod:`keycustomer.strategy.tools.block_trials`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import percent, sentence_html
from keycustomer.simulate import TOOLS, Parameters, compare_policies, simulate_company
from keycustomer.stats import Estimate
from keycustomer.stats.bootstrap import Progress, after_quiet
from keycustomer.stats.samples import FloatArray
from keycustomer.strategy.tools.block_trials import (
    FEWEST_BLOCKS,
    block_contrasts,
    blocks_of,
    customers_needed,
    deal_blocks,
)
from keycustomer.strategy.tools.company_means import MADE_UP
from keycustomer.strategy.tools.designs import TrialDesign, tool_designs
from keycustomer.strategy.tools.subsets import EVERYBODY, subset_policies

SYSTEM = "all beyond the sum"
"""The effect that T7 is about."""

LEVEL = 0.95


@dataclass(frozen=True, eq=False)
class TrialCustomers:
    """Customers that could take part in a trial, and what would happen to each.

    Attributes
    ----------
    before : ndarray, shape (customers,)
        Profit of the last year before the trial, currency.
    happens : ndarray, shape (customers, 64)
        Profit of the trial's months under every subset, as it would happen.
    expected : ndarray, shape (64,)
        Mean expected profit a customer under every subset.
    """

    before: FloatArray
    happens: FloatArray
    expected: FloatArray


@dataclass(frozen=True, eq=False)
class ToolExperiment:
    """A trial of tools on groups of customers of a simulated company.

    Attributes
    ----------
    frame : DataFrame
        One row an effect that the design estimates: effect (a tool, pairs that share a contrast, or
        "all beyond the sum"), kind ("tool", "pair", "system"), estimate, lower, upper (95 %), limit
        (what the design finds with any number of customers), truth (averaged over all settings of
        the other tools; of one at a time alone), needed (customers to find the truth); shares of
        last year's profit, needed in customers.
    designs : DataFrame
        One row a design for which there are customers enough: design, runs, resolution (NaN for
        none), limit and truth of "all beyond the sum", error (standard error, the root mean square
        over lots), coverage
        (share of lots whose interval holds the truth), needed (customers to find it, on the safe
        side where blocks are few).
    design : TrialDesign
        The one the trial ran.
    groups : DataFrame
        One row a run: run, on (tools), a column a tool, customers, before and profit (means,
        currency).
    customers, months : int
        Customers there, and months of the trial.
    power : float
        Probability to find the effect that `needed` is told for.
    """

    frame: pd.DataFrame
    designs: pd.DataFrame
    design: TrialDesign
    groups: pd.DataFrame = field(repr=False)
    customers: int
    months: int
    power: float
    notes: tuple[str, ...] = ()
    simulated: bool = True

    def of(self, effect: str = SYSTEM) -> Estimate:
        """Estimate of an effect.

        Raises
        ------
        KeyError
            When the design estimates no such effect.
        """
        for row in self.frame.to_dict("records"):
            if row["effect"] == effect:
                ends = row["estimate"], row["lower"], row["upper"]
                method = f"blocks of customers alike, design {self.design.name!r}"
                return Estimate(*ends, "share of last year's profit", self.customers, method)
        raise KeyError(f"no effect {effect!r}; there is: {', '.join(self.frame['effect'])}")

    @property
    def sentence(self) -> str:
        """Say what the trial found of the system, and what it would have taken."""
        system = self.frame[self.frame["kind"] == "system"].iloc[0]
        tools = self.frame[self.frame["kind"] == "tool"]
        clear = tools.loc[(tools["lower"] > 0) | (tools["upper"] < 0), "effect"]
        best = self.designs.iloc[int(self.designs["needed"].argmin())]
        fewest = (
            "and no other design fewer"
            if best["design"] == self.design.name or not np.isfinite(best["needed"])
            else f"{_rounded(best['needed'])} with the design {best['design']!r}"
        )
        return (
            f"With {self.customers:,} customers and {self.months} months the trial finds "
            f"{self.of().as_percent()} of last year's profit beyond the sum of each tool alone; "
            f"the truth is {percent(system['truth'])}. Single tools that stand out: "
            f"{', '.join(clear) or 'none'} (each by its own 95 % interval). To find the "
            f"system with a chance of {percent(self.power, 0)} takes about "
            f"{_rounded(system['needed'])} customers, {fewest}."
        )

    def to_frame(self) -> pd.DataFrame:
        """One row an effect."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        said = f"{self.sentence} {'; '.join(self.notes)}."
        return sentence_html(said, self.frame, self.designs, numbers=",.3f")


def tool_experiment(
    design: str = "quarter",
    *,
    accounts: int = 2_000,
    months: int = 24,
    ahead: int = 12,
    seed: int = 1,
    lot: int = 0,
    lots: int = 100,
    power: float = 0.8,
    parameters: Parameters | None = None,
    progress: Progress | None = None,
) -> ToolExperiment:
    """Try the tools on groups of customers of a simulated company.

    Parameters
    ----------
    design : {"full", "half", "quarter", "one at a time", "one at a time, weighted"}
        The runs, see :func:`keycustomer.strategy.tool_designs`.
    accounts, months, seed
        The company before the trial; its customers at the end of the window take part.
    ahead : int
        Months of the trial.
    lot : int
        Seed of the lot by which customers are dealt to runs.
    lots : int
        Lots over which the designs are compared.
    power : float
        Probability to find the effect, for the customers needed.
    parameters : Parameters, optional
        True coefficients; left out, those of the course.
    progress : callable, optional
        Called with steps done and in all, once the work has taken two seconds.

    Raises
    ------
    KeyError
        When there is no such design.
    ValueError
        When there are too few customers for the runs, or last year's profit is not positive.
    """
    designs = tool_designs(TOOLS)
    if design not in designs:
        raise KeyError(f"no design {design!r}; there is: {', '.join(map(repr, designs))}")
    if ahead < 1 or months < 12 or lots < 2:
        raise ValueError(
            f"ahead={ahead!r}, months={months!r}, lots={lots!r}: at least one month of trial, "
            "twelve before it and two lots are needed"
        )
    run = designs[design]
    settings = (accounts, months, ahead, seed, parameters)
    who = _trial_customers(len(run.runs), *settings, after_quiet(progress))
    mean = float(who.before.mean())
    if not mean > 0:
        raise ValueError(f"last year's profit is {mean:,.0f} a customer: effects have no share")
    frame, groups = _one_trial(who, run, lot, lots, power)
    customers = len(who.before)
    fit = [one for one in designs.values() if len(one.runs) * FEWEST_BLOCKS <= customers]
    compared = pd.DataFrame([_compared(who, one, lots, power) for one in fit])
    notes = [f"one company, {MADE_UP}", f"designs compared over {lots:,} lots"]
    large = [one.name for one in designs.values() if one not in fit]
    if large:
        notes.append(f"too few customers for the design {', '.join(map(repr, large))}")
    return ToolExperiment(frame, compared, run, groups, customers, ahead, power, tuple(notes))


def _trial_customers(
    runs: int,
    accounts: int,
    months: int,
    ahead: int,
    seed: int,
    parameters: Parameters | None,
    progress: Progress,
) -> TrialCustomers:
    """Simulate the customers at the end of the window under every subset."""
    company = simulate_company(accounts, months, seed, parameters=parameters)
    panel = company.panel
    here = panel.active[-1] & (panel.left >= months)
    blocks_of(int(here.sum()), runs)
    compared = compare_policies(
        subset_policies(range(EVERYBODY + 1)),
        accounts,
        months,
        seed,
        ahead=ahead,
        parameters=parameters,
        progress=progress,
    )
    outcomes = compared.outcomes.values()
    return TrialCustomers(
        before=panel.profit[-12:].sum(axis=0, dtype=float)[here],
        happens=np.column_stack([one.profit[here] for one in outcomes]),
        expected=np.array([float(one.expected_profit[here].mean()) for one in outcomes]),
    )


def _one_trial(
    who: TrialCustomers, design: TrialDesign, lot: int, lots: int, power: float
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Run one lot of a design: effects, and the means of the groups."""
    dealt = deal_blocks(who.before, len(design.runs), lot)
    happened, before = who.happens[dealt, design.numbers], who.before[dealt]
    contrasts = design.contrasts() | {SYSTEM: design.beyond_sum()}
    weights = np.array(list(contrasts.values()))
    found = block_contrasts(happened, before, weights)
    mean, reach = float(who.before.mean()), found.reach(LEVEL)
    frame = pd.DataFrame(
        {
            "effect": list(contrasts),
            "kind": [_kind(name) for name in contrasts],
            "estimate": found.estimates / mean,
            "lower": (found.estimates - reach) / mean,
            "upper": (found.estimates + reach) / mean,
            "limit": [one @ who.expected[design.numbers] / mean for one in contrasts.values()],
            "truth": [true_effect(who.expected, design, name) / mean for name in contrasts],
        }
    )
    errors, _ = _over_lots(who, design, weights, frame["truth"].to_numpy() * mean, lots)
    frame["needed"] = [
        customers_needed(len(who.before), float(error) / mean, truth, power)
        for error, truth in zip(errors, frame["truth"], strict=True)
    ]
    groups = design.to_frame().assign(
        customers=len(dealt), before=before.mean(axis=0), profit=happened.mean(axis=0)
    )
    return frame, groups


def _kind(effect: str) -> str:
    if effect == SYSTEM:
        return "system"
    return "tool" if effect in TOOLS else "pair"


def true_effect(expected: FloatArray, design: TrialDesign, effect: str) -> float:
    """Compute the true value of an effect from the expected profit under all 64 subsets.

    Parameters
    ----------
    expected : ndarray, shape (64,)
        Mean expected profit by subset, in the order of their numbers.
    design : TrialDesign
        Whose effect: a factorial's is averaged over all settings of the other tools.
    effect : str
        A tool, pairs joined by " = " (their sum), or "all beyond the sum".
    """
    single = expected[1 << np.arange(len(TOOLS))] - expected[0]
    if effect == SYSTEM:
        return float(expected[-1] - expected[0] - single.sum())
    if not design.factorial:
        return float(single[design.factors.index(effect)])
    full = tool_designs(TOOLS)["full"]
    weights = full.contrasts()
    return float(sum(weights[part] @ expected[full.numbers] for part in effect.split(" = ")))


def _over_lots(
    who: TrialCustomers, design: TrialDesign, weights: FloatArray, truth: FloatArray, lots: int
) -> tuple[FloatArray, FloatArray]:
    """Give standard errors of contrasts over lots, and the share of intervals holding the truth."""
    squares, held = np.zeros(len(weights)), np.zeros(len(weights))
    for lot in range(lots):
        dealt = deal_blocks(who.before, len(design.runs), lot)
        found = block_contrasts(who.happens[dealt, design.numbers], who.before[dealt], weights)
        squares += found.errors**2 / lots
        held += (np.abs(found.estimates - truth) <= found.reach(LEVEL)) / lots
    return np.sqrt(squares), held


def _compared(
    who: TrialCustomers, design: TrialDesign, lots: int, power: float
) -> dict[str, float | str | int]:
    """Tell how well a design finds what all bring beyond the sum."""
    weights = design.beyond_sum()[None, :]
    mean = float(who.before.mean())
    truth = true_effect(who.expected, design, SYSTEM)
    errors, held = _over_lots(who, design, weights, np.array([truth]), lots)
    return {
        "design": design.name,
        "runs": len(design.runs),
        "resolution": float(design.resolution or np.nan),
        "limit": float(weights[0] @ who.expected[design.numbers]) / mean,
        "truth": truth / mean,
        "error": float(errors[0]) / mean,
        "coverage": float(held[0]),
        "needed": customers_needed(len(who.before), float(errors[0]) / mean, truth / mean, power),
    }


def _rounded(count: float) -> str:
    """Write a number of customers with two digits."""
    if not np.isfinite(count):
        return "any number of"
    return f"{float(f'{count:.2g}'):,.0f}"
