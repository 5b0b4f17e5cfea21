import numpy as np
import pandas as pd
import pytest
from keycustomer.pareto.migration import ABC_CUTS, class_migration, retained_top, whole_customers
from period_tables import MONTHS, for_all, panels, shuffled, table

TWO = (MONTHS[0], MONTHS[1])
PLAIN = [
    ("a", MONTHS[0], 1, 50.0),
    ("b", MONTHS[0], 1, 40.0),
    ("c", MONTHS[0], 1, 30.0),
    ("d", MONTHS[0], 1, 20.0),
    ("a", MONTHS[1], 1, 10.0),
    ("b", MONTHS[1], 1, 90.0),
    ("e", MONTHS[1], 1, 5.0),
]


def test_a_small_migration_by_hand():
    result = class_migration(table(PLAIN), classes=2)
    # of the three buyers of the second period the best half is two whole customers: b and a
    expected = pd.DataFrame(
        [[2, 0, 0], [0, 0, 2], [0, 1, 0]],
        index=["1", "2", "new"],
        columns=["1", "2", "gone"],
    )
    pd.testing.assert_frame_equal(result.counts, expected, check_names=False, check_dtype=False)
    assert result.shares.loc["2"].tolist() == [0, 0, 1]
    assert result.tied == {"first": 0, "second": 0}


def test_returning_customers_are_not_new():
    rows = [
        ("a", MONTHS[0], 1, 1.0),
        ("b", MONTHS[1], 1, 1.0),
        ("a", MONTHS[2], 1, 1.0),
        ("c", MONTHS[2], 1, 1.0),
    ]
    counts = class_migration(table(rows), MONTHS[1], MONTHS[2], classes=2).counts
    assert counts.index.tolist() == ["1", "2", "returned", "new"]
    assert counts.loc["returned"].sum() == counts.loc["new"].sum() == 1


@for_all(panels())
def test_rows_sum_to_one_and_counts_to_all_customers_who_bought(frame):
    result = class_migration(frame, *TWO, classes=3)
    sums = result.shares.sum(axis=1)[result.counts.sum(axis=1) > 0]
    np.testing.assert_allclose(sums, 1, rtol=1e-12)
    bought = frame[frame["period"].isin(TWO) & (frame["orders"] > 0)]
    assert result.counts.to_numpy().sum() == bought["customer_id"].nunique()
    lower, share, upper = (
        part.to_numpy()[result.counts.sum(axis=1) > 0]
        for part in (result.lower, result.shares, result.upper)
    )
    assert (lower <= share + 1e-12).all()
    assert (share <= upper + 1e-12).all()


@for_all(panels())
def test_the_order_of_rows_does_not_matter(frame):
    results = [class_migration(f, *TWO, classes=3) for f in (frame, shuffled(frame))]
    pd.testing.assert_frame_equal(results[0].to_frame(), results[1].to_frame())


def test_margins_are_the_classes_of_both_periods():
    values = np.arange(200.0) + 1
    rows = [(f"{n:03d}", MONTHS[0], 1, v) for n, v in enumerate(values)]
    rows += [(f"{n:03d}", MONTHS[1], 1, v) for n, v in enumerate(values[::-1])]
    counts = class_migration(table(rows), classes=ABC_CUTS).counts
    assert counts.sum(axis=1).to_dict() == {"A": 10, "B": 30, "C": 160, "new": 0}
    assert counts.sum(axis=0).to_dict() == {"A": 10, "B": 30, "C": 160, "gone": 0}
    assert counts.loc["A", "C"] == 10


def test_ties_across_a_cut_are_counted_and_put_in_the_order_of_ids():
    rows = [(id_, MONTHS[0], 1, v) for id_, v in zip("dcba", [9.0, 5.0, 5.0, 1.0], strict=True)]
    rows += [(id_, MONTHS[1], 1, v) for id_, v in zip("dcba", [9.0, 8.0, 2.0, 1.0], strict=True)]
    result = class_migration(table(rows), classes=2)
    assert result.tied == {"first": 2, "second": 0}
    # of b and c, equal at first, b comes first by id and falls to the lower half
    assert result.counts.loc["1", "2"] == 1


def test_one_customer():
    rows = [("a", MONTHS[0], 1, 5.0), ("a", MONTHS[1], 1, 7.0)]
    result = class_migration(table(rows), classes=ABC_CUTS)
    assert result.counts.loc["A", "A"] == 1
    assert result.counts.to_numpy().sum() == 1


def test_wilson_interval_of_a_row_by_the_published_example():
    # Newcombe (1998), table I: 81 of 263 gives .2553 to .3662
    rows = [(f"{n:03d}", MONTHS[0], 1, 1.0) for n in range(263)]
    rows += [(f"{n:03d}", MONTHS[1], 1, 1.0) for n in range(81)]
    result = class_migration(table(rows), classes={"all": 1.0})
    ends = [part.loc["all", "all"] for part in (result.lower, result.upper)]
    np.testing.assert_allclose(ends, [0.2553, 0.3662], atol=5e-5)


@pytest.mark.parametrize(
    ("classes", "text"),
    [
        (1, "classes=1: at least two groups are needed"),
        ({"A": 0.2, "B": 0.1, "C": 1.0}, "cumulative shares must rise"),
        ({"A": 0.2, "B": 0.9}, "to exactly 1"),
        ({"new": 0.2, "B": 1.0}, r"classes: the names \['new'\] are taken; choose others"),
        ({}, "cumulative shares must rise"),
    ],
)
def test_classes_that_are_none(classes, text):
    with pytest.raises(ValueError, match=text):
        class_migration(table(PLAIN), classes=classes)


@pytest.mark.parametrize(("share", "n", "whole"), [(0.07, 100, 7), (0.2, 23570, 4714), (0.2, 6, 2)])
def test_whole_customers_do_not_suffer_from_floats(share, n, whole):
    assert whole_customers(share, n) == whole


def test_html_escapes_what_comes_from_data():
    frame = table(PLAIN).rename(columns={"revenue": "<script>"})
    html = class_migration(frame, value="<script>", classes=2)._repr_html_()
    assert "<script>" not in html and "&lt;script&gt;" in html


def test_the_best_customers_by_hand():
    result = retained_top(table(PLAIN), top=0.5, draws=20)
    assert result.customers == 2
    assert result.still_top.estimate == 1.0
    assert result.buying.estimate == 1.0
    assert result.value_share.estimate == pytest.approx(100 / 105)
    # the best half of the three buyers are b and a
    assert result.top_of_buyers.estimate == 1.0


@for_all(panels())
def test_retained_top_against_a_plain_computation(frame):
    result = retained_top(frame, *TWO, top=0.5, draws=5)
    one, two = (frame[frame["period"] == month].set_index("customer_id") for month in TWO)
    was = one[one["orders"] > 0]["revenue"]
    count = -(-len(was) // 2)
    best = set(sorted(was.index, key=lambda id_: (-was[id_], id_))[:count])
    later = two["revenue"].to_dict()
    again = sorted(was.index, key=lambda id_: (-later.get(id_, 0.0), id_))[:count]
    buying = [id_ for id_ in best if id_ in two.index and two.loc[id_, "orders"] > 0]
    assert result.customers == count
    assert result.still_top.estimate == pytest.approx(len(best & set(again)) / count)
    assert result.buying.estimate == pytest.approx(len(buying) / count)
    total = two["revenue"].sum()
    if abs(total) > 1e-6:
        share = sum(later.get(id_, 0.0) for id_ in best) / total
        assert result.value_share.estimate == pytest.approx(share, rel=1e-9, abs=1e-9)


def test_the_same_seed_gives_the_same_intervals_whatever_the_order_of_rows():
    rng = np.random.default_rng(3)
    ids = [f"{n:03d}" for n in range(120)]
    rows = [(i, m, 1, v) for m in TWO for i, v in zip(ids, rng.gamma(0.5, 20, 120), strict=True)]
    frame = table(rows)
    one, two = (retained_top(f, draws=50, seed=9) for f in (frame, shuffled(frame)))
    pd.testing.assert_frame_equal(one.to_frame(), two.to_frame())
    assert one.still_top.lower < one.still_top.estimate < one.still_top.upper


def test_an_interval_covers_the_truth_of_independent_periods():
    # without persistence the top fifth is again the top fifth with probability one fifth
    rng = np.random.default_rng(11)
    ids = [f"{n:04d}" for n in range(3000)]
    rows = [(i, m, 1, v) for m in TWO for i, v in zip(ids, rng.exponential(9, 3000), strict=True)]
    result = retained_top(table(rows), draws=200)
    assert result.still_top.lower < 0.2 < result.still_top.upper


@pytest.mark.parametrize(
    ("top", "text"),
    [
        (20, "top=20 must be a share between 0 and 1; 20 % is top=0.2"),
        (0, "top=0: nobody or everybody would be best; 0.2 is the top 20 %"),
    ],
)
def test_top_must_be_a_share(top, text):
    with pytest.raises(ValueError) as raised:
        retained_top(table(PLAIN), top=top)
    assert str(raised.value) == text


def test_where_all_buy_again_the_interval_is_not_a_point():
    rows = [(name, month, 1, 10.0 + n) for n, name in enumerate("abcdefghij") for month in TWO]
    kept = retained_top(table(rows), top=0.2, draws=50, seed=1)
    assert (kept.buying.estimate, kept.buying.upper, kept.buying.n) == (1.0, 1.0, 2)
    # Wilson (1927) for 2 of 2: 2 / (2 + 3.84146)
    assert round(kept.buying.lower, 4) == 0.3424
    assert kept.buying.method.startswith("Wilson interval")
