"""Relative importance: Shapley by brute force, closed forms, recovery, order, bad input."""

import sys

import numpy as np
import pandas as pd
import pytest
from driver_answers import alike, population, r2_by_regression, sample, shapley_by_orders
from hypothesis import given, settings
from hypothesis import strategies as st
from keycustomer.dimensions import RelativeImportance, dominance_levels, relative_importance
from keycustomer.dimensions.drivers.importance import ranks_of, shares_of
from keycustomer.dimensions.drivers.scores import WeightedMoments, read_scores
from keycustomer.dimensions.drivers.subsets import (
    johnson_weights,
    lmg,
    split_by_size,
    split_over_drivers,
    subset_r2,
)

ROUNDING = 1e-10  # sums of some thousand products of numbers near 1
NEAR = 1e-6  # correlations up to .99 lose four digits in regressions


def correlations_of(values):
    return np.corrcoef(np.asarray(values).T)


@st.composite
def answer_tables(draw, least=1, most=5):
    """Values (respondents, drivers + 1) with correlations from nearly none to strong."""
    size = draw(st.integers(least, most))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    mixing = rng.normal(size=(size + 1, size + 1)) * draw(st.sampled_from([0.1, 1.0]))
    values = rng.normal(size=(60, size + 1)) @ (np.eye(size + 1) + mixing)
    return values * rng.uniform(0.1, 50, size + 1) + rng.normal(size=size + 1)


@given(answer_tables())
@settings(max_examples=25)
def test_lmg_is_the_shapley_value_and_general_dominance(values):
    correlations = correlations_of(values)[None]
    importance = lmg(correlations)[0]
    np.testing.assert_allclose(importance, shapley_by_orders(values), atol=NEAR)
    by_size = split_by_size(subset_r2(correlations))[0]
    np.testing.assert_allclose(by_size.mean(axis=1), importance, atol=ROUNDING)


@given(answer_tables())
@settings(max_examples=25)
def test_importance_is_never_negative_and_adds_up_to_r2(values):
    correlations = correlations_of(values)
    whole = r2_by_regression(values, range(values.shape[1] - 1))
    for importance in (lmg(correlations), johnson_weights(correlations)):
        assert importance.sum() == pytest.approx(whole, abs=NEAR)
        assert (importance > -ROUNDING).all()


@given(answer_tables(least=2), st.randoms(use_true_random=False))
@settings(max_examples=20)
def test_order_sign_and_unit_of_the_drivers_do_not_matter(values, random):
    order = list(range(values.shape[1] - 1))
    random.shuffle(order)
    signs = np.array([random.choice([-3.0, 0.01, 40.0]) for _ in order])
    other = np.column_stack([values[:, order] * signs, -values[:, -1]])
    for measure in (lmg, johnson_weights):
        expected = measure(correlations_of(values))[order]
        np.testing.assert_allclose(measure(correlations_of(other)), expected, atol=NEAR)


@given(answer_tables(least=2, most=2))
@settings(max_examples=20)
def test_two_drivers_have_a_closed_form_that_johnson_shares(values):
    correlations = correlations_of(values)
    one, two = correlations[:2, 2] ** 2
    whole = r2_by_regression(values, (0, 1))
    expected = [(one + whole - two) / 2, (two + whole - one) / 2]
    np.testing.assert_allclose(lmg(correlations), expected, atol=NEAR)
    np.testing.assert_allclose(johnson_weights(correlations), expected, atol=NEAR)


@given(answer_tables(most=4))
@settings(max_examples=15)
def test_r2_of_every_subset_is_that_of_the_regression(values):
    r2 = subset_r2(correlations_of(values)[None])[:, 0]
    size = values.shape[1] - 1
    for mask in range(2**size):
        subset = [k for k in range(size) if mask >> k & 1]
        assert r2[mask] == pytest.approx(r2_by_regression(values, subset), abs=NEAR)


def test_uncorrelated_drivers_have_their_squared_correlations():
    correlations = population(np.eye(6), [0.6, 0.5, 0.4, 0.3, 0.2, 0])
    expected = correlations[:-1, -1] ** 2
    np.testing.assert_allclose(lmg(correlations), expected, atol=ROUNDING)
    np.testing.assert_allclose(johnson_weights(correlations), expected, atol=ROUNDING)


@pytest.mark.parametrize("size", [1, 3, 15, 16, 20])
def test_equal_drivers_share_equally_up_to_twenty(size):
    correlations = population(alike(size, 0.5), np.full(size, 0.3))
    with_outcome = correlations[:-1, -1]
    whole = with_outcome @ np.linalg.solve(correlations[:-1, :-1], with_outcome)
    np.testing.assert_allclose(lmg(correlations), np.full(size, whole / size), atol=ROUNDING)


def test_many_matrices_at_once_give_what_each_gives_alone():
    rng = np.random.default_rng(3)
    values = rng.normal(size=(40, 8)) + rng.normal(size=(40, 1))
    weights = rng.multinomial(40, np.full(40, 1 / 40), size=700).astype(float)
    correlations = WeightedMoments(values).__call__(weights).correlations
    together = lmg(correlations)
    for k in (0, 350, 699):
        repeated = np.repeat(values, weights[k].astype(int), axis=0)
        np.testing.assert_allclose(together[k], lmg(correlations_of(repeated)), atol=ROUNDING)


def test_a_driver_that_others_determine_adds_nothing_in_a_resample():
    correlations = population(alike(2, 0.3), [0.5, 0.4])
    # the first driver twice: both copies share what it has alone
    twice = correlations[np.ix_([0, 0, 1, 2], [0, 0, 1, 2])]
    importance = lmg(twice)
    assert importance.sum() == pytest.approx(lmg(correlations).sum(), abs=ROUNDING)
    assert importance[0] == pytest.approx(importance[1], abs=ROUNDING)
    assert johnson_weights(twice).sum() == pytest.approx(importance.sum(), abs=ROUNDING)


def test_weighted_moments_are_those_of_repeated_respondents():
    rng = np.random.default_rng(4)
    values = rng.normal(size=(30, 3)) * [1, 20, 300] + [5, 1e4, -7]
    weights = rng.integers(0, 4, size=(1, 30)).astype(float)
    repeated = np.repeat(values, weights[0].astype(int), axis=0)
    drawn = WeightedMoments(values)(weights)
    np.testing.assert_allclose(drawn.means[0], repeated.mean(axis=0))
    np.testing.assert_allclose(drawn.deviations[0], repeated.std(axis=0))
    np.testing.assert_allclose(drawn.correlations[0], correlations_of(repeated), atol=ROUNDING)
    design = np.column_stack([np.ones(len(repeated)), repeated[:, :2]])
    slopes = np.linalg.lstsq(design, repeated[:, 2], rcond=None)[0][1:]
    np.testing.assert_allclose(drawn.coefficients[0], slopes, rtol=1e-8)


def test_a_driver_that_does_not_vary_in_a_resample_counts_nothing_there():
    values = np.array([[1.0, 2, 3], [1, 5, 4], [1, 1, 7], [2, 2, 2]])
    drawn = WeightedMoments(values)(np.array([[1.0, 1, 1, 0]]))
    assert drawn.deviations[0, 0] == 0
    assert drawn.coefficients[0, 0] == 0
    assert lmg(drawn.correlations)[0, 0] == pytest.approx(0, abs=ROUNDING)


COVERED = 82  # of 100 intervals of 95 %: less has a chance of 1 in 50,000


def test_intervals_catch_the_true_importance():
    true = population(alike(4, 0.4), [0.5, 0.3, 0.15, 0])
    expected = lmg(true)
    hits = np.zeros(4)
    for seed in range(100):
        result = relative_importance(sample(true, 200, seed), "y", list("abcd"), draws=200, seed=1)
        lower, upper = result.in_order_given("lower"), result.in_order_given("upper")
        hits += (lower <= expected) & (expected <= upper)
    assert (hits >= COVERED).all(), hits


def test_the_order_is_established_where_the_truth_is_clear_and_not_where_drivers_tie():
    true = population(alike(3, 0.3), [0.9, 0.3, 0.3])
    places = relative_importance(sample(true, 800, 7), "y", list("abc")).places()
    assert places["driver"].iloc[0] == "a"
    assert places["established"].tolist() == [True, False, False]
    assert places["share_of_draws"].iloc[0] > 0.99
    assert set(places["rival"].iloc[1:]) == {"b", "c"}


def importance(**changes):
    true = population(alike(4, 0.4), [0.5, 0.3, -0.2, 0.1])
    settings_ = {"answers": sample(true, 150, 2), "outcome": "y", "drivers": list("abcd")}
    return relative_importance(**(settings_ | {"draws": 100} | changes))


def test_the_table_holds_what_it_says():
    frame, answers = importance().frame, importance
    values = sample(population(alike(4, 0.4), [0.5, 0.3, -0.2, 0.1]), 150, 2)
    rows = frame.set_index("driver")
    assert rows["rank"].tolist() == [1, 2, 3, 4]
    assert rows["share"].sum() == pytest.approx(1)
    assert (rows["lower"] <= rows["importance"]).all()
    everything = values.to_numpy()
    for k, name in enumerate("abcd"):
        others = [j for j in range(4) if j != k]
        last = r2_by_regression(everything, range(4)) - r2_by_regression(everything, others)
        assert rows.loc[name, "last"] == pytest.approx(last, abs=ROUNDING)
        assert rows.loc[name, "alone"] == pytest.approx(r2_by_regression(everything, [k]))
        assert rows.loc[name, "mean"] == pytest.approx(values[name].mean())
        spread = values[name].std() / values["y"].std()
        assert rows.loc[name, "beta"] == pytest.approx(rows.loc[name, "coefficient"] * spread)
    assert answers().adjusted_r2 < answers().r2.estimate


def test_estimates_and_differences_agree_with_the_table():
    result = importance()
    first, second = result.order[:2]
    row = result.frame.iloc[0]
    estimate = result.estimate(first)
    assert (estimate.estimate, estimate.lower, estimate.upper) == pytest.approx(
        (row["importance"], row["lower"], row["upper"])
    )
    gap = result.difference(first, second)
    assert gap.estimate == pytest.approx(-result.difference(second, first).estimate)
    assert result.pairs().iloc[0][["driver", "other"]].tolist() == [first, second]
    with pytest.raises(ValueError, match="'x' is none of the drivers: 'a', 'b'"):
        result.estimate("x")


def test_the_same_seed_gives_the_same_intervals_and_input_stays():
    answers = sample(population(alike(2, 0.2), [0.5, 0.3]), 60, 1)
    before = answers.copy()
    one, two = (relative_importance(answers, "y", ["a", "b"], draws=50, seed=8) for _ in range(2))
    pd.testing.assert_frame_equal(one.frame, two.frame)
    pd.testing.assert_frame_equal(answers, before)
    assert isinstance(one, RelativeImportance)


def test_constructs_are_means_of_their_items():
    answers = sample(population(alike(4, 0.4), [0.5, 0.3, 0.2, 0.1]), 90, 3)
    by_items = relative_importance(
        answers, {"Outcome": ["y", "d"]}, {"One": ["a", "b"], "Two": ["c"]}, draws=20
    )
    plain = pd.DataFrame(
        {"One": answers[["a", "b"]].mean(axis=1), "Two": answers["c"]}
        | {"Outcome": answers[["y", "d"]].mean(axis=1)}
    )
    expected = relative_importance(plain, "Outcome", ["One", "Two"], draws=20)
    pd.testing.assert_frame_equal(by_items.frame, expected.frame)


def test_answers_not_given_are_left_out_or_filled_and_counted():
    answers = sample(population(alike(2, 0.2), [0.5, 0.3]), 60, 1)
    answers.loc[[3, 7], "a"] = np.nan
    answers.loc[9] = np.nan
    left = relative_importance(answers, "y", ["a", "b"], draws=20)
    assert (left.respondents, left.excluded) == (57, 3)
    assert "3 respondents of 60 left out for answers not given" in left.notes
    expected = relative_importance(answers.dropna(), "y", ["a", "b"], draws=20)
    pd.testing.assert_frame_equal(left.frame, expected.frame)
    assert left.rows.tolist() == [n for n in range(60) if n not in (3, 7, 9)]
    filled = read_scores(answers, "y", ["a", "b"], missing="mean")
    assert (filled.respondents, filled.filled, filled.excluded) == (59, 2, 1)
    assert filled.values[3, 0] == pytest.approx(answers["a"].mean())


def test_a_construct_can_rest_on_the_items_answered():
    answers = sample(population(alike(4, 0.4), [0.5, 0.3, 0.2, 0.1]), 60, 3)
    answers.loc[4, "a"] = np.nan
    answers.loc[5, ["a", "b"]] = np.nan
    constructs = {"One": ["a", "b"], "Two": ["c", "d"]}
    scores = read_scores(answers, "y", constructs, missing="available")
    assert (scores.respondents, scores.excluded, scores.filled) == (59, 1, 1)
    assert scores.values[4, 0] == answers.loc[4, "b"]
    assert any("1 answer not given: the mean of the same person's" in n for n in scores.notes)
    assert read_scores(answers, "y", constructs).respondents == 58


def test_a_person_who_answers_twice_is_drawn_as_one():
    answers = sample(population(alike(3, 0.3), [0.5, 0.3, 0.1]), 80, 1).assign(who=range(80))
    twice = pd.concat([answers, answers], ignore_index=True)
    once = relative_importance(answers, "y", list("abc"), draws=50)
    persons = relative_importance(twice, "y", list("abc"), respondent="who", draws=50)
    pd.testing.assert_frame_equal(persons.frame, once.frame)
    assert "160 answers of 80 persons: drawn as whole persons" in persons.notes
    strangers = relative_importance(twice, "y", list("abc"), draws=50)
    width = {
        n: (r.frame["upper"] - r.frame["lower"]).mean()
        for n, r in (("p", persons), ("s", strangers))
    }
    assert width["s"] < 0.85 * width["p"]
    levels = dominance_levels(twice, "y", list("abc"), respondent="who", draws=30)
    pd.testing.assert_frame_equal(
        levels.pairs, dominance_levels(answers, "y", list("abc"), draws=30).pairs
    )


def test_a_row_whose_person_is_not_known_is_a_person_of_its_own():
    answers = sample(population(alike(2, 0.3), [0.5, 0.3]), 60, 1)
    answers["who"] = [None if n % 2 else f"c{n}" for n in range(60)]
    named = relative_importance(answers, "y", ["a", "b"], respondent="who", draws=30)
    plain = relative_importance(answers, "y", ["a", "b"], draws=30)
    pd.testing.assert_frame_equal(named.frame, plain.frame)
    assert named.notes == plain.notes


def test_sixteen_drivers_take_johnson_and_say_so():
    frame = sample(population(alike(16, 0.3), np.linspace(0.5, 0, 16)), 300, 1)
    drivers = list(frame.columns[:-1])
    result = relative_importance(frame, "y", drivers, draws=20)
    assert result.method == "Johnson's relative weights"
    assert any("16 drivers: Johnson's relative weights" in note for note in result.notes)
    chosen = relative_importance(frame, "y", drivers, method="lmg", draws=2)
    assert chosen.method == "LMG"
    assert chosen.r2.estimate == pytest.approx(result.r2.estimate)
    assert not any("Johnson" in note for note in chosen.notes)


def test_more_than_twenty_drivers_by_lmg_are_refused():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(60, 22))).rename(columns=str)
    with pytest.raises(ValueError, match=r"method='lmg' with 21 drivers: at most 20; take"):
        relative_importance(frame, "21", [str(k) for k in range(21)], method="lmg")
    with pytest.raises(ValueError, match="2,097,152 subsets"):
        subset_r2(np.eye(22)[None])


def test_an_outcome_computed_from_its_drivers_is_told():
    answers = sample(population(np.eye(2), [0.5, 0.3]), 50, 1)
    answers["total"] = answers["a"] + answers["b"]
    result = relative_importance(answers, "total", ["a", "b"], draws=20)
    assert any("the drivers give total exactly" in note for note in result.notes)


def spoilt(**columns):
    answers = sample(population(alike(3, 0.4), [0.5, 0.3, 0.2]), 40, 2)
    return answers.assign(**columns)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"drivers": ["a", "prise"]}, "item 'prise' is not in the table; did you mean 'prise_'"),
        ({"drivers": ["a", "text"]}, "text: 40 answers .'often' in row 0, .* are no number"),
        ({"drivers": ["a", "same"]}, r"same answer from everybody: 'same' \(always 3\)"),
        ({"drivers": ["a", "b", "ab"]}, r"collinear drivers: 'ab' follows from 'a', 'b'; leave"),
        ({"drivers": ["a", "c", "twice"]}, r"collinear drivers: 'twice' follows from 'a'; leave"),
        ({"drivers": ["a", "silent"]}, "silent: nobody answered it; leave it out"),
        ({"drivers": ["a", "endless"]}, "endless: 1 answer .'inf' in row 4. is infinite"),
        ({"drivers": ["a", "a"]}, "none of them twice"),
        ({"drivers": []}, "at least one is needed"),
        ({"drivers": ["a", "y"]}, "outcome='y' is among its own drivers"),
        ({"drivers": {"A": ["a"], "B": ["y", "b"]}}, "'y' is part of the outcome and of a driver"),
        ({"drivers": {"A": ["a"], "B": []}}, "'B' has no items"),
        ({"outcome": {"U": ["y"], "V": ["c"]}}, "one construct with its items is needed"),
        ({"method": "shapley"}, "method='shapley': one of 'auto', 'lmg', 'johnson'"),
        ({"missing": "drop"}, "missing='drop': one of 'listwise', 'available', 'mean'"),
        ({"level": 95}, r"95 % is level=0\.95"),
        ({"draws": 0}, "must be at least 1"),
        ({"respondent": "who"}, "respondent='who' is no column of the answers; columns are 'a'"),
    ],
)
def test_bad_input_is_named_with_its_cure(changes, message):
    answers = spoilt(prise_=1.0, text="often", same=3.0, silent=np.nan)
    answers = answers.assign(ab=answers["a"] - 2 * answers["b"], twice=answers["a"] * 2 + 1)
    answers["endless"] = np.where(answers.index == 4, np.inf, answers["b"])
    given_ = {"answers": answers, "outcome": "y", "drivers": ["a", "b"], "draws": 5}
    with pytest.raises(ValueError, match=message):
        relative_importance(**(given_ | changes))


def test_all_complaints_about_columns_come_at_once():
    with pytest.raises(
        ValueError, match=r"(?s)'p' is not in the table.*text: 40 answers.*read_answers"
    ):
        relative_importance(spoilt(text="x"), "y", ["p", "text"])


@pytest.mark.parametrize("drivers", ["a", 3])
def test_drivers_that_are_no_list_are_refused(drivers):
    with pytest.raises(TypeError):
        relative_importance(spoilt(), "y", drivers)
    with pytest.raises(TypeError, match="answers must be a DataFrame, got list"):
        relative_importance([1, 2], "y", ["a"])


def test_too_few_respondents_are_refused_and_few_are_told():
    answers = spoilt()
    with pytest.raises(ValueError, match="5 respondents for 3 drivers: at least 6 are needed"):
        relative_importance(answers.head(5), "y", list("abc"))
    answers.loc[5:, "a"] = np.nan
    with pytest.raises(ValueError, match=r"5 respondents \(35 mores? left out"):
        relative_importance(answers, "y", list("abc"))
    few = relative_importance(spoilt().head(25), "y", list("abc"), draws=50)
    assert any("25 respondents for 3 drivers: fewer than 10 a driver" in n for n in few.notes)


def test_a_tiny_survey_gives_intervals_although_resamples_are_degenerate():
    answers = pd.DataFrame(
        {"a": [1, 2, 3, 4, 5, 5], "b": [1, 1, 1, 1, 2, 1], "y": [1, 2, 2, 4, 5, 4]}
    )
    result = relative_importance(answers, "y", ["a", "b"], draws=300)
    assert np.isfinite(result.frame.drop(columns="driver").to_numpy(float)).all()
    assert len(result._repr_html_()) > 100


def test_names_of_drivers_are_escaped():
    answers = spoilt().rename(columns={"a": "<b>quality</b>"})
    html = relative_importance(answers, "y", ["<b>quality</b>", "b"], draws=20)._repr_html_()
    assert "<b>quality" not in html
    assert "&lt;b&gt;quality" in html


def test_ranks_and_shares():
    values = np.array([[0.2, 0.5, 0.3], [0.0, 0.0, 0.0]])
    assert ranks_of(values).tolist() == [[3, 1, 2], [1, 2, 3]]
    np.testing.assert_allclose(shares_of(values), [[0.2, 0.5, 0.3], [1 / 3, 1 / 3, 1 / 3]])


@given(answer_tables(least=2, most=4))
@settings(max_examples=15)
def test_stricter_dominance_implies_the_weaker(values):
    names = [*"abcd"[: values.shape[1] - 1], "y"]
    result = dominance_levels(pd.DataFrame(values, columns=names), "y", names[:-1], draws=5)
    importance_ = dict(
        zip(names, split_over_drivers(subset_r2(correlations_of(values)[None]))[0], strict=False)
    )
    for row in result.pairs.to_dict("records"):
        assert importance_[row["driver"]] >= importance_[row["other"]] - ROUNDING
        sized = result.by_size.loc[row["driver"]] - result.by_size.loc[row["other"]]
        assert (row["kind"] == "complete") == (row["subsets_ahead"] == row["subsets"])
        if row["kind"] in ("conditional", "complete"):
            assert (sized > -ROUNDING).all()


def test_clear_drivers_dominate_completely_and_stricter_kinds_repeat_less():
    frame = sample(population(alike(3, 0.2), [0.9, 0.4, 0.1]), 500, 3)
    result = dominance_levels(frame, "y", list("abc"), draws=60)
    assert set(result.pairs["kind"]) == {"complete"}
    assert result.pairs["subsets"].tolist() == [2, 2, 2]
    shares = result.pairs[["general_share", "conditional_share", "complete_share"]].to_numpy()
    assert (np.diff(shares, axis=1) <= 0).all()
    assert "3 complete" in result._repr_html_()
    with pytest.raises(ValueError, match="1 driver: dominance compares 2 to 15"):
        dominance_levels(frame, "y", ["a"])


def test_long_work_reports_its_progress(monkeypatch):
    # the package holds a function of the module's name
    monkeypatch.setattr(sys.modules["keycustomer.stats.bootstrap"], "QUIET_SECONDS", 0.0)
    seen = []
    importance(progress=lambda done, total: seen.append((done, total)))
    assert seen[-1][1] == 100
