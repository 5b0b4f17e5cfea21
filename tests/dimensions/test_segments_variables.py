"""Variables of several kinds: coded, weighed, and every complaint told."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keycustomer.dimensions import read_variables
from segment_customers_made import KINDS, LOGGED, company

# Sums of squares of standardised numbers: rounding alone.
ROUNDING = 1e-9


def shares_of_distance(variables):
    """Mean squared distance between any two customers by kind, over that of all kinds."""
    coded = variables.coded
    squares = {
        kind: sum(
            ((coded[:, None, code] - coded[None, :, code]) ** 2).mean()
            for code in variables.codes_of(kind=kind)
        )
        for kind in variables.kinds
    }
    total = sum(squares.values())
    return {kind: part / total for kind, part in squares.items()}


@settings(max_examples=15)
@given(st.lists(st.floats(0.05, 20), min_size=4, max_size=4))
def test_each_kind_makes_its_stated_share_of_the_distance_between_customers(weights):
    frame, _ = company(60)
    stated = dict(zip(KINDS, weights, strict=True))
    variables = read_variables(frame, KINDS, weights=stated, logged=LOGGED)
    found = shares_of_distance(variables)
    for kind, weight in stated.items():
        assert found[kind] == pytest.approx(weight / sum(weights), abs=ROUNDING)


def test_kinds_have_equal_shares_however_many_columns_and_levels_they_have():
    frame, _ = company(80)
    found = shares_of_distance(read_variables(frame, KINDS, logged=LOGGED))
    np.testing.assert_allclose(list(found.values()), 0.25, atol=ROUNDING)


def test_leaving_a_kind_out_keeps_the_proportions_of_the_others():
    frame, _ = company(60)
    stated = {"psychographic": 4, "firmographic": 2, "value": 1, "geographic": 3}
    rest = read_variables(frame, KINDS, weights=stated, logged=LOGGED).without("geographic")
    found = shares_of_distance(rest)
    for kind, weight in (("psychographic", 4), ("firmographic", 2), ("value", 1)):
        assert found[kind] == pytest.approx(weight / 7, abs=ROUNDING)


def test_values_not_known_are_filled_and_told_or_their_customers_left_out():
    frame, _ = company(100)
    frame.loc[[3, 4], "spend"] = np.nan
    frame.loc[5, "region"] = None
    filled = read_variables(frame, KINDS, logged=LOGGED)
    assert len(filled) == 100
    assert "spend: 2 values not known, taken as the mean" in filled.notes
    assert "region: 1 value not known, a level of their own" in filled.notes
    kept = read_variables(frame, KINDS, logged=LOGGED, missing="listwise")
    assert (len(kept), kept.excluded) == (97, 3)
    assert "3 customers left out" in kept.notes[0]


def test_customers_who_lack_several_values_at_once_are_told():
    """Filled in with the means they are alike in all of them, and latent classes find them."""
    frame, _ = company(200)
    frame.loc[:9, ["price orientation", "innovativeness", "spend"]] = np.nan
    notes = " ".join(read_variables(frame, KINDS, logged=LOGGED).notes)
    assert "10 customers lack 3 or more values at once" in notes


def test_numbers_come_as_text_and_categories_as_numbers():
    frame, _ = company(50)
    as_text = frame.assign(spend=frame["spend"].map(repr))
    one, other = (read_variables(f, {"value": ["spend"]}) for f in (frame, as_text))
    np.testing.assert_allclose(one.plain, other.plain)
    postal = frame.assign(postal=np.arange(50) % 3)
    coded = read_variables(postal, {"geographic": ["postal"]}, categorical=["postal"])
    assert coded.variables[0].levels == ("0", "1", "2")


def test_rare_levels_are_put_together_and_said():
    frame, _ = company(400)
    frame.loc[0, "region"] = "nowhere"
    variables = read_variables(frame, {"geographic": ["region"]})
    assert "other" in variables.variables[0].levels
    assert variables.notes == ("region: 1 rare level counted as 'other'",)


def test_very_skewed_numbers_are_told():
    frame, _ = company(400)
    frame["spend"] = frame["spend"] ** 3
    assert "spend is very skewed" in " ".join(read_variables(frame, KINDS).notes)


def test_all_complaints_at_once():
    frame, _ = company(50)
    frame = frame.assign(same=1, which=frame["customer_id"], odd=np.inf, minus=-5.0)
    frame.loc[0, "minus"] = -6.0
    kinds = {"value": ["same", "odd", "minus"], "geographic": ["which"]}
    with pytest.raises(ValueError) as caught:
        read_variables(frame, kinds, logged=["minus"])
    said = str(caught.value)
    assert "same is constant (1)" in said
    assert "odd: not a finite number: 'inf' (50 values)" in said
    assert "minus: no logarithm can be taken of '-6.0', '-5.0'" in said
    assert "which: 50 different values for 50 customers; an id?" in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"kinds": {}}, "kinds is empty"),
        ({"kinds": {"value": "spend"}}, "a list of columns is needed for 'value'"),
        ({"kinds": {"value": ["spent"]}}, "no column 'spent'; the table has 'customer_id'"),
        ({"kinds": {"a": ["spend"], "b": ["spend"]}}, "'spend' named twice"),
        ({"weights": {"value": 1}}, "one for each kind"),
        ({"weights": dict.fromkeys(KINDS, 1) | {"value": 0}}, "'value' must be above zero"),
        ({"logged": ["gain"]}, "'gain' is in no kind"),
        ({"missing": "median"}, "missing='median'"),
    ],
)
def test_wrong_calls_name_argument_value_and_cure(arguments, said):
    frame, _ = company(50)
    with pytest.raises(ValueError, match=said.replace("(", r"\(")):
        read_variables(frame, **({"kinds": KINDS, "logged": LOGGED} | arguments))


def test_too_few_customers():
    frame, _ = company(50)
    with pytest.raises(ValueError, match="12 customers are left of 12; at least 20"):
        read_variables(frame.head(12), KINDS)


def test_hostile_names_stay_text():
    frame = pd.DataFrame({"<b>": np.arange(40.0) % 7, "y": np.arange(40.0) % 3})
    shown = read_variables(frame, {"<i>": ["<b>", "y"]})._repr_html_()
    assert "<i>" not in shown and "&lt;b&gt;" in shown
