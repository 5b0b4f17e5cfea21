"""The survey of a base: its latest wave, its constructs, and what it was not asked."""

import pandas as pd
import pytest
from keycustomer.customers.prepare import prepare_base
from keycustomer.customers.specification import BaseSpecification
from keycustomer.dimensions import open_survey

ROWS = 12


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """Twelve customers, two waves, two constructs; a mark for what was not answered."""
    folder = tmp_path_factory.mktemp("survey")
    rows = [
        {"id": f"{k:02d}", "wave": wave, "q1": 1 + k % 5, "q2": 1 + (k + wave) % 5, "l": 1 + k % 3}
        for wave in (2, 10)
        for k in range(ROWS)
    ]
    table = pd.DataFrame(rows)
    table.loc[ROWS, "q1"] = -9
    table.to_csv(folder / "survey.csv", index=False)
    source = {
        "csv": "survey.csv",
        "columns": {"customer_id": "id"},
        "attributes": {"quality": ["q1", "q2"], "loyalty": ["l"], "asked": ["wave"]},
    }
    case = BaseSpecification(title="Answers", currency="none", tables={"survey": source})
    return prepare_base(case, folder, folder / "base.duckdb")


def test_the_latest_wave_is_last_by_number_not_by_letter(base):
    survey = open_survey(base, low=1, high=5, missing=["-9"])
    assert survey.waves == ["2", "10"]
    assert set(survey.latest["wave"]) == {"10"} and len(survey.latest) == ROWS


def test_answers_are_numbers_of_the_latest_wave_or_of_all(base):
    survey = open_survey(base, low=1, high=5, missing=["-9"])
    read = survey.answers(["quality", "loyalty"])
    assert read.respondents == ROWS and read.unanswered["q1"] == 1
    assert survey.answers(["quality"], every_wave=True).respondents == 2 * ROWS


def test_scores_are_means_of_what_was_answered_with_customer_and_wave(base):
    scores = open_survey(base, low=1, high=5, missing=["-9"]).scores(["quality"])
    assert list(scores.columns) == ["customer_id", "wave", "quality"]
    first, second = scores.iloc[0], scores.iloc[1]
    assert first["quality"] == 1 + (0 + 10) % 5  # q1 was not answered
    assert second["quality"] == ((1 + 1) + (1 + (1 + 10) % 5)) / 2


def test_what_was_not_asked_is_told_with_what_was(base):
    with pytest.raises(ValueError, match="'value' was not asked; there are: quality, loyalty"):
        open_survey(base).answers(["value"])


def test_a_base_without_a_survey_is_refused(hand_made_base):
    empty = hand_made_base({"customers": [("a", "Ann")]})
    with pytest.raises(ValueError, match="'Hand-made' has no table survey"):
        open_survey(empty)
