"""Chosen accounts run alone meet what they meet in their company."""

from dataclasses import fields

import numpy as np
import pytest
from keycustomer.simulate import (
    Outcome,
    Parameters,
    Policy,
    ServiceProcess,
    chosen_outcomes,
    compare_policies,
)
from keycustomer.simulate.settings import Settings
from keycustomer.simulate.together import stacked_world

ROUNDING = 1e-10
"""Sums over another number of accounts at once differ in the last digits."""

SEEDS = (5, 2)
SIZE = {"accounts": 40, "months": 15}
AHEAD = {"ahead": 6, "discount_rate": 0.1}


@pytest.fixture(scope="module")
def world():
    settings = [Settings(**SIZE, seed=seed, **AHEAD) for seed in SEEDS]
    return stacked_world(settings, Parameters())


@pytest.mark.parametrize("company", [0, 1])
def test_chosen_accounts_have_the_outcomes_of_their_company(world, company):
    levels, discount = np.arange(40) % 5, np.linspace(-0.1, 0.1, 40)
    policy = Policy(levels=levels, discount=discount, service=ServiceProcess())
    whole = compare_policies([policy], **SIZE, seed=SEEDS[company], **AHEAD).outcomes[policy.name]
    chosen = np.array([7, 3, 31, 7])
    own = Policy(levels=levels[chosen], discount=discount[chosen], service=ServiceProcess())
    some = chosen_outcomes(world, chosen + 40 * company, own)
    for field in fields(Outcome):
        np.testing.assert_allclose(
            getattr(some, field.name), getattr(whole, field.name)[chosen], rtol=ROUNDING
        )


def test_an_account_may_be_chosen_under_several_levers(world):
    both = chosen_outcomes(world, [4, 4], Policy(discount=[0.0, 0.2]))
    alone = [chosen_outcomes(world, [4], Policy(discount=[d])) for d in (0.0, 0.2)]
    expected = [one.expected_profit[0] for one in alone]
    np.testing.assert_allclose(both.expected_profit, expected, rtol=ROUNDING)
    assert expected[0] != expected[1]


@pytest.mark.parametrize(
    ("chosen", "policy", "error", "said"),
    [
        ([80], Policy(), IndexError, "accounts 0 to 79 are there"),
        ([-1], Policy(), IndexError, "accounts 0 to 79 are there"),
        ([1, 2], Policy(discount=[0.1]), ValueError, "1 values for 2 accounts"),
        ([1], Policy(list_price=0.1), ValueError, "leave list_price as today"),
    ],
)
def test_what_cannot_be_run_is_refused(world, chosen, policy, error, said):
    with pytest.raises(error, match=said):
        chosen_outcomes(world, chosen, policy)
