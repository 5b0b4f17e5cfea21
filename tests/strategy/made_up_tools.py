"""Made-up results of subsets of tools: companies whose worth by subset is given."""

import numpy as np
import pandas as pd
from keycustomer.simulate import TOOLS
from keycustomer.strategy.tools.coalitions import coalition_names, member_table
from keycustomer.strategy.tools.subsets import ToolSubsets

MEMBERS = member_table(len(TOOLS))
USUAL = 1_000.0


def made_up(gains, usual=USUAL):
    """Give companies with these gains, shares of the usual profit, shape (companies, 64)."""
    gains = np.asarray(gains, dtype=float)
    worth = usual * (1 + gains)
    one = {"subset": coalition_names(TOOLS), "tools": MEMBERS.sum(axis=1)}
    one |= {tool: MEMBERS[:, place] for place, tool in enumerate(TOOLS)}
    parts = [
        pd.DataFrame(
            {"company": seed, **one, "profit": own, "margin": 2 * own, "revenue": 3 * own}
            | {"churn": 0.01 - 0.001 * own / usual, "profit_gain": own / usual - 1}
        )
        for seed, own in enumerate(worth, start=1)
    ]
    return ToolSubsets(pd.concat(parts, ignore_index=True), 100, 12)


def noisy(gain, companies=20, spread=0.05, seed=0):
    """Give companies around the gains of subsets; that of nobody is 0."""
    noise = np.random.default_rng(seed).normal(0, spread, (companies, len(MEMBERS)))
    noise[:, 0] = 0.0
    return made_up(np.asarray(gain) + noise)


SINGLE = np.array([0.30, 0.10, 0.04, 0.06, 0.09, 0.05])
"""Gains of the six tools alone."""

ADDITIVE = MEMBERS @ SINGLE
SYSTEM = ADDITIVE + 0.2 * (MEMBERS[:, 0] & MEMBERS[:, 5]) + 0.1 * MEMBERS.all(axis=1)
CROWDED = ADDITIVE - 0.05 * np.maximum(MEMBERS.sum(axis=1) - 1, 0)
