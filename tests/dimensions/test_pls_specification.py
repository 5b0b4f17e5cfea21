"""A path model is read from text or mappings, and everything wrong with it is said."""

import pytest
from keycustomer.dimensions.pls.specification import read_path_model

ITEMS = {"A": ["a1", "a2"], "B": ["b1"], "C": ["c1", "c2"], "D": ["d1"]}


def named(model):
    return {(model.constructs[j], model.constructs[i]) for j, i in model.arrows}


@pytest.mark.parametrize(
    "text",
    [
        "A -> B; A + B -> C",
        "A -> B -> C\nA -> C",
        "# two ways\n A->B;A ,B->C  # said",
        "A -> B + C; B -> C",
    ],
)
def test_text_and_mapping_say_the_same(text) -> None:
    by_mapping = read_path_model({"C": ["A", "B"], "B": "A"}, ITEMS)
    assert named(read_path_model(text, ITEMS)) == named(by_mapping)
    assert by_mapping.left_out == ("D",)


def test_causes_stand_before_effects() -> None:
    model = read_path_model("D -> C -> B -> A; D -> A", ITEMS)
    assert all(cause < effect for cause, effect in model.arrows)
    assert model.items_of(model.position("C")) == ("c1", "c2")
    assert model.membership.sum() == 6
    assert (model.neighbours == model.neighbours.T).all()


def test_routes_lead_over_other_constructs() -> None:
    model = read_path_model("A -> B -> C -> D; A -> D", ITEMS)
    names = {tuple(model.constructs[at] for at in way) for way in model.routes}
    assert names == {("A", "B", "C"), ("B", "C", "D"), ("A", "B", "C", "D")}


def test_an_item_may_measure_several_constructs() -> None:
    model = read_path_model("A -> All", {"A": ["x", "y"], "All": ["x", "y", "z"]})
    assert model.items == ("x", "y", "z")
    assert model.blocks == ((0, 1), (0, 1, 2))


@pytest.mark.parametrize(
    ("paths", "modes", "told"),
    [
        ("", "A", "there is no path"),
        ("A B", "A", r"line 1: 'A B' is no path; write 'Value -> Satisfaction'"),
        ("A -> B\nB -> ", "A", "line 2: 'B ->' is no path"),
        ("A -> E", "A", r"'E', which is none of the constructs 'A', 'B', 'C', 'D'"),
        ("A -> B -> C -> A", "A", "run in a circle: "),
        ("A -> A", "A", "circle: A -> A"),
        ("A -> B; A -> B", "A", "the path A -> B is given 2 times"),
        ("A -> B", "C", "modes='C': choose 'A' or 'B'"),
        ("A -> B", {"A": "X", "Z": "B"}, "modes name 'Z'(.|\n)*"),
        ("A -> B", {"A": "X"}, "mode of 'A' is 'X'"),
    ],
)
def test_what_is_wrong_is_said(paths, modes, told) -> None:
    with pytest.raises(ValueError, match=told):
        read_path_model(paths, ITEMS, modes)


def test_a_slip_of_the_pen_is_recognised() -> None:
    with pytest.raises(ValueError, match="did you mean 'Loyalty'"):
        read_path_model("Value -> loyality", {"Value": ["v"], "Loyalty": ["l"]})


def test_everything_is_said_at_once() -> None:
    with pytest.raises(ValueError, match=r"'X'(.|\n)*'B' has no items(.|\n)*names 'a' more than"):
        read_path_model("A -> X", {"A": ["a", "a"], "B": []})


def test_paths_are_text_or_a_mapping() -> None:
    with pytest.raises(TypeError, match="mapping from a construct to its predecessors, got list"):
        read_path_model(["A -> B"], ITEMS)
