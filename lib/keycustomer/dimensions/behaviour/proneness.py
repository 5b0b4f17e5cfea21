"""Deal-proneness: who buys on deal more than the contents of the basket make expect.

Who often buys specials is price-driven.  But the plain share of purchases on deal mostly says what
a customer buys and when, and of a customer with five purchases it says nothing.
:func:`deal_proneness` compares each line with the purchases of all other customers in the same
category and month, expresses the difference as log odds, and shrinks it towards the average
customer by as much as its own data leave open.

A customer's lines follow logit P(deal) = logit(expectation) + proneness.  Proneness varies between
customers with a variance that is estimated (Paule & Mandel's equation on the working responses of a
penalised quasi-likelihood); lines of one basket go together, which widens all intervals by the
estimated dispersion.

Sources: Lichtenstein, Netemeyer & Burton (1990), Journal of Marketing 54(3), on the concept;
Breslow & Clayton (1993), Journal of the American Statistical Association 88, 9-25; Paule & Mandel
(1982), Journal of Research of the National Bureau of Standards 87, 377-385.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import NormalDist

import numpy as np
import pandas as pd

from keycustomer.customers.base import CustomerBase
from keycustomer.customers.rendering import counted, percent, report_html
from keycustomer.dimensions.behaviour.deals import DealCounts, read_deals
from keycustomer.dimensions.behaviour.windows import observed_window
from keycustomer.lifetime.arguments import Day
from keycustomer.stats import Estimate, bootstrap, bootstrap_estimate
from keycustomer.stats.bootstrap import Seed, checked_level
from keycustomer.stats.samples import FloatArray

LEAST_LINES = 20
"""Lines that each half of a customer's baskets needs to count for the split-half reliability."""

RARE = 0.1
"""Share of lines on deal, or not on deal, below which that is told."""

ROUNDS = 50
"""Most rounds of the fit; it ends when the spread moves by less than a millionth."""

LEAST_LEEWAY = 1e-12
"""Variance of a customer's deals below which its purchases tell nothing of proneness."""


@dataclass(frozen=True, eq=False)
class DealProneness:
    """Deal-proneness of customers.

    Attributes
    ----------
    frame : DataFrame
        One row a customer, the most deal-prone first: ``customer_id``, ``orders``, ``lines``,
        ``deal_share`` (lines on deal, 0..1), ``expected_share`` (what others' purchases make
        expect), ``excess`` (the difference), ``proneness`` (shrunken log odds against what is
        expected) with ``lower`` and ``upper``, ``odds_ratio`` (its exponential), ``reliability``
        (share of the shrunken value that is the customer's own, 0..1), ``price_driven``
        (interval above the average customer).
    average : float
        Proneness towards which customers are shrunk, log odds.
    spread : float
        Standard deviation of proneness between customers, log odds.
    dispersion : float
        Variance between baskets of a customer as a multiple of what independent lines would have.
    reliability : Estimate
        Split-half reliability (baskets in turn, Spearman-Brown corrected) of the unshrunken
        proneness of customers with at least 20 lines in either half.
    excluded : DataFrame
        reason, purchase lines not used.
    start, end : date
        Days that were used.
    level : float
        Level of the intervals.
    notes : tuple of str
        What a reader should know.
    """

    frame: pd.DataFrame = field(repr=False)
    average: float
    spread: float
    dispersion: float
    reliability: Estimate
    excluded: pd.DataFrame = field(repr=False)
    start: object
    end: object
    level: float
    notes: tuple[str, ...]

    @property
    def price_driven(self) -> pd.DataFrame:
        """Customers who buy on deal more than the average customer, by more than chance."""
        return self.frame[self.frame["price_driven"]].reset_index(drop=True)

    @property
    def sentence(self) -> str:
        """The result in words."""
        n, driven = len(self.frame), int(self.frame["price_driven"].sum())
        return (
            f"{driven:,} of {counted(n, 'customer')} ({percent(driven / n)}) buy on deal more than "
            f"the average customer would in the same categories and months; split-half "
            f"reliability {self.reliability}."
        )

    def to_frame(self) -> pd.DataFrame:
        """One row a customer."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        shown = self.frame.head(10)
        tables = {"The most deal-prone": shown, "Lines not used": self.excluded}
        return report_html("Deal-proneness", [self.sentence, *self.notes], tables)


@dataclass(frozen=True, eq=False)
class FittedProneness:
    """Proneness as it is fitted.

    Attributes
    ----------
    raw, shrunken : ndarray, shape (customers,)
        Proneness by the customer's own data alone (NaN where they tell nothing), and shrunken.
    variance : ndarray, shape (customers,)
        Error variance of `raw`, infinite where the data tell nothing.
    share : ndarray, shape (customers,)
        How much of `shrunken` is `raw`.
    average, spread : float
        Mean and standard deviation between customers.
    """

    raw: FloatArray
    shrunken: FloatArray
    variance: FloatArray
    share: FloatArray
    average: float
    spread: float


def deal_proneness(
    base: CustomerBase,
    *,
    start: Day = None,
    end: Day = None,
    deeper_than: float = 0.0,
    level: float = 0.95,
    draws: int = 1000,
    seed: Seed = 0,
) -> DealProneness:
    """Estimate how deal-prone customers are.

    Parameters
    ----------
    base : CustomerBase
        The prepared base, with discounts and product categories.
    start, end : date or ISO string, optional
        First and last day to use, inclusive; default: all that was observed.
    deeper_than : float
        A line is on deal when its discount is a larger share of its list value than this, 0..1:
        above 0 where nearly everything is sold below list.
    level : float
        Level of the intervals.
    draws, seed
        Bootstrap of customers for the reliability.

    Returns
    -------
    DealProneness

    Raises
    ------
    ValueError
        When the base lacks what is needed, or no purchase or every one is on deal.
    """
    checked_level(level)
    window = observed_window(base, start, end)
    counts = read_deals(base, window, deeper_than)
    fitted = fit_proneness(counts)
    return DealProneness(
        frame=_frame(counts, fitted, level),
        average=fitted.average,
        spread=fitted.spread,
        dispersion=counts.dispersion,
        reliability=_split_half(counts, fitted, level, draws, seed),
        excluded=counts.excluded,
        start=window["start"],
        end=window["end"],
        level=level,
        notes=tuple(_notes(counts, fitted, deeper_than)),
    )


def fit_proneness(counts: DealCounts) -> FittedProneness:
    """Fit proneness, its mean and its spread between customers.

    Parameters
    ----------
    counts : DealCounts
        From `read_deals`.

    Returns
    -------
    FittedProneness
    """
    lines, deals = counts.lines.sum(axis=1), counts.deals.sum(axis=1)
    weights = np.where(lines > 0, lines, 1.0)
    expected = (counts.lines * counts.expected).sum(axis=1) / weights
    offset = log_odds(np.where(lines > 0, expected, 0.5))
    shrunken, average, spread = np.zeros(len(lines)), 0.0, 1.0
    for _ in range(ROUNDS):
        raw, variance = working_response(shrunken, lines, deals, offset, counts.dispersion)
        before, (average, spread) = spread, _mean_and_spread(raw, variance)
        share = spread**2 / (spread**2 + variance)
        moved = average + share * (np.nan_to_num(raw) - average)
        settled = np.abs(moved - shrunken).max() < 1e-6 and abs(spread - before) < 1e-6
        # half a step where a far customer would be thrown to and fro
        shrunken = np.where(np.abs(moved - shrunken) > 1, (moved + shrunken) / 2, moved)
        if settled:
            break
    return FittedProneness(raw, shrunken, variance, share, average, spread)


def working_response(
    at: FloatArray, lines: FloatArray, deals: FloatArray, offset: FloatArray, dispersion: float
) -> tuple[FloatArray, FloatArray]:
    """One Newton step of each customer's own likelihood from a point, and its error variance.

    Parameters
    ----------
    at : ndarray, shape (customers,)
        Proneness to step from.
    lines, deals, offset : ndarray, shape (customers, classes)
        Lines, those on deal, log odds expected.
    dispersion : float
        Factor of the variance.

    Returns
    -------
    raw, variance : ndarray, shape (customers,)
        NaN and infinite where the lines tell nothing.
    """
    chance = 1 / (1 + np.exp(-(offset + at[:, None])))
    leeway = (lines * chance * (1 - chance)).sum(axis=1)
    known = leeway > LEAST_LEEWAY
    with np.errstate(divide="ignore", invalid="ignore"):
        raw = at + (deals - lines * chance).sum(axis=1) / leeway
        variance = dispersion / leeway
    return np.where(known, raw, np.nan), np.where(known, variance, np.inf)


def log_odds(share: FloatArray) -> FloatArray:
    """Logarithm of the odds of a share between 0 and 1."""
    return np.log(share) - np.log1p(-share)


def _mean_and_spread(raw: FloatArray, variance: FloatArray) -> tuple[float, float]:
    """Mean and standard deviation between customers, by Paule and Mandel's equation."""
    known = np.isfinite(variance)
    values, errors = raw[known], variance[known]

    def surplus(between: float) -> tuple[float, float]:
        weights = 1 / (errors + between)
        mean = float(weights @ values / weights.sum())
        return float(weights @ (values - mean) ** 2) - (len(values) - 1), mean

    low, high = 0.0, max(float(np.var(values)), 1e-6)
    if surplus(low)[0] <= 0:
        return surplus(low)[1], 0.0
    while surplus(high)[0] > 0:
        high *= 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if surplus(middle)[0] > 0 else (low, middle)
    return surplus(high)[1], float(np.sqrt(high))


def _frame(counts: DealCounts, fitted: FittedProneness, level: float) -> pd.DataFrame:
    totals = counts.totals().reset_index()
    z = NormalDist().inv_cdf((1 + level) / 2)
    # what is left open: the spread between customers, less what their own data settle of it
    error = fitted.spread * np.sqrt(1 - fitted.share)
    frame = pd.DataFrame(
        {
            "customer_id": totals["customer_id"],
            "orders": counts.orders,
            "lines": totals["lines"].astype(int),
            "deal_share": totals["deals"] / totals["lines"],
            "expected_share": totals["expected"] / totals["lines"],
            "excess": (totals["deals"] - totals["expected"]) / totals["lines"],
            "proneness": fitted.shrunken,
            "lower": fitted.shrunken - z * error,
            "upper": fitted.shrunken + z * error,
            "odds_ratio": np.exp(fitted.shrunken),
            "reliability": fitted.share,
        }
    )
    frame["price_driven"] = (frame["lower"] > fitted.average) & (fitted.spread > 0)
    return frame.sort_values(
        ["proneness", "customer_id"], ascending=[False, True], ignore_index=True
    )


def _split_half(
    counts: DealCounts, fitted: FittedProneness, level: float, draws: int, seed: Seed
) -> Estimate:
    """Correlation of the two halves, stepped up to the length of both together."""
    from_average = np.full(len(counts.customers), fitted.average)
    halves = []
    for half in (0, 1):
        # every customer steps from the average: its own estimate would leak into both halves
        raw, _ = working_response(
            from_average,
            counts.lines[:, half],
            counts.deals[:, half],
            log_odds(counts.expected[:, half]),
            counts.dispersion,
        )
        halves.append(raw)
    enough = (counts.lines.sum(axis=2) >= LEAST_LINES).all(axis=1) & np.isfinite(sum(halves))
    unit, n = "split-half reliability", int(enough.sum())
    if n < 3:
        why = f"{counted(n, 'customer')} with {LEAST_LINES} lines in either half"
        return Estimate.without_interval(np.nan, unit, n, why, level)
    first, second = (half[enough] for half in halves)

    def stepped_up(weights: FloatArray) -> FloatArray:
        correlation = weighted_correlation(weights, first, second)
        with np.errstate(divide="ignore"):
            return (2 * correlation / (1 + correlation))[:, None]

    drawn = bootstrap(stepped_up, np.ones(n), draws=draws, seed=seed)[:, 0]
    point = float(stepped_up(np.ones((1, n)))[0, 0])
    return bootstrap_estimate(point, drawn, unit=unit, n=n, level=level)


def weighted_correlation(weights: FloatArray, first: FloatArray, second: FloatArray) -> FloatArray:
    """Correlation of two values in each row of weights.

    Parameters
    ----------
    weights : ndarray, shape (rows, n)
        How often each customer counts.
    first, second : ndarray, shape (n,)
        The values.

    Returns
    -------
    ndarray, shape (rows,)
        NaN where a value does not vary.
    """
    a, b = first - first.mean(), second - second.mean()
    parts = np.column_stack([np.ones_like(a), a, b, a * a, b * b, a * b])
    n, sa, sb, saa, sbb, sab = (weights @ parts).T
    between, of_a, of_b = sab - sa * sb / n, saa - sa**2 / n, sbb - sb**2 / n
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where((of_a > 0) & (of_b > 0), between / np.sqrt(of_a * of_b), np.nan)


def _notes(counts: DealCounts, fitted: FittedProneness, deeper_than: float) -> list[str]:
    totals = counts.totals()
    share = float(totals["deals"].sum() / totals["lines"].sum())
    notes = [
        f"a line counts as on deal when its discount is above {percent(deeper_than, 0)} of its "
        f"list value, as {percent(share)} of the lines are; lines of one basket go together, "
        f"{counts.dispersion:.2f} times the variance of independent ones"
    ]
    if not RARE < share < 1 - RARE:
        notes.append(
            "so few lines are on deal, or so few are not, that customers can hardly be told apart; "
            "choose another depth by deeper_than"
        )
    if fitted.spread == 0:
        notes.append("customers differ by no more than chance: nobody is called price-driven")
    dropped = int(counts.excluded["lines"].sum())
    if dropped:
        notes.append(f"{counted(dropped, 'line')} not used, by reason in `excluded`")
    return notes
