"""Policies of the simulated operator: what management can change, tool by tool.

What would have happened otherwise?  A `Policy` says what is done differently from its `start`
month on; ``Policy()`` is business as usual.  The six tools of strategic key-account marketing are
six fields, each a small set of rules or None for the habit of today, and
:func:`policy_of_tools` switches them on by name.  Single levers (a level for everybody, a
discount, contacts, quality of an attribute) are there to compute true effects.

The tools work as a system: levels by value need the archive to know the value, targeted discounts
need the archive to sense the risk, a dossier helps only where there are contacts, closeness that
is not delivered is paid for and not felt, and who is served well minds a dearer offer less.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from keycustomer.simulate.vocabulary import ATTRIBUTES, CHANNELS, LEVELS, TOOLS

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class LevelRule:
    """Segmentation (T1): relationship levels by value, reviewed regularly.

    Attributes
    ----------
    cuts : tuple of 4 float
        Yearly gross margin, currency, from which an account gets reactive, accountable,
        proactive, partnership care; rising.  The margin is known as well as the archive is kept.
    review : int
        Months between reviews.
    """

    cuts: tuple[float, ...] = (700.0, 2_500.0, 9_000.0, 32_000.0)
    review: int = 12

    def __post_init__(self) -> None:
        """Refuse cuts that do not rise."""
        if len(self.cuts) != len(LEVELS) - 1 or list(self.cuts) != sorted(self.cuts):
            raise ValueError(f"cuts={self.cuts!r} must be {len(LEVELS) - 1} rising yearly margins")
        _within("review", self.review, 1, np.inf)


@dataclass(frozen=True)
class Dossier:
    """Dossier of every account (T2): contacts fit its needs, offers meet its next need.

    Attributes
    ----------
    fit : float
        A contact is worth this share more, if the archive is complete.
    hit : float
        Products are taken up this share more often, if the archive is complete.
    """

    fit: float = 0.6
    hit: float = 1.0

    def __post_init__(self) -> None:
        """Refuse shares that make no sense."""
        _within("fit", self.fit, 0, 10)
        _within("hit", self.hit, 0, 10)


@dataclass(frozen=True)
class ServiceProcess:
    """Service system (T3): measures, responsibility at the first contact, a complaint process.

    Attributes
    ----------
    first_contact : float
        Added log-odds that the first contact resolves a complaint.
    speed : float
        Factor on the days that the others take.
    answer : float
        Gain of functional and convenience value, standard deviations: who calls is answered.
    """

    first_contact: float = 1.1
    speed: float = 0.55
    answer: float = 0.12

    def __post_init__(self) -> None:
        """Refuse a speed that makes no sense."""
        _within("first_contact", self.first_contact, -20, 20)
        _within("speed", self.speed, 0, 10)
        _within("answer", self.answer, -5, 5)


@dataclass(frozen=True)
class PricingRule:
    """Pricing (T4): non-price first, discounts only at risk, never below a floor.

    Attributes
    ----------
    discount : {"habit", "at risk", "none"}
        Who gets a discount.
    depth : float
        Discount of an account at risk, share of the list price.
    risk : float
        Monthly probability to leave, before any discount and as far as it can be sensed, from
        which an account is at risk.
    floor : float
        Least margin over unit cost that a discount must leave, share of the cost.
    following : float, optional
        Share of competitors' fall of prices that the own list follows; left out, as today.
    """

    discount: Literal["habit", "at risk", "none"] = "at risk"
    depth: float = 0.15
    risk: float = 0.010
    floor: float = 0.10
    following: float | None = None

    def __post_init__(self) -> None:
        """Refuse an unknown rule and numbers out of range."""
        if self.discount not in ("habit", "at risk", "none"):
            raise ValueError(f"discount={self.discount!r} must be 'habit', 'at risk' or 'none'")
        for name in ("depth", "risk", "floor"):
            _within(name, getattr(self, name), 0, 1)
        if self.following is not None:
            _within("following", self.following, 0, 2)


@dataclass(frozen=True)
class ChannelRule:
    """Channels (T5): every account belongs to one channel, large ones to a manager.

    Attributes
    ----------
    manager_from, agent_from : float
        Yearly revenue, currency, from which an own manager, or else an agent, is in charge;
        below, inside sales.  The revenue is the trailing year's, known exactly.
    """

    manager_from: float = 6_000.0
    agent_from: float = 1_500.0

    def __post_init__(self) -> None:
        """Refuse limits out of order."""
        if not 0 <= self.agent_from <= self.manager_from:
            raise ValueError(
                f"agent_from={self.agent_from!r} and manager_from={self.manager_from!r} must be "
                "yearly revenues, the first not above the second"
            )


@dataclass(frozen=True)
class BackOffice:
    """Back office (T6): the archive is kept, the service level that is promised is delivered.

    Attributes
    ----------
    archive : float
        Share of what the account file should hold that it holds.
    delivery : float
        Share of a level that reaches the customer.
    """

    archive: float = 0.95
    delivery: float = 0.95

    def __post_init__(self) -> None:
        """Refuse what is no share."""
        _within("archive", self.archive, 0, 1)
        _within("delivery", self.delivery, 0, 1)


@dataclass(frozen=True, eq=False)
class Policy:
    """What is done differently; ``Policy()`` is business as usual.

    Attributes
    ----------
    name : str
        What to call it.
    start : int
        First month in which it holds, 0 the first of the window.
    levels : None, LevelRule, int, str or sequence of int
        Relationship levels: as today, by rule, one for all (position or name in `LEVELS`), or one
        for each account.
    dossier, service, pricing, channel, back_office : rules or None
        The other five tools, None as today.  `channel` may also be one of `CHANNELS`, for all.
    visits, calls : float or sequence of float
        Factor on the contacts planned, for all or for each account.
    discount : float or sequence of float
        Added to the discount (share of the list price), for all or for each account.
    list_price : float
        Relative change of all list prices; .05 is 5 % dearer.
    quality : mapping of str to float
        Change of service attributes (`ATTRIBUTES`) in standard deviations of perception.

    Raises
    ------
    KeyError, TypeError, ValueError
        When a name is unknown or a number out of range.
    """

    name: str = "business as usual"
    start: int = 0
    levels: LevelRule | int | str | Sequence[int] | None = None
    dossier: Dossier | None = None
    service: ServiceProcess | None = None
    pricing: PricingRule | None = None
    channel: ChannelRule | str | None = None
    back_office: BackOffice | None = None
    visits: float | Sequence[float] = 1.0
    calls: float | Sequence[float] = 1.0
    discount: float | Sequence[float] = 0.0
    list_price: float = 0.0
    quality: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check everything that does not need the accounts."""
        _within("start", self.start, 0, np.inf)
        _known_rules(self)
        _within("list_price", self.list_price, -0.9, 10)
        for name, low, high in (("visits", 0, 100), ("calls", 0, 100), ("discount", -1, 1)):
            _within(name, getattr(self, name), low, high)
        for attribute, change in self.quality.items():
            if attribute not in ATTRIBUTES:
                raise KeyError(_unknown("attribute", attribute, ATTRIBUTES))
            _within(f"quality[{attribute!r}]", change, -5, 5)

    @property
    def tools(self) -> tuple[str, ...]:
        """Which of the six `TOOLS` are on."""
        on = (
            isinstance(self.levels, LevelRule),
            self.dossier is not None,
            self.service is not None,
            self.pricing is not None,
            isinstance(self.channel, ChannelRule),
            self.back_office is not None,
        )
        return tuple(tool for tool, used in zip(TOOLS, on, strict=True) if used)

    def for_block(self, start: int, stop: int, accounts: int) -> Policy:
        """Policy for the accounts `start` to `stop` (not included) of a company.

        Raises
        ------
        ValueError
            When a lever is given for each account, and not for as many as there are.
        """
        mine = {one.name: getattr(self, one.name) for one in fields(self)}
        for name in ("levels", "visits", "calls", "discount"):
            if isinstance(mine[name], str) or np.ndim(mine[name]) == 0:
                continue
            given = np.asarray(mine[name])
            if given.shape != (accounts,):
                raise ValueError(
                    f"{name}: {given.shape[0]:,} values for {accounts:,} accounts; give one for "
                    "each account, or one for all"
                )
            mine[name] = given[start:stop]
        return Policy(**mine)


def policy_of_tools(
    tools: Iterable[str], *, start: int = 0, name: str | None = None, **rules: Any
) -> Policy:
    """Policy in which some of the six tools are on.

    Parameters
    ----------
    tools : iterable of str
        Names out of `TOOLS`; none gives business as usual.
    start : int
        First month in which they hold.
    name : str, optional
        What to call it; left out, the tools.
    **rules
        Fields of `Policy` to use instead of a tool's usual rules.

    Raises
    ------
    KeyError
        When there is no such tool.
    """
    wanted = [tools] if isinstance(tools, str) else list(tools)
    for tool in wanted:
        if tool not in TOOLS:
            raise KeyError(_unknown("tool", tool, TOOLS))
    usual: dict[str, Any] = {
        "segmentation": ("levels", LevelRule()),
        "dossier": ("dossier", Dossier()),
        "service": ("service", ServiceProcess()),
        "pricing": ("pricing", PricingRule()),
        "channel": ("channel", ChannelRule()),
        "back office": ("back_office", BackOffice()),
    }
    on: dict[str, Any] = dict(usual[tool] for tool in TOOLS if tool in wanted)
    said = " + ".join(tool for tool in TOOLS if tool in wanted) or "business as usual"
    return Policy(name=name or said, start=start, **on | rules)


def level_codes(levels: object) -> Array | int:
    """Positions in `LEVELS` of a policy's levels, one for all or one for each account.

    Raises
    ------
    KeyError, TypeError, ValueError
        When there is no such level.
    """
    if isinstance(levels, str):
        if levels not in LEVELS:
            raise KeyError(_unknown("level", levels, LEVELS))
        return LEVELS.index(levels)
    codes = np.asarray(levels)
    if codes.dtype.kind not in "iu":
        raise TypeError(
            f"levels={levels!r}: give a LevelRule, a name out of {', '.join(LEVELS)}, or positions "
            "0 to 4, one for all or one for each account"
        )
    _within("levels", codes, 0, len(LEVELS) - 1)
    return codes if codes.ndim else int(codes)


def _known_rules(policy: Policy) -> None:
    rules = {"dossier": Dossier, "service": ServiceProcess, "pricing": PricingRule}
    for name, kind in {**rules, "back_office": BackOffice}.items():
        given = getattr(policy, name)
        if given is not None and not isinstance(given, kind):
            raise TypeError(f"{name}={given!r} must be a {kind.__name__} or None")
    if isinstance(policy.channel, str) and policy.channel not in CHANNELS:
        raise KeyError(_unknown("channel", policy.channel, CHANNELS))
    if policy.channel is not None and not isinstance(policy.channel, ChannelRule | str):
        raise TypeError(f"channel={policy.channel!r} must be a ChannelRule, a channel or None")
    if policy.levels is not None and not isinstance(policy.levels, LevelRule):
        level_codes(policy.levels)


def _within(name: str, value: object, low: float, high: float) -> None:
    """Refuse what is no number (or no numbers) between the bounds."""
    try:
        numbers = np.atleast_1d(np.asarray(value, dtype=float))
    except (TypeError, ValueError):
        raise TypeError(f"{name}={value!r} must be a number") from None
    wrong = ~((numbers >= low) & (numbers <= high))
    if wrong.any():
        bounds = f"between {low:g} and {high:g}" if np.isfinite(high) else f"{low:g} or larger"
        where = f" (account {int(np.argmax(wrong))})" if numbers.size > 1 else ""
        raise ValueError(f"{name}: {numbers[wrong][0]:g}{where} must be {bounds}")


def _unknown(kind: str, name: str, known: Iterable[str]) -> str:
    words = list(known)
    near = get_close_matches(str(name), words, 1)
    meant = f"; did you mean {near[0]!r}?" if near else ""
    return f"no {kind} {name!r}; there is: {', '.join(words)}{meant}"
