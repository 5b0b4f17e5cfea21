"""ABC by rank and value, changes of class, XYZ, and their table."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keycustomer import pareto
from keycustomer.pareto.classes import NO_MEAN, TOO_NEW


def table(revenue, **columns):
    ids = [f"c{i:03d}" for i in range(len(revenue))]
    return pd.DataFrame({"customer_id": ids, "revenue": revenue, **columns})


values = st.lists(st.integers(0, 20).map(float), min_size=1, max_size=60)


def test_by_rank_the_top_five_percent_are_a():
    result = pareto.abc_by_rank(table(np.arange(100.0)))
    assert result.summary["customers"].tolist() == [5, 15, 80]
    assert result.customers["abc"].tolist() == ["A"] * 5 + ["B"] * 15 + ["C"] * 80
    assert result.customers["customer_id"].iloc[0] == "c099"
    assert result.summary["value"].sum() == 4950
    assert result.rule == "A the top 5 % of customers, B the next 15 %, C the rest"


def test_by_value_a_is_the_smallest_set_with_its_share():
    result = pareto.abc_by_value(table([50.0, 25, 10, 8, 4, 3]))
    assert result.customers["abc"].tolist() == ["A", "A", "A", "B", "B", "C"]
    assert result.summary["value_share"].tolist() == pytest.approx([0.85, 0.12, 0.03])


def test_rounding_moves_nobody_over_a_border():
    result = pareto.abc_by_value(table([0.1] * 10))
    assert result.summary["customers"].tolist() == [8, 2, 0]


@given(values)
@settings(max_examples=80, deadline=None)
def test_classes_are_complete_ordered_and_reproducible(revenue):
    frame = table(revenue)
    rules = [pareto.abc_by_rank] + [pareto.abc_by_value] * (sum(revenue) > 0)
    for rule in rules:
        one = rule(frame)
        assert one.summary["customers"].sum() == len(revenue)
        assert one.customers["abc"].is_monotonic_increasing
        assert one.customers["value"].is_monotonic_decreasing
        two = rule(frame.sample(frac=1, random_state=1))
        pd.testing.assert_frame_equal(one.customers, two.customers)


@given(values.filter(lambda revenue: sum(revenue) > 0))
@settings(max_examples=80, deadline=None)
def test_class_a_by_value_is_minimal(revenue):
    summary = pareto.abc_by_value(table(revenue)).summary
    largest = np.sort(revenue)[::-1]
    count = int(summary["customers"].iloc[0])
    assert largest[:count].sum() >= 0.8 * sum(revenue) - 1e-6
    assert largest[: count - 1].sum() < 0.8 * sum(revenue) + 1e-6


def test_ties_go_by_id_and_are_reported():
    result = pareto.abc_by_rank(table([5.0] * 10), a=0.2, b=0.3)
    first = result.customers.query("abc == 'A'")["customer_id"].tolist()
    assert first == ["c000", "c001"]
    assert result.summary["tied_below"].tolist() == [8, 5, 0]


def test_losses_are_class_c_by_value():
    result = pareto.abc_by_value(table([10.0, 10, -5]))
    assert result.customers["abc"].tolist() == ["A", "A", "C"]


def test_ids_stay_text():
    frame = pd.DataFrame({"customer_id": ["007", "7"], "revenue": [1.0, 2.0]})
    assert pareto.abc_by_rank(frame).customers["customer_id"].tolist() == ["7", "007"]


def test_change_of_class_between_revenue_and_profit():
    frame = table([100.0, 90, *[1.0] * 18], profit=[-5.0, 40, *np.arange(18.0)])
    result = pareto.abc_change(frame)
    assert result.counts.loc["A"].tolist() == [0, 0, 1]
    assert result.counts.to_numpy().sum() == 20
    changed = result.customers.set_index("customer_id")["change"]
    assert changed["c000"] == "down"
    assert changed["c001"] == "up"
    assert result.moved == (changed != "same").sum() == 7
    assert result.customers["change"].head(5).ne("same").all()


def test_the_same_measure_changes_nobody():
    frame = table([3.0, 2, 1], profit=[3.0, 2, 1])
    assert pareto.abc_change(frame, rule="value").moved == 0


def test_messages_name_column_rows_and_cure():
    with pytest.raises(KeyError, match="no column 'sales'; it has 'customer_id', 'revenue'"):
        pareto.abc_by_rank(table([1.0]), "sales")
    with pytest.raises(
        ValueError, match=r"revenue cannot be measured: 1 value is not known.*'c001'"
    ):
        pareto.abc_by_rank(table([1.0, np.nan]))
    twice = pd.concat([table([1.0]), table([2.0])])
    with pytest.raises(ValueError, match=r"customer_id must be unique.*repeated: c000; sum the"):
        pareto.abc_by_rank(twice)
    with pytest.raises(ValueError, match=r"revenue of 2 customers sums to -1: .*use abc_by_rank"):
        pareto.abc_by_value(table([1.0, -2.0]))
    with pytest.raises(ValueError, match=r"a=5 must be a share between 0 and 1; 5 % is a=0\.05"):
        pareto.abc_by_rank(table([1.0]), a=5)
    with pytest.raises(ValueError, match="rule='sum' is not known; choose one of 'rank', 'value'"):
        pareto.abc_change(table([1.0]), rule="sum")


def months(*counts):
    """Rows of a customer per month of 2024; 0 means no row."""
    rows = [
        (f"c{customer:03d}", pd.Timestamp(2024, month + 1, 1), float(value))
        for customer, sales in enumerate(counts)
        for month, value in enumerate(sales)
        if value
    ]
    return pd.DataFrame(rows, columns=["customer_id", "period", "revenue"])


def test_variation_counts_silent_periods_as_zero():
    result = pareto.xyz_classes(months([4, 4, 4, 4], [0, 6, 0, 2], [1, 9, 0, 0]))
    assert result["periods"].tolist() == [4, 3, 4]  # the second bought first in the second month
    expected = [np.std(v) / np.mean(v) for v in ([4, 4, 4, 4], [6, 0, 2], [1, 9, 0, 0])]
    assert result["variation"].tolist() == pytest.approx(expected)
    assert result["xyz"].tolist() == ["X", "Y", "Z"]


def test_periods_before_the_first_purchase_can_count_as_zero():
    result = pareto.xyz_classes(months([4, 4, 4, 4], [0, 6, 0, 2]), before_first="zero")
    assert result["periods"].tolist() == [4, 4]
    assert result["variation"].iloc[1] == pytest.approx(np.std([0, 6, 0, 2]) / 2)


def test_a_calendar_gives_periods_in_which_nobody_bought():
    calendar = pd.date_range("2024-01-01", periods=6, freq="MS")
    result = pareto.xyz_classes(months([4, 4, 4]), calendar=calendar)
    assert result["variation"].iloc[0] == pytest.approx(1)
    with pytest.raises(ValueError, match="1 rows lie outside the calendar, first 2024-03-01"):
        pareto.xyz_classes(months([4, 4, 4]), calendar=calendar[:2])


def test_new_and_returning_customers_are_not_judged():
    result = pareto.xyz_classes(months([1, 1, 1, 1], [0, 0, 0, 5], [2, -2, 0, 0]))
    assert result["xyz"].tolist() == ["X", TOO_NEW, NO_MEAN]
    assert np.isnan(result["variation"].iloc[2])


def test_the_table_keeps_empty_cells_and_every_customer():
    abc = pareto.abc_by_rank(table([9.0, 5, 1, 0]), a=0.25, b=0.25)
    result = pareto.abc_xyz(abc, pareto.xyz_classes(months([3, 3, 3], [5, 0, 0], [0, 0, 1])))
    assert result.table().to_numpy().sum() == 4
    assert list(result.table().columns) == ["X", "Y", "Z", TOO_NEW, NO_MEAN]
    assert result.table().loc["A"].tolist() == [1, 0, 0, 0, 0]
    assert result.table().loc["C"].tolist() == [0, 0, 0, 1, 1]
    assert result.cells["value_share"].sum() == pytest.approx(1)
    assert len(result.cells) == 15


def test_names_are_escaped():
    frame = table([1.0]).rename(columns={"revenue": "<script>"})
    assert "<script>" not in pareto.abc_by_rank(frame, "<script>")._repr_html_()


def test_the_contested_share_of_class_a_is_a_proportion_with_its_interval():
    profit = [1.0, 2.0, *np.arange(100.0, 2.0, -1.0)]
    contested = pareto.abc_change(table(np.arange(100.0, 0.0, -1.0), profit=profit)).contested
    assert (contested.estimate, contested.n) == (0.4, 5)
    # Wilson (1927) for 2 of 5, by hand: (2 + 1.92073) / (5 + 3.84146) -+ 0.32561
    assert (round(contested.lower, 4), round(contested.upper, 4)) == (0.1176, 0.7693)
