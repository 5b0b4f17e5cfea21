"""Run all benchmarks, one after the other: `python -m benchmarks` (or `make bench`).

Every one of them prints ratios to a named peer measured in the same run. The largest size of the
customer table is not among them; see `python -m benchmarks.customer_table --help`.
"""

import subprocess
import sys

from benchmarks.measure import ROOT

BENCHMARKS = (
    "concentration",
    "customer_table",
    "lifetime_fits",
    "drivers",
    "logit",
    "measurement",
    "simulation",
    "selection",
    "elasticity",
    "pooling",
    "case_run",
)


def main() -> int:
    """Run them; the exit code tells whether one failed."""
    codes = []
    for name in BENCHMARKS:
        print(f"\n== {name}", flush=True)
        codes.append(subprocess.call([sys.executable, "-m", f"benchmarks.{name}"], cwd=ROOT))
    return max(codes)


if __name__ == "__main__":
    sys.exit(main())
