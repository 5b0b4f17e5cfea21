"""The survey of a customer base: its waves, its constructs, and whose answers they are.

Question: what did the customers of this base answer, last time and before?  :func:`open_survey`
takes the table `survey` with the constructs its case file names, and gives a :class:`Survey`, from
which every analysis takes the answers it needs, as numbers, of the latest wave or of all.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pandas as pd

from keycustomer.customers.base import CustomerBase
from keycustomer.customers.rendering import counted, report_html
from keycustomer.dimensions.measurement.answers import Answers, read_answers

WAVE = "wave"
"""Column that tells when a survey asked more than once; waves are in the order of its values."""


@dataclass(frozen=True, eq=False)
class Survey:
    """A survey, one row an answered questionnaire.

    Attributes
    ----------
    table : DataFrame
        The table as it stands, all waves.
    constructs : dict of str to list of str
        Items by what they ask about.
    low, high : float or None
        Ends of the scale of the constructs.
    missing : tuple of str
        Marks of "not answered" beside blanks.
    """

    table: pd.DataFrame
    constructs: dict[str, list[str]]
    low: float | None
    high: float | None
    missing: tuple[str, ...]

    @property
    def waves(self) -> list[str]:
        """Waves, first to last; empty where the survey has none."""
        if WAVE not in self.table:
            return []
        found = self.table[WAVE].dropna().astype(str).unique()
        return sorted(found, key=lambda wave: (pd.to_numeric(wave, errors="coerce"), wave))

    @property
    def latest(self) -> pd.DataFrame:
        """The table of the latest wave."""
        if not self.waves:
            return self.table
        return self.table[self.table[WAVE].astype(str) == self.waves[-1]]

    def has(self, *kinds: str) -> bool:
        """Whether all these constructs were asked."""
        return all(self.constructs.get(kind) for kind in kinds)

    def answers(
        self,
        kinds: Iterable[str],
        *,
        low: float | None = None,
        high: float | None = None,
        every_wave: bool = False,
    ) -> Answers:
        """Read the answers to some constructs.

        Parameters
        ----------
        kinds : iterable of str
            Names of constructs.
        low, high : float, optional
            Ends of the scale, where it is another than the survey's.
        every_wave : bool
            Whether to take all waves; default: the latest.

        Raises
        ------
        ValueError
            When a construct was not asked, or an answer is no number or outside the scale.
        """
        asked = {kind: self._items(kind) for kind in kinds}
        table = self.table if every_wave else self.latest
        own = low is None and high is None
        ends = (self.low, self.high) if own else (low, high)
        return read_answers(table, asked, low=ends[0], high=ends[1], missing=self.missing)

    def scores(self, kinds: Sequence[str], *, every_wave: bool = False) -> pd.DataFrame:
        """Mean answer of every respondent to each construct, with customer and wave where known.

        Parameters
        ----------
        kinds : sequence of str
            Names of constructs.
        every_wave : bool
            Whether to take all waves; default: the latest.

        Returns
        -------
        DataFrame
            One row a questionnaire: customer_id and wave where the survey has them, then a column
            a construct, on the scale of the answers; NaN where no item of it was answered.
        """
        read = self.answers(kinds, every_wave=every_wave)
        means = {kind: read.of(kind).mean(axis=1) for kind in kinds}
        whose = [name for name in ("customer_id", WAVE) if name in self.table]
        return pd.concat([self.table.loc[read.answers.index, whose], pd.DataFrame(means)], axis=1)

    def _items(self, kind: str) -> list[str]:
        if not self.has(kind):
            asked = ", ".join(self.constructs) or "none; name them in the case file's attributes"
            raise ValueError(f"survey: construct {kind!r} was not asked; there are: {asked}")
        return self.constructs[kind]

    def to_frame(self) -> pd.DataFrame:
        """One row a construct: construct, items, their names."""
        rows = [(kind, len(items), ", ".join(items)) for kind, items in self.constructs.items()]
        return pd.DataFrame(rows, columns=["construct", "items", "names"])

    def _repr_html_(self) -> str:
        said = [counted(len(self.table), "questionnaire")]
        if self.waves:
            said.append(f"waves {', '.join(self.waves)}; {len(self.latest):,} in the latest")
        return report_html("Survey", said, {"Constructs": self.to_frame()})


def open_survey(
    base: CustomerBase,
    *,
    low: float | None = None,
    high: float | None = None,
    missing: Iterable[str] = (),
) -> Survey:
    """Open the survey of a base.

    Parameters
    ----------
    base : CustomerBase
        A prepared base with the table `survey`, whose case file names its constructs.
    low, high : float, optional
        Ends of the scale the constructs share.
    missing : iterable of str
        Marks of "not answered" beside blanks, such as `"-99"`.

    Raises
    ------
    ValueError
        When the base has no survey.
    """
    if not base.has("survey"):
        raise ValueError(f"the base {base.title!r} has no table survey; name one in its case file")
    return Survey(
        table=base.query("from survey"),
        constructs=base.constructs,
        low=low,
        high=high,
        missing=tuple(str(mark) for mark in missing),
    )
