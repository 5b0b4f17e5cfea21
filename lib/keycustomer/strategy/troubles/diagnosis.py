"""The five troubles, diagnosed from a base: which are there, which are not, what cannot be told.

Question: is it true that nobody can say what a large customer is, that large and small get the
same service, that agents and managers call on the same firms, that a price war eats the margin, and
that large customers leave all the same?  :func:`diagnose_troubles` measures each by an indicator
with an interval and gives a verdict against a threshold fixed beforehand
(:mod:`keycustomer.strategy.troubles.vocabulary`):

- *a*, part of class A by revenue that leaves it when customers are ranked by profit (chapter 1);
  where profit is not known, by number of orders.  Supported above a tenth.  Not supported when the
  interval lies below: then the yardsticks agree, and one of them will do.
- *b*, contacts of the first tier over those of the last (chapter 3).  Supported when all that is
  delivered lies within the margin of "hardly": the 90 % interval is shown, since it decides.  Not
  supported when one indicator lies wholly beyond it.
- *c*, share of accounts that an agent and an own manager both claim (chapter 3).  Supported above a
  tenth, not supported when the interval lies below.
- *d*, margin lost to own prices (:func:`margin_bridge`).  Supported above 0, not supported at or
  below: list prices and discounts that stayed or got better.
- *e*, odds to leave of a customer e times as large, all else that is known held equal (chapter 3).
  Supported above 1, not supported at or below: the large leave no more often.

Beside them stand indicators that are nearer to what a board can change (`FURTHER`): the part of
class A that the house keeps at a distance, the fall of the margin rate, the leaving rate of the
large over that of the others.  Five verdicts at 95 % are five chances to err.  What is told of
fewer than `FEWEST` customers by drawing them again (b and d) decides nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from keycustomer.customers.base import CustomerBase
from keycustomer.customers.rendering import counted, made_up_note, percent, report_html
from keycustomer.customers.table import customer_table
from keycustomer.pareto import abc_by_rank, abc_change
from keycustomer.stats import Estimate, verdict_above, verdict_below
from keycustomer.stats.bootstrap import Progress, Seed, after_quiet
from keycustomer.stats.proportion import wilson_interval
from keycustomer.strategy.told_reasons import kinds_recorded, without_ids
from keycustomer.strategy.troubles.leaving import leaving_by_tier
from keycustomer.strategy.troubles.price_cost_mix import FEWEST, LINES_NEED, margin_bridge
from keycustomer.strategy.troubles.vocabulary import (
    CLOSE_LEVELS,
    FURTHER,
    LETTER_OF,
    TROUBLES,
    Trouble,
)

if TYPE_CHECKING:
    from keycustomer.relationships.months.panel import CustomerMonths

COLUMNS = ("trouble", "name", "indicator", "unit", "estimate", "lower", "upper", "threshold",
           "verdict", "sentence")  # fmt: skip

NEEDS: dict[str, tuple[str, ...]] = {
    "a": ("transactions",),
    "b": ("contracts.start", "interactions"),
    "c": ("customers.manager and customers.agent, or transactions.channel",),
    "d": tuple(f"transactions.{column}" for column in LINES_NEED),
    "e": ("contracts.start", "transactions"),
}
"""Tables and columns without which a trouble cannot be told."""


@dataclass(frozen=True, eq=False)
class Diagnosis:
    """Which of the five troubles a base shows.

    Attributes
    ----------
    frame : DataFrame
        One row a trouble that could be told: trouble (letter), name, indicator, unit, estimate,
        lower, upper, threshold, verdict (the trouble is there: supported, not supported,
        undecided), sentence.
    further : DataFrame
        The same of indicators told beside.
    estimates : dict of str to Estimate
        By letter, and by name of a further indicator.
    parts : dict of str to object
        What a trouble was told from: "a" `AbcChange`, "b" `TierDifferences`, "c" `ChannelOverlap`,
        "d" `MarginBridge`, "e" `ChurnModel`, "leaving" `TierLeaving`.
    skipped : DataFrame
        trouble, reason: the tables and columns that are missing, or why the data do not suffice.
    title, currency : str
        Of the base.
    simulated : bool
        Whether the data are made up.
    """

    frame: pd.DataFrame
    further: pd.DataFrame
    estimates: dict[str, Estimate] = field(repr=False)
    parts: dict[str, Any] = field(repr=False)
    skipped: pd.DataFrame
    title: str
    currency: str
    simulated: bool

    def of(self, trouble: str) -> Estimate:
        """Give the estimate of a trouble, or of a further indicator.

        Raises
        ------
        KeyError
            When it was not told.
        """
        if trouble not in self.estimates:
            told = ", ".join(self.estimates) or "none"
            raise KeyError(f"no indicator {trouble!r} was told of this base; there is: {told}")
        return self.estimates[trouble]

    def verdict(self, trouble: str) -> str:
        """Give the verdict on a trouble by its letter.

        Raises
        ------
        KeyError
            When it was not told.
        """
        self.of(trouble)
        rows = pd.concat([self.frame, self.further]).set_index("key")
        return str(rows.loc[trouble, "verdict"])

    @property
    def sentence(self) -> str:
        """The diagnosis in words."""
        if self.frame.empty:
            return "None of the five troubles can be told from this base"
        words = {"supported": "there", "not supported": "not there", "undecided": "undecided"}
        told = [
            _are(list(own["trouble"]), word)
            for verdict, word in words.items()
            if len(own := self.frame[self.frame["verdict"] == verdict])
        ]
        letters = [one for one in self.skipped["trouble"] if one not in set(self.frame["trouble"])]
        if letters:
            told.append(f"nothing can be told of {_joined(letters)}")
        return f"Of the five troubles {'; '.join(told)}"

    def to_frame(self) -> pd.DataFrame:
        """One row a trouble."""
        return self.frame.drop(columns="key")

    def _repr_html_(self) -> str:
        said = [*made_up_note(self.simulated), f"{self.sentence}."]
        said += [f"{s}." for s in pd.concat([self.frame, self.further])["sentence"]]
        shown = ["trouble", "name", "indicator", "unit", "estimate", "low", "high", "threshold",
                 "verdict"]  # fmt: skip
        tables = {
            caption: frame.rename(columns={"lower": "low", "upper": "high"})[shown]
            for caption, frame in (("Troubles", self.frame), ("Told beside", self.further))
        }
        return report_html("The five troubles", said, tables | {"Not told": self.skipped})


def diagnose_troubles(
    base: CustomerBase,
    *,
    tiers: pd.Series | None = None,
    months: CustomerMonths | None = None,
    contact_kinds: Sequence[str] = ("visit", "call"),
    complaint_kinds: Sequence[str] = ("complaint",),
    draws: int = 1000,
    seed: Seed = 0,
    progress: Progress | None = None,
) -> Diagnosis:
    """Measure the five troubles in a base, as far as its tables tell.

    Parameters
    ----------
    base : CustomerBase
        A prepared base with some of the tables.
    tiers : Series, optional
        Tier by customer_id, first the most important, for *b* and *e*; left out, classes A, B and C
        by revenue a month.
    months : CustomerMonths, optional
        The customer-months, where they are laid out already.
    contact_kinds, complaint_kinds : sequence of str
        Kinds of interactions that are contacts by the house, and complaints.
    draws, seed
        Bootstrap of customers.
    progress : callable, optional
        Called with troubles done and in all.

    Returns
    -------
    Diagnosis
        Troubles that the base does not tell are in `skipped`, with what is missing.
    """
    case = _Case(base, tiers, months, (list(contact_kinds), list(complaint_kinds)), draws, seed)
    report = after_quiet(progress)
    steps: dict[str, Callable[[], None]] = {
        "a": case.contested, "b": case.service, "c": case.overlap, "d": case.margin,
        "e": case.leaving,
    }  # fmt: skip
    for done, (trouble, step) in enumerate(steps.items(), start=1):
        case.attempt(trouble, step)
        report(done, len(steps))
    rows = pd.DataFrame(case.rows, columns=["key", *COLUMNS])
    main = rows["key"].isin(list(TROUBLES))
    return Diagnosis(
        frame=rows[main].reset_index(drop=True),
        further=rows[~main].reset_index(drop=True),
        estimates=case.estimates,
        parts=case.parts,
        skipped=pd.DataFrame(case.skipped, columns=["trouble", "reason"]),
        title=base.title,
        currency=base.currency,
        simulated=base.simulated,
    )


class _Case:
    """A base being diagnosed: what was found so far."""

    def __init__(
        self,
        base: CustomerBase,
        tiers: pd.Series | None,
        months: CustomerMonths | None,
        kinds: tuple[list[str], list[str]],
        draws: int,
        seed: Seed,
    ) -> None:
        self.base, self.tiers, self.given_months, self.kinds = base, tiers, months, kinds
        self.resampling: dict[str, Any] = {"draws": draws, "seed": seed}
        self.rows: list[dict[str, Any]] = []
        self.estimates: dict[str, Estimate] = {}
        self.parts: dict[str, Any] = {}
        self.skipped: list[dict[str, str]] = []

    def attempt(self, trouble: str, step: Callable[[], None]) -> None:
        """Tell a trouble, or note why the base does not."""
        missing = self._missing(trouble)
        if not missing:
            try:
                step()
            except ValueError as refused:  # what the chapters say of data that do not suffice
                missing = without_ids(self.base, str(refused))
        if missing:
            told = trouble in self.estimates  # what failed is what stands beside
            beside = ", ".join(
                one.indicator for key, one in FURTHER.items() if LETTER_OF[key] == trouble
            )
            reason = f"beside it, {beside}: {missing}" if told else missing
            self.skipped.append({"trouble": trouble, "reason": reason})

    def _missing(self, trouble: str) -> str:
        base = self.base
        if trouble == "c":
            staffed = base.has("customers", "manager") and base.has("customers", "agent")
            return "" if staffed or base.has("transactions", "channel") else NEEDS["c"][0]
        lacking = [need for need in NEEDS[trouble] if not base.has(*need.split("."))]
        return ", ".join(lacking)

    def months(self) -> CustomerMonths:
        """Lay out the customer-months, once."""
        from keycustomer.relationships import customer_months

        if self.given_months is None:
            contacts, complaints = self.kinds
            # who asks for kinds that are not recorded is told so where they are needed
            known = {
                "contact_kinds": kinds_recorded(self.base, contacts, "contact_kinds")[0],
                "complaint_kinds": kinds_recorded(self.base, complaints, "complaint_kinds")[0],
            }
            if not self.base.has("interactions"):
                known = {"contact_kinds": (), "complaint_kinds": ()}
            self.given_months = customer_months(self.base, **known)
        return self.given_months

    def by_tier(self) -> pd.Series:
        """Tier of each customer: those given, or classes by revenue a month."""
        return self.tiers if self.tiers is not None else tiers_by_month(self.months().frame)

    def add(
        self, key: str, estimate: Estimate, verdict: str, sentence: str, indicator: str = ""
    ) -> None:
        """Note an indicator."""
        one = TROUBLES.get(key) or FURTHER[key]
        self.estimates[key] = estimate
        self.rows.append(
            {"key": key, "trouble": LETTER_OF.get(key, key), "name": one.name,
             "indicator": indicator or one.indicator, "unit": one.unit,
             "estimate": estimate.estimate, "lower": estimate.lower, "upper": estimate.upper,
             "threshold": one.threshold, "verdict": verdict, "sentence": sentence}
        )  # fmt: skip

    def contested(self) -> None:
        """Tell trouble a."""
        table = customer_table(self.base)
        profit = self._yardstick(table)
        if profit == "assumed profit":
            table = table.rename(columns={"profit": profit})
        if len(table) > 1 and table[profit].nunique() < 2:
            raise ValueError(
                f"all {len(table):,} customers have the same {profit}, so that no other class A "
                "than that by revenue can be told"
            )
        change = abc_change(table, "revenue", profit)
        self.parts["a"] = change
        one = change.contested
        told = (
            f"{percent(one.estimate)} of class A by revenue ({counted(one.n, 'customer')}) leave "
            f"it when customers are ranked by {profit}"
        )
        indicator = f"part of class A by revenue that is not class A by {profit}"
        self.add("a", one, verdict_of(TROUBLES["a"], one), told, indicator)
        if self.base.has("contracts", "relationship_level") and self.base.has("contracts", "start"):
            self._overlooked()

    def _yardstick(self, table: pd.DataFrame) -> str:
        """Name the measure that class A by revenue is held against, as chapter 1 does."""
        if not table["profit"].notna().all():
            return "orders"
        lines = self.base.query("select count(*) - count(cost) as n from transactions")["n"]
        assumed = int(lines.iloc[0]) > 0 or self.base.cost_per_order > 0
        return "assumed profit" if assumed else "profit"

    def _overlooked(self) -> None:
        frame = self.months().frame
        last = frame.groupby("customer_id")["level"].last()
        classes = tiers_by_month(frame)
        best = last.reindex(classes.index[classes == "A"])
        best = best[best >= 0]
        if len(best):
            one = overlooked(int((best < CLOSE_LEVELS).sum()), len(best))
            told = (
                f"{percent(one.estimate)} of class A by revenue a month "
                f"({counted(one.n, 'customer')}) are kept at a level below proactive"
            )
            self.add("overlooked", one, verdict_of(FURTHER["overlooked"], one), told)

    def service(self) -> None:
        """Tell trouble b."""
        from keycustomer.relationships import (
            read_service,
            service_indicators,
            tier_differences,
        )

        contacts, reason = kinds_recorded(self.base, self.kinds[0], "contact_kinds")
        complaints, _ = kinds_recorded(self.base, self.kinds[1], "complaint_kinds")
        if not contacts:
            raise ValueError(reason or "no kind of interaction counts as a contact")
        record = read_service(
            self.base, contact_kinds=contacts, complaint_kinds=complaints, months=self.months()
        )
        indicators = service_indicators(record, self.by_tier(), **self.resampling)
        # the verdict comes from intervals: no tier needs to be dealt out anew
        apart = tier_differences(indicators, permutations=1, seed=self.resampling["seed"])
        self.parts["b"] = apart
        row = apart.frame.set_index("indicator").loc["contacts_a_year"]
        ends = (float(row["estimate"]), float(row["equal_lower"]), float(row["equal_upper"]))
        if not math.isfinite(ends[0]):
            raise ValueError(
                f"contacts of tier {apart.first} cannot be put beside those of tier {apart.last}: "
                f"{row['first']:.1f} and {row['last']:.1f} a year are recorded"
            )
        sizes = indicators.customers[apart.first] + indicators.customers[apart.last]
        one = Estimate(*ends, "ratio", sizes, "percentile bootstrap of customers", level=0.90)
        told = (
            f"A customer of tier {apart.first} is contacted {row['first']:.1f} times a year, one "
            f"of tier {apart.last} {row['last']:.1f} times"
        )
        self.add("b", one, apart.verdict if sizes >= FEWEST else "undecided", told)

    def overlap(self) -> None:
        """Tell trouble c."""
        from keycustomer.relationships import channel_overlap

        found = channel_overlap(self.base)
        self.parts["c"] = found
        one = found.conflict_share
        self.add("c", one, verdict_of(TROUBLES["c"], one), found.sentence)

    def margin(self) -> None:
        """Tell trouble d."""
        bridge = margin_bridge(self.base, **self.resampling)
        self.parts["d"] = bridge
        told = ". ".join(filter(None, [bridge.sentence, bridge.war]))
        self.add("d", bridge.lost_to_price, bridge.verdict, told)
        thinner = turned(bridge.change)
        before, after = (bridge.frame["estimate"].iloc[place] for place in (0, -1))
        told = f"The margin rate went from {percent(before)} to {percent(after)} of revenue"
        verdict = verdict_of(FURTHER["thinner"], thinner) if thinner.n >= FEWEST else "undecided"
        self.add("thinner", thinner, verdict, told)

    def leaving(self) -> None:
        """Tell trouble e."""
        from keycustomer.relationships import churn_features, fit_churn

        months = self.months()
        model = fit_churn(churn_features(months), seed=self.resampling["seed"])
        table = model.odds_ratios().set_index("feature")
        if "size_log" not in table.index:
            raise ValueError("the base does not tell what customers bought before they left")
        self.parts["e"] = model
        row = table.loc["size_log"]
        ends = (float(row["odds_ratio"]), float(row["lower"]), float(row["upper"]))
        one = Estimate(*ends, "odds ratio", model.customers, "clustered by customer")
        told = (
            f"All else that is known equal, a customer e times as large has {one.estimate:.2f} "
            "times the odds to leave in a month"
        )
        self.add("e", one, verdict_of(TROUBLES["e"], one), told)
        rates = leaving_by_tier(
            months.frame, self.by_tier(), simulated=self.base.simulated, **self.resampling
        )
        self.parts["leaving"] = rates
        self.add("large_leaving", rates.ratio, rates.verdict, rates.sentence)


def _joined(letters: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(letters[:-1]), letters[-1]]))


def _are(letters: Sequence[str], word: str) -> str:
    return f"{_joined(letters)} {'is' if len(letters) == 1 else 'are'} {word}"


def tiers_by_month(frame: pd.DataFrame) -> pd.Series:
    """Classes A, B and C by revenue a month, so that who stayed long is not large for that.

    Parameters
    ----------
    frame : DataFrame
        One row a customer and month: customer_id, revenue.

    Returns
    -------
    Series
        Class by customer_id.
    """
    monthly = frame.groupby("customer_id", as_index=False)["revenue"].mean()
    return abc_by_rank(monthly).customers.set_index("customer_id")["abc"]


def verdict_of(trouble: Trouble, estimate: Estimate) -> str:
    """Verdict on the claim that a trouble is there."""
    judge = verdict_below if trouble.below else verdict_above
    return judge(estimate, trouble.threshold)


def overlooked(below: int, size: int) -> Estimate:
    """Share of class A that is kept at a distance, with Wilson's interval."""
    lower, upper = wilson_interval(below, size)
    ends = float(lower), float(upper)
    return Estimate(below / size, *ends, "share of customers", size, "Wilson interval")


def turned(estimate: Estimate) -> Estimate:
    """Turn the sign of an estimate."""
    return Estimate(
        -estimate.estimate, -estimate.upper, -estimate.lower, estimate.unit, estimate.n,
        estimate.method, estimate.level,
    )  # fmt: skip
