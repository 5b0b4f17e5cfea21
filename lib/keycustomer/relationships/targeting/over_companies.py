"""The same pilot in many simulated companies: what rules of choice earn, and how much that varies.

One company is one draw.  :func:`pilots_over_companies` repeats the pilot in at least twenty, each
with its own customers and chances, and tells for each rule what it truly earned, in how many
companies more than another rule, and how often the interval from the pilot held the truth.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from keycustomer.lifetime.arguments import whole_number
from keycustomer.relationships.targeting.pilot import PilotSettings, retention_pilot
from keycustomer.relationships.targeting.profits import FIXED, UNIT
from keycustomer.relationships.targeting.rules import RISK
from keycustomer.stats import Estimate, bootstrap, bootstrap_estimate, verdict_above
from keycustomer.stats.bootstrap import Progress, after_quiet
from keycustomer.stats.samples import FloatArray

LEAST = 20
"""Companies over which a comparison on simulated data is repeated at least."""


@dataclass(frozen=True, eq=False)
class PilotsOverCompanies:
    """The same pilot in many simulated companies.

    Attributes
    ----------
    settings : PilotSettings
        The pilot.
    depth : float
        Fixed depth, share of the customers.
    pilots : DataFrame
        One row a company: seed, customers, offered; uplift (estimated mean effect on staying) with
        uplift_lower, uplift_upper; true_uplift; risk_and_uplift (correlation of true risk and true
        uplift over customers); attainable and everybody (true gain of the best choice, and of
        offering to all, currency a customer).
    rules : DataFrame
        One row a company, rule and stop: the columns of `RetentionPilot.to_frame`, with seed.
    """

    settings: PilotSettings
    depth: float
    pilots: pd.DataFrame = field(repr=False)
    rules: pd.DataFrame = field(repr=False)

    @property
    def companies(self) -> int:
        """Number of companies."""
        return len(self.pilots)

    def truths(self, rule: str, stop: str = FIXED) -> pd.Series:
        """Give what a rule truly earned in each company, currency a customer, by seed.

        Raises
        ------
        KeyError
            When there is no such rule with that stop.
        """
        rows = self.rules[(self.rules["rule"] == rule) & (self.rules["stop"] == stop)]
        if rows.empty:
            known = self.rules[["rule", "stop"]].drop_duplicates()
            told = ", ".join(f"{a!r} at {b!r}" for a, b in known.itertuples(index=False))
            raise KeyError(f"no rule {rule!r} at {stop!r}; there is: {told}")
        return rows.set_index("seed")["truth"]

    def gap(
        self, rule: str, other: str = RISK, stop: str = FIXED, other_stop: str | None = None
    ) -> Estimate:
        """Mean over companies of what a rule truly earned more than another.

        Parameters
        ----------
        rule, other : str
            The rules.
        stop, other_stop : str
            Where each stops; left out, the other stops alike.

        Returns
        -------
        Estimate
            Currency a customer, with a bootstrap of companies.
        """
        apart = self.truths(rule, stop) - self.truths(other, other_stop or stop)
        return _mean(apart.to_numpy(dtype=float))

    def verdict(
        self, rule: str, other: str = RISK, stop: str = FIXED, other_stop: str | None = None
    ) -> str:
        """Verdict on the claim that a rule earns more than another, see `stats.verdict_above`."""
        return verdict_above(self.gap(rule, other, stop, other_stop), 0.0)

    def to_frame(self) -> pd.DataFrame:
        """One row a rule and stop, over companies.

        Returns
        -------
        DataFrame
            rule, stop, chosen (mean share of the customers); truth (mean, currency a customer),
            spread (standard deviation over companies), least, most; attained (mean share of what
            was attainable); gains (companies in which it truly earned something), over risk
            (companies in which it earned more than churn risk with the same stop, missing where
            that has none); held (share of the pilots' intervals that hold the truth).
        """
        groups = self.rules.groupby(["rule", "stop"], sort=False)
        table = groups.agg(
            chosen=("chosen", "mean"),
            truth=("truth", "mean"),
            spread=("truth", "std"),
            least=("truth", "min"),
            most=("truth", "max"),
            attained=("attained", "mean"),
        )
        rows = self.rules
        table["gains"] = groups["truth"].agg(lambda truth: int((truth > 0).sum()))
        risk = rows[rows["rule"] == RISK].set_index(["seed", "stop"])["truth"]
        beaten = (
            rows.set_index(["seed", "stop"])["truth"]
            - risk.reindex(pd.MultiIndex.from_frame(rows[["seed", "stop"]])).to_numpy()
        )
        above = rows.assign(above=(beaten > 0).to_numpy(), known=beaten.notna().to_numpy())
        counted = above.groupby(["rule", "stop"], sort=False)[["above", "known"]].sum()
        table["over risk"] = counted["above"].where(counted["known"] > 0)
        held = (rows["lower"] <= rows["truth"]) & (rows["truth"] <= rows["upper"])
        table["held"] = rows.assign(held=held).groupby(["rule", "stop"], sort=False)["held"].mean()
        return table.reset_index()

    def _repr_html_(self) -> str:
        from keycustomer.customers.rendering import report_html

        said = [
            f"Simulated: {self.settings.told} in {self.companies} companies; fixed depth "
            f"{self.depth:.0%}; amounts in currency a customer.",
            f"Attainable on average {self.pilots['attainable'].mean():,.2f} a customer; offering "
            f"to everybody brings {self.pilots['everybody'].mean():,.2f}.",
            "True risk and true uplift correlate by "
            f"{self.pilots['risk_and_uplift'].mean():.2f} on average.",
        ]
        return report_html("Pilots over companies", said, {"Rules": self.to_frame()})


def pilots_over_companies(
    settings: PilotSettings | None = None,
    *,
    companies: int = LEAST,
    first_seed: int = 101,
    models: str = "linear",
    depth: float = 0.2,
    draws: int = 200,
    progress: Progress | None = None,
) -> PilotsOverCompanies:
    """Repeat a pilot in many simulated companies.

    Parameters
    ----------
    settings : PilotSettings, optional
        The company and the pilot.
    companies : int
        How many.
    first_seed : int
        Seed of the first one; the others follow.
    models, depth, draws
        As in :func:`keycustomer.relationships.retention_pilot`.
    progress : callable, optional
        Called with companies done and in all.

    Returns
    -------
    PilotsOverCompanies
    """
    number = whole_number(companies, "companies", of="companies", least=1)
    chosen = settings or PilotSettings()
    report = after_quiet(progress)
    pilots: list[dict[str, Any]] = []
    rules: list[pd.DataFrame] = []
    for done, seed in enumerate(range(first_seed, first_seed + number), start=1):
        pilot = retention_pilot(seed, chosen, models=models, depth=depth, draws=draws)
        effect = pilot.fitted.average
        pilots.append(
            {"seed": seed, "customers": len(pilot.trial)}
            | {"offered": int(pilot.trial.treated.sum())}
            | {"uplift": effect.estimate, "true_uplift": float(pilot.true_uplift.mean())}
            | {"uplift_lower": effect.lower, "uplift_upper": effect.upper}
            | {"risk_and_uplift": float(np.corrcoef(pilot.true_risk, pilot.true_uplift)[0, 1])}
            | {"attainable": pilot.attainable, "everybody": float(pilot.true_gain.mean())}
        )
        rules.append(pilot.to_frame().assign(seed=seed))
        report(done, number)
    told = pd.concat(rules, ignore_index=True)
    return PilotsOverCompanies(chosen, depth, pd.DataFrame(pilots), told)


def _mean(values: FloatArray) -> Estimate:
    """Mean over companies with its bootstrap interval."""

    def statistic(weights: FloatArray) -> FloatArray:
        return (weights @ values / weights.sum(axis=1))[:, None]

    drawn = bootstrap(statistic, np.ones(len(values)), draws=2_000)[:, 0]
    return bootstrap_estimate(float(values.mean()), drawn, unit=UNIT, n=len(values))
