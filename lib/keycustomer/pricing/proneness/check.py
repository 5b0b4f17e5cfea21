"""Does deal-proneness tell who is price-driven?  Held against elasticities and coupons (V5).

Question: history shows who often buys specials; is that customer price-driven?
:func:`proneness_check` estimates deal-proneness from purchases up to a day and asks of later ones:
do the prone follow prices more strongly than others (their relative elasticity, estimated from
later purchases, with the errors of both taken into account), and do they redeem coupons more often
when they get a campaign, also among customers who spend alike?

The verdict is fixed: `supported` when the correlation of proneness and later price response lies
above 0, and, where offers and answers are known, the area under the ROC curve of proneness among
customers who spend alike lies above one half, each by its whole interval; `not supported` when
either lies at or below; else `undecided`.

Sources: Lichtenstein, Netemeyer & Burton (1990), Journal of Marketing 54(3), 54-67; Bawa &
Shoemaker (1987), Journal of Marketing 51(4), 99-110.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from keycustomer.customers.base import CustomerBase
from keycustomer.customers.rendering import counted, made_up_note, percent, report_html
from keycustomer.customers.statements import statement_of
from keycustomer.dimensions.behaviour.deals import read_deals
from keycustomer.dimensions.behaviour.proneness import fit_proneness
from keycustomer.dimensions.behaviour.windows import observed_window, split_day
from keycustomer.dimensions.statements import statement
from keycustomer.lifetime.arguments import Day, whole_number
from keycustomer.pricing.proneness.agreement import Measured, agreement
from keycustomer.pricing.proneness.redemptions import Redemptions, redemptions
from keycustomer.pricing.proneness.responses import (
    PACKAGE,
    PriceResponses,
    need_prices,
    price_responses,
    relative_to,
)
from keycustomer.stats import Estimate, verdict_above
from keycustomer.stats.bootstrap import Seed, checked_level
from keycustomer.stats.student import student_quantile

NEARLY_ALL = 0.9
"""Share of lines on deal above which deals do not tell customers apart."""

POSTED = 0.5
"""Share of the variance of discounts that customers who buy the same product in the same week must
have in common, so that a price is one that all could have had."""

SCORES = ("deal-proneness", "share of purchases on deal", "spending (log)", "price response")
"""What is known of customers before an offer."""


@dataclass(frozen=True, eq=False)
class PronenessCheck:
    """Deal-proneness held against later price response and answers to offers.

    Attributes
    ----------
    split : date
        Last day of the purchases that proneness was estimated from.
    customers : int
        Customers whose proneness and later price response are both told.
    correlation : Estimate
        Of proneness and later price response (minus the relative elasticity), both shrunken.
    true_correlation : Estimate
        The same without the errors of both.
    spread : float
        Standard deviation of true relative elasticities between customers.
    groups : DataFrame
        One row a group by proneness, the least prone first: ``group``, ``customers``,
        ``proneness`` (mean), ``relative_elasticity`` (later; 0 is the average customer, negative
        more elastic) with ``lower``, ``upper``.
    redemptions : Redemptions or None
        Who answered an offer.
    level : float
        Level of the intervals.
    simulated : bool
        Whether the data are made up.
    notes : tuple of str
        What a reader should know.
    """

    split: dt.date
    customers: int
    correlation: Estimate
    true_correlation: Estimate
    spread: float
    groups: pd.DataFrame = field(repr=False)
    redemptions: Redemptions | None = field(repr=False)
    level: float
    simulated: bool
    notes: tuple[str, ...]

    @property
    def verdict(self) -> str:
        """Verdict on V5, by the rule of the module."""
        verdicts = [verdict_above(self.correlation, 0.0)]
        if self.redemptions is not None:
            verdicts.append(verdict_above(self.redemptions.among_alike, 0.5))
        if "not supported" in verdicts:
            return "not supported"
        return "undecided" if "undecided" in verdicts else "supported"

    @property
    def sentence(self) -> str:
        """The check in words."""
        low, high = self.groups.iloc[0], self.groups.iloc[-1]
        said = (
            f"After {self.split} the most prone group was {_beside(high)}, the least prone "
            f"{_beside(low)}; proneness and later price response correlate by {self.correlation}, "
            f"without the errors of both by {self.true_correlation}."
        )
        if self.redemptions is None:
            return said
        return (
            f"{said} Of two customers with a campaign who spend alike, of whom one redeemed a "
            f"coupon, it is the more prone one in {self.redemptions.among_alike.as_percent(0)} of "
            "cases."
        )

    def to_frame(self) -> pd.DataFrame:
        """One row a group by proneness."""
        return self.groups.copy()

    def __repr__(self) -> str:
        """Say the check in words."""
        return f"PronenessCheck({self.sentence})"

    def _repr_html_(self) -> str:
        tables = {"Later price response by proneness": self.groups}
        if self.redemptions is not None:
            tables["Who answers an offer"] = self.redemptions.auc
            tables["All scores in one regression"] = self.redemptions.odds
        said = [
            *made_up_note(self.simulated),
            self.sentence,
            f"Verdict: {self.verdict}.",
            *self.notes,
        ]
        return report_html("Deal-proneness against price response", said, tables)


def proneness_check(
    base: CustomerBase,
    *,
    split: Day = None,
    deeper_than: float = 0.0,
    offer: str | None = None,
    answer: str | None = None,
    categories: int = 100,
    groups: int = 5,
    level: float = 0.95,
    draws: int = 1000,
    seed: Seed = 0,
) -> PronenessCheck:
    """Hold deal-proneness against later price response and answers to offers.

    Parameters
    ----------
    base : CustomerBase
        The prepared base, with discounts and product categories.
    split : date or ISO string, optional
        Last day of the purchases that proneness is estimated from; left out, the middle.
    deeper_than : float
        A line is on deal when its discount is a larger share of its list value than this.
    offer, answer : str, optional
        Kinds of interaction after the split, such as `campaign` and `coupon redemption`.
    categories : int
        Categories that price response is estimated from, those with the largest revenue.
    groups : int
        Groups by proneness, and by spending.
    level, draws, seed
        Bootstrap of customers.

    Returns
    -------
    PronenessCheck

    Raises
    ------
    ValueError
        When the base lacks what is needed, or nearly everything is sold on deal: then history does
        not show who is price-driven, and depths of discount were negotiated.
    """
    checked_level(level)
    groups = whole_number(groups, "groups", of="groups", least=2)
    whole_number(categories, "categories", of="categories", least=1)
    if offer is not None and answer is None:
        raise ValueError(f"offer={offer!r} needs the kind of interaction that answers it: answer")
    day = _middle(base) if split is None else split_day(base, split)
    early = observed_window(base, None, day)
    late = observed_window(base, day + dt.timedelta(days=1), None)
    prone = _proneness(base, early, deeper_than)
    responses = price_responses(base, dict(late), categories=categories)
    both = responses.customers.intersection(prone.index)
    if len(both) < 2 * groups:
        raise ValueError(
            f"{counted(len(both), 'customer')} tell of deals until {day} and of prices after; "
            f"choose another split, or fewer groups than {groups}"
        )
    told, kept = relative_to(responses, both), prone.loc[both]
    drawn: dict[str, Any] = {"level": level, "draws": draws, "seed": seed}
    found = agreement(_measured_proneness(kept), _measured_response(told), **drawn)
    answers = None
    if answer is not None:
        scores = _scores(base, early, prone, deeper_than, categories)
        offered = _offered(base, late, scores, offer)
        yes = offered.index.isin(_with_contact(base, late, answer, "answer"))
        answers = redemptions(offered, yes, spending=SCORES[2], groups=groups, **drawn)
    return PronenessCheck(
        split=day,
        customers=len(both),
        correlation=found.correlation,
        true_correlation=found.true_correlation,
        spread=responses.spread,
        groups=_groups(kept["shrunken"], told, groups, level, responses.spread),
        redemptions=answers,
        level=level,
        simulated=base.simulated,
        notes=tuple(_notes(responses, prone, both)),
    )


def _measured_proneness(prone: pd.DataFrame) -> Measured:
    return Measured(*(prone[name].to_numpy() for name in ("raw", "variance", "shrunken", "share")))


def _measured_response(told: PriceResponses) -> Measured:
    """Turn elasticities round, so that more is more response."""
    pooled = told.pooled
    return Measured(-told.raw, told.variance, -pooled.estimate, 1 - pooled.shrinkage)


def _middle(base: CustomerBase) -> dt.date:
    return base.start + (base.end - base.start) // 2


def _proneness(base: CustomerBase, window: dict[str, dt.date], deeper_than: float) -> pd.DataFrame:
    """Proneness of customers of whom purchases tell it, indexed by customer_id."""
    need_prices(base)
    counts = read_deals(base, window, deeper_than)
    totals = counts.totals()
    share = float(totals["deals"].sum() / totals["lines"].sum())
    posted = _posted(base, window)
    if share > NEARLY_ALL or posted < POSTED:
        raise ValueError(
            f"{base.title}: {percent(share, 0)} of the lines are on deal (a discount above "
            f"{percent(deeper_than, 0)}), and customers who buy the same product in the same week "
            f"share {percent(posted, 0)} of the variance of discounts. Where nearly everything is "
            "sold on deal, or each customer has a price of its own, buying on deal does not show "
            "who is price-driven: V5 cannot be measured here. Estimate elasticities from each "
            "customer's own prices (customer_elasticities)"
        )
    fitted = fit_proneness(counts)
    frame = pd.DataFrame(
        {
            "raw": fitted.raw,
            "variance": fitted.variance,
            "shrunken": fitted.shrunken,
            "share": fitted.share,
            "deal_share": (totals["deals"] / totals["lines"]).to_numpy(),
        },
        index=counts.customers,
    )
    return frame[np.isfinite(frame["raw"]) & np.isfinite(frame["variance"])]


def _posted(base: CustomerBase, window: dict[str, dt.date]) -> float:
    """Give the share of the variance of discounts that lies between products and weeks."""
    found = base.query(statement_of(PACKAGE, "posted_share"), **window).iloc[0]
    within, total = float(found["within_variance"]), float(found["total_variance"])
    return 1 - within / total if total > 0 else 1.0


def _scores(
    base: CustomerBase,
    window: dict[str, dt.date],
    prone: pd.DataFrame,
    deeper_than: float,
    categories: int,
) -> pd.DataFrame:
    """Give what was known before the split; an untold price response is the average."""
    sql = statement_of(PACKAGE, "spending")
    spent = base.query(sql, deeper_than=deeper_than, **window).set_index("customer_id")
    spent = spent[spent["revenue"] > 0]
    early = price_responses(base, dict(window), categories=categories)
    response = pd.Series(-early.pooled.estimate, early.customers)
    ids = spent.index.intersection(prone.index)
    columns = (
        prone.loc[ids, "shrunken"],
        spent.loc[ids, "deal_share"],
        np.log(spent.loc[ids, "revenue"]),
        response.reindex(ids).fillna(response.mean()),
    )
    return pd.concat(columns, axis=1, keys=SCORES)


def _offered(
    base: CustomerBase, window: dict[str, dt.date], scores: pd.DataFrame, offer: str | None
) -> pd.DataFrame:
    if offer is None:
        return scores
    return scores[scores.index.isin(_with_contact(base, window, offer, "offer"))]


def _with_contact(
    base: CustomerBase, window: dict[str, dt.date], kind: str, argument: str
) -> pd.Series:
    if not base.has("interactions"):
        raise ValueError(f"{argument}={kind!r}: {base.title} has no interactions table")
    found = base.query(statement("later_contacts"), kind=kind, **window)["customer_id"]
    if found.empty:
        kinds = base.query("select distinct kind from interactions order by kind")["kind"]
        raise ValueError(
            f"{argument}: no interaction of kind {kind!r} between {window['start']} and "
            f"{window['end']}; kinds in the base: {', '.join(map(repr, kinds)) or 'none'}"
        )
    return found


def _groups(
    shrunken: pd.Series, told: PriceResponses, groups: int, level: float, spread: float
) -> pd.DataFrame:
    """Mean relative elasticity of groups by proneness, each customer by its precision."""
    rank = shrunken.rank(method="first").to_numpy() - 1
    place = (rank * groups // len(shrunken)).astype(int)
    weight = 1 / (told.variance + spread**2)
    rows = []
    for group in range(groups):
        inside = place == group
        mean = float(np.average(told.raw[inside], weights=weight[inside]))
        squares = float(weight[inside] @ (told.raw[inside] - mean) ** 2)
        n = int(inside.sum())
        error = np.sqrt(squares / (n - 1) / weight[inside].sum())
        reach = float(student_quantile(level, n - 1) * error)
        rows.append(
            {
                "group": group + 1,
                "customers": n,
                "proneness": float(shrunken.to_numpy()[inside].mean()),
                "relative_elasticity": mean,
                "lower": mean - reach,
                "upper": mean + reach,
            }
        )
    return pd.DataFrame(rows)


def _notes(responses: PriceResponses, prone: pd.DataFrame, both: pd.Index) -> list[str]:
    return [
        f"Price response from {responses.categories:,} categories and {responses.weeks:,} whole "
        "weeks: in which weeks a customer bought a category, beside when all others did and what "
        "it then sold at; 0 is the average customer.",
        f"Standard deviation of relative elasticities between customers {responses.spread:.2f}; "
        f"of {len(prone):,} customers with a proneness {len(both):,} have a later price response.",
    ]


def _beside(group: pd.Series) -> str:
    value = float(group["relative_elasticity"])
    side = "more" if value < 0 else "less"
    return (
        f"{abs(value):.2f} {side} elastic than the average customer "
        f"[{group['lower']:.2f}, {group['upper']:.2f}]"
    )
