"""Closed vocabularies of the simulated operator: which words its codes stand for.

Accounts and panels hold small integer codes; a code is the position in one of these tuples.  Main
names: `SEGMENTS`, `DIMENSIONS`, `ATTRIBUTES`, `LEVELS`, `TRAITS`, `TOOLS`.

Sources: the five relationship levels are Kotler's; the value dimensions with their elements are
the course's (functional, convenience, social, experiential, against what is sacrificed).
"""

from __future__ import annotations

INDUSTRIES = (
    "manufacturing",
    "retail",
    "tourism",
    "logistics",
    "health",
    "finance",
    "public sector",
    "professional services",
)

REGIONS = ("north", "coast", "capital", "valley", "highlands")

OWNERSHIPS = ("owner-managed", "part of a group", "listed", "public")

TRAITS = ("price", "innovation", "risk", "social", "green")
"""Traits: price orientation, innovativeness, risk aversion, sociability, green attitude."""

SEGMENTS = ("reliability seekers", "price-driven", "partners", "innovators")
"""Need segments: what an account weighs most."""

DIMENSIONS = ("functional", "convenience", "social", "experiential", "sacrifice")
"""Dimensions of perceived value; the last one is what the customer gives up."""

ATTRIBUTES: dict[str, str] = {
    "quality": "functional",
    "service": "functional",
    "price": "functional",
    "ordering": "convenience",
    "hotline": "convenience",
    "portal": "convenience",
    "affinity": "social",
    "recognition": "social",
    "community": "social",
    "brand": "experiential",
    "customisation": "experiential",
    "expression": "experiential",
}
"""The twelve service attributes, each with the value dimension it is an element of."""

ATTRIBUTE_LAYERS: dict[str, str] = {
    "quality": "core",
    "service": "core",
    "price": "core",
    "ordering": "tangible",
    "hotline": "tangible",
    "portal": "tangible",
    "brand": "tangible",
    "affinity": "augmented",
    "recognition": "augmented",
    "community": "augmented",
    "customisation": "augmented",
    "expression": "augmented",
}
"""Layer of the product each attribute belongs to."""

LEVELS = ("basic", "reactive", "accountable", "proactive", "partnership")
"""Relationship levels, from the cheapest to the closest."""

CHANNELS = ("inside sales", "agent", "manager", "agent and manager")
"""Who looks after an account; the last one is a conflict: both claim it."""

CATEGORIES = ("voice", "broadband", "leased lines", "cloud", "security and IoT")

TOOLS = ("segmentation", "dossier", "service", "pricing", "channel", "back office")
"""The six tools of strategic key-account marketing, as switches of a policy."""

NEVER = 32_767
"""Month code of what does not happen within the window (largest 16-bit integer)."""
