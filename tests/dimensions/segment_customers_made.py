"""Customers made with known segments, with none, and with answers whose BIC keeps falling."""

import numpy as np
import pandas as pd

KINDS = {
    "psychographic": ["price orientation", "innovativeness"],
    "firmographic": ["industry", "employees"],
    "value": ["spend"],
    "geographic": ["region"],
}
LOGGED = ["employees", "spend"]


def company(n: int, seed: int = 1) -> tuple[pd.DataFrame, np.ndarray]:
    """Four segments in thought and industry, fainter in size and spend, none in region."""
    rng = np.random.default_rng(seed)
    group = rng.integers(0, 4, n)
    a, b, size = np.array([[2, 0, 0], [-2, 0, 0], [0, 2, 1], [0, -2, -1]])[group].T
    own = np.array(["retail", "law", "machines", "health"])[group]
    frame = pd.DataFrame(
        {
            "customer_id": [f"c{i}" for i in range(n)],
            "price orientation": a + rng.normal(size=n),
            "innovativeness": b + rng.normal(size=n),
            "industry": np.where(rng.random(n) < 0.6, own, "other trade"),
            "employees": np.exp(3 + size / 2 + rng.normal(size=n)),
            "spend": np.exp(6 + size / 2 + rng.normal(size=n)),
            "region": rng.choice(["north", "south", "west"], n),
        }
    )
    return frame, group


def cloud(n: int, seed: int = 1) -> pd.DataFrame:
    """Customers of a single kind, all six variables driven by one factor."""
    rng = np.random.default_rng(seed)
    factor = rng.normal(size=(n, 1))
    return pd.DataFrame(0.7 * factor + 0.7 * rng.normal(size=(n, 6)), columns=list("abcdef"))


def blobs(n: int, gap: float = 5.0, seed: int = 1) -> tuple[pd.DataFrame, np.ndarray]:
    """Four round segments in the plane."""
    rng = np.random.default_rng(seed)
    group = rng.integers(0, 4, n)
    centres = gap * np.array([[0, 0], [1, 0], [0, 1], [1, 1]])
    return pd.DataFrame(centres[group] + rng.normal(size=(n, 2)), columns=["x", "y"]), group


def yes_and_no(n: int, seed: int = 1) -> tuple[pd.DataFrame, np.ndarray]:
    """Answers to twelve questions by four classes, two and two alike.

    Within a class three moods, each behind four questions, make neighbours agree: the likelihood
    of classes that are independent within goes on gaining from classes that are none.
    """
    rng = np.random.default_rng(seed)
    group = rng.integers(0, 4, n)
    yes = np.repeat(np.array([[1, 1, 0], [1, 0, 0], [0, 0, 1], [0, 0, 0]]), 4, axis=1)
    leaning = np.where(yes == 1, 1.0, -1.0)[group] * np.log(0.85 / 0.15)
    mood = np.repeat(rng.normal(size=(n, 3)), 4, axis=1)
    answers = leaning + 1.5 * mood + rng.logistic(size=(n, 12)) > 0
    return pd.DataFrame(answers.astype(int), columns=[f"q{i}" for i in range(12)]), group
