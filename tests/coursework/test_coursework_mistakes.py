"""What a wrong answer is said to look like."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keycustomer.coursework.mistakes import agrees, diagnose


@pytest.mark.parametrize(
    ("answer", "reference", "kind", "hint"),
    [
        (67.7, 0.677, "share", "it looks like per cent; a share lies between 0 and 1"),
        (-0.677, 0.677, "share", "the sign is turned"),
        (0.323, 0.677, "share", "it is the share of all the others; look at what was asked for"),
        (0.680, 0.677, "share", "very close: was something rounded too early, or a tie cut"),
        (7707, 7706, "count", "one off: think of the customer at the border, and of ties there"),
        (7.706, 7706, "count", "it looks like thousands; count single units"),
        (1234_0000, 1234.0, "amount", "it looks like the engine's 1/10,000"),
        (123400, 1234.0, "amount", "it looks like hundredths (cents)"),
        (13, 91, "days", "it looks like weeks; answer in days"),
        (0.2, 0.677, "share", "not right yet; check which customers and which column"),
        ("0.677", 0.677, "share", "answer with one number, not a str"),
        (True, 1, "count", "answer with one number, not a bool"),
        (float("nan"), 0.677, "share", "the answer is not a finite number"),
        (pd.Series([0.677]), 0.677, "share", "answer with one number, not a Series"),
        (3, "stays", "choice", "answer with a word, not a int"),
        ("falls", "stays", "choice", "not this one; read the question"),
        (["7", "8"], ["007", "008"], "customers", "the ids lost their leading zeros"),
        ([7], ["007"], "customers", "customer ids are text; 7 is a int"),
        ("007", ["007"], "customers", "answer with a list of customer ids, not a str"),
        (["a", "a"], ["a", "b"], "customers", "some customers are named more than once"),
        (["a", "b", "c"], ["a", "b"], "customers", "all that belong are there, and 1 too many"),
        (["a"], ["a", "b"], "customers", "all named belong, and 1 are missing"),
        (["a", "c"], ["a", "b"], "customers", "1 named do not belong and 1 are missing"),
    ],
)
def test_each_slip_is_named(answer, reference, kind, hint):
    assert diagnose(answer, reference, kind).startswith(hint)


def test_a_trap_is_named_before_anything_else():
    traps = {"these are all customers": 0.7, "this one is right by accident": 0.677}
    assert diagnose(0.7, 0.677, "share", traps) == "these are all customers"
    assert diagnose(0.677 + 4e-3, 0.677, "share", traps).startswith("very close")


@given(st.floats(0.001, 1), st.floats(-4e-4, 4e-4))
def test_a_share_is_right_to_three_digits(reference, error):
    assert agrees(reference + error, reference, "share")
    assert not agrees(reference + 2e-3, reference, "share")


@given(st.integers(1, 10**9))
def test_a_count_is_right_only_exactly(reference):
    assert agrees(np.int64(reference), reference, "count")
    assert not agrees(reference + 1, reference, "count")


@given(st.sets(st.text(min_size=1), min_size=1), st.randoms())
def test_the_order_of_customers_does_not_matter(ids, random):
    shuffled = list(ids)
    random.shuffle(shuffled)
    assert agrees(shuffled, list(ids), "customers")


@given(st.floats(0.002, 0.998), st.floats(0.0, 200.0))
def test_a_hint_never_tells_the_answer(reference, answer):
    if not agrees(answer, reference, "share"):
        assert f"{reference:.3f}" not in diagnose(answer, reference, "share")
