"""Levels in closed form and policies of Markov chains: sums, break-even, policy iteration."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keycustomer.lifetime import CustomerChain, recency_chain
from keycustomer.relationships import (
    LEVELS,
    break_even_retention,
    level_worth,
    periods_worth,
    policy_value,
)

ROUNDING = 1e-9
ITERATED = 1e-6  # values of policies differ by less where an improvement is too small to count

COSTS = [2.0, 6.0, 20.0, 72.0, 250.0]
STAY = [0.980, 0.983, 0.987, 0.990, 0.992]


def added_up(margin, retention, rate, periods):
    """Worth period by period: the margin now, and of each period that the customer stays for."""
    ahead = np.arange(periods)
    return float((margin * retention**ahead * (1 + rate) ** (-ahead / 12)).sum())


@pytest.mark.parametrize("horizon", [1, 2, 36])
def test_worth_is_the_sum_over_the_periods(horizon):
    worth = periods_worth([0.0, 0.9, 1.0], 0.1, horizon=horizon)
    summed = [added_up(1, rate, 0.1, horizon) for rate in (0.0, 0.9, 1.0)]
    assert worth.tolist() == pytest.approx(summed, rel=ROUNDING)


def test_worth_for_ever_is_the_margin_multiple():
    monthly = 1.1 ** (1 / 12)
    assert periods_worth(0.98, 0.1) == pytest.approx(monthly / (monthly - 0.98), rel=ROUNDING)
    assert periods_worth(0.98, 0.1) == pytest.approx(added_up(1, 0.98, 0.1, 5_000), rel=ROUNDING)


@settings(max_examples=60)
@given(
    st.floats(1, 1e4),
    st.floats(0.3, 0.995),
    st.floats(-0.5, 0.5),
    st.floats(0.02, 0.3),
    st.sampled_from([None, 12, 60]),
)
def test_at_the_break_even_both_are_worth_the_same(margin, stay, share, rate, horizon):
    extra = share * margin
    gain = break_even_retention(margin, stay, extra, rate, horizon=horizon)
    before = margin * periods_worth(stay, rate, horizon=horizon)
    if math.isnan(gain):  # not even keeping everybody would pay
        most = periods_worth(1.0, rate, horizon=horizon)
        assert (margin - extra) * most <= before * (1 + ROUNDING)
    elif gain == -math.inf:  # the saving pays though all left at once
        assert margin - extra >= before * (1 - ROUNDING)
    else:
        after = (margin - extra) * periods_worth(stay + gain, rate, horizon=horizon)
        assert after == pytest.approx(before, rel=1e-7)


def test_break_even_in_one_line():
    month = 1.1 ** (1 / 12)
    gain = break_even_retention([100.0, 1_000.0], 0.98, 10.0, 0.1)
    assert gain.tolist() == pytest.approx([0.1 * (month - 0.98), 0.01 * (month - 0.98)])
    assert break_even_retention(100.0, 0.98, 0.0, 0.1) == pytest.approx(0, abs=ROUNDING)
    assert math.isnan(break_even_retention(100.0, 0.98, 100.0, 0.1))


def test_levels_are_worth_margin_less_cost_for_as_long_as_customers_stay():
    worth = level_worth([50, 6_000.0], STAY, COSTS, horizon=60)
    for customer, margin in enumerate((50, 6_000.0)):
        for level, (stay, cost) in enumerate(zip(STAY, COSTS, strict=True)):
            summed = added_up(margin - cost, stay, 0.1, 60)
            assert worth.value[customer, level] == pytest.approx(summed, rel=ROUNDING)
    assert worth.best.tolist() == [0, 4]
    frame = worth.to_frame()
    assert frame["level"].tolist() == [*LEVELS, *LEVELS]
    known = frame.dropna(subset=["extra_value", "break_even"])
    agree = (known["extra_retention"] > known["break_even"]) == known["pays"].astype(bool)
    assert agree.all() and known["pays"].any() and not known["pays"].all()
    assert frame["pays"].isna().sum() == 2
    assert "over 60 months" in worth._repr_html_()


def test_own_retention_and_margins_by_level_are_taken():
    worth = level_worth([[10.0, 20.0]], [[0.5, 0.9]], [1.0, 30.0], labels=("a", "b"), unit="year")
    assert worth.value[0].tolist() == pytest.approx([9 * 1.1 / 0.6, -10 * 1.1 / 0.2])
    loss = level_worth([0.5], [0.5, 0.6], [1.0, 2.0], labels=("a", "b"))
    assert math.isnan(loss.to_frame()["break_even"].iloc[1])  # there is no profit to keep


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: level_worth([1.0], STAY[:4], COSTS), "retention: one number for each of the 5"),
        (lambda: level_worth([math.nan], STAY, COSTS), "margin: 1 numbers are not finite"),
        (lambda: level_worth([1.0, 2.0], [STAY] * 3, COSTS), "different numbers of customers"),
        (lambda: level_worth([1.0], [98.0] * 5, COSTS), "98 % is 0.98"),
        (lambda: level_worth([1.0], STAY, COSTS, horizon=0), "horizon=0"),
        (lambda: break_even_retention(0.0, 0.9, 1.0), "margin: 0 is no finite amount above 0"),
        (lambda: break_even_retention(1.0, 0.9, math.inf), "extra_cost: finite amounts"),
        (lambda: break_even_retention(1.0, 1.9, 0.1), "1.9 is no share"),
        (lambda: periods_worth(1.0, 0.0), "for ever is infinite"),
    ],
)
def test_what_has_no_worth_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


# -- policies ----------------------------------------------------------------------------------


@pytest.fixture
def mailing():
    """The example of Pfeifer & Carraway (2000)."""
    return recency_chain([0.3, 0.2, 0.15, 0.05], 40.0, 4.0)


def random_chains(generator, actions, states):
    """Chains of some actions with random moves and rewards."""
    names = tuple(f"s{k}" for k in range(states))
    return {
        f"a{n}": CustomerChain(
            names,
            generator.dirichlet(np.full(states, 0.5), states),
            generator.normal(0, 5, states),
        )
        for n in range(actions)
    }


def test_the_best_policy_is_the_best_of_all_policies():
    generator = np.random.default_rng(3)
    for _ in range(8):
        chains = random_chains(generator, 3, 3)
        found = policy_value(chains, 0.2)
        names = (*chains, "give up")
        values = [
            policy_value(chains, 0.2, policy=dict(zip(("s0", "s1", "s2"), rule, strict=True)))
            .frame["value"]
            .to_numpy()
            for rule in itertools.product(names, repeat=3)
        ]
        np.testing.assert_allclose(found.frame["best_value"], np.max(values, 0), atol=ITERATED)
        assert (found.frame["gain"] >= -ITERATED).all()


def test_one_chain_is_the_chain_with_its_best_rule(mailing):
    found = policy_value(mailing, 0.2).frame
    rule = mailing.best_rule(0.2)
    assert found["value"].tolist() == pytest.approx(rule["value"].tolist())
    assert found["best_value"].tolist() == pytest.approx(rule["best_value"].tolist())
    assert (found["best_action"] == "give up").tolist()[:4] == rule["give_up"].tolist()[:4]
    never = policy_value(mailing, 0.2, giving_up=False).frame
    assert never["gain"].abs().max() < ITERATED


def test_a_long_horizon_comes_to_the_value_for_ever():
    chains = random_chains(np.random.default_rng(5), 2, 4)
    rule = {"s1": "a1", "s3": "give up"}
    ever = policy_value(chains, 0.3, policy=rule).frame
    long = policy_value(chains, 0.3, policy=rule, horizon=150).frame
    assert long["value"].tolist() == pytest.approx(ever["value"].tolist(), abs=ITERATED)
    assert long["best_value"].tolist() == pytest.approx(ever["best_value"].tolist(), abs=ITERATED)
    assert long["action"].tolist() == ["a0", "a1", "a0", "give up"]
    now = policy_value(chains, 0.3, horizon=0).frame
    most = np.max([chain.reward for chain in chains.values()], axis=0)
    assert now["best_value"].tolist() == pytest.approx(np.maximum(most, 0).tolist())


def test_a_dearer_level_is_given_where_it_keeps_those_worth_keeping():
    """Care is worth its cost for the content, and wasted on those who have almost left."""
    states = ("content", "in trouble", "gone")

    def chain(cost, rescue):
        moves = [[0.9, 0.1, 0.0], [rescue, 0.3, 0.7 - rescue], [0, 0, 1]]
        return CustomerChain(states, np.array(moves), np.array([20.0 - cost, 5.0 - cost, 0.0]))

    found = policy_value({"basic": chain(0.0, 0.2), "care": chain(3.0, 0.6)}, 0.1)
    assert found.frame.set_index("state")["best_action"].to_dict() == {
        "content": "basic",
        "in trouble": "care",
        "gone": "basic",
    }
    assert found.actions == ("basic", "care", "give up")
    assert "in trouble" in found._repr_html_() and len(found.to_frame()) == 3


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda c: policy_value({}, 0.1), ValueError, "no chain given"),
        (lambda c: policy_value({"give up": c}, 0.1), ValueError, "is an action of its own"),
        (lambda c: policy_value({"a": 3}, 0.1), TypeError, r"chains\['a'\]=3 must be a lifetime"),
        (
            lambda c: policy_value({"a": c, "b": recency_chain([0.3], 1.0)}, 0.1),
            ValueError,
            "'b' has states recency 1, former by year, 'a' has recency 1, recency 2",
        ),
        (lambda c: policy_value(c, 0.1, policy="mail"), ValueError, "no action 'mail'"),
        (
            lambda c: policy_value(c, 0.1, policy={"recency 9": "give up"}),
            ValueError,
            "no state 'recency 9'.*did you mean",
        ),
        (lambda c: policy_value(c, 0.0), ValueError, "discount_rate=0 without a horizon"),
        (lambda c: policy_value(c, 0.1, horizon=1.5), ValueError, "horizon=1.5"),
    ],
)
def test_what_is_no_policy_is_refused(mailing, make, error, message):
    with pytest.raises(error, match=message):
        make(mailing)
