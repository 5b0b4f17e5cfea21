"""Remedies: nothing done changes nothing, harm is seen, and totals are those of the simulator."""

import dataclasses

import numpy as np
import pytest
from keycustomer.simulate import (
    Policy,
    PricingRule,
    compare_policies,
    policy_of_tools,
    simulate_company,
)
from keycustomer.strategy import REMEDIES, Remedy, remedy_effects, true_war
from keycustomer.strategy.troubles import remedies as rem

ACCOUNTS, MONTHS, COMPANIES = 60, 24, 20

ROUNDING = 1e-6
"""Sums over another number of accounts at once differ in the last digits."""


@pytest.fixture(scope="module")
def effects():
    chosen = {
        "a": REMEDIES["a"],
        "b": Remedy("nothing", Policy()),
        "c": REMEDIES["c"],
        "d": Remedy("deep discounts for all", Policy(discount=0.2, start=12)),
        "e": REMEDIES["e"],
    }
    return remedy_effects(COMPANIES, ACCOUNTS, MONTHS, remedies=chosen)


def test_doing_nothing_changes_nothing(effects):
    own = effects.frame[effects.frame["remedy"] == "b"]
    assert (own["change"] == 0).all()
    assert set(own["verdict"]) == {"not supported"}
    assert (effects.side_effects().loc["b"] == "none").all()


def test_a_remedy_that_does_harm_is_found(effects):
    assert effects.verdict("d") == "not supported"
    assert effects.side_effects().loc["d", "d"] == "worse"
    assert effects.of("d").lower > 0
    assert effects.verdict("d", "margin") == "not supported"
    assert effects.eased == effects.cured == "not supported"


def test_all_must_be_eased_and_pay(effects):
    frame = effects.frame
    good = dataclasses.replace(effects, frame=frame[frame["remedy"].isin(["a", "c"])])
    assert good.eased == good.cured == "supported"
    dear = frame.assign(verdict=frame["verdict"].mask(frame["measure"] == "profit", "undecided"))
    dear = dataclasses.replace(good, frame=dear[dear["remedy"].isin(["a", "c"])])
    assert (dear.eased, dear.cured) == ("supported", "undecided")


def test_remedies_of_the_course_ease_what_they_are_for(effects):
    """Levels by value reach class A, and one channel ends double claims: so the simulator says."""
    for letter in ("a", "c"):
        assert effects.verdict(letter) == "supported"
        assert effects.of(letter).upper < 0
        assert effects.there("", letter) >= effects.there(letter, letter)
    assert "ease" in effects.sentence
    for letter in effects.summary()["trouble"]:
        left = effects.there(letter, letter)
        assert (f"{letter} in {100 * left:.0f} %" in effects.sentence) == (left > 0)


def test_profit_and_leaving_are_the_simulators(effects):
    policies = {"": Policy(), "c": REMEDIES["c"].policy}
    for seed in (1, 20):
        known = compare_policies(policies, ACCOUNTS, MONTHS, seed).outcomes
        own = effects.companies[effects.companies["company"] == seed].set_index("remedy")
        for letter, outcome in known.items():
            assert own.loc[letter, "profit"] == pytest.approx(
                outcome.expected_profit.mean(), rel=ROUNDING
            )
            assert own.loc[letter, "leaving"] == pytest.approx(1 - outcome.survival.mean())


def test_changes_are_means_over_companies(effects):
    wide = effects.companies.pivot(index="company", columns="remedy", values="profit")
    assert len(wide) == effects.count == COMPANIES
    assert effects.of("a", "profit").estimate == pytest.approx((wide["a"] - wide[""]).mean())
    table = effects.summary().set_index("trouble")
    assert table.loc["a", "profit"] == effects.of("a", "profit").estimate
    assert table.loc["a", "profit_share"] == pytest.approx(
        effects.of("a", "profit").estimate / wide[""].mean()
    )
    with pytest.raises(KeyError, match="no 'x' of remedy 'a'"):
        effects.of("a", "x")
    html = effects._repr_html_()
    assert "Simulated data" in html
    assert "built into the simulated operator" in html


def test_a_remedy_for_the_large_leaves_the_others_as_they_are():
    usual = simulate_company(50, 24, 3)
    treated = simulate_company(50, 24, 3, policy=REMEDIES["e"].policy)
    mixed = rem.for_the_large(usual, treated)
    large = np.argsort(-usual.accounts.potential)[:10]
    others = np.setdiff1d(np.arange(50), large)
    for source, who in ((treated, large), (usual, others)):
        np.testing.assert_array_equal(mixed.panel.revenue[:, who], source.panel.revenue[:, who])
        np.testing.assert_array_equal(mixed.panel.left[who], source.panel.left[who])
        np.testing.assert_array_equal(mixed.outcome.profit[who], source.outcome.profit[who])
    assert mixed.panel.value.shape == usual.panel.value.shape


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(ValueError, match="at least 20"):
        remedy_effects(5)
    with pytest.raises(ValueError, match="two years"):
        remedy_effects(20, months=12)
    with pytest.raises(ValueError, match="under the letter of its trouble"):
        remedy_effects(20, remedies={"z": REMEDIES["a"]})


def test_every_trouble_has_a_remedy_of_the_tools_meant_for_it():
    assert list(REMEDIES) == [*"abcde", "all"]
    assert REMEDIES["c"].policy.tools == ("channel",)
    assert REMEDIES["d"].policy.pricing == PricingRule()
    assert REMEDIES["e"].large_only
    assert REMEDIES["all"].policy.tools == policy_of_tools(REMEDIES["all"].policy.tools).tools
    assert len(REMEDIES["all"].policy.tools) == 6


def test_without_a_war_there_is_nothing_to_lose():
    truth = true_war(150, 36, 2)
    assert 0.05 < truth.lost_margin < 0.2
    assert truth.frame["change"].iloc[1] > 0
    assert "In truth" in truth.sentence
    assert "Simulated data" in truth._repr_html_()
    with pytest.raises(KeyError, match="no 'luck'"):
        truth.of("luck")
    with pytest.raises(ValueError, match="a year is needed"):
        true_war(10, 6)


def test_no_war_in_peace():
    from keycustomer.simulate import Parameters
    from keycustomer.strategy.troubles.true_war_effect import PEACE

    calm = true_war(60, 24, 2, parameters=Parameters().but(PEACE))
    assert (calm.frame["change"] == 0).all()
