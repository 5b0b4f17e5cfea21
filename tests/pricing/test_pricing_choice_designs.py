"""Choice designs: balance, overlap, D-errors against closed forms, power against simulation."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keycustomer.pricing import (
    ChoiceDesign,
    choice_design,
    fit_logit,
    read_choices,
    simulate_answers,
    study_power,
    willingness_to_pay,
)
from keycustomer.pricing.choice.design_search import d_error, orthogonal_d_error
from keycustomer.simulate.choice_tasks import CHOICE_LEVELS, NONE, PRICES

EXACT = 1e-9  # closed forms in floating point
TELECOM = {"price": PRICES, **CHOICE_LEVELS}
BETTER = {"price": "less", "service_level": "more", "contact_person": "more"}
WORTHS = {
    "service_level": {"accountable": 9.0, "partnership": 16.0},
    "contact_person": {"named person": 7.0},
    "energy": {"green": 4.0},
}


@pytest.fixture(scope="module")
def design() -> ChoiceDesign:
    return choice_design(TELECOM, blocks=4, directions=BETTER)


def shown(design: ChoiceDesign) -> pd.DataFrame:
    """Packages of a design without the option to take none."""
    return design.frame[~design.frame["is_none"]]


def test_levels_are_balanced_and_seldom_meet(design):
    overlap = design.overlap
    assert (overlap["least"] == overlap["most"]).all()
    assert (overlap["repeats"] == overlap["fewest_repeats"]).all()
    for name in TELECOM:
        counts = shown(design)[name].value_counts()
        assert counts.nunique() == 1 and len(counts) == len(TELECOM[name])


def test_blocks_are_of_one_size_and_about_balanced(design):
    assert shown(design).groupby(["block", "task"]).size().unique().tolist() == [3]
    by_block = shown(design).groupby("block")["energy"].value_counts().unstack()
    assert (by_block.max(axis=0) - by_block.min(axis=0)).max() <= 2


def test_d_error_by_hand(design):
    """The D-error is that of the information at equal utilities, computed here by pandas."""
    rows = shown(design)
    dummies = pd.get_dummies(rows[list(CHOICE_LEVELS)], dtype=float)
    first = [f"{name}_{levels[0]}" for name, levels in CHOICE_LEVELS.items()]
    columns = dummies.drop(columns=first).assign(price=rows["price"].astype(float))
    apart = columns - columns.groupby([rows["block"], rows["task"]]).transform("mean")
    information = (apart.T @ apart).to_numpy() / 3 / design.blocks
    found = np.linalg.det(information) ** (-1 / len(columns.columns))
    assert design.d_error == pytest.approx(found, rel=EXACT)
    assert design.orthogonal_d_error <= design.d_error * (1 + EXACT)
    assert design.efficiency > 0.95 and design.random_d_error > 1.2 * design.d_error
    assert "D-efficiency" in design.sentence and "Balance" in design._repr_html_()


def test_small_design_reaches_the_bound():
    """Four tasks of two packages and three attributes of two levels: the half fraction folded."""
    small = choice_design(
        {"price": [1, 2], "a": ["x", "y"], "b": ["x", "y"]},
        tasks=4,
        alternatives=2,
        none=False,
        directions={},
    )
    # each task gives 1/4 per coefficient where levels differ: information = identity
    assert small.d_error == pytest.approx(1.0, rel=EXACT)
    assert small.efficiency == pytest.approx(1.0, rel=EXACT)


def test_bound_holds_for_every_small_design():
    """No balanced choice of three tasks of two of the packages beats the bound."""
    from keycustomer.pricing.choice.design_rules import rules_of

    rules = rules_of({"price": (1.0, 2.0, 3.0), "a": ("x", "y")}, 2, {}, ())
    profiles = list(itertools.product(range(3), range(2)))
    pairs = list(itertools.combinations(profiles, 2))
    errors = []
    for three in itertools.combinations(pairs, 3):
        codes = np.array(three)
        if (np.bincount(codes[..., 0].ravel(), minlength=3) == 2).all() and (
            codes[..., 1].sum() == 3
        ):
            errors.append(d_error(rules.information(codes).sum(axis=0)))
    assert min(errors) >= orthogonal_d_error(rules, 3) * (1 - EXACT)


def test_no_package_is_dominated_or_shown_twice(design):
    order = {
        name: {level: n for n, level in enumerate(CHOICE_LEVELS[name])}
        for name in BETTER
        if name != "price"
    }
    for _, task in shown(design).groupby(["block", "task"]):
        for one, other in itertools.permutations(task.to_dict("records"), 2):
            alike = all(one[name] == other[name] for name in ("energy", "contract"))
            as_good = all(order[k][one[k]] >= order[k][other[k]] for k in order)
            assert not (alike and as_good and one["price"] <= other["price"])


def test_prohibited_combinations_do_not_occur():
    no = [{"energy": "green", "contract": "monthly"}]
    found = choice_design(TELECOM, tasks=9, blocks=2, prohibited=no)
    rows = shown(found)
    assert not ((rows["energy"] == "green") & (rows["contract"] == "monthly")).any()
    assert found.efficiency < 1 and "prohibited" in found.notes[-1]


def test_same_seed_same_design_and_another_one_differs():
    few = {"tasks": 6, "swaps": 200}
    one, two, three = (choice_design(TELECOM, **few, seed=s) for s in (3, 3, 4))
    pd.testing.assert_frame_equal(one.frame, two.frame)
    assert not one.frame.equals(three.frame)


@settings(max_examples=5, deadline=None)
@given(st.integers(2, 5), st.integers(2, 4), st.integers(2, 4), st.integers(0, 99))
def test_any_size_is_balanced_to_one(levels, alternatives, blocks, seed):
    own = {"price": list(range(1, levels + 1)), "size": [1.0, 2.0], "kind": list("abc")}
    found = choice_design(
        own, tasks=5, alternatives=alternatives, blocks=blocks, directions={}, swaps=100, seed=seed
    )
    assert (found.overlap["most"] - found.overlap["least"]).max() <= 1
    assert (found.overlap["repeats"] <= found.overlap["fewest_repeats"]).all()
    assert found.efficiency <= 1 + 0.02  # the bound is for exact balance; off by one can pass it


def test_tasks_go_out_in_turn(design):
    rows = design.tasks_for(10, seed=1)
    assert rows.groupby("respondent_id")["block"].nunique().max() == 1
    given_out = rows.drop_duplicates("respondent_id")["block"].value_counts()
    assert given_out.max() - given_out.min() <= 1
    assert rows.groupby(["respondent_id", "task"]).size().unique().tolist() == [4]
    assert (rows.groupby(["respondent_id", "task"])["alternative"].last() == NONE).all()
    with pytest.raises(ValueError, match="names somebody twice"):
        design.tasks_for(["A", "A"])


def test_answers_are_read_as_choices(design):
    answers = simulate_answers(design, WORTHS, respondents=60, sensitivity=0.1, seed=2)
    data = read_choices(answers, levels=design.levels)
    assert data.tasks == 480 and data.has_none
    assert set(data.attributes) == set(CHOICE_LEVELS)


def test_expected_errors_are_those_of_fits(design):
    """Standard errors of a large simulated study, scaled, are the expected ones."""
    power = study_power(design, WORTHS, sensitivity=0.085, respondents=[800])
    answers = simulate_answers(design, WORTHS, respondents=800, sensitivity=0.085, seed=5)
    model = fit_logit(read_choices(answers, levels=design.levels), errors="classical")
    frame = willingness_to_pay(model).frame
    both = power.frame.merge(frame, on=["attribute", "level"])
    # errors of estimated errors, 6,400 tasks: below 6 %
    assert both["standard_error_y"].to_numpy() == pytest.approx(
        both["standard_error_x"].to_numpy(), rel=0.06
    )
    gap = (both["willingness_to_pay"] - both["worth"]) / both["standard_error_x"]
    assert gap.abs().max() < 3.2  # six estimates


def test_power_grows_with_respondents_and_is_met_in_simulations(design):
    found = study_power(
        design, {"energy": {"green": 4.0}}, sensitivity=0.085, respondents=[60, 240], runs=6
    )
    green = found.frame[found.frame["level"] == "green"].set_index("respondents")
    assert green["standard_error"][60] == pytest.approx(2 * green["standard_error"][240])
    assert green["power"][60] < 0.8 < green["power"][240]
    # six runs: a root mean square is within a factor of two and a half
    ratio = green["simulated_error"] / green["standard_error"]
    assert ratio.between(0.4, 2.5).all()
    assert found.enough == 240 and "240 respondents tell every worth" in found.sentence
    assert "Power" in found._repr_html_()
    nothing = study_power(design, WORTHS, sensitivity=0.01, respondents=[20])
    assert nothing.enough is None and "too few" in nothing.sentence


def test_numbers_are_worth_so_much_each():
    own = {"price": [10, 20, 30], "years": [1, 2, 4], "kind": ["a", "b"]}
    design = choice_design(own, tasks=9, alternatives=2, blocks=2, none=False, directions={})
    answers = simulate_answers(design, {"years": -3.0}, respondents=400, sensitivity=0.2, seed=1)
    found = willingness_to_pay(fit_logit(read_choices(answers, levels=design.levels)))
    years = found.of("years")
    assert years.lower < -3.0 < years.upper
    assert study_power(design, {"years": -3.0}, sensitivity=0.2).enough == 50


def test_questionnaire_escapes_what_it_shows():
    design = choice_design({"price": [1, 2], "<b>": ["x & y", "<script>"]}, tasks=4, directions={})
    page = design.questionnaire
    assert "<script>" not in page and "x &amp; y" in page
    assert page.count("class='task'") == 4 and page.count("\N{BALLOT BOX}") == 16


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"attributes": {"energy": ["a", "b"]}}, "no 'price'; add its levels"),
        ({"attributes": {"price": [1, 2], "a": ["x"]}}, "at least two different levels"),
        ({"attributes": {"price": [1, 2], "a": ["x", 2]}}, "mixes numbers and words"),
        ({"attributes": {"price": ["low", "high"], "a": ["x", "y"]}}, "must be numbers"),
        ({"attributes": {"price": [1, 2], "task": ["x", "y"]}}, "name of a column"),
        ({"attributes": {"price": [1, 2], "a": "xy"}}, "give a list of levels"),
        ({"attributes": {"price": [60, 60.0], "a": ["x", "y"]}}, "two different levels"),
        ({"attributes": {"price": [1, 2], "a": ["x", None]}}, "has an empty level"),
        ({"attributes": {"price": [1, 2], "a": ["x", "none of these"]}}, "meaning of its own"),
        ({"attributes": {"price": [1, 2], "1": ["x", "y"], 1: ["v", "w"]}}, "a name twice"),
        ({"attributes": {"price": [1, 2], "a": {"x", "y"}}}, "give a list of levels"),
        ({"attributes": {"price": [1, 2], "a": b"xy"}}, "give a list of levels"),
        ({"directions": {"colour": "more"}}, "attributes are price, service_level"),
        ({"directions": {"price": "up"}}, "directions are 'more' and 'less'"),
        ({"prohibited": [{"energy": "green"}]}, "at least two attributes"),
        ({"prohibited": [{"energy": "red", "contract": "monthly"}]}, "levels are"),
        ({"tasks": 2, "alternatives": 2}, "cannot tell 7 coefficients apart: at least 7 tasks"),
        ({"blocks": 0}, "blocks=0"),
        ({"tasks": 8.0}, "tasks=8.0"),
    ],
)
def test_designs_that_cannot_be(arguments, message):
    given_ones = {"attributes": TELECOM, **arguments}
    with pytest.raises(ValueError, match=message):
        choice_design(given_ones.pop("attributes"), **given_ones)


def test_prohibitions_that_leave_nothing():
    no = [{"energy": "green", "contract": level} for level in CHOICE_LEVELS["contract"]]
    with pytest.raises(ValueError, match="leaves no package with energy 'green'"):
        choice_design(TELECOM, prohibited=no)
    with pytest.raises(ValueError, match="no design without prohibited, dominated"):
        choice_design(
            {"price": [1, 2], "a": ["x", "y"]},
            tasks=4,
            alternatives=3,
            directions={"price": "less", "a": "more"},
        )
    with pytest.raises(TypeError, match="give name -> levels"):
        choice_design(["price"])


@pytest.mark.parametrize(
    ("worths", "arguments", "message"),
    [
        ({"colour": {"red": 1.0}}, {}, "attributes are service_level"),
        ({"energy": {"standard": 1.0}}, {}, "give level -> worth of green"),
        ({"energy": {"green": 1.0}}, {"sensitivity": 0.0}, "sensitivity=0.0"),
        ({"energy": {"green": 1.0}}, {"respondents": [1]}, "at least 2"),
        ({"energy": {"green": 1.0}}, {"runs": -1}, "runs=-1"),
        ({"energy": {"green": float("nan")}}, {}, "'energy': 'green'=nan: give a finite"),
        ({"energy": {"green": "much"}}, {}, "'green'='much': give a finite number"),
        ({"energy": 5.0}, {}, "give level -> worth of green"),
        ({"energy": {"green": 1.0}}, {"basic": float("inf")}, "basic=inf"),
        ({"energy": {"green": 1.0}}, {"sensitivity": "x"}, "sensitivity='x'"),
        ({"energy": {"green": 1e6}}, {}, "answers are all but certain"),
    ],
)
def test_powers_that_cannot_be(design, worths, arguments, message):
    with pytest.raises(ValueError, match=message):
        study_power(design, worths, **{"sensitivity": 0.1, **arguments})


def test_questionnaire_prints_all_the_digits_of_a_price():
    dear = choice_design({"price": [1234567.0, 1e-9], "a": ["x", "y"]}, tasks=4, alternatives=2)
    assert "<td>1,234,567</td>" in dear.questionnaire and "e+06" not in dear.questionnaire


def test_ids_and_directions_that_cannot_be(design):
    with pytest.raises(ValueError, match="respondents holds 1 empty id"):
        design.tasks_for(["a", None])
    for wrong in (2.5, None, "abc"):
        with pytest.raises(TypeError, match="give a number or a list of ids"):
            design.tasks_for(wrong)
    with pytest.raises(TypeError, match="directions="):
        choice_design(TELECOM, directions=["price"])
    with pytest.raises((TypeError, ValueError), match="respondents='a'"):
        simulate_answers(design, {}, respondents=["a"], sensitivity=0.1)
    with pytest.raises(TypeError, match="worths is a list"):
        study_power(design, [], sensitivity=0.1)
