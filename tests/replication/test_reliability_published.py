"""Reliability and discriminant validity agree with published figures of Holzinger and Swineford.

The figures are of R (lavaan, semTools, psych), printed to six digits.
"""

from functools import cache

import pytest
from keycustomer import dimensions
from known_surveys import holzinger

CONSTRUCTS = {
    "visual": ["x1", "x2", "x3"],
    "textual": ["x4", "x5", "x6"],
    "speed": ["x7", "x8", "x9"],
}
FEW = 20
"""Draws: the estimates do not depend on them."""


@cache
def measured(factors):
    return dimensions.measure_reliability(CONSTRUCTS, holzinger(), factors=factors, draws=FEW)


def test_alpha() -> None:
    told = measured("each").table["alpha"]
    assert told.round(6).tolist() == [0.626117, 0.882707, 0.688455]
    every = {"mind": [f"x{n}" for n in range(1, 10)]}
    whole = dimensions.measure_reliability(every, holzinger(), draws=FEW)
    assert round(whole.of("mind").estimate, 6) == 0.760489


def test_omega_and_ave_of_the_joint_model() -> None:
    table = measured("joint").table.round(6)
    assert table["omega"].tolist() == [0.625318, 0.885175, 0.687760]
    assert table["ave"].tolist() == [0.370559, 0.721016, 0.424488]


def test_trait_ratios() -> None:
    ratios = dimensions.heterotrait_monotrait(CONSTRUCTS, holzinger(), draws=FEW)
    assert ratios.kind == "HTMT2"
    assert ratios.pairs["estimate"].round(6).tolist() == [0.384089, 0.386773, 0.279684]


@pytest.mark.parametrize("name", list(CONSTRUCTS))
def test_three_items_alone_have_the_loadings_of_fit_cfa(name) -> None:
    own = measured("each").loadings.query("construct == @name")["standardised"].to_numpy()
    told = dimensions.fit_cfa({name: CONSTRUCTS[name]}, holzinger()).loadings()["standardised"]
    assert own == pytest.approx(told.to_numpy(), abs=1e-7)  # the end of the iterations


def test_the_joint_model_is_that_of_fit_cfa() -> None:
    theirs = dimensions.fit_cfa(CONSTRUCTS, holzinger()).reliability()
    for row in theirs.to_dict("records"):
        own = measured("joint").of(row["construct"], row["measure"]).estimate
        assert own == pytest.approx(row["estimate"], abs=1e-7)  # the end of the iterations
