"""Van Westendorp's price sensitivity meter: four questions, four curves, four price points.

Question: between which prices is an offer acceptable?  Respondents name the prices at which it
becomes too cheap (bad quality is suspected), cheap, expensive, and too expensive.  From the
cumulated answers :func:`price_sensitivity` reads

- the indifference price (IDP): as many find it cheap as find it expensive;
- the "optimal" price (OPP): as many find it too cheap as find it too expensive;
- the points of marginal cheapness and expensiveness (PMC, PME), ends of the acceptable range, where
  too cheap meets *not* cheap, and too expensive *not* expensive (``convention="original"``), or
  where too cheap meets expensive, and too expensive cheap (``"narrower"``, as most textbooks and
  tools draw it: the two give quite different ranges).

All four tell how people think of prices.  None is the price that earns most: for that costs and a
demand curve are needed, see :func:`~keycustomer.pricing.stated.true_prices.judge_price_points`.

Respondents whose prices do not rise from question to question contradict themselves; they are
counted, listed, and left out unless ``validate=False``.

Source: van Westendorp (1976), ESOMAR Congress, 139-167; the convention of the original and of the
tools are told apart in the R package pricesensitivitymeter (Alletsee).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import counted, made_up_note, percent, report_html
from keycustomer.pricing.stated.cumulated import Ties, crossing, shares
from keycustomer.pricing.stated.price_answers import PriceAnswers, read_price_points
from keycustomer.stats import Estimate, bootstrap, bootstrap_estimate
from keycustomer.stats.bootstrap import Progress, Seed, checked_level
from keycustomer.stats.samples import FloatArray

Convention = Literal["original", "narrower"]

POINTS: dict[str, str] = {
    "pmc": "marginal cheapness",
    "opp": "as many too cheap as too expensive",
    "idp": "as many cheap as expensive",
    "pme": "marginal expensiveness",
}
"""The price points by their short names."""

CURVES = ("too_cheap", "cheap", "expensive", "too_expensive")

FEWEST = 10
"""Respondents below which nothing is measured."""

EQUAL = "one price for two answers"
FALLING = "a dearer answer has a lower price"

MANY_INVALID = 0.2
"""Share of contradictory answers from which their loss is told as a doubt."""


@dataclass(frozen=True, eq=False)
class PriceSensitivity:
    """Curves and price points of the price sensitivity meter.

    Attributes
    ----------
    frame : DataFrame
        One row a price that somebody named: price, too_cheap, cheap, expensive, too_expensive
        (shares of respondents, 0..1).
    points : dict of str to Estimate
        pmc, opp, idp, pme, in the currency.
    convention : {"original", "narrower"}
        How the range is read.
    respondents : int
        Questionnaires the curves rest on.
    invalid : DataFrame
        Contradictory questionnaires: customer_id where known, the four prices, why.
    kept : bool
        Whether the contradictory ones are in the curves.
    excluded : DataFrame
        reason, questionnaires: incomplete ones.
    currency : str
        Unit of the prices.
    simulated : bool
        Whether the answers are made up.
    level : float
        Level of the intervals.
    notes : tuple of str
        What the reader should know.
    """

    frame: pd.DataFrame = field(repr=False)
    points: dict[str, Estimate]
    convention: str
    respondents: int
    invalid: pd.DataFrame = field(repr=False)
    kept: bool
    excluded: pd.DataFrame = field(repr=False)
    currency: str
    simulated: bool
    level: float
    notes: tuple[str, ...]

    @property
    def pmc(self) -> Estimate:
        """Point of marginal cheapness, the lower end of the range."""
        return self.points["pmc"]

    @property
    def opp(self) -> Estimate:
        """Price which as many find too cheap as too expensive ("optimal" price point)."""
        return self.points["opp"]

    @property
    def idp(self) -> Estimate:
        """Indifference price point."""
        return self.points["idp"]

    @property
    def pme(self) -> Estimate:
        """Point of marginal expensiveness, the upper end of the range."""
        return self.points["pme"]

    @property
    def invalid_share(self) -> float:
        """Share of the complete questionnaires that contradict themselves."""
        asked = self.respondents + (0 if self.kept else len(self.invalid))
        return len(self.invalid) / asked

    @property
    def sentence(self) -> str:
        """The result in words."""
        unit = f" {self.currency}" if self.currency else ""
        return (
            f"Acceptable from {self.pmc} to {self.pme}{unit} ({self.convention} convention); as "
            f"many find {self.idp}{unit} cheap as expensive, {self.opp}{unit} too cheap as too "
            f"expensive. {counted(len(self.invalid), 'respondent')} "
            f"({percent(self.invalid_share)}) contradict themselves and are "
            f"{'kept' if self.kept else 'left out'}."
        )

    def estimates(self) -> list[tuple[str, str, Estimate]]:
        """Rows of (measure, group, estimate) under the names of the case output."""
        return [(f"psm_{name}", "", self.points[name]) for name in POINTS]

    def to_frame(self) -> pd.DataFrame:
        """One row a price point: point, meaning, price, lower, upper."""
        rows = [
            {"point": name.upper(), "meaning": POINTS[name], "price": one.estimate}
            | {"lower": one.lower, "upper": one.upper}
            for name, one in self.points.items()
        ]
        return pd.DataFrame(rows)

    def _repr_html_(self) -> str:
        written = self.to_frame().rename(columns={"lower": "from", "upper": "to"})
        said = [
            *made_up_note(self.simulated),
            self.sentence,
            *self.notes,
        ]
        tables = {
            "Price points": written,
            "Contradictory answers": self.invalid.head(5),
            "Not used": self.excluded,
        }
        return report_html("Price sensitivity meter", said, tables)


def price_sensitivity(
    answers: PriceAnswers | pd.DataFrame,
    *,
    convention: Convention = "original",
    interpolate: bool = True,
    validate: bool | Literal["falling"] = True,
    weights: Any = None,
    ties: Ties = "half",
    level: float = 0.95,
    draws: int = 1000,
    seed: Seed = 0,
    progress: Progress | None = None,
) -> PriceSensitivity:
    """Measure the curves and price points of the price sensitivity meter.

    Parameters
    ----------
    answers : PriceAnswers or DataFrame
        From :func:`read_price_points`, or a table with its four columns.
    convention : {"original", "narrower"}
        How the acceptable range is read, see the module.
    interpolate : bool
        Whether curves run straight between the prices named; without, a point is the first price
        named at which the one curve has reached the other.
    validate : bool or "falling"
        Whether contradictory questionnaires are left out; ``"falling"`` keeps those that give one
        price for two answers, which may be due to rounding alone.
    weights : Series or array, optional
        Weight of each questionnaire, above 0: a series by customer_id (or by the table's index),
        or an array as long as the table.
    ties : {"half", "passed"}
        How those count who named exactly the price of the grid: by half, or as the R package does
        (``interpolate=False, ties="passed"`` gives its numbers).
    level, draws, seed, progress
        Percentile bootstrap of respondents, as in :func:`keycustomer.stats.bootstrap`.

    Returns
    -------
    PriceSensitivity

    Raises
    ------
    ValueError
        When answers cannot be read, fewer than 10 remain, all contradict themselves, or an
        argument makes no sense.
    """
    checked_level(level)
    _check(convention, ties, validate)
    if isinstance(answers, pd.DataFrame) and weights is not None:
        weights = _by_row(weights, answers)
    read = read_price_points(answers) if isinstance(answers, pd.DataFrame) else answers
    given = _weights_of(read, weights)
    wrong = contradictions(read.prices)
    if validate == "falling":
        wrong = np.where(wrong == EQUAL, "", wrong)
    used = wrong == "" if validate else np.ones(len(wrong), bool)
    _refuse_too_few(used, wrong)
    prices, grid = read.prices[used], np.unique(read.prices[used])

    def points(rows: FloatArray) -> FloatArray:
        curves = shares(prices, rows, grid, ties)
        return price_points(grid, curves, convention, interpolate=interpolate)

    drawn = _resampled(points, given[used], read.respondents[used], draws, seed, progress)
    found = points(given[used][None, :])[0]
    estimates = {
        name: bootstrap_estimate(
            float(found[k]), drawn[:, k], unit=_unit(read), n=int(used.sum()), level=level
        )
        for k, name in enumerate(POINTS)
    }
    curves = shares(prices, given[used][None, :], grid, ties)[:, 0]
    return PriceSensitivity(
        frame=pd.DataFrame({"price": grid} | dict(zip(CURVES, curves, strict=True))),
        points=estimates,
        convention=convention,
        respondents=int(used.sum()),
        invalid=read.frame.assign(why=wrong)[wrong != ""],
        kept=validate is False,
        excluded=read.excluded,
        currency=read.currency,
        simulated=read.simulated,
        level=level,
        notes=(*read.notes, *_notes(wrong, convention, validate)),
    )


def price_points(
    grid: FloatArray, curves: FloatArray, convention: str, *, interpolate: bool = True
) -> FloatArray:
    """Price points from the four curves.

    Parameters
    ----------
    grid : ndarray, shape (prices,)
        Rising prices.
    curves : ndarray, shape (4, rows, prices)
        From :func:`~keycustomer.pricing.stated.cumulated.shares`.
    convention : {"original", "narrower"}
        How the range is read.
    interpolate : bool
        As in :func:`~keycustomer.pricing.stated.cumulated.crossing`.

    Returns
    -------
    ndarray, shape (rows, 4)
        In the order of `POINTS`.
    """
    too_cheap, cheap, expensive, too_expensive = curves
    original = convention == "original"
    pairs = (
        (1 - cheap if original else expensive, too_cheap),
        (too_expensive, too_cheap),
        (expensive, cheap),
        (too_expensive, 1 - expensive if original else cheap),
    )
    met = [crossing(grid, up, down, interpolate=interpolate) for up, down in pairs]
    return np.column_stack(met)


def contradictions(prices: FloatArray) -> np.ndarray:
    """Say of each questionnaire what contradicts what; empty where prices rise strictly.

    Parameters
    ----------
    prices : ndarray, shape (questionnaires, 4)
        From too cheap to too expensive.
    """
    steps = np.diff(prices, axis=1)
    falls, equal = (steps < 0).any(axis=1), (steps == 0).any(axis=1)
    texts = np.array(["", EQUAL, FALLING])
    return texts[np.where(falls, 2, np.where(equal, 1, 0))]


def _check(convention: str, ties: str, validate: object) -> None:
    if convention not in ("original", "narrower"):
        raise ValueError(f"convention={convention!r} must be 'original' or 'narrower'")
    if ties not in ("half", "passed"):
        raise ValueError(f"ties={ties!r} must be 'half' or 'passed'")
    if validate not in (True, False, "falling"):
        raise ValueError(f"validate={validate!r} must be True, False or 'falling'")


def _by_row(weights: Any, table: pd.DataFrame) -> Any:
    """Give weights of an array the index of the table they belong to."""
    if isinstance(weights, pd.Series):
        return weights
    if np.shape(weights) != (len(table),):
        raise ValueError(
            f"weights have shape {np.shape(weights)}, the table has {len(table):,} rows: give one "
            "weight a row, or a series by customer_id"
        )
    return pd.Series(np.asarray(weights, dtype=float), index=table.index)


def _weights_of(answers: PriceAnswers, weights: Any) -> FloatArray:
    """Weight of every complete questionnaire; 1 where none are given."""
    if weights is None:
        return np.ones(len(answers.frame))
    if not isinstance(weights, pd.Series):
        weights = _by_row(weights, answers.frame)
    whose: Any = answers.frame.index
    if "customer_id" in answers.frame and not whose.isin(weights.index).all():
        whose = answers.frame["customer_id"]
    if not weights.index.is_unique:
        raise ValueError("weights: an index is given twice; one weight a respondent is needed")
    found = weights.reindex(whose).to_numpy(float)
    bad = ~(found > 0) | ~np.isfinite(found)
    if bad.any():
        raise ValueError(
            f"weights: {counted(int(bad.sum()), 'respondent')} without a weight above 0, first "
            f"{pd.Index(whose)[bad][:3].tolist()}; give every respondent one"
        )
    return found


def _refuse_too_few(used: np.ndarray, wrong: np.ndarray) -> None:
    bad = int((wrong != "").sum())
    if not used.any():
        raise ValueError(
            f"all {bad:,} respondents contradict themselves (too cheap < cheap < expensive < too "
            "expensive holds for none): check the order of the columns, or keep them with "
            "validate=False"
        )
    if used.sum() < FEWEST:
        raise ValueError(
            f"{counted(int(used.sum()), 'respondent')} with complete answers that do not "
            f"contradict themselves ({bad:,} do): at least {FEWEST} are needed"
        )


def _resampled(
    points: Any,
    weights: FloatArray,
    respondents: np.ndarray,
    draws: int,
    seed: Seed,
    progress: Progress | None,
) -> FloatArray:
    """Draw respondents, each with all questionnaires it filled in."""
    people, owner = np.unique(respondents, return_inverse=True)

    def statistic(counts: FloatArray) -> FloatArray:
        found: FloatArray = points(counts[:, owner] * weights)
        return found

    return bootstrap(statistic, np.ones(len(people)), draws=draws, seed=seed, progress=progress)


def _unit(answers: PriceAnswers) -> str:
    return answers.currency or "price"


def _notes(wrong: np.ndarray, convention: str, validate: bool | str) -> list[str]:
    falling, equal = int((wrong == FALLING).sum()), int((wrong == EQUAL).sum())
    share = (falling + equal) / len(wrong)
    notes = []
    if share > MANY_INVALID and validate:
        notes.append(
            f"{percent(share)} of the respondents contradict themselves ({falling:,} with a "
            f"falling price, {equal:,} with one price for two answers): what the others say may "
            "not hold for them"
        )
    other = "narrower" if convention == "original" else "original"
    notes.append(f"the {other} convention gives another range: say which one you used")
    return notes
