"""Response curves of levers: known curves found again, concave whatever the data, honest ends."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keycustomer.stats.samples import FloatArray
from keycustomer.strategy import LeverCurves, fit_lever_curves

FORM = 0.02
"""Largest error of a gain, as a share of the largest: the scales of the exponentials are fixed,
and of a curve that bends before the first setting its settings do not tell where."""

STEP = 1e-5
"""Step of numerical derivatives; their error is of the order of its square."""

COVERED = 0.88
"""Least share of intervals that hold the truth: 95 % less three standard errors of 100 trials."""

SPENT = np.array([0.0, 10, 25, 50, 100, 200])


def trial(gain: FloatArray, spending: FloatArray = SPENT, lever: str = "service") -> pd.DataFrame:
    """Make a trial of one lever without companies."""
    return pd.DataFrame({"lever": lever, "spending": spending, "gain": gain})


@pytest.mark.parametrize("scale", [8.0, 30.0, 120.0, 500.0])
def test_a_saturating_exponential_is_found_again(scale: float) -> None:
    """The usual response curve lies within the form, whatever its steepness."""
    curve = fit_lever_curves(trial(-300 * np.expm1(-SPENT / scale)))["service"]
    x = np.linspace(0, 200, 41)
    truth = -300 * np.expm1(-x / scale)
    np.testing.assert_allclose(curve.gain(x), truth, atol=FORM * truth.max())
    assert curve.misfit < FORM


def test_straight_and_falling_gains_are_found_again() -> None:
    """A straight line is exact; a gain that falls after its top pays up to the slope of 1."""
    line = fit_lever_curves(trial(0.7 * SPENT), draws=0)["service"]
    np.testing.assert_allclose(line.gain(SPENT), 0.7 * SPENT, atol=1e-8)
    assert line.pays_up_to.estimate == 0
    hump = fit_lever_curves(trial(3 * SPENT - 0.01 * SPENT**2), draws=0)["service"]
    # the parabola's slope is 1 at 100, its top at 150
    assert hump.pays_up_to.estimate == pytest.approx(100, rel=0.05)
    assert hump.next_return(190.0) < 0


def test_slopes_are_derivatives_and_have_inverses() -> None:
    """The next return is the curve's derivative, and spending_at finds where it is reached."""
    curve = fit_lever_curves(trial(40 * np.sqrt(SPENT)))["service"]
    x = np.array([5.0, 40.0, 150.0])
    numeric = (curve.gain(x + STEP) - curve.gain(x - STEP)) / (2 * STEP)
    np.testing.assert_allclose(curve.next_return(x), numeric, rtol=1e-6)
    for spending in x:
        found = curve.spending_at(float(curve.next_return(spending)))
        assert found == pytest.approx(spending, rel=1e-6)
    assert curve.spending_at(1e6) == 0 and curve.spending_at(1e-9) == curve.tried


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(-500, 500), min_size=5, max_size=5))
def test_every_curve_is_concave_and_starts_at_nothing(gains: list[float]) -> None:
    """Whatever was measured, returns never rise along the curve."""
    curve = fit_lever_curves(trial(np.array([0.0, *gains])), draws=0)["service"]
    slopes = curve.next_return(np.linspace(0, 200, 50))
    assert curve.gain(0.0) == 0
    assert (np.diff(slopes) <= 1e-9 * (1 + np.abs(slopes[:-1]))).all()


def companies(
    rng: np.random.Generator, count: int = 12, noise: float = 0.15, power: float = 0.5
) -> pd.DataFrame:
    """Make a trial of one lever in companies whose gains differ by a factor."""
    factor = 1 + noise * rng.standard_normal(count)
    gain = 12 * np.outer(factor, SPENT**power) + 2 * rng.standard_normal((count, len(SPENT)))
    return pd.DataFrame(
        {
            "company": np.repeat(np.arange(count), len(SPENT)),
            "lever": "service",
            "dial": np.tile(SPENT, count),
            "spending": np.tile(SPENT, count),
            "gain": gain.ravel(),
        }
    )


def test_intervals_hold_the_truth() -> None:
    """Of 100 trials in twelve companies, about 95 % hold the first and the next return."""
    rng = np.random.default_rng(5)
    first = next_ = 0
    truth = fit_lever_curves(trial(12 * np.sqrt(SPENT)), draws=0)["service"]
    for seed in range(100):
        curve = fit_lever_curves(companies(rng), draws=40, seed=seed)["service"]
        one, other = curve.first_return, curve.estimate(100.0)
        first += one.lower <= float(truth.gain(10.0)) / 10 <= one.upper
        next_ += other.lower <= float(truth.next_return(100.0)) <= other.upper
    assert first / 100 >= COVERED and next_ / 100 >= COVERED


@pytest.mark.parametrize(
    ("power", "said"), [(0.5, "diminishing"), (1.6, "growing"), (1.0, "straight")]
)
def test_the_bend_is_told(power: float, said: str) -> None:
    """Gains that grow with spending are drawn straight, and said to grow."""
    frame = companies(np.random.default_rng(1), power=power)
    curves = fit_lever_curves(frame)
    assert curves["service"].bend.startswith(said)
    assert ("grow with spending" in curves.sentence) == (power > 1)
    if power > 1:
        slopes = curves["service"].next_return(SPENT)
        np.testing.assert_allclose(slopes, slopes[0])


def test_large_companies_do_not_bend_the_curve() -> None:
    """Companies that spend and gain in proportion to their size give the curve of their mean."""
    size = np.array([0.2, 0.5, 1.0, 2.3])
    frame = pd.DataFrame(
        {
            "company": np.repeat(size, len(SPENT)),
            "lever": "service",
            "step": np.tile(SPENT, 4),
            "spending": np.outer(size, SPENT).ravel(),
            "gain": np.outer(size, -100 * np.expm1(-SPENT / 40)).ravel(),
        }
    )
    curve = fit_lever_curves(frame, setting="step")["service"]
    truth = -100 * np.expm1(-SPENT / 40)
    np.testing.assert_allclose(curve.gain(SPENT), truth, atol=FORM * 100)


def test_weights_count_rows_and_the_order_does_not() -> None:
    """A row of weight 2 is the row twice, in whatever order they come."""
    frame = trial(np.array([0, 30, 55, 80, 120, 130.0])).assign(weight=[1, 1, 2, 1, 1, 1])
    twice = pd.concat([frame, frame.iloc[[2]]]).sample(frac=1, random_state=3)
    one = fit_lever_curves(frame, weight="weight", draws=0)["service"]
    other = fit_lever_curves(twice, draws=0)["service"]
    np.testing.assert_allclose(one.gain(SPENT), other.gain(SPENT), rtol=1e-6)


def test_results_read_well_and_are_escaped() -> None:
    """Tables have one row a lever, what is not known stays empty, names are no markup."""
    frame = pd.concat([trial(0.9 * SPENT, lever="<b>price</b>"), trial(40 * np.sqrt(SPENT))])
    curves = fit_lever_curves(frame, draws=0)
    table = curves.to_frame()
    assert table["lever"].tolist() == ["<b>price</b>", "service"]
    assert table[["lower", "upper", "today", "return_today"]].isna().all(axis=None)
    assert set(table["pays"]) == {"undecided"}
    assert "<b>price</b>" not in curves._repr_html_()
    again = fit_lever_curves(frame, today={"service": 100.0})
    assert again.to_frame()["return_today"].notna().tolist() == [False, True]
    assert isinstance(again, LeverCurves) and "today" in again.sentence


def test_complaints_name_what_is_wrong() -> None:
    """Hostile tables are refused with their column, row or lever."""
    good = trial(40 * np.sqrt(SPENT))
    with pytest.raises(ValueError, match="'gain' is missing; columns found: lever, spending"):
        fit_lever_curves(good.drop(columns="gain"))
    with pytest.raises(ValueError, match="1 rows are no spending with its gain, first at 3"):
        fit_lever_curves(good.assign(spending=good["spending"].where(good.index != 3, -1)))
    with pytest.raises(ValueError, match="lever 'service' has fewer; a curve needs at least two"):
        fit_lever_curves(good[good["spending"] <= 10])
    with pytest.raises(ValueError, match="the trial is empty"):
        fit_lever_curves(good.iloc[:0])
    with pytest.raises(ValueError, match="today: no lever 'prices' in the trial; there is: serv"):
        fit_lever_curves(good, today={"prices": 3})
    with pytest.raises(KeyError, match="no curve of 'price'"):
        fit_lever_curves(good, draws=0)["price"]


def test_levers_of_one_trial_are_drawn_together() -> None:
    """Companies gain more or less on all levers: their difference is surer than either gain."""
    rng = np.random.default_rng(5)
    rows = [
        trial(size * 60 * (1 - np.exp(-SPENT / 40)), lever=lever).assign(
            company=company, dial=SPENT
        )
        for company, size in enumerate(rng.uniform(0.5, 1.5, 12))
        for lever in ("service", "price")
    ]
    found = fit_lever_curves(pd.concat(rows, ignore_index=True))
    one, other = (found[lever].drawn_gain(50.0) for lever in ("service", "price"))
    np.testing.assert_allclose(one, other)
    # in another order of companies, and only in some of them
    some = pd.concat([rows[5], *rows[:5:2]], ignore_index=True)
    assert fit_lever_curves(some).levers == ("price", "service")


def test_gains_that_grow_are_no_guide_to_the_first_unit() -> None:
    """The line through them promises a first unit that the trial denies."""
    rows = [
        trial(0.01 * SPENT**2 + noise).assign(company=company, dial=SPENT)
        for company, noise in enumerate([0.0, 0.5, -0.5, 0.2])
    ]
    found = fit_lever_curves(pd.concat(rows, ignore_index=True), today={"service": 100.0})
    told = found.to_frame().iloc[0]
    assert found.growing == ("service",) and told["lower"] > 1
    assert told["pays"] == "undecided" and np.isnan(told["return_today"])
    assert "pays back on none" in found.sentence and "says nothing of the first" in found.sentence


def test_a_straight_line_without_noise_neither_grows_nor_bends() -> None:
    rows = [trial(1.5 * SPENT).assign(company=company, dial=SPENT) for company in range(4)]
    curve = fit_lever_curves(pd.concat(rows, ignore_index=True))["service"]
    assert curve.bend == "straight, as far as can be told"


def test_past_the_trial_nothing_is_told_of_today() -> None:
    rows = [trial(40 * np.sqrt(SPENT)).assign(company=company, dial=SPENT) for company in range(4)]
    frame = pd.concat(rows, ignore_index=True)
    told = fit_lever_curves(frame, today={"service": 900.0}).to_frame().iloc[0]
    assert told["today"] == 900 and np.isnan(told["return_today"])


@pytest.mark.parametrize(
    "change, complaint",
    [
        ({"gain": "1,200"}, "gain '1,200' in row 0 is no number"),
        ({"lever": None}, "lever a name"),
    ],
)
def test_texts_that_are_no_numbers_and_levers_without_names(
    change: dict[str, object], complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint):
        fit_lever_curves(trial(SPENT).astype(object).assign(**change))


@pytest.mark.parametrize("amount", [-3.0, "many", float("inf")])
def test_spending_today_is_an_amount(amount: object) -> None:
    with pytest.raises(ValueError, match="at least 0"):
        fit_lever_curves(trial(np.sqrt(SPENT)), today={"service": amount})


def test_numbers_may_be_written_as_texts_and_misfits_end_at_one() -> None:
    frame = trial(40 * np.sqrt(SPENT))
    read = fit_lever_curves(frame.astype({"spending": str, "gain": str}), draws=0)["service"]
    np.testing.assert_allclose(read.weights, fit_lever_curves(frame, draws=0)["service"].weights)
    assert fit_lever_curves(trial(np.array([0.0, 5, -5, 5, -5, 5])), draws=0)["service"].misfit <= 1
