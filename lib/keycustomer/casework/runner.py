"""Runs of cases: bases prepared, chapters in parallel, outputs published whole.

Question: how do any number of cases become reports, with what is up to date left alone, one
failure stopping nothing else, and no half-written output whatever happens?

- :func:`run_cases`: runs cases; returns one :class:`Outcome` a case.
- :func:`run_plans`: the same for plans, such as the points of a sweep.
- :mod:`keycustomer.casework.plan` checks everything that can be checked before that.

A chapter that fails leaves the case's former output as it is: what ran, and the failed notebook
with its error, is kept beside it in ``output.failed``.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from keycustomer.casework.across.note_file import note_holds
from keycustomer.casework.errors import CaseError
from keycustomer.casework.files import read_chapter, reuse
from keycustomer.casework.freshness import (
    FAILED,
    NO_OUTPUT,
    chapter_files,
    conditions,
    failed_files,
    reason_to_run,
)
from keycustomer.casework.plan import Plan, plan_run
from keycustomer.casework.progress import Progress, progress_for
from keycustomer.casework.publish import Staging, failed_folder
from keycustomer.casework.resources import Resources, available
from keycustomer.casework.variables import BASE, CASE_FILE, HOME
from keycustomer.casework.worker import Event, Task, Workers, warm_up

ENGINES = ("default", "forked")

Status = Literal["completed", "up to date", "failed"]

_FILES = ("results.json", "report.html", "ro-crate-metadata.json")


@dataclass(frozen=True)
class Outcome:
    """What became of a case.

    Attributes
    ----------
    case : str
        Its name, or what the run of it is called.
    status : {"completed", "up to date", "failed"}
        Whether its output holds.
    folder : Path
        The output: of this run where it was completed, else of a former one, or none.
    incomplete : Path or None
        What a run in which chapters failed has left.
    problems : tuple of str
        What went wrong.
    seconds : float
        How long it took.
    """

    case: str
    status: Status
    folder: Path
    problems: tuple[str, ...]
    seconds: float
    incomplete: Path | None = None

    @property
    def report(self) -> Path:
        """The report."""
        return self.folder / "report.html"


@dataclass
class _State:
    """How far a case is."""

    plan: Plan
    started: dt.datetime
    staging: Staging | None = None
    fingerprint: str = ""
    waiting: set[str] = field(default_factory=set)
    ran: list[str] = field(default_factory=list)
    reused: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """What the run of the case is called."""
        return self.plan.name

    @property
    def content(self) -> Path:
        """Folder aside into which the run writes."""
        if self.staging is None:
            raise RuntimeError(f"case {self.name} has no folder to write into yet")
        return self.staging.content

    @property
    def chapters(self) -> list[str]:
        """Chapters of the output, in reading order."""
        present = {*self.ran, *self.reused}
        return [name for name in self.plan.case.project.notebooks if name in present]

    def conditions(self, chapter: str) -> dict[str, Any]:
        """Say what a chapter's output depends on, as it is now."""
        values = self.plan.parameters[chapter]
        return conditions(self.plan.case, chapter, values, self.fingerprint)


@dataclass(frozen=True)
class _Settings:
    """How a run works."""

    resources: Resources
    jobs: int
    force: bool
    engine: str

    def facts(self, started: dt.datetime) -> dict[str, Any]:
        """Return what the run record keeps of it."""
        share = self.resources.share(self.jobs)
        return {
            "started": started.isoformat(timespec="milliseconds"),
            "engine": self.engine,
            "jobs": self.jobs,
            "threads_per_job": share.threads,
            "memory_limit_per_job": share.memory_limit,
        }


def run_cases(
    cases: Sequence[str | Path],
    *,
    chapters: Sequence[str] = (),
    output: Path | None = None,
    parameters: Mapping[str, str] | None = None,
    jobs: int | None = None,
    force: bool = False,
    engine: str = "default",
    progress: Progress | None = None,
) -> list[Outcome]:
    """Run cases and publish their outputs.

    Parameters
    ----------
    cases, chapters, output, parameters
        As in :func:`plan_run`.
    jobs : int, optional
        Largest number of processes at work; default: the number of cores.
    force : bool
        Run also what is up to date.
    engine : {"default", "forked"}
        How kernels are started; `forked` starts them faster, on POSIX only.
    progress : Progress, optional
        Where progress is shown; default: the terminal.

    Returns
    -------
    list of Outcome
        In the order of `cases`.

    Raises
    ------
    CaseError
        Before anything starts, with all problems of all cases.
    KeyboardInterrupt
        On Ctrl-C or SIGTERM, after all workers have ended and nothing half-written is left.
    """
    check_engine(engine)
    plans = plan_run(cases, chapters=chapters, output=output, parameters=parameters)
    return run_plans(plans, jobs=jobs, force=force, engine=engine, progress=progress)


def check_engine(engine: str) -> None:
    """Refuse an engine that there is not."""
    if engine not in ENGINES:
        raise CaseError(f"no engine {engine!r}; the engines are {', '.join(ENGINES)}")


def run_plans(
    plans: Sequence[Plan],
    *,
    jobs: int | None = None,
    force: bool = False,
    engine: str = "default",
    progress: Progress | None = None,
    ended: Callable[[Outcome, Progress], None] | None = None,
) -> list[Outcome]:
    """Run plans, each with an output of its own, and publish their outputs.

    Parameters
    ----------
    plans : sequence of Plan
        What to run. A base that several of them share is prepared once.
    jobs, force, engine, progress
        As in :func:`run_cases`.
    ended : callable, optional
        Called with each outcome as it comes, and where progress is shown.

    Returns
    -------
    list of Outcome
        In the order of `plans`.
    """
    check_engine(engine)
    resources = available()
    count = min(jobs or resources.threads, sum(len(plan.chapters) for plan in plans))
    settings = _Settings(resources, count, force, engine)
    with contextlib.ExitStack() as stack:
        stack.enter_context(_termination_as_interrupt())
        shown = stack.enter_context(progress or progress_for())
        run = _Run(plans, settings, shown, _Engine(engine, stack), ended)
        stack.callback(run.close)
        return run.outcomes()


class _Engine:
    """What chapters need to be run, started when the first one is about to."""

    def __init__(self, name: str, stack: contextlib.ExitStack) -> None:
        self._name = name
        self._stack = stack
        self._variables: dict[str, str] | None = None

    def start(self) -> dict[str, str]:
        """Begin the imports in the background, once; return variables for the workers."""
        if self._variables is None:
            warm_up()
            self._variables = self._zygote() if self._name == "forked" else {}
        return self._variables

    def _zygote(self) -> dict[str, str]:
        """Start the process that forks kernels, and tell workers where it is."""
        from keycustomer.casework.forked import SHARED_ZYGOTE, ForkedKernelError, forked_kernels

        if SHARED_ZYGOTE in os.environ:
            return {}
        try:
            zygote = self._stack.enter_context(forked_kernels())
        except ForkedKernelError as error:
            raise CaseError(str(error)) from error
        return {SHARED_ZYGOTE: str(zygote.directory)}


@contextlib.contextmanager
def _termination_as_interrupt() -> Iterator[None]:
    """Treat SIGTERM as Ctrl-C, so that both clean up."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    former = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, former)


class _Run:
    """One run of some cases: what waits, what is at work, what has come of it."""

    def __init__(
        self,
        plans: Sequence[Plan],
        settings: _Settings,
        progress: Progress,
        engine: _Engine,
        ended: Callable[[Outcome, Progress], None] | None = None,
    ) -> None:
        self.settings = settings
        self.progress = progress
        self.engine = engine
        self.ended = ended
        self.workers = Workers(settings.jobs)
        now = dt.datetime.now(dt.UTC)
        self.states = {str(plan.output): _State(plan, now) for plan in plans}
        # Of all that share a base, the first has it prepared.
        self.sharing: dict[Path, list[_State]] = {}
        for state in self.states.values():
            self.sharing.setdefault(state.plan.base, []).append(state)
        self.queue = deque(self._preparation(states[0]) for states in self.sharing.values())
        self.prepared: deque[_State] = deque()
        self.done: dict[str, Outcome] = {}

    def outcomes(self) -> list[Outcome]:
        """Work until nothing waits and nothing is at work."""
        self._fill()
        # Where chapters will surely run, the imports need not wait for the bases.
        if self.settings.force or not all(s.plan.output.is_dir() for s in self.states.values()):
            self.engine.start()
        for event in self.workers.events():
            self._handle(event)
            self._fill()
        return [self.done[key] for key in self.states]

    def close(self) -> None:
        """End the workers and remove what is not published; a second Ctrl-C must wait."""
        with _deaf_to_interrupts():
            self.workers.close()
            for state in self.states.values():
                if state.staging is not None:
                    state.staging.discard()

    def _fill(self) -> None:
        while self.workers.free and (self.queue or self.prepared):
            if not self.queue:
                self._attempt(self.prepared.popleft(), self._open)
                continue
            task = self.queue.popleft()
            self.progress.update(task.key[1], "starting")
            self.workers.start(task)

    def _attempt(self, state: _State, step: Callable[..., None], *arguments: Any) -> None:
        """Take a step with a case; what a user can mend ends this case only."""
        try:
            step(state, *arguments)
        except (CaseError, OSError) as error:
            state.problems.append(f"{state.name}: {error}")
            self._end(state, "failed")

    def _handle(self, event: Event) -> None:
        if event.kind == "progress":
            self.progress.update(event.task.key[1], event.value)
            return
        self.progress.end(event.task.key[1])
        state = self.states[event.task.key[0]]
        handlers = {"prepare": self._prepared, "chapter": self._ran, "finish": self._finished}
        self._attempt(state, handlers[event.task.function], event)

    def _task(self, state: _State, function: str, label: str, **arguments: Any) -> Task:
        """Task with its share of cores and memory."""
        plan, resources = state.plan, self.settings.resources
        # Bases are prepared before anything else is at work.
        parts = min(self.settings.jobs, len(self.sharing)) if function == "prepare" else None
        variables = {
            **({} if function == "prepare" else self.engine.start()),
            **resources.share(parts or self.settings.jobs).environment(),
            HOME: str(plan.case.project.root),
            CASE_FILE: str(plan.case.path),
            BASE: str(plan.base),
        }
        key = (str(plan.output), f"{state.name} {label}")
        arguments = {"case": plan.case.path, **arguments}
        return Task(key, function, arguments, variables, light=function == "prepare")

    def _preparation(self, state: _State) -> Task:
        arguments = {"base": state.plan.base, "force": self.settings.force}
        return self._task(state, "prepare", "customer base", **arguments)

    def _prepared(self, state: _State, event: Event) -> None:
        for sharing in self.sharing[state.plan.base]:
            if event.kind == "failed":
                told = f"{sharing.name}: the customer base was not prepared\n{event.value}"
                sharing.problems.append(told)
                self._end(sharing, "failed")
            else:
                sharing.fingerprint = event.value["fingerprint"]
                self.prepared.append(sharing)

    def _open(self, state: _State) -> None:
        """Begin with a case whose base is there: take over what holds, queue the rest."""
        found = {name: self._holding(state, name) for name in state.plan.chapters}
        if self._nothing_to_do(state, found):
            if not state.plan.label:
                cure = "" if state.plan.gathers else " (--force runs it all the same)"
                self.progress.say(
                    f"{state.name}: up to date, since data, case file, parameters, notebooks, "
                    f"code and lock are as they were{cure}"
                )
            self._end(state, "up to date")
            return
        state.staging = Staging(state.plan.output)
        for chapter in state.plan.case.chapters:
            folder, reason = found.get(chapter) or self._holding(state, chapter, forced=False)
            if folder is not None:
                self._take(state, chapter, folder)
            elif chapter not in found:
                self._leave_out(state, chapter, reason)
            elif state.plan.gathers:
                self._miss(state, chapter, reason)
            else:
                self._queue_chapter(state, chapter, reason)
        if not state.chapters and not state.waiting:
            self._end(state, "failed")
        elif not state.waiting:
            self._queue_finish(state)

    def _holding(
        self, state: _State, chapter: str, *, forced: bool | None = None
    ) -> tuple[Path | None, str]:
        """Folder with an output of the chapter that holds, or None and why there is none."""
        if self.settings.force if forced is None else forced:
            return None, "--force was given"
        reasons = self._reasons(state, chapter)
        for folder, reason in reasons.items():
            if not reason:
                return folder, ""
        # That it has failed tells most, that there is no output least.
        told = sorted(reasons.values(), key=lambda text: (text != FAILED, text == NO_OUTPUT))
        return None, told[0]

    def _reasons(self, state: _State, chapter: str) -> dict[Path, str]:
        """Why a chapter's output does not hold, by the folders in which it may lie."""
        outputs = [state.plan.output, *state.plan.parts]
        folders = [place for output in outputs for place in (output, failed_folder(output))]
        now = state.conditions(chapter)
        return {folder: reason_to_run(folder, chapter, now) for folder in folders}

    def _nothing_to_do(self, state: _State, found: Mapping[str, tuple[Path | None, str]]) -> bool:
        """Whether the published output is what this run would publish."""
        output = state.plan.output
        whole = all((output / name).is_file() for name in _FILES)
        present = {path.name.partition(".")[0] for path in output.glob("chapters/*.run.json")}
        holds = all(folder == output for folder, _ in found.values())
        noted = not self._has_note(state) or note_holds(state.plan.case.folder, output)
        return whole and noted and holds and present <= set(state.plan.case.chapters)

    @staticmethod
    def _has_note(state: _State) -> bool:
        """Whether the case's note belongs to this run: it speaks of the case as its file has it."""
        return not state.plan.label

    def _take(self, state: _State, chapter: str, folder: Path) -> None:
        self.progress.say(f"{state.name} {chapter}: up to date, taken over")
        reuse(folder, state.content, chapter_files(chapter, read_chapter(folder, chapter)))
        state.reused.append(chapter)

    def _leave_out(self, state: _State, chapter: str, reason: str) -> None:
        # Of a run beside the case's own, nobody expects the whole case.
        if not (state.plan.label and reason == NO_OUTPUT):
            self.progress.say(f"{state.name} {chapter}: left out, because {reason}")

    def _miss(self, state: _State, chapter: str, reason: str) -> None:
        """Take a chapter that failed elsewhere with its error, or say that it was not run."""
        reasons = self._reasons(state, chapter)
        failed = next((folder for folder, told in reasons.items() if told == FAILED), None)
        command = f"keycustomer run {state.plan.case.name} --chapter {chapter} --part"
        problem = f"not run as a part, and {reason}; first: {command}"
        if failed is not None:
            problem = read_chapter(failed, chapter, "run")["error"]
            reuse(failed, state.content, failed_files(chapter))
            state.reused.append(chapter)
        state.problems.append(f"{state.name} {chapter}: {problem}")
        self.progress.say(f"{state.name} {chapter}: failed: {problem}")

    def _queue_chapter(self, state: _State, chapter: str, reason: str) -> None:
        self.progress.say(f"{state.name} {chapter}: runs, because {reason}")
        state.waiting.add(chapter)
        engine = self.settings.engine
        task = self._task(
            state,
            "chapter",
            chapter,
            name=chapter,
            content=state.content,
            parameters=state.plan.parameters[chapter],
            conditions=state.conditions(chapter),
            engine=None if engine == "default" else engine,
        )
        self.queue.append(task)

    def _ran(self, state: _State, event: Event) -> None:
        chapter = event.task.arguments["name"]
        state.waiting.discard(chapter)
        if event.kind == "failed":
            _record_death(event.task, str(event.value))
        problem = event.value if event.kind == "failed" else event.value["error"]
        state.ran.append(chapter)
        if problem:
            state.problems.append(f"{state.name} {chapter}: {problem}")
            self.progress.say(f"{state.name} {chapter}: failed: {problem}")
        else:
            self.progress.say(f"{state.name} {chapter}: done in {event.value['seconds']:.1f} s")
        if not state.waiting:
            self._queue_finish(state)

    def _queue_finish(self, state: _State) -> None:
        settings = self.settings.facts(state.started)
        task = self._task(
            state,
            "finish",
            "report",
            base=state.plan.base,
            content=state.content,
            chapters=state.chapters,
            reused=state.reused,
            settings=settings,
            note=self._has_note(state),
        )
        # What is published is safe whatever ends the run: no other chapter goes before it.
        self.queue.appendleft(task)

    def _finished(self, state: _State, event: Event) -> None:
        if event.kind == "failed":
            state.problems.append(f"{state.name}: the report was not written: {event.value}")
        if state.staging is None:
            return
        if state.problems:
            self._end(state, "failed", state.staging.keep_failed())
            return
        state.staging.publish()
        self._end(state, "completed")

    def _end(self, state: _State, status: Status, incomplete: Path | None = None) -> None:
        seconds = (dt.datetime.now(dt.UTC) - state.started).total_seconds()
        outcome = Outcome(
            case=state.name,
            status=status,
            folder=state.plan.output,
            problems=tuple(state.problems),
            seconds=round(seconds, 1),
            incomplete=incomplete,
        )
        self.done[str(state.plan.output)] = outcome
        if self.ended is not None:
            self.ended(outcome, self.progress)


@contextlib.contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """Let the cleaning up end, however often Ctrl-C is pressed."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    former = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, former)


def _record_death(task: Task, message: str) -> None:
    """Record a chapter whose worker could not."""
    from keycustomer.casework.tasks import record_death

    record_death(task, message)
