"""Complaints are told all at once, with the names that were perhaps meant."""

import pytest
from keycustomer.dimensions.complaints import did_you_mean, listed, refuse


def test_nothing_wrong_refuses_nothing():
    refuse([])
    refuse(iter(()), "cannot be read")


@pytest.mark.parametrize(
    ("complaints", "heading", "message"),
    [
        (["one"], "", "one"),
        (["one", "two"], "", "\n- one\n- two"),
        (["one"], "no model", "no model:\n  one"),
        (["one", "two"], "no model", "no model:\n  one\n  two"),
    ],
)
def test_every_complaint_is_told(complaints, heading, message):
    with pytest.raises(ValueError) as told:
        refuse(complaints, heading)
    assert str(told.value) == message


def test_names_are_listed_up_to_a_number():
    assert listed([]) == ""
    assert listed([1, "b"], most=2) == "'1', 'b'"
    assert listed(range(14)).endswith("'11', ... (2 more)")


def test_the_nearest_known_names_are_asked_for_in_any_case_of_letters():
    known = ["Trust_1", "trust_2", "price"]
    assert did_you_mean("TRUST_1", known, 1) == "; did you mean 'Trust_1'?"
    assert did_you_mean("trust", known) == "; did you mean 'trust_2' or 'Trust_1'?"
    assert did_you_mean("loyalty", known) == ""
    assert did_you_mean(7, [7.5]) == ""
