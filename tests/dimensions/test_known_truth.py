"""The truth beside estimates is the process's own, and only where the data are simulated."""

import numpy as np
import pandas as pd
import pytest
from keycustomer.customers.prepare import prepare_base
from keycustomer.customers.specification import BaseSpecification
from keycustomer.dimensions import (
    KnownTruth,
    fit_sem,
    measure_reliability,
    model_text,
    open_survey,
    truth_of,
)

MANY = 6000
"""Accounts that make an estimate nearly the truth."""

# A reliability from some 1,700 questionnaires has a standard error of about .008.
NEAR = 0.03


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    folder = tmp_path_factory.mktemp("truth")
    items = {
        name: [f"{name}_{part}" for part in parts.split()]
        for name, parts in {
            "functional": "quality service price",
            "sacrifice": "price effort risk",
            "convenience": "ordering hotline portal",
            "social": "affinity recognition community",
            "experiential": "brand customisation expression",
            "satisfaction": "overall expectations ideal",
            "loyalty": "renew recommend extend",
        }.items()
    }
    case = BaseSpecification(
        title="Made up",
        currency="EUR",
        simulated=True,
        simulation={"accounts": MANY, "months": 36, "seed": 5},
        tables={
            "survey": {"simulated": "telecom", "attributes": {**items, "asked": ["wave"]}},
        },
    )
    return prepare_base(case, folder, folder / "base.duckdb")


@pytest.mark.parametrize("measure", ["alpha", "omega", "ave"])
@pytest.mark.parametrize("construct", ["functional", "sacrifice", "loyalty"])
def test_reliabilities_of_many_answers_come_near_the_truth(base, measure, construct):
    survey = open_survey(base, low=1, high=7)
    read = survey.answers([construct])
    found = measure_reliability(read.constructs, read.answers, draws=100)
    truth = truth_of(base).of(measure, construct)
    assert found.of(construct, measure).estimate == pytest.approx(truth, abs=NEAR)


def test_paths_that_are_not_there_are_known_to_be_zero(base):
    truth = truth_of(base)
    assert truth.of("path", "functional->loyalty") == 0
    assert truth.of("path", "satisfaction->loyalty") > 0.5
    parts = [
        truth.of("indirect_value_loyalty", name)
        for name in ("functional", "convenience", "social", "experiential")
    ]
    assert truth.of("indirect_value_loyalty") == pytest.approx(sum(parts))
    assert 1 <= truth.of("kano_class", "hotline") <= 6


def test_paths_of_many_answers_come_near_those_of_endless_answers(base):
    """And not to the true ones: habits of answering hide a sacrifice, from endless many too."""
    value = ["functional", "convenience", "social", "experiential", "sacrifice"]
    read = open_survey(base, low=1, high=7).answers([*value, "satisfaction", "loyalty"])
    into = " + ".join(value)
    text = model_text(f"{into} -> satisfaction; {into} + satisfaction -> loyalty", read.constructs)
    truth = truth_of(base)
    found, aim = (fit_sem(text, answers).paths() for answers in (read.answers, truth.endless))
    off = found["standardised"] - aim["standardised"]
    assert (off.abs() < 3 * found["standardised_se"]).all()
    hidden = aim.set_index(["from", "to"])["standardised"]["sacrifice", "satisfaction"]
    assert hidden - truth.of("path", "sacrifice->satisfaction") > 0.04


def test_endless_answers_have_the_moments_of_the_answers(base):
    endless = truth_of(base).endless
    read = open_survey(base, low=1, high=7).answers(["functional", "sacrifice", "loyalty"])
    items = list(read.answers)
    assert np.allclose(endless[items].mean(), read.answers.mean(), atol=0.2)
    assert np.allclose(endless[items].corr(), read.answers.corr(), atol=0.1)


def test_real_data_have_no_known_truth(hand_made_base):
    truth = truth_of(hand_made_base({"customers": [("a", "Ann")]}))
    assert truth.values == {} and truth.of("alpha", "functional") is None
    assert truth.endless is None


def test_the_truth_stands_beside_what_has_one():
    truth = KnownTruth({("alpha", "a"): 0.8, ("alpha", "b"): 0.5, ("kano_class", "c"): 2.0})
    measures = pd.DataFrame(
        [
            ("alpha", "a", 0.79, 0.7, 0.9),
            ("alpha", "b", 0.79, 0.7, 0.9),
            ("kano_class", "c", 2.0, None, None),
            ("cfi", "", 0.99, None, None),
        ],
        columns=["measure", "group", "estimate", "lower", "upper"],
    )
    beside = truth.beside(measures)
    assert beside["truth"].tolist() == [0.8, 0.5, 2.0]
    assert beside["held"].tolist()[:2] == [True, False] and pd.isna(beside["held"].iloc[2])
    assert np.isnan(measures["lower"].iloc[3])  # what was given is not changed
