"""Price war, peace, merger, entry and differentiation: who loses, by how much, and refusals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keycustomer.pricing import (
    compare_wars,
    constant_elasticity_market,
    critical_discount_factor,
    entry_effect,
    equilibrium_prices,
    joint_prices,
    linear_duopoly,
    logit_market,
    merger_effect,
    price_war,
    reply_slopes,
)

EXACT = 1e-9
"""Closed forms and searches, in numbers of this size."""

LOCAL = 1e-3
"""A contraction is a derivative: replies from 1 % away keep it to this share."""

DUOPOLY = linear_duopoly(100, 2, 1, 10)


def four_products(nesting=0.0):
    return logit_market(
        [2, 2, 1.5, 1], -1, [1, 1, 1.2, 0.8], firms=["A", "A", "B", "C"], nesting=nesting, size=1000
    )


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(["simultaneous", "alternating"]))
def test_a_war_from_joint_prices_ends_at_the_equilibrium_and_costs_all_together(seed, order):
    generator = np.random.default_rng(seed)
    market = logit_market(
        generator.normal(1, 1, 3), -generator.uniform(0.5, 2), generator.uniform(0.2, 2, 3)
    )
    war = price_war(market, order=order, periods=40)
    assert war.prices[-1] == pytest.approx(equilibrium_prices(market).prices)
    assert war.losses.sum() > 0
    assert 0 < war.contraction < 1
    assert war.ahead_until >= 1


def test_losses_are_what_peace_would_have_brought_less_what_came():
    war = price_war(DUOPOLY, periods=3, discount_factor=0.5)
    # profits: peace 2025; then (45, 33.75) margins with quantities of the lines
    prices = [(55, 43.75), (40.9375, 43.75), (40.9375, 40.234375)]
    ours = [(we - 10) * (100 - 2 * we + rival) for we, rival in prices]
    by_hand = sum((2025 - one) * 0.5**n for n, one in enumerate(ours))
    assert war.losses["we"] == pytest.approx(by_hand)
    assert war.loss_shares["we"] == pytest.approx(by_hand / (2025 * 1.75))
    frame = war.to_frame()
    assert frame.groupby("firm")["profit"].sum()["we"] == pytest.approx(2025 + sum(ours))


@pytest.mark.parametrize("order", ["simultaneous", "alternating"])
def test_contraction_is_the_ratio_of_distances_near_the_equilibrium(order):
    market = logit_market([2.0, 1.5], -1.0, [1.0, 0.8], firms=["we", "rival"])
    nash = equilibrium_prices(market).prices
    start = nash * [1.01, 1.0] if order == "alternating" else nash * [1.01, 1.01]
    attackers = "rival" if order == "alternating" else ("we", "rival")
    war = price_war(market, peace=start, attacker=attackers, order=order, periods=5)
    apart = np.abs(war.prices - nash)[:, 0]
    rounds = 2
    ratio = apart[3] / apart[1] if order == "simultaneous" else apart[4] / apart[2]
    expected = war.contraction**rounds if order == "simultaneous" else war.contraction
    assert ratio == pytest.approx(expected, rel=20 * LOCAL)


def test_slopes_of_replies_are_those_of_best_replies():
    market = four_products(0.3)
    nash = equilibrium_prices(market).prices
    slopes = reply_slopes(market, nash)
    moved = nash + np.array([0, 0, 1e-3, 0])
    change = (market.best_reply("A", moved) - nash)[:2] / 1e-3
    assert slopes[:2, 2] == pytest.approx(change, rel=LOCAL)
    assert (slopes[:2, :2] == 0).all()


def test_a_cut_that_is_held_and_not_answered_stays():
    war = price_war(DUOPOLY, peace="equilibrium", cut=0.3, holding=["we", "rival"], periods=4)
    assert war.prices[1:] == pytest.approx(np.array([[40.0, 28.0]] * 4), abs=EXACT)
    assert np.isnan(war.contraction)
    assert war.losses["we"] == pytest.approx(4 * (30 * 60 - 30 * 48))


def test_constant_elasticities_know_no_war():
    market = constant_elasticity_market([1, 1], [[-3, 1], [1, -3]], [1, 1], firms=["we", "rival"])
    war = price_war(market, cut=0.2, peace="equilibrium", periods=3)
    assert war.prices[-1] == pytest.approx(war.prices[0])
    assert war.contraction == pytest.approx(0, abs=EXACT)


@settings(max_examples=6, deadline=None)
@given(st.floats(0.0, 1.0), st.floats(0.05, 0.9))
def test_floors_hold_in_every_period_of_a_war(floor, cut):
    market = four_products()
    war = price_war(market, cut=cut, floor={"B": floor, "C": floor}, periods=6)
    lowest = market.floor_prices({"B": floor, "C": floor})
    assert (war.prices[1:] >= lowest * (1 - EXACT)).all()


def test_patience_needed_is_that_of_the_profits_and_grows_with_the_lag():
    market = four_products()
    terms = critical_discount_factor(market)
    calm = joint_prices(market).prices
    for row in terms.frame.to_dict("records"):
        breach = market.best_reply(row["firm"], calm)
        gained = market.profits(breach)[row["firm"]]
        assert row["breach"] == pytest.approx(gained)
        share = (gained - row["peace"]) / (gained - row["war"])
        assert row["critical_discount_factor"] == pytest.approx(share)
    later = critical_discount_factor(market, lag=3)
    assert later.critical == pytest.approx(terms.critical ** (1 / 3))
    assert terms.highest_rate(1) == pytest.approx(1 / terms.critical - 1)


def test_peace_cannot_hold_where_war_brings_a_firm_more():
    # the cheap firm loses from prices that serve the dear one
    terms = critical_discount_factor(DUOPOLY, peace=[60.0, 80.0])
    assert terms.critical == np.inf
    assert terms.highest_rate() == -1
    assert "No patience" in terms._repr_html_()
    # at the equilibrium nothing can be gained by undercutting
    assert critical_discount_factor(DUOPOLY, peace="equilibrium").critical < np.inf


def test_a_merger_makes_all_dearer_and_costs_that_would_undo_it_do():
    market = four_products()
    merger = merger_effect(market, ["A", "B"])
    assert (merger.frame["price_change"] > 0).all()
    assert merger.surplus_change < 0
    assert (merger.profits()["change"] > 0).all()
    assert merger.frame["pricing_pressure"].iloc[3] == 0
    assert merger.concentration[1] > merger.concentration[0]
    lower = market.unit_costs * (1 - merger.frame["cost_reduction_needed"].to_numpy())
    after = equilibrium_prices(market.joined(["A", "B"]).with_costs(lower))
    assert after.prices == pytest.approx(merger.before.prices, abs=EXACT)


def test_pricing_pressure_is_the_first_step_of_the_merger():
    pressure = merger_effect(DUOPOLY, ["we", "rival"]).frame["pricing_pressure"]
    # half of the sales lost go to the rival, with a margin of 30 at a price of 40
    assert pressure.tolist() == pytest.approx([0.375, 0.375], abs=EXACT)


def test_savings_of_a_merger_lower_its_prices_again():
    plain = merger_effect(four_products(), ["B", "C"])
    saving = merger_effect(four_products(), ["B", "C"], cost_change=-0.2, floor={"B": 0.05})
    assert saving.price_change < plain.price_change
    assert saving.after.market.unit_costs[:2].tolist() == [1.0, 1.0]


def test_a_discounter_lowers_prices_and_profits_and_buyers_gain():
    market = four_products()
    entry = entry_effect(market, market.with_product("D", 1.5, 0.4, "D"), floor={"D": 0.0})
    old = entry.frame.dropna(subset="price_before")
    assert entry.entrants == ("D",)
    assert (old["price_change"] < 0).all()
    assert entry.surplus_change > 0
    profits = entry.profits().set_index("firm")
    assert (profits["after"] < profits["before"])[["A", "B", "C"]].all()
    # while the others keep their prices the entrant earns more
    assert profits.loc["D", "held"] > profits.loc["D", "after"]


def test_an_incumbent_gets_dearer_where_the_entrant_takes_those_who_mind_prices():
    # some stay with what they know at almost any price, most go where it is cheap
    market = logit_market(
        [[4.0], [6.0]], [-1.0, -4.0], [0.3], products=["brand"], weights=[0.3, 0.7]
    )
    entry = entry_effect(market, market.with_product("copy", [-6.0, 6.0], 0.2, "copier"))
    assert entry.before.peaks
    assert entry.after.peaks
    assert entry.frame["price_change"].iloc[0] > 1
    # those who stay pay for it: all told buyers lose by the entry
    assert entry.surplus_change < 0


def test_alike_products_make_buyers_sensitive_and_wars_dear_and_service_the_contrary():
    two = logit_market([2, 2], -1, [1, 1], firms=["we", "rival"], products=["ours", "theirs"])
    markets = {
        "alike": two.with_nesting(0.8),
        "each for itself": two,
        "with service": two.with_service("ours", 1.0, unit_cost=0.3),
    }
    frame = compare_wars(markets).frame.set_index("market")
    at_first = frame["elasticity_at_first"]
    assert at_first.is_monotonic_increasing
    assert frame["loss_holding"].is_monotonic_decreasing
    assert frame["loss_answering"].is_monotonic_decreasing
    assert frame["cross_price_elasticity"].is_monotonic_decreasing
    # who answers best never loses more than who holds
    assert (frame["loss_answering"] <= frame["loss_holding"] + EXACT).all()
    assert frame.loc["with service", "profit"] > frame.loc["each for itself", "profit"]


def test_service_is_worth_its_currency_to_buyers():
    market = four_products()
    served = market.with_service("product 3", 0.7, unit_cost=0.2)
    prices = np.array([2.0, 2.0, 2.0, 2.0])
    dearer = prices + np.array([0, 0, 0.7, 0])
    assert served.quantities(dearer) == pytest.approx(market.quantities(prices))
    assert served.unit_costs[2] == pytest.approx(1.4)


REFUSED = [
    (lambda: price_war(DUOPOLY, attacker="nobody"), KeyError, "no firm 'nobody'"),
    (lambda: price_war(DUOPOLY, holding=["x"]), KeyError, "no firm 'x'"),
    (lambda: price_war(DUOPOLY, cut=1.2), ValueError, "above 0 and below 1"),
    (lambda: price_war(DUOPOLY, order="random"), ValueError, "'simultaneous' or 'alternating'"),
    (lambda: price_war(DUOPOLY, periods=0), ValueError, "at least 1"),
    (lambda: price_war(DUOPOLY, discount_factor=1.1), ValueError, "at most 1"),
    (lambda: price_war(DUOPOLY, peace="truce"), ValueError, "'joint', 'equilibrium' or prices"),
    (lambda: price_war(DUOPOLY, peace={"we": 50}), ValueError, "one is needed for each"),
    (lambda: price_war(DUOPOLY, peace=[50, 0]), ValueError, "'rival' must be above 0"),
    (
        lambda: price_war(DUOPOLY, peace=[55, 55], cut=0.9, holding=["we", "rival"]),
        ValueError,
        "'we' does not sell at its price 55",
    ),
    (lambda: critical_discount_factor(DUOPOLY, lag=0), ValueError, "at least 1"),
    (lambda: merger_effect(DUOPOLY, ["we"]), ValueError, "two or more"),
    (lambda: merger_effect(DUOPOLY, "we"), ValueError, "two or more"),
    (lambda: merger_effect(DUOPOLY, ["we", "they"]), KeyError, "no firm 'they'"),
    (lambda: entry_effect(DUOPOLY, DUOPOLY), ValueError, "at least one more"),
    (lambda: compare_wars({}), ValueError, "none given"),
    (lambda: compare_wars({"a": DUOPOLY}, ours="we", attacker="we"), ValueError, "two firms"),
    (lambda: compare_wars({"a": DUOPOLY, "b": four_products()}), ValueError, "differ"),
]


@pytest.mark.parametrize(("make", "error", "said"), REFUSED)
def test_what_makes_no_sense_is_refused_with_its_reason(make, error, said):
    with pytest.raises(error, match=said):
        make()


def test_results_read_well_and_escape_names():
    market = logit_market([2, 2, 1], -1, [1, 1, 1], firms=["<b>", "we", "us"])
    results = [
        price_war(market),
        critical_discount_factor(market),
        merger_effect(market, ["we", "us"]),
        entry_effect(market, market.with_product("<i>", 1.0, 0.5, "<i>")),
        compare_wars({"<u>": market}, ours="we", attacker="us"),
    ]
    for result in results:
        told = result._repr_html_()
        assert not any(tag in told for tag in ("<b>", "<i>", "<u>"))
        assert len(result.to_frame()) > 0
