"""Spells made by chance, with ties, late entries and known hazards."""

import numpy as np
import pandas as pd
from keycustomer.relationships import Spells, read_spells


def tied_spells(seed: int, n: int = 60, latest: int = 8) -> pd.DataFrame:
    """Few distinct times, many ties, entries after the start, two covariates and two groups."""
    rng = np.random.default_rng(seed)
    entry = rng.integers(0, latest // 2, n).astype(float)
    return pd.DataFrame(
        {
            "customer_id": np.arange(n),
            "entry": entry,
            "tenure": entry + rng.integers(1, latest, n),
            "ended": rng.random(n) < 0.6,
            "reason": rng.choice(["price", "service"], n),
            "age": rng.normal(50, 10, n),
            "managed": rng.integers(0, 2, n).astype(float),
            "plan": rng.choice(["x", "y"], n),
        }
    )


def in_pieces(table: pd.DataFrame) -> pd.DataFrame:
    """The same spells cut at every whole time."""
    parts = []
    for row in table.to_dict("records"):
        cuts = np.arange(row["entry"], row["tenure"])
        part = pd.DataFrame([row] * len(cuts))
        part["entry"], part["tenure"] = cuts, np.minimum(cuts + 1, row["tenure"])
        part["ended"] = (part["tenure"] == row["tenure"]) & row["ended"]
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def known_hazards(
    seed: int, n: int, effect: float, *, late: bool = True, rate: float = 0.05
) -> Spells:
    """Exponential tenures, a covariate of known effect, seen in a window of 24 months.

    Half the customers joined before the window; who had left by then is not in it.
    """
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    lasting = rng.exponential(1 / (rate * np.exp(effect * x)))
    before = np.where(late & (rng.random(n) < 0.5), rng.uniform(0, 48, n), 0.0)
    seen = lasting > before
    end = np.minimum(lasting, before + 24)
    table = pd.DataFrame({"entry": before, "tenure": end, "ended": lasting <= before + 24, "x": x})
    return read_spells(table[seen].reset_index(drop=True))
