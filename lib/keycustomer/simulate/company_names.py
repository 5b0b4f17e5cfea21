"""Invented names and towns of the simulated customers, made from syllables.

No name is taken from anywhere: a stem of three syllables, a word for the industry and a made-up
legal form, "Simulated Ltd", that nobody could mistake for a real firm's.  Main name:
`company_names`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

_FIRST = (
    "Bar Cor Del Fen Gal Hal Jor Kel Lun Mor Nov Or Pel Quin Ras Sol Tar Ul Vor Wen Xan Yor Zel Bry"
).split()
_MIDDLE = "a e i o u an el ir on um av es ib od ul am".split()
_LAST = (
    "bex dal dric fax gan holt kar lund mex nor pos quist rum sar tov vane wick xil zon mark"
).split()

LEGAL_FORM = "Simulated Ltd"

_TRADES: dict[str, tuple[str, ...]] = {
    "manufacturing": ("Works", "Tools", "Metals"),
    "retail": ("Stores", "Markets", "Trading"),
    "tourism": ("Hotels", "Travel", "Resorts"),
    "logistics": ("Freight", "Logistics", "Haulage"),
    "health": ("Clinics", "Care", "Laboratories"),
    "finance": ("Credit", "Insurance", "Advisers"),
    "public sector": ("Utilities", "Services", "Agency"),
    "professional services": ("Consulting", "Engineers", "Partners"),
}

TOWNS: dict[str, tuple[str, ...]] = {
    "north": ("Norrvane", "Fenhalt", "Brygard", "Skelmor"),
    "coast": ("Saltholm-on-Sim", "Merrowick", "Tidefar", "Anselhaven"),
    "capital": ("Simstad", "Simstad East", "Simstad West", "Crownmoot"),
    "valley": ("Valdremoor", "Ossenbrook", "Linderfall", "Marrowdale"),
    "highlands": ("Highdran", "Cairnolm", "Stonevek", "Ullerpeak"),
}
"""Invented towns by region."""

COUNTRY = "Simland"


def company_names(
    number: Array, industry: Array, industries: tuple[str, ...], offset: int
) -> npt.NDArray[np.object_]:
    """Make a name of its own for every account.

    Parameters
    ----------
    number : ndarray of int, shape (accounts,)
        Number of the account, from 0: equal numbers get equal names.
    industry : ndarray of int, shape (accounts,)
        Position in `industries`.
    industries : tuple of str
        Names of the industries.
    offset : int
        Where the row of stems begins, so that companies of other seeds have other customers.

    Returns
    -------
    ndarray of str, shape (accounts,)
        Such as "Tarevane Freight Simulated Ltd"; when the stems are used up, numbered.
    """
    stems = len(_FIRST) * len(_MIDDLE) * len(_LAST)
    # A step without common divisor with the number of stems visits all of them before any twice.
    place = (number.astype(np.int64) * 2_903 + offset) % stems
    last, rest = place % len(_LAST), place // len(_LAST)
    middle, first = rest % len(_MIDDLE), rest // len(_MIDDLE)
    stem = np.array(_FIRST, dtype=object)[first] + np.array(_MIDDLE, dtype=object)[middle]
    stem = stem + np.array(_LAST, dtype=object)[last]
    trades = np.array([[f" {word} {LEGAL_FORM}" for word in _TRADES[one]] for one in industries])
    trade = trades.astype(object)[industry, number % trades.shape[1]]
    turn = number // stems
    turns = np.array([""] + [f" {k}" for k in range(2, int(turn.max(initial=0)) + 2)], dtype=object)
    return stem + turns[turn] + trade
