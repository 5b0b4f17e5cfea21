"""Two-factor reading (Herzberg): hygiene factors against motivators.

Herzberg found that what satisfies is not the opposite of what dissatisfies.  Carried over to
services: a hygiene factor dissatisfies when it is missing and satisfies nobody when it is there
(must-be), a motivator satisfies when it is there and is not missed otherwise (attractive).
:func:`two_factor_reading` reads both sides, what customers say (Kano) and what their satisfaction
does (penalty-reward contrasts), and names a role only where the two agree.

Sources: Herzberg, Mausner & Snyderman, "The Motivation to Work" (1959); Matzler & Sauerwein (2002)
for the link to Kano's classes.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd

from keycustomer.customers.rendering import report_html
from keycustomer.dimensions.kano.classification import KanoClasses
from keycustomer.dimensions.kano.continuous import ContinuousKano
from keycustomer.dimensions.kano.contrasts import PenaltyReward

ROLES = {"M": "hygiene factor", "A": "motivator", "O": "both", "I": "neither"}
"""Role of the attributes of a class; reverse and questionable ones have none."""

OPEN = "open"
"""The role where statements and data disagree, or a class has no role."""

BEND_LEVEL = 0.05
"""p-value below which satisfaction is taken not to follow straight lines."""


@dataclass(frozen=True, eq=False)
class TwoFactorReading:
    """Hygiene factors and motivators.

    Attributes
    ----------
    frame : DataFrame
        One row an attribute: ``attribute``, ``stated_class``, ``stated_role`` (from what customers
        say), ``data_class``, ``data_role`` (from what satisfaction does), ``role`` (where both
        agree, else `open`), ``beyond_linear`` (whether the asymmetry of the data is more than
        straight lines would show).
    bend_p_value : float
        Of the test that satisfaction follows straight lines: above 0.05 the data hold no sign of
        two factors, whatever the classes say.
    notes : tuple of str
        What a reader should know.
    """

    frame: pd.DataFrame = field(repr=False)
    bend_p_value: float
    notes: tuple[str, ...]

    @property
    def hygiene(self) -> tuple[str, ...]:
        """Hygiene factors by both statements and data."""
        return self._of("M")

    @property
    def motivators(self) -> tuple[str, ...]:
        """Motivators by both statements and data."""
        return self._of("A")

    def _of(self, letter: str) -> tuple[str, ...]:
        return tuple(self.frame.loc[self.frame["role"] == ROLES[letter], "attribute"])

    @property
    def sentence(self) -> str:
        """The reading in words."""
        settled = int((self.frame["role"] != OPEN).sum())
        return (
            f"Hygiene factors by statements and data: {', '.join(self.hygiene) or 'none'}; "
            f"motivators: {', '.join(self.motivators) or 'none'}; statements and data give the "
            f"same role to {settled} of {len(self.frame)} attributes."
        )

    def to_frame(self) -> pd.DataFrame:
        """One row an attribute."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        tables = {"Roles of the attributes": self.frame}
        return report_html("Two-factor reading", [self.sentence, *self.notes], tables)


def two_factor_reading(
    stated: KanoClasses | ContinuousKano, contrasts: PenaltyReward
) -> TwoFactorReading:
    """Read attributes as hygiene factors and motivators.

    Parameters
    ----------
    stated : KanoClasses or ContinuousKano
        What customers say of the attributes.
    contrasts : PenaltyReward
        What performance on the same attributes does to satisfaction.

    Returns
    -------
    TwoFactorReading

    Raises
    ------
    ValueError
        When the two have no attribute in common.
    """
    said, done = stated.classes, contrasts.classes
    common = [name for name in said if name in done]
    if not common:
        raise ValueError(
            f"no attribute in common: statements are on {', '.join(said)}, contrasts on "
            f"{', '.join(done)}; name the attributes alike, as in "
            "performance={'quality': 'functional_quality'}"
        )
    bent = contrasts.frame.set_index("attribute")
    beyond = (bent["beyond_linear_lower"] > 0) | (bent["beyond_linear_upper"] < 0)
    rows = []
    for name in common:
        roles = [ROLES.get(letter, OPEN) for letter in (said[name], done[name])]
        rows.append(
            {
                "attribute": name,
                "stated_class": said[name],
                "stated_role": roles[0],
                "data_class": done[name],
                "data_role": roles[1],
                "role": roles[0] if roles[0] == roles[1] else OPEN,
                "beyond_linear": bool(beyond[name]),
            }
        )
    frame = pd.DataFrame(rows)
    left_out = [name for name in (*said, *done) if (name in said) != (name in done)]
    return TwoFactorReading(frame, contrasts.bend_p_value, tuple(_notes(contrasts, left_out)))


def _notes(contrasts: PenaltyReward, left_out: list[str]) -> list[str]:
    p_value = contrasts.bend_p_value
    chance = "p < 0.001" if p_value < 0.001 else f"p = {p_value:.3f}"
    bend = (
        f"{contrasts.outcome} departs from straight lines by more than chance ({chance}): the data "
        "hold room for two factors, unless answers piled up at an end of the scale bend it"
        if p_value < BEND_LEVEL
        else f"straight lines describe {contrasts.outcome} as well ({chance}): the data "
        "show no two factors, and classes by contrasts owe to the cut-offs"
    )
    told = f"not in both, left out: {', '.join(left_out)}"
    return [bend, told] if left_out else [bend]
