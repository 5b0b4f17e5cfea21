"""Kano's pairs of questions: answers drawn from a true class of every attribute.

How would you feel if the attribute were there, and if it were not?  A respondent's feeling about
presence and about absence are two normal numbers whose means follow from the true class of the
attribute in the respondent's segment; cuts turn them into the five answers.  So the probability of
every answer pair, of every class and of every coefficient is known exactly.  Main names:
`KANO_CLASSES` (the true classes), `draw_kano_answers`, `kano_probabilities`, `kano_truth`.

Sources: Kano, Seraku, Takahashi & Tsuji (1984), Quality 14(2); the evaluation table and the
coefficients as in Berger et al. (1993), Center for Quality of Management Journal 2(4).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import ndtr

from keycustomer.simulate.vocabulary import ATTRIBUTE_LAYERS, ATTRIBUTES, SEGMENTS

FloatArray = npt.NDArray[np.float64]

FEELINGS: dict[str, tuple[float, float]] = {
    "M": (0.10, 1.75),
    "O": (1.65, 1.65),
    "A": (1.70, -0.10),
    "I": (-0.10, -0.10),
    "R": (-1.70, -1.70),
}
"""Mean joy at presence and mean anger at absence by class: must-be, one-dimensional, attractive,
indifferent, reverse."""

SPREAD = 0.7
"""Standard deviation of both feelings within a segment."""

CUTS = (1.0, 0.35, -0.5, -1.2)
"""Joy above 1.0 is answered 'I like it', above .35 'it must be so', then neutral, 'I can live with
it', 'I dislike it'; anger the other way round."""

KANO_CLASSES: dict[str, str] = {
    "quality": "MMMO",
    "service": "MOOO",
    "price": "OMOO",
    "ordering": "OOMO",
    "hotline": "MMMM",
    "portal": "AAIM",
    "affinity": "IIAI",
    "recognition": "AIAA",
    "community": "IIAA",
    "brand": "IIII",
    "customisation": "AIOA",
    "expression": "IRIA",
}
"""True class of each attribute, a letter a segment in the order of `SEGMENTS`."""

TABLE = ("QAAAO", "RIIIM", "RIIIM", "RIIIM", "RRRRQ")
"""Kano's evaluation table: rows the answer on presence, columns that on absence."""

TIES = "MOAIRQ"
"""Order in which ties between classes are broken."""


def draw_kano_answers(
    segment: npt.NDArray[np.integer], generator: np.random.Generator
) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.int8]]:
    """Draw the answers to all pairs of questions.

    Parameters
    ----------
    segment : ndarray of int, shape (respondents,)
        Positions in `SEGMENTS`.
    generator : Generator
        Two numbers a respondent and attribute are drawn from it, respondent by respondent.

    Returns
    -------
    presence, absence : ndarray of int, shape (respondents, 12)
        1 like, 2 must be, 3 neutral, 4 live with, 5 dislike.
    """
    means = _feelings()[segment]
    felt = means + SPREAD * generator.standard_normal(means.shape)
    joy, anger = felt[..., 0], felt[..., 1]
    presence = np.ones(joy.shape, dtype=np.int8)
    absence = np.full(joy.shape, 5, dtype=np.int8)
    for cut in CUTS:
        presence += joy <= cut
        absence -= anger <= cut
    return presence, absence


def kano_probabilities(segment_shares: npt.ArrayLike | None = None) -> pd.DataFrame:
    """Compute the probability of every class for every attribute, by segment and over all.

    Parameters
    ----------
    segment_shares : array-like, shape (4,), optional
        Shares of the segments, for the row `all`; left out, only segments are tabulated.

    Returns
    -------
    DataFrame
        One row an attribute and segment: attribute, layer, segment, `true_class` (that the answers
        are drawn from; over all, the most probable), the probabilities `M O A I R Q`, `modal_class`
        (most probable, ties M > O > A > I), `better` and `worse`.
    """
    chances = _class_chances()
    names = list(SEGMENTS)
    if segment_shares is not None:
        shares = np.asarray(segment_shares, dtype=float)
        chances = np.concatenate([chances, np.tensordot(shares, chances, 1)[None]])
        names.append("all")
    rows = []
    for place, attribute in enumerate(ATTRIBUTES):
        for which, segment in enumerate(names):
            chance = dict(zip(TIES, chances[which, place], strict=True))
            modal = max(TIES, key=lambda letter, chance=chance: chance[letter])  # type: ignore[misc]
            true = modal if segment == "all" else KANO_CLASSES[attribute][which]
            rows.append(
                {
                    "attribute": attribute,
                    "layer": ATTRIBUTE_LAYERS[attribute],
                    "segment": segment,
                    "true_class": true,
                    **chance,
                    "modal_class": modal,
                    **_coefficients(chance),
                }
            )
    return pd.DataFrame(rows)


def _coefficients(chance: dict[str, float]) -> dict[str, float]:
    counted = sum(chance[letter] for letter in "AOMI")
    return {
        "better": (chance["A"] + chance["O"]) / counted,
        "worse": -(chance["O"] + chance["M"]) / counted,
    }


def _feelings() -> FloatArray:
    """Mean joy and anger, shape (segments, attributes, 2)."""
    return np.array(
        [
            [FEELINGS[KANO_CLASSES[attribute][which]] for attribute in ATTRIBUTES]
            for which in range(len(SEGMENTS))
        ]
    )


def _class_chances() -> FloatArray:
    """Probability of every class, shape (segments, attributes, 6), classes in order of `TIES`."""
    means = _feelings()
    bounds = np.array([np.inf, *CUTS, -np.inf])
    below = ndtr((bounds - means[..., None]) / SPREAD)
    parts = below[..., :-1] - below[..., 1:]
    presence, absence = parts[..., 0, :], parts[..., 1, ::-1]
    pairs = presence[..., :, None] * absence[..., None, :]
    letters = np.array([list(row) for row in TABLE])
    return np.stack([pairs[..., letters == letter].sum(axis=-1) for letter in TIES], axis=-1)
