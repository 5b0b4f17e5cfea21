"""Priorities, stated against derived importance, layers, kinds of need: by hand and bad input."""

import numpy as np
import pandas as pd
import pytest
from driver_answers import alike, population, r2_by_regression, sample
from hypothesis import given, settings
from hypothesis import strategies as st
from keycustomer.dimensions import (
    importance_performance,
    kinds_of_need,
    layer_importance,
    relative_importance,
    stated_against_derived,
)
from keycustomer.dimensions.drivers.stated import READINGS

ROUNDING = 1e-10
DRIVERS = list("abcd")


def answers(n=300, seed=2):
    """Four drivers with clear importance a > b > c > d and means 3, 6, 5, 2 on a scale to 7."""
    frame = sample(population(alike(4, 0.1), [0.9, 0.6, 0.3, 0.05]), n, seed)
    frame[DRIVERS] += np.array([3, 6, 5, 2]) - frame[DRIVERS].mean()
    rng = np.random.default_rng(seed)
    for name, mean in zip(DRIVERS, (6, 3, 5, 2.5), strict=True):
        frame[f"says_{name}"] = mean + rng.normal(size=n) * 0.8
    return frame


def measured(**changes):
    return relative_importance(answers(), "y", DRIVERS, draws=200, **changes)


SAID = {name: f"says_{name}" for name in DRIVERS}


def test_performance_and_fields_by_hand():
    result = importance_performance(measured(), low=1, high=7)
    rows = result.frame.set_index("driver")
    expected = {"a": 100 * 2 / 6, "b": 100 * 5 / 6, "c": 100 * 4 / 6, "d": 100 / 6}
    assert rows["performance"].to_dict() == pytest.approx(expected)
    assert rows["field"].to_dict() == {
        "a": "concentrate here",
        "b": "keep up",
        "c": "possible overkill",
        "d": "low priority",
    }
    assert result.of_field("concentrate here") == ["a"]
    assert result.performance_border == pytest.approx(50)
    assert result.importance_border == pytest.approx(0.25)
    assert rows.loc["a", "priority"] == 1
    np.testing.assert_allclose(rows["room"], rows["importance"] * (100 - rows["performance"]) / 100)
    assert "First priority: a" in result.sentences[0]
    assert rows.loc["a", "certainty"] > 0.99
    with pytest.raises(ValueError, match="field='bad': one of 'concentrate here', 'keep up'"):
        result.of_field("bad")


def test_reversed_drivers_perform_from_the_upper_end():
    result = importance_performance(measured(), low=1, high=7, reverse=["d"])
    assert result.frame.set_index("driver").loc["d", "performance"] == pytest.approx(100 * 5 / 6)
    assert any("d counted as better when lower, though" in note for note in result.notes)


def test_a_driver_that_lowers_the_outcome_is_pointed_out():
    frame = answers()
    frame["a"] = 8 - frame["a"]
    found = relative_importance(frame, "y", DRIVERS, draws=20)
    result = importance_performance(found, low=1, high=7)
    assert any("less y for a: where less of it is better" in note for note in result.notes)
    cured = importance_performance(found, low=1, high=7, reverse=["a"])
    assert not any("where less" in note for note in cured.notes)


@pytest.mark.parametrize(
    ("borders", "cut"), [("median", None), ((0.3, 60), (0.3, 60)), ("mean", (0.25, 50))]
)
def test_borders_can_be_chosen(borders, cut):
    result = importance_performance(measured(), low=1, high=7, borders=borders)
    rows = result.frame
    expected = cut or (rows["importance"].median(), rows["performance"].median())
    assert (result.importance_border, result.performance_border) == pytest.approx(expected)


@given(st.floats(-5, 5), st.floats(0.1, 50))
@settings(max_examples=10)
def test_the_unit_of_the_scale_changes_no_field(shift, unit):
    base = importance_performance(measured(), low=1, high=7).frame
    moved = answers()
    moved[DRIVERS] = shift + unit * moved[DRIVERS]
    found = relative_importance(moved, "y", DRIVERS, draws=200)
    ends = {"low": shift + unit, "high": shift + 7 * unit}
    result = importance_performance(found, **ends).frame
    assert result["field"].tolist() == base["field"].tolist()
    np.testing.assert_allclose(result["performance"], base["performance"], atol=1e-6)
    np.testing.assert_allclose(result["gain"] * unit, base["gain"], rtol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"low": 7, "high": 1}, "lower end must be the smaller"),
        ({"low": 1, "high": 5}, r"mean answer of 'b' is 6, outside this scale"),
        ({"low": 1, "high": 7, "reverse": ["x"]}, r"a list of drivers is needed, out of 'a'"),
        ({"low": 1, "high": 7, "reverse": "a"}, "reverse='a': a list of drivers"),
        ({"low": 1, "high": 7, "borders": "mode"}, "borders='mode': 'mean', 'median', or a pair"),
        ({"low": 1, "high": 7, "borders": (1, 2, 3)}, "or a pair"),
    ],
)
def test_a_wrong_scale_reverse_or_border_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        importance_performance(measured(), **arguments)


def test_stated_and_derived_by_hand():
    result = stated_against_derived(answers(), "y", DRIVERS, SAID, draws=200)
    rows = result.frame.set_index("driver")
    assert rows["reading"].to_dict() == {
        "a": "said and felt",
        "b": "felt, not said",
        "c": "said, not felt",
        "d": "neither",
    }
    shares = measured().frame.set_index("driver")["share"]
    pd.testing.assert_series_equal(
        rows["derived"].sort_index(), shares.sort_index(), check_names=False
    )
    means = answers()[list(SAID.values())].mean()
    assert rows["stated"].to_dict() == pytest.approx({k: means[v] for k, v in SAID.items()})
    # ranks derived 1 2 3 4 against stated 1 3 2 4: one swap of neighbours
    assert result.agreement.estimate == pytest.approx(0.8)
    assert (rows.loc[["a", "c", "d"], "certainty"] > 0.95).all()
    assert 0.5 < rows.loc["b", "certainty"] < 0.95  # close to the border of an equal share
    assert result.undifferentiated == 0
    for reading in READINGS:
        assert len(result.of_reading(reading)) == 1
    with pytest.raises(ValueError, match="reading='loud': one of 'said and felt'"):
        result.of_reading("loud")


def test_respondents_who_call_everything_important_are_counted():
    frame = answers()
    frame.loc[:29, list(SAID.values())] = 7
    result = stated_against_derived(frame, "y", DRIVERS, SAID, draws=20)
    assert result.undifferentiated == pytest.approx(0.1)


def test_stated_answers_not_given_are_left_out_one_by_one():
    frame = answers()
    frame.loc[:49, "says_b"] = np.nan
    frame["b"] = frame["b"].where(frame.index != 299)
    result = stated_against_derived(frame, "y", DRIVERS, SAID, draws=50)
    rows = result.frame.set_index("driver")
    assert result.respondents == 299
    assert rows["answers"].to_dict() == {"a": 299, "b": 249, "c": 299, "d": 299}
    assert rows.loc["b", "stated"] == pytest.approx(frame["says_b"].iloc[50:299].mean())
    assert any("50 stated importances not given" in note for note in result.notes)


def test_persons_who_state_twice_are_drawn_as_one():
    twice = pd.concat([answers().assign(who=range(300))] * 2, ignore_index=True)
    persons = stated_against_derived(twice, "y", DRIVERS, SAID, respondent="who", draws=30)
    once = stated_against_derived(answers(), "y", DRIVERS, SAID, draws=30)
    pd.testing.assert_frame_equal(
        persons.frame.drop(columns="answers"), once.frame.drop(columns="answers")
    )


def test_drivers_without_stated_importance_help_to_explain_only():
    some = {name: SAID[name] for name in "abc"}
    result = stated_against_derived(answers(), "y", DRIVERS, some, draws=50)
    assert sorted(result.frame["driver"]) == list("abc")
    assert result.frame["derived"].sum() < 1
    assert any("no stated importance for d" in note for note in result.notes)


def test_an_attribute_that_hardly_varies_is_pointed_out():
    frame = answers()
    frame["c"] = frame["c"].mean() + (frame["c"] - frame["c"].mean()) / 10
    result = stated_against_derived(frame, "y", DRIVERS, SAID, draws=20)
    assert any("answers on c vary less than half as much" in note for note in result.notes)


def test_stated_importance_that_never_differs_has_no_order():
    frame = answers().assign(**dict.fromkeys(SAID.values(), 5.0))
    result = stated_against_derived(frame, "y", DRIVERS, SAID, draws=20)
    assert np.isnan(result.agreement.estimate)
    assert result.undifferentiated == 1
    assert result._repr_html_()


@pytest.mark.parametrize(
    ("stated", "message"),
    [
        ({**SAID, "x": "says_a"}, "stated importance of 'x', which is no driver; drivers are 'a'"),
        ({"a": "says_a", "b": "says_b"}, "at least 3 drivers is needed"),
        ({**SAID, "a": "says_aa"}, "item 'says_aa' is not in the table; did you mean"),
        ({**SAID, "a": "word"}, "word: 300 answers .'much' in row 0, .* are no number"),
        ({**SAID, "a": "hardly"}, "1 answer on the stated importance of 'a'"),
        (["says_a"], "stated=.*: a mapping is needed"),
    ],
)
def test_wrong_stated_importance_is_refused(stated, message):
    frame = answers().assign(word="much", hardly=np.nan)
    frame.loc[0, "hardly"] = 3
    with pytest.raises(ValueError, match=message):
        stated_against_derived(frame, "y", DRIVERS, stated)


LAYERS = {"core": ["a", "d"], "tangible": ["b"], "augmented": ["c"]}


def test_layers_sum_their_attributes():
    found = measured()
    result = layer_importance(found, LAYERS, low=1, high=7)
    rows = result.frame.set_index("layer")
    share = found.frame.set_index("driver")["share"]
    assert rows.loc["core", "importance"] == pytest.approx(share["a"] + share["d"])
    assert rows.loc["core", "per_attribute"] == pytest.approx((share["a"] + share["d"]) / 2)
    assert rows["importance"].sum() == pytest.approx(1)
    assert rows["as_one"].sum() == pytest.approx(1)
    assert rows.loc["core", "performance"] == pytest.approx(100 * (2 + 1) / 2 / 6)
    assert ((rows["lower"] < rows["importance"]) & (rows["importance"] < rows["upper"])).all()
    assert result.drivers["importance"].sum() == pytest.approx(1)
    assert "tangible" in result._repr_html_()


def test_layers_of_one_attribute_each_give_lmg_back():
    found = measured()
    result = layer_importance(found, {name: [name] for name in DRIVERS})
    np.testing.assert_allclose(result.frame["as_one"], found.in_order_given("share"))
    np.testing.assert_allclose(result.frame["importance"], found.in_order_given("share"))
    assert result.frame["performance"].isna().all()


def test_two_layers_as_players_by_hand():
    values = answers()[[*DRIVERS, "y"]].to_numpy()
    result = layer_importance(measured(), {"one": ["a", "d"], "two": ["b", "c"]})
    one, two = (r2_by_regression(values, s) for s in ((0, 3), (1, 2)))
    whole = r2_by_regression(values, range(4))
    assert result.frame["as_one"].tolist() == pytest.approx(
        [(one + whole - two) / 2 / whole, (two + whole - one) / 2 / whole], abs=ROUNDING
    )


def test_drivers_of_no_layer_are_others():
    result = layer_importance(measured(), {"core": ["a"]})
    assert result.frame["layer"].tolist() == ["core", "other"]
    assert "drivers of no layer, counted as other: b, c, d" in result.notes


@pytest.mark.parametrize(
    ("layers", "scale", "message"),
    [
        ({"core": ["a", "x"]}, {}, "layer 'core': 'x' is none of the drivers 'a'"),
        ({"core": ["a"], "more": ["a"]}, {}, "driver 'a' stands in layers 'core' and 'more'"),
        ({"core": "a"}, {}, "layer 'core': a list of drivers is needed, got 'a'"),
        ({"core": []}, {}, "layer 'core': a list of drivers is needed"),
        ({}, {}, "1 to 10 are needed, got 0"),
        (LAYERS, {"low": 1}, "both ends of the scale are needed"),
        (LAYERS, {"low": 1, "high": 4}, "outside this scale"),
    ],
)
def test_wrong_layers_are_refused(layers, scale, message):
    with pytest.raises(ValueError, match=message):
        layer_importance(measured(), layers, **scale)


def needs(kano=None, secret=("b",)):
    stated = stated_against_derived(answers(), "y", DRIVERS, SAID, draws=50)
    return kinds_of_need(
        stated, {"a": "M", "c": "attractive", "d": "O"} if kano is None else kano, secret
    )


def test_five_kinds_of_need_by_hand():
    result = needs()
    assert {kind: result.of_kind(kind) for kind in result.kinds()["kind"]} == {
        "stated": ["a", "c"],
        "real": ["a", "b"],
        "unstated": ["a"],
        "delight": ["c"],
        "secret": ["b"],
    }
    classes = result.frame.set_index("driver")["kano_class"]
    assert classes[["a", "c", "d"]].tolist() == ["must-be", "attractive", "one-dimensional"]
    assert pd.isna(classes["b"])
    assert pd.isna(result.frame.set_index("driver").loc["b", "delight"])
    assert any(
        "not asked in Kano's pairs" in note and note.endswith(": b") for note in result.notes
    )
    assert any("teaching device" in note for note in result.notes)
    assert result._repr_html_()
    with pytest.raises(ValueError, match="kind='loud': one of 'stated', 'real'"):
        result.of_kind("loud")


def test_a_social_attribute_that_is_said_is_no_secret():
    result = needs(secret=["a", "d"])
    assert result.of_kind("secret") == []
    assert any("no social" in note for note in needs(secret=[]).notes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kano": {"x": "M"}}, "kano: 'x' is none of the attributes compared"),
        ({"kano": {"a": "maybe"}}, r"class 'maybe' of 'a' is none of 'M' \(must-be\)"),
        ({"secret": ["x"]}, "secret: 'x' is none of the attributes compared"),
        ({"secret": "b"}, "secret='b' is one text; give a list"),
    ],
)
def test_wrong_classes_and_secrets_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        needs(**changes)
