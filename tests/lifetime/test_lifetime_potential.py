"""The map of current and potential value: by hand, its borders, its draws, hostile tables."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keycustomer import customers, lifetime
from keycustomer.lifetime.value.potential import BOTH, GROUPS, LATER, NEITHER, NOW

TABLE = pd.DataFrame({"customer_id": list("abcde"), "revenue": [50.0, 40.0, 30.0, 20.0, 0.0]})
VALUES = pd.DataFrame({"customer_id": list("abcde"), "residual_value": [9.0, 1.0, 8.0, 1.0, 2.0]})


def mapped(table=TABLE, values=VALUES, **arguments):
    return lifetime.map_potential(table, values, **({"top": 0.4} | arguments))


def test_groups_by_hand():
    result = mapped()
    assert (result.current_border, result.potential_border) == (40, 8)
    assert result.frame["group"].tolist() == [BOTH, NOW, LATER, NEITHER, NEITHER]
    assert result.frame["current_rank"].tolist() == [1, 2, 3, 4, 5]
    assert result.frame["potential_rank"].tolist() == [1, 4.5, 2, 4.5, 3]
    assert result.frame["rise"].tolist() == [0, -2.5, 1, -0.5, 2]
    groups = result.groups.set_index("group")
    assert groups["customers"].tolist() == [1, 1, 1, 2]
    assert groups["current"].tolist() == [50, 40, 30, 20]
    assert groups["potential"].tolist() == [9, 1, 8, 3]
    assert groups[["customer_share", "current_share", "potential_share"]].sum().tolist() == (
        pytest.approx([1, 1, 1])
    )
    assert result.frame["certainty"].isna().all()


def test_customers_that_rise():
    result = mapped()
    assert result.rising()["customer_id"].tolist() == ["c"]
    assert result.rising(group=None)["customer_id"].tolist() == ["e", "c"]
    assert result.rising(1, group=None)["customer_id"].tolist() == ["e"]
    with pytest.raises(ValueError, match="group='stars': one of 'key now and later'"):
        result.rising(group="stars")


def test_borders_may_be_amounts():
    result = mapped(current_border=20.0, potential_border=2.0)
    assert result.frame["group"].tolist() == [BOTH, NOW, BOTH, NOW, LATER]
    assert (result.current_border, result.potential_border) == (20, 2)
    one = mapped(top=(0.2, 0.6))
    assert (one.current_border, one.potential_border) == (50, 2)


def test_equal_customers_lie_on_one_side():
    equal = TABLE.assign(revenue=[7.0, 7.0, 7.0, 1.0, 0.0])
    assert mapped(equal, top=0.2).frame["group"].isin([BOTH, NOW]).tolist() == [
        True, True, True, False, False
    ]  # fmt: skip
    nothing = TABLE.assign(revenue=[3.0, 0.0, 0.0, 0.0, 0.0])
    # a border of zero makes nobody key who brought nothing
    assert mapped(nothing, top=0.8).groups["customers"].tolist() == [1, 0, 4, 0]
    assert mapped(top=0.0).groups["customers"].tolist() == [0, 0, 0, 5]
    losing = TABLE.assign(revenue=[-1.0, -2.0, -3.0, -4.0, -5.0])
    assert mapped(losing, top=0.4).groups["customers"].tolist() == [0, 0, 2, 3]


def test_order_and_other_columns_do_not_matter():
    shuffled = VALUES.iloc[[3, 0, 4, 2, 1]].assign(note="x")
    result = mapped(values=shuffled)
    assert result.frame["customer_id"].tolist() == list("daecb")
    expected = mapped().frame.set_index("customer_id")
    pd.testing.assert_frame_equal(
        result.frame.set_index("customer_id").loc[list("abcde")], expected
    )


def test_customers_without_potential_are_left_out_and_counted():
    values = VALUES.assign(residual_value=[9.0, np.nan, 8.0, 1.0, 2.0])
    draws = [np.array([9.0, np.nan, 8.0, 1.0, 2.0])] * 2
    result = mapped(values=values, draws=draws)
    assert result.left_out == 1
    assert result.frame["customer_id"].tolist() == list("acde")
    assert "1 customers without potential value are left out" in result._repr_html_()
    assert (result.frame["certainty"] == 1).all()


def test_values_without_a_table_are_refused():
    with pytest.raises(TypeError, match=r"values: a table \(DataFrame\) is needed, .* got list"):
        lifetime.map_potential(TABLE, [1.0])


def test_who_costs_more_than_it_brings_is_never_key_by_a_share():
    table = pd.DataFrame({"customer_id": range(4), "revenue": [-1.0, -2.0, 3.0, 0.0]})
    worth = pd.DataFrame({"customer_id": range(4), "residual_value": [-1.0, -2.0, -3.0, -4.0]})
    result = lifetime.map_potential(table, worth, top=(1.0, 0.5))
    assert result.groups["customers"].tolist() == [0, 1, 0, 3]
    assert (result.current_border, result.potential_border) == (0, 0)


def test_draws_tell_who_may_cross_a_border():
    draws = [
        np.array([9.0, 1.0, 8.0, 1.0, 2.0]),
        np.array([9.0, 1.0, 3.0, 1.0, 7.0]),
        np.array([90.0, 10.0, 80.0, 10.0, 20.0]),
        np.array([9.0, 8.5, 8.0, 1.0, 2.0]),
    ]
    result = mapped(draws=iter(draws))
    assert result.draws == 4
    assert result.frame["certainty"].tolist() == [1, 0.75, 0.5, 1, 0.75]
    assert result.probabilities.sum(axis=1).tolist() == [1] * 5
    assert result.uncertain()["customer_id"].tolist() == ["c", "e", "b"]
    assert result.uncertain(0.6)["customer_id"].tolist() == ["c"]
    crossings = result.crossings()
    assert crossings.loc[LATER].tolist() == [0, 0, 0.5, 0.5]
    assert crossings.to_numpy().sum() == 5
    # a border that is an amount stays where it is
    fixed = mapped(draws=draws, potential_border=8.0)
    assert fixed.frame["certainty"].tolist() == [1, 0.5, 0.75, 0.75, 0.75]


def test_without_draws_there_is_no_certainty():
    for ask in (lambda one: one.uncertain(), lambda one: one.crossings()):
        with pytest.raises(ValueError, match="this map was made without draws"):
            ask(mapped())


@given(st.lists(st.floats(0.01, 1e6), min_size=1, max_size=40), st.floats(0.01, 1.0))
def test_a_share_of_the_customers_is_key(values, top):
    table = TABLE.iloc[:0].reindex(range(len(values)))
    table = table.assign(customer_id=range(len(values)), revenue=values)
    later = table.assign(residual_value=values)[["customer_id", "residual_value"]]
    result = lifetime.map_potential(table, later, top=top)
    key = result.frame["group"].eq(BOTH)
    assert set(result.frame["group"]) <= {BOTH, NEITHER}
    assert key.sum() >= top * len(values) - 1e-6
    # only those equal to the last one of them may be more
    above = np.array(values) > result.current_border
    assert above.sum() < max(top * len(values), 1e-9) + 1e-6


@pytest.mark.parametrize(
    ("table", "values", "arguments", "message"),
    [
        (TABLE.drop(columns="revenue"), VALUES, {}, "customers: column 'revenue' is missing"),
        (TABLE, VALUES, {"potential": "clv"}, "values: column 'clv' is missing"),
        (TABLE.iloc[[0, 0, 1, 2, 3]], VALUES, {}, "customers: customer 'a' in more than one row"),
        (TABLE.iloc[:4], VALUES, {}, "customers: customer 'e' missing"),
        (TABLE, VALUES.iloc[:1], {}, r"values: customer 'b', 'c', 'd' and 1 more missing"),
        (TABLE.assign(revenue=np.nan), VALUES, {}, "revenue cannot be measured: 5 values"),
        (TABLE, VALUES.assign(residual_value=np.nan), {}, "no customer has a potential value"),
        (TABLE, VALUES, {"top": 40}, "40 % is top=0.4"),
        (TABLE, VALUES, {"potential_border": np.inf}, "potential_border=inf: a finite amount"),
        (TABLE, VALUES, {"draws": [np.ones(3)]}, "draw 0 has the shape"),
        (TABLE, VALUES, {"draws": [np.full(5, np.nan)]}, r"draws\[0\] cannot be measured"),
    ],
)
def test_tables_that_make_no_sense_are_refused(table, values, arguments, message):
    with pytest.raises(ValueError, match=message):
        mapped(table, values, **arguments)


def test_inputs_stay_as_they_are():
    table, values = TABLE.copy(), VALUES.copy()
    mapped(table, values, draws=[np.ones(5)])
    pd.testing.assert_frame_equal(table, TABLE)
    pd.testing.assert_frame_equal(values, VALUES)


@pytest.fixture(scope="module")
def cdnow(cdnow_base):
    table = customers.customer_table(cdnow_base, end="1997-09-30")
    return table, lifetime.fit_paretonbd(table), lifetime.fit_gammagamma(table)


def test_values_by_the_models_of_a_draw_are_what_those_models_say(cdnow):
    table, model, spend = cdnow
    terms = {"margin": 0.5, "horizon": 39.0}
    drawn = lifetime.bootstrap_models(table, model, spend, draws=3, seed=1)
    valued = lifetime.value_customers(model, spend, table, draws=drawn, **terms)
    values = list(valued.redrawn())
    first = lifetime.value_customers(drawn.transactions[0], drawn.spend[0], table, **terms)
    np.testing.assert_allclose(values[0], first.frame["residual_value"], rtol=1e-9)
    assert len(values) == 3
    assert np.corrcoef(values[2], valued.frame["residual_value"])[0, 1] > 0.99
    with pytest.raises(ValueError, match="these values have no draws"):
        next(first.redrawn())


def test_the_overlooked_are_key_later_and_not_now():
    table = pd.DataFrame({"customer_id": list("abcd"), "revenue": [4.0, 3.0, 2.0, 1.0]})
    values = pd.DataFrame({"customer_id": list("abcd"), "residual_value": [4.0, 1.0, 3.0, 2.0]})
    half = lifetime.map_potential(table, values, top=0.5)
    assert half.overlooked.estimate == 0.5
    assert np.isnan(half.overlooked.lower)
    draws = [np.array([4.0, 3.0, 2.0, 1.0]), np.array([1.0, 2.0, 3.0, 4.0])]
    drawn = lifetime.map_potential(table, values, top=0.5, draws=draws).overlooked
    assert (drawn.estimate, drawn.n) == (0.5, 2)
    assert drawn.lower == pytest.approx(0.025) and drawn.upper == pytest.approx(0.975)


def test_the_key_customers_of_the_map_bring_more_later(cdnow, cdnow_base):
    table, model, spend = cdnow
    drawn = lifetime.bootstrap_models(table, model, spend, draws=5)
    valued = lifetime.value_customers(model, spend, table, draws=drawn)
    result = lifetime.map_potential(
        table,
        valued,
        draws=valued.redrawn(),
    )
    assert result.groups["customers"].sum() == 23_570
    assert 0 < len(result.uncertain()) < 2_000
    later = customers.customer_table(cdnow_base, start="1997-10-01").set_index("customer_id")
    brought = later["revenue"].reindex(result.frame["customer_id"]).fillna(0).to_numpy()
    means = pd.Series(brought).groupby(result.frame["group"].to_numpy()).mean()[list(GROUPS)]
    # the fading brought more before, those of the future bring more after
    assert means[BOTH] > means[LATER] > means[NOW] > means[NEITHER]
    before = result.groups.set_index("group")
    before = before["current"] / before["customers"]
    assert before[NOW] > before[LATER]
