"""The realism report: moments of the simulated company beside those of real data.

Where is the simulated company like real customer bases, and where is it not?  `compare_with_real`
computes every moment by the same function on both sides and judges by a rule fixed beforehand: a
moment departs when it lies outside the range of the real sets by more than its tolerance.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from keycustomer.customers.rendering import counted, report_html
from keycustomer.realism.moments import (
    FLEXIBLE,
    MOMENTS,
    ONE_YEAR,
    TWO_YEARS,
    spend_moments,
    survey_moments,
    tenure_moments,
)
from keycustomer.realism.real_sets import RealSet, read_real_sets

DAYS_OF_MONTH = 30.4375

PLANS = {"monthly": FLEXIBLE, "12 months": ONE_YEAR, "24 months": TWO_YEARS}
"""Kind of contract by price plan of the simulated operator."""

WITHIN, DEPARTS, OPEN = "within", "departs", "not compared"


@dataclass(frozen=True, eq=False)
class RealismReport:
    """Moments of a simulated company beside real ones.

    Attributes
    ----------
    frame : DataFrame
        One row a moment: theme, moment, meaning, simulated, lowest, highest (of the real sets),
        lower, upper (what is still within), scale (`difference`, or `factor` for ratios), real
        (each set with its value, as text), verdict (`within`, `departs`, `not compared`).
    sets : tuple of RealSet
        The real sets that were read.
    notes : tuple of str
        What is missing or was left out.
    """

    frame: pd.DataFrame
    sets: tuple[RealSet, ...]
    notes: tuple[str, ...]

    @property
    def departures(self) -> pd.DataFrame:
        """Rows of the moments that depart."""
        return self.frame[self.frame["verdict"] == DEPARTS].reset_index(drop=True)

    def to_frame(self) -> pd.DataFrame:
        """All moments, a row each."""
        return self.frame.copy()

    @property
    def sentences(self) -> list[str]:
        """Say how many moments agree, and of each that departs, in which direction."""
        compared = self.frame[self.frame["verdict"] != OPEN]
        within = int((compared["verdict"] == WITHIN).sum())
        said = [
            f"simulated: {within} of {counted(len(compared), 'moment')} compared "
            "lie within the range of the real sets or near it"
        ]
        for row in self.departures.to_dict("records"):
            side = "above" if row["simulated"] > row["upper"] else "below"
            said.append(
                f"departs: {row['meaning']} is {row['simulated']:.3g} in the simulated company, "
                f"{side} what is real ({row['real']})"
            )
        return said

    def _repr_html_(self) -> str:
        columns = ["theme", "meaning", "simulated", "real", "verdict"]
        note = "; ".join(self.notes)
        title = "The simulated company beside real data"
        return report_html(title, self.sentences, {"Moments": self.frame[columns]}, note)


def compare_with_real(
    tables: Mapping[str, pd.DataFrame],
    constructs: Mapping[str, list[str] | tuple[str, ...]] | None = None,
    *,
    sets: list[RealSet] | None = None,
) -> RealismReport:
    """Compare a simulated company's moments with those of real data.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        Tables of the company, as `Company.tables()` gives them: transactions, contracts, survey.
    constructs : mapping of str to sequence of str, optional
        Items of each construct of the survey; left out, those of the simulated questionnaire but
        sacrifice, which has no like in the real surveys.
    sets : list of RealSet, optional
        The real sets; left out, all that are installed.

    Returns
    -------
    RealismReport

    Raises
    ------
    ValueError
        When a table is missing.
    """
    _need_tables(tables)
    missing: list[str] = []
    if sets is None:
        sets, missing = read_real_sets()
    simulated, notes = simulated_moments(tables, constructs)
    rows = [judge_moment(name, simulated.get(name, math.nan), sets) for name in MOMENTS]
    return RealismReport(pd.DataFrame(rows), tuple(sets), (*notes, *missing))


def _need_tables(tables: Mapping[str, pd.DataFrame]) -> None:
    absent = [name for name in ("transactions", "contracts", "survey") if name not in tables]
    if absent:
        raise ValueError(
            f"tables lack {', '.join(absent)}; tables given: {', '.join(tables) or 'none'}; "
            "give those of simulate_company(...).tables()"
        )


def judge_moment(name: str, simulated: float, sets: list[RealSet]) -> dict[str, object]:
    """Put a simulated moment beside the real sets', and judge it by the fixed rule.

    Parameters
    ----------
    name : str
        Which of `MOMENTS`.
    simulated : float
        Its value in the simulated company.
    sets : list of RealSet
        The real sets; those of another theme, or without this moment, do not count.

    Returns
    -------
    dict
        A row of `RealismReport.frame`.
    """
    moment = MOMENTS[name]
    real = {
        one.name: one.moments[name]
        for one in sets
        if one.theme == moment.theme and math.isfinite(one.moments.get(name, math.nan))
    }
    lowest, highest = min(real.values(), default=math.nan), max(real.values(), default=math.nan)
    if moment.factor:
        lower, upper = lowest / moment.tolerance, highest * moment.tolerance
    else:
        lower, upper = lowest - moment.tolerance, highest + moment.tolerance
    verdict = WITHIN if lower <= simulated <= upper else DEPARTS
    if not real or not math.isfinite(simulated):
        verdict = OPEN
    return {
        "theme": moment.theme,
        "moment": name,
        "meaning": moment.meaning,
        "simulated": simulated,
        "lowest": lowest,
        "highest": highest,
        "lower": lower,
        "upper": upper,
        "scale": "factor" if moment.factor else "difference",
        "real": ", ".join(f"{one} {value:.3g}" for one, value in real.items()),
        "verdict": verdict,
    }


def simulated_moments(
    tables: Mapping[str, pd.DataFrame],
    constructs: Mapping[str, list[str] | tuple[str, ...]] | None = None,
) -> tuple[dict[str, float], list[str]]:
    """Compute all moments of a simulated company.

    Returns
    -------
    moments : dict of str to float
    notes : list of str
        What the moments rest on.
    """
    from keycustomer.simulate.questionnaire import CONSTRUCTS

    asked = {name: items for name, items in CONSTRUCTS.items() if name != "sacrifice"}

    lines = tables["transactions"]
    spend = (lines["price"] * lines["quantity"]).groupby(lines["customer_id"]).sum()
    survey = tables["survey"]
    last = survey[survey["wave"] == survey["wave"].max()] if "wave" in survey else survey
    answered = survey_moments(last, constructs or asked, (1, 7), "satisfaction", "loyalty")
    tenures = tenures_of(tables)
    notes = [
        f"simulated: {counted(len(spend), 'account')}; answers of the last wave, "
        f"{counted(len(last), 'respondent')}",
        "rates of leaving are per month of tenure, whoever is in the file; compare their ratios",
    ]
    return {**tenure_moments(tenures), **answered, **spend_moments(spend)}, notes


def tenures_of(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Tabulate tenure, contract and number of products of every customer.

    Returns
    -------
    DataFrame
        One row a customer: customer_id, contract, months, left, products (bought in the last
        ninety days of the customer's record).
    """
    contracts, lines = tables["contracts"], tables["transactions"]
    ordered = contracts.sort_values("start", kind="stable")
    last = ordered.groupby("customer_id").tail(1).set_index("customer_id")
    first = ordered.groupby("customer_id")["start"].min()
    end = lines["date"].max()
    until = last["end"].fillna(end)
    seen = lines.groupby("customer_id")["date"].transform("max")
    recent = lines[lines["date"] > seen - pd.Timedelta(days=90)]
    frame = pd.DataFrame(
        {
            "contract": last["price_plan"].map(PLANS),
            "months": (until - first).dt.days / DAYS_OF_MONTH,
            "left": last["end"].notna(),
            "products": recent.groupby("customer_id")["product_id"].nunique(),
        }
    )
    return frame.rename_axis("customer_id").reset_index()
