"""The output folder as a Research Object Crate, so that other programs can read what it is.

Question: how does a repository, a workflow tool or a colleague's script learn which notebook made
which table from which data?

:func:`crate` turns a run record into the JSON-LD of ``ro-crate-metadata.json``: RO-Crate 1.1 with
the Process Run Crate profile; every chapter is a `CreateAction` with its notebook as instrument,
inputs and parameters as objects and files as results.

Sources: RO-Crate 1.1, https://w3id.org/ro/crate/1.1; Process Run Crate 0.5,
https://w3id.org/ro/wfrun/process/0.5.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

CONTEXT = "https://w3id.org/ro/crate/1.1/context"
SPECIFICATION = "https://w3id.org/ro/crate/1.1"
PROFILE = "https://w3id.org/ro/wfrun/process/0.5"
METADATA_FILE = "ro-crate-metadata.json"

_STATUS = {
    "completed": "http://schema.org/CompletedActionStatus",
    "failed": "http://schema.org/FailedActionStatus",
}
_FORMATS = {
    "csv": "text/csv",
    "html": "text/html",
    "ipynb": "application/x-ipynb+json",
    "json": "application/json",
    "parquet": "application/vnd.apache.parquet",
    "png": "image/png",
}

Entity = dict[str, Any]


def crate(
    facts: Mapping[str, Any], run: Mapping[str, Any], files: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Describe an output folder.

    Parameters
    ----------
    facts : mapping
        The `case` of `results.json`.
    run : mapping
        The run record.
    files : sequence of mapping
        Path, bytes and hash of every file of the folder.

    Returns
    -------
    dict
        JSON-LD.
    """
    inputs = [_input(index, row) for index, row in enumerate(run["inputs"])]
    parameters = _parameters(run)
    notebooks = [_notebook(name, chapter) for name, chapter in run["chapters"].items()]
    entities = [_file(row) for row in files]
    actions = [
        _action(name, chapter, inputs, parameters, entities)
        for name, chapter in run["chapters"].items()
    ]
    software = _software(run)
    return {
        "@context": CONTEXT,
        "@graph": [
            _descriptor(),
            _root(facts, run, entities, actions),
            {
                "@id": PROFILE,
                "@type": "CreativeWork",
                "name": "Process Run Crate",
                "version": "0.5",
            },
            _terms(),
            *software,
            *notebooks,
            *inputs,
            *parameters,
            *entities,
            *actions,
        ],
    }


def _references(entities: Sequence[Entity]) -> list[dict[str, str]]:
    return [{"@id": entity["@id"]} for entity in entities]


def _descriptor() -> Entity:
    return {
        "@id": METADATA_FILE,
        "@type": "CreativeWork",
        "about": {"@id": "./"},
        "conformsTo": {"@id": SPECIFICATION},
    }


def _root(
    facts: Mapping[str, Any],
    run: Mapping[str, Any],
    files: Sequence[Entity],
    actions: Sequence[Entity],
) -> Entity:
    return {
        "@id": "./",
        "@type": "Dataset",
        "name": f"{facts['title']}: results of the case {facts['name']}",
        "description": facts["data"] or f"Results of the case {facts['name']}.",
        "datePublished": run["ended"],
        "license": {"@id": "#terms"},
        "conformsTo": {"@id": PROFILE},
        "hasPart": _references(files),
        "mentions": _references(actions),
        **({"temporalCoverage": f"{facts['start']}/{facts['end']}"} if facts["start"] else {}),
    }


def _terms() -> Entity:
    return {
        "@id": "#terms",
        "@type": "CreativeWork",
        "name": "Terms of the input data",
        "description": "No licence is granted by the program; the terms of the input data apply.",
    }


def _software(run: Mapping[str, Any]) -> list[Entity]:
    """Describe the library with its commit, Python, and every package."""
    library = {
        "@id": "#keycustomer",
        "@type": "SoftwareApplication",
        "name": "Key Customer Value Lab",
        "softwareVersion": run["keycustomer"],
        "softwareRequirements": [
            {"@id": f"#package-{name}"} for name in ("python", *run["packages"])
        ],
    }
    if run["commit"]:
        library["identifier"] = run["commit"] + (" with changes" if run["dirty"] else "")
    versions = {"python": run["python"], **run["packages"]}
    return [
        library,
        *(
            {
                "@id": f"#package-{name}",
                "@type": "SoftwareApplication",
                "name": name,
                "softwareVersion": version,
            }
            for name, version in versions.items()
        ),
    ]


def _notebook(name: str, chapter: Mapping[str, Any]) -> Entity:
    return {
        "@id": f"#notebook-{name}",
        "@type": "SoftwareApplication",
        "name": f"notebooks/{name}.ipynb",
        "softwareVersion": f"sha256:{chapter['notebook_sha256']}",
        "isPartOf": {"@id": "#keycustomer"},
    }


def _input(index: int, row: Mapping[str, Any]) -> Entity:
    entity = {"@id": f"#input-{index}", "@type": "CreativeWork", "name": str(row["location"])}
    if row.get("bytes") is not None:
        entity["contentSize"] = str(row["bytes"])
    if row.get("sha256"):
        entity["identifier"] = f"sha256:{row['sha256']}"
    return entity


def _parameters(run: Mapping[str, Any]) -> list[Entity]:
    return [
        {
            "@id": f"#parameter-{chapter}-{name}",
            "@type": "PropertyValue",
            "name": name,
            "value": value if isinstance(value, str) else json.dumps(value, ensure_ascii=False),
        }
        for chapter, values in run["parameters"].items()
        for name, value in values.items()
    ]


def _file(row: Mapping[str, Any]) -> Entity:
    path = str(row["path"])
    entity = {
        "@id": path,
        "@type": "File",
        "name": path,
        "contentSize": str(row["bytes"]),
        "encodingFormat": _FORMATS.get(path.rpartition(".")[2], "application/octet-stream"),
    }
    return entity | ({"identifier": f"sha256:{row['sha256']}"} if row["sha256"] else {})


def _action(
    name: str,
    chapter: Mapping[str, Any],
    inputs: Sequence[Entity],
    parameters: Sequence[Entity],
    files: Sequence[Entity],
) -> Entity:
    number = name.partition("_")[0]
    folders = tuple(f"{kind}/{number}_" for kind in ("tables", "figures", "pages"))
    own = [p for p in parameters if p["@id"].startswith(f"#parameter-{name}-")]
    made = [
        file
        for file in files
        if file["@id"] == f"notebooks/{name}.ipynb"
        or file["@id"].startswith((f"chapters/{name}.", *folders))
    ]
    action = {
        "@id": f"#run-{name}",
        "@type": "CreateAction",
        "name": f"Run of {name}",
        "instrument": {"@id": f"#notebook-{name}"},
        "object": _references([*inputs, *own]),
        "result": _references(made),
        "startTime": chapter["started"],
        "endTime": chapter["ended"],
        "actionStatus": {"@id": _STATUS[chapter["status"]]},
    }
    return action | ({"error": chapter["error"]} if chapter["error"] else {})
