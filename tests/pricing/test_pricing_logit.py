"""Logits against another package, closed forms, known worths, and what they must refuse."""

import choice_sets
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keycustomer.pricing import (
    ChoiceData,
    compare_likelihoods,
    fit_logit,
    held_out_choices,
    independence_test,
    read_choices,
    willingness_to_pay,
)

SAME_OPTIMUM = 5e-4  # statsmodels stops at a slope of 1e-5
EXACT = 1e-9
NOMINAL = 0.95


@pytest.fixture(scope="module")
def known() -> ChoiceData:
    return choice_sets.known_choices(150, 6, seed=2)


def test_against_the_conditional_logit_of_statsmodels():
    from statsmodels.discrete.conditional_models import ConditionalLogit

    data = choice_sets.known_choices(40, 5, seed=2)
    ours = fit_logit(data, errors="classical")
    design = ours.coding.design(data.frame)
    task = np.repeat(np.arange(data.tasks), np.diff(data.starts, append=len(data.frame)))
    theirs = ConditionalLogit(data.frame["chosen"].astype(float), design, groups=task).fit(disp=0)
    assert ours.coefficients.to_numpy() == pytest.approx(theirs.params, abs=SAME_OPTIMUM)
    assert ours.standard_errors.to_numpy() == pytest.approx(theirs.bse, rel=1e-4)
    assert ours.log_likelihood == pytest.approx(theirs.llf, rel=1e-9)


def test_two_alternatives_with_constants_are_a_logistic_regression():
    """The constant is the log-odds of the shares: 30 of 100 take b."""
    rows = pd.DataFrame(
        {
            "respondent_id": np.repeat(np.arange(100), 2),
            "task": 1,
            "alternative": ["a", "b"] * 100,
            "price": np.tile([1.0, 2.0, 2.0, 1.0], 50),
        }
    )
    taken = np.tile(["a", "a", "b", "a", "a", "b", "a", "b", "a", "a"], 10)
    rows["chosen"] = rows["alternative"] == np.repeat(taken, 2)
    data = read_choices(rows)
    found = fit_logit(data, constants="alternatives", errors="classical")
    cheap_b = rows["respondent_id"] % 2 == 1
    share = [
        (taken == "b")[mask].mean() for mask in (~cheap_b.to_numpy()[::2], cheap_b.to_numpy()[::2])
    ]
    odds = np.log(share) - np.log1p(-np.array(share))
    # b costs one more to half of them and one less to the others
    assert found.coefficients["alternative: b"] == pytest.approx(odds.mean(), rel=EXACT)
    assert found.coefficients["price"] == pytest.approx((odds[0] - odds[1]) / 2, rel=EXACT)
    assert found.null_log_likelihood == pytest.approx(-100 * np.log(2))


def test_scores_and_information_by_differences(known):
    from keycustomer.pricing.choice.likelihood import tasks_of

    model = fit_logit(known)
    tasks = tasks_of(
        model.coding.design(known.frame), known.starts, known.frame["chosen"].to_numpy()
    )
    place = np.array([-5.0, -0.05, 0.3, 0.2])
    score, information = tasks.curvature(place)
    steps = 1e-5 * np.eye(4)
    slope = [
        (tasks.log_likelihood(place + h) - tasks.log_likelihood(place - h)) / 2e-5 for h in steps
    ]
    bend = [(tasks.curvature(place - h)[0] - tasks.curvature(place + h)[0]) / 2e-5 for h in steps]
    assert score == pytest.approx(np.array(slope), rel=1e-6)
    assert information == pytest.approx(np.array(bend), rel=1e-6)
    assert tasks.scores(place).sum(axis=0) == pytest.approx(score, rel=EXACT)


def test_recovers_known_coefficients_with_honest_intervals():
    truth = {
        "none of the offers": -choice_sets.SENSITIVITY * choice_sets.BASIC,
        "price": -choice_sets.SENSITIVITY,
        "service: person": choice_sets.SENSITIVITY * choice_sets.WORTH["service"],
        "energy: green": choice_sets.SENSITIVITY * choice_sets.WORTH["green"],
    }
    held = []
    for seed in range(30):
        frame = fit_logit(choice_sets.known_choices(50, 4, seed=seed)).frame
        true = frame["coefficient"].map(truth)
        held += list((frame["lower"] <= true) & (true <= frame["upper"]))
    # 120 intervals that hold the truth in 95 %: below 89.8 % would be 1 in 200
    assert np.mean(held) > NOMINAL - 2.6 * np.sqrt(NOMINAL * (1 - NOMINAL) / len(held))


def test_errors_of_respondents_who_differ_are_clustered():
    data = choice_sets.known_choices(100, 12, spread=25.0, seed=4)
    clustered, classical = (fit_logit(data, errors=kind) for kind in ("clustered", "classical"))
    ratio = clustered.standard_errors / classical.standard_errors
    assert ratio["service: person"] > 1.3
    assert clustered.margin > classical.margin  # Student's t with 99 degrees of freedom
    assert clustered.coefficients.equals(classical.coefficients)


def test_one_task_a_respondent_is_whites_sandwich(known):
    rows = known.frame.assign(
        respondent_id=known.frame["respondent_id"] + "-" + known.frame["task"].astype(str)
    )
    data = read_choices(rows.drop(columns="is_none"), levels=known.levels)
    model = fit_logit(data)
    scores = model.influence
    n = data.tasks
    assert model.respondents == n
    expected = n / (n - 1) * scores.T @ scores
    assert model.covariance.to_numpy() == pytest.approx(expected, rel=EXACT)


@settings(max_examples=8)
@given(scale=st.floats(0.01, 100), shift=st.floats(-50, 50), seed=st.integers(0, 3))
def test_units_and_order_do_not_matter(scale, shift, seed):
    rows = choice_sets.known_rows(25, 4, seed=seed)
    base = fit_logit(read_choices(rows, none=None, attributes=["energy"], levels=LEVELS))
    changed = rows.assign(price=rows["price"] * scale + shift).iloc[::-1]
    other = fit_logit(read_choices(changed, none=None, attributes=["energy"], levels=LEVELS))
    assert other.log_likelihood == pytest.approx(base.log_likelihood, rel=1e-9)
    assert other.coefficients["price"] * scale == pytest.approx(
        base.coefficients["price"], rel=1e-5, abs=1e-9
    )


LEVELS = {"energy": ["standard", "green", "none of these"]}


@pytest.mark.parametrize("size", [1e9, 1e-9])
def test_prices_of_any_size_give_the_same_answers(known, size):
    """Columns a thousand million times as large cost neither the walk nor the tests digits."""
    plain = fit_logit(known)
    larger = known.frame.assign(price=known.frame["price"] * size)
    other = fit_logit(read_choices(larger, levels=known.levels))
    assert other.log_likelihood == pytest.approx(plain.log_likelihood, rel=EXACT)
    units = np.where(plain.coefficients.index == "price", size, 1.0)
    for name in ("coefficients", "standard_errors"):
        first, second = (getattr(one, name).to_numpy() for one in (plain, other))
        assert second * units == pytest.approx(first, rel=1e-6)
    tests = [independence_test(one).frame["chi_square"] for one in (plain, other)]
    assert tests[1].to_numpy() == pytest.approx(tests[0].to_numpy(), rel=1e-5)
    ends = [willingness_to_pay(one, method="krinsky-robb").frame["upper"] for one in (plain, other)]
    assert ends[1].to_numpy() / size == pytest.approx(ends[0].to_numpy(), rel=1e-6)


def test_probabilities_sum_to_one_and_follow_the_price(known):
    model = fit_logit(known)
    shares = model.probabilities(known.frame)
    sums = shares.groupby([known.frame["respondent_id"], known.frame["task"]]).sum()
    assert sums.to_numpy() == pytest.approx(1.0)
    offers = pd.DataFrame({"price": [80.0, 80.0], "service": ["person", "hotline"]})
    offers = offers.assign(energy="standard")
    dearer = offers.assign(price=[90.0, 80.0])
    assert model.probabilities(dearer)[0] < model.probabilities(offers)[0]
    with_none = pd.concat([offers, offers.tail(1).assign(is_none=True)], ignore_index=True)
    with_none["is_none"] = with_none["is_none"].eq(True)
    expected = model.utilities(with_none)
    assert expected[2] == pytest.approx(model.coefficients["none of the offers"])
    with pytest.raises(ValueError, match="'purple'; the model knows 'standard', 'green'"):
        model.utilities(offers.assign(energy="purple"))
    with pytest.raises(ValueError, match="needs the column 'service'"):
        model.utilities(offers.drop(columns="service"))
    with pytest.raises(ValueError, match="no finite numbers, first at rows \\[1\\]"):
        model.utilities(offers.assign(price=[80.0, np.nan]))


def test_shares_of_the_sample_are_kept_with_constants():
    """With a constant for every alternative the predicted shares are the actual ones."""
    rows = choice_sets.known_rows(60, 4, seed=3)
    rows = rows[rows.groupby(["respondent_id", "task"])["chosen"].transform("size") == 4]
    data = read_choices(rows, none=None, attributes=[])
    model = fit_logit(data, constants="alternatives")
    predicted = model.probabilities(data.frame).groupby(data.frame["alternative"]).sum()
    actual = data.frame.groupby("alternative")["chosen"].sum()
    assert predicted.to_numpy() == pytest.approx(actual.to_numpy(), rel=1e-8)


# -- what is refused ------------------------------------------------------------------------------


def test_a_column_that_does_not_differ_within_tasks(known):
    offers = known.where(~known.frame["is_none"]).frame.drop(columns="is_none")
    income = offers["respondent_id"].str[1:].astype(float)
    data = read_choices(offers.assign(income=income), levels=known.levels)
    with pytest.raises(ValueError, match="income never differs between the alternatives"):
        fit_logit(data, attributes=["service", "income"])
    crossed = fit_logit(data, interactions=["service:income"])
    assert "service: person * income" in crossed.coefficients


def test_a_column_that_follows_from_others(known):
    rows = known.frame.assign(tax=0.2 * known.frame["price"]).drop(columns="is_none")
    data = read_choices(rows, levels=known.levels)
    with pytest.raises(ValueError, match="price and tax cannot be told apart"):
        fit_logit(data)


def test_constants_of_all_alternatives_beside_what_only_one_has(known):
    rows = known.frame.assign(is_none_too=known.frame["is_none"].astype(float)).drop(
        columns="is_none"
    )
    data = read_choices(
        rows, none=None, levels={k: [*v, "none of these"] for k, v in known.levels.items()}
    )
    with pytest.raises(ValueError, match="cannot be told apart"):
        fit_logit(data, constants="alternatives")


def test_choices_that_follow_a_column_without_exception(known):
    rows = known.frame.drop(columns="is_none")
    rows["gift"] = (rows["chosen"] & (rows["alternative"] != "none of these")).astype(float)
    with pytest.raises(ValueError, match=r"gift \(\+\).*without exception"):
        fit_logit(read_choices(rows, levels=known.levels))


def test_a_level_nobody_takes(known):
    rows = known.frame.drop(columns="is_none")
    rows["colour"] = np.where(rows["chosen"], "grey", np.where(rows.index % 7 == 0, "pink", "grey"))
    with pytest.raises(ValueError, match=r"colour: pink \(-\)"):
        fit_logit(read_choices(rows, levels={**known.levels, "colour": ["grey", "pink"]}))


def test_too_few_tasks_and_respondents():
    tiny = choice_sets.known_choices(2, 2, seed=1)
    with pytest.raises(ValueError, match="4 tasks cannot tell 4 coefficients"):
        fit_logit(tiny)
    one = choice_sets.known_choices(1, 60, seed=1)
    with pytest.raises(ValueError, match="at least two respondents"):
        fit_logit(one)
    assert fit_logit(one, errors="classical").respondents == 1
    few = fit_logit(choice_sets.known_choices(8, 20, seed=1))
    assert "8 respondents for 4 coefficients" in few.notes[0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"price": "cost"}, "no column 'cost'"),
        ({"price": "energy"}, "is one of levels"),
        ({"constants": "brands"}, "'none option', 'alternatives', or None"),
        ({"reference": "car"}, "reference='car' is no alternative"),
        ({"interactions": ["price"]}, "give two columns"),
        ({"interactions": ["price:age"]}, "an interaction names the column 'age'"),
        ({"by": "age"}, "comes in by read_choices\\(traits=...\\)"),
        ({"by": "price"}, "changes within respondents"),
        ({"errors": "robust"}, "give 'clustered' or 'classical'"),
        ({"level": 95}, "level"),
    ],
)
def test_arguments_that_cannot_be(known, arguments, message):
    with pytest.raises(ValueError, match=message):
        fit_logit(known, **arguments)


def test_other_things_than_choices(known):
    with pytest.raises(TypeError, match="make it with read_choices"):
        fit_logit(known.frame)
    with pytest.raises(TypeError, match="one text; give \\['price:energy'\\]"):
        fit_logit(known, interactions="price:energy")


# -- groups, held-out choices, independence -------------------------------------------------------


@pytest.fixture(scope="module")
def two_groups(known) -> ChoiceData:
    half = pd.Series(
        {who: "even" if int(who[1:]) % 2 == 0 else "odd" for who in known.frame["respondent_id"]},
        name="half",
    ).drop(["R0", "R1"])
    return read_choices(known.frame.drop(columns="is_none"), levels=known.levels, traits=half)


def test_groups_are_fitted_each_for_itself(two_groups):
    model = fit_logit(two_groups, by="half")
    assert list(model.groups) == ["even", "odd"]
    assert model.notes == ("2 respondents without half count in no group",)
    alone = fit_logit(two_groups.where(two_groups.frame["half"] == "odd"))
    assert model.groups["odd"].coefficients.to_numpy() == pytest.approx(alone.coefficients)
    assert set(model.frame["group"]) == {"all", "even", "odd"}
    assert "odd" in model._repr_html_()


def test_groups_against_all_together(two_groups):
    known_only = two_groups.where(two_groups.frame["half"].notna())
    model = fit_logit(known_only, by="half")
    test = compare_likelihoods(fit_logit(known_only), model)
    assert test.parameters == 4 and test.gain >= 0
    assert test.p_value > 0.001  # the halves differ by chance only
    assert "4 parameters more" in test._repr_html_()
    with pytest.raises(ValueError, match="some respondents have no half"):
        compare_likelihoods(fit_logit(two_groups), fit_logit(two_groups, by="half"))
    with pytest.raises(ValueError, match="different tasks"):
        compare_likelihoods(fit_logit(two_groups), model)
    with pytest.raises(ValueError, match="give the smaller one first"):
        compare_likelihoods(model, fit_logit(known_only))


def test_interactions_with_a_group_are_the_groups(two_groups):
    """With every column crossed, one fit holds those of both groups."""
    known_only = two_groups.where(two_groups.frame["half"].notna())
    crossed = fit_logit(
        known_only,
        interactions=[f"{name}:half" for name in ("is_none", "price", "service", "energy")],
    )
    apart = fit_logit(known_only, by="half")
    total = sum(one.log_likelihood for one in apart.groups.values())
    assert crossed.log_likelihood == pytest.approx(total, rel=EXACT)


@pytest.mark.parametrize("unit", ["respondents", "tasks"])
def test_choices_left_out(known, unit):
    model = fit_logit(known)
    found = held_out_choices(model, folds=4, unit=unit, seed=1)
    assert found.frame["tasks"].sum() == known.tasks
    assert 0 < found.mcfadden < model.mcfadden + 0.02
    assert found.hit_rate > found.guess_rate + 0.1
    assert found.shares[["actual", "predicted"]].sum().to_numpy() == pytest.approx(1.0)
    assert held_out_choices(model, folds=4, unit=unit, seed=1).frame.equals(found.frame)
    assert "not seen" in found._repr_html_()


def test_left_out_in_parts_that_cannot_be(known):
    model = fit_logit(known)
    with pytest.raises(ValueError, match="give 2 to 150, the number of respondents"):
        held_out_choices(model, folds=1)
    with pytest.raises(ValueError, match="'respondents' or 'tasks'"):
        held_out_choices(model, unit="rows")


def test_independence_holds_where_it_is_true():
    p_values = [
        independence_test(fit_logit(choice_sets.known_choices(80, 5, seed=seed)), "package 1")
        .frame["p_value"]
        .iloc[0]
        for seed in range(30)
    ]
    # of 30 tests at 5 % more than 5 are significant once in 300
    assert np.sum(np.array(p_values) < 0.05) <= 5


def test_independence_fails_where_some_always_take_none():
    """Half of the respondents hardly ever buy: without none the others look far less careful."""
    rows = choice_sets.known_rows(300, 6, spread=60.0, seed=5)
    data = read_choices(rows, levels={"service": ["hotline", "person"]})
    found = independence_test(fit_logit(data))
    assert found.frame["p_adjusted"].min() < 1e-4
    assert "use a mixed logit" in found.sentence and "Without" in found._repr_html_()


def test_independence_without_what_is_not_there(known):
    model = fit_logit(known)
    with pytest.raises(ValueError, match="without='car' is no alternative"):
        independence_test(model, "car")
    with pytest.raises(ValueError, match="it is the reference of the constants"):
        independence_test(fit_logit(known, constants="alternatives"), "package 1")
