"""Customers at today's prices, and how they respond to price: what the firm's own data tell.

Question: what does the firm know when it sets prices?  :func:`customers_at_prices` reads, from a
base with contracts and a market table (or a simulated company), what each customer pays, costs and
risks today, its own-price elasticity by tier, and the retention response, ready for
:func:`keycustomer.pricing.lifetime_optimal_price`.

Discounts follow demand and sensed risk, so that the plain estimates lie: usage looks inelastic, and
a discount seems to drive customers away.  What identifies the elasticity is the shock of wholesale
cost by region and month, in changes between months.  What identifies the retention response is the
part of the price that managers' habits, cost shocks and the list price against competitors' move:
the rest of the discount stands in the regression as a control (control function).  Unlike
:func:`keycustomer.pricing.retention_response` it also learns from list prices against competitors':
twice as sharp, and only right where list prices do not answer to customers about to leave.  Nor
does it hold the relationship level constant or count the error of the first step: what it is for is
prices, for discounts beside levels take the other.

Sources: Terza, Basu & Rathouz (2008), Journal of Health Economics 27, 531-543, for the control
function; DerSimonian & Laird (1986), Controlled Clinical Trials 7, 177-188, for the spread between
tiers; course material T4 and K8.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit

from keycustomer.customers.base import CustomerBase
from keycustomer.customers.rendering import sentence_html
from keycustomer.pricing.elasticity.elasticities import Elasticities, price_elasticity
from keycustomer.pricing.panels.accounts import account_panel
from keycustomer.pricing.panels.panel import PricePanel
from keycustomer.relationships import CustomerMonths, customer_months
from keycustomer.stats import Estimate
from keycustomer.stats.regressions.clustering import covariance_over_customers, sums_by_customer
from keycustomer.stats.regressions.newton import climb
from keycustomer.stats.samples import FloatArray

if TYPE_CHECKING:
    from keycustomer.simulate import Company

YEAR = 12
"""Months that describe a customer today."""

FEWEST_LEAVERS = 30
"""Customers who must have left for a retention response to be estimated."""

ELASTICITIES = (-4.0, -0.05)
"""Range of elasticities taken for prices: an estimate beyond it is taken for its end."""

FARTHEST = 30.0
"""Standard errors below 0 from which the mean above 0 is taken from its limit."""

_NORMAL = NormalDist()

LEVEL = 0.95
"""Level of the intervals."""

_TERMS = ("tenure", "contract_left", "products", "competitor_offer")
_NEEDED = ("competitor_price", "cost_shock", "region", "manager", "left", *_TERMS)


@dataclass(frozen=True, eq=False)
class CustomersAtPrices:
    """Customers at today's prices, with estimated responses to price.

    Attributes
    ----------
    frame : DataFrame
        One row a customer who is there at the end: customer_id, tier, price (paid per unit, an
        index), list_price (index), revenue, goods_cost, cost_to_serve (contacts; per month,
        currency), churn (probability to leave per month, expected).
    tiers : DataFrame
        One row a tier: tier, customers, rows, elasticity, standard_error (of the tier alone), used
        (drawn towards the common one as far as tiers' estimates do not differ, within
        `ELASTICITIES`).
    own_price_elasticity : Estimate
        Of all customers together.
    retention_response : Estimate
        Log-odds of leaving per log price.
    naive_retention_response : Estimate
        The same without the control for why discounts were given.
    currency : str
        Unit of all amounts.
    simulated : bool
        Whether the data are made up.
    notes : tuple of str
        What the reader must know.
    """

    frame: pd.DataFrame
    tiers: pd.DataFrame
    own_price_elasticity: Estimate
    retention_response: Estimate
    naive_retention_response: Estimate
    currency: str
    simulated: bool
    notes: tuple[str, ...] = ()

    @property
    def elasticity_used(self) -> float:
        """Common elasticity taken for prices, within `ELASTICITIES`."""
        return float(np.clip(self.own_price_elasticity.estimate, *ELASTICITIES))

    @property
    def elasticity_by_customer(self) -> pd.Series:
        """Elasticity taken for prices by customer_id, that of its tier."""
        used = self.tiers.set_index("tier")["used"]
        return self.frame.set_index("customer_id")["tier"].map(used).astype(float)

    @property
    def response_used(self) -> float:
        """Retention response taken for prices: its mean, given that it is above 0.

        A dearer price keeps nobody; the mean of the estimate's normal distribution above 0 says
        what is left to expect where an imprecise estimate lies near 0 or below.
        """
        error = self.retention_response.standard_error
        off = self.retention_response.estimate / error
        if off < -FARTHEST:
            return error / -off
        return self.retention_response.estimate + error * _NORMAL.pdf(off) / _NORMAL.cdf(off)

    def to_frame(self) -> pd.DataFrame:
        """Return one row a customer."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        kind = "Simulated: " if self.simulated else ""
        said = (
            f"{kind}{len(self.frame):,} customers; elasticity {self.own_price_elasticity}, "
            f"retention response {self.retention_response} log-odds per log price (without control "
            f"{self.naive_retention_response}). {' '.join(self.notes)}"
        )
        return sentence_html(said.strip(), self.tiers, numbers=",.3g")


def customers_at_prices(
    source: CustomerBase | Company, tiers: pd.Series, *, months: CustomerMonths | None = None
) -> CustomersAtPrices:
    """Read customers at today's prices, and estimate their responses to price.

    Parameters
    ----------
    source : CustomerBase or Company
        A prepared base with contracts and a market table by region and month, or a simulated
        company.
    tiers : Series
        Tier by customer_id; customers without one are left out and counted.
    months : CustomerMonths, optional
        Those of the source, where they are there already.

    Raises
    ------
    ValueError
        When columns that identify the responses are not known, hardly anybody left, or nobody is
        left to be priced.
    """
    laid = customer_months(source) if months is None else months
    panel = account_panel(source, tiers=tiers)
    rows = _rows(panel.frame, laid)
    leaving, naive, churn = _leaving(rows)
    rows = rows.assign(churn=churn)
    table = _by_tier(rows)
    today = _today(rows, laid.present)
    left_out = laid.present.size - len(today)
    notes = [f"{left_out:,} customers who are there bought nothing last month or have no tier"]
    return CustomersAtPrices(
        today,
        table.assign(customers=table["tier"].map(today["tier"].value_counts()).fillna(0)),
        _elasticities(rows, None).own_price_elasticity(),
        _estimate(leaving, "log-odds per log price", rows["unit"].nunique()),
        _estimate(naive, "log-odds per log price", rows["unit"].nunique()),
        laid.currency,
        laid.simulated,
        tuple(notes[: bool(left_out)]),
    )


def retention_at_prices(panel: PricePanel, months: CustomerMonths) -> Estimate:
    """Estimate the retention response alone, as :func:`customers_at_prices` does.

    Parameters
    ----------
    panel : PricePanel
        Customers by month, from :func:`keycustomer.pricing.account_panel`.
    months : CustomerMonths
        The customer-months of the same source.

    Raises
    ------
    ValueError
        When columns that identify the response are not known, or hardly anybody left.
    """
    rows = _rows(panel.frame, months)
    told = _leaving(rows)[0]
    return _estimate(told, "log-odds per log price", rows["unit"].nunique())


def _rows(panel: pd.DataFrame, laid: CustomerMonths) -> pd.DataFrame:
    """Join prices and what is known of the month."""
    wanted = ["customer_id", "month", "left", *_TERMS, "contact_cost"]
    kept = laid.frame[[name for name in wanted if name in laid.frame]]
    kept = kept.rename(columns={"customer_id": "unit", "month": "period"})
    rows = panel.merge(kept, on=["unit", "period"], how="inner", validate="one_to_one")
    missing = [name for name in _NEEDED if name not in rows or rows[name].isna().all()]
    if missing:
        raise ValueError(
            f"the source does not tell {', '.join(missing)}: without them the responses to price "
            "are not identified. Give lifetime_optimal_price responses from elsewhere"
        )
    known = rows["competitor_price"].notna() & rows["cost_shock"].notna()
    rows = rows[known].sort_values(["unit", "period"], ignore_index=True)
    leavers = int(rows["left"].sum())
    if leavers < FEWEST_LEAVERS:
        raise ValueError(
            f"{leavers} customers left: at least {FEWEST_LEAVERS} are needed to tell what price "
            "has to do with it"
        )
    return rows


def _leaving(rows: pd.DataFrame) -> tuple[Any, Any, FloatArray]:
    """Retention response with and without control (each with its error), expected churn."""
    customer = pd.factorize(rows["unit"])[0]
    size = np.log(rows.groupby("unit")["revenue"].transform("mean"))
    known = np.column_stack(
        [
            np.ones(len(rows)),
            size - size.mean(),
            np.log1p(rows["tenure"]),
            rows["contract_left"] > 1,
            rows["contract_left"] == 1,
            rows["products"],
            rows["competitor_offer"] > 0,
        ]
    ).astype(float)
    relative = np.log((rows["price"] / rows["competitor_price"]).to_numpy(float))
    own = _unexplained_discount(rows, known)
    outcome = rows["left"].to_numpy(float)
    with_control = np.column_stack([known, own, relative])
    response, churn = _logistic(with_control, outcome, customer)
    naive, _ = _logistic(np.column_stack([known, relative]), outcome, customer)
    return response, naive, churn


def _unexplained_discount(rows: pd.DataFrame, known: FloatArray) -> FloatArray:
    """Take off the log discount what managers, regions, cost shocks and list prices explain."""
    given = np.log1p(-rows["discount"].to_numpy(float))
    managers = pd.get_dummies(rows["manager"].fillna("none"), dtype=float).to_numpy()
    regions = pd.get_dummies(rows["region"], dtype=float).to_numpy()[:, 1:]
    listed = np.log((rows["list_price"] / rows["competitor_price"]).to_numpy(float))
    shock = rows["cost_shock"].to_numpy(float)
    reasons = np.column_stack([known[:, 1:], managers, regions, listed, shock])
    return np.asarray(given - reasons @ np.linalg.lstsq(reasons, given, rcond=None)[0])


def _logistic(
    design: FloatArray, outcome: FloatArray, customer: npt.NDArray[Any]
) -> tuple[tuple[float, float], FloatArray]:
    """Coefficient of the last column with its error by customer, and fitted probabilities."""
    found = climb(design, outcome, "logistic")
    if not found.at_rest:
        raise ValueError("the regression of leaving did not come to rest: its columns tell all")
    fitted = np.asarray(expit(design @ found.coefficients))
    scores = sums_by_customer(design * (outcome - fitted)[:, None], customer)
    covariance = covariance_over_customers(scores @ np.linalg.inv(found.information))
    return (float(found.coefficients[-1]), float(np.sqrt(covariance[-1, -1]))), fitted


def _elasticities(rows: pd.DataFrame, by: str | None) -> Elasticities:
    """Estimate from changes between months, by shocks of wholesale cost."""
    return price_elasticity(
        rows,
        method="iv",
        instruments=("cost_shock",),
        cross=("competitor_price",),
        by=by,
        changes=True,
        level=LEVEL,
    )


def _by_tier(rows: pd.DataFrame) -> pd.DataFrame:
    """Elasticity of each tier alone, and drawn towards the common one."""
    found = _elasticities(rows, "tier").own.rename(columns={"group": "tier"})
    table = found[["tier", "rows", "elasticity", "standard_error"]]
    own, error = (table[name].to_numpy(float) for name in ("elasticity", "standard_error"))
    weight = 1 / error**2
    common = float((weight * own).sum() / weight.sum())
    free = len(own) - 1
    surplus = float((weight * (own - common) ** 2).sum()) - free
    scale = float(weight.sum() - (weight**2).sum() / weight.sum())
    spread = max(surplus / scale, 0.0) if free else 0.0
    used = common + spread / (spread + error**2) * (own - common)
    return table.assign(used=np.clip(used, *ELASTICITIES))


def _today(rows: pd.DataFrame, present: pd.Index) -> pd.DataFrame:
    """Describe each customer who is there at the end by its last year."""
    last = rows["period"].max()
    year = rows[rows["period"] > last - pd.DateOffset(months=YEAR)]
    year = year.assign(cost=year["unit_cost"] * year["quantity"])
    described = year.groupby("unit").agg(
        tier=("tier", "last"),
        quantity=("quantity", "mean"),
        list_price=("list_price", "last"),
        revenue=("revenue", "mean"),
        goods_cost=("cost", "mean"),
        cost_to_serve=("contact_cost", "mean"),
        churn=("churn", "mean"),
        until=("period", "max"),
    )
    there = described[(described["until"] == last) & described.index.isin(present)]
    if there.empty:
        raise ValueError("nobody who is there at the end bought anything in its last month")
    priced = there.assign(price=there["revenue"] / there["quantity"]).fillna({"cost_to_serve": 0})
    names = ["tier", "price", "list_price", "revenue", "goods_cost", "cost_to_serve", "churn"]
    return priced[names].rename_axis("customer_id").reset_index()


def _estimate(told: tuple[float, float], unit: str, n: int) -> Estimate:
    value, error = told
    width = _NORMAL.inv_cdf((1 + LEVEL) / 2) * error
    return Estimate(value, value - width, value + width, unit, n, "clustered by customer", LEVEL)
