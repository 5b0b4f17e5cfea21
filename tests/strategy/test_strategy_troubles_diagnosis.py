"""The five troubles: told as the chapters tell them, or left out with a reason; the rules."""

import numpy as np
import pandas as pd
import pytest
from account_bases import order_lines, write_base
from account_bases import telecom_base as made_base
from keycustomer import pareto, relationships
from keycustomer.customers import customer_table
from keycustomer.simulate import simulate_company
from keycustomer.stats import Estimate
from keycustomer.strategy import (
    TROUBLES,
    company_symptoms,
    diagnose_troubles,
    leaving_by_tier,
)
from keycustomer.strategy.troubles.diagnosis import tiers_by_month, turned, verdict_of
from keycustomer.strategy.troubles.vocabulary import FURTHER

SAME = 1e-9
"""Two ways of the same computation."""

ROUNDED = 2e-4
"""Tables hold quantities to the hundredth and prices to the hundredth of a cent."""

ACCOUNTS, SEED = 250, 4


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return made_base(tmp_path_factory.mktemp("troubles") / "base.duckdb", ACCOUNTS)


@pytest.fixture(scope="module")
def months(base):
    return relationships.customer_months(base)


@pytest.fixture(scope="module")
def diagnosis(base, months):
    return diagnose_troubles(base, months=months, draws=100)


def test_troubles_are_told_as_the_chapters_tell_them(base, months, diagnosis):
    contested = pareto.abc_change(customer_table(base), "revenue", "profit").contested
    assert diagnosis.of("a") == contested
    record = relationships.read_service(base, months=months)
    tiers = pareto.abc_by_rank(
        months.frame.groupby("customer_id", as_index=False)["revenue"].mean()
    )
    tiers = tiers.customers.set_index("customer_id")["abc"]
    apart = relationships.tier_differences(
        relationships.service_indicators(record, tiers, draws=100), permutations=9
    )
    row = apart.frame.set_index("indicator").loc["contacts_a_year"]
    assert diagnosis.of("b").estimate == row["estimate"]
    assert (diagnosis.of("b").lower, diagnosis.of("b").upper) == tuple(
        row[["equal_lower", "equal_upper"]]
    )
    assert diagnosis.verdict("b") == apart.verdict
    assert diagnosis.of("c") == relationships.channel_overlap(base).conflict_share
    model = relationships.fit_churn(relationships.churn_features(months))
    odds = model.odds_ratios().set_index("feature").loc["size_log"]
    assert diagnosis.of("e").estimate == pytest.approx(odds["odds_ratio"], rel=SAME)
    assert diagnosis.of("e").lower == pytest.approx(odds["lower"], rel=SAME)


def test_every_trouble_has_its_row_verdict_and_words(diagnosis):
    frame = diagnosis.to_frame()
    assert list(frame["trouble"]) == list("abcde")
    assert set(frame["verdict"]) <= {"supported", "not supported", "undecided"}
    assert list(diagnosis.further["key"]) == ["overlooked", "thinner", "large_leaving"]
    for letter in TROUBLES:
        assert letter in diagnosis.sentence
    assert frame["sentence"].str.len().min() > 30
    html = diagnosis._repr_html_()
    assert "Simulated data" in html
    with pytest.raises(KeyError, match="no indicator 'x'"):
        diagnosis.of("x")


def test_a_company_shows_what_its_base_shows(diagnosis):
    """The indicators that remedies are judged by are those of the diagnosis."""
    found = company_symptoms(simulate_company(ACCOUNTS, 36, SEED))
    for letter, key in {
        "a": "overlooked",
        "b": "b",
        "c": "c",
        "d": "d",
        "e": "large_leaving",
    }.items():
        assert found[letter] == pytest.approx(diagnosis.of(key).estimate, abs=ROUNDED), letter


def test_tiers_may_be_given(base, months, diagnosis):
    halves = pd.Series(
        np.where(np.arange(len(months.customers)) % 2, "second", "first"),
        index=months.customers["customer_id"],
    )
    found = diagnose_troubles(base, months=months, tiers=halves, draws=50)
    assert found.parts["b"].first == "first"
    assert found.parts["leaving"].large == ("first",)
    assert found.of("b").estimate != diagnosis.of("b").estimate
    assert found.of("a") == diagnosis.of("a")


def test_a_base_tells_what_it_can(hand_made_base):
    rows = [
        (n, f"k{n % 40}", f"o{n}", "2024-03-01", "p", 1, 5 + n % 40, 0, None, None)
        for n in range(190)
    ]
    found = diagnose_troubles(hand_made_base({"transactions": rows}), draws=50)
    assert list(found.frame["trouble"]) == ["a"], found.skipped.to_dict()
    assert found.frame["indicator"].iloc[0].endswith("by orders")
    missing = found.skipped.set_index("trouble")["reason"]
    assert missing["b"] == "contracts.start, interactions"
    assert missing["c"].startswith("customers.manager")
    assert missing["d"] == "transactions.cost"
    assert missing["e"] == "contracts.start"
    assert "nothing can be told of b, c, d and e" in found.sentence


def test_answers_alone_tell_of_no_trouble(hand_made_base):
    found = diagnose_troubles(hand_made_base({"customers": [("k1", "One")]}))
    assert found.frame.empty
    assert len(found.skipped) == 5
    assert found.sentence == "None of the five troubles can be told from this base"
    found._repr_html_()


def test_what_a_chapter_refuses_is_a_reason_and_names_nobody(hand_made_base):
    rows = [(1, "Miller", "o1", "2024-03-01", "p", 1, 5, 0, 3, "corner shop")]
    for identifiable in ("true", "false"):
        base = hand_made_base({"transactions": rows}, identifiable=identifiable)
        missing = diagnose_troubles(base, draws=20).skipped.set_index("trouble")["reason"]
        assert ("'corner shop'" in missing["c"]) == (identifiable == "true")
        assert "same product in both parts" in missing["d"]


def at(lower, upper):
    return Estimate((lower + upper) / 2, lower, upper, "", 100, "made up")


@pytest.mark.parametrize(
    ("trouble", "there", "absent", "open_"),
    [
        ("a", (0.2, 0.3), (0.01, 0.09), (0.05, 0.2)),
        ("c", (0.11, 0.3), (0.01, 0.1), (0.05, 0.2)),
        ("d", (0.01, 0.1), (-0.1, 0.0), (-0.1, 0.1)),
        ("e", (1.1, 1.4), (0.7, 1.0), (0.9, 1.2)),
    ],
)
def test_verdicts_where_a_trouble_is_there_absent_and_undecidable(trouble, there, absent, open_):
    rule = TROUBLES[trouble]
    assert verdict_of(rule, at(*there)) == "supported"
    assert verdict_of(rule, at(*absent)) == "not supported"
    assert verdict_of(rule, at(*open_)) == "undecided"
    assert verdict_of(rule, Estimate.without_interval(1.0, "", 1, "one")) == "undecided"


def test_a_trouble_below_its_threshold_is_there():
    assert TROUBLES["b"].beyond(1.1)
    assert not TROUBLES["b"].beyond(3.0)
    assert FURTHER["overlooked"].beyond(0.5)
    assert verdict_of(TROUBLES["b"], at(1.0, 1.2)) == "supported"


def test_turning_keeps_the_interval_in_order():
    one = turned(at(-0.3, -0.1))
    assert (one.estimate, one.lower, one.upper) == (0.2, 0.1, 0.3)


def months_of(leavers, size, staying):
    """Customer-months: `leavers` of `size` customers leave in their last month."""
    return pd.DataFrame(
        [
            {"customer_id": f"{prefix}{k}", "left": month == staying - 1 and k < gone}
            for prefix, gone, count in (("L", leavers[0], size[0]), ("S", leavers[1], size[1]))
            for k in range(count)
            for month in range(staying)
        ]
    )


def test_leaving_rates_by_hand():
    frame = months_of((30, 20), (100, 100), 10)
    tiers = pd.Series(
        pd.Categorical(["large"] * 100 + ["small"] * 100, ["large", "small"], ordered=True),
        index=[*(f"L{k}" for k in range(100)), *(f"S{k}" for k in range(100))],
    )
    found = leaving_by_tier(frame, tiers, draws=400)
    rates = found.frame.set_index("tier")
    assert rates.loc["large", "rate"] == pytest.approx(12 * 30 / 1000)
    assert rates.loc["others", "left"] == 20
    assert found.ratio.estimate == pytest.approx(1.5)
    # delta method on the logarithm, with binomial leavers
    error = np.sqrt(0.7 / 30 + 0.8 / 20)
    assert np.log(found.ratio.upper / found.ratio.lower) == pytest.approx(
        2 * 1.96 * error, rel=0.25
    )
    assert found.verdict == "undecided"
    assert "1.50 times as many" in found.sentence
    with pytest.raises(ValueError, match="two tiers are needed"):
        leaving_by_tier(frame, tiers.astype(str).replace("small", "large"))


def test_who_stays_long_is_not_large_for_that():
    frame = pd.DataFrame(
        {
            "customer_id": ["short", "long", "long", "long"] + [f"k{n}" for n in range(18)],
            "revenue": [9.0, 5.0, 5.0, 5.0] + [1.0] * 18,
        }
    )
    assert tiers_by_month(frame)["short"] == "A"


@pytest.fixture(scope="module")
def made_odd(tmp_path_factory):
    tables = dict(simulate_company(ACCOUNTS, 36, SEED).tables())
    tables["transactions"] = order_lines(tables["transactions"])
    end = pd.to_datetime(tables["transactions"]["date"]).max() + pd.offsets.MonthEnd(0)

    def make(**changed):
        path = tmp_path_factory.mktemp("odd") / "base.duckdb"
        said = {"start": "2023-01-01", "end": str(end.date())}
        return write_base(path, tables | {k: f(tables[k]) for k, f in changed.items()}, **said)

    return make


def test_refunds_alone_do_not_tell_who_is_large(made_odd):
    amounts = ["quantity", "revenue", "discount", "cost"]
    base = made_odd(transactions=lambda t: t.assign(**{c: -t[c] for c in amounts}))
    skipped = diagnose_troubles(base, draws=20).skipped.set_index("trouble")["reason"]
    assert skipped["e"] == "the base does not tell what customers bought before they left"
    assert "no usable order line" in skipped["d"]


def test_kinds_that_are_not_recorded_hide_service_alone(made_odd):
    found = diagnose_troubles(made_odd(interactions=lambda t: t.assign(kind="客访")), draws=20)
    assert list(found.frame["trouble"]) == ["a", "c", "d", "e"]
    assert "the interactions know none of these kinds" in found.skipped["reason"].iloc[0]
    assert found.sentence.endswith("nothing can be told of b")


def test_no_contact_of_anybody_is_no_ratio(made_odd):
    found = diagnose_troubles(made_odd(interactions=lambda t: t.iloc[:0]), draws=20)
    assert "0.0 and 0.0 a year are recorded" in found.skipped["reason"].iloc[0]
    assert found.frame["estimate"].notna().all()


def test_what_fails_beside_a_trouble_does_not_hide_it(base, months):
    one = pd.Series("x", months.customers["customer_id"])
    found = diagnose_troubles(base, months=months, tiers=one, draws=20)
    reasons = found.skipped.set_index("trouble")["reason"]
    assert reasons["e"].startswith("beside it, leaving rate of the large")
    assert "e" in list(found.frame["trouble"])
    assert found.sentence.endswith("nothing can be told of b")


def test_few_customers_decide_nothing(hand_made_base):
    rows = [
        (2 * k + late, f"c{k}", str(2 * k + late), f"2024-{2 + 8 * late:02d}-05", "p", 1,
         10 - 3 * late, 3 * late, 5, None)
        for k in range(3)
        for late in (0, 1)
    ]  # fmt: skip
    found = diagnose_troubles(hand_made_base({"transactions": rows}), draws=50)
    assert found.of("d").lower > 0
    assert found.verdict("d") == found.verdict("thinner") == "undecided"
    assert "fewer than 20: no verdict is given" in found.parts["d"].notes[-1]


def test_a_customer_has_one_tier():
    months = pd.DataFrame({"customer_id": ["a", "b"], "left": [0, 1]})
    with pytest.raises(ValueError, match="'a' comes more than once"):
        leaving_by_tier(months, pd.Series(["x", "y"], ["a", "a"]))


def test_a_yardstick_on_which_all_are_alike_contests_nothing(hand_made_base):
    rows = [
        (k, f"c{k:02d}", str(k), "2024-05-05", "p", 1, 10 * (k + 1), 0, None, None)
        for k in range(30)
    ]
    found = diagnose_troubles(hand_made_base({"transactions": rows}), draws=20)
    reason = found.skipped.set_index("trouble")["reason"]["a"]
    assert "all 30 customers have the same orders" in reason
    assert "a" not in found.estimates
