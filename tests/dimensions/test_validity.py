"""Discriminant validity: formulas by hand, known truth, hostile answers."""

import numpy as np
import pandas as pd
import pytest
from keycustomer import dimensions
from keycustomer.dimensions.measurement.validity import trait_ratios

FEW = 20
"""Draws of tests that look at estimates only."""

BLOCKS = {"A": ["a0", "a1", "a2"], "B": ["b0", "b1", "b2"]}


def two_factors(n=300, correlation=0.4, seed=0, loadings=(0.9, 0.8, 0.7)):
    rng = np.random.default_rng(seed)
    first = rng.normal(size=n)
    second = correlation * first + np.sqrt(1 - correlation**2) * rng.normal(size=n)
    return pd.DataFrame(
        {
            f"{name}{at}": size * own + np.sqrt(1 - size**2) * rng.normal(size=n)
            for name, own in (("a", first), ("b", second))
            for at, size in enumerate(loadings)
        }
    )


def ratio(answers, **more):
    return dimensions.heterotrait_monotrait(BLOCKS, answers, **{"draws": FEW} | more)


def test_ratios_by_hand() -> None:
    answers = two_factors(60)
    r = answers.corr().abs().to_numpy()
    within = [r[np.ix_(own, own)][np.tril_indices(3, -1)] for own in ([0, 1, 2], [3, 4, 5])]
    between = r[:3, 3:].ravel()
    by_mean = between.mean() / np.sqrt(within[0].mean() * within[1].mean())
    log = [np.log(part).mean() for part in (between, *within)]
    told = {"HTMT": by_mean, "HTMT2": np.exp(log[0] - (log[1] + log[2]) / 2)}
    for kind, own in told.items():
        assert ratio(answers, kind=kind).pairs["estimate"][0] == pytest.approx(own)


def test_htmt2_is_the_correlation_of_the_factors_whatever_the_loadings() -> None:
    """In the population: geometric means of products of loadings cancel."""
    loadings = np.array([0.95, 0.6, 0.4])
    joined = np.kron(np.array([[1, 0.7], [0.7, 1]]), np.outer(loadings, loadings))
    np.fill_diagonal(joined, 1.0)
    blocks = {"A": [0, 1, 2], "B": [3, 4, 5]}
    assert trait_ratios(joined[None], blocks, "HTMT2")[0, 0] == pytest.approx(0.7)
    assert trait_ratios(joined[None], blocks, "HTMT")[0, 0] > 0.74


@pytest.mark.parametrize(
    ("correlation", "verdict"), [(0.3, "distinct"), (0.9, "undecided"), (1.0, "not distinct")]
)
def test_verdicts_follow_the_truth(correlation, verdict) -> None:
    result = ratio(two_factors(2000, correlation, seed=2), draws=200)
    assert result.pairs["verdict"].tolist() == [verdict]
    assert len(result.doubtful) == (verdict != "distinct")
    own = result.estimates()[0]
    assert own[:2] == ("htmt2", "A~B")
    assert own[2].lower < correlation < own[2].upper


def test_the_matrix_is_square_with_ones() -> None:
    result = dimensions.heterotrait_monotrait(
        {"A": ["a0", "a1"], "B": ["b0", "b1"], "C": ["a2"]}, two_factors(80), draws=FEW
    )
    assert np.diag(result.matrix).tolist() == [1, 1, 1]
    assert (result.matrix == result.matrix.T).all().all()
    assert "a single item counts as measured without error: C" in " ".join(result.notes)
    assert result.to_frame().equals(result.pairs)


def test_a_reversed_item_is_told_and_does_not_change_the_ratio() -> None:
    answers = two_factors()
    turned = answers.assign(a1=-answers["a1"])
    assert ratio(turned).pairs["estimate"][0] == pytest.approx(ratio(answers).pairs["estimate"][0])
    assert "a1 correlates negatively with the other items of A" in " ".join(ratio(turned).notes)
    assert ratio(answers).notes == ()


@pytest.mark.parametrize(
    ("constructs", "more", "told"),
    [
        ({"A": ["a0", "a1"]}, {}, "at least two constructs, got A"),
        (["a0", "a1"], {}, "constructs must name the items by construct"),
        ({"A": ["a0"], "B": []}, {}, "constructs without items: 'B'"),
        (BLOCKS, {"kind": "HTMT3"}, "kind='HTMT3': choose one of 'HTMT', 'HTMT2'"),
        (BLOCKS, {"threshold": 90}, "threshold=90 must be a share"),
        ({"A": ["a0", "a1"], "B": ["a1", "b1"]}, {}, "items named more than once: 'a1'"),
        ({"A": ["a0"], "B": ["bb0"]}, {}, "item 'bb0' is not in the table"),
    ],
)
def test_what_is_wrong_is_said(constructs, more, told) -> None:
    with pytest.raises(ValueError, match=told):
        dimensions.heterotrait_monotrait(constructs, two_factors(60), draws=FEW, **more)


def test_fornell_and_larcker_by_hand() -> None:
    names = ["A", "B", "C"]
    correlations = pd.DataFrame(
        [[1, 0.8, 0.3], [0.8, 1, 0.2], [0.3, 0.2, 1]], index=names, columns=names
    )
    ave = pd.Series({"A": 0.7, "B": 0.6, "C": np.nan})
    result = dimensions.fornell_larcker(ave, correlations)
    assert result.pairs[["construct", "other"]].to_numpy().tolist() == [["A", "B"]]
    assert result.pairs["squared"][0] == pytest.approx(0.64)
    assert result.pairs["margin"][0] == pytest.approx(0.6 - 0.64)
    assert result.pairs["lower"].isna().all()
    assert not result.holds
    assert result.notes == ("without AVE, not judged: C",)
    assert result.table.loc["A", "A"] == pytest.approx(0.7**0.5)
    assert np.isnan(result.table.loc["A", "B"])
    assert dimensions.fornell_larcker(ave.fillna(0.9) + 0.05, correlations).holds
    assert "1 of 1 pair" in result._repr_html_()
    with pytest.raises(ValueError, match="the same constructs are needed"):
        dimensions.fornell_larcker(ave.drop("C"), correlations)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", ["HTMT", "HTMT2"])
def test_the_interval_of_unrelated_constructs_holds_the_ratio_and_zero(kind, seed) -> None:
    """Sizes of correlations add up where signs would cancel: draws alone lie above the ratio."""
    row = ratio(two_factors(300, 0.0, seed=seed), kind=kind, draws=200).pairs.iloc[0]
    assert row["lower"] == 0.0 <= row["estimate"] <= row["upper"] < 0.5


def test_the_interval_of_related_constructs_stays_off_zero() -> None:
    row = ratio(two_factors(300, 0.4, seed=3), draws=200).pairs.iloc[0]
    assert 0.1 < row["lower"] < row["estimate"] < row["upper"] < 0.7


def test_opposite_constructs_stay_off_zero_too() -> None:
    answers = two_factors(300, 0.4, seed=3)
    turned = answers.assign(**{item: -answers[item] for item in BLOCKS["B"]})
    pd.testing.assert_frame_equal(ratio(turned).pairs, ratio(answers).pairs)
