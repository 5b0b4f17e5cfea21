import numpy as np
import pandas as pd
import pytest
from keycustomer.pareto.products import best_customer_categories, first_purchases

DAY = pd.to_datetime(["2024-01-01", "2024-01-01", "2024-01-05", "2024-02-01", "2024-03-01"])
CATEGORIES = pd.DataFrame(
    {
        "customer_id": ["a", "a", "b", "b", "c"],
        "category": ["tea", "rice", "tea", "fish", "fish"],
        "first_date": DAY,
        "orders": [1, 1, 2, 1, 1],
        "revenue": [4.0, 6.0, 20.0, 10.0, 5.0],
    }
)
CUSTOMERS = pd.DataFrame(
    {
        "customer_id": ["c", "b", "a", "never"],
        "frequency": [0, 2, 1, 0],
        "monetary_value": [np.nan, 15.0, 8.0, np.nan],
        "revenue": [5.0, 30.0, 10.0, 0.0],
    }
)


def test_first_purchases_by_hand_with_a_tie():
    result = first_purchases(CATEGORIES, CUSTOMERS, at_least=0, draws=50)
    frame = result.frame.set_index("category")
    # a began with tea and rice on one day, and counts half for each; later revenue a 8, b 30, c 0
    assert frame["customers"].to_dict() == {"tea": 1.5, "fish": 1.0, "rice": 0.5}
    np.testing.assert_allclose(frame["mean_value"], [34 / 1.5, 0, 8])
    np.testing.assert_allclose(frame["repeat_share"], [1, 0, 1])
    assert result.tied == pytest.approx(1 / 3)
    assert result.overall == pytest.approx(38 / 3)
    assert frame["share"].sum() == pytest.approx(1)


def test_customer_weights_keep_the_total():
    frame = first_purchases(CATEGORIES, CUSTOMERS, at_least=0, draws=5).frame
    assert (frame["mean_value"] * frame["customers"]).sum() == pytest.approx(38)


def test_small_categories_are_taken_together():
    frame = first_purchases(CATEGORIES, CUSTOMERS, at_least=2, draws=5).frame
    assert frame["category"].tolist() == ["other (2 smaller ones)", "tea"]


def test_another_value():
    result = first_purchases(CATEGORIES, CUSTOMERS, value="revenue", at_least=0, draws=5)
    assert result.overall == 15.0
    assert result.value == "revenue"


def test_a_real_difference_stands_out_and_none_does_not():
    rng = np.random.default_rng(8)
    ids = [f"{n:04d}" for n in range(1200)]
    first = rng.choice(["tea", "rice", "fish", "salt"], 1200)
    spent = rng.gamma(2, 10, 1200)
    categories = pd.DataFrame(
        {"customer_id": ids, "category": first, "first_date": DAY[0], "revenue": 1.0}
    )
    customers = pd.DataFrame({"customer_id": ids, "spent": spent})
    nothing = first_purchases(categories, customers, value="spent", draws=200).frame
    assert not nothing["stands_out"].any()
    customers["spent"] = spent * np.where(first == "tea", 2.0, 1.0)
    frame = first_purchases(categories, customers, value="spent", draws=200).frame
    assert frame.set_index("category").loc["tea", "stands_out"]
    assert frame["repeat_share"].isna().all()


def test_best_customers_by_hand():
    result = best_customer_categories(CATEGORIES, CUSTOMERS, top=0.3, at_least=0, draws=20)
    assert (result.best, result.rest, result.tied) == (1, 2, 0)
    frame = result.frame.set_index("category")
    # b is the best: fish and tea; the rest: a tea and rice, c fish
    assert frame["best_buyers"].to_dict() == {"fish": 1.0, "tea": 1.0, "rice": 0.0}
    assert frame["rest_buyers"].to_dict() == {"fish": 0.5, "tea": 0.5, "rice": 0.5}
    np.testing.assert_allclose(frame["best_mix"], [1 / 3, 2 / 3, 0])
    np.testing.assert_allclose(frame["rest_mix"], [5 / 15, 4 / 15, 6 / 15])
    np.testing.assert_allclose(frame["mix_ratio"], [1, 2.5, 0])


def test_the_mix_of_each_group_adds_up_to_one():
    frame = best_customer_categories(CATEGORIES, CUSTOMERS, top=0.5, at_least=2, draws=5).frame
    assert frame["best_mix"].sum() == pytest.approx(1)
    assert frame["rest_mix"].sum() == pytest.approx(1)


def test_newcombe_interval_by_the_published_example():
    # Newcombe (1998), table II, contrast a: 56/70 - 48/80 gives .0524 to .3339
    best = [f"b{n:02d}" for n in range(70)]
    rest = [f"r{n:02d}" for n in range(80)]
    rows = [(i, "tea") for i in best[:56] + rest[:48]] + [(i, "rice") for i in best + rest]
    categories = pd.DataFrame(rows, columns=["customer_id", "category"])
    categories = categories.assign(first_date=DAY[0], revenue=1.0)
    customers = pd.DataFrame({"customer_id": best + rest, "revenue": [2.0] * 70 + [1.0] * 80})
    frame = best_customer_categories(categories, customers, top=70 / 150, draws=5).frame
    row = frame.set_index("category").loc["tea"]
    np.testing.assert_allclose([row["lower"], row["upper"]], [0.0524, 0.3339], atol=5e-5)


def test_ties_at_the_border_are_counted():
    customers = CUSTOMERS.assign(revenue=[10.0, 30.0, 10.0, 0.0])
    result = best_customer_categories(CATEGORIES, customers, top=0.5, at_least=0, draws=5)
    assert (result.best, result.tied) == (2, 2)


def test_the_order_of_rows_does_not_matter():
    for function in (first_purchases, best_customer_categories):
        one = function(CATEGORIES, CUSTOMERS, at_least=0, draws=20)
        two = function(CATEGORIES[::-1], CUSTOMERS[::-1], at_least=0, draws=20)
        pd.testing.assert_frame_equal(one.frame, two.frame)


@pytest.mark.parametrize(
    ("categories", "customers", "text"),
    [
        (
            CATEGORIES.drop(columns="first_date"),
            CUSTOMERS,
            "categories: column 'first_date' is missing; columns found: customer_id, category, "
            "orders, revenue",
        ),
        (
            pd.concat([CATEGORIES, CATEGORIES.head(1)], ignore_index=True),
            CUSTOMERS,
            "categories: 2 rows (first: 0, 5) repeat 'customer_id', 'category'",
        ),
        (
            CATEGORIES.assign(category=["tea", None, "tea", "fish", "fish"]),
            CUSTOMERS,
            "categories: column 'category' is empty in 1 rows",
        ),
        (
            CATEGORIES,
            CUSTOMERS.head(2),
            "customers: 1 customers of the table categories have no row (first: 'a'); both tables "
            "must come from the same base",
        ),
        (
            CATEGORIES,
            pd.concat([CUSTOMERS, CUSTOMERS.tail(1)], ignore_index=True),
            "customers: 2 rows (first: 3, 4) repeat 'customer_id'",
        ),
        (CATEGORIES.head(0), CUSTOMERS, "categories: the table has no rows"),
    ],
)
def test_tables_that_cannot_be_used(categories, customers, text):
    with pytest.raises(ValueError) as raised:
        first_purchases(categories, customers)
    assert str(raised.value).startswith(text)


def test_groups_need_customers():
    with pytest.raises(ValueError) as raised:
        best_customer_categories(CATEGORIES, CUSTOMERS, top=1.0)
    assert str(raised.value) == "top=1.0: 3 of 3 customers would be best; both groups need some"


def test_html_escapes_what_comes_from_data():
    categories = CATEGORIES.replace({"category": {"tea": "<script>alert(1)</script>"}})
    for function in (first_purchases, best_customer_categories):
        html = function(categories, CUSTOMERS, at_least=0, draws=5)._repr_html_()
        assert "<script>" not in html and "&lt;script&gt;" in html
