"""The figure of estimates beside the truth counts what it shows."""

import pandas as pd
import pytest
from keycustomer import plots
from matplotlib import pyplot

ROWS = pd.DataFrame(
    {
        "measure": ["alpha", "path", "kano_class"],
        "group": ["value", "a->b", "price"],
        "estimate": [0.8, 0.3, 2.0],
        "lower": [0.7, 0.2, float("nan")],
        "upper": [0.9, 0.4, float("nan")],
        "truth": [0.75, 0.5, 2.0],
        "held": pd.array([True, False, None], dtype="boolean"),
    }
)


def test_title_and_alternative_say_how_many_hold_and_which_miss() -> None:
    ax = plots.truth_dots(ROWS)
    assert "1 of 2 intervals hold the truth" in ax.get_title(loc="left").replace("\n", " ")
    assert plots.description(ax).endswith("Those that miss it: path a->b.")
    assert [label.get_text() for label in ax.get_yticklabels()] == ["alpha value", "path a->b"]
    pyplot.close(ax.figure)


def test_nothing_to_draw_is_told() -> None:
    with pytest.raises(ValueError, match="no estimate has both an interval and a known truth"):
        plots.truth_dots(ROWS.tail(1))
