"""Contact response: what contacts do to who stays and what customers say, less and less each.

Does a second visit do as much as the first?  :func:`contact_response` puts an outcome beside the
*stock* of contacts, the calls counted in visits and earlier months fading with a half-life, with
level, size, contract and the like held fixed: on one level it is nearly chance who was called this
month.  Half-life and worth of a call are stated, not sought where they fit best, which would lean
the slope towards an effect; `sensitivity` shows others.

Four forms are compared on customers that were not fitted: no effect, straight, logarithm (each
further contact does less) and saturation (a ceiling); there each form may choose its numbers, on
the customers that are fitted.  :meth:`ContactResponse.curve` tells the outcome at other numbers of
contacts; :mod:`~keycustomer.relationships.service.worth` what one more is worth.

The rules for the claim K7 (communication builds loyalty and belonging, with diminishing returns),
set before any data: :func:`contact_verdict`.

Sources: Broadbent (1979) for the stock; Little (1979), Operations Research 27, 629-667, for forms
of response; Stone (1974) for choosing on rows that were not fitted; Rao (1948) for the score test.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.customers.rendering import made_up_note, report_html
from keycustomer.relationships.service.carry_over import carried, carry_factor
from keycustomer.relationships.service.controls import control_columns, identification
from keycustomer.relationships.service.outcomes import OutcomeRows, outcome_rows
from keycustomer.relationships.service.record import ServiceRecord
from keycustomer.relationships.service.regression import (
    Regression,
    fit_regression,
    normal_estimate,
)
from keycustomer.stats import Estimate, verdict_above
from keycustomer.stats.bootstrap import Progress, Seed, after_quiet
from keycustomer.stats.regressions.clustering import clustered_error, folds_of
from keycustomer.stats.regressions.links import event_log_likelihood

Array = npt.NDArray[Any]

FORMS = ("none", "straight", "logarithm", "saturation")
"""Forms of response to a stock s: nothing, s, log(1 + s), s / (s + k)."""

HALF_LIVES = (1.0, 2.0, 3.0, 6.0)
"""Months after which half a contact is forgotten, tried."""

CALL_WORTHS = (0.1, 0.3, 0.6, 1.0)
"""Visits that a contact of any other kind counts for, tried."""

CEILINGS = (0.5, 1.0, 2.0, 5.0)
"""Stocks at which half the ceiling of the saturation is reached, tried."""

FACTORS = (0.0, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0)
"""Multiples of today's contacts at which the curve is told."""


@dataclass(frozen=True)
class Form:
    """A form of response with its fixed numbers.

    Attributes
    ----------
    name : str
        One of `FORMS`.
    half_life : float
        Months after which half a contact is forgotten.
    call_worth : float
        Visits that any other contact counts for.
    ceiling : float
        Stock at half the ceiling (saturation only).
    """

    name: str
    half_life: float = 3.0
    call_worth: float = 0.3
    ceiling: float = 1.0

    def of(self, stock: Array) -> Array:
        """Give the form's value at a stock, in visits."""
        if self.name == "straight":
            return stock
        if self.name == "logarithm":
            return np.log1p(stock)
        return stock / (stock + self.ceiling)


@dataclass(frozen=True, eq=False)
class ContactResponse:
    """Response of an outcome to contacts.

    Attributes
    ----------
    outcome, unit : str
        What responds, and the unit of changes.
    slope, naive_slope : Estimate
        Of the logarithm: change of the outcome (log-odds, or sd) per unit of log(1 + stock), with
        and without what is held fixed.
    forms : DataFrame
        form, half_life, call_worth, ceiling, score (mean log-likelihood of rows not fitted, times
        1,000), gain over no effect, lower, upper.
    bend : Estimate
        Gain of the logarithm over the straight form, on rows not fitted.
    best : str
        Form with the best score; "none" when no form gains over it.
    form : Form
        Logarithm with the half-life and worth of a call that were stated.
    rows, customers : int
        Rows (customer-months or questionnaires) and customers used.
    identification : str
        Under which assumption the slope is an effect.
    study : ContactStudy
        Rows and stocks the regressions are fitted on.
    stock : ndarray, shape (n,)
        Stock of contacts of the rows used, in visits.
    model : Regression
        The regression, its first column the form of the stock.
    design : ndarray, shape (n, k)
        Its columns.
    places : ndarray of int, shape (n,)
        Customer-months of the rows.
    excluded : dict of str to int
        What was left out of leaving, by reason.
    """

    outcome: str
    unit: str
    slope: Estimate
    naive_slope: Estimate
    forms: pd.DataFrame
    bend: Estimate
    best: str
    form: Form
    rows: int
    customers: int
    identification: str
    simulated: bool
    per: float
    study: ContactStudy = field(repr=False)
    stock: Array = field(repr=False)
    model: Regression = field(repr=False)
    design: Array = field(repr=False)
    places: Array = field(repr=False)
    excluded: dict[str, int] = field(default_factory=dict)

    @cached_property
    def sensitivity(self) -> pd.DataFrame:
        """Tell the slope under other half-lives and worths of a call, one changed at a time.

        Columns half_life, call_worth, estimate, lower, upper.
        """
        return self.study.sensitivity(self.form, self.slope.unit, self.slope.level)

    def curve(self, factors: Sequence[float] = FACTORS, level: float = 0.95) -> pd.DataFrame:
        """Mean change of the outcome, had there been other numbers of contacts.

        Parameters
        ----------
        factors : sequence of float
            Multiples of today's contacts, 0 or larger.
        level : float
            Confidence level.

        Returns
        -------
        DataFrame
            factor, estimate, lower, upper: change against today, in `unit`.
        """
        if min(factors) < 0:
            raise ValueError(f"factors={list(factors)}: multiples of today's contacts, 0 or larger")
        rows = []
        for factor in factors:
            changed = self.design.copy()
            changed[:, 0] = self.form.of(factor * self.stock)
            one = self.model.change(changed, self.design, self.unit, per=self.per, level=level)
            rows.append(
                {"factor": float(factor), "estimate": one.estimate}
                | {"lower": one.lower, "upper": one.upper}
            )
        return pd.DataFrame(rows)

    def to_frame(self) -> pd.DataFrame:
        """Give a copy of `forms`."""
        return self.forms.copy()

    def _repr_html_(self) -> str:
        sentences = [
            *made_up_note(self.simulated),
            f"{self.unit}: {self.rows:,} rows of {self.customers:,} customers.",
            f"Per unit of log(1 + contacts remembered): {self.slope} ({self.slope.unit}); without "
            f"holding anything fixed {self.naive_slope}.",
            f"Best form on customers not fitted: {self.best}.",
            self.identification,
            *(f"Left out: {n:,} {why}." for why, n in self.excluded.items() if n),
        ]
        tables = {"Forms": self.forms, "Other numbers of contacts": self.curve()}
        return report_html("Contact response", sentences, tables)


def contact_response(
    record: ServiceRecord,
    outcome: str = "left",
    *,
    half_life: float = 3.0,
    call_worth: float = 0.3,
    burn_in: int = 6,
    folds: int = 5,
    attributes: Sequence[str] = (),
    level: float = 0.95,
    seed: Seed = 0,
    progress: Progress | None = None,
) -> ContactResponse:
    """Put an outcome beside the contacts that a customer remembers.

    Parameters
    ----------
    record : ServiceRecord
        From :func:`keycustomer.relationships.read_service`.
    outcome : str
        "left", "take_up", or a construct of the survey ("satisfaction", "loyalty", "social" ...).
    half_life : float
        Months after which half a contact is forgotten.
    call_worth : float
        Visits that a contact of any kind but the first one of the record counts for.
    burn_in : int
        First months of the window that are left out, since what came before them is not known.
    folds : int
        Parts into which customers are dealt to compare the forms.
    attributes : sequence of str
        Attributes of the customers that are held fixed as well.
    level : float
        Confidence level.
    seed : int or Generator
        Of the dealing into parts.
    progress : callable, optional
        Called with parts done and in all, once the work has taken two seconds.

    Raises
    ------
    ValueError
        When there are no contacts, the outcome is not known, or it never varies.
    """
    _refuse(record)
    known = outcome_rows(record, outcome, burn_in)
    form = Form("logarithm", half_life, call_worth)
    study = contact_study(record, known, form, attributes)
    customer, part = study.customer, _parts(study.customer, folds, seed)
    trial = _Trial(known, study.stocks, study.held, customer, part)
    scores, chosen = trial.scores(folds, after_quiet(progress))
    forms = _compare(scores, chosen, customer, level)
    design, model = study.model(form)
    naive = fit_regression(known.values, design[:, :1], ["contacts"], customer, known.family)
    unit = "log-odds" if known.family == "logistic" else known.unit
    gains = forms.set_index("form")["gain"]
    return ContactResponse(
        outcome=outcome,
        unit=known.unit,
        slope=model.coefficient("contacts", unit, level),
        naive_slope=naive.coefficient("contacts", unit, level),
        forms=forms,
        bend=_gain(scores["logarithm"] - scores["straight"], customer, level),
        best="none" if gains.max() <= 0 else str(gains.idxmax()),
        form=form,
        rows=len(known.rows),
        customers=int(customer.max()) + 1,
        identification=identification("contacts"),
        simulated=record.months.simulated,
        per=known.per,
        study=study,
        stock=study.stocks.stock(form),
        model=model,
        design=design,
        places=known.rows,
        excluded=known.excluded,
    )


def _refuse(record: ServiceRecord) -> None:
    if not record.contacts["is_contact"].any():
        raise ValueError(
            f"no interaction is a contact: contact_kinds={record.contact_kinds!r}, the kinds "
            f"recorded are {sorted(record.contacts['kind'].dropna().unique())[:12]}"
        )


def _parts(customer: Array, folds: int, seed: Seed) -> Array:
    """Part of each row, all rows of a customer in one."""
    customers = int(customer.max(initial=-1)) + 1
    if not 2 <= folds <= customers:
        raise ValueError(f"folds={folds!r} must be 2 up to the {customers:,} customers")
    return folds_of(customer, folds, seed)


@dataclass(frozen=True, eq=False)
class Stocks:
    """Stocks of contacts of some rows, by half-life.

    Attributes
    ----------
    visits, others : dict of float to ndarray
        Stock of the record's first contact kind, and of its others, by half-life.
    """

    visits: dict[float, Array]
    others: dict[float, Array]

    @classmethod
    def of(cls, record: ServiceRecord, rows: Array, half_lives: set[float]) -> Stocks:
        """Carry the contacts over; the first contact kind is the one others are counted in."""
        kind = record.contacts["kind"].to_numpy()
        first = kind == record.contact_kinds[0]
        other = record.contacts["is_contact"].to_numpy() & ~first
        counts = np.column_stack([record.count(first), record.count(other)])
        stocks = {
            months: carried(counts, record.customer, record.number, carry_factor(months))[rows]
            for months in half_lives
        }
        return cls(
            {months: stock[:, 0] for months, stock in stocks.items()},
            {months: stock[:, 1] for months, stock in stocks.items()},
        )

    def stock(self, form: Form) -> Array:
        """Stock counted in visits."""
        return self.visits[form.half_life] + form.call_worth * self.others[form.half_life]


@dataclass(frozen=True, eq=False)
class ContactStudy:
    """An outcome beside stocks of contacts: what the regressions are fitted on.

    Attributes
    ----------
    known : OutcomeRows
        Rows and values of the outcome.
    stocks : Stocks
        Stocks of the rows.
    held : ndarray, shape (n, k)
        What is held fixed.
    names : sequence of str
        Its columns.
    customer : ndarray of int, shape (n,)
        Code of the customer of each row.
    """

    known: OutcomeRows
    stocks: Stocks
    held: Array
    names: Sequence[str]
    customer: Array

    def model(self, form: Form) -> tuple[Array, Regression]:
        """Columns and regression of a form."""
        design = np.column_stack([form.of(self.stocks.stock(form)), self.held])
        names = ["contacts", *self.names]
        y, family = self.known.values, self.known.family
        return design, fit_regression(y, design, names, self.customer, family)

    def sensitivity(self, form: Form, unit: str, level: float) -> pd.DataFrame:
        """Tell the slope under other half-lives and worths of a call, one changed at a time."""
        others = [replace(form, half_life=months) for months in HALF_LIVES]
        others += [replace(form, call_worth=worth) for worth in CALL_WORTHS]
        rows = []
        for one in dict.fromkeys([form, *others]):
            slope = self.model(one)[1].coefficient("contacts", unit, level)
            told = {"estimate": slope.estimate, "lower": slope.lower, "upper": slope.upper}
            rows.append({"half_life": one.half_life, "call_worth": one.call_worth} | told)
        return pd.DataFrame(rows)


def contact_study(
    record: ServiceRecord, known: OutcomeRows, form: Form, attributes: Sequence[str] = ()
) -> ContactStudy:
    """Lay out an outcome beside the stocks of contacts, with what is held fixed."""
    customer = pd.factorize(record.customer[known.rows])[0].astype(np.int64)
    stocks = Stocks.of(record, known.rows, {*HALF_LIVES, form.half_life})
    held, names = control_columns(record.months, known.rows, attributes)
    return ContactStudy(known, stocks, held, names, customer)


def _candidates(form: str) -> list[Form]:
    ceilings = CEILINGS if form == "saturation" else (1.0,)
    return [Form(form, h, w, c) for h in HALF_LIVES for w in CALL_WORTHS for c in ceilings]


@dataclass(frozen=True, eq=False)
class _Trial:
    """Forms compared on customers that were not fitted."""

    known: OutcomeRows
    stocks: Stocks
    held: Array
    customer: Array
    part: Array

    def scores(self, folds: int, report: Progress) -> tuple[dict[str, Array], dict[str, Form]]:
        """Log-likelihood of every row by form when not fitted, and the forms chosen on all rows."""
        scores = {form: np.zeros(len(self.part)) for form in FORMS}
        for fold in range(folds):
            test = self.part == fold
            fit = ~test
            for name, form in {"none": None, **self.choose(fit)}.items():
                scores[name][test] = self._score(form, fit, test)
            report(fold + 1, folds)
        return scores, self.choose(np.ones(len(self.part), dtype=bool))

    def choose(self, fit: Array) -> dict[str, Form]:
        """Best half-life, worth of a call and ceiling of each form, by the score test."""
        weigh = _ScoreTest.of(self.known, self.held, self.customer, fit)
        best = {}
        for name in FORMS[1:]:
            candidates = _candidates(name)
            gains = [weigh.gain(one.of(self.stocks.stock(one))[fit]) for one in candidates]
            best[name] = candidates[int(np.argmax(gains))]
        return best

    def _score(self, form: Form | None, fit: Array, test: Array) -> Array:
        design = self.held
        if form is not None:
            design = np.column_stack([form.of(self.stocks.stock(form)), design])
        names = [str(place) for place in range(design.shape[1])]
        model = fit_regression(
            self.known.values[fit],
            design[fit],
            names,
            pd.factorize(self.customer[fit])[0],
            self.known.family,
        )
        told, y = model.predict(design[test]), self.known.values[test]
        if self.known.family == "logistic":
            return event_log_likelihood(y, told)
        spread = float(np.mean((self.known.values[fit] - model.predict(design[fit])) ** 2))
        return np.asarray(-0.5 * (np.log(2 * np.pi * spread) + (y - told) ** 2 / spread))


@dataclass(frozen=True, eq=False)
class _ScoreTest:
    """Gain in log-likelihood that one further column would bring, to second order (Rao 1948)."""

    residual: Array
    weight: Array
    basis: Array
    inverse: Array

    @classmethod
    def of(cls, known: OutcomeRows, held: Array, customer: Array, fit: Array) -> _ScoreTest:
        """Fit what is held fixed alone."""
        names = [str(place) for place in range(held.shape[1])]
        model = fit_regression(
            known.values[fit], held[fit], names, pd.factorize(customer[fit])[0], known.family
        )
        told = model.predict(held[fit])
        residual = known.values[fit] - told
        spread = told * (1 - told)
        if known.family == "linear":
            spread = np.full(len(told), 1.0)
            residual = residual / residual.std()
        basis = np.column_stack([np.ones(len(told)), held[fit]])
        inverse = np.linalg.pinv((basis * spread[:, None]).T @ basis, hermitian=True)
        return cls(residual, spread, basis, inverse)

    def gain(self, column: Array) -> float:
        """Gain of a column."""
        weighed = self.weight * column
        across = self.basis.T @ weighed
        own = float(column @ weighed - across @ self.inverse @ across)
        slope = float(column @ self.residual)
        return slope**2 / (2 * own) if own > 1e-9 * max(float(column @ weighed), 1e-300) else 0.0


def _compare(
    scores: Mapping[str, Array], chosen: Mapping[str, Form], customer: Array, level: float
) -> pd.DataFrame:
    rows = []
    for name in FORMS:
        form = chosen.get(name, Form("none", np.nan, np.nan))
        gain = _gain(scores[name] - scores["none"], customer, level)
        ends = (gain.lower, gain.upper) if name != "none" else (np.nan, np.nan)
        rows.append(
            {"form": name, "half_life": form.half_life, "call_worth": form.call_worth}
            | {
                "ceiling": form.ceiling if name == "saturation" else np.nan,
                "score": 1000 * float(scores[name].mean()),
            }
            | {"gain": gain.estimate, "lower": ends[0], "upper": ends[1]}
        )
    return pd.DataFrame(rows)


def _gain(each: Array, customer: Array, level: float) -> Estimate:
    """Mean gain in score times 1,000, with its interval over customers."""
    error = clustered_error(each - each.mean(), customer)
    unit, customers = "log-likelihood per 1,000 rows", int(customer.max()) + 1
    return normal_estimate(1000 * float(each.mean()), 1000 * error, unit, customers, level=level)


def contact_verdict(responses: Mapping[str, ContactResponse]) -> dict[str, str]:
    """Verdicts on K7 by its parts.

    Parameters
    ----------
    responses : mapping of str to ContactResponse
        By outcome.

    Returns
    -------
    dict of str to str
        "belonging" (of the response of `social`), "loyalty" (of `loyalty`), "staying" (of `left`):
        supported when the slope's interval lies wholly on the claimed side of 0, not supported
        when wholly on the other, else undecided.  "diminishing": whether in any outcome the
        logarithm beats the straight form on customers not fitted, the interval widened for their
        number.  "K7": supported when belonging and loyalty both are, not supported when either is
        not, else undecided.
    """
    parts = {"social": "belonging", "loyalty": "loyalty", "left": "staying"}
    said = {
        word: verdict_above(_turned(responses[name].slope, name))
        for name, word in parts.items()
        if name in responses
    }
    said["diminishing"] = _bends([one.bend for one in responses.values()])
    main = [said.get("belonging", "undecided"), said.get("loyalty", "undecided")]
    if "not supported" in main:
        return said | {"K7": "not supported"}
    return said | {"K7": "supported" if main == ["supported"] * 2 else "undecided"}


def _turned(slope: Estimate, outcome: str) -> Estimate:
    """Slope with the sign that the claim is about: staying, not leaving."""
    if outcome != "left":
        return slope
    turned = (-slope.estimate, -slope.upper, -slope.lower)
    return Estimate(*turned, slope.unit, slope.n, slope.method, slope.level)


def _bends(bends: Sequence[Estimate]) -> str:
    if not bends:
        return "undecided"
    normal, tail = NormalDist(), (1 - bends[0].level) / 2
    wide = normal.inv_cdf(1 - tail / len(bends)) / normal.inv_cdf(1 - tail)
    lows = [one.estimate - wide * (one.estimate - one.lower) for one in bends]
    highs = [one.estimate + wide * (one.upper - one.estimate) for one in bends]
    if max(lows) > 0:
        return "supported"
    return "not supported" if all(high <= 0 for high in highs) else "undecided"
