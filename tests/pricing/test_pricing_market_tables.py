"""Market tables and instruments: what is read and refused, and what pyblp makes of the same."""

import numpy as np
import pandas as pd
import pytest
from keycustomer.pricing import (
    differentiation_instruments,
    other_region_prices,
    read_market,
    rival_instruments,
    shipped_buyers,
    usage_market,
)
from known_markets import known_market, packaged

SAME = 1e-9  # two ways of adding the same numbers

ROWS = pd.DataFrame(
    {
        "market": ["a", "a", "b", "b"],
        "product": ["x", "y", "x", "y"],
        "price": [1.0, 2.0, 1.5, 2.5],
        "share": [0.2, 0.3, 0.1, 0.4],
    }
)


def test_shares_from_quantities():
    rows = ROWS.assign(sold=[20, 30, 10, 40], size=100.0).drop(columns="share")
    for size in ("size", 100, pd.Series({"a": 100, "b": 100})):
        table = read_market(rows, quantity="sold", market_size=size)
        assert table.frame["share"].tolist() == pytest.approx(ROWS["share"].tolist())
        assert table.size.tolist() == [100, 100]
    assert table.outside_share.to_dict() == pytest.approx({"a": 0.5, "b": 0.5})


def test_rows_are_sorted_and_the_given_ones_stay():
    given = ROWS.iloc[::-1]
    kept = given.copy()
    table = read_market(given)
    assert table.frame["product"].tolist() == ["x", "y", "x", "y"]
    pd.testing.assert_frame_equal(given, kept)
    assert "2 markets" in table.sentence
    assert read_market(table) is table


def test_whole_numbers_are_names_without_a_point():
    rows = ROWS.assign(market=[1971.0, 1971, 1972, 1972], firm=[1, 2.0, 1, None], size=100.0)
    sizes = pd.Series({1971: 100.0, 1972: 100.0})
    table = read_market(rows, quantity="share", market_size=sizes)
    assert table.markets == ["1971", "1972"]
    assert table.frame["firm"].tolist()[:3] == ["1", "2", "1"]
    with pytest.raises(ValueError, match="'firm' is missing for 1 rows: y in 1972"):
        rival_instruments(table, [])


@pytest.mark.parametrize(
    "firms",
    [
        [1.0, 2.0, 1.0, 2.0],
        pd.Series([1.0, 2.0, 1, 2], dtype=object),
        pd.Categorical([1.0, 2.0, 1.0, 2.0]),
        ["1", "2", "1", "2"],
    ],
)
def test_a_firm_keeps_its_name_whatever_its_type(firms):
    assert read_market(ROWS.assign(firm=firms)).frame["firm"].tolist() == ["1", "2", "1", "2"]


def test_names_that_are_no_whole_numbers_stay():
    odd = pd.Series([1.5, "01", "1.0", 1e20], dtype=object)
    found = read_market(ROWS.assign(firm=odd)).frame["firm"].tolist()
    assert found == ["1.5", "01", "1.0", "100000000000000000000"]


def test_what_cannot_be_used_is_counted():
    more = pd.DataFrame(
        {
            "market": ["a", "b", None],
            "product": ["z", "z", "z"],
            "price": [3, None, None],
            "share": [0, 0.1, 0.1],
        }
    )
    table = read_market(pd.concat([ROWS, more], ignore_index=True))
    assert len(table) == 4
    assert table.excluded["rows"].tolist() == [1, 1, 1]
    assert "nothing was sold" in " ".join(table.notes)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"product": ["x", "x", "x", "y"]}, "4 rows|2 rows have a product twice"),
        ({"price": [1, -2, 1, 1]}, r"price that is not above 0.*y in a \(-2"),
        ({"share": [0.2, -0.3, 0.1, 0.1]}, "share that is not above 0"),
        ({"share": [0.7, 0.3, 0.1, 0.1]}, r"sum below 1.*a \(1.000\).*usage_market"),
        ({"share": [0, 0, 0, None]}, "no row of the market table"),
    ],
)
def test_tables_unfit_for_a_demand_model(change, message):
    with pytest.raises(ValueError, match=message):
        read_market(ROWS.assign(**change))


def test_missing_columns_and_sizes():
    with pytest.raises(ValueError, match=r"price: the market table has no column 'paid'.*'share'"):
        read_market(ROWS, price="paid")
    with pytest.raises(ValueError, match="needs market_size"):
        read_market(ROWS, quantity="share")
    with pytest.raises(ValueError, match=r"market_size must be above 0.*'b'"):
        read_market(ROWS, quantity="share", market_size=pd.Series({"a": 1.0}))
    with pytest.raises(TypeError, match="give a prepared base"):
        read_market([1, 2])


@pytest.mark.parametrize(
    ("change", "arguments", "message"),
    [
        ({"price": ["1", "abc", "2", ""]}, {}, r"'price'.*1 value that .*\[1\]: 'abc'"),
        ({"share": ["0.1", "0.2", "x", "0.1"]}, {}, r"'share'.*rows \[2\]: 'x'"),
        (
            {"q": "many"},
            {"quantity": "q", "market_size": 9.0},
            "'q' of .* holds 4 values",
        ),
        ({"n": [9, 8, 9, 9]}, {"quantity": "share", "market_size": "n"}, r"differs.*\['a'\]"),
        ({}, {"quantity": "share", "market_size": np.inf}, "and finite"),
        ({}, {"quantity": "share", "market_size": pd.Series([1.0, 2], ["a", "a"])}, "than once"),
    ],
)
def test_numbers_and_sizes_that_are_none(change, arguments, message):
    with pytest.raises(ValueError, match=message):
        read_market(ROWS.assign(**change), **arguments)


def test_a_column_that_is_there_twice():
    with pytest.raises(ValueError, match="has 'price' more than once"):
        read_market(pd.concat([ROWS, ROWS[["price"]]], axis=1))


def test_names_from_data_are_escaped():
    shown = read_market(ROWS.assign(product=["<b>", "y", "<b>", "y"]))._repr_html_()
    assert "&lt;b&gt;" in shown and "<b>" not in shown


def test_instruments_agree_with_pyblp():
    import pyblp

    cars = packaged("blp_products")
    table = read_market(cars)
    data = table.frame.rename(columns={"market": "market_ids", "firm": "firm_ids"})
    formula = pyblp.Formulation("1 + hpwt + space")
    theirs = pyblp.build_blp_instruments(formula, data)
    ours = rival_instruments(table, ["hpwt", "space"])
    assert ours.columns[0] == "own_number"
    np.testing.assert_allclose(ours, theirs, atol=1e3 * SAME)
    formula = pyblp.Formulation("0 + hpwt + space")
    for version in ("local", "quadratic"):
        theirs = pyblp.build_differentiation_instruments(formula, data, version=version)
        ours = differentiation_instruments(table, ["hpwt", "space"], version=version)
        np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=SAME)


def test_prices_of_other_regions():
    rows = pd.DataFrame(
        {
            "market": ["n1", "s1", "w1", "n2"],
            "product": "x",
            "price": [1.0, 2.0, 4.0, 9.0],
            "share": 0.1,
            "region": ["n", "s", "w", "n"],
            "month": [1, 1, 1, 2],
        }
    )
    by_market = other_region_prices(rows).set_axis(read_market(rows).frame["market"])
    assert by_market[["n1", "s1", "w1"]].tolist() == [3.0, 2.5, 1.5]
    assert np.isnan(by_market["n2"])


def test_instruments_need_firms_and_columns():
    with pytest.raises(ValueError, match="no column 'firm'"):
        rival_instruments(ROWS, ["price"])
    with pytest.raises(ValueError, match="allowed are 'local' and 'quadratic'"):
        differentiation_instruments(ROWS.assign(firm="f"), ["price"], version="nearest")
    with pytest.raises(ValueError, match="give a list"):
        rival_instruments(known_market(2), "x")


def test_products_bought_side_by_side():
    rows = pd.DataFrame(
        {
            "market": ["n 1", "n 1", "n 2", "n 2"],
            "product": ["x", "y", "x", "y"],
            "region": "n",
            "month": [1, 1, 2, 2],
            "price": [10.0, 200.0, 30.0, 600.0],
            "share": [0.9, 0.8, 0.7, 1.0],
        }
    )
    table = usage_market(rows)
    assert table.frame["price"].tolist() == [0.5, 0.5, 1.5]
    assert table.frame["market"].tolist() == ["n 1 / x", "n 1 / y", "n 2 / x"]
    assert table.excluded["rows"].tolist() == [1]
    with pytest.raises(ValueError, match="usage_market"):
        read_market(rows)
    with pytest.raises(ValueError, match="no column 'area'"):
        usage_market(rows, region="area")


def test_shipped_buyers():
    cereal, cars = shipped_buyers("cereal"), shipped_buyers("cars")
    assert {"market", "weight", "nodes3", "income", "child"} <= {*cereal}
    assert (len(cereal), len(cars)) == (1880, 4000)
    assert (cars["by_income"] * cars["income"]).to_numpy() == pytest.approx(np.ones(4000))
    with pytest.raises(ValueError, match="buyers ship for"):
        shipped_buyers("tea")
