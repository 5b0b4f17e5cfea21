"""Several demand models of one market side by side: what the method does to the answer.

:func:`compare_demands` puts fitted models into one table: the price coefficient, the mean own-price
elasticity with its interval, how many products would face inelastic demand, the mean markup, the
strength of the instruments.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import report_html
from keycustomer.pricing.market.demand import MarketDemand, Ownership


@dataclass(frozen=True, eq=False)
class DemandComparison:
    """Demand models of one market.

    Attributes
    ----------
    frame : DataFrame
        name, model, price_coefficient (NaN where only demographics move it), standard_error,
        own_price_elasticity, lower, upper, inelastic (rows), rows, markup (mean of
        (price - marginal cost) / price; NaN without an ownership), negative_costs (rows),
        effective_f (NaN without instruments).
    truth : float or None
        True mean own-price elasticity, where it is known.
    level : float
        Confidence level of the intervals.
    simulated : bool
        Whether the market is simulated.
    """

    frame: pd.DataFrame = field(repr=False)
    truth: float | None = None
    level: float = 0.95
    simulated: bool = False

    def to_frame(self) -> pd.DataFrame:
        """Give a row a model."""
        return self.frame.copy()

    @property
    def sentence(self) -> str:
        """How far the models differ, in words."""
        rows = self.frame.sort_values("own_price_elasticity", kind="stable")
        data = "Simulated: " if self.simulated else ""
        ends = [f"{r['own_price_elasticity']:.2f} ({r['name']})" for _, r in rows.iterrows()]
        known = "" if self.truth is None else f"; the truth is {self.truth:.2f}"
        if len(ends) == 1:
            return f"{data}mean own-price elasticity {ends[0]}{known}"
        return f"{data}mean own-price elasticity from {ends[0]} to {ends[-1]}{known}"

    def _repr_html_(self) -> str:
        said = [f"{self.sentence}."]
        return report_html("Demand models of one market", said, {"Models": self.frame})


def compare_demands(
    demands: Mapping[str, MarketDemand],
    *,
    ownership: Ownership | None = "firm",
    truth: float | None = None,
) -> DemandComparison:
    """Put demand models side by side.

    Parameters
    ----------
    demands : mapping of str to MarketDemand
        Fitted models by the name they are shown under.
    ownership : str, mapping or None
        For markups (see `MarketDemand.markups`); None, or a column the table lacks, gives none.
    truth : float, optional
        True mean own-price elasticity.

    Raises
    ------
    ValueError
        When there is no model, or they rest on different confidence levels.
    """
    if not demands:
        raise ValueError("demands is empty: give at least one fitted model by its name")
    levels = {one.level for one in demands.values()}
    if len(levels) > 1:
        raise ValueError(f"demands: confidence levels differ ({sorted(levels)}); fit them alike")
    rows = [_row(name, one, ownership) for name, one in demands.items()]
    simulated = any(one.table.simulated for one in demands.values())
    return DemandComparison(pd.DataFrame(rows), truth, levels.pop(), simulated)


def _row(name: str, demand: MarketDemand, ownership: Ownership | None) -> dict[str, object]:
    price = demand.coefficients.query("term == 'price' and kind == 'mean'")
    known = len(price) > 0
    owned = ownership is not None and not (
        isinstance(ownership, str) and ownership not in {"monopoly", *demand.table.frame.columns}
    )
    markups = demand.markups(ownership) if owned and ownership is not None else None
    first = demand.first_stage
    return {
        "name": name,
        "model": demand.model,
        "price_coefficient": float(price["estimate"].iloc[0]) if known else np.nan,
        "standard_error": float(price["standard_error"].iloc[0]) if known else np.nan,
        "own_price_elasticity": demand.own_price_elasticity.estimate,
        "lower": demand.own_price_elasticity.lower,
        "upper": demand.own_price_elasticity.upper,
        "inelastic": demand.inelastic,
        "rows": len(demand.table),
        "markup": np.nan if markups is None else float(markups["markup"].mean()),
        "negative_costs": np.nan if markups is None else int((markups["marginal_cost"] < 0).sum()),
        "effective_f": np.nan if first is None else first.effective_f,
    }
