"""Figures may not import the chapters they draw; what they repeat of them must stay the same."""

import pytest
from keycustomer.dimensions.drivers import priorities, stated
from keycustomer.dimensions.kano import evaluation
from keycustomer.dimensions.measurement import factors, items
from keycustomer.dimensions.pls import quantities
from keycustomer.dimensions.segments import numbers, stability
from keycustomer.dimensions.structural import indices
from keycustomer.plots import drivers, kano, measurement, pls, segments, structural


@pytest.mark.parametrize(
    ("drawn", "defined"),
    [
        (tuple(drivers.FIELD_COLOURS), priorities.FIELDS),
        (set(drivers.READING_COLOURS), set(stated.READINGS)),
        (kano.NAMES, evaluation.CLASS_NAMES),
        (measurement.AT_AN_END, items.AT_AN_END),
        (measurement.WEAK, items.WEAK),
        (measurement.SALIENT, factors.SALIENT),
        (pls.ALL_ROUTES, quantities.ALL_ROUTES),
        (segments.STABLE_LINE, stability.STABLE_RAND),
        (segments.JACCARD_LINES, (stability.STABLE, stability.UNSTABLE)),
        (
            tuple(segments.VERDICT_COLOURS),
            (numbers.NATURAL, numbers.REPRODUCIBLE, numbers.CONSTRUCTIVE),
        ),
        (
            structural.GOOD,
            {
                "cfi": indices.GOOD_CFI,
                "tli": indices.GOOD_CFI,
                "rmsea": indices.GOOD_RMSEA,
                "srmr": indices.GOOD_SRMR,
            },
        ),
    ],
)
def test_figures_draw_the_borders_and_classes_of_the_chapter(drawn, defined):
    assert drawn == defined
