"""Figures of the customer file: what they say, that they name nobody, that they escape data."""

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from keycustomer import plots
from keycustomer.customers import customer_file_report, differentiation
from keycustomer.plots.customers import _field_states

matplotlib.use("Agg")


@pytest.fixture(autouse=True)
def no_figure_stays():
    yield
    plt.close("all")


def line(number, customer, day, revenue):
    return (number, customer, None, day, None, 1, revenue, None, None, None)


LINES = [
    line(1, "a", "2024-01-03", 500),
    line(2, "a", "2024-12-30", 400),
    line(3, "b", "2024-02-03", 450),
    line(4, "<$c$>", "2024-12-31", 10),
]


def title(ax):
    return plain(ax.get_title(loc="left"))


def plain(text):
    """Text with ordinary spaces, on one line."""
    return " ".join(text.split())


def test_completeness_shows_states_that_add_up(hand_made_base):
    file = [("a", "Ann"), ("b", "n/a"), ("d", None)]
    report = customer_file_report(hand_made_base({"transactions": LINES, "customers": file}))
    states = _field_states(report).set_index("name")
    shares = states.drop(columns="share_filled")
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    assert shares.loc["name", ["filled", "says nothing", "empty"]].tolist() == pytest.approx(
        [1 / 3] * 3
    )
    assert shares.loc["email", "no such field"] == 1
    ax = plots.completeness_map(report)
    assert title(ax) == "67 % of the buyers are on file, with 33 % of the fields filled"
    assert "the least filled fields are name 33 %" in plain(plots.description(ax))
    assert "would also have email, phone" in plain(plots.description(ax))
    assert [label.get_text() for label in ax.get_yticklabels()] == states.index.tolist()


def test_completeness_without_a_customer_file(hand_made_base):
    ax = plots.completeness_map(customer_file_report(hand_made_base({"transactions": LINES})))
    assert title(ax).startswith("There is no customer file")


def with_exclusions(base, *rows):
    columns = ["table_name", "rule", "action", "rows", "value", "note"]

    class Excluding:
        exclusions = pd.DataFrame(list(rows), columns=columns)
        currency, has, query = base.currency, base.has, base.query

    return Excluding()


def test_exclusions_state_rows_and_value(hand_made_base):
    base = with_exclusions(
        hand_made_base({"transactions": LINES}),
        ("transactions", "zero_price", "drop", 1, 0.0, ""),
        ("transactions", "large_quantity", "drop", 5, 1234.0, ""),
        ("transactions", "returns", "keep", 0, 0.0, ""),
    )
    ax = plots.exclusion_bars(base)
    assert (
        title(ax) == "Rules touched 60.0 % of 10 order lines, worth 1.23 k EUR beside 1.36 k kept"
    )
    assert [bar.get_width() for bar in ax.patches] == [5, 1]
    assert "large_quantity (drop) 5 rows, 1.23 k EUR" in plain(plots.description(ax))
    assert "returns" not in plain(plots.description(ax))
    with pytest.raises(ValueError, match="no rule removed a row of this base"):
        plots.exclusion_bars(with_exclusions(base))


def test_netted_returns_take_no_value_from_the_base(hand_made_base):
    base = with_exclusions(
        hand_made_base({"transactions": LINES}),
        ("transactions", "returns", "net", 2, -40.0, "returns set against earlier purchases"),
        ("transactions", "returns", "net", 0, 40.0, "subtracted from 3 purchase lines"),
        ("products", "duplicate_product", "drop", 1, None, ""),
    )
    said = plain(plots.description(plots.exclusion_bars(base)))
    assert "worth 0 EUR beside" in said and "returns (net) 2 rows, 0 EUR" in said
    assert said.endswith("duplicate_product (drop) 1 rows.")


def test_activity_counts_every_customer_once_as_new(hand_made_base):
    ax = plots.activity_over_time(hand_made_base({"transactions": LINES}), every="month")
    again, new = ([bar.get_height() for bar in container] for container in ax.containers)
    assert (again, new) == ([0, 0, 1], [1, 1, 1])
    assert "first purchase by December 2024" in title(ax)
    assert "4 orders in all" in plain(plots.description(ax))


def test_last_largest_names_nobody_but_by_labels(hand_made_base):
    result = differentiation(hand_made_base({"transactions": LINES}), top=0.5, following=0.5)
    ax = plots.last_largest(result)
    assert (
        title(ax) == "50 % of the 2 largest still order; together they bring 58 % less than before"
    )
    assert [text.get_text() for text in ax.get_yticklabels()] == ["no. 1", "no. 2"]
    assert "1 of them nothing" in plain(plots.description(ax))
    assert ax.get_xlabel() == "revenue in a period, EUR"
    named = plots.last_largest(result["last_largest"], labels=["$x$", "y"])
    assert named.get_yticklabels()[0].get_text() == r"\$x\$"
    with pytest.raises(ValueError, match="2 customers are drawn, got 1 labels"):
        plots.last_largest(result, labels=["x"])


def test_axes_are_drawn_into_and_returned(hand_made_base):
    base = hand_made_base({"transactions": LINES})
    ax = plt.subplots()[1]
    assert plots.activity_over_time(base, ax) is ax
    assert len(plt.get_fignums()) == 1
