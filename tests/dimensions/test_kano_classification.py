"""Kano's table and what is counted by it: every pair of answers, every tie, every complaint."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keycustomer import dimensions
from keycustomer.dimensions.kano.evaluation import CLASSES
from scipy.stats import binomtest, chi2_contingency, norm

# Berger et al. (1993): rows functional, columns dysfunctional, like .. dislike
PUBLISHED = """
Q A A A O
R I I I M
R I I I M
R I I I M
R R R R Q
"""
COUNTS = st.lists(st.integers(0, 40), min_size=6, max_size=6)
ALL_TIES = [c for size in range(1, 7) for c in itertools.combinations("MOAIRQ", size)]
ANSWER_PAIRS = list(itertools.product(range(1, 6), repeat=2))
ROUNDING = 1e-12
"""Sums of a few floats, nothing iterated."""

FONG_95 = norm.ppf(0.95)
"""The source's 1.65 for the 90 % level."""


def pairs_of(**counts):
    """Respondents whose pairs of answers give so many of each class."""
    example = {"A": (1, 3), "O": (1, 5), "M": (3, 5), "I": (3, 3), "R": (5, 3), "Q": (1, 1)}
    rows = [example[letter] for letter, n in counts.items() for _ in range(n)]
    return pd.DataFrame(rows, columns=["kano_with_speed", "kano_without_speed"], dtype=float)


def only_row(answers, **options):
    return dimensions.classify_kano(answers, draws=20, **options).overall.iloc[0]


@pytest.mark.parametrize(("functional", "dysfunctional"), ANSWER_PAIRS)
def test_every_pair_of_answers_has_the_published_class(functional, dysfunctional):
    table = [row.split() for row in PUBLISHED.strip().splitlines()]
    found = dimensions.evaluate_pairs([functional], [dysfunctional])
    assert found.tolist() == [table[functional - 1][dysfunctional - 1]]


def test_asking_the_other_way_round_mirrors_the_table():
    """Who wants the attribute away is the mirror of who wants it: A, O, M against R."""
    for first, second in itertools.product(range(1, 6), repeat=2):
        there = dimensions.evaluate_pairs([first], [second])[0]
        away = dimensions.evaluate_pairs([second], [first])[0]
        assert (there in "AOM") == (away == "R"), (first, second)
        assert (there in "IQ") == (away == there)


@pytest.mark.parametrize("letters", ALL_TIES, ids="".join)
def test_ties_go_to_must_be_then_one_dimensional_attractive_indifferent(letters):
    counts = [7 if letter in letters else 2 for letter in CLASSES]
    expected = min(letters, key="MOAIRQ".index)
    assert dimensions.leading_class(counts) == expected


def test_grouped_rule_asks_first_whether_it_matters():
    # I leads, but M, O and A together outweigh I, R and Q
    counts = dict(zip(CLASSES, [20, 18, 16, 30, 5, 1], strict=True))
    row = only_row(pairs_of(**counts))
    assert (row["kano_class"], row["grouped_class"]) == ("I", "M")


@given(COUNTS)
def test_both_rules_name_a_class_with_answers_and_agree_with_the_definition(counts):
    if not sum(counts):
        return
    by_letter = dict(zip(CLASSES, counts, strict=True))
    assert by_letter[str(dimensions.leading_class(counts))] == max(counts)
    first = sum(counts[:3]) > sum(counts[3:])
    group = "MOA" if first else "IRQ"
    expected = max(group, key=lambda k: (by_letter[k], -group.index(k)))
    assert dimensions.grouped_class(counts) == expected


def test_better_and_worse_by_hand():
    row = only_row(pairs_of(M=10, O=20, A=30, I=15, R=4, Q=1))
    assert row[["M", "O", "A", "I", "R", "Q"]].tolist() == [10, 20, 30, 15, 4, 1]
    assert row["better"] == pytest.approx(50 / 75, rel=ROUNDING)
    assert row["worse"] == pytest.approx(-30 / 75, rel=ROUNDING)
    wilson = binomtest(50, 75).proportion_ci(method="wilson")
    assert row["better_lower"] == pytest.approx(wilson.low, rel=1e-10)
    assert row["better_upper"] == pytest.approx(wilson.high, rel=1e-10)
    assert row["worse_lower"] <= row["worse"] <= row["worse_upper"]
    assert row["category_strength"] == pytest.approx(10 / 80)
    assert row["total_strength"] == pytest.approx(60 / 80)


def test_fong_by_hand():
    # a = 50, b = 35, n = 120: 1.645 sqrt(85 x 155 / 240) = 12.19
    row = only_row(pairs_of(M=50, A=35, I=30, O=5))
    assert row["fong_difference"] == 15
    assert row["fong_margin"] == pytest.approx(FONG_95 * np.sqrt(85 * 155 / 240), rel=1e-9)
    assert row["distinct"]
    assert row["p_value"] == pytest.approx(binomtest(50, 85).pvalue)
    assert not only_row(pairs_of(M=46, A=39, I=30, O=5))["distinct"]


def test_fong_calls_too_many_distinct_and_the_exact_test_does_not():
    """Two equally frequent classes: at 10 % Fong's test is wrong far more often."""
    rng = np.random.default_rng(5)
    drawn = rng.multinomial(200, [0.45, 0.45, 0.1], size=4000)
    difference = np.abs(drawn[:, 0] - drawn[:, 1])
    margin = dimensions.fong_margin(drawn[:, 0], drawn[:, 1], 200)
    exact = [binomtest(int(a), int(a + b)).pvalue for a, b in drawn[:800, :2]]
    assert (difference >= margin).mean() > 0.18
    assert np.mean(np.array(exact) < 0.1) < 0.115


@settings(max_examples=25)
@given(COUNTS, st.integers(0, 3))
def test_measures_stay_within_their_bounds_whatever_the_counts(counts, gaps):
    answers = pairs_of(**dict(zip(CLASSES, counts, strict=True)))
    if answers.empty:
        return
    gap = pd.DataFrame({"kano_with_speed": [1.0] * gaps, "kano_without_speed": [np.nan] * gaps})
    result = dimensions.classify_kano(pd.concat([answers, gap], ignore_index=True), draws=5)
    row = result.overall.iloc[0]
    assert row["n"] == sum(counts)
    assert result.excluded["respondents"].sum() == gaps
    if sum(counts[:4]):
        assert 0 <= row["better_lower"] <= row["better"] <= row["better_upper"] <= 1
        assert -1 <= row["worse_lower"] <= row["worse"] <= row["worse_upper"] <= 0
    assert 0 <= row["stability"] <= 1


def test_stability_is_high_for_a_clear_class_and_half_for_a_tie():
    clear = dimensions.classify_kano(pairs_of(A=70, I=30), seed=3).overall.iloc[0]
    tied = dimensions.classify_kano(pairs_of(A=50, I=50), seed=3).overall.iloc[0]
    assert clear["stability"] > 0.99
    assert 0.42 < tied["stability"] < 0.64
    assert tied["kano_class"] == "A"


def test_groups_are_classified_each_for_itself_and_compared():
    answers = pd.concat(
        [pairs_of(M=60, I=20).assign(who="small"), pairs_of(A=50, I=30).assign(who="large")],
        ignore_index=True,
    )
    answers.loc[0, "who"] = None
    result = dimensions.classify_kano(answers, by="who", draws=20)
    assert result.groups == ("large", "small")
    assert result.of_group("large")["kano_class"].tolist() == ["A"]
    assert result.of_group("small")["n"].tolist() == [79]
    assert result.overall["n"].tolist() == [160]
    assert "1 respondent without who count in no group" in result.notes
    test = result.differences().iloc[0]
    expected = chi2_contingency([[0, 50, 30], [59, 0, 20]], correction=False)
    assert test["chi_square"] == pytest.approx(expected.statistic)
    assert test["p_adjusted"] == pytest.approx(expected.pvalue)
    assert test["classes"] == "large A, small M"


def test_holm_and_groups_that_all_agree():
    alike = pd.concat([pairs_of(I=40).assign(g="x"), pairs_of(I=30).assign(g="y")])
    result = dimensions.classify_kano(alike.reset_index(drop=True), by="g", draws=5)
    assert result.differences()["p_value"].tolist() == [1.0]
    with pytest.raises(ValueError, match="at least two groups, there are 0"):
        dimensions.classify_kano(pairs_of(I=40), draws=5).differences()
    with pytest.raises(ValueError, match="no group 'z'; there are 'x', 'y'"):
        result.of_group("z")


def test_several_attributes_are_found_by_their_columns_and_the_input_is_left_alone():
    answers = pairs_of(M=30, A=10)
    answers["kano_with_cost"], answers["kano_without_cost"] = 1.0, 5.0
    answers["kano_with_half"] = 2.0
    before = answers.copy()
    result = dimensions.classify_kano(answers, draws=20)
    pd.testing.assert_frame_equal(answers, before)
    assert result.classes == {"speed": "M", "cost": "O"}
    assert result.sentence == "must-be: speed; one-dimensional: cost."
    again = dimensions.classify_kano(answers, ["cost"], draws=20)
    assert again.classes == {"cost": "O"}
    assert result.to_frame()["attribute"].tolist() == ["speed", "cost"]


def test_names_from_data_are_escaped():
    answers = pairs_of(M=30).rename(columns=lambda c: c.replace("speed", "<b>speed"))
    html = dimensions.classify_kano(answers, draws=5)._repr_html_()
    assert "<b>speed" not in html and "&lt;b&gt;speed" in html


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kano_with_speed": [0, 1, 2, 9]}, r"has 2 answers that are none of 1 \(like\).*0 \(row"),
        ({"kano_with_speed": [1, 2.5, 3, 4]}, r"1 answers that are none.*2.5 \(row 1\)"),
        ({"kano_with_speed": list("1234")}, r"holds (str|object) values.*read_answers"),
        ({"kano_with_speed": [np.nan] * 4}, "'kano_with_speed' was answered by nobody"),
        ({"kano_without_speed": [np.inf, 1, 1, 1]}, r"inf \(row 0\)"),
    ],
)
def test_answers_that_are_none_are_refused_with_the_column_and_row(change, message):
    answers = pairs_of(M=2, A=2).assign(**change)
    with pytest.raises(ValueError, match=message):
        dimensions.classify_kano(answers)


def test_all_complaints_come_at_once_and_a_slip_is_recognised():
    answers = pairs_of(M=4).assign(kano_with_cost=7.0, kano_without_cost=8.0)
    with pytest.raises(ValueError) as told:
        dimensions.classify_kano(answers)
    assert "kano_with_cost" in str(told.value) and "kano_without_cost" in str(told.value)
    with pytest.raises(ValueError, match="'kano_with_sped' is missing; did you mean 'kano_with_sp"):
        dimensions.classify_kano(pairs_of(M=4), ["sped"])
    with pytest.raises(ValueError, match="no attribute has both columns like_<name> and"):
        dimensions.classify_kano(pairs_of(M=4), functional="like_")
    with pytest.raises(ValueError, match="column 'wave' is missing"):
        dimensions.classify_kano(pairs_of(M=4), by="wave")
    with pytest.raises(ValueError, match="attributes named twice: speed"):
        dimensions.classify_kano(pairs_of(M=4), ["speed", "speed"])
    with pytest.raises(TypeError, match=r"list of names, such as \['speed'\]"):
        dimensions.classify_kano(pairs_of(M=4), "speed")
    with pytest.raises(ValueError, match="draws=0"):
        dimensions.classify_kano(pairs_of(M=4), draws=0)
    with pytest.raises(ValueError, match="level=95"):
        dimensions.classify_kano(pairs_of(M=4), level=95)


def test_pairs_themselves_are_checked():
    with pytest.raises(ValueError, match=r"functional: answers are 1 \(like\).*got \[6\]"):
        dimensions.evaluate_pairs([6], [1])
    with pytest.raises(ValueError, match="each respondent answers both"):
        dimensions.evaluate_pairs([1, 2], [1])
    with pytest.raises(ValueError, match="answers are numbers"):
        dimensions.evaluate_pairs(["like"], ["dislike"])


def test_few_answers_and_contradictions_are_told():
    notes = dimensions.classify_kano(pairs_of(M=8, A=7, Q=3), draws=5).notes
    assert any("1 class rests on fewer than 30" in note for note in notes)
    assert any("not established" in note for note in notes)
    assert any("contradict themselves" in note for note in notes)
