"""True effects: the same accounts, meeting the same chance, under different policies.

What does a measure really change?  :func:`compare_policies` runs one company under several
policies; :func:`true_effects` moves one lever (relationship level, discount, contacts, channel,
quality of an attribute) through its settings and tells for each account what would have followed.

All differences are paired: every policy meets the same random numbers (common random numbers), and
`expected_...` totals weigh months by the probability of still being there, so that an account's
effect is not blurred by the draw of leaving.

Source: Law, "Simulation Modeling and Analysis" (2015), section 11.2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.simulate.company import checked
from keycustomer.simulate.panel import Outcome
from keycustomer.simulate.parameters import Parameters
from keycustomer.simulate.policy import Policy
from keycustomer.simulate.process import Progress, simulate_outcomes
from keycustomer.simulate.products import product_arrays
from keycustomer.simulate.settings import Settings
from keycustomer.simulate.vocabulary import ATTRIBUTES, CHANNELS, LEVELS

Array = npt.NDArray[Any]

MEASURES = ("profit", "margin", "revenue", "months", "last_year", "survival")
"""What effects are told of: currency over the window, months as a customer, profit of the last
twelve months, probability to be a customer after the window."""


@dataclass(frozen=True, eq=False)
class PolicyComparison:
    """One simulated company under several policies.

    Attributes
    ----------
    settings : Settings
        Size, window and seed.
    outcomes : dict of str to Outcome
        Totals per account by name of the policy; the first one is compared with.
    """

    settings: Settings
    outcomes: dict[str, Outcome]

    @property
    def baseline(self) -> str:
        """Name of the policy that the others are compared with."""
        return next(iter(self.outcomes))

    def to_frame(self) -> pd.DataFrame:
        """List the policies with the company's totals.

        Returns
        -------
        DataFrame
            A row a policy: simulated profit, margin (before cost to serve), revenue (currency),
            months (of all accounts), last_year (profit of the last twelve months), survival
            (mean), all expected, and `profit_gain` against the first policy with
            `profit_gain_error`, the standard error of that gain over accounts like these.
        """
        rows: list[dict[str, Any]] = []
        for name, outcome in self.outcomes.items():
            gain = _measured(outcome)["profit"] - _measured(self.outcomes[self.baseline])["profit"]
            sums = {measure: float(one.sum()) for measure, one in _measured(outcome).items()}
            sums["survival"] = float(outcome.survival.mean())
            error = float(gain.std(ddof=1) * np.sqrt(len(gain))) if len(gain) > 1 else np.nan
            more = {"profit_gain": float(gain.sum()), "profit_gain_error": error}
            rows.append({"policy": name} | sums | more)
        return pd.DataFrame(rows).set_index("policy")

    def difference(self, policy: str, against: str | None = None) -> pd.DataFrame:
        """Difference two policies account by account.

        Parameters
        ----------
        policy, against : str
            Names; left out, `against` is the first one.

        Returns
        -------
        DataFrame
            A row an account, columns `MEASURES`, expected.

        Raises
        ------
        KeyError
            When no policy has that name.
        """
        one, other = self._outcome(policy), self._outcome(against or self.baseline)
        before = _measured(other)
        changed = {name: after - before[name] for name, after in _measured(one).items()}
        return pd.DataFrame(changed).rename_axis("account")

    def _outcome(self, name: str) -> Outcome:
        if name not in self.outcomes:
            raise KeyError(f"no policy {name!r}; compared were: {', '.join(self.outcomes)}")
        return self.outcomes[name]

    def _repr_html_(self) -> str:
        """Show the totals."""
        return self.to_frame().to_html(float_format="{:,.1f}".format)


@dataclass(frozen=True, eq=False)
class TrueEffects:
    """What one lever does to every account of a simulated company.

    Attributes
    ----------
    lever : str
        One of `LEVERS`.
    labels : tuple of str
        Settings of the lever.
    baseline : Outcome
        Business as usual.
    outcomes : tuple of Outcome
        One for each setting.
    """

    lever: str
    labels: tuple[str, ...]
    baseline: Outcome
    outcomes: tuple[Outcome, ...]

    def values(self, measure: str = "profit") -> Array:
        """Give expected totals by account and setting, shape (n, settings).

        Parameters
        ----------
        measure : str
            One of `MEASURES`.

        Raises
        ------
        KeyError
            When there is no such measure.
        """
        if measure not in MEASURES:
            raise KeyError(f"no measure {measure!r}; there is: {', '.join(MEASURES)}")
        return np.column_stack([_measured(outcome)[measure] for outcome in self.outcomes])

    def changes(self, measure: str = "profit") -> Array:
        """Give changes against business as usual by account and setting, shape (n, settings).

        Parameters
        ----------
        measure : str
            One of `MEASURES`.
        """
        return self.values(measure) - _measured(self.baseline)[measure][:, None]

    def to_frame(self) -> pd.DataFrame:
        """List the changes, a row an account and setting.

        Returns
        -------
        DataFrame
            Columns account, the lever's name (its setting), and `MEASURES`: changes against
            business as usual.
        """
        count = len(self.baseline.months)
        columns: dict[str, Any] = {
            "account": np.repeat(np.arange(count), len(self.labels)),
            self.lever: np.tile(self.labels, count),
        }
        return pd.DataFrame(columns | {name: self.changes(name).ravel() for name in MEASURES})

    def means(self) -> pd.DataFrame:
        """Mean changes against business as usual over accounts, a row a setting."""
        means = {name: self.changes(name).mean(axis=0) for name in MEASURES}
        return pd.DataFrame(means, index=pd.Index(self.labels, name=self.lever))

    def _repr_html_(self) -> str:
        """Show the mean changes."""
        return self.means().to_html(float_format="{:,.3f}".format)


def _measured(outcome: Outcome) -> dict[str, Array]:
    expected = {name: getattr(outcome, f"expected_{name}") for name in MEASURES[:-1]}
    return expected | {"survival": outcome.survival}


def _levels() -> dict[str, Policy]:
    return {level: Policy(level, levels=level) for level in LEVELS}


def _discounts() -> dict[str, Policy]:
    steps = (-0.10, -0.05, 0.05, 0.10)
    return {f"{100 * step:+.0f} points": Policy(f"{step:+}", discount=step) for step in steps}


def _contacts() -> dict[str, Policy]:
    return {f"x {factor:g}": Policy(visits=factor, calls=factor) for factor in (0.0, 0.5, 2.0, 4.0)}


def _channels() -> dict[str, Policy]:
    return {channel: Policy(channel, channel=channel) for channel in CHANNELS}


def _qualities() -> dict[str, Policy]:
    return {attribute: Policy(quality={attribute: 1.0}) for attribute in ATTRIBUTES}


LEVERS: dict[str, Callable[[], dict[str, Policy]]] = {
    "level": _levels,
    "discount": _discounts,
    "contacts": _contacts,
    "channel": _channels,
    "quality": _qualities,
}
"""Levers, each with the policies of its settings: all accounts on one level, all discounts moved by
points of the list price, all contacts multiplied, all accounts in one channel, one attribute better
by a standard deviation of perception."""


def compare_policies(
    policies: Mapping[str, Policy] | Iterable[Policy],
    accounts: int = 2_000,
    months: int = 36,
    seed: int = 1,
    *,
    start: str = "2023-01",
    ahead: int = 0,
    discount_rate: float = 0.0,
    parameters: Parameters | None = None,
    progress: Progress | None = None,
) -> PolicyComparison:
    """Run one simulated company under several policies with the same random numbers.

    Parameters
    ----------
    policies : mapping of str to Policy, or iterable of Policy
        The policies by name, or with their own names; the first is compared with.
    accounts, months, seed, start, parameters
        The company, see :func:`keycustomer.simulate.simulate_company`.
    ahead, discount_rate
        Months to look ahead from the end of the window, and the rate per year their amounts are
        discounted by: what the policies do to the customers there is told of these months alone.
        No policy then starts before the end of the window, so that up to it the company is the
        one that was observed.
    progress : callable, optional
        Called with runs done and in all.

    Raises
    ------
    TypeError, ValueError
        When there is no policy, one is none, or two have the same name.
    """
    settings = Settings(accounts, months, seed, start, ahead, discount_rate)
    first = settings.counted_from
    named = {
        name: replace(policy, start=max(policy.start, first))
        for name, policy in named_policies(policies).items()
    }
    truth = checked(parameters, Parameters, "parameters")
    outcomes = simulate_outcomes(
        settings, truth, product_arrays(), list(named.values()), progress=progress
    )
    return PolicyComparison(settings, dict(zip(named, outcomes, strict=True)))


def true_effects(
    lever: str,
    accounts: int = 2_000,
    months: int = 36,
    seed: int = 1,
    *,
    start: str = "2023-01",
    since: int = 0,
    ahead: int = 0,
    discount_rate: float = 0.0,
    parameters: Parameters | None = None,
    progress: Progress | None = None,
) -> TrueEffects:
    """Tell what one lever would do to every account of a simulated company.

    Parameters
    ----------
    lever : {"level", "discount", "contacts", "channel", "quality"}
        What is moved, everything else staying as usual; see `LEVERS`.
    accounts, months, seed, start, parameters
        The company, see :func:`keycustomer.simulate.simulate_company`.
    since : int
        First month in which the lever is moved.
    ahead, discount_rate
        Look ahead from the end of the window, see :func:`compare_policies`.
    progress : callable, optional
        Called with runs done and in all.

    Raises
    ------
    KeyError
        When there is no such lever.
    """
    if lever not in LEVERS:
        raise KeyError(f"no lever {lever!r}; there is: {', '.join(LEVERS)}")
    usual = "business as usual"
    moved = {label: replace(policy, start=since) for label, policy in LEVERS[lever]().items()}
    compared = compare_policies(
        {usual: Policy()} | moved,
        accounts,
        months,
        seed,
        start=start,
        ahead=ahead,
        discount_rate=discount_rate,
        parameters=parameters,
        progress=progress,
    ).outcomes
    labels = tuple(moved)
    return TrueEffects(lever, labels, compared[usual], tuple(compared[name] for name in labels))


def named_policies(policies: Mapping[str, Policy] | Iterable[Policy]) -> dict[str, Policy]:
    """Give policies by name, complaining where there is none, or a name comes twice.

    Raises
    ------
    TypeError, ValueError
        When there is no policy, one is none, or two have the same name.
    """
    if isinstance(policies, Mapping):
        named = dict(policies)
    else:
        given = list(policies)
        named = {getattr(policy, "name", repr(policy)): policy for policy in given}
        if len(named) < len(given):
            raise ValueError("two policies have the same name; name them, or give a mapping")
    if not named:
        raise ValueError("no policy to run; give at least one, such as [Policy()]")
    for name, policy in named.items():
        checked(policy, Policy, f"policies[{name!r}]")
        if policy is None:
            raise TypeError(f"policies[{name!r}] is None; business as usual is Policy()")
    return named
