"""Penalty-reward contrasts: least squares by another hand, recovery of known effects, traps."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keycustomer import dimensions

LEAST_SQUARES = 1e-9
"""Two ways of least squares on a few hundred rows."""

EFFECTS = {"M": (-0.8, 0.0), "O": (-0.5, 0.5), "A": (0.0, 0.8), "I": (0.0, 0.0)}
"""Penalty and reward of the classes in the made-up surveys."""


def survey(seed=0, n=400, classes="MOAI", noise=0.6):
    """Answers with known penalties and rewards at the cut-offs 3 and 6."""
    rng = np.random.default_rng(seed)
    names = [f"{letter.lower()}{k}" for k, letter in enumerate(classes)]
    common = rng.normal(0, 0.7, n)
    frame = pd.DataFrame(
        {name: (4.5 + common + rng.normal(0, 1.2, n)).round().clip(1, 7) for name in names}
    )
    effects = [
        np.select([frame[name] <= 3, frame[name] >= 6], EFFECTS[letter])
        for name, letter in zip(names, classes, strict=True)
    ]
    return frame.assign(satisfaction=4 + sum(effects) + rng.normal(0, noise, n)), names


def contrasts(answers, names, **options):
    options = {"low": 3, "high": 6, "draws": 200} | options
    return dimensions.penalty_reward(answers, "satisfaction", names, **options)


def test_penalties_and_rewards_are_least_squares():
    answers, names = survey()
    result = contrasts(answers, names)
    low = (answers[names] <= 3).to_numpy(float)
    high = (answers[names] >= 6).to_numpy(float)
    design = np.column_stack([np.ones(len(answers)), low, high])
    outcome = answers["satisfaction"].to_numpy()
    expected, *_ = np.linalg.lstsq(design, outcome, rcond=None)
    np.testing.assert_allclose(result.frame["penalty"], expected[1:5], atol=LEAST_SQUARES)
    np.testing.assert_allclose(result.frame["reward"], expected[5:], atol=LEAST_SQUARES)
    fitted = design @ expected
    assert result.r_squared == pytest.approx(np.var(fitted) / np.var(outcome), abs=LEAST_SQUARES)
    assert result.frame["low"].tolist() == low.sum(axis=0).tolist()
    counts = result.frame[["low", "middle", "high"]].sum(axis=1)
    assert (counts == len(answers)).all()


def test_asymmetry_beyond_straight_lines_is_that_of_their_residuals():
    """What lines leave unexplained, regressed on the dummies, is the same by another way."""
    answers, names = survey(seed=2)
    result = contrasts(answers, names)
    outcome, x = answers["satisfaction"].to_numpy(), answers[names].to_numpy()
    lines = np.column_stack([np.ones(len(x)), x])
    residual = outcome - lines @ np.linalg.lstsq(lines, outcome, rcond=None)[0]
    steps = np.column_stack([np.ones(len(x)), x <= 3, x >= 6]).astype(float)
    left = np.linalg.lstsq(steps, residual, rcond=None)[0]
    np.testing.assert_allclose(
        result.frame["beyond_linear"], left[1:5] + left[5:], atol=LEAST_SQUARES
    )


def test_the_f_test_against_straight_lines_by_statsmodels():
    models = pytest.importorskip("statsmodels.api")
    answers, names = survey(seed=3)
    x = answers[names]
    lines = models.OLS(answers["satisfaction"], models.add_constant(x)).fit()
    both = np.column_stack([np.ones(len(x)), x, x <= 3, x >= 6]).astype(float)
    full = models.OLS(answers["satisfaction"], both).fit()
    assert contrasts(answers, names).bend_p_value == pytest.approx(
        full.compare_f_test(lines)[1], rel=1e-6
    )


def test_known_classes_are_recovered_and_intervals_cover():
    """Classes right in nearly all surveys; 95 % intervals cover in 40 x 8 cases about that."""
    covered, right = [], []
    for seed in range(40):
        answers, names = survey(seed=100 + seed)
        result = contrasts(answers, names, draws=150, seed=seed)
        right += [letter == name[0].upper() for name, letter in result.classes.items()]
        for row in result.frame.to_dict("records"):
            penalty, reward = EFFECTS[row["attribute"][0].upper()]
            covered.append(row["penalty_lower"] <= penalty <= row["penalty_upper"])
            covered.append(row["reward_lower"] <= reward <= row["reward_upper"])
    # intervals of 150 draws are a little short; 320 cases have a standard error of 1.2 %
    assert 0.90 <= np.mean(covered) <= 0.98
    assert np.mean(right) > 0.93


def test_a_straight_relation_seems_asymmetric_and_is_shown_not_to_be():
    """High answers lie near the middle, low ones far below: the penalty looks larger."""
    rng = np.random.default_rng(4)
    a = np.clip((7.2 - rng.gamma(1.6, 1.3, 3000)).round(), 1, 7)
    answers = pd.DataFrame({"a": a, "satisfaction": 0.5 * a + rng.normal(0, 0.5, 3000)})
    result = contrasts(answers, ["a"], low=4, high=6)
    assert result.classes == {"a": "M"}
    row = result.frame.iloc[0]
    assert row["beyond_linear_lower"] < 0 < row["beyond_linear_upper"]
    assert "the asymmetry of a is no more than straight lines" in result.notes[0]
    assert result.bend_p_value > 0.01


def test_the_relation_of_an_unwanted_attribute_is_reverse():
    answers, names = survey(classes="OI")
    answers["satisfaction"] = -answers["satisfaction"]
    assert contrasts(answers, names).classes["o0"] == "R"


def test_attributes_have_names_of_their_own_and_cut_offs_too():
    answers, names = survey()
    named = dict(zip(["price", "service", "brand", "portal"], names, strict=True))
    one = contrasts(answers, named, low={n: 3 for n in named}, seed=7)
    other = contrasts(answers, names, seed=7)
    assert one.frame["attribute"].tolist() == list(named)
    assert one.frame["column"].tolist() == names
    np.testing.assert_array_equal(one.frame["penalty"], other.frame["penalty"])
    estimate = one.estimate("price", "penalty")
    assert estimate.lower < estimate.estimate < estimate.upper
    assert "bootstrap" in estimate.method and estimate.n == 400
    with pytest.raises(ValueError, match="no 'size' of 'price'; measures are penalty"):
        one.estimate("price", "size")
    with pytest.raises(ValueError, match="low has no cut-off for brand"):
        contrasts(answers, named, low={"price": 3, "service": 3, "portal": 3})


def test_the_same_seed_gives_the_same_and_the_input_stays():
    answers, names = survey()
    before = answers.copy()
    one, two = (contrasts(answers, names, seed=5).to_frame() for _ in range(2))
    pd.testing.assert_frame_equal(one, two)
    pd.testing.assert_frame_equal(answers, before)


def test_missing_answers_leave_respondents_out_and_are_counted():
    answers, names = survey()
    answers.loc[:24, names[0]] = np.nan
    answers.loc[20:29, "satisfaction"] = np.nan
    result = contrasts(answers, names)
    assert (result.n, result.excluded) == (370, 30)
    assert "30 left out for a missing answer" in result._repr_html_()


@settings(max_examples=15)
@given(st.floats(0.1, 10), st.floats(-50, 50))
def test_effects_follow_the_unit_of_the_outcome_and_not_its_origin(scale, shift):
    answers, names = survey()
    moved = answers.assign(satisfaction=scale * answers["satisfaction"] + shift)
    one, other = (contrasts(frame, names, draws=5).frame for frame in (answers, moved))
    for measure in ("penalty", "reward", "beyond_linear"):
        np.testing.assert_allclose(other[measure], scale * one[measure], rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(other["impact_asymmetry"], one["impact_asymmetry"], rtol=1e-5)


def test_answers_at_the_end_of_the_scale_are_told():
    answers, names = survey()
    answers["m0"] = answers["m0"].where(answers["m0"] < 6, 7.0)
    notes = contrasts(answers, names).notes
    assert any("answers pile up at an end of the scale" in n and "m0 (" in n for n in notes)
    assert not any("satisfaction (" in note for note in notes)


def test_classes_by_cut_offs_show_where_the_choice_decides():
    answers, names = survey()
    frame = dimensions.penalty_reward_by_cut_offs(
        answers, "satisfaction", names, [(3, 6), (2, 6), (0, 7)], draws=50
    )
    assert len(frame) == 12
    assert (frame.loc[frame["low"] == 0, "problem"].str.contains("0 low")).all()
    assert (frame.loc[frame["low"] > 0, "problem"] == "").all()
    assert frame.loc[frame["low"] > 0, "penalty"].notna().all()
    with pytest.raises(ValueError, match="cut_offs holds no pair"):
        dimensions.penalty_reward_by_cut_offs(answers, "satisfaction", names, [])


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        ({}, {"low": 0}, r"m0: 0 low \(at most 0\).*move the cut-offs"),
        ({}, {"low": 4, "high": 5}, r"0 between"),
        ({}, {"low": 6, "high": 3}, r"low must lie below high, got m0 \(6, 3\)"),
        ({"m0": 4.0}, {}, "m0: all 400 answers are 4"),
        (
            {"m0": "five"},
            {},
            "m0: 400 answers .'five' in row 0.* no number; read the survey by read_answers",
        ),
        ({"satisfaction": np.inf}, {}, "satisfaction: 400 answers .'inf' in row 0.* infinite"),
        ({"m0": None}, {}, "m0: nobody answered it"),
    ],
)
def test_what_cannot_be_computed_is_refused(change, options, message):
    answers, names = survey()
    with pytest.raises(ValueError, match=message):
        contrasts(answers.assign(**change), names, **options)


def test_attributes_that_go_together_wholly_are_named():
    answers, names = survey()
    answers["twin"] = answers["m0"]
    with pytest.raises(ValueError, match=r"contrasts of m0 low, twin low, .* cannot be told apart"):
        contrasts(answers, [*names, "twin"])


def test_columns_named_twice_or_not_there_are_told_together():
    answers, _ = survey()
    with pytest.raises(ValueError, match="items named twice: 'm0'") as told:
        contrasts(answers, {"a": "m0", "b": "m0", "c": "nowhere"})
    assert "'nowhere' is not in the table" in str(told.value)
    with pytest.raises(ValueError, match="names no attribute"):
        contrasts(answers, [])
    with pytest.raises(TypeError, match=r"such as \['m0'\]"):
        contrasts(answers, "m0")
    with pytest.raises(TypeError, match="a pandas DataFrame is needed, got list"):
        contrasts([1, 2], ["m0"])


def test_resamples_without_low_answers_take_the_interval_and_say_so(monkeypatch):
    monkeypatch.setattr("keycustomer.dimensions.kano.contrasts.FEWEST_IN_GROUP", 2)
    rng = np.random.default_rng(1)
    a = np.repeat([2.0, 4.0, 6.0], [2, 60, 30])
    answers = pd.DataFrame({"a": a, "satisfaction": a + rng.normal(0, 1, 92)})
    result = contrasts(answers, ["a"])
    assert result.classes == {"a": ""}
    assert result.frame["penalty"].notna().all()
    assert result.frame["penalty_lower"].isna().all()
    assert "of 200 resamples have no contrasts" in result.notes[0]
    assert result.method.startswith("no interval: not defined in")
