"""Willingness to pay, and the price points that van Westendorp's questions draw from it.

What is a standard package (a line, telephony and support for a site) worth to an account, and at
which prices does it call the package too cheap, cheap, expensive, too expensive?  Main names:
`draw_willingness_to_pay`, `draw_price_points`.

Source: van Westendorp (1976), ESOMAR Congress, for the four questions.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from keycustomer.simulate.vocabulary import DIMENSIONS, TRAITS

FloatArray = npt.NDArray[np.float64]

TYPICAL_WORTH = 110.0
"""Willingness to pay of a typical account for the standard package, EUR a month."""

ON_VALUE: dict[str, float] = {
    "functional": 0.08,
    "convenience": 0.04,
    "social": 0.04,
    "experiential": 0.04,
    "sacrifice": -0.08,
}
"""Change of log willingness to pay per standard deviation of perceived value and sacrifice."""

ON_TRAIT: dict[str, float] = {
    "price": -0.14,
    "innovation": 0.05,
    "risk": 0.0,
    "social": 0.0,
    "green": 0.0,
}
"""The same per standard deviation of the psychographic traits."""

OWN_SPREAD = 0.18
"""Standard deviation of the accounts' own part of log willingness to pay."""

POINTS: dict[str, tuple[float, float]] = {
    "price_too_cheap": (0.42, 0.14),
    "price_cheap": (0.62, 0.11),
    "price_expensive": (0.86, 0.09),
    "price_too_expensive": (1.00, 0.10),
}
"""Each price point as a part of willingness to pay, and the standard deviation of its log."""

ROUNDED_TO = 5.0
"""Respondents name multiples of this, EUR."""


def draw_willingness_to_pay(
    value: FloatArray, traits: FloatArray, generator: np.random.Generator
) -> FloatArray:
    """Draw what the standard package is worth to every account.

    Parameters
    ----------
    value : ndarray, shape (accounts, 5)
        Perceived value in the order of `DIMENSIONS`.
    traits : ndarray, shape (accounts, 5)
        Psychographic traits in the order of `TRAITS`.
    generator : Generator
        One number an account is drawn from it.

    Returns
    -------
    ndarray, shape (accounts,)
        EUR a month.
    """
    own = OWN_SPREAD * generator.standard_normal(len(value))
    on_value = value @ np.array([ON_VALUE[name] for name in DIMENSIONS])
    on_traits = traits @ np.array([ON_TRAIT[name] for name in TRAITS])
    return TYPICAL_WORTH * np.exp(on_value + on_traits + own)


def draw_price_points(worth: FloatArray, generator: np.random.Generator) -> FloatArray:
    """Draw the four price points, in the order of `POINTS`, rounded as respondents do.

    Each point errs on its own, so that a few respondents contradict themselves, as in any survey.

    Parameters
    ----------
    worth : ndarray, shape (respondents,)
        Willingness to pay, EUR a month.
    generator : Generator
        Four numbers a respondent are drawn from it.

    Returns
    -------
    ndarray, shape (respondents, 4)
        EUR a month, at least 5.
    """
    part, spread = np.array(list(POINTS.values())).T
    errors = spread * generator.standard_normal((len(worth), len(POINTS)))
    points = worth[:, None] * part * np.exp(errors)
    return np.maximum(np.round(points / ROUNDED_TO), 1) * ROUNDED_TO
