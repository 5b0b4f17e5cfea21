"""The survey's answers follow the stated truth: moments, classes, statements and price points."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keycustomer.simulate.choice_tasks import CHOICE_LEVELS, PACKAGES, draw_choices, draw_worths
from keycustomer.simulate.implied_answers import implied_moments
from keycustomer.simulate.kano_answers import (
    KANO_CLASSES,
    TABLE,
    TIES,
    draw_kano_answers,
    kano_probabilities,
)
from keycustomer.simulate.questionnaire import (
    CONSTRUCTS,
    ITEMS,
    LATENTS,
    POINTS,
    REFERENCE_SD,
    Measurement,
)
from keycustomer.simulate.rating import (
    draw_scale_usage,
    propensities,
    rated_answers,
    slopes,
)
from keycustomer.simulate.stated_importance import (
    SHARES,
    attribute_importance,
    draw_stated_importance,
)
from keycustomer.simulate.vocabulary import ATTRIBUTES, DIMENSIONS, SEGMENTS
from keycustomer.simulate.willingness_to_pay import draw_price_points, draw_willingness_to_pay

DRAWN = 100_000
STANDARD_ERRORS = 4.5  # of several hundred comparisons the furthest lies near four


def latent_covariance(correlation: float = 0.35) -> np.ndarray:
    spread = np.array([REFERENCE_SD[name] for name in LATENTS])
    matrix = np.full((len(LATENTS), len(LATENTS)), correlation)
    np.fill_diagonal(matrix, 1.0)
    return matrix * np.outer(spread, spread)


def drawn_answers(
    measurement: Measurement, seed: int = 5
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Latents, propensities and answers of many respondents."""
    generator = np.random.default_rng(seed)
    root = np.linalg.cholesky(latent_covariance())
    latents = generator.standard_normal((DRAWN, len(LATENTS))) @ root.T
    errors = generator.standard_normal((DRAWN, len(measurement.items)))
    propensity = propensities(latents, measurement, errors)
    usage = draw_scale_usage(DRAWN, measurement, generator)
    return latents, propensity, rated_answers(propensity, usage, measurement).astype(float)


@pytest.fixture(scope="module")
def draws() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return drawn_answers(Measurement())


def test_every_item_is_asked_once_of_one_construct() -> None:
    names = [item.name for item in ITEMS]
    assert len(set(names)) == len(names) == 32
    assert {item.construct for item in ITEMS} == set(LATENTS)
    assert [item.name for item in ITEMS if item.construct in CONSTRUCTS] == [
        name for group in CONSTRUCTS.values() for name in group
    ]


def test_at_reference_spread_propensities_have_variance_one_and_the_loadings_given(draws) -> None:
    latents, propensity, _ = draws
    error = STANDARD_ERRORS / np.sqrt(DRAWN)
    assert np.abs(propensity.std(axis=0) - 1).max() < error
    for place, item in enumerate(ITEMS):
        own = latents[:, LATENTS.index(item.construct)]
        assert np.corrcoef(own, propensity[:, place])[0, 1] == pytest.approx(
            item.loading, abs=error
        )


def test_implied_moments_are_those_of_drawn_answers(draws) -> None:
    latents, propensity, answers = draws
    implied = implied_moments(Measurement(), latent_covariance())
    error = STANDARD_ERRORS / np.sqrt(DRAWN)
    assert np.abs(answers.mean(axis=0) - implied.mean).max() < 1.5 * error
    assert np.abs(answers.std(axis=0) - implied.sd).max() < 1.5 * error
    assert np.abs(np.corrcoef(answers.T) - implied.correlation).max() < error
    assert np.abs(np.corrcoef(propensity.T) - implied.propensity_correlation).max() < error
    both = np.corrcoef(answers.T, latents.T)[: len(ITEMS), len(ITEMS) :]
    assert np.abs(both - implied.validity).max() < error


def test_a_scale_used_alike_by_all_only_takes_from_a_loading() -> None:
    plain = Measurement(acquiescence=0.0, stretch=0.0, straight_lining=0.0)
    loadings = implied_moments(plain, latent_covariance()).loadings(plain).dropna()
    assert (loadings["validity"] < loadings["loading"]).all()
    # Items cut alike share the skewness of their answers too, which a factor analysis takes for
    # the construct: a little more than the answers share with it.
    more = loadings["factor_loading"] - loadings["validity"]
    assert (more > 0).all() and more.max() < 0.025


def test_scale_usage_lifts_the_correlation_of_unrelated_items() -> None:
    alone = np.diag(np.diag(latent_covariance()))
    between = implied_moments(Measurement(), alone).correlation[0, -1]
    plain = Measurement(acquiescence=0.0, stretch=0.0, straight_lining=0.0)
    assert implied_moments(plain, alone).correlation[0, -1] == pytest.approx(0, abs=1e-12)
    assert 0.05 < between < 0.15


def test_two_boxes_have_the_closed_form_of_tetrachoric_correlation() -> None:
    # One threshold at the mean: corr of the signs is 2/pi arcsin(rho).
    items = tuple(item.__class__(item.name, item.construct, item.loading, 0.0) for item in ITEMS)
    one = Measurement(items=items, thresholds=(0.0,), acquiescence=0, stretch=0, straight_lining=0)
    implied = implied_moments(one, latent_covariance())
    rho = implied.propensity_correlation[0, 1]
    assert implied.correlation[0, 1] == pytest.approx(2 / np.pi * np.arcsin(rho), abs=1e-8)


@pytest.mark.parametrize(
    ("covariance", "told"),
    [
        (np.eye(3), "has shape"),
        (-np.eye(len(LATENTS)), "no covariance matrix"),
        (np.triu(np.ones((len(LATENTS), len(LATENTS)))), "no covariance matrix"),
    ],
)
def test_what_is_no_covariance_is_refused(covariance: np.ndarray, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        implied_moments(Measurement(), covariance)


def test_answers_stay_on_the_scale_and_straight_lines_are_straight(draws) -> None:
    answers = draws[2]
    assert set(np.unique(answers)) == set(range(1, POINTS + 1))
    share = (answers == answers[:, :1]).all(axis=1).mean()
    expected = Measurement().straight_lining
    assert share == pytest.approx(expected, abs=STANDARD_ERRORS * np.sqrt(expected / DRAWN))


def test_the_first_respondents_of_many_are_those_of_few() -> None:
    few, many = (draw_scale_usage(n, Measurement(), np.random.default_rng(3)) for n in (50, 5_000))
    for name in ("shift", "factor", "straight"):
        assert (getattr(few, name) == getattr(many, name)[:50]).all()


def test_specific_performance_reaches_only_its_own_item() -> None:
    latents = np.zeros((2, len(LATENTS)))
    errors = np.zeros((2, len(ITEMS)))
    specific = np.zeros((2, len(ATTRIBUTES)))
    specific[1, list(ATTRIBUTES).index("price")] = 1.0
    moved = propensities(latents, Measurement(), errors, specific)
    changed = [ITEMS[k].name for k in np.flatnonzero(moved[1] != moved[0])]
    assert changed == ["functional_price"]


def test_slopes_grow_where_the_construct_varies_less() -> None:
    slope, own = slopes(Measurement())
    for place, item in enumerate(ITEMS):
        assert slope[place] * REFERENCE_SD[item.construct] == pytest.approx(item.loading)
        assert own[place] ** 2 + item.loading**2 == pytest.approx(1)


def test_kano_probabilities_are_those_of_drawn_answers() -> None:
    segment = np.arange(DRAWN) % len(SEGMENTS)
    presence, absence = draw_kano_answers(segment, np.random.default_rng(2))
    found = np.array([list(row) for row in TABLE])[presence - 1, absence - 1]
    stated = kano_probabilities().set_index(["attribute", "segment"])
    error = STANDARD_ERRORS * np.sqrt(0.25 * len(SEGMENTS) / DRAWN)
    for (place, name), (which, who) in itertools.product(
        enumerate(ATTRIBUTES), enumerate(SEGMENTS)
    ):
        own = found[segment == which, place]
        for letter in TIES:
            assert (own == letter).mean() == pytest.approx(
                stated.loc[(name, who), letter], abs=error
            )


def test_true_classes_are_the_most_probable_ones() -> None:
    table = kano_probabilities([0.4, 0.25, 0.2, 0.15])
    assert (table["true_class"] == table["modal_class"]).all()
    assert table[list(TIES)].sum(axis=1).to_numpy() == pytest.approx(1)
    assert set(KANO_CLASSES) == set(ATTRIBUTES)
    assert set("".join(KANO_CLASSES.values())) == set("MOAIR")
    assert table["better"].between(0, 1).all()
    assert table["worse"].between(-1, 0).all()


@given(st.lists(st.floats(0, 1), min_size=5, max_size=5))
@settings(max_examples=25)
def test_attributes_share_the_weight_of_their_dimension(weights: list[float]) -> None:
    importance = attribute_importance(weights)
    assert importance.sum() == pytest.approx(sum(weights[:4]))
    for dimension in DIMENSIONS[:-1]:
        own = [SHARES[name] for name, which in ATTRIBUTES.items() if which == dimension]
        assert sum(own) == pytest.approx(1)


def test_price_is_exaggerated_and_recognition_denied() -> None:
    equal = np.full((20_000, len(ATTRIBUTES)), 0.1)
    stated = draw_stated_importance(equal, np.random.default_rng(1)).mean(axis=0)
    by_name = dict(zip(ATTRIBUTES, stated, strict=True))
    assert max(by_name, key=by_name.__getitem__) == "price"
    assert by_name["recognition"] < by_name["ordering"] - 0.5
    # all attributes of one respondent move together
    correlation = np.corrcoef(draw_stated_importance(equal, np.random.default_rng(1)).T)
    assert correlation[3, 5] > 0.25


def test_price_points_are_parts_of_what_the_package_is_worth() -> None:
    generator = np.random.default_rng(4)
    worth = draw_willingness_to_pay(np.zeros((DRAWN, 5)), np.zeros((DRAWN, 5)), generator)
    points = draw_price_points(worth, generator)
    assert np.median(worth) == pytest.approx(110, rel=0.01)
    assert np.log(worth).std() == pytest.approx(0.18, abs=0.003)
    assert np.median(points / worth[:, None], axis=0) == pytest.approx(
        [0.42, 0.62, 0.86, 1.0], abs=0.01
    )
    assert (points % 5 == 0).all() and points.min() >= 5
    contradictions = (np.diff(points, axis=1) < 0).any(axis=1).mean()
    assert 0.05 < contradictions < 0.25


def test_choices_follow_surplus() -> None:
    rng = np.random.default_rng(6)
    segment = np.arange(4_000) % len(SEGMENTS)
    worths = draw_worths(segment, np.zeros((4_000, 5)), rng)
    study = draw_choices(worths, np.full(4_000, 90.0), rng)
    assert {name: int(level.max()) + 1 for name, level in study.level.items()} == {
        name: len(levels) for name, levels in CHOICE_LEVELS.items()
    }
    taken = study.chosen < PACKAGES
    row, task = np.nonzero(taken)
    paid = study.price[row, task, study.chosen[row, task]]
    assert paid.mean() < study.price.mean() - 10
    # partners choose the named person more often than the price-driven do
    person = study.level["contact_person"][row, task, study.chosen[row, task]]
    shares = [person[segment[row] == k].mean() for k in range(len(SEGMENTS))]
    assert shares[SEGMENTS.index("partners")] > shares[SEGMENTS.index("price-driven")] + 0.05


def test_nobody_takes_what_is_worth_nothing() -> None:
    rng = np.random.default_rng(6)
    worths = draw_worths(np.zeros(100, dtype=int), np.zeros((100, 5)), rng)
    study = draw_choices(worths, np.full(100, -1e6), rng)
    assert (study.chosen == PACKAGES).all()
