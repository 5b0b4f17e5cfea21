"""Choice tasks are read whole, and what is wrong with them is said with its cure."""

import choice_sets
import numpy as np
import pandas as pd
import pytest
from keycustomer.pricing import ChoiceData, fit_logit, read_choices


@pytest.fixture
def rows() -> pd.DataFrame:
    return choice_sets.known_rows(12, 3, seed=1)


def test_tasks_of_any_size_with_the_option_to_take_none(rows):
    data = read_choices(rows, currency="EUR", simulated=True)
    assert (data.respondents, data.tasks) == (12, 36)
    assert data.attributes == ("service", "energy")
    # in order of the alphabet, where no levels are given
    assert data.levels == {"service": ("hotline", "person"), "energy": ("green", "standard")}
    assert data.has_none and data.frame.loc[data.frame["is_none"], "price"].eq(0).all()
    assert data.sentence == (
        "Simulated: 12 respondents answered 36 tasks of 3 to 5 alternatives and may take none."
    )
    assert "hotline, person" in data._repr_html_()


def test_the_input_stays_as_it_is(rows):
    before = rows.copy()
    read_choices(rows)
    pd.testing.assert_frame_equal(rows, before)


def test_rows_in_any_order_are_put_together(rows):
    mixed = rows.sample(frac=1, random_state=0)
    whole, again = read_choices(rows), read_choices(mixed)
    assert again.tasks == whole.tasks
    one, two = fit_logit(whole), fit_logit(again)
    assert two.log_likelihood == pytest.approx(one.log_likelihood, rel=1e-12)


def test_what_does_not_differ_within_tasks_belongs_to_the_respondent(rows):
    rows["city"] = rows["respondent_id"].map(lambda who: "north" if who < "R4" else "south")
    data = read_choices(rows)
    assert "city" not in data.attributes and "city" in data.frame


def test_base_of_the_simulated_operator(telecom_base):
    data = read_choices(telecom_base)
    assert data.simulated and data.currency == "EUR"
    assert data.levels["service_level"] == ("reactive", "accountable", "partnership")
    assert data.levels["contract"][0] == "24 months"
    assert data.frame["price"].dtype.kind == "f"
    assert fit_logit(data).coefficients["price"] < 0


def test_base_without_choices(hand_made_base):
    with pytest.raises(ValueError, match="no table choices; name one in its case file"):
        read_choices(hand_made_base({"customers": [("K1", "One")]}))


def test_own_names_of_columns(rows):
    own = rows.rename(columns={"respondent_id": "id", "task": "chid", "chosen": "choice"})
    names = {"respondent_id": "id", "task": "chid", "chosen": "choice"}
    assert read_choices(own, columns=names).tasks == 36
    with pytest.raises(ValueError, match="lacks task, chosen; its columns are respondent_id, chid"):
        read_choices(own, columns={"respondent_id": "id"})
    with pytest.raises(ValueError, match="columns names \\['price'\\]; what can be renamed"):
        read_choices(own, columns={"price": "cost"})


def test_without_respondents_every_task_is_one(rows):
    rows["task"] = rows["respondent_id"] + rows["task"].astype(str)
    data = read_choices(rows.drop(columns="respondent_id"))
    assert data.respondents == data.tasks == 36


def spoiled(rows: pd.DataFrame) -> pd.DataFrame:
    """Tasks 0, 1, 2 of R0 and 0, 1 of R1: no choice, two choices, alone, twice, no price."""
    rows = rows.copy()
    who, task = rows["respondent_id"], rows["task"]
    rows.loc[(who == "R0") & (task == 0), "chosen"] = False
    rows.loc[(who == "R0") & (task == 1), "chosen"] = True
    rows = rows[~((who == "R0") & (task == 2) & ~rows["chosen"])]
    twice = rows[(rows["respondent_id"] == "R1") & (rows["task"] == 0) & ~rows["chosen"]].head(1)
    rows = pd.concat([rows, twice], ignore_index=True)
    at = (rows["respondent_id"] == "R1") & (rows["task"] == 1) & (rows["price"] > 0)
    rows.loc[rows.index[at][0], "price"] = np.nan
    return rows


def test_broken_tasks_are_all_told_with_the_cure(rows):
    with pytest.raises(ValueError) as raised:
        read_choices(spoiled(rows))
    told = str(raised.value)
    for what in (
        "no alternative is chosen in 1 task (respondent R0 task 0)",
        "several alternatives are chosen in 1 task (respondent R0 task 1)",
        "there is one alternative only in 1 task (respondent R0 task 2)",
        "an alternative is there twice in 1 task (respondent R1 task 0)",
        "column price is empty in 1 task (respondent R1 task 1)",
        "broken='exclude'",
    ):
        assert what in told


def test_broken_tasks_are_left_out_and_counted(rows):
    data = read_choices(spoiled(rows), broken="exclude")
    assert data.tasks == 31
    assert data.excluded["tasks"].tolist() == [1, 1, 1, 1, 1]
    assert data.notes == ("5 tasks left out",)
    assert "5 tasks left out" in data._repr_html_()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"price": "dear"}, "column price holds .* that are no numbers, first at rows"),
        ({"chosen": 2}, "column chosen holds 2.0.*give true or false"),
        ({"alternative": None}, "choices has rows without alternative"),
    ],
)
def test_values_that_cannot_be(rows, change, message):
    with pytest.raises(ValueError, match=message):
        read_choices(rows.assign(**change))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"price": "cost"}, "no column 'cost'"),
        ({"attributes": ["service", "colour"]}, "no column 'colour'"),
        ({"levels": {"colour": ["red"]}}, "levels names \\['colour'\\]"),
        ({"levels": {"service": ["hotline"]}}, "'person', which levels does not name"),
        ({"broken": "ignore"}, "give 'refuse' or 'exclude'"),
        ({"traits": pd.Series([1.0], ["Nobody"], name="size")}, "knows none of the respondents"),
        (
            {"traits": pd.Series([1.0, 2.0], ["R1", "R1"], name="size")},
            "several rows for \\['R1'\\]",
        ),
        ({"traits": pd.Series([1.0], ["R1"], name="price")}, "both have \\['price'\\]"),
    ],
)
def test_arguments_that_cannot_be(rows, arguments, message):
    with pytest.raises(ValueError, match=message):
        read_choices(rows, **arguments)


def test_other_things_than_tables():
    with pytest.raises(TypeError, match="a prepared base with the table choices"):
        read_choices([1, 2])
    with pytest.raises(TypeError, match="one text; give a list"):
        read_choices(choice_sets.known_rows(2), attributes="service")
    with pytest.raises(ValueError, match="is empty"):
        read_choices(choice_sets.known_rows(2).head(0))


def test_levels_written_in_numbers(rows):
    rows["months"] = np.where(rows["service"] == "person", 12, 24)
    assert "months" not in read_choices(rows).levels
    assert read_choices(rows, levels={"months": ["24", "12"]}).levels["months"] == ("24", "12")


def test_parts_keep_whole_tasks_only():
    data: ChoiceData = choice_sets.known_choices(5, 2)
    part = data.where(data.frame["alternative"] != "package 1")
    assert part.frame.groupby(["respondent_id", "task"])["chosen"].sum().eq(1).all()
    assert (
        part.tasks
        == (~(data.frame["chosen"] & (data.frame["alternative"] == "package 1")))[
            data.frame["chosen"]
        ].sum()
    )


def test_what_was_read_can_be_read_again(rows):
    whole = read_choices(rows)
    again = read_choices(whole.to_frame())
    pd.testing.assert_frame_equal(again.frame, whole.frame)
    wrong = whole.to_frame()
    wrong.loc[0, "is_none"] = True
    with pytest.raises(ValueError, match=r"column is_none differs.* in 1 row, first \[0\]"):
        read_choices(wrong)


def test_a_slip_of_the_pen_makes_no_levels():
    rows = choice_sets.known_rows(30, 3, seed=1)
    rows["range"] = np.random.default_rng(0).random(len(rows)).round(3).astype(object)
    rows.loc[4, "range"] = "abc"
    with pytest.raises(ValueError, match=r"'range' holds 1 value that .*\[4\]: 'abc'"):
        read_choices(rows)
