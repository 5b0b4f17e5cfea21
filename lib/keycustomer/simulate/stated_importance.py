"""Stated importance: what respondents say matters to them, beside what truly does.

Why do stated and derived importance differ?  The statement follows the true weight of an attribute
only in part.  Everybody says that price is important; that recognition, belonging or image count,
few business customers admit; and whoever finds one thing important finds everything important.
Main names: `attribute_importance`, `draw_stated_importance`, `STATED_SHIFT`.

Source: the difference itself is well known, for example Oliver (1997), Satisfaction, chapter 2; the
sizes are made up.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from keycustomer.simulate.questionnaire import THRESHOLDS
from keycustomer.simulate.vocabulary import ATTRIBUTES, DIMENSIONS

FloatArray = npt.NDArray[np.float64]

SHARES: dict[str, float] = {
    "quality": 0.45, "service": 0.30, "price": 0.25,
    "ordering": 0.35, "hotline": 0.40, "portal": 0.25,
    "affinity": 0.40, "recognition": 0.35, "community": 0.25,
    "brand": 0.40, "customisation": 0.35, "expression": 0.25,
}  # fmt: skip
"""Part of its dimension's weight that an attribute carries; they sum to 1 in a dimension."""

STATED_SHIFT: dict[str, float] = {
    "quality": 0.30, "service": 0.20, "price": 1.10,
    "ordering": 0.00, "hotline": 0.10, "portal": 0.00,
    "affinity": -0.50, "recognition": -0.60, "community": -0.40,
    "brand": -0.50, "customisation": 0.00, "expression": -0.50,
}  # fmt: skip
"""Shift of the statement, in standard deviations of its propensity: price is exaggerated, social
and self-expressive wishes are denied."""

TYPICAL = -2.5
"""Logarithm of a typical true importance, from which statements are measured."""

SLOPE = 0.60
"""Change of the statement's propensity per log point of true importance."""

LEVEL = 0.10
"""Propensity at typical importance: nearly everything is called important."""

HALO, ERROR = 0.50, 0.60
"""Standard deviations between respondents (all attributes alike) and within them."""


def attribute_importance(weights: npt.ArrayLike) -> FloatArray:
    """Split the weights of the value dimensions among the attributes.

    Parameters
    ----------
    weights : array-like, shape (..., 5)
        Weights in the order of `DIMENSIONS`.

    Returns
    -------
    ndarray, shape (..., 12)
        Weight of each attribute.  `price` is the element of functional value, a fair price; what
        the price costs the customer is sacrifice, which belongs to no attribute.
    """
    weights = np.asarray(weights, dtype=float)
    column = [DIMENSIONS.index(dimension) for dimension in ATTRIBUTES.values()]
    importance: FloatArray = weights[..., column] * np.array([SHARES[one] for one in ATTRIBUTES])
    return importance


def draw_stated_importance(
    importance: FloatArray, generator: np.random.Generator
) -> npt.NDArray[np.int8]:
    """Draw the stated importance of every attribute, 1 to 7.

    Parameters
    ----------
    importance : ndarray, shape (respondents, 12)
        True importance, from `attribute_importance`; values below .005 count as .005.
    generator : Generator
        Thirteen numbers a respondent are drawn from it.
    """
    noise = generator.standard_normal((len(importance), len(ATTRIBUTES) + 1))
    shift = np.array([STATED_SHIFT[name] for name in ATTRIBUTES])
    propensity = LEVEL + shift + SLOPE * (np.log(np.maximum(importance, 0.005)) - TYPICAL)
    propensity += HALO * noise[:, :1] + ERROR * noise[:, 1:]
    stated = np.ones(propensity.shape, dtype=np.int8)
    for threshold in THRESHOLDS:
        stated += propensity > threshold
    return stated
