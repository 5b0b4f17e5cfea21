"""Features as numbers: standardised, words as yes or no, the unknown marked.

`Encoding` is learned from one table and applied to others, so that a model fitted in a trial can be
used on next year's customers.  It never looks at outcomes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from keycustomer.stats.samples import FloatArray

RARE = 10
"""A word that fewer customers have is treated like all other rare words."""


@dataclass(frozen=True, eq=False)
class Encoding:
    """How features become numbers.

    Attributes
    ----------
    numbers : dict of str to (mean, standard deviation)
        Features that are numbers; unknown ones get the mean and a mark of their own.
    words : dict of str to list
        Features that are words, with those that get a column: one less than there are.
    marked : tuple of str
        Numbers of which some were unknown.
    """

    numbers: dict[str, tuple[float, float]]
    words: dict[str, list[Any]]
    marked: tuple[str, ...]

    @classmethod
    def learn(cls, features: pd.DataFrame) -> Encoding:
        """Learn means, spreads and words of a table."""
        numbers, words = {}, {}
        for name in features:
            column = features[name]
            if _is_number(column):
                values = column.to_numpy(dtype=float, na_value=np.nan)
                known = values[np.isfinite(values)]
                spread = float(known.std()) if known.size else 0.0
                if spread > 0:
                    numbers[str(name)] = float(known.mean()), spread
            else:
                counts = column.astype("object").value_counts()
                frequent = counts.index[counts >= RARE].tolist()
                others = len(column) - int(counts[frequent].sum())
                words[str(name)] = frequent if others else frequent[1:]
        marked = tuple(name for name in numbers if features[name].isna().any())
        return cls(numbers, words, marked)

    def apply(self, features: pd.DataFrame) -> FloatArray:
        """Turn a table with the same features into numbers, shape (rows, columns).

        Raises
        ------
        KeyError
            When a feature is not there.
        """
        wanted = [*self.numbers, *self.words]
        missing = [name for name in wanted if name not in features]
        if missing:
            raise KeyError(
                f"features: no column {', '.join(map(repr, missing))}; the model was fitted with "
                f"{', '.join(wanted)}"
            )
        columns = [np.zeros((len(features), 0))]
        for name, (mean, spread) in self.numbers.items():
            values = features[name].to_numpy(dtype=float, na_value=np.nan)
            known = np.isfinite(values)
            columns.append(np.where(known, (values - mean) / spread, 0.0)[:, None])
            if name in self.marked:
                columns.append((~known).astype(float)[:, None])
        for name, kept in self.words.items():
            said = features[name].astype("object").to_numpy()
            columns += [(said == word).astype(float)[:, None] for word in kept]
        return np.hstack(columns)


def _is_number(column: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column)
