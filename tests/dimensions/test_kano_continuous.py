"""Continuous Kano: DuMouchel's scores, the plane, its borders and how sure they are."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keycustomer import dimensions
from scipy.stats import t as student

SCORES = {1: (4, -2), 2: (2, -1), 3: (0, 0), 4: (-1, 2), 5: (-2, 4)}
"""DuMouchel in Berger et al. (1993): functional and dysfunctional score by answer."""


def survey(functional, dysfunctional, **more):
    columns = {"kano_with_a": functional, "kano_without_a": dysfunctional, **more}
    return pd.DataFrame(columns, dtype=float)


@pytest.mark.parametrize(("first", "second"), list(itertools.product(range(1, 6), repeat=2)))
def test_scores_are_the_published_ones(first, second):
    expected = [SCORES[first][0], SCORES[second][1]]
    assert dimensions.kano_scores([first], [second]).tolist() == [expected]


def test_pure_answers_lie_at_the_corners_of_their_class():
    """The strongest pair of a class has the same class by table and by plane."""
    for pair in [(1, 3), (1, 5), (3, 5), (3, 3), (5, 1), (1, 1), (5, 5), (3, 1), (5, 3)]:
        score = dimensions.kano_scores(*([v] for v in pair))[0]
        by_plane = dimensions.plane_class(score[0], score[1])
        assert by_plane == dimensions.evaluate_pairs(*([v] for v in pair))[0], pair


@pytest.mark.parametrize(
    ("satisfaction", "dissatisfaction", "letter"),
    [(2, 1.99, "A"), (2, 2, "O"), (1.99, 2, "M"), (1.99, 1.99, "I"), (-1, -1, "I"),
     (-1.01, 0, "R"), (0, -1.01, "R"), (3, -1.5, "Q"), (-1.5, 3, "Q"), (np.nan, 1, "")],
)  # fmt: skip
def test_borders_of_the_plane(satisfaction, dissatisfaction, letter):
    assert dimensions.plane_class(satisfaction, dissatisfaction) == letter


def test_means_by_hand_and_missing_answers_are_counted():
    answers = survey([1, 2, 3, np.nan], [5, 4, 1, 1])
    result = dimensions.continuous_kano(answers, draws=20)
    row = result.overall.iloc[0]
    assert row["n"] == 3
    assert row["satisfaction"] == pytest.approx((4 + 2 + 0) / 3)
    assert row["dissatisfaction"] == pytest.approx((4 + 2 - 2) / 3)
    assert row["kano_class"] == "A"
    assert result.excluded.to_dict("records") == [
        {"attribute": "a", "what": "one answer", "respondents": 1}
    ]


def test_intervals_are_those_of_a_mean():
    rng = np.random.default_rng(2)
    answers = survey(rng.integers(1, 6, 400), rng.integers(1, 6, 400))
    row = dimensions.continuous_kano(answers, draws=2000, seed=1).overall.iloc[0]
    scores = np.array([SCORES[int(v)][0] for v in answers["kano_with_a"]], float)
    half = student.ppf(0.975, 399) * scores.std(ddof=1) / 20
    # a bootstrap of 2000 draws places an end within about 5 % of the half width
    assert row["satisfaction_upper"] - scores.mean() == pytest.approx(half, rel=0.1)
    assert scores.mean() - row["satisfaction_lower"] == pytest.approx(half, rel=0.1)


def test_strong_answers_outweigh_a_majority():
    """The table counts heads, the scores weigh them: 55 % indifferent, 45 % delighted."""
    answers = survey([3] * 55 + [1] * 45, [3] * 100)
    strong = dimensions.continuous_kano(survey([2] * 55 + [1] * 45, [3] * 100), draws=20)
    assert dimensions.classify_kano(answers, draws=5).classes == {"a": "I"}
    assert dimensions.continuous_kano(answers, draws=20).classes == {"a": "I"}
    assert strong.classes == {"a": "A"}


def test_importance_is_averaged_and_groups_are_placed():
    answers = survey([1, 1, 3, 3], [3, 3, 5, 5], importance_a=[7, 5, 1, np.nan])
    answers["who"] = ["x", "x", "y", None]
    result = dimensions.continuous_kano(answers, importance="importance_", by="who", draws=20)
    assert result.overall["importance"].tolist() == [pytest.approx(13 / 3)]
    by_group = result.frame.set_index("group")
    assert by_group["kano_class"].to_dict()["x"] == "A"
    assert by_group["importance"].to_dict()["y"] == 1
    assert by_group["n"].to_dict() == {"": 4, "x": 2, "y": 1}
    assert np.isnan(by_group["stability"]["y"])
    assert "without who" in result.notes[0]
    assert "Mean scores" in result._repr_html_()


def test_rejected_attributes_are_told():
    result = dimensions.continuous_kano(survey([5, 5, 5], [1, 1, 2]), draws=5)
    assert result.classes == {"a": "R"}
    assert "would rather do without" in result.notes[0]
    assert result.sentence == "reverse: a."


def test_intervals_of_few_answers_come_with_a_warning():
    """Two who agree give an interval of no width: agreement of two is no certainty."""
    result = dimensions.continuous_kano(survey([1, 1], [5, 5]), draws=5)
    assert "1 place rests on fewer than 30 respondents" in result.notes[0]
    assert not dimensions.continuous_kano(survey([1] * 30, [5] * 30), draws=5).notes


def test_importance_that_is_not_there_or_no_number_is_refused():
    answers = survey([1, 2], [3, 4])
    with pytest.raises(ValueError, match="no columns weight_a of stated importance"):
        dimensions.continuous_kano(answers, importance="weight_")
    with pytest.raises(ValueError, match="importance_a hold no numbers; read the survey"):
        dimensions.continuous_kano(answers.assign(importance_a="7"), importance="importance_")


@given(st.lists(st.tuples(st.integers(1, 5), st.integers(1, 5)), min_size=1, max_size=12))
def test_means_stay_within_the_scores(pairs):
    first, second = zip(*pairs, strict=True)
    row = dimensions.continuous_kano(survey(first, second), draws=5).overall.iloc[0]
    assert -2 <= row["satisfaction"] <= 4 and -2 <= row["dissatisfaction"] <= 4
    assert row["kano_class"] in "MOAIRQ"
