"""Growing windows, seen and implied: against chapter 1, pandas, simulated customers."""

import numpy as np
import pandas as pd
import pytest
from keycustomer import customers, lifetime, pareto
from keycustomer.lifetime.concentration import growing_windows
from period_tables import cdnow_lines

ENDS = ["1997-03-31", "1997-09-30", "1998-06-30"]
SAME = 1e-9  # sums of money in another order
CHANCE = 0.012  # 4 standard errors of a top share of 60,000 customers


@pytest.fixture(scope="module")
def fits(cdnow_base):
    """Models of all of CDNOW."""
    table = customers.customer_table(cdnow_base)
    return lifetime.fit_paretonbd(table), lifetime.fit_gammagamma(table)


@pytest.fixture(scope="module")
def by_window(cdnow_base, fits):
    model, spend = fits
    return lifetime.concentration_by_window(model, cdnow_base, ENDS, spend=spend, draws=20)


def test_windows_seen_are_those_of_chapter_1(cdnow_base, by_window):
    days = customers.customer_periods(cdnow_base, "1 days")
    known = pareto.pareto_by_window(days, ends=ENDS, every="1 days", draws=2)
    for population in ("all", "buyers"):
        one, other = by_window.of(population), known.of(population)
        np.testing.assert_allclose(one["seen"], other["share"], rtol=SAME)
        assert one["days"].tolist() == other["days"].tolist()
        assert one["customers"].tolist() == other["customers"].tolist()
    # the pins of chapter 1: half a year and a year and a half of CDNOW
    assert by_window.of("buyers")["seen"].round(3).tolist()[1:] == [0.628, 0.677]


def test_the_model_follows_what_was_seen(by_window):
    rows = by_window.of("buyers")
    assert (rows["implied"].diff().dropna() > 0).all()
    assert (rows["seen"] - rows["implied"]).abs().max() < 0.06
    assert (rows["luck_alone"] < rows["implied"]).all()
    assert rows["implied_lower"].isna().all()


def test_customers_won_later_fill_the_bottom(cdnow_base, fits):
    model, _ = fits
    result = lifetime.concentration_by_window(model, cdnow_base, ["1997-02-10"], draws=5)
    everybody, buyers = (result.of(name).iloc[0] for name in ("all", "buyers"))
    assert everybody["customers"] == 23_570 > buyers["customers"]
    share = buyers["customers"] / 23_570
    # the top fifth of all is a larger part of those who have bought
    table = customers.customer_table(cdnow_base, end="1997-02-10")
    ages = table["T"] / 7
    of_buyers = lifetime.implied_share(model, ages, top=0.2, first_purchase=True)
    of_all = lifetime.implied_share(model, ages, top=0.2 / share, first_purchase=True)
    assert buyers["implied"] == pytest.approx(of_buyers, rel=SAME)
    assert everybody["implied"] == pytest.approx(of_all, rel=SAME)


def test_ages_are_counted_as_pandas_counts_them(cdnow_base, fits):
    model, spend = fits
    lines = cdnow_lines()
    first = lines.groupby("customer_id")["date"].transform("min")
    lines = lines.assign(age=(lines["date"] - first).dt.days)
    last = pd.Timestamp("1998-06-30")
    observed = lines.groupby("customer_id")["date"].min().rsub(last).dt.days
    for money, law in (("revenue", spend), (None, None)):
        result = lifetime.concentration_by_age(model, cdnow_base, [4, 70], spend=law, draws=5)
        for place, weeks in enumerate((4, 70)):
            there = observed.index[observed >= 7 * weeks]
            again = lines[lines["age"].between(1, 7 * weeks)].groupby(["customer_id", "date"])
            sums = again["revenue"].sum() if money else again.size() > 0
            values = sums.groupby("customer_id").sum().reindex(there, fill_value=0)
            for population in ("all", "buyers"):
                row = result.of(population).iloc[place]
                share = pareto.pareto_share(values.astype(float), population=population)
                assert row["seen"] == pytest.approx(share, rel=SAME)
                implied = lifetime.implied_share(model, weeks, population=population, spend=law)
                assert row["implied"] == pytest.approx(implied, rel=SAME)
                luck = lifetime.luck_share(model, weeks, population=population, spend=law)
                assert row["luck_alone"] == pytest.approx(luck, rel=SAME)


def test_the_lasting_share_and_every_interval_hold_the_estimates(cdnow_base, fits):
    model, spend = fits
    table = customers.customer_table(cdnow_base)
    models = lifetime.bootstrap_models(table, model, spend, draws=8, seed=3)
    told = []
    result = lifetime.concentration_by_age(
        model,
        cdnow_base,
        [10.0, 40.0],
        spend=spend,
        models=models,
        draws=100,
        progress=lambda done, total: told.append((done, total)),
    )
    frame = result.to_frame()
    assert (frame["lower"] <= frame["seen"]).all() and (frame["seen"] <= frame["upper"]).all()
    assert (frame["implied_lower"] < frame["implied_upper"]).any()
    assert (frame["implied_lower"] - 0.02 < frame["implied"]).all()
    assert result.lasting.lower < result.lasting.estimate + 0.01 < result.lasting.upper + 0.02
    assert result.lasting.estimate == lifetime.lasting_share(model, spend=spend)
    assert told[-1] == (10, 10) and len(told) == 10
    html = result._repr_html_()
    assert "repeat revenue" in html and "Pareto/NBD" in html


def test_simulated_customers_are_seen_as_implied():
    purchasing, dropout = lifetime.GammaLaw(0.7, 6.0), lifetime.GammaLaw(1.2, 30.0)
    drawn = lifetime.simulate_customers("Pareto/NBD", purchasing, dropout, 39.0, customers=60_000)
    model = lifetime.fit_paretonbd(drawn)
    seen = pareto.pareto_share(drawn["frequency"].astype(float))
    assert lifetime.implied_share(model, 39.0) == pytest.approx(seen, abs=CHANCE)
    truth = lifetime.lasting_share(model)
    assert pareto.pareto_share(drawn["true_rate"]) == pytest.approx(truth, abs=CHANCE)


def purchases(*rows):
    frame = pd.DataFrame(rows, columns=["customer_id", "date", "revenue"])
    return frame.assign(date=pd.Timestamp("2024-01-01") + pd.to_timedelta(frame["date"], unit="D"))


SMALL = purchases(("a", 0, 5.0), ("a", 9, 5.0), ("b", 1, 2.0), ("c", 2, 1.0), ("c", 20, 0.0))


@pytest.fixture(scope="module")
def small_model():
    table = lifetime.split_holdout(SMALL, "2024-01-20", end="2024-01-21").calibration
    return lifetime.fit_bgnbd(table, unit="day")


def test_a_handful_of_customers(small_model):
    result = lifetime.concentration_by_age(small_model, SMALL, [2, 9, 18], draws=10)
    assert result.of("all")["customers"].tolist() == [3, 3, 3]
    assert result.of("buyers")["customers"].tolist() == [0, 1, 2]
    assert np.isnan(result.of("all")["seen"][0])  # nobody had come back by then
    assert result.of("all")["seen"].tolist()[1:] == pytest.approx([0.6, 0.3])
    again = lifetime.concentration_by_window(small_model, SMALL, draws=10)
    assert again.of("buyers")["customers"].iloc[-1] == 3
    assert len(again.of("all")) == growing_windows.MOST_WINDOWS
    assert again.by_age is False and result.by_age is True


@pytest.mark.parametrize(
    ("call", "arguments", "message"),
    [
        ("concentration_by_age", {"ages": [0.2]}, "ages from one day to the 20 days"),
        ("concentration_by_age", {"ages": [21]}, "ages from one day to the 20 days"),
        ("concentration_by_age", {"ages": []}, "ages from one day to"),
        ("concentration_by_age", {"top": 20}, "20 % is top=0.2"),
        ("concentration_by_age", {"start": "2024-02-01"}, "the start must lie before"),
        ("concentration_by_age", {"start": "2023-01-01", "end": "2023-02-01"}, "nobody bought"),
        ("concentration_by_window", {"ends": ["2025-01-01"]}, "days from 2024-01-01 to 2024-01-21"),
        ("concentration_by_window", {"ends": ["soon"]}, "ends is a day such as"),
        (
            "concentration_by_window",
            {"ends": ["2023-12-30"], "start": "2023-12-25"},
            "nobody bought between 2023-12-25 and 2023-12-30",
        ),
    ],
)
def test_windows_that_make_no_sense_are_refused(call, arguments, message, small_model):
    with pytest.raises(ValueError, match=message):
        getattr(lifetime, call)(small_model, SMALL, **arguments)


def test_a_table_without_amounts_is_named(small_model):
    with pytest.raises(ValueError, match="'revenue' is missing"):
        lifetime.concentration_by_age(small_model, SMALL.drop(columns="revenue"))


def test_drawn_models_without_spend_are_refused(cdnow_base, fits):
    table = customers.customer_table(cdnow_base)
    models = lifetime.bootstrap_models(table, fits[0], draws=1)
    with pytest.raises(ValueError, match="some draws have no model of spend"):
        lifetime.concentration_by_age(fits[0], cdnow_base, [9], spend=fits[1], models=models)
