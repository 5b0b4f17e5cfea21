"""Mixed logit: respondents differ, and the differences are estimated with the means.

:func:`fit_mixed_logit` gives every coefficient a distribution over respondents (normal, lognormal,
or the same for all) and maximises the simulated likelihood of each respondent's whole series of
choices.  It frees the shares from the independence of irrelevant alternatives, and it separates
what is worth how much from how firmly respondents choose, which one logit for all mixes up.  In the
space of willingness to pay the parameters are money.

The covariance is the sandwich of the numerically differentiated scores; it does not come from the
optimiser's approximation.  Simulated log-likelihoods grow with the number of draws: models are
compared at equal draws only, see :func:`keycustomer.pricing.compare_likelihoods`.

Sources: Revelt & Train (1998), Review of Economics and Statistics 80, 647-657; Train (2009),
chapters 6, 10 and 11; Train & Weeks (2005).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.customers.rendering import counted, report_html
from keycustomer.pricing.choice.choice_data import ChoiceData
from keycustomer.pricing.choice.coding import Coding, Constants
from keycustomer.pricing.choice.likelihood import tasks_of
from keycustomer.pricing.choice.logit import LogitModel, fit_logit, interval_quantile
from keycustomer.pricing.choice.mixing import Kind, Mixing, Space, mixing_of
from keycustomer.pricing.choice.simulated_likelihood import (
    Panel,
    mean_measured,
    normal_points,
    panel_of,
    simulated_scores,
)
from keycustomer.stats.bootstrap import Progress, after_quiet, checked_level
from keycustomer.stats.samples import FloatArray

FIRST_SPREAD = 0.5
"""Spread to start from, as a part of the logit estimate, at least that of a tenth."""

FLAT_SLOPE = 1e-4
"""Largest derivative by a parameter, in standard errors, at which the walk is at rest."""

STEPS = 300
"""Most steps of the quasi-Newton walk."""


@dataclass(frozen=True, eq=False)
class MixedLogitModel:
    """A fitted mixed logit.

    Attributes
    ----------
    parameters : Series
        Means of all coefficients (of the logarithm where lognormal), then the spreads, named
        ``spread of ...``.
    covariance : DataFrame
        Covariance of the parameters, clustered by respondent.
    mixing : Mixing
        Kinds of the coefficients, and the space.
    coding : Coding
        What the columns are made of.
    logit : LogitModel
        The logit with the same columns, from which the walk started.
    individual : DataFrame
        Mean worth of every level to each respondent given its choices, by respondent_id; the mean
        coefficient in the preference space.
    log_likelihood : float
        Simulated.
    draws : int
        Draws a respondent.
    seed : int
        Of the scrambling of the draws.
    space : {"preference", "willingness to pay"}
        What the parameters are.
    level : float
        Level of the intervals.
    at_rest : bool
        Whether the walk arrived.
    notes : tuple of str
        What a reader should know.
    """

    parameters: pd.Series
    covariance: pd.DataFrame = field(repr=False)
    mixing: Mixing = field(repr=False)
    coding: Coding = field(repr=False)
    logit: LogitModel = field(repr=False)
    individual: pd.DataFrame = field(repr=False)
    log_likelihood: float
    draws: int
    seed: int
    space: Space
    level: float
    at_rest: bool
    notes: tuple[str, ...] = ()

    @property
    def data(self) -> ChoiceData:
        """The tasks."""
        return self.logit.data

    @property
    def respondents(self) -> int:
        """Number of respondents."""
        return self.logit.respondents

    @property
    def null_log_likelihood(self) -> float:
        """Log-likelihood of equal shares."""
        return self.logit.null_log_likelihood

    @property
    def frame(self) -> pd.DataFrame:
        """One row a coefficient: kind, mean, its error and interval, spread and its error."""
        columns = len(self.coding.names)
        errors = np.sqrt(np.diag(self.covariance))
        means = self.parameters.to_numpy()[:columns]
        reach = interval_quantile(self.level, self.respondents) * errors[:columns]
        spread, spread_error = np.zeros(columns), np.full(columns, np.nan)
        spread[self.mixing.random] = np.abs(self.parameters.to_numpy()[columns:])
        spread_error[self.mixing.random] = errors[columns:]
        return pd.DataFrame(
            {
                "coefficient": self.coding.names,
                "kind": self.mixing.kinds,
                "mean": means,
                "standard_error": errors[:columns],
                "lower": means - reach,
                "upper": means + reach,
                "spread": spread,
                "spread_error": spread_error,
            }
        )

    @property
    def sentence(self) -> str:
        """Size and fit in one sentence."""
        made_up = "Simulated: " if self.data.simulated else ""
        return (
            f"{made_up}{counted(self.respondents, 'respondent')}, "
            f"{counted(self.data.tasks, 'task')}: log-likelihood {self.log_likelihood:,.2f} with "
            f"{self.draws} draws a respondent; the plain logit has "
            f"{self.logit.log_likelihood:,.2f}."
        )

    @property
    def worths(self) -> pd.DataFrame:
        """What levels are worth, over respondents.

        Returns
        -------
        DataFrame
            attribute, level, reference, willingness_to_pay (mean over respondents),
            standard_error, lower, upper, spread (standard deviation over respondents) and
            share_above_zero.  In the preference space only where the price is the same for all.

        Raises
        ------
        ValueError
            When the price coefficient is random in the preference space: the worth is then a
            ratio of two random numbers; fit in the space of willingness to pay.
        """
        return _worths(self)

    def to_frame(self) -> pd.DataFrame:
        """One row a coefficient."""
        return self.frame

    def _repr_html_(self) -> str:
        shown = self.frame.rename(columns={"lower": "from", "upper": "to"})
        text = shown.map(lambda v: f"{v:.5g}" if isinstance(v, float) else v)
        title = f"Mixed logit in the space of {self.space}"
        return report_html(title, [self.sentence, *self.notes], {"Coefficients": text})


def fit_mixed_logit(
    data: ChoiceData,
    *,
    random: Sequence[str] | Mapping[str, Kind] | None = None,
    space: Space = "willingness to pay",
    draws: int = 200,
    seed: int = 0,
    price: str | None = None,
    attributes: Sequence[str] | None = None,
    constants: Constants | None = "none option",
    reference: str | None = None,
    interactions: Sequence[str] = (),
    level: float = 0.95,
    progress: Progress | None = None,
) -> MixedLogitModel:
    """Fit a mixed logit by simulated likelihood.

    Parameters
    ----------
    data : ChoiceData
        Answered tasks, several a respondent.
    random : sequence of str or mapping of str to {"fixed", "normal", "lognormal"}, optional
        Coefficients, or attributes with all their levels, that differ between respondents; names
        alone are normal.  Default: all normal, and the price the same for all in the preference
        space, lognormal in that of willingness to pay.
    space : {"preference", "willingness to pay"}
        What the parameters are: coefficients of utility, or what levels are worth in money.
    draws : int
        Scrambled Halton draws a respondent.
    seed : int
        Of the scrambling.
    price, attributes, constants, reference, interactions
        As in :func:`keycustomer.pricing.fit_logit`.
    level : float
        Level of the intervals.
    progress : callable, optional
        Called with steps done and the most there can be, once the work has taken two seconds.

    Returns
    -------
    MixedLogitModel

    Raises
    ------
    ValueError
        As :func:`keycustomer.pricing.fit_logit`; when names are unknown, or the logit's price
        coefficient is not negative where money is asked for.
    """
    checked_level(level)
    if space not in ("preference", "willingness to pay"):
        raise ValueError(f"space={space!r}: give 'preference' or 'willingness to pay'")
    if isinstance(draws, bool) or not isinstance(draws, int) or draws < 2:
        raise ValueError(f"draws={draws!r}: at least 2 a respondent are needed, better 200")
    logit = fit_logit(
        data,
        price=price,
        attributes=attributes,
        constants=constants,
        reference=reference,
        interactions=interactions,
        level=level,
    )
    kinds = _kinds(logit, random, space)
    found = logit.coefficients.to_numpy()
    mixing = mixing_of(logit.coding.names, logit.price, found, kinds, space)
    _check_price(logit, mixing)
    panel = respondent_panel(logit)
    noise = normal_points(len(panel.there), len(mixing.random), draws, seed)
    walk = _walk(panel, mixing, noise, _start(found, mixing, _sizes(panel)), after_quiet(progress))
    return _model(logit, panel, mixing, noise, walk, seed)


@dataclass(frozen=True, eq=False)
class _Walk:
    parameters: FloatArray
    log_likelihood: float
    at_rest: bool
    covariance: FloatArray


def _kinds(
    logit: LogitModel, random: Sequence[str] | Mapping[str, Kind] | None, space: Space
) -> dict[str, Kind]:
    """Kinds by name of a coefficient, from names of coefficients or attributes."""
    if isinstance(random, str):
        raise TypeError(f"random={random!r} is one text; give a list, [{random!r}]")
    names = logit.coding.names
    kinds: dict[str, Kind] = {}
    if space == "willingness to pay":
        kinds[logit.price] = "lognormal"
    normal: Kind = "normal"
    if random is None:
        return dict.fromkeys((name for name in names if name != logit.price), normal) | kinds
    asked = dict(random) if isinstance(random, Mapping) else dict.fromkeys(random, normal)
    for name, kind in asked.items():
        own = [one for one in names if one == name or one.startswith(f"{name}: ")]
        if not own or kind not in ("fixed", "normal", "lognormal"):
            raise ValueError(
                f"random={{{name!r}: {kind!r}}}: coefficients are {', '.join(names)}, kinds are "
                "fixed, normal, lognormal"
            )
        kinds |= dict.fromkeys(own, kind)
    return kinds


def _check_price(logit: LogitModel, mixing: Mixing) -> None:
    estimate = float(logit.coefficients[logit.price])
    if mixing.exponential[mixing.price] and estimate >= 0:
        raise ValueError(
            f"the coefficient of {logit.price} in the plain logit is {estimate:.4g}: respondents "
            "take the dearer offer, so that nothing can be expressed in money"
        )


def respondent_panel(logit: LogitModel) -> Panel:
    """Arrange the tasks of a logit by respondent."""
    data = logit.data
    chosen = data.frame["chosen"].to_numpy()
    tasks = tasks_of(logit.coding.design(data.frame), data.starts, chosen)
    who, names = pd.factorize(data.frame["respondent_id"].to_numpy()[data.starts])
    return panel_of(tasks.difference, data.starts, chosen, who.astype(np.int64), names)


def _sizes(panel: Panel) -> FloatArray:
    """Root mean square of each column's differences, shape (coefficients,)."""
    shown = panel.difference[panel.there > 0]
    return np.asarray(np.sqrt((shown**2).mean(axis=0)))


def _start(found: FloatArray, mixing: Mixing, sizes: FloatArray) -> FloatArray:
    """Logit estimates as parameters, and first spreads, none far below the others' in utility."""
    means, money = found.copy(), 1.0
    if mixing.space == "willingness to pay":
        money = 1 / abs(float(found[mixing.price]))
        means = -found / found[mixing.price]
    steep = mixing.exponential
    means[steep] = np.log(np.maximum(np.abs(found[steep]), np.finfo(float).tiny))
    typical = np.abs(means * sizes)[~steep].max(initial=0.1 * money)
    spreads = FIRST_SPREAD * np.maximum(np.abs(means), 0.1 * typical / sizes)
    spreads[steep] = FIRST_SPREAD
    return np.concatenate([means, spreads[mixing.random]])


def _walk(
    panel: Panel,
    mixing: Mixing,
    noise: FloatArray,
    start: FloatArray,
    progress: Callable[[int, int], None],
) -> _Walk:
    """Walk to the largest simulated likelihood, in units of the first outer product of scores."""
    from scipy.optimize import minimize

    _, scores = simulated_scores(start, panel, mixing, noise)
    root = _unit_root(scores)
    taken = [0]

    def height(place: FloatArray) -> tuple[float, FloatArray]:
        values, slopes = simulated_scores(start + root @ place, panel, mixing, noise)
        return -float(values.sum()), -(slopes.sum(axis=0) @ root)

    def told(_: FloatArray) -> None:
        taken[0] += 1
        progress(taken[0], STEPS)

    found = minimize(
        height,
        np.zeros(len(start)),
        jac=True,
        method="BFGS",
        callback=told,
        options={"gtol": FLAT_SLOPE, "maxiter": STEPS},
    )
    place = start + root @ found.x
    covariance, steep = _sandwich(place, panel, mixing, noise)
    return _Walk(place, -float(found.fun), bool(steep <= 100 * FLAT_SLOPE), covariance)


def _unit_root(scores: FloatArray) -> FloatArray:
    """Root of the inverse of the outer product of scores, shape (parameters, parameters)."""
    outer = scores.T @ scores
    scale = np.sqrt(np.maximum(np.diag(outer), 1e-300))
    values, vectors = np.linalg.eigh(outer / np.outer(scale, scale))
    inside = np.maximum(values, 1e-3)
    return np.asarray((vectors / np.sqrt(inside)) / scale[:, None], dtype=np.float64)


def _sandwich(
    place: FloatArray, panel: Panel, mixing: Mixing, noise: FloatArray
) -> tuple[FloatArray, float]:
    """Clustered covariance, and the slope that is left, in standard errors."""
    _, scores = simulated_scores(place, panel, mixing, noise)
    error = 1 / np.sqrt(np.maximum((scores**2).sum(axis=0), 1e-300))
    columns = []
    for k, reach in enumerate(1e-3 * error):
        moved = np.zeros(len(place))
        moved[k] = reach
        up, down = (
            simulated_scores(place + side * moved, panel, mixing, noise)[1].sum(axis=0)
            for side in (1, -1)
        )
        columns.append((down - up) / (2 * reach))
    information = np.array(columns) * np.outer(error, error)
    bread = np.linalg.pinv((information + information.T) / 2, hermitian=True)
    bread = np.asarray(bread * np.outer(error, error))
    n = len(scores)
    covariance = n / max(n - 1, 1) * bread @ (scores.T @ scores) @ bread
    left = float(np.sqrt(max(scores.sum(axis=0) @ bread @ scores.sum(axis=0), 0.0)))
    return np.asarray(covariance, dtype=np.float64), left


def _model(
    logit: LogitModel,
    panel: Panel,
    mixing: Mixing,
    noise: FloatArray,
    walk: _Walk,
    seed: int,
) -> MixedLogitModel:
    names = logit.coding.names
    labels = [*names, *(f"spread of {names[k]}" for k in mixing.random)]
    own = mean_measured(walk.parameters, panel, mixing, noise)
    index = pd.Index(panel.respondents, name="respondent_id")
    told = () if walk.at_rest else ("the walk did not come to rest: do not trust the errors",)
    return MixedLogitModel(
        parameters=pd.Series(walk.parameters, labels, name="parameter"),
        covariance=pd.DataFrame(walk.covariance, labels, labels),
        mixing=mixing,
        coding=logit.coding,
        logit=logit,
        individual=pd.DataFrame(own, index, names),
        log_likelihood=walk.log_likelihood,
        draws=noise.shape[2],
        seed=seed,
        space=mixing.space,
        level=logit.level,
        at_rest=walk.at_rest,
        notes=(*logit.notes, *told),
    )


def _worths(model: MixedLogitModel) -> pd.DataFrame:
    mixing, values = model.mixing, model.parameters.to_numpy()
    by_money = mixing.space == "willingness to pay"
    if not by_money and mixing.kinds[mixing.price] != "fixed":
        raise ValueError(
            f"the price coefficient is {mixing.kinds[mixing.price]}: the worth is then a ratio of "
            "random numbers; fit with space='willingness to pay'"
        )
    covariance = model.covariance.to_numpy()
    rows = []
    for place, one in enumerate(model.coding.coefficients):
        column, level = one.factors[0]
        plain = len(one.factors) == 1 and column in (*model.coding.attributes, "alternative")
        if not plain or mixing.kinds[place] == "lognormal" or column == model.coding.price:
            continue
        weights = np.zeros(len(values))
        unit = 1.0 if by_money else -1.0 / values[mixing.price]
        weights[place] = unit
        if not by_money:
            weights[mixing.price] = values[place] / values[mixing.price] ** 2
        spread = np.abs(_spread(mixing, values, place) * unit)
        rows.append(
            {
                "attribute": column,
                "level": level or "one more",
                "reference": model.coding.levels[column][0] if level else "",
                "willingness_to_pay": values[place] * unit,
                "standard_error": float(np.sqrt(weights @ covariance @ weights)),
                "spread": spread,
            }
        )
    return _with_ends(pd.DataFrame(rows), interval_quantile(model.level, model.respondents))


def _spread(mixing: Mixing, values: npt.NDArray[np.float64], place: int) -> float:
    found = np.flatnonzero(mixing.random == place)
    return float(values[len(mixing.kinds) + found[0]]) if len(found) else 0.0


def _with_ends(frame: pd.DataFrame, margin: float) -> pd.DataFrame:
    from scipy.special import ndtr

    mean, reach = frame["willingness_to_pay"], margin * frame["standard_error"]
    spread = frame["spread"].to_numpy()
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(spread > 0, ndtr(mean / spread), (mean > 0).astype(float))
    return frame.assign(lower=mean - reach, upper=mean + reach, share_above_zero=share)
