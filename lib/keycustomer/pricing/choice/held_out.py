"""Choices of respondents the model has not seen: how well a logit predicts, honestly.

:func:`held_out_choices` leaves out a part of the respondents (or of the tasks) in turn, fits on the
rest and judges the predictions for those left out: log-likelihood a task against equal shares, hit
rate against guessing, and how far the predicted shares of the alternatives are from the actual
ones.  Tasks of one respondent are alike: leaving out tasks flatters a model that knows the
respondents' other tasks through their traits, leaving out respondents does not.

Source: Train (2009), section 3.8; Ben-Akiva & Lerman, "Discrete Choice Analysis" (1985), chapter 7.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.customers.rendering import report_html
from keycustomer.pricing.choice.likelihood import log_probabilities
from keycustomer.pricing.choice.logit import LogitModel, fit_coding, hit_rate
from keycustomer.stats.bootstrap import Seed
from keycustomer.stats.regressions.clustering import folds_of

Unit = Literal["respondents", "tasks"]


@dataclass(frozen=True, eq=False)
class HeldOutChoices:
    """Predictions of choices that were left out of the fit.

    Attributes
    ----------
    frame : DataFrame
        One row a fold: ``tasks`` left out, ``log_likelihood`` and ``null_log_likelihood`` a task
        (of the model, of equal shares), ``hit_rate`` and ``guess_rate`` (share of tasks).
    shares : DataFrame
        One row an alternative: ``actual`` and ``predicted`` share of the choices left out.
    unit : {"respondents", "tasks"}
        What was left out together.
    in_sample : float
        McFadden's R2 of the model on the tasks it was fitted to.
    simulated : bool
        Whether the data are made up.
    """

    frame: pd.DataFrame = field(repr=False)
    shares: pd.DataFrame = field(repr=False)
    unit: Unit
    in_sample: float
    simulated: bool = False

    @property
    def hit_rate(self) -> float:
        """Share of the tasks left out whose most probable alternative was chosen."""
        return float(np.average(self.frame["hit_rate"], weights=self.frame["tasks"]))

    @property
    def guess_rate(self) -> float:
        """The same for guesses."""
        return float(np.average(self.frame["guess_rate"], weights=self.frame["tasks"]))

    @property
    def mcfadden(self) -> float:
        """McFadden's R2 on the tasks left out; below 0 where the model is worse than guessing."""
        weights = self.frame["tasks"]
        model = np.average(self.frame["log_likelihood"], weights=weights)
        return float(1 - model / np.average(self.frame["null_log_likelihood"], weights=weights))

    @property
    def sentence(self) -> str:
        """The finding in words."""
        made_up = "Simulated: " if self.simulated else ""
        return (
            f"{made_up}for {self.unit} it has not seen the model names the choice in "
            f"{100 * self.hit_rate:.1f} % of the tasks (guessing: {100 * self.guess_rate:.1f} %); "
            f"McFadden R2 {self.mcfadden:.3f} there, {self.in_sample:.3f} in the sample."
        )

    def to_frame(self) -> pd.DataFrame:
        """One row a fold."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        tables = {"By fold": self.frame, "Shares of the alternatives": self.shares}
        return report_html("Choices left out", [self.sentence], tables)


def held_out_choices(
    model: LogitModel, *, folds: int = 5, unit: Unit = "respondents", seed: Seed = 0
) -> HeldOutChoices:
    """Fit a logit again without some respondents or tasks, and predict these.

    Parameters
    ----------
    model : LogitModel
        The model whose columns are fitted again.
    folds : int
        Parts that are left out in turn.
    unit : {"respondents", "tasks"}
        What is left out together.
    seed : int or Generator
        Shares out the parts.

    Returns
    -------
    HeldOutChoices

    Raises
    ------
    ValueError
        When there are fewer respondents or tasks than folds, or a part cannot be fitted.
    """
    if unit not in ("respondents", "tasks"):
        raise ValueError(f"unit={unit!r}: give 'respondents' or 'tasks'")
    task = _task_codes(model)
    who = pd.factorize(model.data.frame["respondent_id"])[0].astype(np.int64)
    whole = who if unit == "respondents" else task
    there = int(whole.max()) + 1
    if isinstance(folds, bool) or not isinstance(folds, int) or not 2 <= folds <= there:
        raise ValueError(f"folds={folds!r}: give 2 to {there}, the number of {unit}")
    fold = folds_of(whole, folds, seed)
    parts = [_judged(model, fold == k) for k in range(folds)]
    rows = pd.concat([part[1] for part in parts], ignore_index=True)
    shares = rows.groupby("alternative", sort=False)[["actual", "predicted"]].sum()
    return HeldOutChoices(
        frame=pd.DataFrame([part[0] for part in parts]),
        shares=(shares / shares.sum()).reset_index(),
        unit=unit,
        in_sample=model.mcfadden,
        simulated=model.data.simulated,
    )


def _task_codes(model: LogitModel) -> npt.NDArray[np.int64]:
    starts = model.data.starts
    return np.repeat(np.arange(len(starts)), np.diff(starts, append=len(model.data.frame)))


def _judged(
    model: LogitModel, left_out: npt.NDArray[np.bool_]
) -> tuple[dict[str, float], pd.DataFrame]:
    """Fit without some rows and predict them."""
    fitted = fit_coding(model.data.where(~left_out), model.coding, "classical", model.level)
    rest = model.data.where(left_out)
    logs = log_probabilities(fitted.utilities(rest.frame).to_numpy(), rest.starts)
    chosen = rest.frame["chosen"].to_numpy()
    sizes = np.diff(rest.starts, append=len(logs))
    row = {
        "tasks": rest.tasks,
        "log_likelihood": float(logs[chosen].mean()),
        "null_log_likelihood": -float(np.log(sizes).mean()),
        "hit_rate": hit_rate(np.exp(logs), rest),
        "guess_rate": float((1 / sizes).mean()),
    }
    alternative = rest.frame["alternative"].astype(str)
    shown = pd.DataFrame({"alternative": alternative, "actual": chosen, "predicted": np.exp(logs)})
    return row, shown
