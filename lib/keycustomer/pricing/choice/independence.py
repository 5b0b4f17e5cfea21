"""Independence of irrelevant alternatives, tested by taking an alternative away.

In a logit the odds of two alternatives do not depend on a third.  If that is so, the coefficients
are the same, but for chance, when the tasks are cut down to the other alternatives
(:func:`independence_test`).  The test of Hausman and McFadden compares the two estimates through
the difference of their covariances, which need not be a covariance and then gives a statistic below
zero.  Beside it stands the same test with the covariance of the difference itself, from what each
respondent moves in either estimate, which is one always and allows for several tasks a respondent.

Sources: Hausman & McFadden (1984), Econometrica 52, 1219-1240; Weesie (1999), Stata Technical
Bulletin 52, for the covariance of the difference; Cheng & Long (2007), Sociological Methods &
Research 35, 583-600, for how little power and size of the test can be trusted in small samples.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import report_html
from keycustomer.pricing.choice.coding import ALTERNATIVE, Coding
from keycustomer.pricing.choice.logit import LogitModel, fit_coding
from keycustomer.relationships.service.indicators import holm
from keycustomer.stats.regressions.clustering import covariance_over_customers
from keycustomer.stats.samples import FloatArray


@dataclass(frozen=True, eq=False)
class IndependenceTest:
    """Tests whether the odds of the others change without an alternative.

    Attributes
    ----------
    frame : DataFrame
        One row an alternative taken away: ``without``, ``tasks`` left, ``coefficients`` compared,
        ``chi_square`` and ``p_value`` (with the covariance of the difference),
        ``p_adjusted`` (Holm, over the alternatives), ``hausman`` (Hausman and McFadden's
        statistic, may be below zero) and ``hausman_p_value`` (NaN where it is).
    simulated : bool
        Whether the data are made up.
    notes : tuple of str
        What a reader should know.
    """

    frame: pd.DataFrame = field(repr=False)
    simulated: bool = False
    notes: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """The finding in words, at an error probability of 5 % over all alternatives."""
        made_up = "Simulated: " if self.simulated else ""
        broken = self.frame.loc[self.frame["p_adjusted"] < 0.05, "without"]
        if broken.empty:
            return (
                f"{made_up}no sign against the independence of irrelevant alternatives "
                f"(smallest adjusted p {self.frame['p_adjusted'].min():.3f})."
            )
        return (
            f"{made_up}the odds of the others change without {', '.join(broken)}: the plain logit "
            "misstates who gains when an offer goes; use a mixed logit."
        )

    def to_frame(self) -> pd.DataFrame:
        """One row an alternative taken away."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        text = self.frame.map(lambda v: f"{v:.4g}" if isinstance(v, float) else v)
        told = [self.sentence, *self.notes]
        return report_html("Independence of irrelevant alternatives", told, {"Without": text})


def independence_test(model: LogitModel, without: str | None = None) -> IndependenceTest:
    """Test the independence of irrelevant alternatives.

    Parameters
    ----------
    model : LogitModel
        A fitted model; its alternatives need labels that mean something (brands, modes, none).
    without : str, optional
        Alternative to take away; default: each in turn, but those without which nothing is left.

    Returns
    -------
    IndependenceTest

    Raises
    ------
    ValueError
        When there is no such alternative, or none can be taken away.
    """
    labels = model.data.alternatives
    if without is not None and without not in labels:
        raise ValueError(f"without={without!r} is no alternative; there are {', '.join(labels)}")
    rows, notes = [], []
    for label in labels if without is None else (without,):
        try:
            rows.append(_compared(model, label))
        except ValueError as wrong:
            notes.append(f"without {label} nothing can be fitted: {wrong}")
    if not rows:
        raise ValueError(f"no alternative can be taken away: {'; '.join(notes)}")
    frame = pd.DataFrame(rows)
    frame.insert(5, "p_adjusted", holm(frame["p_value"].to_numpy()))
    return IndependenceTest(frame, model.data.simulated, tuple(notes))


def _compared(model: LogitModel, label: str) -> dict[str, object]:
    """Compare the model with one of the tasks without an alternative."""
    from scipy.stats import chi2

    rest = model.data.where((model.data.frame["alternative"].astype(str) != label).to_numpy())
    if rest.frame.empty:
        raise ValueError("no task keeps its chosen alternative and another")
    coding = _without(model.coding, label, rest.has_none)
    part = fit_coding(rest, coding, "classical", model.level)
    names = coding.names
    # in standard errors: the tests must not depend on the units of the columns
    units = np.sqrt(np.diag(part.covariance))
    gap = (part.coefficients - model.coefficients[names]).to_numpy() / units
    spread = covariance_over_customers(_influence_of_gap(model, part) / units)
    statistic = float(gap @ np.linalg.pinv(spread, hermitian=True) @ gap)
    inside = model.classical_covariance.loc[names, names].to_numpy()
    between = (part.covariance.to_numpy() - inside) / np.outer(units, units)
    hausman = float(gap @ np.linalg.pinv(between, hermitian=True) @ gap)
    return {
        "without": label,
        "tasks": part.tasks,
        "coefficients": len(names),
        "chi_square": statistic,
        "p_value": float(chi2.sf(statistic, len(names))),
        "hausman": hausman,
        "hausman_p_value": float(chi2.sf(hausman, len(names))) if hausman >= 0 else np.nan,
    }


def _without(coding: Coding, label: str, has_none: bool) -> Coding:
    """Leave out the coefficients that belong to an alternative only."""
    kept = tuple(
        one
        for one in coding.coefficients
        if (ALTERNATIVE, label) not in one.factors
        and (has_none or ("none of the offers", "") not in one.factors)
    )
    levels = coding.levels | {
        ALTERNATIVE: tuple(one for one in coding.levels[ALTERNATIVE] if one != label)
    }
    by_alternative = any(c == ALTERNATIVE for one in kept for c, _ in one.factors)
    if by_alternative and label == coding.levels[ALTERNATIVE][0]:
        raise ValueError("it is the reference of the constants")
    return Coding(kept, coding.price, coding.attributes, levels)


def _influence_of_gap(model: LogitModel, part: LogitModel) -> FloatArray:
    """Move of the difference of the coefficients by each respondent of the whole sample."""
    names = part.coding.names
    places = [model.coding.names.index(name) for name in names]
    everyone = model.data.frame["respondent_id"].unique()
    own = part.data.frame["respondent_id"].unique()
    moved = -model.influence[:, places]
    moved[pd.Index(everyone).get_indexer(pd.Index(own))] += part.influence
    return moved
