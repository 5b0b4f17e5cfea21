"""The six tools as a system: verdicts on made-up companies, and what is simulated."""

import numpy as np
import pytest
from keycustomer.simulate import TOOLS, Policy, compare_policies, policy_of_tools
from keycustomer.stats import verdict_above
from keycustomer.strategy import (
    interplay_by_size,
    interplay_origin,
    introduction_order,
    system_minus_product,
    system_minus_sum,
    tool_contributions,
    tool_interactions,
    tool_subsets,
)
from keycustomer.strategy.tools.company_means import company_mean
from keycustomer.strategy.tools.introduction import best_path, greedy_path
from keycustomer.strategy.tools.origin import LINKS
from made_up_tools import ADDITIVE, CROWDED, MEMBERS, SINGLE, SYSTEM, made_up, noisy

ROUNDING = 1e-9
"""Shares computed in another order differ by rounding alone."""

COMPANIES, ACCOUNTS, MONTHS = 3, 40, 8


@pytest.fixture(scope="module")
def subsets():
    return tool_subsets(COMPANIES, ACCOUNTS, MONTHS, 4)


@pytest.mark.parametrize(
    ("gains", "verdict"),
    [(SYSTEM, "supported"), (CROWDED, "not supported"), (ADDITIVE, "undecided")],
)
def test_the_verdict_tells_a_system_from_a_sum_and_from_a_crowd(gains, verdict):
    assert verdict_above(system_minus_sum(noisy(gains)), 0) == verdict


def test_noise_leaves_a_small_system_open():
    assert verdict_above(system_minus_sum(noisy(SYSTEM, spread=2.0)), 0) == "undecided"


def test_gains_that_only_multiply_are_more_than_a_sum_and_no_more_than_a_product():
    compounding = noisy(np.prod(np.where(MEMBERS, 1 + SINGLE, 1.0), axis=1) - 1, spread=0.01)
    assert verdict_above(system_minus_sum(compounding), 0) == "supported"
    beyond = system_minus_product(compounding)
    assert abs(beyond.estimate) < 0.02 and beyond.lower < 0 < beyond.upper


def test_intervals_hold_the_truth_as_often_as_they_say():
    truth, held, draws = SYSTEM[-1] - SINGLE.sum(), 0, 400
    for seed in range(draws):
        drawn = np.random.default_rng(seed).normal(truth, 0.3, 20)
        one = company_mean(drawn, "share")
        held += one.lower <= truth <= one.upper
    # three standard errors of a share of 0.95 in 400 draws
    assert abs(held / draws - 0.95) < 0.033


def test_contributions_share_the_gain_and_tell_who_lives_on_others():
    found = tool_contributions(noisy(SYSTEM, spread=0.001))
    assert found.frame["shapley"].sum() == pytest.approx(SYSTEM[-1], abs=0.005)
    named = found.frame.set_index("tool")
    # a dividend of 0.2 is split by two tools, one of 0.1 by all six
    expected = SINGLE + np.where(np.isin(range(6), [0, 5]), 0.1, 0) + 0.1 / 6
    np.testing.assert_allclose(named.loc[list(TOOLS), "shapley"], expected, atol=0.003)
    np.testing.assert_allclose(named.loc[list(TOOLS), "alone"], SINGLE, atol=0.003)
    last = SINGLE + np.where(np.isin(range(6), [0, 5]), 0.2, 0) + 0.1
    np.testing.assert_allclose(named.loc[list(TOOLS), "last"], last, atol=0.003)
    assert "worth more as the last tool than alone: segmentation" in found.sentence
    assert found.of("dossier").estimate == pytest.approx(named.loc["dossier", "shapley"])
    with pytest.raises(KeyError, match="no 'first' of 'dossier'"):
        found.of("dossier", "first")


def test_tools_that_do_the_same_work_are_worth_less_as_the_last():
    said = tool_contributions(noisy(CROWDED, spread=0.001)).sentence
    assert "worth less: segmentation" in said and "worth more" not in said


def test_pairs_are_called_by_intervals_that_hold_together():
    found = tool_interactions(noisy(SYSTEM, spread=0.02))
    assert len(found.frame) == 15 and found.chance_findings == pytest.approx(0.75)
    top = found.frame.iloc[0]
    assert (top["pair"], top["relation"]) == ("segmentation + back office", "complement")
    assert top["index"] == pytest.approx(0.2 + 0.1 / 5, abs=0.02)
    wider = found.frame["joint_upper"] - found.frame["joint_lower"]
    assert (wider > found.frame["index_upper"] - found.frame["index_lower"]).all()
    table = found.matrix()
    assert list(table) == list(TOOLS)
    assert table.loc["back office", "segmentation"] == pytest.approx(top["index"])
    assert found.of("back office", "segmentation").estimate == pytest.approx(top["index"])
    with pytest.raises(KeyError, match="no pair of 'dossier' and 'dossier'"):
        found.of("dossier", "dossier")


def test_false_findings_among_pairs_are_rare_together():
    relations = [
        tool_interactions(noisy(ADDITIVE, seed=seed)).frame["relation"] for seed in range(40)
    ]
    companies_with_any = sum((one != "open").any() for one in relations)
    # 5 % of 40 are 2; seven or more have a chance below 0.004
    assert companies_with_any < 7


def test_interplay_by_size_adds_up_to_the_system():
    result = noisy(SYSTEM)
    sizes = interplay_by_size(result)
    assert sizes["subsets"].tolist() == [6, 15, 20, 15, 6, 1]
    beyond = sizes.loc[sizes["tools"] > 1, "dividend"].sum()
    assert beyond == pytest.approx(system_minus_sum(result).estimate, abs=ROUNDING)
    exact = interplay_by_size(made_up([SYSTEM] * 2))["dividend"]
    np.testing.assert_allclose(exact, [SINGLE.sum(), 0.2, 0, 0, 0, 0.1], atol=ROUNDING)


def test_the_best_order_is_the_best_of_all_and_greed_can_miss_it():
    from itertools import permutations

    gains = np.random.default_rng(3).normal(size=16)
    gains[0] = 0.0

    def way(order):
        return sum(gains[sum(1 << p for p in order[: n + 1])] for n in range(4))

    best = max(permutations(range(4)), key=way)
    assert best_path(gains, 4) == list(best)
    # the first alone is worth little and opens the way
    trap = np.array([0, 0, 1, 9, 0, 1, 1, 9.0])
    trap[1], trap[3], trap[7], trap[5] = 0.5, 1.1, 9.5, 9.0
    assert greedy_path(trap, 3) == [1, 0, 2]
    assert best_path(trap, 3) == [0, 2, 1]


def test_orders_are_judged_on_companies_they_were_not_picked_on():
    found = introduction_order(noisy(ADDITIVE, spread=0.001))
    by_gain = [TOOLS[place] for place in np.argsort(-SINGLE)]
    assert found.path("best") == found.path("greedy") == by_gain
    assert found.path("worst") == by_gain[::-1]
    judged = found.judged.set_index("order")["way"]
    stages = np.cumsum(np.sort(SINGLE)[::-1])
    assert judged["best"] == pytest.approx(stages.mean(), abs=0.002)
    assert judged["chance"] == pytest.approx(3.5 / 6 * SINGLE.sum(), abs=0.002)
    assert found.difference("best", "worst").lower > 0
    # where companies are noise, an order picked on others earns nothing more than chance
    noise = introduction_order(noisy(np.zeros(64), spread=1.0, seed=5)).difference("best", "chance")
    assert noise.lower < 0 < noise.upper


def test_subsets_are_the_policies_of_the_tools(subsets):
    assert len(subsets.frame) == COMPANIES * 64 and subsets.companies == [4, 5, 6]
    some = ("dossier", "channel")
    compared = compare_policies([Policy(), policy_of_tools(some)], ACCOUNTS, MONTHS, 5)
    expected = compared.to_frame()
    rows = subsets.frame[subsets.frame["company"] == 5].set_index("subset")
    row = rows.loc["dossier + channel"]
    assert row[[*TOOLS]].tolist() == [tool in some for tool in TOOLS]
    for measure in ("profit", "margin", "revenue"):
        assert row[measure] == pytest.approx(expected[measure].iloc[1], rel=ROUNDING)
    outcome = list(compared.outcomes.values())[1]
    leavers = (1 - outcome.survival).sum() / outcome.expected_months.sum()
    assert row["churn"] == pytest.approx(leavers, rel=ROUNDING)
    gain = expected["profit_gain"].iloc[1] / expected["profit"].iloc[0]
    assert row["profit_gain"] == pytest.approx(gain, rel=1e-6)
    number = coalition_number(some)
    assert subsets.gains()[1, number] == pytest.approx(row["profit_gain"], rel=ROUNDING)


def coalition_number(tools):
    return sum(1 << TOOLS.index(tool) for tool in tools)


def test_results_say_that_they_are_made_up_and_show(subsets):
    assert subsets.simulated and "made up" in subsets.notes[0]
    assert "fewer than 20 companies" in subsets.notes[1]
    shown = [subsets, tool_contributions(subsets), tool_interactions(subsets, "churn")]
    shown.append(introduction_order(subsets))
    for one in shown:
        assert "made up by a program" in one._repr_html_()
        assert one.to_frame() is not one.frame
    assert "all 6 tools change profit by" in subsets.sentence
    assert "Churn is lowered by" in tool_contributions(subsets, "churn").sentence


def test_a_company_without_profit_has_no_shares():
    lost = made_up([SYSTEM, SYSTEM], usual=-5.0)
    assert np.isnan(lost.gains()).all() and "not positive" in lost.sentence
    assert verdict_above(system_minus_sum(lost), 0) == "undecided"
    assert tool_contributions(lost).frame["shapley"].isna().all()
    assert "not known" in tool_interactions(lost).sentence
    assert interplay_by_size(lost)["dividend"].isna().all()
    with pytest.raises(ValueError, match="at least two, all with profit"):
        introduction_order(lost)


def test_what_cannot_be_asked_is_refused(subsets):
    with pytest.raises(KeyError, match="no measure 'gain'; there is: profit"):
        subsets.worths("gain")
    with pytest.raises(ValueError, match="do not compound"):
        system_minus_product(subsets, "churn")
    with pytest.raises(ValueError, match="companies=0"):
        tool_subsets(0)
    with pytest.raises(KeyError, match="no order 'fast'"):
        introduction_order(subsets).difference("fast")
    with pytest.raises(KeyError, match="no order 'chance'; there is: best"):
        introduction_order(subsets).path("chance")


def test_without_its_links_the_system_is_no_more_than_a_sum():
    together = {name: value for changes in LINKS.values() for name, value in changes.items()}
    told = []
    found = interplay_origin(
        8, 80, 24, links={"every link": together}, progress=lambda *done: told.append(done)
    )
    assert found.frame["without"].tolist() == ["as it is", "every link", "all of these"]
    assert verdict_above(found.of("as it is"), 0) == "supported"
    assert verdict_above(found.of(), 0) != "supported"
    assert verdict_above(found.fall(), 0) == "supported"
    row = found.frame.set_index("without").loc["as it is"]
    assert row["together"] - row["apart"] == pytest.approx(row["beyond"], abs=ROUNDING)
    assert "made-up company" in found.sentence
    with pytest.raises(KeyError, match="no link 'wires'"):
        found.of("wires")
    with pytest.raises(ValueError, match="links: give at least one"):
        interplay_origin(2, links={})
    with pytest.raises(KeyError, match="no coefficient"):
        interplay_origin(2, 10, 2, links={"x": {"churn.bas": 0.0}})


def test_origin_and_subsets_tell_the_same_of_the_same_companies(subsets):
    found = interplay_origin(COMPANIES, ACCOUNTS, MONTHS, 4, links={"x": {"churn.scale": 0.0}})
    same = system_minus_sum(subsets)
    assert found.of("as it is").estimate == pytest.approx(same.estimate, abs=ROUNDING)
