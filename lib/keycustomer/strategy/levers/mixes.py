"""One budget over several levers: the best mix, and what the same cut for all of them costs.

Question: there is so much money; which lever gets how much of it?  With concave response curves
the answer is the same as for any resource: the last unit of money must bring equally much on every
lever that gets some, and on a lever that gets none the first unit must bring no more than that; on
one at the end of what was tried, at least that (the Karush-Kuhn-Tucker conditions).  As no unit
should bring back less than itself, there is a budget beyond which nothing pays: :func:`best_mix`
then leaves the rest unspent, unless told to spend all of it.

:func:`proportional_cut` cuts every lever by the same share and compares with the best mix of the
same money; :func:`mixes_by_budget` follows the best mix from no money to much.

These are mixes *on paper*: curves of single levers are added up as if levers did not act on each
other.  What a mix brings when all levers are turned together is told by
:func:`keycustomer.strategy.judge_mixes`.

Source: Dorfman & Steiner (1954), American Economic Review 44, 826-836, for equal marginal returns
of price, quality and advertising; Karush (1939), Kuhn & Tucker (1951) for the conditions.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Real

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import sentence_html
from keycustomer.stats import Estimate, percentile_interval
from keycustomer.stats.samples import FloatArray
from keycustomer.strategy.levers.curves import LeverCurves

STEPS = 200
"""Steps of each curve for the mixes of drawn curves."""

HALVINGS = 80
"""Halvings of the interval of the common return."""

LEAST_RETURN = 1e-9
"""Money is spent, where all of it is to be spent, only as long as it brings anything at all."""

TOLERANCE = 1e-6
"""Relative difference up to which returns count as equal."""


@dataclass(frozen=True, eq=False)
class BestMix:
    """A budget split so that its last unit brings equally much on every lever.

    Attributes
    ----------
    budget : float
        Money there is, currency.
    spend_all : bool
        Whether it had to be spent.
    common_return : float
        What the last unit brings on every lever that is neither at 0 nor at the end of its curve.
    enough : float
        Money beyond which no unit comes back, currency.
    frame : DataFrame
        One row a lever: lever, spending, lower, upper (best spending with companies drawn again),
        share (of what is spent), gain, net (gain less spending), next_return, place ("nothing",
        "inside", "all that was tried").
    growing : tuple of str
        Levers whose gains grow with spending: equal returns need not be best there.
    """

    budget: float
    spend_all: bool
    common_return: float
    enough: float
    frame: pd.DataFrame = field(repr=False)
    simulated: bool = False
    growing: tuple[str, ...] = ()

    @property
    def spending(self) -> dict[str, float]:
        """Spending by lever, currency."""
        return dict(zip(self.frame["lever"], self.frame["spending"], strict=True))

    @property
    def spent(self) -> float:
        """Money that is spent, currency."""
        return float(self.frame["spending"].sum())

    @property
    def net(self) -> float:
        """Gain less spending, currency."""
        return float(self.frame["net"].sum())

    @property
    def optimality_gap(self) -> float:
        """Largest violation of the Karush-Kuhn-Tucker conditions, currency gained per unit.

        0 but for rounding: inside the next return is the common one, at 0 it is no larger, at the
        end of the curve no smaller.
        """
        apart = self.frame["next_return"] - self.common_return
        place = self.frame["place"]
        wrong = apart.abs().where(place == "inside", 0.0)
        wrong = wrong.mask(place == "nothing", apart.clip(lower=0))
        return float(wrong.mask(place == "all that was tried", -apart.clip(upper=0)).max())

    def to_frame(self) -> pd.DataFrame:
        """Return one row a lever."""
        return self.frame.copy()

    @property
    def sentence(self) -> str:
        """Say which levers get the money, and how much of it is left."""
        some = self.frame[self.frame["spending"] > 0].sort_values("spending", ascending=False)
        told = ", ".join(
            f"{lever} {_money(spending)}"
            for lever, spending in zip(some["lever"], some["spending"], strict=True)
        )
        said = f"Of {_money(self.budget)}, best go to: {told or 'nothing'}."
        left = self.budget - self.spent
        if left > TOLERANCE * self.budget and not self.spend_all:
            said += (
                f" {_money(left)} are left, since beyond {_money(self.enough)} no unit comes back."
            )
        elif left > TOLERANCE * self.budget:
            said += f" {_money(left)} are left, since no more was tried or would bring anything."
        else:
            said += f" The last unit brings {self.common_return:.2f} on each."
        if self.growing:
            said += (
                f" Gains of {', '.join(self.growing)} grow with spending, so that another split "
                "may be better."
            )
        return ("Simulated: " if self.simulated else "") + said

    def _repr_html_(self) -> str:
        return sentence_html(self.sentence, self.frame, numbers=",.3g")


@dataclass(frozen=True, eq=False)
class ProportionalCut:
    """Every lever cut by the same share, beside the best mix of the same money.

    Attributes
    ----------
    cut : float
        Share of today's spending that is cut, 0..1.
    money : float
        What is left to spend, currency.
    best : BestMix
        The best mix of that money, all of it spent.
    frame : DataFrame
        One row a lever: lever, today, proportional, best (spending), proportional_gain, best_gain,
        proportional_return, best_return (of the next unit).
    difference : Estimate
        Gain of the best mix less that of the proportional cut, currency.
    """

    cut: float
    money: float
    best: BestMix = field(repr=False)
    frame: pd.DataFrame = field(repr=False)
    difference: Estimate
    simulated: bool = False

    def to_frame(self) -> pd.DataFrame:
        """Return one row a lever."""
        return self.frame.copy()

    @property
    def sentence(self) -> str:
        """Say what the same cut for all levers costs."""
        said = (
            f"With {1 - self.cut:.0%} of today's money, {_money(self.money)}, the best mix gains "
            f"{self.difference} more than the same share for every lever; on paper, as single "
            "curves are added up, and by the trial that the mix was chosen from."
        )
        return ("Simulated: " if self.simulated else "") + said

    def _repr_html_(self) -> str:
        return sentence_html(self.sentence, self.frame, numbers=",.3g")


@dataclass(frozen=True, eq=False)
class MixesByBudget:
    """Best mixes from little money to much.

    Attributes
    ----------
    frame : DataFrame
        One row a budget and lever: budget, lever, spending, gain, net, next_return.
    enough : float
        Budget beyond which no unit comes back, currency.
    today : float
        Today's money, currency; NaN where it is not known.
    spend_all : bool
        Whether the budget had to be spent.
    """

    frame: pd.DataFrame
    enough: float
    today: float
    spend_all: bool
    simulated: bool = False

    def to_frame(self) -> pd.DataFrame:
        """Return one row a budget and lever."""
        return self.frame.copy()

    @property
    def sentence(self) -> str:
        """Say which lever gets the first money, which comes later, and where it ends."""
        some = self.frame[self.frame["spending"] > 0]
        order = some.groupby("lever", sort=False)["budget"].min().sort_values(kind="stable")
        told = ", then ".join(
            f"{lever} (with {_money(float(budget))})" for lever, budget in order.items()
        )
        said = (
            f"Money goes to {told or 'no lever'}; beyond {_money(self.enough)} no unit comes back."
        )
        return ("Simulated: " if self.simulated else "") + said

    def _repr_html_(self) -> str:
        wide = self.frame.pivot(index="budget", columns="lever", values="spending")
        return sentence_html(self.sentence, wide.reset_index(), numbers=",.0f")


def best_mix(curves: LeverCurves, budget: float, *, spend_all: bool = False) -> BestMix:
    """Split a budget between levers so that it gains most.

    Parameters
    ----------
    curves : LeverCurves
        From :func:`fit_lever_curves`.
    budget : float
        Money there is, currency, above 0.
    spend_all : bool
        Spend it even where a unit brings back less than itself; without, such money is kept.

    Returns
    -------
    BestMix
        No lever gets more than was tried; money beyond all curves is left.

    Raises
    ------
    ValueError
        When the budget is no amount above 0.
    """
    money = _checked_budget(budget)
    common, spending = _shared(curves, money, LEAST_RETURN if spend_all else 1.0)
    enough = float(sum(curve.spending_at(1.0) for curve in curves.curves.values()))
    drawn = _drawn_mixes(curves, money, spend_all)
    rows = []
    for place, (lever, spent) in enumerate(zip(curves.levers, spending, strict=True)):
        curve = curves[lever]
        gain = float(curve.gain(spent))
        low, high = (
            percentile_interval(drawn[:, place], curve.level) if len(drawn) else (math.nan,) * 2
        )
        rows.append(
            {
                "lever": lever,
                "spending": float(spent),
                "lower": low,
                "upper": high,
                "share": float(spent / spending.sum()) if spending.sum() > 0 else 0.0,
                "gain": gain,
                "net": gain - float(spent),
                "next_return": float(curve.next_return(spent)),
                "place": _place(float(spent), curve.tried),
            }
        )
    return BestMix(
        money, spend_all, common, enough, pd.DataFrame(rows), curves.simulated, curves.growing
    )


def mixes_by_budget(
    curves: LeverCurves, budgets: Sequence[float] | None = None, *, spend_all: bool = False
) -> MixesByBudget:
    """Follow the best mix over budgets.

    Parameters
    ----------
    curves : LeverCurves
        From :func:`fit_lever_curves`.
    budgets : sequence of float, optional
        Currency, above 0; left out, twenty up to one and a half times today's money (or all that
        was tried, where today's is not known).
    spend_all : bool
        As in :func:`best_mix`.
    """
    today = sum(curves.today.values()) if curves.today else math.nan
    tried = sum(curve.tried for curve in curves.curves.values())
    most = 1.5 * today if today > 0 else tried
    amounts = np.linspace(most / 20, most, 20) if budgets is None else np.asarray(budgets, float)
    rows = []
    for budget in amounts:
        money = _checked_budget(float(budget))
        _, spending = _shared(curves, money, LEAST_RETURN if spend_all else 1.0)
        for lever, spent in zip(curves.levers, spending.tolist(), strict=True):
            gain = float(curves[lever].gain(spent))
            return_ = float(curves[lever].next_return(spent))
            rows.append((money, lever, spent, gain, gain - spent, return_))
    names = ["budget", "lever", "spending", "gain", "net", "next_return"]
    enough = float(sum(curve.spending_at(1.0) for curve in curves.curves.values()))
    frame = pd.DataFrame(rows, columns=names)
    return MixesByBudget(frame, enough, today, spend_all, curves.simulated)


def proportional_cut(
    curves: LeverCurves, cut: float, *, today: Mapping[str, float] | None = None
) -> ProportionalCut:
    """Cut every lever by the same share of today's spending, beside the best mix.

    The best mix spends the same money, all of it, so that the two differ in the split alone.  Its
    gain on these curves cannot be smaller; the interval of the difference, which takes both mixes
    as they are and draws the companies of the trial again, can reach below 0.

    Parameters
    ----------
    curves : LeverCurves
        From :func:`fit_lever_curves`.
    cut : float
        Share to cut, 0..1; below 0 for more money.
    today : mapping of str to float, optional
        Today's spending by lever; left out, that of the curves.

    Raises
    ------
    ValueError
        When today's spending is not known for every lever, or more than was tried is left of it.
    """
    spent = spending_today(curves, today)
    if not (isinstance(cut, Real) and -1 <= cut < 1):
        raise ValueError(f"cut={cut!r} must be a share of today's money, such as 0.2")
    kept = {lever: (1 - float(cut)) * amount for lever, amount in spent.items()}
    refuse_untried(curves, kept)
    best = best_mix(curves, sum(kept.values()), spend_all=True)
    chosen = best.spending
    rows = [
        {
            "lever": lever,
            "today": spent[lever],
            "proportional": kept[lever],
            "best": chosen[lever],
            "proportional_gain": float(curves[lever].gain(kept[lever])),
            "best_gain": float(curves[lever].gain(chosen[lever])),
            "proportional_return": float(curves[lever].next_return(kept[lever])),
            "best_return": float(curves[lever].next_return(chosen[lever])),
        }
        for lever in curves.levers
    ]
    frame = pd.DataFrame(rows)
    return ProportionalCut(
        float(cut),
        sum(kept.values()),
        best,
        frame,
        _difference(curves, frame),
        curves.simulated,
    )


def spending_today(
    curves: LeverCurves, today: Mapping[str, float] | None = None
) -> dict[str, float]:
    """Today's spending on every lever, given or known with the curves.

    Raises
    ------
    ValueError
        When it is not known for every lever, or there is none.
    """
    spent = dict(curves.today if today is None else today)
    if set(spent) != set(curves.levers):
        raise ValueError(
            f"today: spending is given for {', '.join(map(str, spent)) or 'no lever'}; it is "
            f"needed for {', '.join(curves.levers)}"
        )
    amounts = {lever: float(spent[lever]) for lever in curves.levers}
    wrong = [lever for lever, one in amounts.items() if not (0 <= one < math.inf)]
    if wrong or sum(amounts.values()) <= 0:
        lever = wrong[0] if wrong else curves.levers[0]
        raise ValueError(f"today[{lever!r}]={amounts[lever]!r} must be an amount, some above 0")
    return amounts


def refuse_untried(curves: LeverCurves, spending: Mapping[str, float]) -> None:
    """Refuse spending past the end of a curve.

    Raises
    ------
    ValueError
        With the first lever of which more is to be spent than was tried.
    """
    for lever, amount in spending.items():
        if amount > curves[lever].tried * (1 + TOLERANCE):
            raise ValueError(
                f"{lever}: {amount:,.2f} is more than was tried ({curves[lever].tried:,.2f}), and "
                "the curve ends there; try higher settings, or cut more"
            )


def _money(amount: float) -> str:
    """Write an amount in whole units, small ones in three digits."""
    return f"{amount:,.0f}" if abs(amount) >= 100 or amount == 0 else f"{amount:.3g}"


def _checked_budget(budget: float) -> float:
    if isinstance(budget, bool) or not (isinstance(budget, Real) and 0 < budget < math.inf):
        raise ValueError(f"budget={budget!r} must be a finite amount above 0")
    return float(budget)


def _place(spent: float, tried: float) -> str:
    if spent <= TOLERANCE * tried:
        return "nothing"
    return "all that was tried" if spent >= tried * (1 - TOLERANCE) else "inside"


def _shared(curves: LeverCurves, money: float, least: float) -> tuple[float, FloatArray]:
    """Find the common return of the last unit, and the spending on every lever."""

    def spendings(return_: float) -> FloatArray:
        return np.array([curve.spending_at(return_) for curve in curves.curves.values()])

    most = spendings(least)
    if most.sum() <= money:
        return least, most
    steepest = max(float(curve.next_return(0.0)) for curve in curves.curves.values())
    low, high = least, steepest * (1 + TOLERANCE)
    for _ in range(HALVINGS):
        middle = math.sqrt(low * high)
        low, high = (middle, high) if spendings(middle).sum() > money else (low, middle)
    # along straight pieces the return does not change: fill them up with what is left
    least_spent, most_spent = spendings(high), spendings(low)
    room = float((most_spent - least_spent).sum())
    part = (money - float(least_spent.sum())) / room if room > 0 else 0.0
    return high, least_spent + part * (most_spent - least_spent)


def _drawn_mixes(curves: LeverCurves, money: float, spend_all: bool) -> FloatArray:
    """Best spendings on drawn curves, shape (draws, levers), to a step of each curve."""
    draws = min(len(curve.drawn) for curve in curves.curves.values())
    steps = np.array([curve.tried / STEPS for curve in curves.curves.values()])
    slopes = [
        np.diff(curve.drawn_gain(np.linspace(0, curve.tried, STEPS + 1))[:draws], axis=1) / step
        for curve, step in zip(curves.curves.values(), steps, strict=True)
    ]
    found = np.zeros((draws, len(steps)))
    owner = np.repeat(np.arange(len(steps)), STEPS)
    for draw in range(draws):
        returns = np.concatenate([one[draw] for one in slopes])
        order = np.argsort(-returns, kind="stable")
        cost = steps[owner[order]]
        paid = np.clip(money - (np.cumsum(cost) - cost), 0, cost)
        paid *= returns[order] >= (LEAST_RETURN if spend_all else 1.0)
        found[draw] = np.bincount(owner[order], paid, minlength=len(steps))
    return found


def _difference(curves: LeverCurves, frame: pd.DataFrame) -> Estimate:
    """Gain of the best mix over the proportional one, on the curves and on drawn ones."""
    point = float((frame["best_gain"] - frame["proportional_gain"]).sum())
    n = max(curve.companies for curve in curves.curves.values())
    apart = [
        curves[lever].drawn_gain([best, kept]) @ np.array([1.0, -1.0])
        for lever, best, kept in zip(
            frame["lever"], frame["best"], frame["proportional"], strict=True
        )
    ]
    draws = min(map(len, apart))
    if draws < 2:
        return Estimate.without_interval(point, "currency", n, "no draws")
    level = curves[curves.levers[0]].level
    ends = percentile_interval(sum(one[:draws] for one in apart), level)
    method = f"percentile bootstrap of companies, {draws:,} draws"
    return Estimate(point, *ends, "currency", n, method, level)
