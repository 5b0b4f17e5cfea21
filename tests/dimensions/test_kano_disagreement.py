"""Where methods agree on attributes, and the two-factor reading of it."""

import numpy as np
import pandas as pd
import pytest
from keycustomer import dimensions

ATTRIBUTES = {"speed": "M", "help": "O", "gifts": "A", "colour": "I"}
ANSWERS = {"M": (3, 5), "O": (1, 5), "A": (1, 3), "I": (3, 3)}
EFFECTS = {"M": (-1.0, 0.0), "O": (-0.6, 0.6), "A": (0.0, 1.0), "I": (0.0, 0.0)}


def survey(bent=True, n=500, seed=0):
    """Statements and satisfaction of the same classes; not bent, satisfaction is linear."""
    rng = np.random.default_rng(seed)
    frame, effects = {}, 0.0
    for name, letter in ATTRIBUTES.items():
        sure = rng.random(n) < 0.8
        for column, answer in zip(("with", "without"), ANSWERS[letter], strict=True):
            frame[f"kano_{column}_{name}"] = np.where(sure, answer, rng.integers(1, 6, n))
        seen = rng.integers(1, 8, n)
        frame[name] = seen
        penalty, reward = EFFECTS[letter]
        step = np.select([seen <= 2, seen >= 6], [penalty, reward])
        effects = effects + (step if bent else 0.3 * seen * (letter != "I"))
    frame["satisfaction"] = effects + rng.normal(0, 0.5, n)
    return pd.DataFrame(frame).astype(float)


def results(**options):
    answers = survey(**options)
    return (
        dimensions.classify_kano(answers, list(ATTRIBUTES), draws=50),
        dimensions.continuous_kano(answers, list(ATTRIBUTES), draws=50),
        dimensions.penalty_reward(
            answers, "satisfaction", list(ATTRIBUTES), low=2, high=6, draws=300
        ),
    )


def test_roles_where_statements_and_data_agree():
    stated, continuous, contrasts = results()
    reading = dimensions.two_factor_reading(stated, contrasts)
    assert reading.hygiene == ("speed",)
    assert reading.motivators == ("gifts",)
    assert reading.frame["role"].tolist() == ["hygiene factor", "both", "motivator", "neither"]
    assert reading.frame["beyond_linear"].tolist() == [True, False, True, False]
    assert reading.bend_p_value < 0.001
    assert "departs from straight lines by more than chance (p < 0.001)" in reading.notes[0]
    assert reading.sentence.startswith("Hygiene factors by statements and data: speed; motivators")
    again = dimensions.two_factor_reading(continuous, contrasts)
    assert again.hygiene == ("speed",)
    assert "Roles of the attributes" in reading._repr_html_()


def test_where_satisfaction_is_linear_statements_and_data_part():
    """Customers say must-be and attractive, their satisfaction knows only more or less."""
    stated, _, contrasts = results(bent=False, seed=3)
    reading = dimensions.two_factor_reading(stated, contrasts)
    assert reading.bend_p_value > 0.05
    assert "the data show no two factors" in reading.notes[0]
    assert not reading.frame["beyond_linear"].any()
    assert reading.frame.set_index("attribute")["role"]["speed"] == "open"


def test_attributes_in_one_source_only_are_told():
    stated, _, contrasts = results()
    answers = survey()
    part = dimensions.classify_kano(answers, ["speed", "gifts"], draws=5)
    reading = dimensions.two_factor_reading(part, contrasts)
    assert reading.frame["attribute"].tolist() == ["speed", "gifts"]
    assert reading.notes[1] == "not in both, left out: help, colour"
    renamed = answers.rename(columns={"speed": "perceived_speed"})
    other = dimensions.penalty_reward(
        renamed, "satisfaction", ["perceived_speed"], low=2, high=6, draws=5
    )
    with pytest.raises(ValueError, match="no attribute in common: statements are on speed"):
        dimensions.two_factor_reading(stated, other)


def test_methods_side_by_side_with_the_truth():
    stated, continuous, contrasts = results()
    found = dimensions.compare_kano_methods(
        {"table": stated, "continuous": continuous, "contrasts": contrasts}, truth=ATTRIBUTES
    )
    assert found.frame["truth"].tolist() == ["M", "O", "A", "I"]
    assert found.disputed == ()
    assert found.sentence == "3 methods give the same class to 4 of 4 attributes."
    assert found.right["share_right"].tolist() == [1, 1, 1]
    assert found.agreement["kappa"].tolist() == [1, 1, 1]
    assert "Against the truth" in found._repr_html_()


def test_agreement_by_hand():
    one = dict(zip("abcdef", "MMOAII", strict=True))
    two = dict(zip("abcdeg", "MOOAIM", strict=True))
    found = dimensions.compare_kano_methods({"one": one, "two": two})
    row = found.agreement.iloc[0]
    # five attributes in both, four alike; chance 2/5 1/5 + 1/5 2/5 + 1/5 1/5 + 1/5 1/5 = 6/25
    assert (row["attributes"], row["same"]) == (5, 4)
    assert row["kappa"] == pytest.approx((0.8 - 6 / 25) / (1 - 6 / 25))
    assert found.disputed == ("b", "f", "g")
    assert found.right.empty
    assert "they dispute b, f, g" in found.sentence


def test_kappa_agrees_with_scikit_learn():
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(0)
    for _ in range(20):
        one, two = (pd.Series(rng.choice(list("MOAI"), 30)) for _ in range(2))
        expected = metrics.cohen_kappa_score(one, two)
        assert dimensions.cohens_kappa(one, two) == pytest.approx(expected, abs=1e-12)
    same = pd.Series(["M"] * 5)
    assert np.isnan(dimensions.cohens_kappa(same, same))
    assert np.isnan(dimensions.cohens_kappa(same[:0], same[:0]))


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(ValueError, match="at least two methods are compared, got 1"):
        dimensions.compare_kano_methods({"one": {"a": "M"}})
    with pytest.raises(ValueError, match="two: classes are M, O, A, I, R, Q, got a: 'must-be'"):
        dimensions.compare_kano_methods({"one": {"a": "M"}, "two": {"a": "must-be"}})
    with pytest.raises(ValueError, match="no attribute is classified by two methods"):
        dimensions.compare_kano_methods({"one": {"a": "M"}, "two": {"b": "O"}})
    with pytest.raises(ValueError, match="cannot be called 'agree'"):
        dimensions.compare_kano_methods({"agree": {"a": "M"}, "two": {"a": "O"}})
