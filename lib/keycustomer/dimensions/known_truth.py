"""The true values of this chapter's measures, where the data are simulated.

Question: how near did an estimate come?  :func:`truth_of` makes the simulated company of a base
anew and tells the value that a measure would have with infinitely many answers.  Real data have no
known truth: then every value is None.

What the rating scale, scale usage and the noise of answering do to reliabilities is part of the
truth: it is computed from the process, not from the sample.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pandas as pd

from keycustomer.customers.base import CustomerBase
from keycustomer.simulate import simulate_company
from keycustomer.simulate.vocabulary import DIMENSIONS

CLASSES = "MOAIRQ"
"""Kano's classes in the order of their numbers, from 1."""

Values = dict[tuple[str, str], float]


@dataclass(frozen=True)
class KnownTruth:
    """True values by measure and group.

    Attributes
    ----------
    values : dict of (str, str) to float
        Empty where the data are real.
    """

    values: Values = field(default_factory=dict)

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
    truth = simulate_company(**base.simulation).truth
    paths, effects, kano = truth.paths, truth.indirect_effects, truth.kano
    last = paths.loc[paths["wave"] != "all", "wave"].iloc[-1]
    return KnownTruth(
        {
            **dict(_reliabilities(truth.loadings)),
            **dict(_alphas(truth.reliabilities)),
            **dict(_paths(paths[paths["wave"] == last])),
            **dict(_indirect(effects[effects["wave"] == last])),
            **dict(_kano(kano[kano["segment"] == "all"])),
        }
    )


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
