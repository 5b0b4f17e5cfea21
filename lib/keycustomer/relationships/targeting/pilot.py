"""A pilot of a retention offer in the simulated company, with the truth beside it.

At the end of the observed window a random half of the customers gets an offer for a year: a
discount, or one more step of the relationship level.  A year later it is known who stayed and what
each brought.  :func:`retention_pilot` runs this, estimates from the pilot alone what the offer does
and what each rule of choice earns, and holds it against the truth: the same customers meeting the
same chance, all of them with the offer and all without it.

What came of a customer is its profit of the pilot's year and, if it is still there at the end, the
value of what follows: last year's profit times the margin multiple.  The truth is the expectation
of exactly that.  A customer whom it costs more to serve than it brings has a value below zero;
keeping it is a loss.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from keycustomer.lifetime import margin_multiple
from keycustomer.lifetime.arguments import whole_number
from keycustomer.relationships.targeting.cross_fit import FittedUplift, cross_fit_uplift
from keycustomer.relationships.targeting.learners import ALL_LEARNERS
from keycustomer.relationships.targeting.pilot_customers import YEAR, known_of
from keycustomer.relationships.targeting.profits import (
    FIXED,
    TargetingProfits,
    targeting_profits,
)
from keycustomer.relationships.targeting.rules import (
    RANDOM,
    RISK,
    UPLIFT,
    VALUE,
    targeting_rules,
)
from keycustomer.relationships.targeting.trial import Trial, read_trial
from keycustomer.simulate import (
    LEVELS,
    Company,
    Parameters,
    Policy,
    compare_policies,
    simulate_company,
    stream,
)
from keycustomer.stats import share_of
from keycustomer.stats.bootstrap import Progress
from keycustomer.stats.samples import FloatArray

OFFERS = ("discount", "level")
"""What may be offered: a discount on all prices, or one more step of the relationship level."""

USUAL, OFFERED = "without the offer", "with the offer"


@dataclass(frozen=True)
class PilotSettings:
    """Settings of a pilot in a simulated company.

    Attributes
    ----------
    accounts, months : int
        Size and window of the company before the pilot.
    offer : {"discount", "level"}
        What is offered.
    discount : float
        Points off the list price, share, where a discount is offered.
    lasts : int
        Months of the pilot.
    share : float
        Probability to get the offer.
    apart : float
        Share of the customers, the largest by revenue, that stay out of the pilot.
    contact_cost : float
        Cost of making the offer, currency a customer.
    retention, discount_rate : float
        Yearly retention rate and discount rate behind the value of a customer who stays.
    parameters : Parameters, optional
        True coefficients of the company; left out, those of the course.

    Raises
    ------
    ValueError
        When one of them is out of range.
    """

    accounts: int = 4_000
    months: int = 24
    offer: str = "discount"
    discount: float = 0.10
    lasts: int = YEAR
    share: float = 0.5
    apart: float = 0.02
    contact_cost: float = 25.0
    retention: float = 0.86
    discount_rate: float = 0.1
    parameters: Parameters | None = None

    def __post_init__(self) -> None:
        """Refuse what makes no pilot."""
        if self.offer not in OFFERS:
            raise ValueError(f"offer={self.offer!r} must be one of {', '.join(map(repr, OFFERS))}")
        whole_number(self.months, "months", of="months", least=YEAR)
        whole_number(self.lasts, "lasts", of="months", least=1)
        for name in ("share", "discount", "apart", "retention"):
            share_of(getattr(self, name), name)
        if not 0 < self.share < 1:
            raise ValueError(f"share={self.share!r} must lie above 0 and below 1")
        if not (np.isfinite(self.contact_cost) and self.contact_cost >= 0):
            raise ValueError(f"contact_cost={self.contact_cost!r} must be an amount of at least 0")

    @property
    def told(self) -> str:
        """The offer in words."""
        if self.offer == "level":
            return f"one more step of the relationship level for {self.lasts} months"
        return f"{100 * self.discount:g} points of discount for {self.lasts} months"

    @property
    def worth_of_staying(self) -> float:
        """Years of profit that follow for a customer still there at the end of the pilot."""
        return float(margin_multiple(self.retention, self.discount_rate))


@dataclass(frozen=True, eq=False)
class RetentionPilot:
    """A pilot in a simulated company, what was estimated from it, and the truth; n customers.

    Attributes
    ----------
    settings : PilotSettings
        The pilot.
    seed : int
        Seed of the company.
    trial : Trial
        What the firm sees: outcome 1 for who stayed, money for what came of each customer.
    fitted : FittedUplift
        Uplift of each customer, from the other customers.
    rules : DataFrame
        Score of each customer by rule.
    profits : TargetingProfits
        What each rule earns, as estimated from the pilot.
    true_risk, true_uplift, true_gain : ndarray, shape (n,)
        Probability to leave without the offer, probability to stay with it less that without,
        and what the offer earns, currency.
    notes : tuple of str
        What a reader should know.
    """

    settings: PilotSettings
    seed: int
    trial: Trial
    fitted: FittedUplift = field(repr=False)
    rules: pd.DataFrame = field(repr=False)
    profits: TargetingProfits = field(repr=False)
    true_risk: FloatArray = field(repr=False)
    true_uplift: FloatArray = field(repr=False)
    true_gain: FloatArray = field(repr=False)
    notes: tuple[str, ...] = ()

    @property
    def attainable(self) -> float:
        """Gain a customer if the offer went to exactly those with whom it truly earns."""
        return float(np.maximum(self.true_gain, 0.0).mean())

    def to_frame(self) -> pd.DataFrame:
        """One row a rule and stop: profit as estimated with its interval, and the truth.

        Returns
        -------
        DataFrame
            rule, stop, chosen (share of the customers), profit, lower, upper, over random, over
            churn risk, truth (all currency a customer), attained (truth as a share of what is
            attainable, missing where nothing is).
        """
        truth = self.profits.truth(self.true_gain).to_numpy()
        most = self.attainable if self.attainable > 0 else np.nan
        return self.profits.to_frame().assign(truth=truth, attained=truth / most)

    def measures(self) -> pd.DataFrame:
        """Give the measure `uplift_profit` of the case output.

        Returns
        -------
        DataFrame
            One row a rule: measure, group, estimate, lower, upper, truth; rules at the fixed depth
            (uplift by the DR-learner), and the offer to everybody.
        """
        truth = self.profits.truth(self.true_gain)
        rows = []
        for group in (UPLIFT, RISK, VALUE, RANDOM):
            rule = f"{UPLIFT} (DR)" if group == UPLIFT else group
            rows.append((group, self.profits.profits[rule, FIXED], truth[rule, FIXED]))
        rows.append(("everybody", self.fitted.average_money, float(self.true_gain.mean())))
        return pd.DataFrame(
            [
                {"measure": "uplift_profit", "group": group, "estimate": told.estimate}
                | {"lower": told.lower, "upper": told.upper, "truth": true}
                for group, told, true in rows
            ]
        )

    def _repr_html_(self) -> str:
        from keycustomer.customers.rendering import report_html

        said = [
            f"Simulated company (seed {self.seed}): {self.settings.told}, "
            f"{len(self.trial):,} customers, {int(self.trial.treated.sum()):,} with the offer.",
            f"Mean effect on staying {self.fitted.average}, truly {self.true_uplift.mean():.4f}.",
            f"Attainable: {self.attainable:,.2f} a customer.",
            *self.notes,
        ]
        table = self.to_frame().rename(columns={"lower": "profit from", "upper": "profit to"})
        return report_html("Pilot of a retention offer", said, {"Rules": table})


def retention_pilot(
    seed: int = 1,
    settings: PilotSettings | None = None,
    *,
    models: str = "linear",
    depth: float = 0.2,
    draws: int = 500,
    level: float = 0.95,
    progress: Progress | None = None,
) -> RetentionPilot:
    """Run a pilot in a simulated company and judge rules of choice from it.

    Parameters
    ----------
    seed : int
        Seed of the company.
    settings : PilotSettings, optional
        The company and the pilot; left out, 10 points of discount for a year.
    models : {"linear", "boosting"}
        Kind of regression.
    depth : float
        Fixed depth at which rules are compared, share of the customers.
    draws, level
        Bootstrap of customers.
    progress : callable, optional
        Called with parts of the estimation done and in all.

    Returns
    -------
    RetentionPilot

    Raises
    ------
    ValueError
        When a setting is out of range, or too few customers are left for a trial.
    """
    chosen = settings or PilotSettings()
    before = simulate_company(chosen.accounts, chosen.months, seed, parameters=chosen.parameters)
    features, amounts = known_of(before)
    allowed, notes = _eligible(chosen, amounts)
    features, amounts = features[allowed], amounts[allowed]
    lot = stream(seed, "lot of the pilot").random(chosen.accounts) < chosen.share
    table = _happened(chosen, seed, before, features, amounts, lot)
    trial = read_trial(
        table,
        treated="offer",
        outcome="stayed",
        features=[str(name) for name in features],
        value="value",
        contact_cost=chosen.contact_cost,
        offer_cost="offer_cost",
        accepted="months_there",
        money="worth",
        propensity=chosen.share,
    )
    fitted = cross_fit_uplift(
        trial, learners=ALL_LEARNERS, models=models, level=level, seed=seed, progress=progress
    )
    rules = targeting_rules(trial, fitted)
    profits = targeting_profits(
        trial, fitted, rules, depth=depth, draws=draws, level=level, seed=seed
    )
    truth = _truth(chosen, seed, before, amounts)
    return RetentionPilot(chosen, seed, trial, fitted, rules, profits, *truth, notes)


def _eligible(settings: PilotSettings, amounts: pd.DataFrame) -> tuple[pd.Series, tuple[str, ...]]:
    """Tell who is in the pilot: not the largest, nor those who have all there is to offer."""
    place = amounts["revenue"].rank(method="first", ascending=False)
    large = place <= settings.apart * len(amounts)
    top = (amounts["level"] == len(LEVELS) - 1) & (settings.offer == "level") & ~large
    reasons = {
        "largest customers were left out of the pilot: each is a case of its own": large,
        "customers are partners already and were not in the pilot": top,
    }
    notes = tuple(f"{int(out.sum()):,} {said}." for said, out in reasons.items() if out.any())
    return ~(large | top), notes


def _policy(settings: PilotSettings, before: Company, offered: object, name: str) -> Policy:
    """Policy that makes the offer to some accounts from the end of the window on."""
    some = np.broadcast_to(np.asarray(offered, dtype=bool), len(before.accounts))
    if settings.offer == "discount":
        return Policy(name, start=settings.months, discount=np.where(some, settings.discount, 0.0))
    raised = np.minimum(before.accounts.level + some, len(LEVELS) - 1)
    return Policy(name, start=settings.months, levels=raised)


def _happened(
    settings: PilotSettings,
    seed: int,
    before: Company,
    features: pd.DataFrame,
    amounts: pd.DataFrame,
    lot: np.ndarray,
) -> pd.DataFrame:
    """Run the pilot and note what came of each customer."""
    after = simulate_company(
        settings.accounts,
        settings.months + settings.lasts,
        seed,
        policy=_policy(settings, before, lot, "pilot"),
        parameters=settings.parameters,
    )
    account = amounts["account"].to_numpy()
    panel, ahead = after.panel, slice(settings.months, None)
    stayed = panel.left[account] >= settings.months + settings.lasts
    profit = panel.profit[ahead, account].sum(axis=0)
    follows = settings.worth_of_staying * amounts["profit"].to_numpy()
    spent = settings.contact_cost * lot[account]
    return features.assign(
        offer=lot[account],
        stayed=stayed.astype(int),
        months_there=panel.active[ahead, account].mean(axis=0),
        # who leaves does so in the middle of the year, on average
        value=(settings.worth_of_staying + settings.lasts / 24) * amounts["profit"],
        offer_cost=_offer_cost(settings, before, amounts),
        worth=profit + follows * stayed - spent,
    )


def _offer_cost(settings: PilotSettings, before: Company, amounts: pd.DataFrame) -> FloatArray:
    """Cost of the offer for its whole time, as the firm would reckon it beforehand."""
    years = settings.lasts / 12
    if settings.offer == "discount":
        return (years * settings.discount * amounts["revenue"]).to_numpy()
    contacts = amounts.groupby("level")["contact_cost"].mean()
    places = np.arange(len(LEVELS))
    yearly = 12 * np.asarray(before.parameters.costs.level)
    yearly = yearly + np.interp(places, contacts.index, contacts)
    level = amounts["level"].to_numpy()
    return np.asarray(years * np.maximum(yearly[level + 1] - yearly[level], 0.0))


def _truth(
    settings: PilotSettings, seed: int, before: Company, amounts: pd.DataFrame
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Give true risk, uplift and gain of each customer."""
    compared = compare_policies(
        [_policy(settings, before, False, USUAL), _policy(settings, before, True, OFFERED)],
        settings.accounts,
        settings.months,
        seed,
        ahead=settings.lasts,
        parameters=settings.parameters,
    )
    account = amounts["account"].to_numpy()
    changed = compared.difference(OFFERED).iloc[account]
    uplift = changed["survival"].to_numpy()
    follows = settings.worth_of_staying * amounts["profit"].to_numpy()
    gain = changed["profit"].to_numpy() + follows * uplift - settings.contact_cost
    risk = 1 - compared.outcomes[USUAL].survival[account]
    return risk, uplift, gain
