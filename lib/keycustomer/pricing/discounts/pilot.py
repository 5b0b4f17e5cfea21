"""A pilot of discounts in the simulated company: depths given by lot, and what they truly do.

Question: how should the firm learn who is kept by which discount?  At the end of the observed
window nobody has a discount any more, except that half of the customers draw a depth by lot for a
year, among those that the floor allows.  :func:`discount_pilot` learns from this half alone the
risk of leaving, the response to the price and that of usage, and works out options for the *other*
half, whose year is then known under every depth: the truth to judge plans by.

What a customer brings is its profit of the year and, if it is still there, the value of what
follows: a year's profit times the margin multiple.

Sources: Neslin et al. (2006), Journal of Marketing Research 43, 204-211; Ascarza (2018), Journal of
Marketing Research 55, 80-98 (retention offers tried by lot).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit

from keycustomer.lifetime import margin_multiple
from keycustomer.lifetime.arguments import whole_number
from keycustomer.pricing.discounts.options import (
    DEPTHS,
    DiscountOptions,
    checked_depths,
    discount_options,
    floor_allows,
)
from keycustomer.relationships.effects.designs import Design, read_design
from keycustomer.relationships.effects.landmarks import customers_now
from keycustomer.relationships.months.panel import customer_months
from keycustomer.simulate import (
    Company,
    Parameters,
    Policy,
    PricingRule,
    compare_policies,
    simulate_company,
    stream,
)
from keycustomer.simulate.columns import account_numbers
from keycustomer.stats import share_of
from keycustomer.stats.regressions.regression import fit_regression
from keycustomer.stats.samples import FloatArray

YEAR = 12

MODIFIERS = ("log list value", "price_orientation")
"""What the response to a discount may differ by."""

SPREAD = 1.0
"""Log-odds per standard deviation of a covariate: prior standard deviation."""

DIFFERENCE = 1.0
"""By how much the response to the log price differs with a standard deviation of a modifier: prior
standard deviation, a quarter of a usual response."""

HABIT, NO_DISCOUNT = "habit", "no discount"

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class DiscountPilotSettings:
    """Settings of a pilot of discounts.

    Attributes
    ----------
    accounts, months : int
        Size and window of the company before the pilot.
    depths : tuple of float
        Discounts drawn from, besides none; shares of the list price.
    floor : float
        Least margin over unit cost, share of unit cost.
    share : float
        Share of the customers who take part.
    retention, discount_rate : float
        Yearly retention rate and discount rate behind the value of a customer who stays.
    parameters : Parameters, optional
        True coefficients; left out, those of the course.

    Raises
    ------
    ValueError
        When one is out of range.
    """

    accounts: int = 1_000
    months: int = 24
    depths: tuple[float, ...] = DEPTHS
    floor: float = 0.10
    share: float = 0.5
    retention: float = 0.86
    discount_rate: float = 0.1
    parameters: Parameters | None = None

    def __post_init__(self) -> None:
        """Refuse what makes no pilot."""
        whole_number(self.months, "months", of="months", least=YEAR)
        checked_depths(self.depths)
        for name in ("share", "retention", "floor"):
            share_of(getattr(self, name), name)
        if not 0 < self.share < 1:
            raise ValueError(f"share={self.share!r} must lie above 0 and below 1")

    @property
    def worth_of_staying(self) -> float:
        """Years of profit that follow for a customer still there at the end of the year."""
        return float(margin_multiple(self.retention, self.discount_rate))


@dataclass(frozen=True, eq=False)
class DiscountPilot:
    """A pilot of discounts, what was learned from it for other customers, and the truth.

    Attributes
    ----------
    settings : DiscountPilotSettings
        The pilot.
    seed : int
        Seed of the company.
    participants : DataFrame
        One row a customer of the pilot: customer_id, discount (by lot), left, list_value (of the
        pilot's year, per month there), list_value_before.
    response : Series
        Estimates: log_price (mean log-odds of leaving per log price), standard_error, elasticity
        (of usage).
    customers : DataFrame
        One row a customer of the other half, as :func:`discount_options` takes it.
    options : DiscountOptions
        For the other half, estimated.
    truth : DiscountOptions
        For the other half, true; its costs are what is expected to be handed out.
    habit : tuple of float
        True gain against no discount of today's habit in the other half, and the discount it hands
        out (as it came, not expected), currency.
    """

    settings: DiscountPilotSettings
    seed: int
    participants: pd.DataFrame = field(repr=False)
    response: pd.Series
    customers: pd.DataFrame = field(repr=False)
    options: DiscountOptions = field(repr=False)
    truth: DiscountOptions = field(repr=False)
    habit: tuple[float, float]


def discount_pilot(seed: int = 1, settings: DiscountPilotSettings | None = None) -> DiscountPilot:
    """Run a pilot of discounts in a simulated company.

    Parameters
    ----------
    seed : int
        Seed of the company.
    settings : DiscountPilotSettings, optional
        The company and the pilot.

    Raises
    ------
    ValueError
        When nobody or everybody of the pilot leaves.
    """
    chosen = settings or DiscountPilotSettings()
    size = (chosen.accounts, chosen.months, seed)
    before = simulate_company(*size, parameters=chosen.parameters)
    known = _known(before)
    draws = stream(seed, "discount pilot", 0)
    inside = draws.random(len(known)) < chosen.share
    lots = _lots(chosen, known, inside, draws)
    tried = known[inside].assign(**_outcomes(chosen, seed, known[inside], lots))
    model = _Model(tried)
    others = model.customers(known[~inside], chosen.worth_of_staying)
    options = discount_options(
        others, depths=chosen.depths, floor=chosen.floor, elasticity=model.elasticity
    )
    truth, habit = _truth(chosen, seed, known[~inside], options)
    told = ["customer_id", "discount", "left", "list_value", "list_value_before"]
    return DiscountPilot(
        chosen,
        seed,
        tried[told].reset_index(drop=True),
        model.told(),
        others,
        options,
        truth,
        habit,
    )


def _known(before: Company) -> pd.DataFrame:
    """Describe the customers present at the window's end by what the firm has on file."""
    months = customer_months(before)
    now = customers_now(months)
    rows = months.frame[months.frame["number"] >= before.settings.months - YEAR]
    year = rows.groupby("customer_id")[["list_revenue", "revenue", "margin"]].mean() * YEAR
    year = year.reindex(now["customer_id"]).reset_index(drop=True)
    account = account_numbers(now["customer_id"])
    panel = before.panel
    there = np.maximum(panel.active[-YEAR:, account].sum(axis=0), 1)
    goods = year["revenue"] - year["margin"]
    listed = np.maximum(year["list_revenue"].to_numpy(dtype=float), 1e-9)
    return now.assign(
        account=account,
        list_value_before=year["list_revenue"],
        unit_cost=goods.to_numpy(dtype=float) / listed,
        serving=panel.cost_to_serve[-YEAR:, account].sum(axis=0) * (YEAR / there),
        discount_before=1 - year["revenue"].to_numpy(dtype=float) / listed,
    )


def _lots(
    settings: DiscountPilotSettings,
    known: pd.DataFrame,
    inside: npt.NDArray[np.bool_],
    draws: np.random.Generator,
) -> FloatArray:
    """Draw a depth for each customer of the pilot, among none and those the floor allows."""
    own = known["unit_cost"].to_numpy(dtype=float)[inside]
    possible = 1 + floor_allows(settings.depths, own, settings.floor).sum(axis=1)
    place = (draws.random(len(own)) * possible).astype(int)
    return np.array([0.0, *settings.depths])[place]


def _policy(settings: DiscountPilotSettings, discount: float | list[float], name: str) -> Policy:
    rule = PricingRule(discount="none", floor=settings.floor)
    return Policy(name, start=settings.months, pricing=rule, discount=discount)


def _outcomes(
    settings: DiscountPilotSettings, seed: int, tried: pd.DataFrame, lots: FloatArray
) -> dict[str, FloatArray]:
    """Tell who left within the pilot's year, and what was used."""
    account = tried["account"].to_numpy()
    given = np.zeros(settings.accounts)
    given[account] = lots
    after = simulate_company(
        settings.accounts,
        settings.months + YEAR,
        seed,
        parameters=settings.parameters,
        policy=_policy(settings, given.tolist(), "pilot"),
    )
    panel, stop = after.panel, settings.months + YEAR
    there = panel.active[-YEAR:, account]
    listed = np.nan_to_num(panel.revenue[-YEAR:, account] / (1 - panel.discount[-YEAR:, account]))
    return {
        "discount": lots,
        "left": (panel.left[account] < stop).astype(float),
        "list_value": YEAR * listed.sum(axis=0) / np.maximum(there.sum(axis=0), 1),
    }


class _Model:
    """What the pilot tells of risk, response to the price and usage."""

    def __init__(self, tried: pd.DataFrame) -> None:
        left = tried["left"].to_numpy()
        if left.min() == left.max():
            raise ValueError(
                f"accounts: of {len(left):,} customers in the pilot {int(left.sum()):,} left, so "
                "that nothing can be learned; simulate more accounts"
            )
        names = [name for name in tried.columns if name not in _SPARE]
        self.design: Design = read_design(tried, names)
        self.modifiers: Design = read_design(_modifiers(tried), MODIFIERS)
        log_price = np.log1p(-tried["discount"].to_numpy(dtype=float))
        matrix, self.covariates = self._matrix(tried, log_price)
        differing = matrix.shape[1] - self.covariates - 2
        penalty = np.concatenate(
            [[0.0], np.full(self.covariates, SPREAD**-2), [0.0], np.full(differing, DIFFERENCE**-2)]
        )
        self.regression = fit_regression(matrix, left, "logistic", penalty=penalty)
        self.elasticity = _usage_elasticity(tried, log_price)

    def _matrix(self, rows: pd.DataFrame, log_price: FloatArray) -> tuple[FloatArray, int]:
        coded = self.design.matrix(rows)
        differing = self.modifiers.matrix(_modifiers(rows))
        price = log_price[:, None]
        parts = [np.ones((len(rows), 1)), coded, price, price * differing]
        return np.hstack(parts), coded.shape[1]

    def told(self) -> pd.Series:
        """Mean response with its standard error, and the elasticity of usage."""
        place = self.covariates + 1
        error = float(np.sqrt(self.regression.bread[place, place]))
        mean = float(self.regression.coefficients[place])
        return pd.Series(
            {"log_price": mean, "standard_error": error, "elasticity": self.elasticity}
        )

    def customers(self, rows: pd.DataFrame, worth_of_staying: float) -> pd.DataFrame:
        """Describe other customers as `discount_options` takes them."""
        none, _ = self._matrix(rows, np.zeros(len(rows)))
        unit, _ = self._matrix(rows, np.ones(len(rows)))
        coefficients = self.regression.coefficients
        response = unit @ coefficients - none @ coefficients
        listed = rows["list_value_before"].to_numpy(dtype=float)
        # without its present discount the customer uses as much less as the elasticity says
        listed = listed * (1 - rows["discount_before"].to_numpy(dtype=float)) ** -self.elasticity
        unit_cost = rows["unit_cost"].to_numpy(dtype=float)
        yearly = listed * (1 - unit_cost) - rows["serving"].to_numpy(dtype=float)
        return pd.DataFrame(
            {
                "customer_id": rows["customer_id"].to_numpy(),
                "risk": expit(none @ coefficients),
                "response": np.maximum(response, 0.0),
                "list_value": listed,
                "unit_cost": unit_cost,
                "serving": rows["serving"].to_numpy(dtype=float),
                "value": worth_of_staying * yearly,
            }
        )


_SPARE = frozenset(
    {"customer_id", "account", "discount", "left", "list_value", "yearly_revenue", "serving"}
)
"""Columns that are no covariates of leaving."""


def _modifiers(rows: pd.DataFrame) -> pd.DataFrame:
    size = np.log1p(rows["list_value_before"].to_numpy(dtype=float))
    return pd.DataFrame(
        {MODIFIERS[0]: size, MODIFIERS[1]: rows[MODIFIERS[1]].to_numpy()}, index=rows.index
    )


def _usage_elasticity(tried: pd.DataFrame, log_price: FloatArray) -> float:
    """Change of log usage by the change of the log price, by lot; 0 where it comes out positive."""
    known = (tried["list_value"] > 0) & (tried["list_value_before"] > 0)
    used, earlier = (tried[name][known].to_numpy() for name in ("list_value", "list_value_before"))
    grown = np.log(used / earlier)
    moved = log_price[known.to_numpy()]
    before = np.log1p(-tried["discount_before"][known].to_numpy(dtype=float))
    design = np.column_stack([np.ones(len(moved)), moved, before])
    return min(float(np.linalg.lstsq(design, grown, rcond=None)[0][1]), 0.0)


def _truth(
    settings: DiscountPilotSettings, seed: int, others: pd.DataFrame, options: DiscountOptions
) -> tuple[DiscountOptions, tuple[float, float]]:
    """Tell gain and cost of every depth, and of today's habit, as they truly are."""
    depths = {f"{depth:.4%}": _policy(settings, depth, f"{depth:.4%}") for depth in options.depths}
    compared = compare_policies(
        {NO_DISCOUNT: _policy(settings, 0.0, NO_DISCOUNT), HABIT: Policy(HABIT)} | depths,
        settings.accounts,
        settings.months,
        seed,
        ahead=YEAR,
        parameters=settings.parameters,
    )
    account = others["account"].to_numpy()
    none = compared.outcomes[NO_DISCOUNT]
    months = np.maximum(none.expected_months[account], 1e-9)
    worth = settings.worth_of_staying * YEAR * none.expected_profit[account] / months

    def gained(name: str) -> FloatArray:
        changed = compared.difference(name)
        profit = changed["profit"].to_numpy()[account]
        return np.asarray(profit + worth * changed["survival"].to_numpy()[account])

    revenue = [compared.outcomes[name].expected_revenue[account] for name in depths]
    shares = np.asarray(options.depths)
    staying = [none.survival[account], *(compared.outcomes[n].survival[account] for n in depths)]
    truth = replace(
        options,
        gain=np.column_stack([gained(name) for name in depths]),
        cost=np.column_stack(revenue) * shares / (1 - shares),
        risk=1 - none.survival[account],
        staying=np.column_stack(staying),
    )
    return truth, (float(gained(HABIT).sum()), _habit_cost(settings, seed, account))


def _habit_cost(settings: DiscountPilotSettings, seed: int, account: IntArray) -> float:
    """Discount that habit hands out within the year, as it came."""
    usual = simulate_company(
        settings.accounts, settings.months + YEAR, seed, parameters=settings.parameters
    ).panel
    share = np.nan_to_num(usual.discount[-YEAR:, account])
    return float((usual.revenue[-YEAR:, account] * share / (1 - share)).sum())
