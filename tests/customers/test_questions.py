import datetime as dt

import handmade
import numpy as np
import pandas as pd
import pytest
from keycustomer.customers.answers import ranked, whole_customers
from keycustomer.customers.largest import halves
from keycustomer.customers.questions import QUESTIONS, differentiation
from keycustomer.customers.table import customer_table

PRODUCTS = pd.DataFrame(
    {"product_id": list("pqrstu"), "category": ["tea", "tea", "salt", "rice", "milk", None]}
)


def twenty(**costs):
    """Twenty customers, c01 with 2000 down to c20 with 100, two equal orders each."""
    rows = [
        (f"c{i:02d}", day, (21 - i) * 50.0, "p", costs.get(f"c{i:02d}", (21 - i) * 30.0))
        for i in range(1, 21)
        for day in ("2020-02-01", "2020-09-01")
    ]
    return handmade.lines(*rows)


def contacts(*rows):
    return pd.DataFrame(rows, columns=["customer_id", "date", "kind", "resolved_on", "cost"])


@pytest.fixture
def base(tmp_path):
    told = contacts(
        ("c02", "2020-03-01", "Complaint", "2020-03-02", 5),
        ("c02", "2020-04-01", "complaint ", None, 5),
        ("c03", "2020-04-01", "complaint", None, 5),
        ("c20", "2020-04-01", "complaint", None, 500),
        ("c20", "2020-04-02", "complaint", None, 5),
        ("c01", "2020-04-02", "visit", None, 5),
        ("c01", "2020-04-03", "visit", None, 5),
    )
    file = pd.DataFrame(
        {
            "customer_id": ["c01", "c02", "c19", "c20", "new1", "new2", "new3"],
            "size": ["large", "large", "small", "small", "small", "large", None],
        }
    )
    return handmade.handmade_base(
        tmp_path / "base.duckdb",
        attributes={"firmographic": ["size"]},
        transactions=twenty(c19=150.0),
        interactions=told,
        customers=file,
        products=PRODUCTS,
    )


def test_classes_are_the_top_5_next_15_and_rest(base):
    report = differentiation(base)
    assert report.class_sizes["customers"].tolist() == [1, 3, 16]
    # 100 + 200 + ... + 2000 = 21000, of which 2000 and 1900 + 1800 + 1700.
    assert report.class_sizes["value"].tolist() == [2000, 5400, 13600]
    assert report.class_sizes["share_value"].sum() == pytest.approx(1)
    assert report["gold"].customers["customer_id"].tolist() == ["c01"]
    assert report["gold"].share_value == pytest.approx(2000 / 21000)


def test_customers_that_cost_more_than_they_bring(base):
    answer = differentiation(base)["costing"]
    # c19: revenue 200, cost 300; c20: revenue 100, cost 60, complaints 505.
    assert answer.customers["customer_id"].tolist() == ["c20", "c19"]
    assert answer.customers["profit"].tolist() == [-465, -100]
    assert answer.value == -565
    assert "recorded costs and cost to serve" in answer.sentence


def test_large_customers_that_complained_repeatedly(base):
    answer = differentiation(base)["complaining"]
    # c20 complained twice but is small, c03 only once, the visits of c01 are no complaints.
    assert answer.customers["customer_id"].tolist() == ["c02"]
    assert answer.customers["complaints"].tolist() == [2]
    assert answer.customers["unresolved"].tolist() == [1]
    assert differentiation(base, complaints=1)["complaining"].n == 2
    none = differentiation(base, complaint_kinds=["beef"])["complaining"]
    assert none.n == 0
    assert "No interaction is of a kind beef; the kinds are" in none.sentence


def test_wanted_customers_most_like_the_large_come_first(base):
    answer = differentiation(base)["wanted"]
    assert answer.customers["customer_id"].tolist() == ["new2", "new3", "new1"]
    # Large: c01 and c02 are both class A or B, next to one imaginary average customer (1 in 5).
    assert answer.customers["share_large_alike"].tolist() == pytest.approx([2.2 / 3, 0.2, 0.2 / 3])
    assert answer.share_customers == pytest.approx(3 / 7)


def test_ties_are_broken_by_id(tmp_path):
    rows = [(name, "2020-05-05", 10.0) for name in ("b", "10", "9", "a", "007")]
    base = handmade.handmade_base(tmp_path / "b.duckdb", transactions=handmade.lines(*rows))
    report = differentiation(base, top=0.4, following=0.2)
    assert report.classes["customer_id"].tolist() == ["007", "10", "9", "a", "b"]
    assert report.classes["abc"].tolist() == ["A", "A", "B", "C", "C"]


@pytest.mark.parametrize(("n", "expected"), [(0, 0), (1, 1), (20, 1), (21, 2), (100, 5), (140, 7)])
def test_whole_customers_round_up_without_float_noise(n, expected):
    assert whole_customers(0.05, n) == expected


@pytest.mark.parametrize("customers", [1, 19, 20, 41])
def test_classes_agree_with_the_pareto_chapter(tmp_path, customers):
    abc_by_rank = pytest.importorskip("keycustomer.pareto.classes").abc_by_rank
    rows = [(f"c{i}", "2020-05-05", float(i // 3)) for i in range(customers)]
    base = handmade.handmade_base(tmp_path / "b.duckdb", transactions=handmade.lines(*rows))
    ours = differentiation(base).classes
    theirs = abc_by_rank(customer_table(base)).customers
    assert ours["customer_id"].tolist() == theirs["customer_id"].tolist()
    assert ours["abc"].tolist() == theirs["abc"].tolist()


def last_year(tmp_path, rows, **window):
    base = handmade.handmade_base(
        tmp_path / "b.duckdb", transactions=handmade.lines(*rows), **window
    )
    return base, differentiation(base)["last_largest"]


def test_last_years_largest_over_two_years(tmp_path):
    small = [(f"s{i}", "2019-07-01", 10.0) for i in range(8)]
    rows = [
        ("big gone", "2019-03-01", 500.0),
        ("big here", "2019-03-01", 400.0),
        ("big here", "2020-03-01", 300.0),
        ("newcomer", "2020-12-31", 900.0),
        ("too early", "2018-06-01", 9000.0),
        *small,
    ]
    base, answer = last_year(tmp_path, rows, start="2018-01-01", end="2020-12-31")
    # The last 365 days of 2020, a leap year, begin on 2 January.
    assert halves(base).turn == dt.date(2020, 1, 2)
    assert answer.customers["customer_id"].tolist() == ["big gone", "big here"]
    assert answer.customers["still_orders"].tolist() == [False, True]
    assert answer.customers["change"].tolist() == [-500, -100]
    assert (answer.value, answer.share_value) == (300, 300 / 1200)
    assert "1 (50.0 %) ordered again" in answer.sentence
    assert "1 customer who left had brought 500 USD" in answer.sentence
    assert "those who stayed changed by -25.0 %" in answer.sentence


def test_shorter_windows_are_cut_in_halves(tmp_path):
    rows = [("a", "2020-01-03", 5.0), ("a", "2020-01-04", 7.0), ("b", "2020-01-01", 90.0)]
    base, answer = last_year(tmp_path, rows, start="2020-01-01", end="2020-01-05")
    assert (halves(base).start, halves(base).turn) == (dt.date(2020, 1, 2), dt.date(2020, 1, 4))
    assert answer.customers[["former", "latter"]].values.tolist() == [[5, 7]]


def test_a_return_is_no_order(tmp_path):
    rows = [("a", "2019-03-01", 50.0), ("a", "2020-03-01", -50.0)]
    _, answer = last_year(tmp_path, rows, start="2019-01-01")
    assert answer.customers[["still_orders", "latter"]].values.tolist() == [[False, -50.0]]


def test_luck_alone_makes_the_largest_fall_both_ways(tmp_path):
    rng = np.random.default_rng(7)
    days = ("2019-06-01", "2020-06-01")
    spent = rng.exponential(100, size=(300, 2)).round(2)
    rows = [(f"c{i}", days[j], spent[i, j]) for i in range(300) for j in range(2)]
    _, answer = last_year(tmp_path, rows, start="2019-01-01")
    frame = pd.DataFrame(spent)
    forward = frame.nlargest(60, 0).sum()
    backward = frame.nlargest(60, 1).sum()
    assert (
        f"those who stayed changed by {100 * (forward[1] / forward[0] - 1):+.1f} %"
        in answer.sentence
    )
    assert f"the largest had {100 * (backward[0] / backward[1] - 1):+.1f} %" in answer.sentence
    assert answer.customers["change"].sum() < 0


def shopping(tmp_path, rows):
    base = handmade.handmade_base(
        tmp_path / "b.duckdb", transactions=handmade.lines(*rows), products=PRODUCTS
    )
    return differentiation(base)["elsewhere"]


def test_customers_of_few_categories_with_signs_of_buying_elsewhere(tmp_path):
    broad = [
        (f"broad{i}", day, 100.0 + i, product)
        for i in range(30)
        for day in ("2020-01-15", "2020-11-15")
        for product in "prst"
    ]
    only_tea = [("only tea", day, 406.0, "p") for day in ("2020-01-15", "2020-11-15")]
    fading = [
        ("fading", "2020-01-15", 10.0, "p"),
        ("fading", "2020-01-15", 9.0, "r"),
        ("fading", "2020-12-15", 1.0, "p"),
    ]
    once = [("once", "2020-01-15", 400.0, "p")]
    answer = shopping(tmp_path, [*broad, *only_tea, *fading, *once])
    signs = answer.customers.set_index("customer_id")
    assert signs.index.tolist() == ["only tea", "fading"]
    assert signs.loc["only tea", ["peers_buy_more", "large_in_one"]].tolist() == [True, True]
    assert signs.loc["only tea", ["main_categories", "peers"]].tolist() == [1, 4]
    assert signs.loc["fading", ["narrowing", "large_in_one"]].tolist() == [True, False]
    assert signs.loc["fading", ["categories_before", "categories_after"]].tolist() == [2, 1]
    assert "Of 32 customers with at least two orders, 2 (6.2 %)" in answer.sentence


def test_products_without_category_and_returns_do_not_count_as_breadth(tmp_path):
    rows = [
        ("a", "2020-01-15", 50.0, "p"),
        ("a", "2020-11-15", 50.0, "u"),
        ("a", "2020-11-16", -50.0, "r"),
        ("a", "2020-11-17", 60.0, "q"),
    ]
    answer = shopping(tmp_path, rows)
    found = answer.customers
    assert found.empty or found["categories"].tolist() == [1]
    assert "1 (100.0 %) spend 80 %" in answer.sentence


def test_questions_without_their_table_are_skipped_by_name(tmp_path):
    bare = handmade.handmade_base(
        tmp_path / "b.duckdb", transactions=handmade.lines(("a", "2020-05-05", 10.0))
    )
    report = differentiation(bare)
    assert report.skipped.set_index("name")["missing"].to_dict() == {
        "costing": "transactions.cost (or an assumed economics.margin)",
        "complaining": "table interactions",
        "elsewhere": "table products",
        "wanted": "table customers",
    }
    with pytest.raises(KeyError, match="'complaining' was skipped: the base has no table inter"):
        report["complaining"]
    with pytest.raises(KeyError, match="no answer 'silver'; there are gold, costing"):
        report["silver"]
    assert "Not answered: the base has no table products" in report._repr_html_()


def test_assumed_margin_is_named(tmp_path):
    rows = handmade.lines(("a", "2020-05-05", 100.0), ("b", "2020-05-05", 1.0))
    base = handmade.handmade_base(
        tmp_path / "b.duckdb", transactions=rows, margin="0.25", cost_per_order="1"
    )
    answer = differentiation(base)["costing"]
    assert answer.customers[["customer_id", "profit"]].values.tolist() == [["b", -0.75]]
    assert "an assumed margin of 25 % and cost to serve" in answer.sentence


def test_large_by_profit(base):
    by_profit = differentiation(base, value="profit")
    assert by_profit.classes["customer_id"].tolist()[-2:] == ["c19", "c20"]
    assert by_profit["gold"].value == 2000 - 1200 - 10


def test_wrong_arguments_are_shown_together(tmp_path, base):
    with pytest.raises(ValueError) as error:
        differentiation(base, value="sales", top=5, complaints=0, complaint_kinds="complaint")
    assert "value is one of revenue, margin, profit, got 'sales'" in str(error.value)
    assert "got 5 and 0.15; complaints is at least 1, got 0" in str(error.value)
    bare = handmade.handmade_base(
        tmp_path / "bare.duckdb", transactions=handmade.lines(("a", "2020-05-05", 10.0))
    )
    with pytest.raises(ValueError, match="knows no profit of its customers; map a cost column"):
        differentiation(bare, value="profit")


def test_every_answer_adds_up_and_names_whom_it_counts(base):
    report = differentiation(base)
    assert [answer.name for answer in report.answers] == list(QUESTIONS)
    for answer in report.answers:
        assert answer.n == len(answer.customers) == answer.customers["customer_id"].nunique()
        assert 0 <= answer.share_customers <= 1
    assert report.to_frame()["customers"].tolist() == [a.n for a in report.answers]


def test_report_names_no_customer_and_escapes(tmp_path):
    name = "<script>alert(1)</script>"
    rows = handmade.lines((name, "2020-05-05", 10.0, "p"), (name, "2020-06-05", 10.0, "p"))
    products = pd.DataFrame({"product_id": ["p"], "category": ["<img src=x>"]})
    told = contacts(("x", "2020-05-05", "<b>rude</b>", None, None))
    base = handmade.handmade_base(
        tmp_path / "b.duckdb", transactions=rows, products=products, interactions=told
    )
    report = differentiation(base)
    page = report._repr_html_() + report["gold"]._repr_html_()
    # Notebooks keep the plain text of a result too.
    assert "alert" not in repr(report)
    assert "alert" not in page and "<img" not in page and "<b>" not in page
    assert "&lt;b&gt;rude" in page


def test_same_base_gives_same_answers(base):
    first, second = differentiation(base), differentiation(base)
    assert first._repr_html_() == second._repr_html_()
    for one, other in zip(first.answers, second.answers, strict=True):
        pd.testing.assert_frame_equal(one.customers, other.customers)


def test_ranked_does_not_change_its_input():
    table = pd.DataFrame({"customer_id": ["a", "b"], "revenue": [1.0, 2.0]})
    assert ranked(table, "revenue")["customer_id"].tolist() == ["b", "a"]
    assert table["customer_id"].tolist() == ["a", "b"]
