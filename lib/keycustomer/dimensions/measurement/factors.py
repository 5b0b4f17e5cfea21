"""Exploratory factors: which items go together, without saying beforehand which should.

:func:`explore_factors` extracts factors by maximum likelihood from answers,
:func:`factors_of_correlations` from published correlations, both rotated to simple structure.
:class:`FactorSolution` holds loadings, what each item shares, the fit, and the complaints that
forbid reading it: Heywood cases, a rotation that has several equally good ends, factors that no
three items carry.

Sources: Jöreskog (Psychometrika 1967) for the extraction; Bartlett (1950) for the test that the
factors suffice; Thurstone, "Multiple-Factor Analysis" (1947) for simple structure; Hofmann (MBR
1978) for the complexity of an item.  Figures of R's factanal are reproduced in the tests.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import counted, percent, report_html
from keycustomer.dimensions.measurement.complete import (
    Missing,
    complete_answers,
    item_correlations,
    refuse_singular,
)
from keycustomer.dimensions.measurement.extraction import (
    Extraction,
    extract_factors,
    freedom,
    most_factors,
)
from keycustomer.dimensions.measurement.parallel import parallel_analysis
from keycustomer.dimensions.measurement.rotations import Method, Rotation, rotate
from keycustomer.stats.bootstrap import Seed
from keycustomer.stats.samples import FloatArray

SALIENT = 0.3
"""Loading from which on an item counts as belonging to a factor."""

CARRIERS = 3
"""Items that have to load on a factor for it to be told from a pair of similar questions."""


@dataclass(frozen=True, eq=False)
class FactorSolution:
    """Rotated factors of the items.

    Attributes
    ----------
    loadings : DataFrame, shape (items, factors)
        Pattern loadings: standardised regressions of the item on the factors F1, F2 ...
    correlations : DataFrame, shape (factors, factors)
        Correlations of the factors; the identity after varimax.
    uniquenesses : Series
        Share of each item's variance that no factor explains.
    explained : Series
        Share of the items' total variance that goes to each factor.
    chi2, p_value : float
        Test that so many factors suffice (Bartlett's correction); p NaN without freedom.
    df : int
        Degrees of freedom of the test.
    srmr : float
        Root mean square of what the factors leave of the correlations.
    rotation : Rotation
        Criterion, starts and matrix of the rotation.
    observed : DataFrame, shape (items, items)
        The correlations that were analysed.
    means, deviations : Series
        Means and standard deviations of the items, by which answers become scores.
    respondents, excluded : int
        Who entered, and who was left out for missing answers.
    heywood : tuple of str
        Items whose uniqueness ran against its lower bound of .005.
    problems : tuple of str
        Why the solution should not be read as it stands; empty when nothing speaks against it.
    notes : tuple of str
        What was done about missing answers, and how the number of factors was chosen.
    """

    loadings: pd.DataFrame
    correlations: pd.DataFrame
    uniquenesses: pd.Series
    explained: pd.Series
    chi2: float
    df: int
    p_value: float
    srmr: float
    rotation: Rotation
    observed: pd.DataFrame = field(repr=False)
    means: pd.Series = field(repr=False)
    deviations: pd.Series = field(repr=False)
    respondents: int
    excluded: int
    heywood: tuple[str, ...]
    problems: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def items(self) -> tuple[str, ...]:
        """Names of the items."""
        return tuple(self.loadings.index)

    @property
    def factors(self) -> int:
        """Number of factors."""
        return self.loadings.shape[1]

    @property
    def admissible(self) -> bool:
        """Whether no uniqueness ran against its bound."""
        return not self.heywood

    @property
    def structure(self) -> pd.DataFrame:
        """Correlations of the items with the factors."""
        return self.loadings @ self.correlations

    @property
    def communalities(self) -> pd.Series:
        """Share of each item's variance that the factors explain."""
        return 1.0 - self.uniquenesses

    @property
    def complexity(self) -> pd.Series:
        """How many factors an item takes on average (Hofmann 1978): 1 is simple."""
        squares = self.loadings**2
        return squares.sum(axis=1) ** 2 / (squares**2).sum(axis=1)

    def belonging(self, least: float = SALIENT) -> dict[str, tuple[str, ...]]:
        """Items of each factor: those that load highest on it, if at least so much.

        Parameters
        ----------
        least : float
            Smallest loading, in absolute value.
        """
        size = self.loadings.abs()
        first = size.idxmax(axis=1)
        return {
            name: tuple(size.index[(first == name) & (size[name] >= least)])
            for name in self.loadings.columns
        }

    def to_frame(self) -> pd.DataFrame:
        """One row an item: item, a column a factor, communality, uniqueness, complexity."""
        return self.loadings.assign(
            communality=self.communalities,
            uniqueness=self.uniquenesses,
            complexity=self.complexity,
        ).reset_index(names="item")

    def _repr_html_(self) -> str:
        return report_html("Exploratory factors", _sentences(self), _tables(self))


def explore_factors(
    answers: pd.DataFrame,
    items: Iterable[str] | None = None,
    *,
    factors: int | None = None,
    rotation: Method = "oblimin",
    kaiser: bool = True,
    missing: Missing = "listwise",
    seed: Seed = 0,
) -> FactorSolution:
    """Look for the factors behind the answers.

    Parameters
    ----------
    answers : DataFrame
        Numbers, one row a respondent, one column an item, NaN where not answered.
    items : iterable of str, optional
        Items to take; all columns when left out.
    factors : int, optional
        Number of factors; left out, as many as parallel analysis keeps.
    rotation : {"oblimin", "promax", "varimax", "none"}
        Oblimin and promax let factors correlate, as dimensions of value do; varimax does not.
    kaiser : bool
        Give every item the same length during the rotation.
    missing : {"listwise", "mean"}
        Leave respondents with missing answers out, or let the item's mean stand for them.
    seed : int or Generator
        Of parallel analysis and of the starts of the rotation.

    Returns
    -------
    FactorSolution

    Raises
    ------
    ValueError
        When items are constant, determine each other or hold no numbers, when there are too few
        items for so many factors, too few respondents, or nothing stands out from chance.
    """
    complete = complete_answers(answers, items, missing=missing, least_items=3)
    generator = np.random.default_rng(seed)
    chosen = _checked_number(factors, len(complete.items))
    notes = list(complete.notes)
    if chosen is None:
        chosen = _stand_out(complete.whole, generator)
        notes.append(f"{counted(chosen, 'factor')} by parallel analysis")
    table = complete.whole
    return _solve(
        pd.DataFrame(item_correlations(complete), complete.items, complete.items),
        chosen,
        rotate_by=(rotation, kaiser, generator),
        scale=(table.mean(), table.std()),
        counts=(complete.respondents, complete.excluded),
        notes=notes,
    )


def factors_of_correlations(
    correlations: pd.DataFrame,
    factors: int,
    respondents: int,
    *,
    rotation: Method = "oblimin",
    kaiser: bool = True,
    seed: Seed = 0,
) -> FactorSolution:
    """Look for the factors behind a correlation or covariance matrix, such as a published one.

    Parameters
    ----------
    correlations : DataFrame, shape (items, items)
        Correlations or covariances, items in the index and the columns.
    factors : int
        Number of factors.
    respondents : int
        How many answered.
    rotation, kaiser, seed
        As in :func:`explore_factors`.

    Raises
    ------
    ValueError
        When the matrix is not symmetric, has no inverse, or there are too many factors.
    """
    items = [str(name) for name in correlations.columns]
    matrix = correlations.to_numpy(dtype=float)
    if matrix.shape[0] != matrix.shape[1] or not np.allclose(matrix, matrix.T):
        raise ValueError("correlations: a symmetric matrix, one row and column an item, is needed")
    deviations = np.sqrt(np.diag(matrix))
    matrix = matrix / np.outer(deviations, deviations)
    refuse_singular(matrix, items)
    number = _checked_number(factors, len(items))
    return _solve(
        pd.DataFrame(matrix, items, items),
        1 if number is None else number,
        rotate_by=(rotation, kaiser, np.random.default_rng(seed)),
        scale=(pd.Series(0.0, items), pd.Series(deviations, items)),
        counts=(respondents, 0),
        notes=[],
    )


def _checked_number(factors: int | None, items: int) -> int | None:
    most = most_factors(items)
    if factors is None:
        return None
    if isinstance(factors, bool) or factors != int(factors) or not 1 <= factors <= most:
        raise ValueError(
            f"factors={factors!r}: {items} items can carry 1 to {most} factors; with more there "
            "are fewer correlations than loadings"
        )
    return int(factors)


def _stand_out(answers: pd.DataFrame, generator: np.random.Generator) -> int:
    chance = parallel_analysis(answers, seed=generator)
    if not chance.factors:
        raise ValueError(
            f"items: no factor stands out from chance among {len(answers):,} respondents (largest "
            f"eigenvalue {chance.eigenvalues[0]:.2f}, by chance up to "
            f"{chance.chance_upper[0]:.2f}); the items measure nothing in common"
        )
    return min(chance.factors, most_factors(answers.shape[1]))


def _solve(
    observed: pd.DataFrame,
    factors: int,
    *,
    rotate_by: tuple[Method, bool, np.random.Generator],
    scale: tuple[pd.Series, pd.Series],
    counts: tuple[int, int],
    notes: list[str],
) -> FactorSolution:
    matrix = observed.to_numpy()
    raw = extract_factors(matrix, factors)
    method, kaiser, generator = rotate_by
    turned = rotate(raw.loadings, method, kaiser=kaiser, seed=generator)
    names = [f"F{n}" for n in range(1, factors + 1)]
    loadings = pd.DataFrame(turned.loadings, observed.index, names)
    correlations = pd.DataFrame(turned.correlations, names, names)
    chi2, df, p_value = _suffices(raw.discrepancy, len(matrix), factors, counts[0])
    heywood = tuple(str(item) for item in observed.index[raw.at_bound])
    shared = np.diag(loadings.T @ loadings @ correlations) / len(matrix)
    return FactorSolution(
        loadings,
        correlations,
        pd.Series(raw.uniquenesses, observed.index),
        pd.Series(shared, names),
        chi2,
        df,
        p_value,
        _left_over(matrix, raw),
        turned,
        observed,
        *scale,
        *counts,
        heywood,
        tuple(_problems(loadings, turned, heywood)),
        tuple(notes),
    )


def _suffices(
    discrepancy: float, items: int, factors: int, respondents: int
) -> tuple[float, int, float]:
    """Test that the factors suffice: chi-square, degrees of freedom, p (Bartlett 1950)."""
    from scipy.special import chdtrc

    df = freedom(items, factors)
    chi2 = (respondents - 1 - (2 * items + 5) / 6 - 2 * factors / 3) * discrepancy
    return chi2, df, float(chdtrc(df, max(chi2, 0.0))) if df else math.nan


def _left_over(observed: FloatArray, raw: Extraction) -> float:
    left = observed - raw.loadings @ raw.loadings.T
    below = left[np.tril_indices(len(left), -1)]
    return float(np.sqrt((below**2).mean()))


def _problems(loadings: pd.DataFrame, turned: Rotation, heywood: tuple[str, ...]) -> list[str]:
    problems = []
    if heywood:
        problems.append(
            f"Heywood case: the factors would explain {', '.join(heywood)} perfectly; do not read "
            "these loadings; take fewer factors, more respondents, or drop an item that copies "
            "another"
        )
    carriers = (loadings.abs() >= SALIENT).sum()
    thin = [name for name, n in carriers.items() if n < CARRIERS]
    if thin:
        problems.append(
            f"{', '.join(map(str, thin))}: fewer than {CARRIERS} items load at least {SALIENT}; "
            "such a factor may be no more than two similar questions"
        )
    if 2 * turned.agreeing < turned.starts:
        problems.append(
            f"the rotation has several ends: only {turned.agreeing} of {turned.starts} starts "
            "found the best one, so the factors are not clearly separated"
        )
    return problems


def _sentences(solution: FactorSolution) -> list[str]:
    freedom_told = (
        f"chi-square {solution.chi2:,.1f} on {solution.df:,} degrees of freedom, p "
        f"{'below .0001' if solution.p_value < 1e-4 else f'{solution.p_value:.4f}'}"
        if solution.df
        else "no degrees of freedom left to test the fit"
    )
    return [
        f"{counted(solution.factors, 'factor')} explain "
        f"{percent(float(solution.explained.sum()))} of the variance of "
        f"{counted(len(solution.items), 'item')}, rotation {solution.rotation.method}"
        + (" with Kaiser's normalisation" if solution.rotation.kaiser else ""),
        f"{counted(solution.respondents, 'respondent')}; that so many factors suffice: "
        f"{freedom_told}; residual correlations {solution.srmr:.3f} (root mean square)",
        *(f"Problem: {problem}" for problem in solution.problems),
        *solution.notes,
    ]


def _tables(solution: FactorSolution) -> dict[str, pd.DataFrame]:
    tables = {"Loadings": solution.to_frame()}
    if solution.rotation.oblique:
        tables["Correlations of the factors"] = solution.correlations.reset_index(names="factor")
    return tables
