"""Rows of customers whose true probability to leave is known, made for tests of churn models."""

import numpy as np
import pandas as pd

INTERCEPT, SLOPES = -3.0, (0.8, -0.5)
"""True log-odds of leaving: intercept, slope of a number that stays, of one that changes."""

PREMIUM = 0.6
"""True log-odds of the plan "premium" against "basic"."""


def known_rows(customers: int, periods: int = 12, seed: int = 0) -> pd.DataFrame:
    """Customer-periods until leaving: customer_id, number, lasting, passing, plan, truth, left."""
    generator = np.random.default_rng(seed)
    n = customers * periods
    frame = pd.DataFrame(
        {
            "customer_id": np.repeat(np.arange(customers), periods),
            "number": np.tile(np.arange(periods), customers),
            "lasting": np.repeat(generator.normal(size=customers), periods),
            "passing": generator.normal(size=n),
            "plan": np.repeat(
                generator.choice(["basic", "premium"], customers, p=[0.7, 0.3]), periods
            ),
        }
    )
    odds = INTERCEPT + SLOPES[0] * frame["lasting"] + SLOPES[1] * frame["passing"]
    odds += PREMIUM * (frame["plan"] == "premium")
    frame["truth"] = 1 / (1 + np.exp(-odds))
    frame["left"] = generator.random(n) < frame["truth"]
    gone = frame.groupby("customer_id")["left"].cumsum() - frame["left"]
    return frame[gone == 0].reset_index(drop=True)
