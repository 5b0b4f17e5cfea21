"""The solver's own lines do not reach standard output, and everything else does."""

import ctypes
import os
import subprocess
import sys

import pytest
from keycustomer.relationships import select_levels
from keycustomer.relationships.selection.solver_output import quiet_solver
from level_instances import random_instance

posix = pytest.mark.skipif(os.name != "posix", reason="the C library is loaded by name elsewhere")


@posix
def test_compiled_code_writes_nothing_and_python_before_and_after_does(capfd):
    print("before")
    with quiet_solver():
        ctypes.CDLL(None).printf(b"debug line of a solver\n")
        os.write(1, b"straight to the file descriptor\n")
    print("after")
    assert capfd.readouterr().out == "before\nafter\n"


def test_an_error_of_the_solver_gives_standard_output_back(capfd):
    with pytest.raises(RuntimeError, match="no answer"), quiet_solver():
        raise RuntimeError("no answer")
    os.write(1, b"back\n")
    assert capfd.readouterr().out == "back\n"


def test_a_process_without_standard_output_can_solve():
    program = (
        "import os, sys\n"
        "os.close(1)\n"
        "sys.stdout = None\n"
        "from keycustomer.relationships.selection.solver_output import quiet_solver\n"
        "with quiet_solver():\n"
        "    sys.stderr.write('solved')\n"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (ran.returncode, ran.stderr) == (0, "solved")


def test_the_exact_plan_is_sought_in_silence(capfd, monkeypatch):
    """A solver that prints, as HiGHS does in some runs only."""
    import scipy.optimize

    solve, asked = scipy.optimize.milp, []

    def talking(*given, **named):
        asked.append(os.write(1, b"tmpSolver.run();\n"))
        return solve(*given, **named)

    monkeypatch.setattr(scipy.optimize, "milp", talking)
    for seed in range(20):
        select_levels(*random_instance(seed), method="exact")
    assert asked
    assert capfd.readouterr().out == ""
