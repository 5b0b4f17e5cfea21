"""Which questions of a survey are ratings that can stand side by side on a dossier.

Question: a survey also asks for dates, roles, prices and Kano's pairs; which of its constructs tell
how a customer rates us?  :func:`rated_constructs` keeps those answered with numbers of one scale,
:func:`rating_item` finds the one that rates an attribute.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from keycustomer.dimensions.kano.pairs import WITH, WITHOUT
from keycustomer.dimensions.measurement.survey import Survey

IMPORTANCE = "importance_"
"""How columns of stated importance begin; what follows names the attribute."""

NO_RATINGS = (IMPORTANCE, WITH, WITHOUT)
"""Beginnings of items that ask for something else than a rating."""


def rated_constructs(survey: Survey) -> list[str]:
    """Name the constructs whose items are ratings on the scale that most items have.

    Parameters
    ----------
    survey : Survey
        Of all waves.

    Returns
    -------
    list of str
        In the order of the survey; empty where no construct is answered with numbers.
    """
    by_scale: dict[float, list[str]] = {}
    for kind, items in survey.constructs.items():
        if any(item.startswith(NO_RATINGS) for item in items):
            continue
        try:
            read = survey.answers([kind], every_wave=True)
        except ValueError:
            # Words, days, numbers of another scale: no rating.
            continue
        by_scale.setdefault(read.high, []).append(kind)

    def asked(kinds: list[str]) -> int:
        return sum(len(survey.constructs[kind]) for kind in kinds)

    return max(by_scale.values(), key=asked, default=[])


def rating_item(rated: Mapping[str, Sequence[str]], attribute: str) -> str | None:
    """Name the item that rates an attribute: ``functional_price`` rates the price.

    Parameters
    ----------
    rated : mapping of str to sequence of str
        Items of the rated constructs.
    attribute : str
        What importance is asked of.
    """
    found = [one for items in rated.values() for one in items if one.endswith(f"_{attribute}")]
    return found[0] if found else None
