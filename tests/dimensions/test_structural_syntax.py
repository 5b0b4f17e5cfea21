"""The notation of structural models: what it reads, and how each slip is told."""

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keycustomer.dimensions import ModelError
from keycustomer.dimensions.structural.formulas import read_formulas
from keycustomer.dimensions.structural.models import write_model
from keycustomer.dimensions.structural.specification import FIXED, specify
from keycustomer.dimensions.structural.syntax import read_model_text

ITEMS = [f"x{n}" for n in range(1, 10)]
FACTORS = "F =~ x1 + x2 + x3\nG =~ x4 + x5 + x6\nH =~ x7 + x8 + x9\n"


def cells(text: str, **options):
    """Cells by their names."""
    return {cell.name: cell for cell in specify(text, ITEMS, **options).cells}


def complaint(text: str) -> str:
    with pytest.raises(ModelError) as told:
        specify(text, ITEMS)
    return str(told.value)


def test_statements_comments_and_lines():
    text = """
        F =~ x1 + x2 +   # goes on
             x3
             + x4        ! and on
        G =~ x5 + x6; F ~~ 0*G
        # nothing here
        x1 + x2 ~ a*x7
    """
    terms = [(t.left, t.operator, t.right) for t in read_model_text(text).terms]
    assert terms == [
        *[("F", "=~", f"x{n}") for n in (1, 2, 3, 4)],
        *[("G", "=~", f"x{n}") for n in (5, 6)],
        ("F", "~~", "G"),
        ("x1", "~", "x7"),
        ("x2", "~", "x7"),
    ]


def test_labels_numbers_and_freed_coefficients():
    found = cells("F =~ NA*x1 + 0.5*x2 + -1e-1*x3 + a*x4 + a*x5\nF ~~ 1*F")
    assert found["F=~x1"].free != FIXED
    assert (found["F=~x2"].value, found["F=~x3"].value) == (0.5, -0.1)
    assert found["F=~x4"].free == found["F=~x5"].free != FIXED
    assert found["F~~F"].free == FIXED


def test_the_conventions_of_lavaan():
    found = cells(FACTORS + "H ~ F + G\n")
    assert found["F=~x1"].value == 1
    assert found["F=~x1"].free == FIXED
    assert "F~~G" in found  # nothing acts on them
    assert "F~~H" not in found
    assert len([c for c in found.values() if c.operator == "~~"]) == 9 + 3 + 1
    assert cells(FACTORS, scale="variance")["F~~F"].value == 1
    assert cells("F =~ x1\nG =~ x2 + x3 + x4")["x1~~x1"].value == 0
    both = cells(FACTORS + "G ~ F\nH ~ F\n")
    assert "G~~H" in both  # remainders of what acts on nothing


def test_a_label_with_a_fixed_coefficient_is_fixed_everywhere():
    found = cells("F =~ a*x1 + a*x2 + x3")
    assert (found["F=~x2"].free, found["F=~x2"].value) == (FIXED, 1.0)


def test_names_between_backticks_and_in_other_scripts():
    columns = ["my item", "价值一", "价值二", "1"]
    text = write_model({"价值": columns})
    assert text == "价值 =~ `my item` + 价值一 + 价值二 + `1`"
    assert specify(text, columns).items == tuple(columns)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "holds no statement"),
        ("# only a comment", "holds no statement"),
        ("F =- x1 + x2", "'=-' is no sign"),
        ("F ~= x1", "the other way round"),
        ("F = x1", "=~ (is measured by)"),
        ("F -> x1", "write the arrow's end first"),
        ("F <~ x1", "fit_pls, mode B"),
        ("F : x1", "write := for"),
        ("F x1", "a sign is missing"),
        ("F =~ x1 ~ x2", "a second sign"),
        ("F =~", "nothing stands after =~"),
        ("=~ x1", "nothing stands before =~"),
        ("F =~ x1 x2", "a + is missing before 'x2'"),
        ("F =~ x1 ++ x2", "a name is missing beside this +"),
        ("F =~ x1 +", "a name is missing beside this +"),
        ("F =~ + x1", "a name is missing beside this +"),
        ("x1 ~ 1", "intercepts and means are not part"),
        ("F =~ a*b*x1", "only one label or number"),
        ("F =~ a*", "one name must stand after the *"),
        ("F =~ *x1", "label or number must stand before the *"),
        ("F =~ a.b*x1", "a label consists of letters"),
        ("F =~ start(1)*x1", "functions before the *"),
        ("F =~ c(a, b)*x1", "functions before the *"),
        ("2*F =~ x1", "before the sign is not understood"),
        ("F =~ x1 + 5", "intercepts"),
        ("F =~ x1 @ x2", "'@' is not understood"),
        ("a == b", "give both the same label"),
        ("a > 0", "bounds are not part"),
        ("a b := 2", "one plain name"),
    ],
)
def test_each_slip_is_told(text, told):
    assert told in complaint(text)


def test_the_caret_stands_below_the_place():
    first, second, third = complaint("F =~ x1 + x2 + x3\n  G =~ x4 x5").split("\n")
    assert first.startswith("model text, line 2: ")
    assert second.index("x5") == third.index("^")


def test_all_mistakes_are_told_at_once():
    with pytest.raises(ModelError) as told:
        specify("F =- x1\nG =~ x2 x3\nH := ", ITEMS)
    assert len(told.value.complaints) == 3


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("F =~ x1 + x22", "'x22' is neither a column of the answers nor measured by 'x22 =~ ...'"),
        ("F =~ X1 + x2", "did you mean 'x1'?"),
        (FACTORS + "Faktor ~ F", "'Faktor' is neither"),
        ("x1 =~ x2 + x3", "'x1' is measured here and is a column of the answers too"),
        (FACTORS + "F ~ G + G", "F ~ G stands here a second time"),
        (FACTORS + "F ~~ G\nG ~~ F", "stands here a second time"),
        (FACTORS + "F ~ F", "'F' cannot depend on itself"),
        (FACTORS + "F ~ G\nG ~ H\nH ~ F", "the arrows run in a circle"),
        (FACTORS + "F ~ x1", "the arrows run in a circle, F -> x1 -> F"),
        (FACTORS + "H ~ a*F\nab := a*bb", "no coefficient has the label 'bb'; labels are 'a'"),
        (FACTORS + "H ~ aa*F\nab := a", "did you mean 'aa'?"),
        (FACTORS + "H ~ a*F\na := 2*a", "'a' is given twice"),
        (FACTORS + "H ~ a*F\nq := a*(a", "this is not a formula"),
        (FACTORS + "H ~ a*F\nq := a <- 2", "no sign of this notation"),
        (FACTORS + "H ~ a*F\nq := __import__('os').system('true')", "may not stand in a formula"),
        (FACTORS + "H ~ a*F\nq := a.real", "may not stand in a formula"),
        (FACTORS + "H ~ a*F\nq := [a][0]", "may not stand in a formula"),
        (FACTORS + "H ~ a*F\nq := open(a)", "may not stand in a formula"),
        (FACTORS + "H ~ a*F\nq := 'text'", "may not stand in a formula"),
        (FACTORS + "H ~ a*F\nq := True", "may not stand in a formula"),
    ],
)
def test_names_circles_and_formulas_are_checked(text, told):
    assert told in complaint(text)


def test_formulas_are_computed():
    model = read_model_text("x1 ~ a*x2 + b*x3\nab := a*b\nr := -ab/(a + b)^2 + sqrt(exp(log(a)))")
    formulas = read_formulas(model, ["a", "b"])
    a, b = np.array([4.0, 1.0]), np.array([2.0, 3.0])
    found = formulas.evaluate({"a": a, "b": b})
    assert np.allclose(found, np.column_stack([a * b, -a * b / (a + b) ** 2 + np.sqrt(a)]))


def test_a_complaint_survives_pickling():
    with pytest.raises(ModelError) as told:
        specify("F = x1", ITEMS)
    again = pickle.loads(pickle.dumps(told.value))  # noqa: S301
    assert (str(again), again.complaints) == (str(told.value), told.value.complaints)


def test_models_are_texts():
    with pytest.raises(TypeError, match=r"the model must be a text, got dict.*model_text"):
        read_model_text({"F": ["x1"]})


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="FGx123 =~:*+-#;\n`().,^<>|@a价", max_size=40))
def test_any_text_is_read_or_refused_with_a_message(text):
    try:
        specify(text, ITEMS)
    except ModelError as told:
        assert all(len(complaint) > 10 for complaint in told.complaints)
