"""What complaints and contacts really do in a simulated company, and how near estimates come.

:func:`true_service` runs a simulated company again, with the same chance, in worlds in which
complaints do no harm, are all resolved at the first contact, never late, or never at the first
contact, or in which contacts are multiplied; the true effect is the mean difference of the chances
to leave over the very customer-months that an estimate speaks of.  :func:`judge_service` makes many
companies, estimates each from its tables alone and puts the truth beside: means, spread, and how
often intervals hold the truth.

All of it is simulated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.customers.rendering import report_html
from keycustomer.relationships.many_companies import simulated_companies
from keycustomer.relationships.service.complaints import PER, complaint_effects
from keycustomer.relationships.service.contacts import Form, contact_study
from keycustomer.relationships.service.outcomes import outcome_rows
from keycustomer.relationships.service.record import read_service
from keycustomer.relationships.service.regression import fit_regression
from keycustomer.simulate import (
    DIMENSIONS,
    Company,
    Parameters,
    Policy,
    ServiceProcess,
    compare_policies,
    simulate_company,
)
from keycustomer.stats import Estimate
from keycustomer.stats.bootstrap import Progress

Array = npt.NDArray[Any]

HARMLESS = {
    "service.complaint_functional": 0.0,
    "service.complaint_effort": 0.0,
    "churn.unresolved": 0.0,
}
"""Coefficients of a company in which complaints come and do nothing."""

PROCESSES = {
    "all at first contact": (20.0, 1.0),
    "none late": (0.0, 0.0),
    "none at first contact": (-20.0, 1.0),
}
"""Added log-odds that the first contact resolves a complaint (20 is always, -20 never), and factor
on the days that the others take."""

FACTORS = (0.0, 0.5, 1.0, 2.0, 4.0)
"""Multiples of the contacts."""

JUDGED = (0.0, 2.0)
"""Multiples at which estimates are put beside the truth: none, and as many again."""


@dataclass(frozen=True, eq=False)
class TrueService:
    """True effects of complaints and contacts in a simulated company.

    Attributes
    ----------
    leaving : dict of str to float
        Change of leavers per 1,000 customer-months by contrast: those of complaints, and
        "contacts x 0" and so on.
    contacts : DataFrame
        factor, leaving (per 1,000 customer-months), satisfaction, loyalty, social (latent standard
        deviations): changes against today; then margin, cost (to serve) and profit a customer over
        the window, against none at all, and `return` (margin that one unit of the further cost
        since the row before brought).
    """

    leaving: dict[str, float]
    contacts: pd.DataFrame

    def to_frame(self) -> pd.DataFrame:
        """Give a copy of `contacts`."""
        return self.contacts.copy()

    def _repr_html_(self) -> str:
        said = [
            "Simulated company: true effects, same customers, same chance.",
            *(f"{name}: {value:+.2f} leavers per 1,000" for name, value in self.leaving.items()),
        ]
        return report_html("True effects of service", said, {"Contacts": self.contacts})


def true_service(
    accounts: int = 2_000,
    months: int = 36,
    seed: int = 1,
    *,
    burn_in: int = 6,
    factors: Sequence[float] = FACTORS,
) -> TrueService:
    """Tell what complaints and contacts really do in a simulated company.

    Parameters
    ----------
    accounts, months, seed
        The company, see :func:`keycustomer.simulate.simulate_company`.
    burn_in : int
        First months that estimates leave out, and truth with them.
    factors : sequence of float
        Multiples of the contacts.
    """
    usual = simulate_company(accounts, months, seed)
    used = _used(usual, burn_in)
    others = {factor: _under(usual, _contacts(factor)) for factor in factors}
    leaving = _complaints_leaving(usual, used)
    leaving |= {_contacts(f).name: _change(usual, other, used) for f, other in others.items()}
    frame = pd.DataFrame(
        [
            {"factor": factor, "leaving": leaving[_contacts(factor).name]}
            | _opinions(usual, other, used)
            for factor, other in others.items()
        ]
    )
    return TrueService(leaving, frame.assign(**_returns(_size(usual), factors)))


def _size(company: Company) -> tuple[int, int, int]:
    return company.settings.accounts, company.settings.months, company.settings.seed


def _used(usual: Company, burn_in: int) -> Array:
    """Customer-months that estimates speak of."""
    used = usual.panel.active.copy()
    used[:burn_in] = False
    return used


def _under(usual: Company, policy: Policy) -> Company:
    return simulate_company(*_size(usual), policy=policy)


def _complaints_leaving(usual: Company, used: Array) -> dict[str, float]:
    """Change of the leaving rate in other worlds of complaints."""
    harmless = simulate_company(*_size(usual), parameters=Parameters().but(HARMLESS))
    leaving = {"no complaints": _change(usual, harmless, used)}
    for name, (odds, speed) in PROCESSES.items():
        service = ServiceProcess(first_contact=odds, speed=speed, answer=0.0)
        leaving[name] = _change(usual, _under(usual, Policy(service=service)), used)
    return leaving


def _contacts(factor: float) -> Policy:
    return Policy(f"contacts x {factor:g}", visits=factor, calls=factor)


def _change(usual: Company, other: Company, used: Array) -> float:
    """Mean change of the chance to leave, over months in which the customer is there in both."""
    apart = other.panel.hazard.astype(float) - usual.panel.hazard.astype(float)
    return PER * float(np.nanmean(apart[used]))


def _opinions(usual: Company, other: Company, used: Array) -> dict[str, float]:
    social = DIMENSIONS.index("social")
    pairs = {
        "satisfaction": (other.panel.satisfaction, usual.panel.satisfaction),
        "loyalty": (other.panel.loyalty, usual.panel.loyalty),
        "social": (other.panel.value[:, :, social], usual.panel.value[:, :, social]),
    }
    return {name: float(np.nanmean((a - b)[used])) for name, (a, b) in pairs.items()}


def _returns(size: tuple[int, int, int], factors: Sequence[float]) -> dict[str, Array]:
    """Margin, cost and profit a customer by factor, and what further cost brought."""
    policies = [_contacts(factor) for factor in factors]
    compared = compare_policies({one.name: one for one in policies}, *size).outcomes
    margin = np.array([one.expected_margin.mean() for one in compared.values()])
    profit = np.array([one.expected_profit.mean() for one in compared.values()])
    cost = margin - profit
    with np.errstate(invalid="ignore", divide="ignore"):
        brought = np.r_[np.nan, np.diff(margin) / np.diff(cost)]
    gains = {"margin": margin, "cost": cost, "profit": profit}
    return {name: values - values[0] for name, values in gains.items()} | {"return": brought}


@dataclass(frozen=True, eq=False)
class ServiceTrial:
    """Estimates beside the truth over many simulated companies.

    Attributes
    ----------
    frame : DataFrame
        company (seed), contrast, adjustment, estimate, lower, upper, truth, held.
    accounts, months : int
        Size of each company.
    """

    frame: pd.DataFrame
    accounts: int
    months: int

    @property
    def companies(self) -> int:
        """Number of companies."""
        return int(self.frame["company"].nunique())

    def summary(self) -> pd.DataFrame:
        """Sum up over companies.

        Returns
        -------
        DataFrame
            contrast, adjustment, estimate and truth (means), error (mean of estimate less truth),
            error_of_mean (its standard error), spread (sd of the error), held (share of intervals
            with the truth), found (share wholly on the true side of 0).
        """
        frame = self.frame.assign(error=self.frame["estimate"] - self.frame["truth"])
        side = np.where(frame["truth"] < 0, frame["upper"] < 0, frame["lower"] > 0)
        groups = frame.assign(found=side).groupby(["contrast", "adjustment"], sort=False)
        means = groups[["estimate", "truth", "error", "held", "found"]].mean()
        spread = groups["error"].std()
        means.insert(3, "error_of_mean", spread / np.sqrt(self.companies))
        means.insert(4, "spread", spread)
        return means.reset_index()

    def to_frame(self) -> pd.DataFrame:
        """Give a copy of `frame`."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        said = [
            f"{self.companies} simulated companies of {self.accounts:,} accounts and "
            f"{self.months} months; leavers per 1,000 customer-months."
        ]
        return report_html("Estimates and truth", said, {"Over companies": self.summary()})


def judge_service(
    companies: int = 20,
    accounts: int = 1_000,
    months: int = 36,
    seed: int = 1,
    *,
    burn_in: int = 6,
    attributes: Sequence[str] = ("estimated_potential",),
    progress: Progress | None = None,
) -> ServiceTrial:
    """Estimate the effects of complaints and contacts in many simulated companies.

    Parameters
    ----------
    companies : int
        Companies, with seeds from `seed` on.
    accounts, months, seed
        Size of each, and the first seed.
    burn_in : int
        First months left out.
    attributes : sequence of str
        Attributes held fixed besides what :func:`complaint_effects` holds.
    progress : callable, optional
        Called with companies done and in all.

    Raises
    ------
    ValueError
        When `companies` is below 2.
    """
    rows: list[dict[str, Any]] = []
    for company in simulated_companies(
        companies, accounts, months, seed, least=2, progress=progress
    ):
        used = _used(company, burn_in)
        truth = _complaints_leaving(company, used)
        for policy in map(_contacts, JUDGED):
            truth[policy.name] = _change(company, _under(company, policy), used)
        for (contrast, how), one in _estimates(company, burn_in, attributes).items():
            if contrast in truth:
                told = {"contrast": contrast, "adjustment": how}
                rows.append(
                    {"company": company.settings.seed} | told | _beside(one, truth[contrast])
                )
    return ServiceTrial(pd.DataFrame(rows), accounts, months)


def _estimates(
    company: Company, burn_in: int, attributes: Sequence[str]
) -> dict[tuple[str, str], Estimate]:
    """Estimates from the tables alone, by contrast and adjustment."""
    record = read_service(company)
    found = dict(complaint_effects(record, burn_in=burn_in, attributes=attributes).effects)
    form = Form("logarithm")
    known = outcome_rows(record, "left", burn_in)
    study = contact_study(record, known, form, attributes)
    stock = study.stocks.stock(form)
    plain = fit_regression(known.values, form.of(stock)[:, None], ["contacts"], study.customer)
    design, adjusted = study.model(form)
    for factor in JUDGED:
        changed = design.copy()
        changed[:, 0] = form.of(factor * stock)
        name = _contacts(factor).name
        found[name, "naive"] = plain.change(changed[:, :1], design[:, :1], known.unit, per=PER)
        found[name, "adjusted"] = adjusted.change(changed, design, known.unit, per=PER)
    return found


def _beside(one: Estimate, truth: float) -> dict[str, Any]:
    return {
        "estimate": one.estimate,
        "lower": one.lower,
        "upper": one.upper,
        "truth": truth,
        "held": bool(one.lower <= truth <= one.upper),
    }
