"""From what respondents think to the answers they give on a rating scale.

Why is an answer not the opinion?  A respondent's propensity to agree follows from the construct
and from what is particular to the item; the respondent's habit with scales shifts and stretches
it; thresholds cut it into seven answers; and some tick the same box all the way down.  Main names:
`ScaleUsage`, `draw_scale_usage`, `slopes`, `propensities`,
`rated_answers`.

Source: Baumgartner & Steenkamp (2001), Journal of Marketing Research 38, for response styles.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from keycustomer.simulate.questionnaire import LATENTS, REFERENCE_SD, Measurement
from keycustomer.simulate.vocabulary import ATTRIBUTES

FloatArray = npt.NDArray[np.float64]

SPECIFIC_SHARE = 0.5
"""Part of an attribute item's own variance that is its true specific performance; the rest errs."""

STRAIGHT_ANSWERS = (4, 5, 6)
"""The answers that straight-lining respondents tick, equally often."""


@dataclass(frozen=True, eq=False)
class ScaleUsage:
    """How each respondent uses rating scales.

    Attributes
    ----------
    shift : ndarray, shape (respondents,)
        Added to every propensity.
    factor : ndarray, shape (respondents,)
        Multiplies every propensity; mean 1.
    straight : ndarray of int, shape (respondents,)
        The one answer given to everything; 0 for those who read the questions.
    """

    shift: FloatArray
    factor: FloatArray
    straight: npt.NDArray[np.int64]


def draw_scale_usage(
    respondents: int, measurement: Measurement, generator: np.random.Generator
) -> ScaleUsage:
    """Draw how respondents use scales, in their order.

    Parameters
    ----------
    respondents : int
        Number of respondents.
    measurement : Measurement
        The spread of shifts and factors, and the share who straight-line.
    generator : Generator
        Four numbers a respondent are drawn from it.
    """
    # One call, so that the first respondents of a larger company are those of a smaller one.
    normal = generator.standard_normal((respondents, 4))
    uniform = ndtr(normal[:, 2:])
    spread = measurement.stretch
    answers = np.array(STRAIGHT_ANSWERS)
    ticked = answers[(uniform[:, 1] * len(answers)).astype(int)]
    return ScaleUsage(
        shift=measurement.acquiescence * normal[:, 0],
        factor=np.exp(spread * normal[:, 1] - spread**2 / 2),
        straight=np.where(uniform[:, 0] < measurement.straight_lining, ticked, 0),
    )


def slopes(measurement: Measurement) -> tuple[FloatArray, FloatArray]:
    """Give every item's slope on its latent, and the standard deviation of its own part.

    Returns
    -------
    slope, own : ndarray, shape (items,)
        ``propensity = ease + slope x latent + own x standard normal``; with a latent of the
        reference standard deviation the propensity has variance 1 and the item its loading.
    """
    loading = np.array([item.loading for item in measurement.items])
    spread = np.array([REFERENCE_SD[item.construct] for item in measurement.items])
    return loading / spread, np.sqrt(1 - loading**2)


def propensities(
    latents: FloatArray,
    measurement: Measurement,
    errors: FloatArray,
    specific: FloatArray | None = None,
) -> FloatArray:
    """Compute the continuous propensity behind every rating answer.

    It is ``ease + slope x latent + own part``, see `slopes`.  The own part of a service
    attribute's item consists of the attribute's specific performance and of error; that of other
    items is error.

    Parameters
    ----------
    latents : ndarray, shape (respondents, latents)
        Scores, columns as in `LATENTS`.
    measurement : Measurement
        Items and loadings.
    errors : ndarray, shape (respondents, items)
        Standard normal numbers.
    specific : ndarray, shape (respondents, 12), optional
        Standardised specific performance of the attributes, columns as in `ATTRIBUTES`.

    Returns
    -------
    ndarray, shape (respondents, items)
    """
    items = measurement.items
    slope, spread = slopes(measurement)
    column = [LATENTS.index(item.construct) for item in items]
    own = errors
    if specific is not None:
        own = errors.copy()
        for place, item in enumerate(items):
            name = item.name.partition("_")[2]
            if ATTRIBUTES.get(name) == item.construct:
                part = specific[:, list(ATTRIBUTES).index(name)]
                kept, wrong = np.sqrt(SPECIFIC_SHARE), np.sqrt(1 - SPECIFIC_SHARE)
                own[:, place] = kept * part + wrong * errors[:, place]
    ease = np.array([item.ease for item in items])
    return ease + latents[:, column] * slope + spread * own


def rated_answers(
    propensity: FloatArray, usage: ScaleUsage, measurement: Measurement
) -> npt.NDArray[np.int8]:
    """Cut propensities into answers, each respondent using the scale in its own way.

    Parameters
    ----------
    propensity : ndarray, shape (respondents, items)
        From `propensities`.
    usage : ScaleUsage
        From `draw_scale_usage`.
    measurement : Measurement
        Thresholds between the answers.

    Returns
    -------
    ndarray of int, shape (respondents, items)
        Answers from 1 to 7.
    """
    used = usage.factor[:, None] * propensity + usage.shift[:, None]
    answers = np.ones(used.shape, dtype=np.int8)
    for threshold in measurement.thresholds:
        answers += used > threshold
    lined = usage.straight > 0
    answers[lined] = usage.straight[lined, None]
    return answers
