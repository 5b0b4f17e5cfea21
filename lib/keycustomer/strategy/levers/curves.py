"""Response curves of levers: what each unit of money spent on a lever brings, and the next one.

Question: how does the gain of a lever rise with the money it gets, and up to where does a unit of
money bring back more than a unit?  :func:`fit_lever_curves` reads it from trials of several
settings, lever by lever.

Form: a mixture of saturating exponentials and a straight line through 0,

    gain(s) = sum over j of a_j (1 - exp(-s / t_j)) + b s,   a_j >= 0,

with fixed scales t_j from half the smallest spending tried to three times the largest.  One
exponential is the usual modified exponential curve of advertising response; a mixture bends as fast
as the data ask for at first and slower later, as where some customers are satisfied soon and others
not.
It is concave whatever the weights, so that equal marginal returns are best; the straight part may
fall, so that too much can harm.  The weights are those of least squares, on the means of each
setting: between companies, large ones spend and gain more, which says nothing of spending more.

What it cannot say: a gain that *grows* with spending (S-shaped response) is drawn as a straight
line, and said to be "growing"; what the first or the last unit brings is then not read from it.
Past the largest spending tried the curve is not used.

Sources: Lilien, Kotler & Moorthy, "Marketing Models" (1992), chapter 6, for response functions;
Lawson & Hanson, "Solving Least Squares Problems" (1974), for weights that are not negative.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.customers.rendering import sentence_html
from keycustomer.lifetime.arguments import need_columns, whole_number
from keycustomer.stats import Estimate, percentile_interval, verdict_above
from keycustomer.stats.bootstrap import Seed
from keycustomer.stats.samples import FloatArray
from keycustomer.stats.student import student_quantile

SCALES = 7
"""Exponentials of a curve."""

NEAREST = 0.5
"""Shortest scale of a curve, in smallest spendings tried: what bends sooner cannot be seen."""

FURTHEST = 3.0
"""Longest scale of a curve, in largest spendings tried."""

STRAIGHT_TOO = 2
"""Columns of the straight part: rising and falling."""

UNIT = "currency gained per unit spent"

STRAIGHT = 1e-9
"""Bend, in largest gains, up to which a line without noise is straight but for rounding."""

GROWING = "growing"
"""Bend of gains that rise ever faster."""


@dataclass(frozen=True, eq=False)
class LeverCurve:
    """What money does on one lever.

    Attributes
    ----------
    lever : str
        Its name.
    scales : ndarray, shape (J,)
        Scales of the exponentials, currency.
    weights : ndarray, shape (J + 1,)
        Their ceilings, currency, and the slope of the straight part.
    drawn : ndarray, shape (draws, J + 1)
        Weights with companies drawn again; no rows where there are no intervals.
    tried : float
        Largest spending tried, currency; the curve ends there.
    first : float
        Smallest spending tried above 0, currency.
    data : DataFrame
        The trial: setting, spending, gain, weight, company.
    bend : str
        "diminishing", "growing" (not concave: drawn as a straight line) or "straight, as far as
        can be told".
    misfit : float
        Share of the variation of gains that the curve leaves, 0..1; 1 also where it leaves more
        than their mean would.
    level : float
        Confidence level of intervals.
    """

    lever: str
    scales: FloatArray
    weights: FloatArray
    drawn: FloatArray = field(repr=False)
    tried: float
    first: float
    data: pd.DataFrame = field(repr=False)
    bend: str
    misfit: float
    level: float

    def gain(self, spending: npt.ArrayLike) -> FloatArray:
        """Gain at some spendings, currency."""
        return _basis(np.asarray(spending, dtype=float), self.scales) @ self.weights

    def drawn_gain(self, spending: npt.ArrayLike) -> FloatArray:
        """Gain with companies drawn again, shape (draws, spendings)."""
        return self.drawn @ _basis(np.atleast_1d(np.asarray(spending, float)), self.scales).T

    def next_return(self, spending: npt.ArrayLike) -> FloatArray:
        """Gain of the next unit of money at some spendings: the slope of the curve."""
        return _slopes(np.asarray(spending, dtype=float), self.scales) @ self.weights

    def spending_at(self, return_: float) -> float:
        """Spending up to which each unit brings at least `return_`, currency.

        Parameters
        ----------
        return_ : float
            Gain of the last unit, 1 where it just comes back.
        """
        return _spending_at(self.scales, self.weights, self.tried, return_)

    def estimate(self, spending: float) -> Estimate:
        """Gain of the next unit at a spending, with its interval."""
        slopes = _slopes(np.array(spending), self.scales)
        return self._student(float(slopes @ self.weights), self.drawn @ slopes)

    @property
    def first_return(self) -> Estimate:
        """Gain per unit of the smallest spending that was tried."""
        mean = _basis(np.array(self.first), self.scales) / self.first
        return self._student(float(mean @ self.weights), self.drawn @ mean)

    @property
    def pays_up_to(self) -> Estimate:
        """Spending up to which a unit brings back at least a unit, currency."""
        found = [_spending_at(self.scales, row, self.tried, 1.0) for row in self.drawn]
        point = self.spending_at(1.0)
        if not found:
            return Estimate.without_interval(point, "currency", self.companies, "no draws")
        ends = percentile_interval(found, self.level)
        method = f"percentile bootstrap of companies, {len(found):,} draws"
        return Estimate(point, *ends, "currency", self.companies, method, self.level)

    @property
    def companies(self) -> int:
        """Units that were drawn again: companies, or else rows."""
        return int(self.data["company"].nunique())

    def _student(self, point: float, drawn: FloatArray) -> Estimate:
        """Interval from the spread of draws, made wider as few companies ask for."""
        n = self.companies
        if len(drawn) < 2:
            why = "one company" if n < 2 else "no draws"
            return Estimate.without_interval(point, UNIT, n, why, self.level)
        error = float(drawn.std(ddof=1)) * math.sqrt(n / (n - 1))
        reach = student_quantile(self.level, n - 1) * error
        method = f"Student's t, error from a bootstrap of companies, {len(drawn):,} draws"
        return Estimate(point, point - reach, point + reach, UNIT, n, method, self.level)


@dataclass(frozen=True, eq=False)
class LeverCurves:
    """Response curves of several levers.

    Attributes
    ----------
    curves : dict of str to LeverCurve
        By lever.
    today : dict of str to float
        Spending today, currency, where it is known.
    simulated : bool
        Whether the trial is made up.
    """

    curves: dict[str, LeverCurve]
    today: dict[str, float]
    simulated: bool = False

    def __getitem__(self, lever: str) -> LeverCurve:
        """Return the curve of a lever.

        Raises
        ------
        KeyError
            When there is no such lever.
        """
        if lever not in self.curves:
            raise KeyError(f"no curve of {lever!r}; there is: {', '.join(self.curves)}")
        return self.curves[lever]

    @property
    def levers(self) -> tuple[str, ...]:
        """Names of the levers."""
        return tuple(self.curves)

    @property
    def growing(self) -> tuple[str, ...]:
        """Levers whose gains grow with spending, so that no concave curve fits."""
        return tuple(name for name, curve in self.curves.items() if curve.bend == GROWING)

    def to_frame(self) -> pd.DataFrame:
        """List the levers.

        Returns
        -------
        DataFrame
            A row a lever: lever, bend, misfit, tried (largest spending), today, first_return,
            lower, upper, pays (verdict on a first return above 1; undecided where gains grow, as
            the curve is no guide there), pays_up_to, pays_lower, pays_upper, return_today,
            today_lower, today_upper (of the next unit at today's spending; NaN where more is spent
            than was tried).
        """
        return pd.DataFrame([self._row(curve) for curve in self.curves.values()])

    def _row(self, curve: LeverCurve) -> dict[str, Any]:
        today = self.today.get(curve.lever, math.nan)
        first, upto = curve.first_return, curve.pays_up_to
        row = {
            "lever": curve.lever,
            "bend": curve.bend,
            "misfit": curve.misfit,
            "tried": curve.tried,
            "today": today,
            "first_return": first.estimate,
            "lower": first.lower,
            "upper": first.upper,
            "pays": "undecided" if curve.bend == GROWING else verdict_above(first, 1.0),
            "pays_up_to": upto.estimate,
            "pays_lower": upto.lower,
            "pays_upper": upto.upper,
        }
        known = 0 <= today <= curve.tried and curve.bend != GROWING
        next_ = curve.estimate(today) if known else None
        ends = ("estimate", "lower", "upper")
        told = [math.nan if next_ is None else getattr(next_, end) for end in ends]
        return row | dict(zip(("return_today", "today_lower", "today_upper"), told, strict=True))

    @property
    def sentence(self) -> str:
        """Say which levers pay, which get too much today, and where curves do not bend."""
        frame = self.to_frame()
        paying = frame.loc[frame["pays"] == "supported", "lever"]
        over = frame.loc[frame["today_upper"] < 1, "lever"]
        said = f"By its interval, the first money pays back on {_listed(paying)}."
        if self.today:
            said += f" At today's spending a unit more does not come back on {_listed(over)}."
        if self.growing:
            said += (
                f" Gains of {_listed(self.growing)} grow with spending instead of diminishing: a "
                "straight line stands for them, which says nothing of the first unit or the last."
            )
        return ("Simulated: " if self.simulated else "") + said

    def _repr_html_(self) -> str:
        return sentence_html(self.sentence, self.to_frame(), numbers=",.3g")


def fit_lever_curves(
    trial: Any,
    *,
    lever: str = "lever",
    spending: str = "spending",
    gain: str = "gain",
    company: str | None = None,
    setting: str | None = None,
    weight: str | None = None,
    today: Mapping[str, float] | None = None,
    draws: int = 200,
    seed: Seed = 0,
    level: float = 0.95,
) -> LeverCurves:
    """Fit a concave response curve to the trial of every lever.

    Parameters
    ----------
    trial : DataFrame or LeverTrial
        One row a setting of a lever (and company): what was spent, and what it gained over
        spending nothing, before that spending, in one currency and for one period.
    lever, spending, gain : str
        Columns.
    company : str, optional
        Column of the unit the rows belong to (company, branch, region): these are drawn again for
        intervals.  Left out, "company" where the table has it, or else single rows.
    setting : str, optional
        Column of the setting of the lever, which costs different companies different amounts; rows
        of one setting are averaged.  Left out, "dial" where the table has it, or else every row is
        a setting.
    weight : str, optional
        Column of weights of the rows, above 0.
    today : mapping of str to float, optional
        Spending today by lever; left out, the trial's where it knows it.
    draws : int
        Bootstrap draws for the intervals, 0 for none.
    seed : int or Generator
        The same seed gives the same intervals.
    level : float
        Confidence level of the intervals, 0..1.

    Returns
    -------
    LeverCurves

    Raises
    ------
    ValueError
        When columns are missing, amounts are none, or a lever has fewer than two spendings above 0.
    """
    frame = trial if isinstance(trial, pd.DataFrame) else trial.frame
    known = getattr(trial, "today", None) if today is None else today
    if company is None and "company" in frame.columns:
        company = "company"
    if setting is None and "dial" in frame.columns:
        setting = "dial"
    rows = _read(
        frame,
        {
            "lever": lever,
            "spending": spending,
            "gain": gain,
            "company": company,
            "setting": setting,
            "weight": weight,
        },
    )
    again = _DrawnCompanies(whole_number(draws, "draws", of="draws"), np.random.default_rng(seed))
    curves = {
        str(name): _fit(str(name), part, again, level)
        for name, part in rows.groupby("lever", sort=False)
    }
    spent = {str(name): _spent_today(name, amount) for name, amount in dict(known or {}).items()}
    strange = [name for name in spent if name not in curves]
    if strange:
        raise ValueError(
            f"today: no lever {strange[0]!r} in the trial; there is: {', '.join(curves)}"
        )
    return LeverCurves(curves, spent, bool(getattr(trial, "simulated", False)))


def _spent_today(lever: Any, amount: Any) -> float:
    """Check today's spending on a lever; NaN where it is not known."""
    if not isinstance(amount, Real) or amount < 0 or math.isinf(amount):
        raise ValueError(f"today[{lever!r}]={amount!r} must be an amount of at least 0")
    return float(amount)


def _read(frame: pd.DataFrame, columns: Mapping[str, str | None]) -> pd.DataFrame:
    """Check the rows and give them the names used here."""
    need_columns(frame, filter(None, columns.values()), "trial")
    spending, gain = columns["spending"], columns["gain"]
    usual = {"company": np.arange(len(frame)), "setting": np.arange(len(frame)), "weight": 1.0}
    rows = pd.DataFrame(
        {
            name: usual[name] if column is None else frame[column].to_numpy()
            for name, column in columns.items()
        },
        index=frame.index,
    )
    lost = rows["lever"].isna()
    for name in ("spending", "gain", "weight"):
        rows[name] = _amounts(rows[name], str(columns[name]))
    rows["lever"] = rows["lever"].astype(str)
    amounts = np.isfinite(rows[["spending", "gain", "weight"]].to_numpy()).all(axis=1)
    right = (rows["spending"] >= 0) & (rows["weight"] > 0) & amounts
    right &= rows[["company", "setting"]].notna().all(axis=1) & ~lost
    if not right.all():
        first = ", ".join(map(repr, rows.index[~right][:3].tolist()))
        raise ValueError(
            f"trial: {int((~right).sum()):,} rows are no spending with its gain, first at {first}: "
            f"{spending} must be an amount of at least 0, {gain} an amount, weights above 0, "
            f"and {columns['lever']} a name"
        )
    settings = rows[rows["spending"] > 0].groupby("lever")["spending"].nunique()
    settings = settings.reindex(rows["lever"].unique(), fill_value=0)
    if settings.empty or settings.min() < 2:
        few = "the trial is empty" if settings.empty else f"lever {settings.idxmin()!r} has fewer"
        raise ValueError(f"trial: {few}; a curve needs at least two spendings above 0")
    return rows


def _amounts(values: pd.Series, column: str) -> pd.Series:
    """Read a column as numbers, which may be written as texts."""
    numbers = pd.to_numeric(values, errors="coerce")
    wrong = values[numbers.isna() & values.notna()]
    if len(wrong):
        raise ValueError(
            f"trial: {column} {wrong.iloc[0]!r} in row {wrong.index[0]!r} is no number; write "
            "amounts as numbers, without separators of thousands"
        )
    return numbers.astype(float)


class _DrawnCompanies:
    """Companies drawn again: the same draws for every lever that was tried in the same ones.

    What a company gains on one lever goes with what it gains on another (it is large, or its
    customers are loyal), so that what is added up over levers must be drawn together.
    """

    def __init__(self, draws: int, generator: np.random.Generator) -> None:
        self._draws, self._generator = draws, generator
        self._known: dict[tuple[str, ...], npt.NDArray[np.int64]] = {}

    def of(self, names: pd.Index) -> npt.NDArray[np.int64]:
        """How often each company is drawn, shape (draws, companies); no draws of a single one."""
        count = len(names)
        places = {name: place for place, name in enumerate(sorted(map(repr, names)))}
        if tuple(places) not in self._known:
            times = self._draws if count > 1 else 0
            chances = np.full(count, 1 / count)
            self._known[tuple(places)] = self._generator.multinomial(count, chances, times)
        return self._known[tuple(places)][:, [places[repr(name)] for name in names]]


def _fit(name: str, rows: pd.DataFrame, again: _DrawnCompanies, level: float) -> LeverCurve:
    """Fit the curve of one lever, and again with companies drawn again."""
    units, names = pd.factorize(rows["company"])
    sums = _SettingSums(rows, units)
    point = sums.means(np.ones(len(names)))
    first = float(point.spending[point.spending > 0].min())
    scales = np.geomspace(NEAREST * first, FURTHEST * point.most, SCALES)
    drawn = [sums.means(counts.astype(float)) for counts in again.of(names)]
    weights = point.fitted(scales)
    return LeverCurve(
        lever=name,
        scales=scales,
        weights=weights,
        drawn=np.array([one.fitted(scales) for one in drawn]).reshape(-1, SCALES + 1),
        tried=point.most,
        first=first,
        data=rows.drop(columns="lever").reset_index(drop=True),
        bend=_bend(np.array([one.curvature() for one in drawn]), level),
        misfit=point.misfit(_basis(point.spending, scales) @ weights),
        level=level,
    )


class _SettingSums:
    """Sums over the rows of each company and setting, so that companies are drawn quickly."""

    def __init__(self, rows: pd.DataFrame, units: npt.NDArray[np.int64]) -> None:
        own = rows["weight"]
        amounts = rows[["spending", "gain"]].mul(own, axis=0).assign(weight=own)
        cells = amounts.groupby([rows["setting"].to_numpy(), units]).sum().unstack(fill_value=0.0)
        self.weight, self.spending, self.gain = (
            cells[column].to_numpy() for column in ("weight", "spending", "gain")
        )

    def means(self, counts: FloatArray) -> _SettingMeans:
        """Means of the settings, every company as often as it was drawn."""
        weight = self.weight @ counts
        there = weight > 0
        weight = weight[there]
        spending, gain = (self.spending @ counts)[there], (self.gain @ counts)[there]
        return _SettingMeans(spending / weight, gain / weight, weight)


@dataclass(frozen=True, eq=False)
class _SettingMeans:
    """Mean spending and gain of every setting, with its weight."""

    spending: FloatArray
    gain: FloatArray
    weight: FloatArray

    @property
    def most(self) -> float:
        """Largest mean spending."""
        return float(self.spending.max())

    def fitted(self, scales: FloatArray) -> FloatArray:
        """Weights of the curve by least squares; only the straight part may be negative."""
        from scipy.optimize import nnls

        columns = _basis(self.spending, scales)
        both = np.column_stack([columns, -columns[:, -1]])
        size = np.maximum(np.abs(both).max(axis=0), 1e-300)
        root = np.sqrt(self.weight)
        found = nnls(both / size * root[:, None], self.gain * root)[0] / size
        found[-STRAIGHT_TOO] -= found[-1]
        weights: FloatArray = found[:-1]
        return weights

    def curvature(self) -> float:
        """Square term of the parabola through 0, in largest gains; NaN with but one spending."""
        if len(np.unique(self.spending[self.spending > 0])) < 2:
            return math.nan
        x = self.spending / self.most
        root = np.sqrt(self.weight)
        parabola = np.column_stack([x, x**2]) * root[:, None]
        size = float(np.abs(self.gain).max()) or 1.0
        return float(np.linalg.lstsq(parabola, self.gain / size * root, rcond=None)[0][1])

    def misfit(self, fitted: FloatArray) -> float:
        """Share of the variation of gains between settings that the curve leaves."""
        middle = np.average(self.gain, weights=self.weight)
        spread = float(self.weight @ (self.gain - middle) ** 2)
        left = float(self.weight @ (self.gain - fitted) ** 2)
        return min(left / spread, 1.0) if spread > 0 else 0.0


def _basis(spending: FloatArray, scales: FloatArray) -> FloatArray:
    """Exponentials and the straight part at spendings, shape (..., J + 1)."""
    saturating = -np.expm1(-spending[..., None] / scales)
    return np.concatenate([saturating, spending[..., None]], axis=-1)


def _slopes(spending: FloatArray, scales: FloatArray) -> FloatArray:
    """Give the derivatives of the parts at spendings, shape (..., J + 1)."""
    saturating = np.exp(-spending[..., None] / scales) / scales
    return np.concatenate([saturating, np.ones_like(spending)[..., None]], axis=-1)


def _bend(curvatures: FloatArray, level: float) -> str:
    """Whether gains bend down, up or not at all, by the interval of a parabola's curvature."""
    if len(curvatures) < 2:
        return "straight, as far as can be told"
    lower, upper = percentile_interval(curvatures, level)
    if upper < -STRAIGHT:
        return "diminishing"
    return GROWING if lower > STRAIGHT else "straight, as far as can be told"


def _spending_at(scales: FloatArray, weights: FloatArray, tried: float, return_: float) -> float:
    """Where the slope of a concave curve falls to a return, between 0 and what was tried."""
    from scipy.optimize import brentq

    parts, straight = weights[:-1] / scales, float(weights[-1])

    def beyond(spending: float) -> float:
        return float(parts @ np.exp(-spending / scales)) + straight - return_

    if beyond(tried) >= 0:
        return tried
    if beyond(0.0) <= 0:
        return 0.0
    return float(brentq(beyond, 0.0, tried, xtol=1e-12 * tried, rtol=1e-14))


def _listed(names: Iterable[Any]) -> str:
    """List names in a sentence."""
    told = [str(name) for name in names]
    if not told:
        return "none"
    return " and ".join(filter(None, [", ".join(told[:-1]), told[-1]]))
