"""Tracking, conditional expectations and calibration: closed forms, sums, other programs, edges."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keycustomer import lifetime
from known_models import SPLIT, Steady, sample_days, sample_models, sample_split, toy_split
from lifetimes.utils import expected_cumulative_transactions

EVERY = ("day", "week", "month", "quarter", "year")

# Sums of some thousand numbers in another order.
ROUNDING = 1e-10


@pytest.fixture(scope="module")
def weekly():
    return lifetime.tracking(sample_models(), sample_split())


def test_actual_weeks_are_counted_as_pandas_counts_them(weekly):
    days = sample_days()[["customer_id", "date"]].drop_duplicates().sort_values("date")
    repeats = days[days["customer_id"].duplicated()]
    week = (repeats["date"] - pd.Timestamp("1997-01-01")).dt.days // 7
    frame = weekly.of("BG/NBD")
    np.testing.assert_array_equal(frame["actual"], np.bincount(week, minlength=78))
    assert frame["complete"].all()
    assert frame["holdout"].tolist() == [False] * 39 + [True] * 39


@pytest.mark.parametrize("number", [0, 1])
def test_expected_totals_are_sums_over_customers(weekly, number):
    model, split = sample_models()[number], sample_split()
    frame = weekly.of(model.model)
    age = split.calibration["T"].to_numpy() / 7
    for row, added in ((38, 0), (77, 39)):
        total = model.expected_purchases_new(age + added).sum()
        assert frame["cumulative_expected"].iloc[row] == pytest.approx(total, rel=ROUNDING)


def test_expected_weeks_agree_with_lifetimes(weekly):
    model = sample_models()[0]

    class TheirModel:
        @staticmethod
        def expected_number_of_purchases_up_to_time(time):
            return model.expected_purchases_new(np.maximum(time, 0) / 7)

    theirs = expected_cumulative_transactions(
        TheirModel, sample_days(), "date", "customer_id", 78 * 7, freq="D", set_index_date=True
    )
    theirs.index = theirs.index.to_timestamp()
    frame = weekly.of("BG/NBD")
    np.testing.assert_array_equal(
        frame["cumulative_actual"], theirs["actual"].reindex(frame["end"])
    )
    # they count a customer's age at the end of a day one day higher than T does
    day_before = frame["end"].iloc[1:] - pd.Timedelta(days=1)
    np.testing.assert_allclose(
        frame["cumulative_expected"].iloc[1:],
        theirs["predicted"].reindex(day_before),
        rtol=ROUNDING,
    )


def test_a_steady_rate_has_a_closed_form():
    split = toy_split()
    frame = lifetime.tracking(Steady(0.25), split, "day").of("steady")
    won = split.daily["won"].to_numpy()
    alive = np.cumsum(np.append(0, won[:-1]))
    np.testing.assert_allclose(frame["expected"], 0.25 * alive)


@pytest.mark.parametrize("every", EVERY)
def test_periods_cover_the_time_and_one_ends_on_the_split(every):
    split = sample_split()
    result = lifetime.tracking(Steady(0.01), split, every)
    frame = result.of("steady")
    assert frame["start"].iloc[0] == pd.Timestamp(split.start)
    assert frame["end"].iloc[-1] == pd.Timestamp(split.end)
    one_after_the_other = frame["start"].iloc[1:].to_numpy() - frame["end"].iloc[:-1].to_numpy()
    assert (one_after_the_other == np.timedelta64(1, "D")).all()
    assert frame.loc[~frame["holdout"], "end"].iloc[-1] == pd.Timestamp(SPLIT)
    assert frame["actual"].sum() == split.daily["repeats"].sum()
    assert result.ratios["holdout"].iloc[0] == pytest.approx(
        frame.loc[frame["holdout"], "expected"].sum() / split.purchases.sum()
    )


def test_periods_cut_off_are_marked():
    split = sample_split()
    short = dataclasses.replace(split, end=split.split + pd.Timedelta(days=10))
    short = dataclasses.replace(short, daily=split.daily.iloc[: 273 + 10])
    frame = lifetime.tracking(Steady(0.01), short).of("steady")
    assert frame["complete"].tolist() == [True] * 40 + [False]
    months = lifetime.tracking(Steady(0.01), toy_split(border=40), "month").of("steady")
    assert months["complete"].tolist() == [False, True, False]
    assert months["end"].dt.strftime("%m-%d").tolist() == ["01-09", "02-09", "02-29"]


@settings(max_examples=20)
@given(days=st.integers(12, 80), share=st.floats(0.1, 0.9), every=st.sampled_from(EVERY))
def test_any_split_adds_up(days, share, every):
    split = toy_split(customers=6, days=days, border=max(5, int(share * days)))
    frame = lifetime.tracking(Steady(0.1), split, every).of("steady")
    assert frame["cumulative_actual"].iloc[-1] == split.daily["repeats"].sum()
    total = 0.1 * (split.calibration["T"] + split.holdout_days).sum()
    assert frame["cumulative_expected"].iloc[-1] == pytest.approx(total)


@pytest.mark.parametrize("by", ["frequency", "recency"])
def test_groups_are_means_of_their_customers(by):
    split, models = sample_split(), sample_models()
    result = lifetime.conditional_expectation(models, split, by, draws=50)
    assert result.predictors == ("BG/NBD", "Pareto/NBD")
    for model in models:
        rows = result.of(model.model)
        assert rows["customers"].sum() == split.customers
        predicted = model.expected_purchases(39, split.calibration).sum()
        sums = rows[["actual", "predicted"]].mul(rows["customers"], axis=0).sum()
        np.testing.assert_allclose(sums, [split.purchases.sum(), predicted], rtol=ROUNDING)
        assert (rows["lower"] <= rows["actual"]).all() and (rows["actual"] <= rows["upper"]).all()


def test_groups_of_a_single_frequency():
    split = sample_split()
    rows = lifetime.conditional_expectation(sample_models()[0], split, draws=5).of("BG/NBD")
    assert rows["group"].tolist() == ["0", "1", "2", "3", "4", "5", "6", "7+"]
    frame = split.to_frame()
    by_frequency = frame.groupby(frame["frequency"].clip(upper=7))["holdout_purchases"]
    np.testing.assert_allclose(rows["actual"], by_frequency.mean())
    assert rows["customers"].tolist() == by_frequency.size().tolist()


def test_wide_groups_where_frequencies_are_many(complete_journey_base):
    split = lifetime.split_holdout(complete_journey_base, "2017-06-30")
    rows = lifetime.conditional_expectation(Steady(0.1), split, draws=5).of("steady")
    assert len(rows) == 8
    assert rows["group"].iloc[[0, -1]].tolist() == ["0 to 2", "48+"]
    assert rows["customers"].between(200, 400).all()


def test_recency_keeps_those_apart_who_never_came_back():
    split = sample_split()
    rows = lifetime.conditional_expectation(Steady(0.1), split, "recency", draws=5).of("steady")
    assert rows["group"].tolist()[:3] == ["never came back", "0 to 6 weeks", "6 to 12 weeks"]
    assert rows["customers"].iloc[0] == (split.calibration["frequency"] == 0).sum()
    weeks = split.calibration["recency"] / 7
    assert rows["customers"].iloc[2] == ((weeks > 6) & (weeks <= 12)).sum()


def test_everybody_alike_is_one_group():
    split = toy_split()
    alike = dataclasses.replace(
        split, calibration=split.calibration.assign(frequency=0, recency=0.0)
    )
    for by, label in (("frequency", "0"), ("recency", "never came back")):
        rows = lifetime.conditional_expectation(Steady(0.1), alike, by, draws=5).of("steady")
        assert rows["group"].tolist() == [label]


def test_a_group_of_one_customer_has_no_interval():
    split = toy_split()
    frequency = split.calibration["frequency"].where(split.calibration.index > 0, 30)
    table = split.calibration.assign(frequency=frequency)
    result = lifetime.conditional_expectation(
        Steady(0.1), dataclasses.replace(split, calibration=table), groups=40, draws=50
    )
    last = result.of("steady").iloc[-1]
    assert (last["group"], last["customers"]) == ("30", 1)
    assert np.isnan(last["lower"])


def test_the_calibration_table_adds_up():
    split = sample_split()
    result = lifetime.calibration_table(sample_models(), split, draws=10)
    assert result.predictors[-1] == "everybody zero"
    for name in result.predictors:
        rows = result.of(name)
        assert rows["actual"].mean() == pytest.approx(split.purchases.mean())
        assert rows["predicted"].is_monotonic_decreasing
        assert rows["customers"].sum() == pytest.approx(split.customers)
    predicted = sample_models()[0].expected_purchases(39, split.calibration)
    assert result.of("BG/NBD")["predicted"].mean() == pytest.approx(predicted.mean())


def test_equal_predictions_share_the_groups():
    split = sample_split()
    rows = lifetime.calibration_table(Steady(0.1), split, draws=10).of("everybody zero")
    np.testing.assert_allclose(rows["actual"], split.purchases.mean())


def test_tenths_are_those_of_a_plain_sort():
    split = toy_split(customers=40)
    values = np.random.default_rng(2).random(40)
    rows = lifetime.calibration_table({"mine": values}, split, groups=4, draws=5).of("mine")
    order = np.argsort(-values)
    np.testing.assert_allclose(rows["actual"], split.purchases[order].reshape(4, 10).mean(axis=1))
    np.testing.assert_allclose(rows["predicted"], values[order].reshape(4, 10).mean(axis=1))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda s: lifetime.tracking(Steady(1), s, "fortnight"), "every='fortnight': one of 'day'"),
        (lambda s: lifetime.conditional_expectation(Steady(1), s, "T"), "by='T': 'frequency' or"),
        (lambda s: lifetime.conditional_expectation(Steady(1), s, groups=1), "at least 2 are"),
        (lambda s: lifetime.calibration_table(Steady(1), s, groups=41), "number of customers .40"),
    ],
)
def test_wrong_arguments_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call(toy_split())


def test_predictions_alone_cannot_be_tracked():
    with pytest.raises(TypeError, match=r"models\['mine'\]: a fitted model .* got ndarray"):
        lifetime.tracking({"mine": np.ones(40)}, toy_split())


def test_a_model_that_saw_the_holdout_is_not_tracked():
    seen = Steady(0.1, histories=lifetime.read_histories(sample_split().calibration))
    with pytest.raises(ValueError, match="it has seen the holdout period"):
        lifetime.tracking(seen, toy_split())


def test_names_are_shown_as_they_stand():
    split = toy_split()
    for result in (
        lifetime.tracking({"<i>": Steady(1)}, split),
        lifetime.conditional_expectation({"<i>": Steady(1)}, split, draws=5),
    ):
        assert "&lt;i&gt;" in result._repr_html_()
        assert "<i>" not in result._repr_html_()
