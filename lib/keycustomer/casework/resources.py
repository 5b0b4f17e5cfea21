"""Cores and memory, divided among workers before any library starts its threads.

Question: how do four notebooks at once not start four times as many threads as there are cores?

`available` says what this process may use (affinity, control group, the environment), `share`
divides it, and `environment` puts a share into variables that BLAS libraries, DuckDB and polars
read when they start.  Unbounded threads made four workers nineteen times slower.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from keycustomer.casework.errors import CaseError
from keycustomer.casework.variables import MEMORY_LIMIT, THREADS

THREAD_VARIABLES = (
    THREADS,
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "POLARS_MAX_THREADS",
)
# The rest is for Python, the frames in memory and the system.
_ENGINE_SHARE = 0.6
_UNITS = {"": 1, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "KI": 2**10, "MI": 2**20, "GI": 2**30}
_SMALLEST = 256 * 2**20


@dataclass(frozen=True)
class Resources:
    """Cores, and bytes of memory (0: unknown)."""

    threads: int
    memory: int

    def share(self, parts: int) -> Resources:
        """One of `parts` equal shares, of at least one core."""
        parts = max(parts, 1)
        memory = max(self.memory // parts, _SMALLEST) if self.memory else 0
        return Resources(max(self.threads // parts, 1), memory)

    @property
    def memory_limit(self) -> str | None:
        """The memory as the engine reads it, such as `2048MiB`."""
        return f"{self.memory // 2**20}MiB" if self.memory else None

    def environment(self) -> dict[str, str]:
        """Variables that bind a process started with them to this share."""
        variables = dict.fromkeys(THREAD_VARIABLES, str(self.threads))
        return variables | ({MEMORY_LIMIT: self.memory_limit} if self.memory_limit else {})


def available(variables: Mapping[str, str] = os.environ) -> Resources:
    """Return what this process and its workers may use together.

    Raises
    ------
    CaseError
        When `KEYCUSTOMER_THREADS` or `KEYCUSTOMER_MEMORY_LIMIT` is set to no number.
    """
    threads, memory = variables.get(THREADS, ""), variables.get(MEMORY_LIMIT, "")
    if threads and not re.fullmatch(r"[1-9]\d{0,4}", threads):
        raise CaseError(f"{THREADS} is {threads!r}; set it to a number of cores, such as 4")
    return Resources(
        int(threads) if threads else cores(),
        _bytes(memory) if memory else int(_ENGINE_SHARE * _memory()),
    )


def cores() -> int:
    """Return the number of cores this process may use."""
    allowed = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    quota, _, period = _control_group("cpu.max").partition(" ")
    if quota.isdigit() and period.isdigit():
        allowed = min(allowed, max(int(quota) // int(period), 1))
    return allowed


def _memory() -> int:
    """Memory of the machine or the control group, bytes; 0 where unknown."""
    limit = _control_group("memory.max")
    limits = [int(limit)] if limit.isdigit() else []
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        limits.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    return min(limits, default=0)


def _control_group(name: str) -> str:
    path = Path("/sys/fs/cgroup") / name
    return path.read_text(encoding="ascii").strip() if path.is_file() else ""


def _bytes(text: str) -> int:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?I?)B?", text.strip().upper())
    if not found or found.group(2) not in _UNITS:
        raise CaseError(f"{MEMORY_LIMIT} is {text!r}; set it to an amount, such as 4GB")
    return int(float(found.group(1)) * _UNITS[found.group(2)])
