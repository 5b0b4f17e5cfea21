"""Actions for accounts: their arithmetic in closed form, what is refused, what a plan promises."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from account_bases import order_lines, write_base
from hypothesis import given, settings
from hypothesis import strategies as st
from keycustomer.pricing import customers_at_prices
from keycustomer.relationships import customer_months
from keycustomer.simulate import Parameters, simulate_company
from keycustomer.strategy import ACTIONS, ActionAssumptions, account_actions
from keycustomer.strategy.actions.accounts_now import AccountsNow, pooled_rates
from keycustomer.strategy.actions.discount_lever import PriceDraws, discount_lever, price_draws
from keycustomer.strategy.actions.draws import doubtful_draws, draws_above_zero
from keycustomer.strategy.actions.shifts import Future, Shift
from scipy.special import expit
from scipy.stats import truncnorm

EXACT = 1e-9
"""Rounding of sums of some thousand terms."""

OF_DRAWS = 0.02
"""Five standard errors of a mean over 60,000 draws of unit spread."""

COSTS = {"level_costs": (2, 6, 20, 72, 250), "visit_cost": 90, "call_cost": 9}


@pytest.fixture(scope="module")
def company():
    return simulate_company(160, 36, 4)


@pytest.fixture(scope="module")
def largest(company):
    panel = company.panel
    revenue = np.where(panel.active[-1] & (panel.left > 35), panel.revenue[-12:].sum(axis=0), -1)
    return [f"K{k + 1:07d}" for k in np.argsort(-revenue)[:8]]


@pytest.fixture(scope="module")
def actions(company, largest):
    return account_actions(company, largest, draws=40, **COSTS)


@pytest.fixture(scope="module")
def drawn(company, actions):
    months = customer_months(company)
    return price_draws(company, months, actions.firm.now, 400, np.random.default_rng(0))


def one_future(odds=-4.0, revenue=1000.0, goods=600.0, cost=50.0, serving=0.1, months=24):
    """Give the future of one account whose months are all alike, a single draw."""
    shape = (1, 1, months)
    each = [np.array([amount]) for amount in (revenue, goods, cost)]
    worth = 1.1 ** (-np.arange(1, months + 1) / 12)
    return Future(np.full(shape, odds), np.ones(shape), *each, serving, worth)


class TestDraws:
    def test_doubt_weighs_as_the_normal_posterior(self):
        drawn = doubtful_draws(
            np.array([0.6]), np.array([[0.09]]), 0.4, 60_000, np.random.default_rng(1)
        )
        weight = 0.16 / (0.16 + 0.09)
        assert drawn.mean() == pytest.approx(weight * 0.6, abs=OF_DRAWS)
        assert drawn.std() == pytest.approx(np.sqrt(weight * 0.09), abs=OF_DRAWS)

    def test_doubt_draws_correlated_estimates_together(self):
        covariance = np.array([[0.04, -0.03], [-0.03, 0.05]])
        drawn = doubtful_draws(
            np.array([0.3, -0.2]), covariance, 0.5, 60_000, np.random.default_rng(2)
        )
        inverse = np.linalg.inv(np.linalg.inv(covariance) + np.eye(2) / 0.25)
        mean = inverse @ np.linalg.inv(covariance) @ [0.3, -0.2]
        np.testing.assert_allclose(drawn.mean(axis=0), mean, atol=OF_DRAWS)
        np.testing.assert_allclose(np.cov(drawn.T), inverse, atol=OF_DRAWS)

    @pytest.mark.parametrize(("estimate", "error"), [(3.0, 1.0), (0.0, 1.0), (-2.0, 1.0)])
    def test_above_zero_is_the_truncated_normal(self, estimate, error):
        drawn = draws_above_zero(estimate, error, 60_000, np.random.default_rng(3))
        known = truncnorm(-estimate / error, np.inf, estimate, error)
        assert drawn.min() >= 0
        assert drawn.mean() == pytest.approx(known.mean(), abs=OF_DRAWS)
        assert np.quantile(drawn, 0.9) == pytest.approx(known.ppf(0.9), abs=OF_DRAWS)

    def test_far_below_zero_hardly_anything_is_left(self):
        drawn = draws_above_zero(-40.0, 1.0, 60_000, np.random.default_rng(4))
        assert drawn.min() >= 0
        assert drawn.mean() == pytest.approx(1 / 40, rel=OF_DRAWS)

    def test_without_error_there_is_one_value(self):
        assert set(draws_above_zero(2.0, 0.0, 3, np.random.default_rng(0))) == {2.0}
        assert set(draws_above_zero(-2.0, 0.0, 3, np.random.default_rng(0))) == {0.0}


class TestRates:
    def test_rates_that_chance_explains_are_those_of_the_group(self):
        counts, months = np.array([1.0, 2.0, 1.0, 2.0]), np.full(4, 12.0)
        np.testing.assert_allclose(pooled_rates(counts, months, np.zeros(4, int)), 6 / 48)

    def test_rates_far_apart_stay_near_their_own(self):
        counts, months = np.array([0.0, 400.0]), np.full(2, 12.0)
        own = pooled_rates(counts, months, np.zeros(2, int))
        # moments: mean 200/12, surplus 2 x 200^2 / 12, so the prior is worth .0303 months
        between = (2 * 200**2 / 12 - 2 * 200 / 12) / 24
        prior = (200 / 12) / between
        np.testing.assert_allclose(own, (counts + 200 / 12 * prior) / (12 + prior))

    @settings(max_examples=25, deadline=None)
    @given(st.lists(st.tuples(st.integers(0, 60), st.integers(1, 12)), min_size=2, max_size=12))
    def test_rates_lie_between_the_own_and_the_mean(self, rows):
        counts, months = np.array(rows, dtype=float).T
        rate = pooled_rates(counts, months, np.zeros(len(rows), int))
        mean, own = counts.sum() / months.sum(), counts / months
        assert (rate >= np.minimum(own, mean) - EXACT).all()
        assert (rate <= np.maximum(own, mean) + EXACT).all()


class TestFuture:
    def test_profit_is_the_geometric_sum(self):
        future, months = one_future(), np.arange(1, 25)
        stay = 1 - expit(-4.0)
        each = 1000 * 0.9 - 600 - 50
        expected = (1.1 ** (-months / 12) * stay ** (months - 1) * each).sum()
        assert future.profit()[0, 0] == pytest.approx(expected, rel=EXACT)
        assert future.months()[0, 0] == pytest.approx((stay ** (months - 1)).sum(), rel=EXACT)

    def test_a_lower_price_costs_what_it_gives_up(self):
        future = one_future(odds=-50.0)
        profit, cost = future.accounts(Shift(price=0.9))
        worth = future.worth.sum()
        assert cost[0, 0] == pytest.approx(100 * worth, rel=EXACT)
        # revenue falls by 100 a month, of which a tenth needs no serving
        assert future.profit()[0, 0] - profit[0, 0] == pytest.approx(90 * worth, rel=EXACT)

    def test_added_cost_is_told_apart_from_the_price(self):
        future = one_future(odds=-50.0)
        profit, cost = future.accounts(Shift(cost=7.0, share=0.02, extra=30.0))
        worth = future.worth.sum()
        assert cost[0, 0] == pytest.approx((7 + 20) * worth, rel=EXACT)
        assert profit[0, 0] - future.profit()[0, 0] == pytest.approx(3 * worth, rel=EXACT)

    def test_a_customer_is_kept_only_once(self):
        future, keep = one_future(odds=-3.0), Shift(odds=-1.5)
        today = future.profit()[0, 0]
        alone = future.profit(keep)[0, 0] - today
        both = future.profit(keep.and_also(keep))[0, 0] - today
        assert alone < both < 2 * alone

    def test_a_kept_customer_pays_the_new_price(self):
        future = one_future(odds=-2.0)
        keep, dearer = Shift(odds=-1.0), Shift(price=1.1)
        gains = [future.profit(one)[0, 0] - future.profit()[0, 0] for one in (keep, dearer)]
        both = future.profit(keep.and_also(dearer))[0, 0] - future.profit()[0, 0]
        assert both > sum(gains)

    @settings(max_examples=25, deadline=None)
    @given(st.lists(st.tuples(st.floats(-2, 2), st.floats(0.5, 2)), min_size=2, max_size=4))
    def test_the_order_of_actions_does_not_matter(self, parts):
        shifts = [Shift(odds=o, price=p, usage=1 / p, cost=o, extra=p) for o, p in parts]
        forth, back = Shift(), Shift()
        for one in shifts:
            forth = forth.and_also(one)
        for one in reversed(shifts):
            back = back.and_also(one)
        future = one_future()
        np.testing.assert_allclose(future.profit(forth), future.profit(back), rtol=EXACT)

    def test_what_is_done_for_some_leaves_the_others_as_they_are(self):
        both = replace(
            one_future(),
            odds=np.full((1, 2, 24), -3.0),
            growth=np.ones((1, 2, 24)),
            revenue=np.full(2, 1000.0),
            goods=np.full(2, 600.0),
            cost=np.full(2, 50.0),
        )
        done = Shift(odds=-1.0, price=1.2, cost=5.0)
        some = both.profit(done.only(np.array([True, False])))[0]
        assert some[0] == both.profit(done)[0, 0]
        assert some[1] == both.profit()[0, 1]


class TestActions:
    def test_the_frame_keeps_to_the_vocabulary(self, actions, largest):
        frame = actions.frame
        assert list(frame) == [
            "customer_id", "action", "setting", "present", "value", "lower", "upper", "cost",
            "assumption",
        ]  # fmt: skip
        assert set(frame["action"]) | set(actions.skipped["action"]) == set(ACTIONS)
        assert frame["customer_id"].drop_duplicates().tolist() == largest
        assert not frame.duplicated(["customer_id", "action"]).any()
        assert (frame["lower"] <= frame["upper"]).all()
        assert frame["assumption"].str.endswith(".").all()

    def test_the_best_setting_of_each_action_is_kept(self, actions):
        best = actions.settings.groupby(["customer_id", "action"])["value"].max()
        kept = actions.frame.set_index(["customer_id", "action"])["value"]
        pd.testing.assert_series_equal(kept.sort_index(), best.sort_index())

    def test_recommended_levels_are_those_that_pay(self, actions):
        own = actions.frame[actions.frame["action"] == "relationship level"]
        for row in own.to_dict("records"):
            wanted = row["setting"] if row["value"] > 0 else row["present"]
            assert actions.levels[row["customer_id"]] == wanted

    def test_no_discount_goes_below_the_floor_or_none(self, company, actions, largest):
        panel = company.panel
        place = [int(name[1:]) - 1 for name in largest]
        listed = panel.revenue[-12:] / (1 - panel.discount[-12:])
        cost = (panel.goods_cost[-12:].sum(axis=0) / listed.sum(axis=0))[place]
        most = dict(zip(largest, 1 - 1.1 * cost, strict=True))
        own = actions.settings[actions.settings["action"] == "discount"]
        new = own["setting"].str.extract(r"^([\d.]+) %")[0].astype(float) / 100
        deeper = own["setting"].str.contains("more")
        limit = own["customer_id"].map(most)
        # settings are told to a tenth of a per cent
        assert (new[deeper] <= limit[deeper] + 0.001).all()
        assert (new >= 0).all()
        assert deeper.any()

    def test_what_stands_first_is_best_alone_and_the_rest_adds_up(self, actions):
        for name in actions.customers:
            top = actions.top(name, 3)
            joint = actions.promise([name], 3).joint.estimate
            assert top["added"].sum() == pytest.approx(joint, rel=1e-6)
            assert (top["added"] > 0).all() and top["action"].is_unique
            best = max(actions.frame.loc[actions.frame["customer_id"] == name, "value"])
            assert top["value"].iloc[0] == pytest.approx(best, rel=1e-6)

    def test_the_promise_is_that_of_the_combined_future(self, actions, largest):
        firm, name = actions.firm, largest[0]
        row = np.array([actions.row(name)])
        future = firm.future(row)
        done = Shift()
        for one in actions.chosen(name, 3):
            done = done.and_also(firm.levers[one.lever].shift(row, one.setting))
        expected = (future.profit(done) - future.profit()).mean()
        assert actions.promise([name], 3).joint.estimate == pytest.approx(expected, rel=EXACT)

    def test_one_after_the_other_comes_near_the_best_of_all_pairs(self, actions, largest):
        firm = actions.firm
        row = np.array([actions.row(largest[1])])
        future = firm.future(row)
        today = future.profit().mean()
        open_ = [(p, k) for p, k in firm.settings if firm.levers[p].open[row[0], k]]
        values = [
            future.profit(firm.together(row, pair)).mean() - today
            for pair in combinations(open_, 2)
            if pair[0][0] != pair[1][0]
        ]
        greedy = actions.promise([largest[1]], 2).joint.estimate
        # picking one after the other is no exact search; two of six actions leave little to miss
        assert 0.9 * max(values) <= greedy <= max(values) + EXACT

    def test_the_same_seed_gives_the_same(self, company, actions, largest):
        again = account_actions(company, largest, draws=40, **COSTS)
        pd.testing.assert_frame_equal(again.frame, actions.frame)

    def test_who_left_is_said_and_left_out(self, company, largest):
        gone = int(np.flatnonzero(company.panel.left < 36)[0])
        name = f"K{gone + 1:07d}"
        found = account_actions(company, [largest[0], name], draws=2, **COSTS)
        assert found.excluded == (name,)
        assert any(name in note for note in found.notes)
        assert found.customers.tolist() == [largest[0]]

    def test_nothing_is_claimed_twice_where_there_are_no_agents(self, largest):
        without = Parameters().but({"firms.represented": 0.0})
        alone = simulate_company(160, 36, 4, parameters=without)
        found = account_actions(alone, draws=2, **COSTS)
        skipped = found.skipped.set_index("action")["reason"]
        assert "claimed twice" in skipped["one responsible"]

    def test_a_firm_that_pays_no_commission_saves_none(self, company, actions, largest):
        stated = ActionAssumptions(commission=0.0)
        free = account_actions(company, largest, draws=40, assumptions=stated, **COSTS)
        for found, saves in ((actions, True), (free, False)):
            own = found.frame[found.frame["action"] == "one responsible"]
            assert ((own["cost"] < 0) == saves).all()

    def test_results_say_that_data_are_made_up(self, actions):
        shown = actions._repr_html_() + actions.promise(n=2)._repr_html_()
        assert "made up" in shown
        assert actions.sentence.startswith("What promises most is ")


class TestPrices:
    def test_accounts_that_answer_more_are_known_from_their_months(self, company, actions, drawn):
        place = [int(name[1:]) - 1 for name in actions.firm.now.frame.index]
        true = company.accounts.elasticity[place]
        # own months tell an account from others, its mean error apart: 0.5 to 0.6 in companies
        assert np.corrcoef(drawn.elasticity, true)[0, 1] > 0.4
        assert np.polyfit(drawn.elasticity, true, 1)[0] == pytest.approx(1, abs=0.5)

    def test_the_response_is_that_of_customers_at_prices(self, company, drawn):
        everybody = pd.Series("all", customer_months(company).customers["customer_id"])
        found = customers_at_prices(company, everybody)
        # the mean of a normal above 0, from 400 draws
        assert drawn.response.mean() == pytest.approx(found.response_used, rel=0.15)
        assert (drawn.response >= 0).all()

    def test_no_account_stays_for_a_dearer_price_or_uses_more(self, drawn):
        response, elasticity = drawn.of(np.arange(20))
        assert (response >= 0).all() and (elasticity <= 0).all()


class TestRefusals:
    @pytest.mark.parametrize(
        ("changed", "said"),
        [
            ({"level_costs": (1, 2)}, "five amounts of 0 or larger"),
            ({"visit_cost": -1}, "visit_cost=-1"),
            ({"floor": 11}, "floor=11"),
            ({"horizon": 0}, "horizon"),
            ({"draws": 1}, "draws"),
            ({"discount_rate": 2}, "discount_rate=2"),
        ],
    )
    def test_numbers_out_of_range_are_named(self, company, changed, said):
        with pytest.raises(ValueError, match=said):
            account_actions(company, **(COSTS | changed))

    def test_unknown_customers_and_single_texts_are_refused(self, company, actions, largest):
        with pytest.raises(KeyError, match="no customer 'K9999999'"):
            account_actions(company, ["K9999999"], draws=2, **COSTS)
        with pytest.raises(TypeError, match="sequence of ids"):
            account_actions(company, largest[0], draws=2, **COSTS)
        with pytest.raises(KeyError, match="no account 'K9999999' was weighed"):
            actions.top("K9999999")

    def test_stated_numbers_are_checked_all_at_once(self):
        with pytest.raises(ValueError, match=r"speed=2 .*; commission='x'"):
            ActionAssumptions(speed=2, commission="x")

    def test_a_base_without_margins_cannot_be_weighed(self, hand_made_base):
        rows = [(k, "a", str(k), f"2024-0{k}-01", None, 1, 10, None, None, None) for k in (1, 9)]
        with pytest.raises(ValueError, match="no margin is known"):
            account_actions(hand_made_base({"transactions": rows}), draws=2, **COSTS)

    def test_without_contracts_next_needs_are_left(self, hand_made_base):
        names, rows = [f"c{k:02d}" for k in range(40)], []
        for k, name in enumerate(names):
            months = {"1": "A", "4": "A", "8": "A", "11": "B" if k % 2 else "A"}
            for month, product in months.items():
                day = f"2024-{int(month):02d}-10"
                rows.append((len(rows), name, str(len(rows)), day, product, 1, 10, 0, 6, None))
        base = hand_made_base({"transactions": rows, "products": [("A", "tea"), ("B", "cups")]})
        found = account_actions(base, [names[0]], draws=5, horizon=12, **COSTS)
        assert set(found.skipped["action"]) == set(ACTIONS[:5])
        assert found.skipped["reason"].str.contains("contracts").all()
        assert found.frame["action"].tolist() == ["next need"]
        assert "cups" in found.frame["setting"].iloc[0]
        assert found.levels.empty
        assert "40 of 40 customers" in found.notes[0]

    def test_texts_in_place_of_numbers_are_refused_in_words(self, company):
        for name in ("floor", "visit_cost", "discount_rate"):
            with pytest.raises(ValueError, match=f"{name}='x'"):
                account_actions(company, **(COSTS | {name: "x"}))
        with pytest.raises(ValueError, match="five amounts of 0 or larger"):
            account_actions(company, **(COSTS | {"level_costs": list("abcde")}))

    def test_half_a_year_does_not_tell_who_stays(self, hand_made_base):
        rows = [(k, "a", str(k), f"2024-{k:02d}-01", "A", 1, 10, 0, 6, None) for k in (1, 3)]
        with pytest.raises(ValueError, match="purchases of a year are needed"):
            account_actions(hand_made_base({"transactions": rows}, end="2024-03-31"), **COSTS)

    def test_nobody_who_bought_before_tells_nothing(self, hand_made_base):
        rows = [(1, "a", "1", "2024-11-01", "A", 1, 10, 0, 6, None)]
        with pytest.raises(ValueError, match="nobody bought between"):
            account_actions(hand_made_base({"transactions": rows}), **COSTS)


def buyers(hand_made_base, **tables):
    """Give forty buyers of a year, of whom every other takes up cups."""
    rows = []
    for k in range(40):
        for month, product in {1: "A", 4: "A", 8: "A", 11: "B" if k % 2 else "A"}.items():
            day = f"2024-{month:02d}-10"
            rows.append((len(rows), f"c{k:02d}", str(len(rows)), day, product, 1, 10, 0, 6, None))
    products = [("A", "tea"), ("B", "cups")]
    return hand_made_base({"transactions": rows, "products": products} | tables)


def test_offers_earn_what_is_left_after_serving(hand_made_base):
    base = buyers(hand_made_base)
    free, served = (
        account_actions(
            base,
            ["c00"],
            draws=5,
            horizon=12,
            assumptions=ActionAssumptions(serving_share=share, dossier_cost=0.0),
            **COSTS,
        )
        .frame["value"]
        .iloc[0]
        for share in (0.0, 0.2)
    )
    # of 10 paid 6 are goods: serving at a fifth of revenue halves what is earned
    assert served == pytest.approx(free / 2, rel=EXACT)


def test_whose_contract_ended_is_not_weighed_by_purchases(hand_made_base):
    contracts = [("c00", "2024-01-01", "2024-12-01"), ("c01", "2024-01-01", None)]
    found = account_actions(buyers(hand_made_base, contracts=contracts), draws=2, **COSTS)
    assert "c00" not in found.customers and "c01" in found.customers
    assert found.notes[0].startswith("Who leaves could not be learned from contracts (")


def test_no_price_is_changed_where_nothing_is_paid_or_goods_came_back():
    frame = pd.DataFrame(
        {
            "revenue": [0.0, -90.0, 90.0],
            "list_value": [100.0, -100.0, 100.0],
            "goods": [30.0, -30.0, 30.0],
            "discount": [1.0, 0.1, 0.1],
        },
        index=pd.Index(list("abc"), name="customer_id"),
    )
    drawn = PriceDraws(np.ones(2), -np.ones(3), np.zeros(3), np.zeros((2, 3)), "None.")
    lever = discount_lever(AccountsNow(frame, frame, "EUR", ()), drawn, (-0.05, 0.05), 0.1)
    assert lever.open.tolist() == [[False, False], [False, False], [True, True]]


@pytest.fixture(scope="module")
def odd(tmp_path_factory):
    """Give a base without discounts, with odd kinds of contacts, levels and ids."""
    tables = dict(simulate_company(200, 36, 4).tables())
    tables["transactions"] = order_lines(tables["transactions"])
    tables["transactions"]["discount"] = pd.Series(
        [None] * len(tables["transactions"]), dtype=float
    )
    tables["interactions"] = tables["interactions"].assign(kind="客访")
    levels = tables["contracts"]["relationship_level"].astype(object)
    tables["contracts"]["relationship_level"] = levels.where(np.arange(len(levels)) % 5 > 0)
    named = {
        name: frame.assign(customer_id="O'B \"" + frame["customer_id"].astype(str))
        if "customer_id" in frame
        else frame
        for name, frame in tables.items()
    }
    end = pd.to_datetime(tables["transactions"]["date"]).max() + pd.offsets.MonthEnd(0)
    path = tmp_path_factory.mktemp("odd") / "base.duckdb"
    said = {"start": "2023-01-01", "end": str(end.date()), "identifiable": "false"}
    return write_base(path, named, **said)


def test_what_needs_no_contacts_is_weighed_without_them(odd):
    gone = odd.query(
        'select customer_id from contracts where "end" < $end order by 1 limit 1', end=odd.end
    )["customer_id"].tolist()
    here = odd.query('select customer_id from contracts where "end" is null order by 1 limit 3')
    found = account_actions(odd, [*here["customer_id"], *gone], draws=2, **COSTS)
    reasons = found.skipped.set_index("action")["reason"]
    assert "the interactions know none of these kinds" in reasons["contacts"]
    assert "the interactions know none of these kinds" in reasons["complaint process"]
    assert reasons["discount"] == "discounts are not known (transactions.discount)"
    assert "relationship level" in set(found.frame["action"])
    told = " ".join((*found.notes, *reasons))
    assert "relationship level is not known: they are taken to stand at accountable" in told
    assert "left out: 1 account." in told
    assert "O'B" not in told


def test_no_kind_need_be_a_contact(company, largest):
    found = account_actions(company, largest[:1], draws=2, contact_kinds=(), **COSTS)
    reasons = found.skipped.set_index("action")["reason"]
    assert reasons["contacts"] == "no interaction is a contact"
    assert "discount" in set(found.frame["action"])
