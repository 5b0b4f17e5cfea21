"""The monthly process: reproducible, consistent with itself, right in its known limits."""

from dataclasses import fields

import numpy as np
import pytest
from keycustomer.simulate import (
    LEVELS,
    NEVER,
    PRODUCTS,
    Parameters,
    Policy,
    PricingRule,
    Product,
    Settings,
    compare_policies,
    draw_accounts,
    process,
    product_arrays,
    simulate_company,
    weights_at,
)

SINGLE = 1e-6
"""Relative error of single precision, in which the panel is kept, with room for sums."""


@pytest.fixture(scope="module")
def company():
    return simulate_company(6_000, 36, 1)


def same(one, other):
    """Whether two records of arrays are the same to the bit."""
    return all(
        np.array_equal(getattr(one, f.name), getattr(other, f.name), equal_nan=True)
        for f in fields(one)
        if isinstance(getattr(one, f.name), np.ndarray) and getattr(one, f.name).dtype != object
    )


def churn(panel, of=slice(None)):
    """Accounts that leave per account and month."""
    return (panel.left[of] < NEVER).sum() / panel.active[:, of].sum()


# --- reproducible -------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_company_and_another_one_another():
    one, again, other = (simulate_company(300, 18, seed) for seed in (4, 4, 5))
    assert same(one.accounts, again.accounts)
    assert same(one.panel, again.panel)
    assert same(one.outcome, again.outcome)
    assert not np.array_equal(one.outcome.revenue, other.outcome.revenue)


GOLDEN = {
    "potential": 1204769.41707,
    "revenue": 6732679.3285,
    "goods_cost": 4010296.09878,
    "cost_to_serve": 1537653.02895,
    "profit": 1184730.20077,
    "months": 12989,
    "expected_months": 13041.420452,
    "expected_revenue": 7476890.407,
    "expected_profit": 1363256.5582,
    "survival": 0.644514883758,
    "left": 181,
    "products": 1853,
    "complaints": 1705,
    "visits": 2169,
}
GOLDEN_DIGITS = 1e-9
"""Uniform numbers are the same bits everywhere; logarithms may differ in the last digits."""


def test_the_company_of_the_course_is_the_same_on_every_platform():
    company = simulate_company(500, 36, 1)
    totals = company.outcome.totals() | {
        "potential": company.accounts.potential.sum(),
        "left": int((company.panel.left < NEVER).sum()),
        "products": int((company.panel.adopted < 36).sum()),
        "complaints": int(company.panel.complaints.sum()),
        "visits": int(company.panel.visits.sum()),
    }
    assert {name: totals[name] for name in GOLDEN} == pytest.approx(GOLDEN, rel=GOLDEN_DIGITS)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_large_accounts_leave_more_often_in_a_company_of_the_course(seed):
    """Trouble (e) shows to a student: by revenue of the first half-year, months at risk."""
    panel = simulate_company(2000, 36, seed).panel
    first = panel.active.argmax(axis=0)
    there = panel.active.any(axis=0)
    half_year = [panel.revenue[f : f + 6, k].mean() for k, f in enumerate(first)]
    large = there & (half_year >= np.quantile(np.array(half_year)[there], 0.8))
    gone, months = panel.left < panel.months - 1, panel.active.sum(axis=0)
    rates = [gone[who].sum() / months[who].sum() for who in (large, there & ~large)]
    assert rates[0] > 1.2 * rates[1]


def test_the_first_accounts_of_a_larger_company_are_those_of_the_smaller():
    small, large = simulate_company(250, 24, 2), simulate_company(900, 24, 2)
    assert same(small.accounts, large.accounts.block(0, 250))
    for name in ("revenue", "hazard", "active", "complaints", "value", "discount"):
        part = getattr(large.panel, name)[:, :250]
        assert np.array_equal(getattr(small.panel, name), part, equal_nan=True), name
    assert np.array_equal(small.panel.adopted, large.panel.adopted[:250])


def test_the_size_of_blocks_does_not_matter(monkeypatch):
    whole = simulate_company(700, 12, 3)
    monkeypatch.setattr(process, "BLOCK", 97)
    parts = simulate_company(700, 12, 3)
    assert same(whole.panel, parts.panel)
    assert same(whole.outcome, parts.outcome)
    alone = compare_policies([Policy()], 700, 12, 3).outcomes["business as usual"]
    assert same(whole.outcome, alone)


# --- consistent ---------------------------------------------------------------------------------


def test_order_lines_add_up_to_revenue_and_cost_of_goods(company):
    panel, accounts, products = company.panel, company.accounts, company.products
    for month in (0, 17, 35):
        units = panel.quantities(month, accounts, products)
        paid = 1 - np.nan_to_num(panel.discount[month].astype(float))
        revenue = (units * panel.list_prices(month, products)).sum(axis=1) * paid
        assert revenue == pytest.approx(panel.revenue[month], rel=SINGLE)
        cost = (units * panel.unit_costs(month, products)[accounts.region]).sum(axis=1)
        assert cost == pytest.approx(panel.goods_cost[month], rel=SINGLE)


def test_totals_are_the_sums_of_the_panel(company):
    panel, outcome = company.panel, company.outcome
    assert np.array_equal(outcome.months, panel.active.sum(axis=0))
    for name in ("revenue", "goods_cost", "cost_to_serve"):
        summed = getattr(panel, name).sum(axis=0, dtype=float)
        assert summed == pytest.approx(getattr(outcome, name), rel=SINGLE)
    spent = outcome.revenue - outcome.goods_cost - outcome.cost_to_serve
    assert outcome.profit == pytest.approx(spent, abs=1e-6)
    assert panel.profit.sum(dtype=float) == pytest.approx(outcome.profit.sum(), rel=1e-4)


def test_an_account_is_there_from_joining_to_leaving(company):
    month = np.arange(36)[:, None]
    there = (month >= company.accounts.joined) & (month <= company.panel.left)
    assert np.array_equal(company.panel.active, there)


def test_what_is_not_there_has_no_numbers(company):
    panel, away = company.panel, ~company.panel.active
    for name in ("revenue", "goods_cost", "cost_to_serve", "visits", "calls", "complaints"):
        assert not getattr(panel, name)[away].any(), name
    for name in ("usage", "discount", "satisfaction", "loyalty", "hazard", "value"):
        assert np.isnan(getattr(panel, name)[away]).all(), name
        assert np.isfinite(getattr(panel, name)[~away]).all(), name
    for name in ("level", "channel", "contract_left"):
        assert (getattr(panel, name)[away] == -1).all(), name


def test_complaints_are_counted_once(company):
    panel = company.panel
    assert (panel.repeats <= panel.complaints).all()
    assert (panel.first_contact <= panel.complaints).all()
    slow = panel.complaints > panel.first_contact
    assert np.array_equal(np.isfinite(panel.resolution_days), slow)


def test_contracts_run_out_and_are_renewed(company):
    left, term = company.panel.contract_left, company.accounts.term
    assert (left[:, term == 0] <= 0).all()
    both = company.panel.active[1:] & company.panel.active[:-1] & (term > 0)
    following = np.where(left[:-1] == 1, term, left[:-1] - 1)
    assert np.array_equal(left[1:][both], following[both])


def test_products_come_in_their_order(company):
    for product, base in enumerate(company.products.needs):
        if base >= 0:
            owned = company.panel.adopted[:, product] < NEVER
            earlier = company.panel.adopted[:, base] <= company.panel.adopted[:, product]
            assert earlier[owned].all(), PRODUCTS[product].name
    assert (company.panel.adopted <= company.accounts.joined.clip(0)[:, None]).any(axis=1).all()


def test_satisfaction_and_loyalty_are_linear_in_value(company):
    panel, value, month = company.panel, company.parameters.value, 11
    here = panel.active[month]
    seen = panel.value[month][here].astype(float)
    weights = company.weights_at(month)[here] * np.array([1, 1, 1, 1, -1])
    left = panel.satisfaction[month][here] - (weights * seen).sum(axis=1)
    assert left.std() == pytest.approx(value.satisfaction_residual, rel=0.05)
    made = value.loyalty_satisfaction * panel.satisfaction[month][here]
    made += value.loyalty_social * seen[:, 2] + value.loyalty_experiential * seen[:, 3]
    assert (panel.loyalty[month][here] - made).std() == pytest.approx(
        value.loyalty_residual, rel=0.05
    )


def test_expected_values_are_the_means_of_what_happens():
    # 25 companies: the mean of what happened differs from the expected by chance alone
    happened, expected = [], []
    for seed in range(25):
        outcome = compare_policies([Policy()], 300, 18, seed).outcomes["business as usual"]
        happened.append(outcome.months.sum())
        expected.append(outcome.expected_months.sum())
    difference = np.subtract(happened, expected)
    error = difference.std(ddof=1) / np.sqrt(len(difference))
    assert abs(difference.mean()) < 3 * error


# --- sensible -----------------------------------------------------------------------------------


def test_churn_is_about_one_and_a_quarter_percent_a_month(company):
    assert 0.010 < churn(company.panel) < 0.016


def test_a_fifth_of_the_accounts_brings_two_thirds_of_revenue(company):
    revenue = np.sort(company.outcome.revenue)[::-1]
    assert 0.62 < revenue[:1_200].sum() / revenue.sum() < 0.78


def test_gross_margin_is_about_forty_percent(company):
    assert 0.35 < company.panel.margin.sum() / company.panel.revenue.sum() < 0.45


def test_trouble_a_the_key_account_flag_hardly_follows_value(company):
    flag, revenue = company.accounts.key_account, company.outcome.revenue
    assert 0 < np.corrcoef(flag, np.log1p(revenue))[0, 1] < 0.25
    top = revenue >= np.quantile(revenue, 0.8)
    assert flag[top].mean() < 0.4


def test_trouble_b_service_hardly_differs_by_value(company):
    potential, level = company.accounts.potential, company.accounts.level
    tiers = [level[part].mean() for part in np.array_split(np.argsort(potential), 5)]
    assert 0 < tiers[-1] - tiers[0] < 0.8 < len(LEVELS) - 1


def test_trouble_c_agents_and_managers_overlap_and_pay_twice(company):
    panel = company.panel
    assert 0.1 < (panel.channel == 3).sum() / panel.active.sum() < 0.35
    agreed = compare_policies(
        {"today": Policy(), "one": Policy(channel="manager")}, 1_000, 12, 1
    ).outcomes
    conflict = np.isin(company.accounts.agent[:1_000], -1, invert=True)
    conflict &= company.accounts.manager[:1_000] >= 0
    saved = agreed["today"].cost_to_serve - agreed["one"].cost_to_serve
    assert saved[conflict].sum() > 0


def test_trouble_d_the_price_war_thins_margins_in_the_second_year(company):
    margin = company.panel.margin.reshape(3, -1).sum(axis=1)
    share = margin / company.panel.revenue.reshape(3, -1).sum(axis=1)
    assert share[0] - share[1] > 0.03
    assert np.nanmean(company.panel.discount[24:]) > 1.5 * np.nanmean(company.panel.discount[:12])


def test_trouble_e_large_accounts_leave_more_often(company):
    order = np.argsort(-company.accounts.potential)
    assert churn(company.panel, order[:600]) > 1.2 * churn(company.panel, order[3_000:])


def test_some_large_accounts_make_a_loss(company):
    order = np.argsort(-company.outcome.revenue)[:1_200]
    assert 0.01 < (company.outcome.profit[order] < 0).mean() < 0.3


def test_contracts_hold_until_they_run_out(company):
    hazard, left = company.panel.hazard, company.panel.contract_left
    running, none, last = (np.nanmean(hazard[part]) for part in (left > 1, left == 0, left == 1))
    assert running < 0.5 * none < none < last


def test_discounts_are_endogenous_and_instruments_tell_the_elasticity():
    company = simulate_company(8_000, 36, 1)
    panel, accounts = company.panel, company.accounts
    whole = panel.active.all(axis=0)
    calendar = [company.settings.month_of_year(month) for month in range(36)]
    season = panel.paths.season[calendar][:, accounts.industry]

    def within(table):
        part = table[:, whole]
        return part - part.mean(axis=0) - part.mean(axis=1, keepdims=True) + part.mean()

    price = within(np.log1p(-panel.discount.astype(float)))
    usage = within(np.log(panel.usage.astype(float) / season))
    shock = within(panel.paths.cost_shock[:, accounts.region])
    naive = (price * usage).sum() / (price**2).sum()
    by_instrument = (shock * usage).sum() / (shock * price).sum()
    true = accounts.elasticity[whole].mean()
    assert naive > true / 2
    # the error of this estimate over companies is about .15
    assert by_instrument == pytest.approx(true, abs=0.45)


# --- each mechanism, by taking it away ----------------------------------------------------------


def without(changes, **options):
    """The company of the course and the same with other coefficients."""
    return [
        simulate_company(800, 24, 1, parameters=Parameters().but(some), **options)
        for some in ({}, changes)
    ]


def test_the_hump_is_in_the_last_month_of_a_contract():
    with_hump, flat = without({"churn.renewal": 0})
    both = with_hump.panel.active & flat.panel.active
    higher = with_hump.panel.hazard[both] > flat.panel.hazard[both]
    assert np.array_equal(higher, with_hump.panel.contract_left[both] == 1)


def test_contracts_go_on_from_where_they_are(company):
    old = company.accounts.joined < 0
    begun = company.panel.contract_left[0]
    assert np.array_equal(begun[old], company.accounts.contract_left[old])
    new = np.flatnonzero(company.accounts.joined > 0)
    first = company.panel.contract_left[company.accounts.joined[new], new]
    assert np.array_equal(first, company.accounts.term[new])


def test_unresolved_complaints_drive_away():
    with_trouble, calm = without({"churn.unresolved": 0})
    both = with_trouble.panel.active & calm.panel.active
    higher = with_trouble.panel.hazard[both] > calm.panel.hazard[both]
    days = np.nan_to_num(with_trouble.panel.resolution_days[both])
    assert np.array_equal(higher, days > with_trouble.parameters.service.unresolved_after)


def test_the_unresolved_complain_again_as_often_as_they_do():
    for chance in (0, 1):
        panel = simulate_company(
            800, 24, 1, parameters=Parameters().but({"service.repeat": chance})
        ).panel
        limit = Parameters().service.unresolved_after
        unresolved = np.nan_to_num(panel.resolution_days[:-1]) > limit
        stays = panel.active[1:] & panel.active[:-1]
        assert np.array_equal(panel.repeats[1:][stays], (chance * unresolved)[stays])


def test_trouble_lowers_functional_value_and_raises_sacrifice():
    usual, calm = without({"service.complaints": 0})
    both = usual.panel.active & calm.panel.active & (usual.panel.complaints > 0)
    moved = (usual.panel.value[both] - calm.panel.value[both]).mean(axis=0)
    assert moved[0] < -0.1
    assert moved[1] < -0.05
    assert moved[4] > 0.1


def test_discounts_are_tighter_where_costs_are_up_and_looser_where_managers_are():
    usual, plain = without({"discounts.cost": 0, "discounts.habit": 0})
    usual_is, plain_is = usual.panel.discount[0], plain.panel.discount[0]
    inner = usual.panel.active[0] & (usual_is > 0) & (plain_is > 0)
    shock = usual.panel.paths.cost_shock[0][usual.accounts.region]
    expected = Parameters().discounts.cost * shock + usual.accounts.manager_habit
    assert (usual_is - plain_is)[inner] == pytest.approx(expected[inner], abs=1e-6)


def test_list_prices_follow_competitors_late_and_part_of_the_way(company):
    prices, paths = company.parameters.prices, company.panel.paths
    still = np.exp(prices.drift * np.arange(36))
    follows = np.flatnonzero(paths.list_index[:, 0] < still * (1 - 1e-9))
    fallen = np.flatnonzero(paths.competitor_index[:, 0] < prices.competitor_start * (1 - 1e-9))
    assert fallen[0] == prices.war_starts
    assert follows[0] == prices.war_starts + prices.following_lag
    depth = np.asarray(prices.war_depth)
    assert paths.list_index[-1] == pytest.approx(still[-1] * (1 - prices.following * depth))
    assert paths.competitor_index[-1] == pytest.approx(prices.competitor_start * (1 - depth))


# --- known limits -------------------------------------------------------------------------------


def test_without_hazard_nobody_leaves():
    company = simulate_company(300, 24, 1, parameters=Parameters().but({"churn.scale": 0}))
    assert (company.panel.left == NEVER).all()
    assert (company.outcome.survival == 1).all()
    assert company.outcome.expected_revenue == pytest.approx(company.outcome.revenue, rel=1e-12)


def test_without_elasticity_usage_does_not_react_to_prices():
    rigid = Parameters().but({"needs.elasticity": 0})
    usual = simulate_company(300, 24, 1, parameters=rigid)
    policy = Policy("cheaper", discount=0.2, list_price=-0.1)
    cheaper = simulate_company(300, 24, 1, parameters=rigid, policy=policy)
    both = usual.panel.active & cheaper.panel.active
    assert np.array_equal(usual.panel.usage[both], cheaper.panel.usage[both])
    for month in (0, 23):
        one, other = (c.panel.quantities(month, c.accounts, c.products) for c in (usual, cheaper))
        same_products = both[month][:, None] & (one > 0) & (other > 0)
        assert one[same_products] == pytest.approx(other[same_products], rel=SINGLE)


def test_usage_reacts_by_the_elasticity_of_the_account():
    usual = simulate_company(300, 6, 1)
    cheaper = simulate_company(300, 6, 1, policy=Policy("cheaper", discount=0.05))
    both = usual.panel.active[0] & cheaper.panel.active[0]
    change = np.log(cheaper.panel.usage[0][both] / usual.panel.usage[0][both])
    price = np.log((1 - cheaper.panel.discount[0][both]) / (1 - usual.panel.discount[0][both]))
    # single precision of the usage, relative to a change of some percent
    assert change / price == pytest.approx(usual.accounts.elasticity[both], abs=2e-5)


def test_without_adoption_nothing_is_taken_up():
    company = simulate_company(300, 24, 1, parameters=Parameters().but({"demand.adoption": 0}))
    assert np.isin(company.panel.adopted, (-1, NEVER)).all()


def test_without_joining_and_war_and_season_the_paths_are_flat():
    quiet = {"firms.joining": 0, "prices.war_depth": 0, "prices.drift": 0, "demand.season": 0}
    company = simulate_company(50, 24, 1, parameters=Parameters().but(quiet))
    paths = company.panel.paths
    assert (company.accounts.joined < 0).all()
    assert (paths.list_index == 1).all()
    assert np.ptp(paths.competitor_index) == 0
    assert (paths.season == 1).all()


def test_complaints_stop_when_their_rate_is_zero():
    company = simulate_company(300, 24, 1, parameters=Parameters().but({"service.complaints": 0}))
    assert not company.panel.complaints.any()


def test_weights_drift_with_the_years_and_never_below_zero(company):
    drift = np.asarray(company.parameters.needs.weights_drift)
    moved = company.weights_at(24) - company.weights_at(0)
    expected = np.maximum(company.accounts.weights + 2 * drift, 0) - company.accounts.weights
    assert moved == pytest.approx(expected)
    still = Parameters().but({"needs.weights_drift": 0})
    assert np.array_equal(weights_at(company.accounts, still, 24), company.accounts.weights)


def test_the_tail_of_potential_is_pareto_and_bounded():
    settings = Settings(accounts=200_000)
    firms = Parameters().firms
    potential = draw_accounts(settings, Parameters(), product_arrays()).potential
    start = np.quantile(potential, 1 - firms.tail_share)
    top = np.sort(potential[potential > 1.5 * start])
    # Hill's estimate, biased a little upward by the bound; its error is 1.3 / sqrt(n) < .02
    hill = 1 / np.log(top / top[0]).mean()
    assert hill == pytest.approx(firms.tail_exponent, abs=0.15)
    largest = (firms.tail_share / firms.tail_limit) ** (1 / firms.tail_exponent)
    assert potential.max() <= 1.02 * start * largest


@pytest.mark.parametrize(("accounts", "months"), [(1, 1), (1, 36), (2, 120)])
def test_tiny_companies_run(accounts, months):
    company = simulate_company(accounts, months)
    assert company.panel.active.shape == (months, accounts)
    assert "simulated" in repr(company)


# --- hostile settings ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"accounts": 0}, "accounts=0 must be a whole number, 1 or larger"),
        ({"accounts": 10.5}, "accounts=10.5 must be a whole number"),
        ({"accounts": True}, "accounts=True must be a whole number"),
        ({"months": 601}, "months=601 must be a whole number, 1 to 600"),
        ({"seed": -1}, "seed=-1 must be a whole number, 0 or larger"),
        ({"seed": None}, "seed=None must be a whole number"),
        ({"start": "2023-13"}, "start='2023-13' must be a calendar month written YYYY-MM"),
        ({"start": 2023}, "start=2023 must be a calendar month"),
    ],
)
def test_impossible_settings_are_told(wrong, said):
    with pytest.raises(ValueError, match=said):
        simulate_company(**wrong)


def test_all_impossible_settings_are_told_at_once():
    with pytest.raises(ValueError, match=r"accounts=0 .*; months='x' .*; start='' "):
        Settings(accounts=0, months="x", start="")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"churn.scale": 2}, r"churn.scale=2 must be finite from 0 to 1 \(probability\)"),
        ({"churn.base": np.nan}, r"churn.base=nan must be finite \(log-odds\)"),
        ({"churn.base": "high"}, "churn.base='high' is no number"),
        ({"needs.elasticity": 1}, "needs.elasticity=.* must be finite from -inf to 0"),
        ({"costs.level": (1, 2)}, "costs.level=.* must be 5 numbers: basic, reactive"),
        ({"firms.region": (1, 1, 0, 0, 0)}, "firms.region=.* must add up to 1, not 2"),
    ],
)
def test_impossible_parameters_are_told(changes, said):
    with pytest.raises(ValueError, match=said):
        Parameters().but(changes)


def test_an_unknown_parameter_names_the_nearest():
    with pytest.raises(KeyError, match=r"no coefficient 'chrun\.scale'; near it: churn\.scale"):
        Parameters().but({"chrun.scale": 0})


def test_every_parameter_says_its_unit_and_reason():
    frame = Parameters().to_frame()
    assert (frame["unit"].str.len() > 0).all()
    assert (frame["reason"].str.len() > 0).all()
    assert set(frame["parameter"]) == set(Parameters().names())
    assert not frame.duplicated(["parameter", "of"]).any()


@pytest.mark.parametrize("name", ["policy", "parameters"])
def test_policy_and_parameters_must_be_such(name):
    with pytest.raises(TypeError, match=f"{name}='no' must be a keycustomer.simulate"):
        simulate_company(10, 2, **{name: "no"})


@pytest.mark.parametrize(
    ("category", "needs", "said"),
    [("voice", "Y", "product X builds on 'Y', which"), ("fax", "", "product X: no category 'fax'")],
)
def test_a_catalogue_must_hold_together(category, needs, said):
    odd = Product("X", "Odd", category, "core", 1.0, 0.5, 1.0, 0.5, 0.1, needs=needs)
    with pytest.raises(ValueError, match=said):
        product_arrays((odd,))


def test_a_floor_keeps_prices_above_cost():
    rule = PricingRule(discount="habit", floor=0.6)
    company = simulate_company(500, 24, 1, policy=Policy("floor", pricing=rule))
    panel = company.panel
    discounted = panel.active & (panel.discount > 1e-6)
    assert discounted.any()
    assert (panel.revenue >= (1 + rule.floor) * panel.goods_cost * (1 - SINGLE))[discounted].all()
