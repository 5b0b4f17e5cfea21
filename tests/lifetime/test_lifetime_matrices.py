"""Every history a customer may have, and one customer day by day."""

import numpy as np
import pandas as pd
import pytest
from keycustomer.lifetime import (
    GammaLaw,
    alive_matrix,
    fit_paretonbd,
    purchase_matrix,
    simulate_customers,
    trace_customer,
)

ROUNDING = 1e-12
"""The same formula at the same arguments."""

DATES = pd.to_datetime(["2024-01-03", "2024-01-03", "2024-02-14", "2024-03-01"])
PURCHASES = pd.DataFrame(
    {
        "customer_id": ["<a>", "<a>", "<a>", "<a>", "b"],
        "date": [*DATES, pd.Timestamp("2024-04-30 17:15")],
    }
)


@pytest.fixture(scope="module")
def model():
    drawn = simulate_customers(
        "Pareto/NBD", GammaLaw(0.6, 11), GammaLaw(0.5, 9), 39.0, customers=800, whole_days=True
    )
    return fit_paretonbd(drawn)


def test_cells_are_the_models_answers(model):
    for matrix, answer in (
        (alive_matrix(model, T=30), model.probability_alive),
        (purchase_matrix(model, 26, T=30), lambda table: model.expected_purchases(26, table)),
    ):
        long = matrix.to_frame()
        days = long.assign(recency=7 * long["recency"], T=7 * long["T"])
        np.testing.assert_allclose(long[matrix.measure], answer(days), rtol=ROUNDING)


def test_histories_that_cannot_be_stay_empty(model):
    matrix = alive_matrix(model, T=5, frequencies=[0, 1, 20])
    known = matrix.frame.notna()
    weeks = matrix.frame.columns.to_numpy()
    np.testing.assert_array_equal(known.loc[0], weeks == 0)
    np.testing.assert_array_equal(known.loc[1], weeks >= 1 / 7)
    # twenty repeat purchases take twenty days at least
    np.testing.assert_array_equal(known.loc[20], weeks >= 20 / 7)


def test_nearly_all_customers_are_shown_when_nothing_is_asked_for(model):
    matrix = alive_matrix(model)
    histories = model.histories
    assert matrix.T == histories.T.max()
    shown = histories.weights[histories.frequency <= matrix.frame.index.max()].sum()
    assert shown >= 0.998 * histories.customers
    assert list(matrix.frame.index) == list(range(len(matrix.frame)))


def test_a_matrix_reads_well(model):
    said = purchase_matrix(model, 26, T=30, frequencies=[2])._repr_html_()
    assert "expected purchases within 26 weeks by Pareto/NBD, customers of age 30 weeks" in said


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"T": 0}, "T=0: a number of weeks above 0 is needed"),
        ({"T": np.nan}, "T=nan: a number of weeks"),
        ({"frequencies": [1.5]}, "whole numbers of at least 0"),
        ({"frequencies": []}, "whole numbers of at least 0"),
        ({"frequencies": [-1]}, r"frequencies=\[-1\]"),
    ],
)
def test_what_cannot_be_asked_is_refused(model, arguments, message):
    with pytest.raises(ValueError, match=message):
        alive_matrix(model, **arguments)


def test_a_horizon_is_needed(model):
    with pytest.raises(ValueError, match="horizon=-3: a number of weeks above 0"):
        purchase_matrix(model, -3)


def test_a_customer_day_by_day(model):
    trace = trace_customer(model, PURCHASES, "<a>")
    frame = trace.to_frame()
    assert list(trace.purchases) == list(DATES.unique())
    assert (frame["date"].iloc[0], frame["date"].iloc[-1]) == (DATES[0], pd.Timestamp(2024, 4, 30))
    by_day = frame.set_index("date")
    told = by_day.loc[["2024-01-03", "2024-02-13", "2024-02-14", "2024-03-01", "2024-04-30"]]
    np.testing.assert_array_equal(told["frequency"], [0, 0, 1, 2, 2])
    np.testing.assert_array_equal(told["recency"], [0, 0, 42, 58, 58])
    np.testing.assert_array_equal(told["T"], [0, 41, 42, 58, 118])
    alive = model.probability_alive(told.reset_index())
    np.testing.assert_allclose(told["probability_alive"], alive, rtol=ROUNDING)
    assert "&lt;a&gt;" in trace._repr_html_()
    assert "3 purchase days" in trace._repr_html_()


def test_silence_lowers_and_a_purchase_raises_the_probability(model):
    frame = trace_customer(model, PURCHASES, "<a>").frame
    change = frame["probability_alive"].diff().iloc[1:]
    bought = frame["frequency"].diff().iloc[1:] > 0
    assert (change[bought] > 0).all()
    assert (change[~bought] < 0).all()


def test_a_trace_ends_where_it_is_told_to(model):
    trace = trace_customer(model, PURCHASES, "<a>", until="2024-02-20")
    assert trace.purchases[-1] == pd.Timestamp(2024, 2, 14)
    assert trace.frame["date"].iloc[-1] == pd.Timestamp(2024, 2, 20)
    assert len(trace_customer(model, PURCHASES, "b").frame) == 1


@pytest.mark.parametrize(
    ("table", "customer", "until", "message"),
    [
        (PURCHASES, "c", None, "customer_id='c' has no purchase; .* for example, '<a>', 'b'"),
        (PURCHASES, "<a>", "2023-12-31", "until=2023-12-31: customer '<a>' first bought on 2024"),
        (PURCHASES.rename(columns={"date": "day"}), "b", None, "'date' is missing; .*day"),
    ],
)
def test_a_customer_without_a_history_is_refused(model, table, customer, until, message):
    with pytest.raises(ValueError, match=message):
        trace_customer(model, table, customer, until=until)
