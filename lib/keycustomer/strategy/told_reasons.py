"""What a base records of interactions, and reasons told without naming customers.

Question: why can something not be told of a base, and may the reason be shown?
:func:`kinds_recorded` takes the kinds of interactions that were asked for, or none with the reason
where the base knows none of them, so that what does not need them can be told all the same;
:func:`without_ids` takes quoted ids out of a reason where customers may not be named.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from keycustomer.customers.base import CustomerBase

_QUOTED = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\"""")


def kinds_recorded(
    base: CustomerBase, asked: Sequence[str], name: str
) -> tuple[tuple[str, ...], str]:
    """Take kinds of interactions where the base records any of them.

    Parameters
    ----------
    base : CustomerBase
        The base.
    asked : sequence of str
        Kinds that count.
    name : str
        What they are called in the reason.

    Returns
    -------
    (kinds, reason) : tuple
        The kinds and ""; no kinds and the reason where the base records others alone.
    """
    kinds = tuple(asked)
    if not kinds or not base.has("interactions"):
        return kinds, ""
    found = base.query(
        "select distinct kind from interactions where kind is not null "
        "and date between $start and $end order by kind",
        start=base.start,
        end=base.end,
    )["kind"].tolist()
    if not found or set(kinds) & set(found):
        return kinds, ""
    return (), (
        f"{name}={kinds!r}: the interactions know none of these kinds; there are {found[:12]}; "
        f"name those that count, or give {name}=() where none does"
    )


def without_ids(base: CustomerBase, reason: str) -> str:
    """Take what is quoted, which may be a customer's id, out where nobody may be named.

    Parameters
    ----------
    base : CustomerBase
        The base.
    reason : str
        Why something cannot be told.
    """
    return reason if base.identifiable else _QUOTED.sub("'...'", reason)
