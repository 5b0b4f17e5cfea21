"""Reading a survey: what counts as an answer, and every complaint at once."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keycustomer.dimensions import read_answers
from keycustomer.dimensions.measurement.complete import (
    complete_answers,
    item_correlations,
    refuse_singular,
)


def survey(rows=20):
    """Two constructs of two items, from 1 to 7."""
    generator = np.random.default_rng(3)
    values = generator.integers(1, 8, (rows, 4))
    values[0], values[1] = 1, 7
    return pd.DataFrame(values, columns=["price_1", "price_2", "trust_1", "trust_2"])


CONSTRUCTS = {"price": ["price_1", "price_2"], "trust": ["trust_1", "trust_2"]}


def test_text_becomes_numbers_and_keeps_rows_and_order():
    numbers = survey()
    numbers.index = [f"r{n}" for n in range(20)]
    text = numbers.astype(str).map(lambda value: f" {value} ").iloc[:, ::-1]
    read = read_answers(text, CONSTRUCTS, low=1, high=7)
    pd.testing.assert_frame_equal(read.answers, numbers.astype(float), check_names=False)
    assert read.items == tuple(numbers.columns)
    assert read.of("trust").columns.tolist() == CONSTRUCTS["trust"]
    assert (read.respondents, read.silent, read.notes) == (20, 0, ())
    assert read.to_frame()["construct"].tolist() == ["price", "price", "trust", "trust"]


def test_blanks_and_marks_are_not_answered_and_counted():
    table = survey().astype(object)
    table.loc[2, "price_1"] = None
    table.loc[3, "price_1"] = "  "
    table.loc[4, "price_1"] = "no answer"
    table.loc[5, "price_1"] = -99
    table.loc[6, "price_1"] = "-99.0"
    table.loc[7] = ["", None, np.nan, "no answer"]
    read = read_answers(table, CONSTRUCTS, low=1, high=7, missing=("no answer", -99))
    assert read.unanswered.tolist() == [5, 0, 0, 0]
    assert read.silent == 1
    assert 7 not in read.answers.index
    assert "1 row without any answer left out" in read.notes


def test_reversed_items_are_turned_round_the_middle_of_the_scale():
    table = survey()
    turned = read_answers(table, CONSTRUCTS, low=1, high=7, reverse=["trust_2"])
    assert (turned.answers["trust_2"] == 8 - table["trust_2"]).all()
    assert turned.turned == ("trust_2",)
    again = read_answers(turned.answers, CONSTRUCTS, low=1, high=7, reverse="trust_2")
    pd.testing.assert_frame_equal(again.answers, table.astype(float))


def test_the_table_given_stays_as_it_was():
    table = survey().astype(str)
    before = table.copy()
    read_answers(table, CONSTRUCTS, low=1, high=7, reverse=["trust_2"])
    pd.testing.assert_frame_equal(table, before)


def test_all_complaints_come_at_once():
    table = survey().astype(object)
    table.loc[[3, 4], "price_1"] = ["often", "<b>"]
    table.loc[5, "price_2"] = 9
    table["trust_1"] = 4
    table["trust_2"] = ""
    items = ["price_1", "price_2", "trust_1", "trust_2", "prize_1", "Price_2", "price_1"]
    with pytest.raises(ValueError) as caught:
        read_answers(table, items, low=7, high=7, reverse=["nobody"])
    told = str(caught.value)
    for part in (
        "items named twice: 'price_1'",
        "item 'prize_1' is not in the table; did you mean 'price_1'",
        "item 'Price_2' is not in the table; did you mean 'price_2'",
        "low=7 and high=7: the scale must rise",
        "reverse names 'nobody', which is not among the items",
        "price_1: 2 answers ('often' in row 3, '<b>' in row 4) are no number",
        "missing=('no answer',)",
        "trust_2: nobody answered it",
    ):
        assert part in told
    with pytest.raises(ValueError) as caught:
        read_answers(table, items[1:3], low=1, high=7)
    assert "price_2: 1 answer ('9' in row 5) is outside the scale 1 to 7" in str(caught.value)
    assert "trust_1: all 20 answers are 4" in str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: (t.head(5), CONSTRUCTS), "5 respondents answered: at least 10"),
        (lambda t: (t, []), "no items are named"),
        (lambda t: (t, {"price": []}), "no items are named"),
        (lambda t: (t, {**CONSTRUCTS, "empty": []}), "construct 'empty' has no items"),
        (lambda t: (pd.concat([t, t], axis=1), ["price_1"]), "2 columns called 'price_1'"),
        (lambda t: (t, ["zebra"]), "item 'zebra' is not in the table; its columns are 'price_1'"),
        (lambda t: (t.replace(7, np.inf), ["price_1"]), "no number"),
        (lambda t: (t.astype(str).replace("7", "nan"), ["price_1"]), "no number"),
    ],
)
def test_what_cannot_be_read_is_refused(change, message):
    with pytest.raises(ValueError, match=message.replace("(", r"\(")):
        read_answers(*change(survey()))


def test_reverse_needs_a_scale_and_names_may_be_hostile():
    with pytest.raises(ValueError, match="reverse needs the ends of the scale"):
        read_answers(survey(), CONSTRUCTS, reverse=["trust_1"])
    table = survey().rename(columns={"price_1": "<script>"})
    read = read_answers(table, ["<script>", "price_2"])
    assert "<script>" not in read._repr_html_()
    assert "the ends of the scale are those of the answers" in read.notes
    assert (read.low, read.high) == (1, 7)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**31), st.integers(-3, 3), st.integers(2, 9))
def test_reading_what_was_read_changes_nothing(seed, low, width):
    values = np.random.default_rng(seed).integers(low, low + width + 1, (30, 3)).astype(float)
    values[:2] = [[low], [low + width]]
    table = pd.DataFrame(values, columns=list("abc"))
    once = read_answers(table, list("abc"), low=low, high=low + width)
    twice = read_answers(once.answers.astype(str), list("abc"), low=low, high=low + width)
    pd.testing.assert_frame_equal(once.answers, twice.answers)


def test_holes_lead_to_exclusion_or_to_the_mean():
    table = survey().astype(float)
    table.loc[4, "price_1"] = np.nan
    table.loc[5] = np.nan
    left = complete_answers(table)
    assert (left.respondents, left.excluded, left.filled) == (18, 2, 0)
    assert left.notes == ("2 respondents left out for missing answers",)
    filled = complete_answers(table, missing="mean")
    assert (filled.respondents, filled.excluded, filled.filled) == (19, 1, 1)
    assert np.isnan(filled.frame.loc[4, "price_1"])
    assert filled.whole.loc[4, "price_1"] == pytest.approx(table["price_1"].mean())
    assert filled.notes == (
        "1 respondent left out without any answer",
        "1 missing answer replaced by the item's mean",
        "so many answers are means that correlations come out too small: price_1 (5 %)",
    )


@pytest.mark.parametrize(
    ("change", "arguments", "message"),
    [
        (
            lambda t: t.assign(price_1="4"),
            {},
            "price_1: 20 answers .'4' in row 0.* no number; r",
        ),
        (lambda t: t.assign(price_1=4), {}, "price_1: all 20 answers are 4"),
        (lambda t: t.head(9), {}, "9 respondents can be counted"),
        (
            lambda t: t.reindex(range(5)).reindex(range(20)),
            {},
            "5 respondents can be counted, 15 left out",
        ),
        (
            lambda t: t.assign(price_2=t["price_2"].where(t.index < 8)),
            {},
            r"price_2 .12 missing.; at least 10 are needed: leave such items out, or give missing",
        ),
        (lambda t: t.replace(7, np.inf), {}, "answers .'inf' in row 1, .* are infinite"),
        (lambda t: t, {"items": ["price_1", "price_1"]}, "named twice: 'price_1'"),
        (lambda t: t, {"items": ["nobody"]}, "item 'nobody' is not in the table; its columns"),
        (lambda t: t, {"items": ["price_1"], "least_items": 2}, "1 item given, at least 2 needed"),
        (lambda t: t, {"missing": "pairwise"}, "missing='pairwise': choose 'listwise' or 'mean'"),
    ],
)
def test_what_cannot_be_measured_is_refused(change, arguments, message):
    with pytest.raises(ValueError, match=message):
        complete_answers(change(survey()), **arguments)


def test_no_table_is_refused():
    with pytest.raises(TypeError, match="a table is needed"):
        complete_answers([1, 2, 3])


def test_items_that_determine_each_other_are_named():
    table = survey(40).astype(float)
    table["total"] = table["price_1"] + table["trust_2"]
    with pytest.raises(ValueError, match="'price_1', 'trust_2', 'total' determine each other"):
        item_correlations(complete_answers(table))
    wide = pd.DataFrame(
        np.random.default_rng(1).normal(size=(12, 15)), columns=list("abcdefghijklmno")
    )
    with pytest.raises(ValueError, match="12 respondents are too few for 15 items"):
        item_correlations(complete_answers(wide))
    refuse_singular(np.eye(3), list("abc"))
