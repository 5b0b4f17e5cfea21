"""Markets with known demand: prices answer to unseen quality and to costs."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd

PRICE, TASTE = -2.0, 1.0


def known_market(
    markets=40, products=4, *, price=PRICE, endogeneity=0.5, seed=0, nesting=0.0
) -> pd.DataFrame:
    """Rows of logit demand: utility 1 + taste x + price p + quality; cost is the instrument."""
    generator = np.random.default_rng(seed)
    shape = (markets, products)
    x, cost = generator.normal(size=shape), generator.uniform(0.5, 1.5, shape)
    quality = generator.normal(0, 0.5, shape)
    paid = 1.5 + cost + endogeneity * quality + generator.normal(0, 0.1, shape)
    paid = np.maximum(paid, 0.05)
    nest = np.arange(products) % 2
    utility = np.exp((1 + TASTE * x + price * paid + quality) / (1 - nesting))
    inside = np.stack([utility[:, nest == g].sum(axis=1) for g in (0, 1)], axis=1)
    total = 1 + (inside ** (1 - nesting)).sum(axis=1)
    share = utility * inside[:, nest] ** -nesting / total[:, None]
    names = [f"P{j}" for j in range(products)]
    return pd.DataFrame(
        {
            "market": np.repeat([f"M{t:03d}" for t in range(markets)], products),
            "product": np.tile(names, markets),
            "firm": np.tile([f"F{j // 2}" for j in range(products)], markets),
            "price": paid.ravel(),
            "share": share.ravel(),
            "x": x.ravel(),
            "cost": cost.ravel(),
            "nest": np.tile(nest, markets).astype(str),
            "rival_cost": (cost.sum(axis=1, keepdims=True) - cost).ravel(),
        }
    )


def packaged(name: str) -> pd.DataFrame:
    """A file of pyblp's data, under the column names of a market table."""
    location = find_spec("pyblp").submodule_search_locations[0]
    return pd.read_csv(Path(location) / "data" / f"{name}.csv").rename(
        columns={
            "market_ids": "market",
            "product_ids": "product",
            "car_ids": "product",
            "prices": "price",
            "shares": "share",
            "firm_ids": "firm",
        }
    )
