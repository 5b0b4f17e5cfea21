"""Complaints and leaving: other worlds, known truth, counts by hand, what is refused."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from keycustomer.relationships import complaint_effects, judge_service, read_service, true_service
from keycustomer.relationships.service.complaints import (
    CONTRASTS,
    KINDS,
    other_world,
    resolution_counts,
)
from keycustomer.simulate import simulate_company
from keycustomer.stats import Estimate
from service_records import months_of, record_of

ROUNDING = 1e-9


@pytest.fixture(scope="module")
def record():
    return read_service(simulate_company(800, 36, seed=2))


@pytest.fixture(scope="module")
def effects(record):
    return complaint_effects(record)


def opened(number, day):
    return pd.Timestamp("2024-01-01") + pd.DateOffset(months=number) + pd.Timedelta(days=day - 1)


def complaint(customer, number, day, days, first=False):
    resolved = opened(number, day) + pd.Timedelta(days=days) if days is not None else pd.NaT
    return (customer, number, day, "complaint", {"resolved_on": resolved, "first": first})


@settings(max_examples=30)
@given(arrays(float, (6, 3), elements=st.integers(0, 4).map(float)))
def test_other_worlds_keep_or_lessen_the_complaints(counts):
    total = counts.sum(axis=1)
    again = np.minimum(total, 1.0)
    nobody = np.zeros(0, dtype=int)
    worlds = {name: other_world(counts, again, nobody, name) for name in CONTRASTS}
    assert (worlds["no complaints"] == 0).all()
    first = worlds["all at first contact"]
    np.testing.assert_allclose(first.sum(axis=1), total - again)
    assert (first[:, 1:] == 0).all()
    late = worlds["none late"]
    np.testing.assert_allclose(late.sum(axis=1), total - again)
    assert (late[:, 2] == 0).all()
    none = worlds["none at first contact"]
    np.testing.assert_allclose(none.sum(axis=1), total)
    assert (none[:, 0] == 0).all() and all((world >= 0).all() for world in worlds.values())


def test_an_unknown_world_is_refused():
    with pytest.raises(KeyError, match="there is: no complaints"):
        other_world(np.zeros((1, 3)), np.zeros(1), np.zeros(0, dtype=int), "paradise")


def test_who_is_not_helped_at_once_complains_again_as_often_as_today():
    counts = np.array([[2.0, 1.0, 1.0], [1.0, 0.0, 0.0]])
    again = np.array([0.0, 1.0])
    changed = other_world(counts, again, np.array([0]), "none at first contact")
    # half of the others are late, and after the one late complaint there came one
    np.testing.assert_allclose(changed, [[0, 2, 2], [0, 1, 1]])


def test_how_complaints_ended_is_told_by_hand():
    record = record_of(
        months_of(2, 6),
        [
            complaint(0, 0, 5, 0, first=True),
            complaint(0, 1, 5, 14),
            complaint(0, 2, 5, 15),
            complaint(0, 3, 5, 3),
            complaint(0, 3, 9, None),
            complaint(1, 5, 20, None),
        ],
    )
    counts, pending, again = resolution_counts(record, 14)
    np.testing.assert_array_equal(counts[:4], [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 1, 1]])
    assert np.flatnonzero(pending).tolist() == [11]
    assert again.tolist() == [0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]


def test_leaving_after_a_complaint_is_counted_by_hand():
    left = [2, -1, -1, 1]
    months = months_of(4, 12, left)
    contacts = [
        complaint(0, 0, 5, 40),
        complaint(1, 2, 5, 0, first=True),
        complaint(2, 11, 2, 0, first=True),  # cannot be followed for three months
        complaint(3, 0, 2, 5),
        complaint(1, 3, 2, 5),
    ]
    found = complaint_effects(record_of(months, contacts), burn_in=0).by_days.set_index("days")
    assert found["complaints"].tolist() == [1, 2, 0, 0, 1]
    assert found["left"].tolist() == [0, 1, 0, 0, 1]
    again = complaint_effects(record_of(months, contacts), burn_in=0, follow=2).by_days
    assert again["left"].tolist() == [0, 1, 0, 0, 0]


def test_intervals_of_one_company_hold_the_truth(effects):
    truth = true_service(800, 36, 2, factors=(1.0,)).leaving
    for name in CONTRASTS:
        one = effects.effects[name, "adjusted"]
        assert one.lower < truth[name] < one.upper, name
    assert truth["no complaints"] < 0 < truth["none at first contact"]
    assert truth["none late"] < 0 and truth["contacts x 1"] == 0


def test_over_companies_holding_like_with_like_takes_the_bias_away():
    """Plainly, complaints are charged with what size does; the adjusted mean is near the truth."""
    trial = judge_service(companies=4, accounts=250, seed=11)
    summary = trial.summary().set_index(["contrast", "adjustment"])
    own, plain = (summary.loc["contacts x 0"].loc[how] for how in ("adjusted", "naive"))
    assert abs(own["error"]) < 3 * own["error_of_mean"]
    assert plain["error"] > 0
    told = summary.loc["all at first contact"].loc["adjusted"]
    assert abs(told["error"]) < 3 * told["error_of_mean"]
    assert trial.companies == 4 and len(trial.frame) == 4 * 12
    # of 24 intervals of 95 % fewer than 18 hold the truth less than once in 1,000
    assert trial.frame.loc[trial.frame["adjustment"] == "adjusted", "held"].sum() >= 18
    assert "simulated companies" in trial._repr_html_()


def test_the_parts_fit_together(effects):
    assert sum(effects.counts.values()) > 0 and set(effects.counts) == set(KINDS)
    assert effects.rate == pytest.approx(1000 * effects.leavers / effects.rows)
    total = -effects.effects["no complaints", "adjusted"].estimate * effects.rows / 1000
    parts = sum(
        effects.each[kind, "adjusted"].estimate * effects.counts[kind] / 100 for kind in KINDS
    )
    # logistic parts do not add up exactly, but the risks are small
    assert parts == pytest.approx(total, rel=0.1)
    frame = effects.to_frame()
    assert len(frame) == 2 * len(CONTRASTS) and frame["lower"].lt(frame["upper"]).all()
    sensitivity = effects.sensitivity
    assert sensitivity["half_life"].tolist() == [1.0, 2.0, 4.0]
    own = effects.effects["all at first contact", "adjusted"].estimate
    assert sensitivity["estimate"].iloc[1] == pytest.approx(own, abs=ROUNDING)
    html = effects._repr_html_()
    assert "Simulated data" in html and "size" in html


def test_verdicts_follow_the_rule(effects):
    from dataclasses import replace

    def verdict(lower, upper):
        one = Estimate((lower + upper) / 2, lower, upper, "", 10, "")
        both = {("no complaints", "adjusted"): one, ("all at first contact", "adjusted"): one}
        return replace(effects, effects=effects.effects | both).verdicts

    assert verdict(-2, -1) == {"R3": "supported", "T3": "supported"}
    assert verdict(-2, 1)["T3"] == "undecided"
    assert verdict(0, 1)["R3"] == "not supported"


def test_attributes_are_held_fixed_and_unknown_ones_refused(record, effects):
    more = complaint_effects(record, attributes=("estimated_potential", "ownership"))
    key = ("no complaints", "adjusted")
    assert more.effects[key].estimate != effects.effects[key].estimate
    plain = ("no complaints", "naive")
    assert more.effects[plain].estimate == pytest.approx(effects.effects[plain].estimate)
    with pytest.raises(KeyError, match="did you mean 'estimated_potential'"):
        complaint_effects(record, attributes=["estimated_potental"])


def test_what_cannot_be_told_is_said(record):
    quiet = record_of(months_of(5, 12, [3, -1, -1, -1, -1]), [(0, 1, 2, "visit")])
    with pytest.raises(ValueError, match=r"no interaction is a complaint.*\['visit'\]"):
        complaint_effects(quiet)
    with pytest.raises(ValueError, match="burn_in=40 must be 0 to 35 months"):
        complaint_effects(record, burn_in=40)
    with pytest.raises(ValueError, match=r"patience=-1.*follow=0"):
        complaint_effects(record, patience=-1, follow=0)
    nobody = record_of(months_of(5, 12), [complaint(0, 8, 2, 3)])
    with pytest.raises(ValueError, match="nobody"):
        complaint_effects(nobody)
    with pytest.raises(ValueError, match="companies=1"):
        judge_service(1)
