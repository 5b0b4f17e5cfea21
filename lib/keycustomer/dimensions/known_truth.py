"""The true values of this chapter's measures, where the data are simulated.

Question: how near did an estimate come?  :func:`truth_of` makes the simulated company of a base
anew and tells its true values.  Real data have no known truth: then every value is None.
:func:`company_of` gives the company itself, and refuses real data.

What the rating scale, scale usage and the noise of answering do to reliabilities is part of their
truth: it is computed from the process, not from the sample.  The truth of a path is the effect in
the process itself.  A survey does not come to it, however many answer: some agree with everything
and some use only the middle of the scale, which lets benefits go together and hides what a
sacrifice does; and the content are readier to answer.  :attr:`KnownTruth.endless` is a table of
answers whose means and covariances are those of infinitely many respondents: what a method makes
of it is what its intervals aim at, and its distance from the truth is what no sample size cures.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from keycustomer.customers.base import CustomerBase
from keycustomer.dimensions.kano.evaluation import CLASSES
from keycustomer.simulate import Company, simulate_company
from keycustomer.simulate.implied_answers import implied_moments
from keycustomer.simulate.questionnaire import LATENTS, Measurement
from keycustomer.simulate.vocabulary import DIMENSIONS

ENDLESS_ROWS = 1000
"""Rows of a table that has the moments of infinitely many answers; more change nothing."""

Values = dict[tuple[str, str], float]


@dataclass(frozen=True)
class KnownTruth:
    """True values by measure and group.

    Attributes
    ----------
    values : dict of (str, str) to float
        Empty where the data are real.
    endless : DataFrame or None
        Rating items as columns, with means, covariances and correlations as if infinitely many of
        those who answer had answered the last wave.  The single rows mean nothing: no methods that
        read them one by one.  None where the data are real.
    company : Company or None
        The simulated company itself.
    """

    values: Values = field(default_factory=dict)
    endless: pd.DataFrame | None = field(default=None, repr=False, compare=False)
    company: Company | None = field(default=None, repr=False, compare=False)

    def of(self, measure: str, group: str = "") -> float | None:
        """Return the true value of a measure for a group; None where it is not known."""
        return self.values.get((measure, group))

    def beside(self, measures: pd.DataFrame) -> pd.DataFrame:
        """Put the truth beside estimates.

        Parameters
        ----------
        measures : DataFrame
            measure, group, estimate, lower, upper.

        Returns
        -------
        DataFrame
            The rows whose truth is known, with truth and whether the interval holds it
            (`held`; missing where there is no interval).
        """
        keys = zip(measures["measure"], measures["group"], strict=True)
        truth = pd.Series([self.of(*key) for key in keys], measures.index, dtype=float)
        found = measures.assign(truth=truth).dropna(subset=["truth", "estimate"])
        held = (found["lower"] <= found["truth"]) & (found["truth"] <= found["upper"])
        return found.assign(held=held.astype("boolean").where(found["lower"].notna()))


def truth_of(base: CustomerBase) -> KnownTruth:
    """Tell the true values behind the simulated survey of a base; none for real data.

    Parameters
    ----------
    base : CustomerBase
        A prepared base.
    """
    if base.simulation is None:
        return KnownTruth()
    company = simulate_company(**base.simulation)
    truth = company.truth
    paths, effects, kano = truth.paths, truth.indirect_effects, truth.kano
    last = paths.loc[paths["wave"] != "all", "wave"].iloc[-1]
    return KnownTruth(
        {
            **dict(_reliabilities(truth.loadings)),
            **dict(_alphas(truth.reliabilities)),
            **dict(_paths(paths[paths["wave"] == last])),
            **dict(_indirect(effects[effects["wave"] == last])),
            **dict(_kano(kano[kano["segment"] == "all"])),
        },
        _endless(truth.latents),
        company,
    )


def company_of(source: CustomerBase | Company, unknown: str) -> Company:
    """Give the simulated company behind a base, or the company itself.

    Parameters
    ----------
    source : CustomerBase or Company
        A simulated company, or a base made from one, whose company is simulated anew.
    unknown : str
        What nobody knows of real data, such as `true elasticities`, for the message.

    Raises
    ------
    ValueError
        When the data are real.
    """
    if isinstance(source, Company):
        return source
    if isinstance(source, CustomerBase) and source.simulation is not None:
        return simulate_company(**source.simulation)
    held = f"the base {source.title!r}" if isinstance(source, CustomerBase) else "source"
    raise ValueError(
        f"{held} holds real data, whose {unknown} nobody knows; give a simulated company, or a "
        "base made from one"
    )


def _endless(latents: pd.DataFrame) -> pd.DataFrame:
    """Rows with exactly the moments that the answers of the last wave's respondents have."""
    answering = latents["responded"] & (latents["wave"] == latents["wave"].max())
    behind = latents.loc[answering, list(LATENTS)]
    seen = implied_moments(Measurement(), behind.cov().to_numpy(), behind.mean().to_numpy())
    made = np.random.default_rng(0).standard_normal((ENDLESS_ROWS, len(seen.items)))
    made -= made.mean(axis=0)
    plain = np.linalg.solve(np.linalg.cholesky(np.cov(made, rowvar=False)), made.T)
    root = np.linalg.cholesky(seen.correlation * np.outer(seen.sd, seen.sd))
    return pd.DataFrame((root @ plain).T + seen.mean, columns=list(seen.items))


Rows = Iterator[tuple[tuple[str, str], float]]


def _alphas(reliabilities: pd.DataFrame) -> Rows:
    for construct, alpha in reliabilities.set_index("construct")["alpha"].items():
        yield ("alpha", str(construct)), float(alpha)


def _reliabilities(loadings: pd.DataFrame) -> Rows:
    """Omega and AVE of the factor that the answers to each construct follow."""
    for construct, items in loadings.dropna(subset="factor_loading").groupby("construct"):
        loading = items["factor_loading"] * items["sd"]
        noise = (items["sd"] ** 2 - loading**2).sum()
        yield ("omega", str(construct)), float(loading.sum() ** 2 / (loading.sum() ** 2 + noise))
        shared = (loading**2).sum()
        yield ("ave", str(construct)), float(shared / (shared + noise))


def _paths(paths: pd.DataFrame) -> Rows:
    """Paths there are, and 0 for those from value to loyalty that there are not."""
    for dimension in DIMENSIONS:
        yield ("path", f"{dimension}->loyalty"), 0.0
    names = paths["source"].astype(str) + "->" + paths["target"].astype(str)
    for name, path in zip(names, paths["standardised"], strict=True):
        yield ("path", name), float(path)


def _indirect(effects: pd.DataFrame) -> Rows:
    """Effects on loyalty by way of satisfaction: each source, and all benefits together."""
    through = effects.query("through == 'satisfaction' and target == 'loyalty'")
    by_source = through.set_index("source")["standardised_indirect"].astype(float)
    for source, effect in by_source.items():
        yield ("indirect_value_loyalty", str(source)), float(effect)
    yield ("indirect_value_loyalty", ""), float(by_source.drop("sacrifice").sum())


def _kano(kano: pd.DataFrame) -> Rows:
    for attribute, letter in kano.set_index("attribute")["modal_class"].items():
        yield ("kano_class", str(attribute)), 1.0 + CLASSES.index(str(letter))
