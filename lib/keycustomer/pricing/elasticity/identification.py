"""Which variation of prices identifies an elasticity, in words and as a decomposition.

Question: where do the prices come from that the estimate compares, and what must be true of them?
:func:`price_variation` measures how much of the variance of log price each effect takes and how
much is left; :func:`identification` says it.

Source: Berry & Haile (2021), Handbook of Industrial Organization 4, chapter 1, on what
identifies demand.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import percent
from keycustomer.pricing.elasticity.first_stage import FirstStage
from keycustomer.pricing.elasticity.rows import Columns, Rows
from keycustomer.stats.regressions.absorbing import sweep

LITTLE = 0.02
"""Share of the price variance left below which that is told."""


def price_variation(rows: Rows) -> pd.DataFrame:
    """Decompose the variance of log price by the effects in the order given.

    Parameters
    ----------
    rows : Rows
        One group's rows.

    Returns
    -------
    DataFrame
        source (an effect, then "other prices and controls", then "left"), share of the variance
        that it takes beyond those before it, 0..1.
    """
    price = rows.columns[:, :1]
    total = float(((price - price.mean()) ** 2).sum())
    remains, found = 1.0, []
    for count, name in enumerate(rows.names, start=1):
        left = float((sweep(price, rows.effects[:, :count]) ** 2).sum()) / total
        found.append((name, remains - left))
        remains = left
    others = rows.left[:, 2 : 1 + rows.columns.shape[1]]
    if others.shape[1]:
        own = rows.left[:, 1]
        rest = own - others @ np.linalg.lstsq(others, own, rcond=None)[0]
        left = float((rest**2).sum()) / total
        found.append(("other prices and controls", remains - left))
        remains = left
    found.append(("left", remains))
    return pd.DataFrame(found, columns=["source", "share"])


def identification(columns: Columns, variation: pd.DataFrame, stage: FirstStage | None) -> str:
    """Say which prices are compared, and under which assumption that is causal."""
    shares = dict(zip(variation["source"], variation["share"], strict=True))
    left = shares.pop("left")
    taken = ", ".join(f"{name} {percent(share)}" for name, share in shares.items())
    said = f"Of the variance of log {columns.price} "
    said += f"{taken} is set aside and {percent(left)} is used: " if taken else "all is used: "
    said += _compared(columns)
    if stage is not None:
        return said + _by_instruments(columns, stage)
    said += (
        ". Causal only if nothing else that moves sales goes with these price differences: prices "
        "lowered where demand is weak or where a deal is advertised would break it"
    )
    if left < LITTLE:
        said += "; with so little left, errors in recorded prices pull the estimate towards 0"
    return said + "."


def _compared(columns: Columns) -> str:
    if not columns.effects:
        return "dear rows are compared with cheap ones, whatever the product, customer or time"
    effects = " and ".join(name.replace("^", " x ") for name in columns.effects)
    beyond = " and other prices and controls" if columns.cross or columns.controls else ""
    return f"rows are compared that have the same {effects}{beyond} in common"


def _by_instruments(columns: Columns, stage: FirstStage) -> str:
    names = " and ".join(columns.instruments)
    force = (
        f"effective F {stage.effective_f:,.1f} against a critical value of "
        f"{stage.critical_value:,.1f}"
    )
    said = (
        f", and of that only the {percent(stage.partial_r2)} that goes with {names} ({force}). "
        f"Causal if {names} {'move' if len(columns.instruments) > 1 else 'moves'} sales through "
        "the price alone"
    )
    if np.isnan(stage.overidentification):
        said += ", which the data cannot test"
    else:
        said += f"; that all instruments agree has p = {stage.overidentification:.3f}"
    if stage.weak:
        said += ". The instruments are weak: read the Anderson-Rubin interval, not the usual one"
    return said + "."
