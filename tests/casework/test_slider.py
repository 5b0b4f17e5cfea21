"""A slider draws a figure anew in the classroom, and keeps still in a run."""

from typing import Any

import IPython.display
import pytest
from keycustomer.casework import slider
from keycustomer.casework.chapter import Chapter
from keycustomer.casework.variables import OUTPUT
from keycustomer.plots import describe
from matplotlib.figure import Figure


@pytest.fixture
def drawn() -> list[float]:
    return []


@pytest.fixture
def draw(drawn: list[float]):
    def one(position: float) -> Any:
        drawn.append(position)
        axes = Figure().subplots()
        describe(axes, f'drawn at {position:g} <"')
        return axes

    return one


@pytest.fixture
def boxes(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    shown: list[Any] = []
    monkeypatch.setattr(IPython.display, "display", lambda *what, **_: shown.extend(what))
    return shown


def test_the_figure_follows_the_slider(draw, drawn, boxes):
    slider.show_slider(draw, 0, 200, 50, "budget, EUR")
    handle = boxes[0].children[0]
    assert (handle.min, handle.max, handle.value, handle.description) == (0, 200, 50, "budget, EUR")
    handle.value = 120
    assert drawn == [50, 120]
    picture = boxes[0].children[1].value
    assert picture.startswith('<img src="data:image/png;base64,')
    assert 'alt="drawn at 120 &lt;&quot;"' in picture


@pytest.mark.parametrize(("low", "start", "high"), [(0, 3, 2), (2, 2, 2), (1, 0, 2)])
def test_ends_that_make_no_slider_are_refused(draw, low, start, high):
    with pytest.raises(ValueError, match="two ends in order"):
        slider.show_slider(draw, low, high, start, "budget")


def test_nothing_slides_without_a_kernel(monkeypatch):
    assert not slider.can_slide()
    monkeypatch.setattr(slider, "find_spec", lambda _: None)
    assert not slider.can_slide()


def test_a_run_shows_no_slider(draw, drawn, boxes, monkeypatch, tmp_path):
    monkeypatch.setattr("keycustomer.casework.chapter.can_slide", lambda: True)
    chapter = object.__new__(Chapter)  # a slider needs nothing of a chapter
    monkeypatch.setenv(OUTPUT, str(tmp_path))
    chapter.slider(draw, low=0, high=2, start=1, label="budget")
    assert drawn == [] and boxes == []
    monkeypatch.delenv(OUTPUT)
    chapter.slider(draw, low=0, high=2, start=1, label="budget")
    assert drawn == [1]
