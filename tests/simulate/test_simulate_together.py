"""Companies run side by side are the same as one by one."""

from dataclasses import fields

import numpy as np
import pytest
from keycustomer.simulate import (
    Outcome,
    Policy,
    compare_over_companies,
    compare_policies,
    policy_of_tools,
    together,
)

ROUNDING = 1e-10
"""Sums over another number of accounts at once differ in the last digits."""

POLICIES = {
    "as today": Policy(),
    "some": policy_of_tools(["segmentation", "pricing", "back office"]),
    "dearer": Policy(list_price=0.05, visits=2.0),
}


@pytest.mark.parametrize("ahead", [0, 6])
@pytest.mark.parametrize("at_once", [10_000, 90])
def test_side_by_side_is_the_same_as_one_by_one(ahead, at_once, monkeypatch):
    monkeypatch.setattr(together, "BLOCK", at_once)
    seeds = [5, 2, 9]
    joint = compare_over_companies(POLICIES, seeds, 40, 15, ahead=ahead, discount_rate=0.1)
    for one, seed in zip(joint, seeds, strict=True):
        alone = compare_policies(POLICIES, 40, 15, seed, ahead=ahead, discount_rate=0.1)
        assert one.settings == alone.settings
        assert list(one.outcomes) == list(alone.outcomes)
        for name, outcome in alone.outcomes.items():
            for field in fields(Outcome):
                np.testing.assert_allclose(
                    getattr(one.outcomes[name], field.name),
                    getattr(outcome, field.name),
                    rtol=ROUNDING,
                    atol=ROUNDING,
                )


def test_progress_tells_every_run(monkeypatch):
    monkeypatch.setattr(together, "BLOCK", 20)
    told = []
    compare_over_companies(POLICIES, [1, 2, 3], 10, 2, progress=lambda *done: told.append(done))
    assert told == [(n, 6) for n in range(1, 7)]


@pytest.mark.parametrize(
    ("seeds", "policies", "complaint"),
    [
        ([], POLICIES, "no company to simulate"),
        ([3, 3], POLICIES, "a seed comes twice"),
        ([1], {}, "no policy to run"),
        ([1, 2], {"mine": Policy(discount=[0.1, 0.2])}, r"policies\['mine'\].discount.*differ"),
        ([-1], POLICIES, "seed=-1"),
    ],
)
def test_what_cannot_be_run_is_refused(seeds, policies, complaint):
    with pytest.raises(ValueError, match=complaint):
        compare_over_companies(policies, seeds, 2, 2)
