"""Value as ratio and as difference: reliability checked on parallel forms, traps shown."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keycustomer.dimensions import compare_indices, origin_dependence, value_indices
from keycustomer.dimensions.measurement.value_reliability import stepped_up

BENEFITS = {f"d{d}": [f"b{d}{i}" for i in range(3)] for d in range(4)}
SACRIFICES = ["s0", "s1", "s2"]
LOYALTY = ["l0", "l1"]
ITEMS = [*(item for names in BENEFITS.values() for item in names), *SACRIFICES]


def truths(n, generator):
    """True benefit of four dimensions and true sacrifice, points of a scale from 1 to 7."""
    common = generator.normal(4.6, 0.7, n)
    dimensions = [common + generator.normal(0, 0.5, n) for _ in range(4)]
    return dimensions, generator.normal(3.6, 0.8, n) - 0.3 * (common - 4.6)


def asked(dimensions, sacrifice, generator, error=0.7):
    """One form of the survey: answers are true values and errors."""
    n = len(sacrifice)
    answers = {
        item: true + generator.normal(0, error, n)
        for true, names in zip(dimensions, BENEFITS.values(), strict=True)
        for item in names
    }
    answers |= {item: sacrifice + generator.normal(0, error, n) for item in SACRIFICES}
    return pd.DataFrame(answers)


def survey(n=400, seed=0, noise=0.8, weight=0.5):
    generator = np.random.default_rng(seed)
    dimensions, sacrifice = truths(n, generator)
    answers = asked(dimensions, sacrifice, generator)
    value = np.mean(dimensions, axis=0) - sacrifice
    for item in LOYALTY:
        answers[item] = 4 + weight * value + generator.normal(0, noise, n)
    return answers.round().clip(1, 7)


def test_indices_by_hand():
    answers = survey(20)
    result = value_indices(answers, BENEFITS, SACRIFICES, draws=20)
    means = [answers[names].mean(axis=1) for names in BENEFITS.values()]
    benefits, sacrifices = sum(means) / 4, answers[SACRIFICES].mean(axis=1)
    pd.testing.assert_series_equal(result.frame["ratio"], benefits / sacrifices, check_names=False)
    pd.testing.assert_series_equal(
        result.frame["difference"], benefits - sacrifices, check_names=False
    )
    assert list(result.dimensions.columns) == [*BENEFITS, "sacrifices"]
    from scipy.stats import spearmanr

    rank = spearmanr(result.frame["ratio"], result.frame["difference"]).statistic
    assert result.correlation == pytest.approx(rank)
    assert result.to_frame()["index"].tolist() == ["benefits", "sacrifices", "ratio", "difference"]


@pytest.mark.parametrize("error", [0.5, 1.0])
def test_reliability_is_the_correlation_of_two_forms(error):
    generator = np.random.default_rng(11)
    dimensions, sacrifice = truths(10_000, generator)
    forms = [
        value_indices(
            asked(dimensions, sacrifice, generator, error).round().clip(1, 7),
            BENEFITS,
            SACRIFICES,
            draws=2,
        )
        for _ in range(2)
    ]
    for index in ("benefits", "sacrifices", "ratio", "difference"):
        truth = forms[0].frame[index].corr(forms[1].frame[index])
        # halves say a little too little of a ratio
        tolerance = 0.06 if index == "ratio" else 0.015
        assert forms[0].reliability[index].estimate == pytest.approx(truth, abs=tolerance)
    # a difference of related measures is less reliable than the better of its parts, the ratio
    # less than the difference
    reliability = {name: e.estimate for name, e in forms[0].reliability.items()}
    assert reliability["ratio"] < reliability["difference"] < reliability["benefits"]


def test_halves_in_closed_form():
    first = np.array([[1.0, 2.0, 3.0, 4.0]])
    second = np.array([[1.0, 2.0, 4.0, 3.0]])
    counts = np.array([[1.0, 1.0, 1.0, 1.0], [2.0, 0.0, 1.0, 1.0]])
    found = stepped_up(counts, np.stack([first, second]))
    plain = np.corrcoef(first, second)[0, 1]
    drawn = np.corrcoef(first[0, [0, 0, 2, 3]], second[0, [0, 0, 2, 3]])[0, 1]
    np.testing.assert_allclose(found, [2 * r / (1 + r) for r in (plain, drawn)])


def test_intervals_of_reliability_hold_the_truth():
    generator = np.random.default_rng(5)
    dimensions, sacrifice = truths(50_000, generator)
    large = value_indices(asked(dimensions, sacrifice, generator), BENEFITS, SACRIFICES, draws=1)
    held = dict.fromkeys(("sacrifices", "difference"), 0)
    for seed in range(80):
        small = np.random.default_rng(1000 + seed)
        answers = asked(*truths(150, small), small)
        result = value_indices(answers, BENEFITS, SACRIFICES, draws=150, seed=seed)
        for name in held:
            interval = result.reliability[name]
            held[name] += interval.lower <= large.reliability[name].estimate <= interval.upper
    # 95 % of 80, give or take three binomial standard deviations and a little for few draws
    assert min(held.values()) / 80 >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / 80) - 0.02


def test_one_question_shows_no_error():
    result = value_indices(survey(), BENEFITS, ["s0"])
    assert np.isnan(result.reliability["difference"].estimate)
    assert "one question" in result.reliability["difference"].method
    assert not np.isnan(result.reliability["benefits"].estimate)
    assert any("no reliability of sacrifices, ratio, difference" in n for n in result.notes)


def test_close_to_zero_the_ratio_has_no_reliability():
    result = value_indices(survey(), BENEFITS, SACRIFICES, origin=1, draws=20)
    assert "no sacrifices above 0 in half of the questions" in result.reliability["ratio"].method
    assert np.isfinite(result.reliability["difference"].lower)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.floats(0, 50))
def test_the_difference_knows_no_origin_and_the_ratio_does(seed, shift):
    answers = survey(40, seed)
    here = value_indices(answers, BENEFITS, SACRIFICES, draws=1)
    moved = value_indices(answers + shift, BENEFITS, SACRIFICES, draws=1)
    back = value_indices(answers + shift, BENEFITS, SACRIFICES, origin=shift, draws=1)
    np.testing.assert_allclose(moved.frame["difference"], here.frame["difference"], atol=1e-9)
    np.testing.assert_allclose(back.frame["ratio"], here.frame["ratio"])
    if shift > 0.01:
        assert moved.frame["ratio"].std() < here.frame["ratio"].std()


def test_far_from_zero_the_ratio_orders_as_the_difference():
    answers = survey()
    far = value_indices(answers, BENEFITS, SACRIFICES, origin=-1e6, draws=1)
    # equal differences are ordered by the sacrifice, so it is not exactly 1
    assert far.correlation == pytest.approx(1.0, abs=1e-3)


def test_counted_from_zero_some_have_no_ratio():
    answers = survey()
    answers.loc[:4, SACRIFICES] = 1
    result = value_indices(answers, BENEFITS, SACRIFICES, origin=1, draws=20)
    nothing = (answers[SACRIFICES] == 1).all(axis=1)
    assert result.undefined == nothing.sum() >= 5
    assert result.frame.loc[nothing, "ratio"].isna().all()
    assert any("without a ratio" in note for note in result.notes)
    with pytest.raises(ValueError, match="count the scale from a lower origin"):
        value_indices(answers, BENEFITS, SACRIFICES, origin=8)


def test_the_trap_of_the_origin_is_shown():
    answers = survey(600, seed=3)
    indices = value_indices(answers, BENEFITS, SACRIFICES, draws=1)
    result = origin_dependence(indices, 1, answers=answers, loyalty=LOYALTY)
    frame = result.frame.set_index("lowest")
    assert frame.loc[1.0, "rank_correlation"] == pytest.approx(1)
    assert frame.loc[1.0, "share_moved"] == 0
    assert frame.loc[0.0, "share_moved"] > 0
    loyal = answers[LOYALTY].mean(axis=1)
    assert result.difference_r2 == pytest.approx(indices.frame["difference"].corr(loyal) ** 2)
    assert frame.loc[1.0, "loyalty_r2"] == pytest.approx(indices.frame["ratio"].corr(loyal) ** 2)
    # the farther from zero, the closer the ratio comes to the difference
    gaps = (frame["loyalty_r2"] - result.difference_r2).abs()
    assert gaps[100.0] < gaps[10.0] < gaps[1.0]
    assert "Counted from 0 in place of 1" in result.sentence
    again = value_indices(answers, BENEFITS, SACRIFICES, origin=0.5, draws=1)
    pd.testing.assert_frame_equal(
        origin_dependence(again, 1).frame.iloc[:, :4], result.frame.iloc[:, :4]
    )


def test_out_of_sample_accuracy_by_hand():
    answers = survey(90, seed=2)
    indices = value_indices(answers, BENEFITS, SACRIFICES, draws=1)
    result = compare_indices(indices, answers, LOYALTY, folds=30, repeats=40, draws=50)
    loyal, x = answers[LOYALTY].mean(axis=1).to_numpy(), indices.frame["difference"].to_numpy()
    design = np.column_stack([np.ones(90), x])
    hat = design @ np.linalg.inv(design.T @ design) @ design.T
    left_out = (loyal - hat @ loyal) / (1 - np.diag(hat))
    plain = (loyal - loyal.mean()) / (1 - 1 / 90)
    # thirty folds leave out three, leaving out one is within a hundredth
    expected = 1 - (left_out**2).sum() / (plain**2).sum()
    assert result.accuracy["difference"].estimate == pytest.approx(expected, abs=0.01)


def test_what_predicts_nothing_predicts_worse_than_the_mean():
    answers = survey(300, weight=0.0)
    indices = value_indices(answers, BENEFITS, SACRIFICES, draws=1)
    result = compare_indices(indices, answers, LOYALTY, draws=200)
    assert result.accuracy["both parts"].estimate < 0.01
    assert result.winner == ""
    assert "not established" in result.sentence


def test_the_better_index_wins_and_says_by_how_much():
    answers = survey(800, seed=1, noise=0.5)
    indices = value_indices(answers, BENEFITS, SACRIFICES, draws=1)
    result = compare_indices(indices, answers, LOYALTY, draws=300)
    assert result.winner == "difference"
    assert result.ratio_less_difference.upper < 0
    assert "The difference predicts loyalty better" in result.sentence
    gap = result.accuracy["ratio"].estimate - result.accuracy["difference"].estimate
    assert result.ratio_less_difference.estimate == pytest.approx(gap)
    # loyalty was made from benefits less sacrifices: weights of their own bring nothing
    assert result.gain_of_weights.lower <= 0 and "weights of their own" not in result.sentence
    again = compare_indices(indices, answers, LOYALTY, draws=300)
    pd.testing.assert_frame_equal(again.to_frame(), result.to_frame())


def test_weights_of_their_own_are_told_where_they_predict_better():
    answers = survey(500, seed=6, weight=0.0)
    benefits = answers[[item for names in BENEFITS.values() for item in names]].mean(axis=1)
    answers["l0"] = answers["l0"] + benefits
    indices = value_indices(answers, BENEFITS, SACRIFICES, draws=1)
    result = compare_indices(indices, answers, ["l0"], draws=200)
    assert result.gain_of_weights.lower > 0
    assert "neither reaches benefits and sacrifices with weights of their own" in result.sentence
    assert result.to_frame()["predictor"].tolist()[-1] == "both parts less difference"


def test_the_interval_of_the_gap_holds_the_truth():
    def gap_on_new(training, testing):
        losses = []
        y = testing[LOYALTY].mean(axis=1)
        for name in ("ratio", "difference"):
            parts = [
                value_indices(t, BENEFITS, SACRIFICES, draws=1).frame[name]
                for t in (training, testing)
            ]
            slope, level = np.polyfit(parts[0], training[LOYALTY].mean(axis=1), 1)
            losses.append(((y - level - slope * parts[1]) ** 2).sum())
        return (losses[1] - losses[0]) / ((y - y.mean()) ** 2).sum()

    truth = np.mean([gap_on_new(survey(200, s), survey(5000, 500 + s)) for s in range(3)])
    held = 0
    for seed in range(40):
        answers = survey(200, 40 + seed)
        indices = value_indices(answers, BENEFITS, SACRIFICES, draws=1)
        gap = compare_indices(
            indices, answers, LOYALTY, repeats=3, draws=200, seed=seed
        ).ratio_less_difference
        held += gap.lower <= truth <= gap.upper
    assert held / 40 >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / 40)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda a, i: value_indices(a, BENEFITS, []), "sacrifices: no items are given"),
        (lambda a, i: value_indices(a, ["s0"], ["s0"]), "named twice: 's0'"),
        (lambda a, i: value_indices(a, {"x": ["b00"]}, {"x": ["s0"]}), "share the name 'x'"),
        (
            lambda a, i: value_indices(a.astype(str), ["b00"], ["s0"]),
            "no number; read the survey by read_answers first",
        ),
        (lambda a, i: compare_indices(i, a, LOYALTY, folds=1), "folds=1"),
        (lambda a, i: compare_indices(i, a, LOYALTY, folds=300), "too few, at least 900"),
        (lambda a, i: compare_indices(i, a.assign(l0=3), ["l0"]), "all 400 answers are 3"),
        (lambda a, i: compare_indices(i, a.iloc[5:], LOYALTY), "5 respondents of the indices"),
        (lambda a, i: compare_indices(i, a.set_index("b00"), LOYALTY), "must not repeat"),
        (lambda a, i: origin_dependence(i, 1, answers=a), "together, or neither"),
        (lambda a, i: origin_dependence(i, 1, lowest=[-1.0]), "a ratio has no meaning"),
    ],
)
def test_what_cannot_be_compared_is_refused(call, message):
    answers = survey()
    indices = value_indices(answers, BENEFITS, SACRIFICES, draws=1)
    with pytest.raises(ValueError, match=message):
        call(answers, indices)


def test_results_read_in_a_notebook():
    answers = survey(120).rename(columns={"s0": "<i>"})
    indices = value_indices(answers, {"<b>": BENEFITS["d0"]}, ["<i>", "s1"], draws=20)
    comparison = compare_indices(indices, answers, LOYALTY, draws=20)
    for result in (indices, comparison, origin_dependence(indices, 1)):
        assert "<b>" not in result._repr_html_() and "<i>" not in result._repr_html_()
