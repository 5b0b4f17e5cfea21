import handmade
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keycustomer.customers.campaigns import _with_control, campaign_list

PRODUCTS = pd.DataFrame({"product_id": ["p", "q"], "category": ["tea", 'O\'Neil "salt"; --']})
FILE = pd.DataFrame(
    {
        "customer_id": ["c01", "c02", "c03", "c04", "c05", "never"],
        "email": ["1@x.example", "n/a", "3@x.example", " ", "5@x.example", "n@x.example"],
        "size": ["large", "large", "small", "small", None, "large"],
    }
)
TALKS = pd.DataFrame(
    {
        "customer_id": ["c01", "c02", "c03"],
        "date": ["2020-12-31", "2020-12-02", "2020-12-01"],
        "kind": ["call"] * 3,
    }
)


def buyers(n=40):
    """Customers c01 with 4000 down; every fourth buys salt as well; c01 bought last, c40 first."""
    last = pd.Timestamp("2020-12-31")
    rows = []
    for i in range(1, n + 1):
        day = (last - pd.Timedelta(days=i - 1)).date().isoformat()
        rows.append((f"c{i:02d}", day, (n + 1 - i) * 100.0, "p"))
        if i % 4 == 0:
            rows.append((f"c{i:02d}", "2020-02-01", 0.0, "q"))
    return handmade.lines(*rows)


@pytest.fixture
def base(tmp_path):
    return handmade.handmade_base(
        tmp_path / "base.duckdb",
        attributes={"firmographic": ["size"]},
        transactions=buyers(),
        customers=FILE,
        products=PRODUCTS,
        interactions=TALKS,
    )


def ids(result):
    return result.customers["customer_id"].tolist()


def names(*numbers):
    return [f"c{i:02d}" for i in numbers]


@pytest.mark.parametrize(
    ("selectors", "expected"),
    [
        ({"classes": ["A"]}, names(1, 2)),
        ({"classes": {"B", "A"}}, names(*range(1, 9))),
        ({"top": 0.05}, names(1, 2)),
        ({"silent_for": 38}, names(39, 40)),
        ({"active_within": 1}, names(1, 2)),
        ({"silent_for": 2, "active_within": 2}, names(3)),
        ({"bought": ['O\'Neil "salt"; --'], "top": 0.2}, names(4, 8)),
        ({"not_bought": ['O\'Neil "salt"; --'], "top": 0.1}, names(1, 2, 3)),
        ({"bought": ["tea"], "bought_within": 3}, names(1, 2, 3)),
        ({"attributes": {"size": "large"}}, names(1, 2)),
        ({"attributes": {"size": ["large", "small"]}, "limit": 3}, names(1, 2, 3)),
        ({"reachable_by": ["email"]}, names(1, 3, 5)),
        ({"not_contacted_within": 30, "top": 0.1}, names(3, 4)),
        ({"limit": 2}, names(1, 2)),
    ],
)
def test_each_selector_keeps_whom_it_says(base, selectors, expected):
    assert ids(campaign_list(base, **selectors)) == expected


def test_funnel_counts_who_drops_out_where(base):
    result = campaign_list(
        base, classes=["A", "B"], active_within=5, reachable_by=["email"], limit=2, holdout=0.5
    )
    assert result.funnel.values.tolist() == [
        ["customers who bought", 40, 0, 1.0],
        ["class A or B", 8, 32, 0.2],
        ["last order at most 5 days ago", 6, 2, 0.15],
        ["email on file", 3, 3, 0.075],
        ["at most 2", 2, 1, 0.05],
    ]
    assert (len(result.contacts), len(result.control)) == (1, 1)
    assert result.sentence.startswith("2 customers of 40 (5.0 %) are on the list, with 7,800 USD")


def test_list_has_the_contact_fields_on_file(base):
    listed = campaign_list(base, limit=6, holdout=0).customers
    assert listed.columns.tolist() == [
        *("rank", "customer_id", "group", "abc", "revenue", "orders", "days_silent", "email"),
    ]
    assert listed["rank"].tolist() == [1, 2, 3, 4, 5, 6]
    assert listed["email"].tolist()[0] == "1@x.example"
    # c06 bought without being on file.
    assert pd.isna(listed["email"].tolist()[5])


def test_equal_customers_come_by_id(tmp_path):
    rows = [(name, "2020-05-05", 10.0) for name in ("b", "10", "9", "007")]
    base = handmade.handmade_base(tmp_path / "b.duckdb", transactions=handmade.lines(*rows))
    assert ids(campaign_list(base, limit=3)) == ["007", "10", "9"]


def test_control_group_follows_the_seed(base):
    first, same = (campaign_list(base, holdout=0.3, seed=4) for _ in range(2))
    other = campaign_list(base, holdout=0.3, seed=5)
    pd.testing.assert_frame_equal(first.customers, same.customers)
    assert first.control["customer_id"].tolist() != other.control["customer_id"].tolist()
    assert len(first.control) == len(other.control) == 12


@settings(deadline=None)
@given(n=st.integers(0, 300), holdout=st.floats(0, 0.99), seed=st.integers(0, 9))
def test_control_group_has_its_size_and_like_value(n, holdout, seed):
    table = pd.DataFrame({"customer_id": range(n)})
    control = _with_control(table, holdout, seed)["group"].eq("control")
    assert abs(control.sum() - holdout * n) <= 0.5 + 1e-9
    # No half of the list, which is sorted by value, gives more than its part.
    assert abs(control[: n // 2].sum() - holdout * (n // 2)) <= max(n / 10, 1) + 1


def test_nobody_left_is_an_empty_list(base):
    result = campaign_list(base, silent_for=400)
    assert len(result.customers) == 0
    assert result.funnel["customers"].tolist() == [40, 0]
    assert "0 customers of 40" in result._repr_html_()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"bought": ["coffee"]}, "no category 'coffee'; there are O'Neil \"salt\"; --, tea"),
        ({"attributes": {"colour": "red"}}, "no attribute 'colour'; there are email, size"),
        ({"attributes": {"size": "tiny"}}, "no value of size 'tiny'; there are large, small"),
        ({"attributes": {'size" = 1; --': "x"}}, "no attribute 'size\" = 1; --'; there are"),
        ({"reachable_by": ["fax"]}, "no field 'fax'; there are email, size"),
        ({"bought": "tea"}, r"bought is a list of names, such as \['tea'\]"),
        ({"classes": ["D"], "top": 20, "limit": 0}, "classes are among A, B, C.*; top is.*; limit"),
        ({"holdout": 1}, "holdout is a share of at least 0 and below 1, got 1"),
        ({"silent_for": 9, "active_within": 2}, "9 lies above active_within 2: nobody"),
    ],
)
def test_wrong_selectors_are_refused_with_what_there_is(base, wrong, message):
    with pytest.raises(ValueError, match=message):
        campaign_list(base, **wrong)


@pytest.mark.parametrize(
    ("selector", "missing"),
    [
        ({"bought": ["tea"]}, "column products.category"),
        ({"attributes": {"size": "large"}}, "table customers"),
        ({"reachable_by": ["email"]}, "table customers"),
        ({"not_contacted_within": 30}, "table interactions"),
    ],
)
def test_selector_without_its_table_says_which(tmp_path, selector, missing):
    bare = handmade.handmade_base(tmp_path / "b.duckdb", transactions=buyers(3))
    with pytest.raises(ValueError, match=f"the base has no {missing}, which this selector needs"):
        campaign_list(bare, **selector)
    with pytest.raises(ValueError, match="knows no profit of its customers"):
        campaign_list(bare, value="profit")


def test_page_escapes_what_data_and_arguments_say(tmp_path):
    products = pd.DataFrame({"product_id": ["p"], "category": ["<script>tea"]})
    base = handmade.handmade_base(tmp_path / "b.duckdb", transactions=buyers(3), products=products)
    result = campaign_list(base, bought=["<script>tea"])
    page = result._repr_html_()
    assert "c01" not in repr(result)
    assert "<script>" not in page
    assert "bought &lt;script&gt;tea" in page
    assert "c01" not in page
