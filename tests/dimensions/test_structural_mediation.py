"""A sum of mediated effects is the sum of its parts, with the interval of a sum."""

import numpy as np
import pandas as pd
import pytest
from keycustomer.dimensions import fit_sem, mediated_effect, model_text

CONSTRUCTS = {"price": ["p1", "p2"], "service": ["s1", "s2"], "joy": ["j1", "j2"], "stay": ["l"]}
PATHS = "price + service -> joy; price + joy -> stay"


@pytest.fixture(scope="module")
def answers() -> pd.DataFrame:
    generator = np.random.default_rng(7)
    price, service = generator.normal(size=(2, 800))
    joy = 0.4 * price + 0.5 * service + 0.6 * generator.normal(size=800)
    stay = 0.3 * price + 0.6 * joy + 0.5 * generator.normal(size=800)
    seen = {"p": price, "s": service, "j": joy}
    items = {
        f"{letter}{n}": latent + 0.5 * generator.normal(size=800)
        for letter, latent in seen.items()
        for n in (1, 2)
    }
    return pd.DataFrame({**items, "l": stay})


@pytest.fixture(scope="module")
def fitted(answers):
    return fit_sem(model_text(PATHS, CONSTRUCTS), answers)


def test_the_sum_is_that_of_the_single_ways(fitted) -> None:
    ways = fitted.indirect_effects().set_index(["effect", "kind"])["standardised"]
    together = mediated_effect(fitted, ["price", "service"], "joy", "stay")
    parts = [ways[f"{cause} -> joy -> stay", "indirect"] for cause in ("price", "service")]
    assert together.estimate == pytest.approx(sum(parts), abs=1e-12)


def test_one_cause_has_the_interval_of_its_way(fitted) -> None:
    alone = mediated_effect(fitted, ["service"], "joy", "stay")
    row = fitted.indirect_effects().query("effect == 'service -> joy -> stay'").iloc[0]
    assert alone.lower == pytest.approx(row["standardised_lower"], abs=1e-12)
    assert alone.upper == pytest.approx(row["standardised_upper"], abs=1e-12)


def test_resamples_give_a_percentile_interval_about_the_same_sum(fitted) -> None:
    drawn = mediated_effect(fitted.bootstrap(200, seed=1), ["price", "service"], "joy", "stay")
    delta = mediated_effect(fitted, ["price", "service"], "joy", "stay")
    assert drawn.estimate == pytest.approx(delta.estimate, abs=1e-12)
    assert drawn.lower < drawn.estimate < drawn.upper
    assert "bootstrap" in drawn.method and "delta" in delta.method


def test_a_way_that_is_none_is_told_with_those_there_are(fitted) -> None:
    with pytest.raises(ValueError, match=r"no way stay -> joy -> price; its ways are: price"):
        mediated_effect(fitted, ["stay"], "joy", "price")
