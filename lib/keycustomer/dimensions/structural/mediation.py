"""What reaches an outcome by way of a mediator: value to loyalty through satisfaction.

Question: when all benefits rise together by one standard deviation, how far does loyalty rise by
way of satisfaction?  :func:`mediated_effect` adds the indirect effects of several causes through
one mediator and gives the sum its interval, which no table of single effects can: the effects vary
together from resample to resample.

Source: Bollen, "Structural Equations with Latent Variables" (1989), chapter 8, specific indirect
effects.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from keycustomer.dimensions.structural.effects import ARROW, read_ways
from keycustomer.dimensions.structural.readings import Readings
from keycustomer.dimensions.structural.standardised import standardised
from keycustomer.stats.estimate import Estimate

UNIT = "standard deviations"


def mediated_effect(
    result: Readings, causes: Sequence[str], mediator: str, outcome: str
) -> Estimate:
    """Sum the standardised effects of several causes on an outcome that go through a mediator.

    Parameters
    ----------
    result : SemFit or SemBootstrap
        A fitted model (intervals by the delta method) or its resamples (percentile intervals).
    causes : sequence of str
        Constructs whose effects are added.
    mediator, outcome : str
        The construct they go through, and the one they reach.

    Returns
    -------
    Estimate
        Standard deviations of the outcome for one of every cause, others alike.

    Raises
    ------
    ImproperSolution
        When the solution may not be read.
    ValueError
        When a cause has no way through the mediator to the outcome.
    """
    result.refuse()
    ways = read_ways(result.specification)
    names = {effect.name: place for place, effect in enumerate(ways.effects)}
    wanted = {cause: ARROW.join((cause, mediator, outcome)) for cause in causes}
    absent = [name for name in wanted.values() if name not in names]
    if absent or not wanted:
        raise ValueError(
            f"the model has no way {absent[0] if absent else 'asked for'}; its ways are: "
            f"{', '.join(effect.name for effect in ways.effects if effect.kind == 'indirect')}"
        )
    chosen = [names[name] for name in wanted.values()]

    def quantity(theta: np.ndarray) -> np.ndarray:
        effects = ways.products(standardised(result.structure, theta))
        return effects[:, chosen].sum(axis=1, keepdims=True)

    found = result.spread.of(quantity)
    return Estimate(
        float(found.estimate[0]),
        float(found.lower[0]),
        float(found.upper[0]),
        UNIT,
        result.respondents,
        result.spread.method,
        result.level,
    )
