"""PLS path models: closed forms, properties, recovery of known paths, hostile answers."""

from itertools import chain

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keycustomer import dimensions
from keycustomer.dimensions.measurement.moments import ItemMoments, correlations_of
from keycustomer.dimensions.pls.algorithm import (
    FINE_TOLERANCE,
    SCHEMES,
    solve_each,
    solve_paths,
    total_effects,
)
from keycustomer.dimensions.pls.specification import read_path_model

PATHS = "Value -> Satisfaction -> Loyalty; Value -> Loyalty"
CONSTRUCTS = {
    "Value": ["v1", "v2", "v3"],
    "Satisfaction": ["s1", "s2", "s3"],
    "Loyalty": ["l1", "l2", "l3"],
}
TRUE = {("Value", "Satisfaction"): 0.6, ("Satisfaction", "Loyalty"): 0.5, ("Value", "Loyalty"): 0.2}

ROUNDING = 1e-12
"""Figures that differ by the order of sums alone."""

SETTLED = 1e-9
"""Iterations end when weights change by less than 1e-11 in sum."""


def scores(n, seed):
    """True scores of the three constructs, variance one."""
    value, own, rest = np.random.default_rng(seed).normal(size=(3, n))
    satisfaction = 0.6 * value + 0.8 * own
    left = 1 - (0.5**2 + 0.2**2 + 2 * 0.5 * 0.2 * 0.6)
    return value, satisfaction, 0.5 * satisfaction + 0.2 * value + np.sqrt(left) * rest


def survey(n=300, seed=1, noise=0.7):
    rng = np.random.default_rng(seed + 1000)
    columns = {
        item: own + noise * rng.normal(size=n)
        for own, items in zip(scores(n, seed), CONSTRUCTS.values(), strict=True)
        for item in items
    }
    return pd.DataFrame(columns)


def paths_of(fit):
    return {(row["from"], row["to"]): row["estimate"] for row in fit.paths().to_dict("records")}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_single_items_give_standardised_regressions(scheme) -> None:
    answers = survey()
    single = {"V": ["v1"], "S": ["s1"], "L": ["l1"]}
    fit = dimensions.fit_pls("V -> S; V + S -> L", single, answers, scheme=scheme)
    z = (answers - answers.mean()) / answers.std()
    beta, *_ = np.linalg.lstsq(z[["v1", "s1"]].to_numpy(), z["l1"].to_numpy())
    found = paths_of(fit)
    assert found["V", "S"] == pytest.approx(answers["v1"].corr(answers["s1"]), abs=ROUNDING)
    assert [found["V", "L"], found["S", "L"]] == pytest.approx(beta, abs=ROUNDING)
    assert fit.scores["L"].to_numpy() == pytest.approx(z["l1"].to_numpy(), abs=ROUNDING)


def test_two_blocks_in_mode_b_are_the_first_canonical_correlation() -> None:
    answers = survey()
    two = {name: CONSTRUCTS[name] for name in ("Value", "Satisfaction")}
    fit = dimensions.fit_pls("Value -> Satisfaction", two, answers, modes="B")
    r = np.corrcoef(answers[two["Value"] + two["Satisfaction"]].T)
    xx, yy, xy = r[:3, :3], r[3:, 3:], r[:3, 3:]
    squares = np.linalg.eigvals(np.linalg.solve(xx, xy) @ np.linalg.solve(yy, xy.T))
    assert paths_of(fit)["Value", "Satisfaction"] == pytest.approx(
        np.sqrt(squares.real.max()), abs=SETTLED
    )


def test_two_blocks_in_mode_a_are_the_first_singular_vectors() -> None:
    """Interbattery analysis (Tucker 1958): weights are singular vectors of the correlations."""
    answers = survey()
    two = {name: CONSTRUCTS[name] for name in ("Value", "Satisfaction")}
    table = dimensions.fit_pls("Value -> Satisfaction", two, answers).loadings()
    r = np.corrcoef(answers[two["Value"] + two["Satisfaction"]].T)[:3, 3:]
    left, _, right = np.linalg.svd(r)
    for own, told in ((table["weight"][:3], left[:, 0]), (table["weight"][3:], right[0])):
        unit = own.to_numpy() / np.linalg.norm(own)
        assert unit == pytest.approx(np.abs(told), abs=1e-6)


@given(
    seed=st.integers(0, 10_000),
    scale=st.floats(0.1, 50),
    shift=st.floats(-100, 100),
    scheme=st.sampled_from(SCHEMES),
)
@settings(max_examples=15, deadline=None)
def test_units_and_orders_do_not_matter(seed, scale, shift, scheme) -> None:
    answers = survey(80, seed)
    fit = dimensions.fit_pls(PATHS, CONSTRUCTS, answers, scheme=scheme)
    moved = answers.sample(frac=1, random_state=seed) * scale + shift
    turned = {name: items[::-1] for name, items in reversed(CONSTRUCTS.items())}
    other = dimensions.fit_pls(PATHS, turned, moved, scheme=scheme)
    assert paths_of(other) == pytest.approx(paths_of(fit), abs=1e-7)


@given(seed=st.integers(0, 10_000))
@settings(max_examples=10, deadline=None)
def test_figures_fit_together(seed) -> None:
    fit = dimensions.fit_pls(PATHS, CONSTRUCTS, survey(60, seed))
    b = paths_of(fit)
    total = {(r["from"], r["to"]): r["estimate"] for r in fit.total_effects().to_dict("records")}
    through = b["Value", "Satisfaction"] * b["Satisfaction", "Loyalty"]
    (route,) = fit.indirect_effects().to_dict("records")
    assert (route["from"], route["via"], route["to"]) == ("Value", "Satisfaction", "Loyalty")
    assert route["estimate"] == pytest.approx(through, abs=ROUNDING)
    assert total["Value", "Loyalty"] == pytest.approx(b["Value", "Loyalty"] + through, abs=ROUNDING)
    assert fit.scores.var().to_numpy() == pytest.approx(1.0, abs=SETTLED)
    assert fit.scores.corr().to_numpy() == pytest.approx(
        fit.construct_correlations().to_numpy(), abs=SETTLED
    )
    z = fit.scores
    beta, *_ = np.linalg.lstsq(z[["Value", "Satisfaction"]].to_numpy(), z["Loyalty"].to_numpy())
    assert beta == pytest.approx([b["Value", "Loyalty"], b["Satisfaction", "Loyalty"]], abs=SETTLED)
    residual = z["Loyalty"] - z[["Value", "Satisfaction"]] @ beta
    explained = fit.r_squared().set_index("construct")["estimate"]["Loyalty"]
    assert explained == pytest.approx(1 - residual.var(), abs=SETTLED)


def test_effect_size_is_what_leaving_a_path_out_costs() -> None:
    fit = dimensions.fit_pls(PATHS, CONSTRUCTS, survey())
    row = fit.paths().query("`from` == 'Value' and `to` == 'Loyalty'").iloc[0]
    r = fit.construct_correlations()
    whole = fit.r_squared().set_index("construct")["estimate"]["Loyalty"]
    without = r.loc["Satisfaction", "Loyalty"] ** 2
    assert row["f_squared"] == pytest.approx((whole - without) / (1 - whole), abs=SETTLED)
    assert row["vif"] == pytest.approx(1 / (1 - r.loc["Value", "Satisfaction"] ** 2), abs=SETTLED)


def test_several_routes_are_told_one_by_one_and_together() -> None:
    four = {**CONSTRUCTS, "Trust": ["v1", "s1"]}
    text = "Value -> Satisfaction + Trust -> Loyalty; Value -> Loyalty"
    fit = dimensions.fit_pls(text, four, survey())
    table = fit.indirect_effects().set_index(["from", "via", "to"])["estimate"]
    ways = table.drop(("Value", "all routes", "Loyalty"))
    assert table["Value", "all routes", "Loyalty"] == pytest.approx(ways.sum(), abs=ROUNDING)


def test_total_effects_are_the_inverse() -> None:
    paths = np.tril(np.random.default_rng(3).normal(size=(5, 4, 4)), -1)
    identity = np.eye(4)
    assert total_effects(paths) == pytest.approx(np.linalg.inv(identity - paths) - identity)


def test_a_stack_is_solved_as_its_matrices_are() -> None:
    model = read_path_model(PATHS, CONSTRUCTS)
    moments = [ItemMoments(survey(60, seed)[list(model.items)].to_numpy()) for seed in range(300)]
    stack = correlations_of(np.concatenate([own.sample()[1] for own in moments]))
    together = solve_paths(stack, model)
    for draw in (0, 127, 128, 299):
        alone = solve_paths(stack[draw : draw + 1], model)
        assert (alone.paths[0] == together.paths[draw]).all()
        assert alone.iterations[0] == together.iterations[draw]
    fine = solve_paths(stack, model, tolerance=FINE_TOLERANCE)
    assert together.paths == pytest.approx(fine.paths, abs=1e-7)


def test_a_constant_item_in_one_draw_leaves_the_others() -> None:
    model = read_path_model(PATHS, CONSTRUCTS)
    moments = ItemMoments(survey(60)[list(model.items)].to_numpy())
    covariances = np.repeat(moments.sample()[1], 3, axis=0)
    covariances[1, 0, :] = covariances[1, :, 0] = 0.0
    solution = solve_paths(correlations_of(covariances), model)
    assert solution.converged.tolist() == [True, False, True]
    assert np.isnan(solution.paths[1]).any()
    assert (solution.paths[0] == solution.paths[2]).all()


def test_singular_systems_are_not_solved() -> None:
    matrices = np.stack([np.eye(2), np.ones((2, 2)), np.full((2, 2), np.nan)])
    solved = solve_each(matrices, np.ones((3, 2, 1)))
    assert solved[0].ravel().tolist() == [1, 1]
    assert np.isnan(solved[1:]).all()


def test_large_samples_of_exact_scores_give_the_paths() -> None:
    """Without noise in the items, PLS is the regression of the scores."""
    fit = dimensions.fit_pls(PATHS, CONSTRUCTS, survey(40_000, 2, noise=0.01))
    # three standard errors of a path from forty thousand respondents
    assert paths_of(fit) == pytest.approx(TRUE, abs=0.02)


def test_the_consistent_variant_sees_through_noise() -> None:
    answers = survey(40_000, 3, noise=1.0)
    plain = paths_of(dimensions.fit_pls(PATHS, CONSTRUCTS, answers))
    consistent = dimensions.fit_pls(PATHS, CONSTRUCTS, answers, consistent=True)
    assert plain["Value", "Satisfaction"] < 0.48
    assert paths_of(consistent) == pytest.approx(TRUE, abs=0.03)
    assert consistent.loadings()["loading"].to_numpy() == pytest.approx(0.5**0.5, abs=0.02)


def test_intervals_cover_the_population_value() -> None:
    """Of forty samples, 95 % intervals should miss about two; eight is a chance of 0.0007."""
    large = paths_of(dimensions.fit_pls(PATHS, CONSTRUCTS, survey(200_000, 9)))
    missed = 0
    for seed in range(40):
        fit = dimensions.fit_pls(PATHS, CONSTRUCTS, survey(120, seed + 50))
        row = fit.bootstrap(200, seed=seed).paths().iloc[0]
        truth = large[row["from"], row["to"]]
        missed += not row["lower"] <= truth <= row["upper"]
    assert missed < 8


def test_the_same_seed_gives_the_same_draws() -> None:
    fit = dimensions.fit_pls(PATHS, CONSTRUCTS, survey(80))
    one, two = fit.bootstrap(30, seed=4), dimensions.bootstrap_pls(fit, draws=30, seed=4)
    pd.testing.assert_frame_equal(one.paths(), two.paths())
    assert not fit.bootstrap(30, seed=5).paths().equals(one.paths())


def test_a_draw_is_a_fit_to_the_drawn_respondents() -> None:
    answers = survey(70).mask(np.random.default_rng(0).random((70, 9)) < 0.05)
    fit = dimensions.fit_pls(PATHS, CONSTRUCTS, answers)
    drawn = fit.bootstrap(3, seed=8)
    from keycustomer.stats import bootstrap_counts

    counts = np.concatenate(list(bootstrap_counts(70, 3, 8)))
    for number, row in enumerate(counts):
        again = dimensions.fit_pls(PATHS, CONSTRUCTS, answers.iloc[np.repeat(np.arange(70), row)])
        assert drawn.draws["path"][number] == pytest.approx(again.paths()["estimate"], abs=1e-7)


def turned_about(n=24, seed=0):
    """Answers of few respondents, whose resamples often turn a construct round."""
    rng = np.random.default_rng(seed)
    return pd.DataFrame(rng.normal(size=(n, 9)), columns=[*chain(*CONSTRUCTS.values())])


def test_signs_are_turned_to_those_of_the_fit() -> None:
    fit = dimensions.fit_pls(PATHS, CONSTRUCTS, turned_about())
    kept, left = fit.bootstrap(60, seed=1), fit.bootstrap(60, seed=1, signs="none")
    assert sum(kept.turned.values()) > 0
    assert "signs turned to those of the fit" in " ".join(kept.sentences)
    assert np.abs(kept.draws["path"]) == pytest.approx(np.abs(left.draws["path"]))
    with pytest.raises(ValueError, match="signs='all': choose one of 'construct', 'none'"):
        fit.bootstrap(5, signs="all")


def test_draws_without_solution_count_beyond_both_ends() -> None:
    answers = survey(40)
    answers["v1"] = [5.0] * 38 + [4.0, 6.0]  # constant in some resamples
    fit = dimensions.fit_pls(PATHS, CONSTRUCTS, answers)
    drawn = fit.bootstrap(100, seed=2)
    assert 0 < drawn.failed < 100
    assert "without a solution" in drawn.sentences[-1]
    method = drawn.paths()["method"].iloc[0]
    assert f"not defined in {drawn.failed} of 100 resamples" in method


def test_missing_answers_are_counted() -> None:
    answers = survey(60)
    answers.iloc[:5, 0] = np.nan
    filled = dimensions.fit_pls(PATHS, CONSTRUCTS, answers)
    assert (filled.respondents, filled.answers.filled) == (60, 5)
    assert "correlations come out too small: v1 (8 %)" in " ".join(filled.notes)
    listwise = dimensions.fit_pls(PATHS, CONSTRUCTS, answers, missing="listwise")
    assert (listwise.respondents, listwise.answers.excluded) == (55, 5)
    same = dimensions.fit_pls(PATHS, CONSTRUCTS, answers.iloc[5:])
    assert paths_of(listwise) == pytest.approx(paths_of(same), abs=ROUNDING)
    assert list(listwise.scores.index) == list(answers.index[5:])


def hostile(case):
    answers = survey(60)
    match case:
        case "constant":
            answers["v2"] = 4.0
        case "text":
            answers["v2"] = answers["v2"].astype(object)
            answers.loc[3, "v2"] = "often"
        case "copy":
            answers["v3"] = 2 * answers["v1"] + 1
        case "few":
            answers = answers.iloc[:6]
        case "lost":
            answers = answers.drop(columns="s2")
        case "sum":
            answers["s3"] = answers["s1"] + answers["s2"]
        case "infinite":
            answers.loc[2, "l1"] = np.inf
        case "empty":
            answers["l2"] = np.nan
    return answers


@pytest.mark.parametrize(
    ("case", "told"),
    [
        ("constant", "v2: all 60 answers are 4; an item that never differs"),
        ("text", "'often' in row 3"),
        ("copy", r"'v3' of construct 'Value' is determined by 'v1', 'v2' \(perfect collinearity"),
        ("few", "6 respondents can be counted; at least 10"),
        ("lost", "item 's2' is not in the table"),
        ("sum", "'s3' of construct 'Satisfaction' is determined by 's1', 's2'"),
        ("infinite", "l1"),
        ("empty", "l2: nobody answered it"),
    ],
)
def test_hostile_answers_are_refused(case, told) -> None:
    with pytest.raises(ValueError, match=told):
        dimensions.fit_pls(PATHS, CONSTRUCTS, hostile(case))


def test_arguments_are_checked() -> None:
    answers = survey(60)
    with pytest.raises(ValueError, match="scheme='pca': choose one of 'path', 'factorial'"):
        dimensions.fit_pls(PATHS, CONSTRUCTS, answers, scheme="pca")
    with pytest.raises(ValueError, match="missing='zero': choose 'listwise' or 'mean'"):
        dimensions.fit_pls(PATHS, CONSTRUCTS, answers, missing="zero")
    with pytest.raises(TypeError, match="a table is needed"):
        dimensions.fit_pls(PATHS, CONSTRUCTS, answers.to_numpy())


@pytest.mark.parametrize("scheme", SCHEMES)
def test_predecessors_that_determine_each_other_are_refused(scheme) -> None:
    twins = {**CONSTRUCTS, "Worth": ["v1", "v2", "v3"]}
    with pytest.raises(ValueError, match="cannot be told apart; take one out"):
        dimensions.fit_pls("Value + Worth -> Loyalty", twins, survey(60), scheme=scheme)


def test_more_items_in_mode_b_than_respondents_are_refused() -> None:
    rng = np.random.default_rng(0)
    wide = pd.DataFrame(rng.normal(size=(12, 21)), columns=[f"x{n}" for n in range(21)])
    blocks = {"Many": [f"x{n}" for n in range(20)], "One": ["x20"]}
    with pytest.raises(ValueError, match="20 items in mode B, which need at least 22 respondents"):
        dimensions.fit_pls("Many -> One", blocks, wide, modes={"Many": "B"})
    fit = dimensions.fit_pls("Many -> One", blocks, wide)
    assert "12 respondents for 21 items" in " ".join(fit.notes)


def test_a_consistent_solution_that_is_none_is_refused() -> None:
    rng = np.random.default_rng(2)
    value = rng.normal(size=200)
    columns = {f"{name}{n}": value + rng.normal(size=200) for name in "ab" for n in range(3)}
    # the same luck in an item of either construct: they correlate beyond what reliability allows
    shared = rng.normal(size=200)
    answers = pd.DataFrame(columns).assign(
        a0=lambda t: t["a0"] + shared, b0=lambda t: t["b0"] + shared
    )
    blocks = {"A": ["a0", "a1", "a2"], "B": ["b0", "b1", "b2"]}
    fit = dimensions.fit_pls("A -> B", blocks, answers)
    assert abs(paths_of(fit)["A", "B"]) < 1
    with pytest.raises(ValueError, match=r"'A' and 'B' correlate by 1\.\d\d: they cannot be told"):
        dimensions.fit_pls("A -> B", blocks, answers, consistent=True)


def test_a_reversed_item_is_told() -> None:
    answers = survey(100)
    answers["v2"] = -answers["v2"]
    fit = dimensions.fit_pls(PATHS, {**CONSTRUCTS, "Trust": ["l1"]}, answers)
    said = " ".join(fit.notes)
    assert "v2 loads by -" in said
    assert "asked the other way round?" in said
    assert "in no path, so left out: Trust" in said


def test_names_from_data_are_escaped() -> None:
    strange = {"<b>Value</b>": ["v1", "v2"], "Loyalty": ["l1"]}
    fit = dimensions.fit_pls({"Loyalty": ["<b>Value</b>"]}, strange, survey(60))
    assert "<b>" not in fit._repr_html_()
    assert "&lt;b&gt;" in fit.bootstrap(10)._repr_html_()


def test_estimates_carry_the_names_of_the_case_output() -> None:
    fit = dimensions.fit_pls(PATHS, CONSTRUCTS, survey(80))
    rows = {(m, g): e for m, g, e in fit.bootstrap(50).estimates()}
    assert ("path", "Value->Satisfaction") in rows
    assert ("indirect", "Value->Satisfaction->Loyalty") in rows
    own = rows["r_squared", "Loyalty"]
    assert own.lower < own.estimate < own.upper
    assert own.n == 80
    assert own.method == "percentile bootstrap of respondents, 50 draws"


def test_margins_of_fornell_and_larcker_have_intervals() -> None:
    fit = dimensions.fit_pls(PATHS, CONSTRUCTS, survey(150))
    pairs = fit.bootstrap(200).fornell_larcker().pairs
    plain = fit.fornell_larcker().pairs
    assert pairs["margin"].to_numpy() == pytest.approx(plain["margin"].to_numpy(), abs=ROUNDING)
    assert ((pairs["lower"] < pairs["margin"]) & (pairs["margin"] < pairs["upper"])).all()
    assert pairs["margin"].to_numpy() == pytest.approx(
        (pairs[["ave", "other_ave"]].min(axis=1) - pairs["squared"]).to_numpy(), abs=ROUNDING
    )


def test_answers_are_left_as_they_are() -> None:
    answers = survey(60)
    before = answers.copy()
    fit = dimensions.fit_pls(PATHS, CONSTRUCTS, answers)
    fit.bootstrap(5)
    pd.testing.assert_frame_equal(answers, before)
    assert fit.to_frame().equals(fit.paths())
