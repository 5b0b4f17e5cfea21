"""Parts of an account plan that its dossier does not have, or has longer.

:func:`value_block` (with the outlook), :func:`price_block` (with the permitted discount),
:func:`gaps_block` (value dimensions and the open need), :func:`care_block` (level, contract, who is
in charge), :func:`service_block`.  A part whose table is missing says so.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import counted
from keycustomer.dimensions.dossier import worth
from keycustomer.dimensions.dossier.blocks import Block, Fact
from keycustomer.dimensions.dossier.drawing import Strip, strips
from keycustomer.dimensions.dossier.plain import SENTENCES, cut, listed, money, percent_of

if TYPE_CHECKING:
    from keycustomer.strategy.plans.top_accounts import AccountPlans

MOST_DIMENSIONS = 6
"""Dimensions of value drawn on a page."""

REPLACED = ("potential value", "still a customer")
"""Facts of the dossier in whose place stands what the actions are counted against."""


def value_block(plans: AccountPlans, row: pd.Series) -> Block:
    """Make the part on value now and potential.

    Parameters
    ----------
    plans : AccountPlans
        The plans.
    row : Series
        The account's row.
    """
    block = worth.value_block(plans.book, str(row["customer_id"]))
    if pd.isna(row["months_expected"]):
        return block
    ends = (
        ""
        if pd.isna(row["potential_lower"])
        else (
            f", between {money(row['potential_lower'], '')}and "
            f"{money(row['potential_upper'], '')}".rstrip()
        )
    )
    said = f"{plans.potential_of} of {plans.horizon} months if all goes on as today{ends}"
    ahead = [
        Fact("potential value", money(row["potential"], plans.currency), said),
        Fact("expected to stay", f"{row['months_expected']:.0f} months", f"of {plans.horizon}"),
    ]
    kept = [fact for fact in block.facts if fact.name not in REPLACED]
    return replace(block, facts=(*kept[:-1], *ahead, kept[-1]), missing="")


def price_block(plans: AccountPlans, row: pd.Series) -> Block:
    """Make the part on price position and permitted discount.

    Parameters
    ----------
    plans : AccountPlans
        The plans.
    row : Series
        The account's row.
    """
    block = worth.price_block(plans.book, str(row["customer_id"]))
    permitted = row["discount_permitted"]
    if pd.isna(permitted):
        return block
    cost = f"{'an assumed' if plans.cost_assumed else 'unit'} cost"
    remark = f"leaves {percent_of(plans.floor)} over {cost} on the whole of its purchases"
    if not row["floor_kept"]:
        remark = f"even its list price leaves less than {percent_of(plans.floor)} over {cost}"
    elif pd.notna(row["discount"]) and row["discount"] > permitted:
        remark = f"{remark}: less than it gets today"
    if pd.notna(row["tightest_permitted"]):
        remark += (
            f"; least room: {cut(row['tightest_category'], 24)}, "
            f"{percent_of(row['tightest_permitted'], 1)}"
        )
    most = f"up to {percent_of(permitted, 1)}" if row["floor_kept"] else "none"
    fact = Fact("permitted discount", most, remark)
    return replace(block, facts=(*block.facts, fact))


def gaps_block(plans: AccountPlans, row: pd.Series) -> Block:
    """Make the part on value dimensions: weakest against others, and the open need.

    Parameters
    ----------
    plans : AccountPlans
        The plans.
    row : Series
        The account's row.
    """
    name, title = "gaps", "Where value falls short"
    why = plans.missing.get("value dimensions")
    if why:
        return Block(name, title, missing=f"Not known: {cut(why, 160)}.")
    own = plans.gaps[plans.gaps["customer_id"] == row["customer_id"]]
    if own.empty:
        return Block(name, title, missing="Did not answer the survey: ask it.")
    rows = [
        _strip(plans, one["dimension"], one["rating"], one["others"])
        for one in own.head(MOST_DIMENSIONS).to_dict("records")
    ]
    said = _weak(row)
    kinds = own["dimension"].head(MOST_DIMENSIONS)
    scale = plans.book.ratings[kinds]
    ends = float(np.nanmin(scale)), float(np.nanmax(scale))
    legend = (
        f"Its ratings; line: mean of {int(own['respondents'].max()):,} others, band: the middle "
        f"80 % of all.{_given_up(plans, kinds)}"
    )
    return Block(name, title, cut(said, SENTENCES), (), strips(rows, ends, said), legend)


def _given_up(plans: AccountPlans, kinds: pd.Series) -> str:
    """Say of which dimensions little is good."""
    named = [_plain(one) for one in kinds if one in plans.sacrifices]
    return f" Of {listed(named)} less is better." if named else ""


def _weak(row: pd.Series) -> str:
    """Say where the account is weakest."""
    standing = row["weakest_standing"]
    if pd.isna(standing):
        said = "Others are too few, or agree, so that nothing stands lowest."
    else:
        place = "below" if standing < 0 else "above"
        said = (
            f"Weakest beside others: {_plain(row['weakest_dimension'])} "
            f"({abs(standing):.1f} standard deviations {place} their mean)."
        )
    if pd.isna(row["open_need"]):
        return said
    return (
        f"{said} Open need: {_plain(row['open_need'])} (importance "
        f"{row['open_need_importance']:.0f}, rated {row['open_need_rating']:.0f})."
    )


def _strip(plans: AccountPlans, kind: str, rating: float, others: float) -> Strip:
    low, high = np.nanquantile(plans.book.ratings[kind], [0.1, 0.9])
    return Strip(_plain(kind), rating, others, float(low), float(high), f"{rating:.1f}")


def _plain(name: object) -> str:
    return cut(str(name).replace("_", " "), 32)


def care_block(plans: AccountPlans, row: pd.Series) -> Block:
    """Make the part on relationship level, contract and who is in charge.

    Parameters
    ----------
    plans : AccountPlans
        The plans.
    row : Series
        The account's row.
    """
    name, title = "care", "Level, contract and who is in charge"
    facts = [*_level(plans, row), *_contract(row), *_charge(plans, row)]
    absent = [
        told
        for key, told in (
            ("contract and relationship level", "contract and level (map the table contracts)"),
            ("channel", "who is in charge (map manager and agent, or the channel of sales)"),
        )
        if key in plans.missing
    ]
    missing = f"Not known: {'; '.join(absent)}." if absent else ""
    return Block(name, title, "", tuple(facts), missing=missing)


def _level(plans: AccountPlans, row: pd.Series) -> list[Fact]:
    now, wanted = row["level_now"], row["level_recommended"]
    facts = []
    if pd.notna(now):
        facts.append(Fact("relationship level", cut(now, 24), "now"))
    if pd.notna(wanted):
        same = pd.notna(now) and str(now) == str(wanted)
        facts.append(Fact("recommended level", cut(wanted, 24), "as now" if same else ""))
    elif "recommended level" not in plans.missing:
        facts.append(Fact("recommended level", "none", "its level could not be valued"))
    return facts


def _contract(row: pd.Series) -> list[Fact]:
    if pd.isna(row["contract_ended"]):
        return []
    plan = "" if pd.isna(row["price_plan"]) else f"plan {cut(row['price_plan'], 24)}"
    until = row["contract_until"]
    if pd.isna(until):
        return [Fact("contract", "runs", f"{plan}; term not known".lstrip("; "))]
    day = pd.Timestamp(until).date().isoformat()
    if row["contract_ended"]:
        return [Fact("contract", f"ended {day}", plan)]
    left = f"{row['months_left']:.0f} months left"
    return [Fact("contract", f"until {day}", "; ".join(filter(None, (left, plan))))]


def _charge(plans: AccountPlans, row: pd.Series) -> list[Fact]:
    facts = []
    if pd.notna(row["in_charge"]):
        remark = "two claim it: name one" if row["in_charge"] == "agent and manager" else ""
        facts.append(Fact("in charge", cut(row["in_charge"]), remark))
    if pd.notna(row["channel"]):
        clash = "an agent and the own people both sell to it" if row["conflict"] else ""
        facts.append(Fact("sold through", cut(row["channel"]), clash))
    return facts


def service_block(plans: AccountPlans, row: pd.Series) -> Block:
    """Make the part on service: complaints, resolution, last contact, cost to serve.

    Parameters
    ----------
    plans : AccountPlans
        The plans.
    row : Series
        The account's row.
    """
    name, title = "service", "Service"
    if "service" in plans.missing:
        return Block(name, title, missing=f"Not known: {plans.missing['service']}.")
    facts = [*_complaints(row), *_last(plans, row)]
    cost = plans.book.now["cost_to_serve"].to_dict()[row["customer_id"]]
    if math.isfinite(cost):
        facts.append(Fact("cost to serve", money(cost, plans.currency), "last year"))
    missing = "Complaints are not recorded." if "complaints" in plans.missing else ""
    return Block(name, title, "", tuple(facts), missing=missing)


def _complaints(row: pd.Series) -> list[Fact]:
    if pd.isna(row["complaints"]):
        return []
    still = row["complaints_open"]
    remark = "" if pd.isna(still) else f"last year; {still:,.0f} open"
    facts = [Fact("complaints", f"{row['complaints']:,.0f}", remark or "last year")]
    share = row["first_contact_resolution"]
    if pd.notna(share):
        facts.append(Fact("resolved at first contact", percent_of(share)))
    return facts


def _last(plans: AccountPlans, row: pd.Series) -> list[Fact]:
    last = row["last_contact"]
    if pd.isna(last):
        return [Fact("last contact", "none in the days observed")]
    day = pd.Timestamp(last).date()
    ago = counted((plans.book.base.end - day).days, "day")
    return [Fact("last contact", day.isoformat(), f"{cut(row['last_contact_kind'])}, {ago} ago")]
