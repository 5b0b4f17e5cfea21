"""True effects: the right sign, paired, together more than one by one."""

import re
from itertools import combinations

import numpy as np
import pytest
from keycustomer.simulate import (
    LEVERS,
    MEASURES,
    TOOLS,
    Parameters,
    Policy,
    compare_policies,
    policy_of_tools,
    simulate_company,
    true_effects,
)

ACCOUNTS, MONTHS = 800, 24


@pytest.fixture(scope="module")
def effects():
    return {lever: true_effects(lever, ACCOUNTS, MONTHS, 2) for lever in LEVERS}


@pytest.fixture(scope="module")
def tools():
    every = [()] + [(tool,) for tool in TOOLS] + list(combinations(TOOLS, 2)) + [TOOLS]
    made = {some: policy_of_tools(some) for some in every}
    compared = compare_policies({str(some): made[some] for some in every}, 2_000, 36, 2)
    return dict(zip(every, compared.to_frame().to_dict("records"), strict=True))


def test_closer_levels_keep_more_customers_and_cost_more(effects):
    means = effects["level"].means()
    assert means["survival"].is_monotonic_increasing
    assert means["margin"].is_monotonic_increasing
    cost = (effects["level"].values("margin") - effects["level"].values("profit")).mean(axis=0)
    assert (np.diff(cost) > 0).all()


def test_closer_levels_pay_only_for_large_accounts(effects):
    best = effects["level"].values("profit").argmax(axis=1)
    size = simulate_company(ACCOUNTS, MONTHS, 2).accounts.potential
    assert best[size >= np.quantile(size, 0.98)].mean() > 1.5
    assert best[size <= np.quantile(size, 0.5)].mean() < 0.5


def test_discounts_keep_customers_and_cost_profit(effects):
    means = effects["discount"].means()
    assert means["survival"].is_monotonic_increasing
    assert means["revenue"].is_monotonic_increasing
    assert means.loc["+10 points", "profit"] < 0


def test_discounts_keep_nearly_every_single_account_rather(effects):
    # a product may be taken up earlier or later by a discount, which may outweigh it for a few
    change = effects["discount"].changes("survival")[:, -1]
    assert (change >= 0).mean() > 0.98


def test_contacts_keep_customers_and_bring_margin(effects):
    means = effects["contacts"].means()
    assert means["survival"].is_monotonic_increasing
    assert means["margin"].is_monotonic_increasing


def test_contacts_have_diminishing_returns():
    def social(factor):
        panel = simulate_company(500, 12, 2, policy=Policy(visits=factor, calls=factor)).panel
        return np.nanmean(panel.value[-1][:, 2])

    gains = np.diff([social(factor) for factor in (0, 1, 2, 4)]) / [1, 1, 2]
    assert gains[0] > gains[1] > gains[2] > 0


def test_a_conflict_is_the_worst_channel(effects):
    means = effects["channel"].means()
    assert means["profit"].idxmin() == "agent and manager"
    assert means["survival"].idxmin() == "agent and manager"
    assert means["margin"].idxmax() == "manager"


def test_better_attributes_keep_customers(effects):
    assert (effects["quality"].means()["survival"] > 0).all()
    assert (effects["quality"].changes("survival") >= -1e-3).mean() > 0.98


def test_frames_tell_every_account_and_setting(effects):
    one = effects["level"]
    frame = one.to_frame()
    assert len(frame) == ACCOUNTS * 5
    assert list(frame.columns) == ["account", "level", *MEASURES]
    mean = frame.groupby("level")["profit"].mean()
    assert mean[list(one.labels)].to_numpy() == pytest.approx(one.changes("profit").mean(axis=0))


# --- the six tools ------------------------------------------------------------------------------


@pytest.mark.parametrize("tool", TOOLS)
def test_every_tool_pays_in_the_end(tools, tool):
    assert tools[(tool,)]["last_year"] > tools[()]["last_year"]


@pytest.mark.parametrize("tool", ["dossier", "service", "channel", "back office"])
def test_tools_other_than_price_and_levels_keep_customers(tools, tool):
    assert tools[(tool,)]["survival"] > tools[()]["survival"]


def test_the_tools_are_a_system_not_a_sum(tools):
    base = tools[()]["profit"]
    single = sum(tools[(tool,)]["profit"] - base for tool in TOOLS)
    assert tools[TOOLS]["profit"] - base > 1.1 * single


@pytest.mark.parametrize("tool", ["segmentation", "dossier", "pricing"])
def test_what_needs_knowledge_does_more_with_the_back_office(tools, tool):
    base = tools[()]["profit"]
    together = tools[(tool, "back office")]["profit"] - base
    alone = tools[(tool,)]["profit"] + tools[("back office",)]["profit"] - 2 * base
    assert together > alone


# --- paired -------------------------------------------------------------------------------------


def test_a_comparison_runs_what_a_company_runs():
    policy = policy_of_tools(TOOLS, start=6)
    alone = simulate_company(200, 18, 4, policy=policy).outcome
    compared = compare_policies([Policy(), policy], 200, 18, 4)
    assert np.array_equal(compared.outcomes[policy.name].profit, alone.profit)
    assert np.array_equal(compared.outcomes[policy.name].left, alone.left)


def test_pairing_takes_chance_out_of_the_difference():
    cheap = Policy("cheap", discount=0.05)
    paired, apart = [], []
    for seed in range(8):
        frame = compare_policies([Policy(), cheap], 300, 12, seed)
        profit = {name: outcome.profit.sum() for name, outcome in frame.outcomes.items()}
        paired.append(frame.to_frame().loc["cheap", "profit_gain"])
        other = compare_policies([cheap], 300, 12, seed + 100).outcomes["cheap"].profit.sum()
        apart.append(other - profit["business as usual"])
    assert np.std(paired) < 0.4 * np.std(apart)


def test_differences_are_by_account_and_measure():
    compared = compare_policies({"now": Policy(), "dear": Policy(list_price=0.1)}, 100, 12, 1)
    difference = compared.difference("dear")
    assert difference.shape == (100, len(MEASURES))
    assert (difference["survival"] <= 0).all()
    gain = compared.to_frame().loc["dear", "profit_gain"]
    assert difference["profit"].sum() == pytest.approx(gain)
    # the error of a sum of n independent gains, of companies with accounts like these
    error = compared.to_frame().loc["dear", "profit_gain_error"]
    assert error == pytest.approx(np.sqrt(100 * difference["profit"].var(ddof=1)))
    assert not compared.difference("now").any(axis=None)
    assert (compared.difference("now", "dear") == -difference).all(axis=None)


def test_without_effects_of_levels_only_their_contacts_differ():
    names = ("functional", "convenience", "social", "experiential", "hazard", "complaints")
    none = {f"service.level_{name}": 0 for name in names} | {"service.first_contact_level": 0}
    quiet = Parameters().but(none | {"service.visits": 0, "service.calls": 0})
    same = true_effects("level", 200, 12, 1, parameters=quiet)
    assert not same.changes("survival").any()
    assert not same.changes("margin").any()
    assert same.changes("profit")[:, 0].mean() > 0 > same.changes("profit")[:, -1].mean()


def test_results_read_well_in_a_notebook(effects):
    assert "partnership" in effects["level"]._repr_html_()
    assert "cheap" in compare_policies({"cheap": Policy()}, 20, 3)._repr_html_()


def test_progress_is_told():
    told = []
    compare_policies([Policy(), Policy("b")], 50, 3, progress=lambda *at: told.append(at))
    assert told == [(1, 2), (2, 2)]


@pytest.mark.parametrize(
    ("policies", "error", "said"),
    [
        ([], ValueError, "no policy to run"),
        ([Policy(), Policy()], ValueError, "two policies have the same name"),
        ({"a": 3}, TypeError, r"policies\['a'\]=3 must be a keycustomer.simulate.Policy"),
        ({"a": None}, TypeError, r"policies\['a'\] is None; business as usual is Policy\(\)"),
    ],
)
def test_wrong_policies_are_told(policies, error, said):
    with pytest.raises(error, match=said):
        compare_policies(policies, 10, 2)


def test_unknown_levers_measures_and_policies_are_told(effects):
    with pytest.raises(KeyError, match="no lever 'price'; there is: level, discount"):
        true_effects("price", 10, 2)
    with pytest.raises(KeyError, match="no measure 'sales'; there is: profit, margin"):
        effects["level"].values("sales")
    with pytest.raises(KeyError, match="no policy 'b'; compared were: a"):
        compare_policies({"a": Policy()}, 10, 2).difference("b")


# Looking ahead ---------------------------------------------------------------------------------


def test_looking_ahead_starts_from_the_customers_that_were_observed() -> None:
    """Before the end of the window nothing moves, whatever a policy says of its start."""
    company = simulate_company(400, 24, 5)
    there = company.panel.active[-1] & (company.panel.left >= 24)
    effects = true_effects("level", 400, 24, 5, ahead=36)
    assert 0 < there.sum() < 400
    for outcome in (effects.baseline, *effects.outcomes):
        np.testing.assert_array_equal(outcome.expected_months > 0, there)
        np.testing.assert_array_equal(outcome.months > 0, there)
        early = company.panel.left < 24
        np.testing.assert_array_equal(outcome.left[early], company.panel.left[early])


def test_what_is_expected_ahead_is_the_mean_of_what_happens() -> None:
    """Realised months of many accounts come to their expectation, given who is there."""
    outcome = compare_policies([Policy()], 20_000, 12, 3, ahead=24).outcomes["business as usual"]
    gap = outcome.months - outcome.expected_months
    error = gap.std() / np.sqrt(len(gap))
    assert abs(gap.mean()) < 4 * error
    assert 0 < outcome.expected_months.max() <= 24


def test_amounts_ahead_are_discounted_to_the_end_of_the_window() -> None:
    """Of one month ahead the present value is in closed form; months are no amounts."""
    plain, discounted = (
        compare_policies([Policy()], 300, 12, 3, ahead=1, discount_rate=rate).outcomes
        for rate in (0.0, 0.21)
    )
    one, other = plain["business as usual"], discounted["business as usual"]
    np.testing.assert_allclose(other.expected_margin, one.expected_margin / 1.21 ** (1 / 12))
    np.testing.assert_allclose(other.profit, one.profit / 1.21 ** (1 / 12))
    np.testing.assert_array_equal(other.expected_months, one.expected_months)


def test_a_window_is_not_moved_by_what_lies_ahead_of_it() -> None:
    """Thirty-six months at once, or twelve and then twenty-four: the same accounts leave."""
    far = compare_policies([Policy()], 300, 12, 3, ahead=24).outcomes["business as usual"]
    near = compare_policies([Policy()], 300, 12, 3, ahead=1).outcomes["business as usual"]
    within = near.left <= 12
    np.testing.assert_array_equal(far.left[within], near.left[within])


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"ahead": -1}, "ahead=-1 must be a whole number"),
        ({"ahead": 1.5}, "ahead=1.5 must be a whole number"),
        ({"discount_rate": 10}, "10 % is 0.1"),
        ({"discount_rate": float("nan")}, "discount_rate=nan"),
    ],
)
def test_what_cannot_lie_ahead_is_refused(given: dict[str, float], said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        compare_policies([Policy()], 50, 12, 1, **given)
