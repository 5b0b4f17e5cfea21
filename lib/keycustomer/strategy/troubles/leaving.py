"""Who leaves faster, the large or the others: leaving rates by tier.

Question: of a hundred large customers, how many leave in a year, and how many of the others?
:func:`leaving_by_tier` counts, with intervals of customers drawn again.  It is what a board reads;
whether size itself is at work, contract, tenure and service held equal, is asked by the churn
model of chapter 3.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import made_up_note, percent, report_html
from keycustomer.stats import Estimate, bootstrap, bootstrap_estimate, verdict_above
from keycustomer.stats.bootstrap import Seed
from keycustomer.stats.samples import FloatArray

RATE_UNIT = "share of customers a year"


@dataclass(frozen=True, eq=False)
class TierLeaving:
    """Leaving rates of the tiers.

    Attributes
    ----------
    frame : DataFrame
        tier ("large", "others", then every tier), customers, left, rate (leavers a customer and
        year), lower, upper.
    ratio : Estimate
        Rate of the large over that of the others.
    large : tuple of str
        The tiers called large: all but the last.
    simulated : bool
        Whether the data are made up.
    """

    frame: pd.DataFrame
    ratio: Estimate
    large: tuple[str, ...]
    simulated: bool = field(default=False)

    @property
    def verdict(self) -> str:
        """Verdict on the claim that the large leave faster."""
        return verdict_above(self.ratio, 1.0)

    @property
    def sentence(self) -> str:
        """The finding in words."""
        rates = self.frame.set_index("tier")["rate"]
        return (
            f"Of the large customers {percent(rates['large'])} leave in a year, of the others "
            f"{percent(rates['others'])}: {self.ratio.estimate:.2f} times as many"
        )

    def to_frame(self) -> pd.DataFrame:
        """Give a copy of `frame`."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        said = [*made_up_note(self.simulated), f"{self.sentence}."]
        return report_html("Who leaves", said, {"By tier": self.frame})


def leaving_by_tier(
    months: pd.DataFrame,
    tiers: pd.Series,
    *,
    draws: int = 1000,
    seed: Seed = 0,
    simulated: bool = False,
) -> TierLeaving:
    """Count leavers by tier.

    Parameters
    ----------
    months : DataFrame
        One row a customer and month: customer_id, left.
    tiers : Series
        Tier by customer_id, in the order of an ordered category, else sorted; all tiers but the
        last are called large.
    draws, seed
        Bootstrap over customers.
    simulated : bool
        Whether the data are made up.

    Raises
    ------
    ValueError
        When there are fewer than two tiers among the customers, or a customer has two.
    """
    if tiers.index.has_duplicates:
        twice = tiers.index[tiers.index.duplicated()][0]
        raise ValueError(f"tiers: {twice!r} comes more than once; one tier a customer is needed")
    own = months.groupby("customer_id")["left"].agg(["size", "sum"])
    tier = tiers.reindex(own.index)
    ordered = isinstance(tiers.dtype, pd.CategoricalDtype)
    names = [t for t in tiers.cat.categories if (tier == t).any()] if ordered else sorted(
        tier.dropna().unique(), key=str
    )  # fmt: skip
    if len(names) < 2:
        raise ValueError(f"two tiers are needed to compare, there is {list(map(str, names))}")
    known = tier.notna().to_numpy()
    masks = {"large": known & (tier != names[-1]).to_numpy(), "others": (tier == names[-1])}
    masks |= {str(name): (tier == name) for name in names}
    inside = np.column_stack([np.asarray(mask, dtype=bool) for mask in masks.values()])
    sums = np.hstack([inside * own[[c]].to_numpy(dtype=float) for c in ("sum", "size")])
    estimates = _rates(sums, inside.sum(axis=0), draws, seed)
    left = sums[:, : len(masks)].sum(axis=0)
    rows = [
        {"tier": name, "customers": int(inside[:, k].sum()), "left": int(left[k]),
         "rate": estimates[k].estimate, "lower": estimates[k].lower, "upper": estimates[k].upper}
        for k, name in enumerate(masks)
    ]  # fmt: skip
    large = tuple(map(str, names[:-1]))
    return TierLeaving(pd.DataFrame(rows), estimates[-1], large, simulated)


def _rates(sums: FloatArray, sizes: FloatArray, draws: int, seed: Seed) -> list[Estimate]:
    """Rates of the groups, then the ratio of the first two."""
    groups = len(sizes)

    def rates(totals: FloatArray) -> FloatArray:
        with np.errstate(divide="ignore", invalid="ignore"):
            found = 12 * totals[:, :groups] / totals[:, groups:]
            return np.column_stack([found, found[:, 0] / found[:, 1]])

    found = rates(sums.sum(axis=0, keepdims=True))[0]
    drawn = bootstrap(lambda w: rates(w @ sums), np.ones(len(sums)), draws=draws, seed=seed)
    counts = [*sizes.tolist(), len(sums)]
    units = [RATE_UNIT] * groups + ["ratio"]
    return [
        bootstrap_estimate(float(found[k]), drawn[:, k], unit=units[k], n=int(counts[k]))
        for k in range(groups + 1)
    ]
