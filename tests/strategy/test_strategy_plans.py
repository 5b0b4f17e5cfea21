"""Account plans: their figures computed another way, what is missing said, one printed page."""

import re

import numpy as np
import pandas as pd
import pytest
from account_bases import telecom_base, write_base
from hypothesis import given, settings
from hypothesis import strategies as st
from keycustomer.dimensions import open_dossiers
from keycustomer.pareto import abc_by_value
from keycustomer.strategy import account_actions, account_plans
from keycustomer.strategy.plans.care import contract_columns, plan_term
from keycustomer.strategy.plans.chosen_actions import best_actions, read_actions
from keycustomer.strategy.plans.gaps import value_gaps, weakest
from keycustomer.strategy.plans.prices import permitted_discount

HOSTILE = "<script>alert('x')</script> & \"Söhne\" \u202e 电话 " + "Verlängerungsbau" * 12
LEAVES = re.compile(rb"/Type\s*/Page[^s]")
ROUNDING = 1e-9
YEAR = pd.Timestamp("2025-01-01")


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return telecom_base(tmp_path_factory.mktemp("telecom") / "base.duckdb")


@pytest.fixture(scope="module")
def plans(base):
    return account_plans(base)


@pytest.fixture(scope="module")
def weighed(base, plans):
    return account_actions(
        base, plans.customers, level_costs=(0, 3, 8, 20, 60), visit_cost=60, call_cost=9, draws=10
    )


@pytest.fixture(scope="module")
def planned(plans, weighed):
    return plans.with_actions(weighed)


def actions_of(rows):
    """Frame of actions from (customer, action, setting, value, lower, upper)."""
    names = ["customer_id", "action", "setting", "value", "lower", "upper"]
    frame = pd.DataFrame(rows, columns=names)
    return frame.assign(present="as today", cost=10.0, assumption="None.")


def test_accounts_are_the_largest_of_the_last_year_that_are_still_there(base, plans):
    lines = base.query("from transactions where date >= $day", day=YEAR)
    lines["margin"] = lines["revenue"] - lines["cost"]
    served = base.query("from interactions where date >= $day", day=YEAR)
    profit = (
        lines.groupby("customer_id")["margin"]
        .sum()
        .sub(served.groupby("customer_id")["cost"].sum(), fill_value=0)
    )
    contracts = base.query("from contracts")
    running = contracts[contracts["end"].isna() | (contracts["end"] >= pd.Timestamp(base.end))]
    ranked = profit[profit.index.isin(lines["customer_id"])].sort_values(ascending=False)
    there = ranked[ranked.index.isin(running["customer_id"])]
    assert plans.customers == there.index[:10].tolist()
    np.testing.assert_allclose(plans.frame["value_now"], there[:10], rtol=ROUNDING)
    place = [ranked.index.get_loc(one) + 1 for one in plans.customers]
    assert plans.frame["rank"].tolist() == place
    gone = place[-1] - 10
    said = " ".join(plans.notes)
    assert ("no plan" in said) == (gone > 0) and (not gone or f"{gone} account" in said)


def test_classes_come_from_the_value_of_the_last_year_or_as_given(base, plans):
    now = plans.book.now.reset_index()
    classes = abc_by_value(now, "profit").customers.set_index("customer_id")["abc"]
    assert plans.frame["class"].tolist() == classes[plans.customers].tolist()
    other = pd.DataFrame({"customer_id": plans.customers[:2], "abc": ["B", "C"]})
    graded = account_plans(base, n=3, classes=other, book=plans.book).frame["class"]
    assert graded[:2].tolist() == ["B", "C"] and pd.isna(graded[2])
    with pytest.raises(ValueError, match="comes more than once"):
        account_plans(base, classes=pd.concat([other, other]), book=plans.book)
    with pytest.raises(ValueError, match="classes: column 'abc' is missing"):
        account_plans(base, classes=other[["customer_id"]], book=plans.book)


@given(listed=st.floats(1, 1e6), share=st.floats(0, 1.5), floor=st.floats(0, 3))
@settings(max_examples=40)
def test_the_permitted_discount_leaves_exactly_the_floor(listed, share, floor):
    cost = share * listed
    x = float(permitted_discount(listed, cost, floor).iloc[0])
    assert 0 <= x <= 1
    if x > 0:
        assert listed * (1 - x) == pytest.approx((1 + floor) * cost, rel=1e-9, abs=1e-9 * listed)
    else:
        assert listed <= (1 + floor) * cost * (1 + ROUNDING)


def test_prices_agree_with_the_order_lines(base, plans):
    lines = base.query("from transactions join products using (product_id)")
    lines = lines[pd.to_datetime(lines["date"]) >= YEAR]
    lines["listed"] = lines["revenue"] + lines["discount"]
    for row in plans.frame.to_dict("records"):
        own = lines[lines["customer_id"] == row["customer_id"]]
        sums = own[["listed", "cost", "discount"]].sum()
        assert row["discount"] == pytest.approx(sums["discount"] / sums["listed"])
        permitted = 1 - 1.1 * sums["cost"] / sums["listed"]
        assert row["discount_permitted"] == pytest.approx(permitted)
        by = own.groupby("category")[["listed", "cost"]].sum()
        room = 1 - 1.1 * by["cost"] / by["listed"]
        assert row["tightest_category"] == room.idxmin()
        assert row["tightest_permitted"] == pytest.approx(room.min())


def test_a_customer_without_list_prices_or_costs_has_no_permitted_discount():
    rooms = permitted_discount(
        pd.Series([np.nan, 0.0, 100.0, 100.0]), pd.Series([1.0, 1.0, np.nan, 99.0]), 0.1
    )
    assert rooms.isna().tolist() == [True, True, True, False]
    assert rooms[3] == 0.0


def test_service_agrees_with_the_contacts(base, plans):
    rows = base.query("from interactions")
    rows["recent"] = pd.to_datetime(rows["date"]) >= YEAR
    for plan in plans.frame.to_dict("records"):
        own = rows[rows["customer_id"] == plan["customer_id"]]
        complained = own[own["kind"] == "complaint"]
        assert plan["complaints"] == complained["recent"].sum()
        assert plan["complaints_open"] == complained["resolved_on"].isna().sum()
        first = complained.loc[complained["recent"], "first_contact_resolution"]
        share = plan["first_contact_resolution"]
        assert np.isnan(share) if first.empty else share == pytest.approx(first.mean())
        ours = own[own["kind"].isin(["visit", "call"])]
        assert plan["last_contact"] == ours["date"].max()


def test_who_is_in_charge_and_the_next_need(base, plans):
    people = base.query("from customers").set_index("customer_id")
    for row in plans.frame.to_dict("records"):
        known = people.loc[row["customer_id"], ["manager", "agent"]].notna()
        both = bool(known.all())
        assert row["in_charge"] == (
            "agent and manager" if both else "manager" if known["manager"] else
            "agent" if known["agent"] else "nobody"
        )  # fmt: skip
        assert row["conflict"] >= both
        suggested = plans.book.needs.of(row["customer_id"])
        if len(suggested):
            assert row["next_need"] == suggested["category"].iloc[0]
            assert row["next_need_chance"] == suggested["probability"].iloc[0]


@pytest.mark.parametrize(
    ("plan", "months"),
    [
        ("24 months", 24), ("12-month term", 12), ("monthly", 1), ("2 years", 24),
        ("yearly", 12), ("fair use", None), ("0 months", None), (None, None),
    ],
)  # fmt: skip
def test_terms_are_read_from_the_name_of_a_plan(plan, months):
    assert plan_term(plan) == months


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """Seven accounts, with contracts in every state and a survey of six in two waves."""
    days = pd.date_range("2024-01-15", "2024-12-15", freq="MS")
    ids = [f"c{i}" for i in range(7)]
    lines = pd.DataFrame([(c, d, 10.0 * (i + 1)) for i, c in enumerate(ids) for d in days])
    lines = lines.set_axis(["customer_id", "date", "revenue"], axis=1)
    lines = lines.assign(
        line=range(len(lines)), order_id=None, product_id=None, quantity=1, discount=None,
        cost=None, channel=None,
    )  # fmt: skip
    contracts = pd.DataFrame(
        [
            ("c0", "2024-03-01", None, "12 months", "basic"),
            ("c1", "2022-07-01", None, "24 months", "reactive"),
            ("c2", "2024-01-01", "2025-03-31", "fair use", None),
            ("c3", "2024-01-01", None, "fair use", "basic"),
            ("c4", "2023-01-01", "2024-06-30", "12 months", "basic"),
            ("c5", "2024-06-15", None, "monthly", "basic"),
            ("c6", "2023-01-01", "2023-12-31", "12 months", "basic"),
            ("c6", "2024-01-01", None, "12 months", "partnership"),
        ],
        columns=["customer_id", "start", "end", "price_plan", "relationship_level"],
    ).astype({"start": "datetime64[ns]", "end": "datetime64[ns]"})
    marks = {
        "functional_price": [1, 4, 4, 4, 5, 5, 2, 7, 7, 7, 7],
        "social_brand": [3, 4, 5, 6, 4, 4, 7, 7, 7, 7, 7],
        "sacrifice_effort": [2, 4, 4, 4, 4, 4, 7, 7, 7, 7, 7],
        "importance_price": [7, 3, 3, 3, 3, 3, 6, 7, 7, 7, 7],
        "importance_brand": [4, 3, 3, 3, 3, 3, 7, 7, 7, 7, 7],
    }
    survey = pd.DataFrame(marks).assign(
        customer_id=["c0", "c0", "c1", "c2", "c3", "c4", "c5", *"wxyz"], wave=[*"12222221111"]
    )
    made = {"transactions": lines, "contracts": contracts, "survey": survey}
    kinds = {
        "functional": ["functional_price"], "social": ["social_brand"],
        "sacrifice": ["sacrifice_effort"],
    }  # fmt: skip
    folder = tmp_path_factory.mktemp("small")
    return write_base(folder / "base.duckdb", made, title="Seven", constructs=kinds)


def test_contracts_run_to_their_end_or_their_next_renewal(small):
    found = contract_columns(open_dossiers(small))
    until = found["contract_until"].dt.strftime("%Y-%m-%d").dropna()
    assert until.to_dict() == {
        "c0": "2025-02-28", "c1": "2026-06-30", "c2": "2025-03-31",
        "c4": "2024-06-30", "c5": "2025-01-14", "c6": "2024-12-31",
    }  # fmt: skip
    assert found["contract_ended"].astype(bool).tolist() == [c == "c4" for c in found.index]
    assert found.loc["c6", "level_now"] == "partnership"
    assert found.loc["c4", "months_left"] == 0
    assert found.loc["c0", "months_left"] == pytest.approx(59 / (365.25 / 12))


def test_the_weakest_dimension_stands_lowest_beside_others(small):
    book = open_dossiers(small)
    gaps = value_gaps(book, ["c5", "c0", "c6"], ["functional", "social"], ["sacrifice"])
    assert gaps["customer_id"].unique().tolist() == ["c5", "c0"]
    own = gaps[gaps["customer_id"] == "c5"].set_index("dimension")
    others = np.array([4, 4, 4, 5, 5.0])
    standing = (2 - others.mean()) / others.std(ddof=1)
    assert own.loc["functional", "standing"] == pytest.approx(standing)
    assert own.loc["sacrifice", "respondents"] == 5
    # the others agree on sacrifices, so that no standing among them can be told
    assert np.isnan(own.loc["sacrifice", "standing"])
    low = weakest(book, ["c5", "c0", "c6"], gaps)
    assert low.loc["c5", "weakest_dimension"] == "functional"
    assert low.loc["c5", "open_need"] == "price" and low.loc["c5", "open_need_importance"] == 6
    # of its two questionnaires the later one counts
    assert low.loc["c0", "weakest_rating"] == 4 and pd.isna(low.loc["c0", "open_need"])
    assert low.loc["c6"].isna().all()


def test_less_is_better_of_a_sacrifice(small):
    book = open_dossiers(small)
    as_benefit, as_sacrifice = (
        value_gaps(book, ["c5"], *sides)["standing"].iloc[0]
        for sides in ((["social"], []), ([], ["social"]))
    )
    assert as_sacrifice == -as_benefit < 0


def test_what_a_base_lacks_is_left_out_and_said(small, cdnow_base):
    plans = account_plans(small, n=10)
    assert plans.customers == ["c6", "c5", "c3", "c2", "c1", "c0"]
    assert plans.by == "revenue" and len(plans.frame) == 6
    assert "Only 6 accounts" in " ".join(plans.notes)
    bare = account_plans(cdnow_base, n=4)
    assert {"price position", "permitted discount", "service", "channel", "actions"} <= set(
        bare.missing
    )
    unknown = ["complaints", "conflict", "level_now", "weakest_dimension", "promised"]
    assert bare.frame[unknown].isna().all(axis=None)
    assert bare.total is None and "no actions were given" in bare.sentence
    page = bare.page(bare.customers[0])
    assert set(page.missing) >= {"What to do", "Where value falls short", "Service"}
    assert "imulated" not in re.sub(r"<style>.*?</style>", "", page.html, flags=re.S)
    assert "account_actions" in page.missing["What to do"]


def test_a_base_that_records_no_complaint_knows_of_none(hand_made_base):
    rows = {
        "transactions": [
            (i, f"c{i % 4}", None, f"2024-0{1 + i % 9}-11", None, 1, 10 + i, None, None, None)
            for i in range(20)
        ],
        "interactions": [("c1", "2024-05-05", "campaign", None)],
    }
    plans = account_plans(hand_made_base(rows))
    assert plans.frame["complaints"].isna().all()
    assert "records no complaint" in plans.missing["complaints"]
    told = plans.page("c1")["service"]
    assert "Complaints are not recorded" in told.missing
    assert {fact.name for fact in told.facts} >= {"last contact"}


def test_three_best_actions_one_of_a_kind_and_none_that_loses():
    rows = [
        ("a", "discount", "5 %", 50, 1, 90), ("a", "discount", "10 %", 80, -5, 200),
        ("a", "contacts", "more", 70, 60, 80), ("a", "next need", "voice", -4, -9, 2),
        ("a", "relationship level", "basic", 75, 0, 150), ("a", "complaint process", "x", 1, 0, 2),
        ("b", "discount", "5 %", -1, -2, 0), ("c", "discount", "5 %", 9, 8, 10),
    ]  # fmt: skip
    found = best_actions(read_actions(actions_of(rows)), ["b", "a"], 3)
    assert found["customer_id"].tolist() == ["a"] * 3
    assert found["value"].tolist() == [80, 75, 70] and found["place"].tolist() == [1, 2, 3]
    assert found["setting"].iloc[0] == "10 %"


def test_a_frame_of_values_is_added_up_with_its_ends(base, plans):
    one, two, three = plans.customers[:3]
    rows = [
        (one, "discount", "5 %", 50, 10, 90), (one, "contacts", "more", 70, -60, 80),
        (two, "discount", "5 %", -1, -2, 0),
    ]  # fmt: skip
    decided = plans.with_actions(actions_of(rows), recommended=pd.Series({one: "basic"}))
    frame = decided.frame.set_index("customer_id")
    names = ["promised", "promised_lower", "promised_upper"]
    assert frame.loc[one, names].tolist() == [120, -50, 170]
    assert frame.loc[two, names].tolist() == [0, 0, 0]
    # not weighed is not known
    assert np.isnan(frame.loc[three, "promised"])
    assert (decided.total.estimate, decided.total.lower, decided.total.n) == (120, -50, 2)
    assert "For 8 accounts no action was weighed." in decided.notes
    assert frame.loc[one, "level_recommended"] == "basic"
    assert pd.isna(frame.loc[two, "level_recommended"])
    assert frame.loc[one, ["action_1", "action_2"]].tolist() == ["contacts", "discount"]
    assert "No action promises more" in decided.page(two)["actions"].finding
    assert "No action was weighed" in decided.page(three)["actions"].missing
    same = account_plans(base, actions=actions_of(rows), book=plans.book)
    assert same.total == decided.total
    assert plans.total is None and plans.frame["promised"].isna().all()
    # other actions take the place of these
    again = decided.with_actions(actions_of([(three, "discount", "5 %", 5, 1, 9)]))
    assert again.total.estimate == 5 and "For 9 accounts no action was weighed." in again.notes
    assert not any("For 8" in note for note in again.notes)


def test_weighed_actions_promise_together_what_they_say(planned, weighed):
    promise = weighed.promise(planned.customers, 3)
    assert planned.total == promise.joint and planned.plain == promise.plain
    joint = promise.frame.set_index("customer_id")["joint"]
    assert planned.frame["promised"].tolist() == joint[planned.customers].tolist()
    assert planned.frame["promised"].sum() == pytest.approx(planned.total.estimate)
    today = weighed.today.set_index("customer_id")["value"]
    assert planned.frame["potential"].tolist() == today[planned.customers].tolist()
    assert (planned.horizon, planned.potential_of, planned.potential_months) == (36, "profit", 36)
    levels = weighed.levels[planned.customers]
    assert planned.frame["level_recommended"].tolist() == levels.tolist()
    for customer in planned.customers[:3]:
        own = planned.actions[planned.actions["customer_id"] == customer]
        assert own["action"].tolist() == weighed.top(customer, 3)["action"].tolist()


def test_before_actions_the_potential_is_the_residual_lifetime_value(plans):
    values = plans.book.values.frame.set_index("customer_id")["residual_value"]
    assert plans.frame["potential"].tolist() == values[plans.customers].tolist()
    assert plans.potential_of == "margin" and plans.potential_months == pytest.approx(36, abs=0.1)
    assert plans.frame["months_expected"].isna().all()


def test_wrong_actions_are_refused_with_the_cure(plans):
    rows = [(plans.customers[0], "discount", "5 %", 50, 10, 90)]
    with pytest.raises(ValueError, match="actions: column 'assumption' is missing"):
        plans.with_actions(actions_of(rows).drop(columns="assumption"))
    with pytest.raises(ValueError, match=r"actions.value: nan of 'discount' for account 'K0"):
        plans.with_actions(actions_of(rows).assign(value=np.nan))
    with pytest.raises(ValueError, match=r"none of the 10 accounts with a plan was weighed"):
        plans.with_actions(actions_of([("K1", *rows[0][1:])]))
    levels = pd.Series(["basic", "basic"], index=[plans.customers[0]] * 2)
    with pytest.raises(ValueError, match=r"recommended: .* comes more than once"):
        plans.with_actions(actions_of(rows), recommended=levels)


def test_wrong_arguments_are_refused(base, plans):
    book = plans.book
    with pytest.raises(ValueError, match="n=0: a whole number of accounts"):
        account_plans(base, n=0, book=book)
    with pytest.raises(ValueError, match="floor=-1: a share of unit cost"):
        account_plans(base, floor=-1, book=book)
    with pytest.raises(ValueError, match="by='revenue', but the book counts profit"):
        account_plans(base, by="revenue", book=book)
    with pytest.raises(ValueError, match=r"'taste' is no construct .* there are 'functional'"):
        account_plans(base, benefits=["taste"], book=book)
    with pytest.raises(KeyError, match="no customer 'K1'"):
        account_plans(base, customers=["K1"], book=book)
    with pytest.raises(ValueError, match="comes more than once"):
        account_plans(base, customers=plans.customers[:1] * 2, book=book)
    with pytest.raises(ValueError, match="a list of customer ids is needed"):
        account_plans(base, customers=plans.customers[0], book=book)
    with pytest.raises(KeyError, match="no plan for customer 'K1'; there are plans for 10"):
        plans.page("K1")
    with pytest.raises(KeyError, match="no part 'tools' of a plan; there are actions, value"):
        plans.page(plans.customers[0])["tools"]


def test_named_accounts_get_plans_even_when_they_left(base, plans):
    ended = contract_columns(plans.book)["contract_ended"]
    left = ended.index[ended.astype(bool)][0]
    other = account_plans(base, customers=[left, plans.customers[3]], book=plans.book)
    assert other.customers == [left, plans.customers[3]]
    told = {fact.name: fact.value for fact in other.page(left)["care"].facts}
    assert told["contract"].startswith("ended 20")


def test_the_page_says_what_to_do_and_opens_offline(planned):
    customer = planned.customers[0]
    page = planned.page(customer)
    row = planned.row(customer)
    assert len(page["actions"].rows) == planned.actions["customer_id"].eq(customer).sum()
    assert f"{row['promised']:,.0f} EUR" in page["actions"].finding
    assert "over 36 months" in page["actions"].finding
    facts = {fact.name: fact.value for fact in page["value"].facts}
    assert facts["potential value"] == f"{row['potential']:,.0f} EUR"
    assert "still a customer" not in facts
    assert "http" not in page.html.replace("http-equiv", "") and "<script" not in page.html
    assert "Simulated data. No real customer, no real firm." in page.html
    assert page.html.count("<h1>") == 1 and "Account plan" in page.html
    assert ">nan<" not in page.html and "None" not in re.sub(r"<[^>]*>", "", page.html)


def test_hostile_texts_stay_text(base, plans, tmp_path):
    rows = [(plans.customers[0], f"{HOSTILE}{k}", HOSTILE, 50.0 + k, 10, 90) for k in range(3)]
    frame = actions_of(rows).assign(present=HOSTILE, assumption=HOSTILE)
    level = pd.Series({plans.customers[0]: HOSTILE})
    decided = plans.with_actions(frame, recommended=level)
    page = decided.page(plans.customers[0], HOSTILE)
    assert "<script" not in page.html and "&lt;script&gt;" in page.html
    assert "<script" not in page._repr_html_() and "<script" not in decided._repr_html_()
    assert page.label.startswith("<script>")
    paths = decided.save(tmp_path / "new", labels={plans.customers[0]: "K-17"})
    assert [path.name for path in paths[:2]] == ["plan_001.html", "plan_002.html"]
    assert "<h1>K-17</h1>" in paths[0].read_text(encoding="utf-8")


def test_who_may_not_be_named_is_not(tmp_path):
    base = telecom_base(tmp_path / "base.duckdb", 120, identifiable="false")
    plans = account_plans(base, n=2)
    customer = plans.customers[1]
    record = base.query("from customers where customer_id = $c", c=customer).iloc[0]
    page = plans.page(customer)
    assert page.label == plans.frame["label"].iloc[1] == f"customer {plans.frame['rank'].iloc[1]}"
    for personal in ("customer_id", "name", "city"):
        assert str(record[personal]) not in page.html
    for person in (record["manager"], record["agent"]):
        assert pd.isna(person) or str(person) not in page.html


@pytest.mark.browser
def test_every_page_prints_on_one_sheet_and_fits_a_telephone(planned, chromium):
    from playwright.sync_api import sync_playwright

    rows = [(planned.customers[0], f"{HOSTILE}{k}", HOSTILE, 50.0, 10, 90) for k in range(3)]
    worst = actions_of(rows).assign(present=HOSTILE, assumption=HOSTILE)
    pages = [planned.page(one).html for one in planned.customers[:2]]
    pages.append(planned.with_actions(worst).page(planned.customers[0], HOSTILE).html)
    with sync_playwright() as engine:
        browser = engine.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        sheet = browser.new_page(viewport={"width": 360, "height": 700})
        for html in pages:
            sheet.set_content(html)
            assert sheet.evaluate("document.documentElement.scrollWidth") <= 360
            assert len(LEAVES.findall(sheet.pdf(prefer_css_page_size=True))) == 1
        browser.close()


def test_a_price_below_its_floor_is_not_called_permitted(hand_made_base):
    rows = [
        (k, name, str(k), f"2024-{month:02d}-05", "p", 1, 10, 2, cost, None)
        for k, (name, month, cost) in enumerate(
            (name, month, cost) for name, cost in (("a", 30), ("b", 6)) for month in (2, 9)
        )
    ]
    contracts = [("a", "2024-01-01", None), ("b", "2024-01-01", None)]
    plans = account_plans(
        hand_made_base({"transactions": rows, "contracts": contracts}),
        customers=["a", "b"],
        by="margin",
    )
    prices = plans.frame.set_index("customer_id")
    assert prices["discount_permitted"].tolist() == [0.0, pytest.approx(1 - 1.1 * 6 / 12)]
    assert prices["floor_kept"].tolist() == [False, True]
    below, above = (plans.page(name).html for name in "ab")
    assert "even its list price leaves less than 10 % over unit cost" in below
    assert "leaves 10 % over unit cost on the whole of its purchases" in above
    # what adds up to a loss cannot be shared out over classes, and keeps nobody from a plan
    assert "adds up to -32" in plans.missing["class"]
    assert prices["class"].isna().all()


def test_a_number_in_a_plan_that_is_no_term_is_left(tmp_path):
    assert plan_term("999999999999 months") is None
    assert plan_term("1200 months") == 1200


def test_levels_come_as_a_series(plans):
    with pytest.raises(TypeError, match="a Series of levels by customer_id is needed, not dict"):
        plans.with_actions(
            actions_of([(plans.customers[0], "contacts", "more", 1.0, 0.5, 2.0)]),
            recommended={"a": "basic"},
        )
