"""Tables of the simulated company, delivered as any other source's.

Question: how does a made-up company enter a case the way a real one does? The company of the case
file's `simulation` is generated once for all its tables; its size, seed and the generator's own
source text identify it, so that a base is made anew when any of them changes.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from keycustomer import simulate
from keycustomer.customers.reading.records import InputRecord, SourceError, StagedTable, listed
from keycustomer.customers.specification import Simulation
from keycustomer.customers.statements import identifier

_COMPANIES = ("telecom",)


def stage_simulated(
    connection: duckdb.DuckDBPyConnection, name: str, company: str, simulation: Simulation
) -> StagedTable:
    """Stage one table of the simulated company.

    Raises
    ------
    SourceError
        When there is no such company, or it has no such table.
    """
    inputs = simulated_inputs(company, simulation)
    tables = _tables(simulation)
    if name not in tables:
        raise SourceError(f"the simulated company has no table {name}; it has {listed(tables)}")
    relation = f"staged_{name}"
    frame = tables[name].assign(source_row=np.arange(1, len(tables[name]) + 1))
    connection.register("simulated_frame", frame)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {identifier(relation)} AS SELECT * FROM simulated_frame"  # noqa: S608
    )
    connection.unregister("simulated_frame")
    described = connection.execute(f"DESCRIBE {identifier(relation)}").fetchall()
    return StagedTable(
        name=name,
        relation=relation,
        columns={column: kind for column, kind, *_ in described if column != "source_row"},
        inputs=inputs,
        label=f"simulated company {company}",
        notes=("simulated: made up by a program, of no real customer",),
        typed=True,
    )


def simulated_inputs(company: str, simulation: Simulation) -> tuple[InputRecord, ...]:
    """Identify the simulated company by its settings and the generator's source text."""
    if company not in _COMPANIES:
        raise SourceError(f"no simulated company {company!r}; there is: {listed(_COMPANIES)}")
    said = (
        f"simulated company {company}: {simulation.accounts:,} accounts, "
        f"{simulation.months} months, seed {simulation.seed}"
    )
    digest = hashlib.sha256(said.encode())
    folder = Path(simulate.__file__).parent
    for path in sorted(folder.rglob("*.py")):
        digest.update(path.read_bytes())
    return (InputRecord(said, None, digest.hexdigest(), note="generated, not read"),)


@lru_cache(maxsize=1)
def _tables(simulation: Simulation) -> dict[str, pd.DataFrame]:
    """All tables of a company; they are asked for one after the other."""
    return simulate.simulate_company(**simulation.model_dump()).tables()
