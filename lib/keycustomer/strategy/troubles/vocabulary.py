"""The five troubles of the telecom case, their indicators and the thresholds fixed beforehand.

Question: when is a trouble there?  Each has one indicator with a threshold stated before any data
(`TROUBLES`), and further ones that are told beside it (`FURTHER`).

Source: the course's T8.
"""

from __future__ import annotations

from dataclasses import dataclass

TENTH = 0.10
"""Share from which a part of the customers is too large to be called an exception."""


@dataclass(frozen=True)
class Trouble:
    """A trouble and how it is told.

    Attributes
    ----------
    name : str
        The trouble in a few words.
    indicator : str
        What is measured.
    unit : str
        Its unit.
    threshold : float
        Where the trouble begins.
    below : bool
        Whether the trouble is there below the threshold, instead of above.
    """

    name: str
    indicator: str
    unit: str
    threshold: float
    below: bool = False

    def beyond(self, value: float) -> bool:
        """Whether a value lies where the trouble is."""
        return value < self.threshold if self.below else value > self.threshold


HARDLY = 1.25
"""Ratio of contacts up to which two tiers are hardly served differently, as in chapter 3."""

TROUBLES: dict[str, Trouble] = {
    "a": Trouble(
        "no objective criterion for a large customer",
        "part of class A by revenue that is not class A by profit",
        "share of customers",
        TENTH,
    ),
    "b": Trouble(
        "service hardly differs by tier",
        "contacts of the first tier over those of the last",
        "ratio",
        HARDLY,
        below=True,
    ),
    "c": Trouble(
        "agents overlap and conflict",
        "accounts that an agent and an own manager both claim",
        "share of customers",
        TENTH,
    ),
    "d": Trouble(
        "a price war thins margins",
        "margin lost to own prices",
        "share of revenue",
        0.0,
    ),
    "e": Trouble(
        "large customers leave",
        "odds to leave, of a customer e times as large",
        "odds ratio",
        1.0,
    ),
}
"""The troubles by letter, each with its indicator."""

FURTHER: dict[str, Trouble] = {
    "overlooked": Trouble(
        TROUBLES["a"].name,
        "part of class A that the house keeps at a distance (below proactive)",
        "share of customers",
        TENTH,
    ),
    "thinner": Trouble(TROUBLES["d"].name, "fall of the margin rate", "share of revenue", 0.0),
    "large_leaving": Trouble(
        TROUBLES["e"].name,
        "leaving rate of the large over that of the others",
        "ratio",
        1.0,
    ),
}
"""Indicators told beside: of trouble a, d and e."""

LETTER_OF: dict[str, str] = {"overlooked": "a", "thinner": "d", "large_leaving": "e"}
"""Trouble of each further indicator."""

CLOSE_LEVELS = 3
"""Position of the first relationship level that counts as key-account care: proactive."""
