"""What a run tells while it works: bars on a terminal, plain lines elsewhere.

`progress_for` chooses; both have `update` for a task at work, `end` for one that has ended, and
`say` for a line that stays.
"""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

_LINE_SECONDS = 10.0


class Progress(Protocol):
    """Shows how far a run is."""

    def __enter__(self) -> Self:
        """Begin."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End."""

    def update(self, name: str, news: Any) -> None:
        """Show news of a task: a text, or (cell, cells)."""

    def end(self, name: str) -> None:
        """Take a task that has ended from the screen."""

    def say(self, text: str) -> None:
        """Show a line that stays."""


def progress_for(stream: TextIO | None = None) -> Progress:
    """Bars where the stream is a terminal, else plain lines."""
    stream = stream or sys.stdout
    return TerminalProgress() if stream.isatty() else LineProgress(stream)


class LineProgress:
    """Plain lines, at most one in ten seconds and task.

    Parameters
    ----------
    stream : TextIO
        Where to.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._last: dict[str, float] = {}

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End."""

    def update(self, name: str, news: Any) -> None:
        """Say the news, unless it comes too soon after the last."""
        now = time.monotonic()
        if name in self._last and now - self._last[name] < _LINE_SECONDS:
            return
        self._last[name] = now
        self.say(f"{name}: {_text(news)}")

    def end(self, name: str) -> None:
        """Forget a task."""
        self._last.pop(name, None)

    def say(self, text: str) -> None:
        """Write a line."""
        self._stream.write(text + "\n")
        self._stream.flush()


class TerminalProgress:
    """One bar a task at work, below the lines that stay."""

    def __init__(self) -> None:
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        self._progress: RichProgress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[news]}", markup=False),
            TimeElapsedColumn(),
            transient=True,
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        """Begin to draw."""
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Clear the bars."""
        self._progress.stop()

    def update(self, name: str, news: Any) -> None:
        """Move a task's bar."""
        if name not in self._tasks:
            self._tasks[name] = self._progress.add_task(name, total=None, news="")
        done, total = news if isinstance(news, tuple) else (None, None)
        self._progress.update(self._tasks[name], completed=done or 0, total=total, news=_text(news))

    def end(self, name: str) -> None:
        """Remove a task's bar."""
        if name in self._tasks:
            self._progress.remove_task(self._tasks.pop(name))

    def say(self, text: str) -> None:
        """Write a line above the bars."""
        self._progress.console.print(text, markup=False, highlight=False, soft_wrap=True)


def _text(news: Any) -> str:
    return f"cell {news[0]} of {news[1]}" if isinstance(news, tuple) else str(news)
