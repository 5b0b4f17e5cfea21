"""Confirmatory factor analysis and structural equation models of a survey.

Do the items measure what they are meant to, and does value reach loyalty by way of satisfaction?
:func:`fit_cfa` fits the measurement model of constructs and their items, :func:`fit_sem` a model
text with paths between constructs, by maximum likelihood, exact against lavaan.
:func:`write_model` builds the text from constructs and paths.

Sources: Jöreskog, "A general method for analysis of covariance structures" (Biometrika 57, 1970);
Rosseel, "lavaan" (Journal of Statistical Software 48(2), 2012).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from keycustomer.dimensions.measurement.complete import Missing
from keycustomer.dimensions.structural.admissibility import find_problems
from keycustomer.dimensions.structural.fitted import SemFit
from keycustomer.dimensions.structural.identification import refuse_unidentified
from keycustomer.dimensions.structural.indices import fit_indices
from keycustomer.dimensions.structural.ram import Structure
from keycustomer.dimensions.structural.sample import columns_of, read_sample
from keycustomer.dimensions.structural.search import search
from keycustomer.dimensions.structural.specification import Scale, specify
from keycustomer.dimensions.structural.syntax import quoted_name
from keycustomer.stats.bootstrap import checked_level
from keycustomer.stats.samples import FloatArray


def fit_sem(
    model: str,
    answers: pd.DataFrame,
    *,
    missing: Missing = "listwise",
    scale: Scale = "marker",
    level: float = 0.95,
) -> SemFit:
    """Fit a structural model by maximum likelihood.

    Parameters
    ----------
    model : str
        Statements such as ``Value =~ PERV1 + PERV2`` (is measured by), ``Loyalty ~ b*Value``
        (depends on; b is a label), ``PERV1 ~~ PERV2`` (vary together) and ``ab := a*b``; see
        `syntax`.
    answers : DataFrame
        One row a respondent, one numeric column an item, NaN where not answered.
    missing : {"listwise", "mean"}
        Leave respondents with gaps out, or fill gaps with the item's mean.
    scale : {"marker", "variance"}
        What gives constructs their unit: the first item, or a variance of 1.
    level : float
        Confidence level of the intervals.

    Returns
    -------
    SemFit
        Look at its `admissible` first: an improper solution refuses to be read.

    Raises
    ------
    ModelError
        When the text has mistakes, names unknown items, runs in a circle or is not identified.
    TypeError, ValueError
        When the answers cannot be fitted: text, constant items, items that make each other up,
        too few respondents.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from keycustomer.dimensions import fit_sem
    >>> generator = np.random.default_rng(1)
    >>> value = generator.normal(size=500)
    >>> answers = pd.DataFrame({f"v{i}": value + generator.normal(size=500) for i in range(4)})
    >>> fit = fit_sem("Value =~ v0 + v1 + v2 + v3", answers)
    >>> fit.admissible, fit.indices.df
    (True, 2)
    """
    checked_level(level)
    specification = specify(model, columns_of(answers), scale=scale)
    sample = read_sample(answers, specification.items, missing=missing)
    structure = Structure(specification)
    refuse_unidentified(structure)
    found = search(structure, sample.covariance, sample.respondents)
    theta = found.theta[0]
    covariance = _covariance(structure, theta, sample.covariance, sample.respondents)
    items = structure.items
    implied = structure.implied(theta[None]).covariance[0, :items, :items]
    with np.errstate(invalid="ignore"):
        se = np.sqrt(np.diag(covariance))
    return SemFit(
        model=model,
        structure=structure,
        sample=sample,
        theta=theta,
        covariance=covariance,
        converged=bool(found.converged[0]),
        indices=fit_indices(sample.covariance, implied, sample.respondents, structure.parameters),
        problems=find_problems(structure, theta, se, converged=bool(found.converged[0])),
        level=level,
    )


def fit_cfa(
    constructs: Mapping[str, Sequence[str]],
    answers: pd.DataFrame,
    *,
    missing: Missing = "listwise",
    scale: Scale = "marker",
    level: float = 0.95,
) -> SemFit:
    """Fit a confirmatory factor analysis: constructs measured by items, all related.

    Parameters
    ----------
    constructs : mapping of str to sequence of str
        Items of each construct.
    answers, missing, scale, level
        As in :func:`fit_sem`.

    Returns
    -------
    SemFit
        `loadings()`, `correlations()`, `reliability()` are the tables to look at.

    Raises
    ------
    TypeError, ValueError
        As :func:`fit_sem`, and when the constructs are no mapping or one has no items.
    """
    return fit_sem(write_model(constructs), answers, missing=missing, scale=scale, level=level)


def write_model(
    constructs: Mapping[str, Sequence[str]], paths: Mapping[str, Sequence[str]] | None = None
) -> str:
    """Write the text of a model.

    Parameters
    ----------
    constructs : mapping of str to sequence of str
        Items of each construct.
    paths : mapping of str to sequence of str, optional
        Of each construct, those that act on it.

    Returns
    -------
    str
        For :func:`fit_sem`.

    Raises
    ------
    TypeError
        When constructs or paths are no mappings of names to lists of names.
    ValueError
        When a construct has no items.

    Examples
    --------
    >>> print(write_model({"Value": ["v1", "my item"], "Loyalty": ["l1"]}, {"Loyalty": ["Value"]}))
    Value =~ v1 + `my item`
    Loyalty =~ l1
    Loyalty ~ Value
    """
    measured = _lines(constructs, "=~", "constructs", "items")
    if not measured:
        raise ValueError("constructs is empty: give at least one construct with its items")
    return "\n".join([*measured, *_lines(paths or {}, "~", "paths", "constructs that act on it")])


def _lines(given: object, sign: str, argument: str, what: str) -> list[str]:
    if not isinstance(given, Mapping):
        raise TypeError(
            f"{argument} must be a mapping, as in {{'Loyalty': ['l1', 'l2']}}, got "
            f"{type(given).__name__}"
        )
    lines = []
    for name, others in given.items():
        if isinstance(others, str) or not isinstance(others, Sequence):
            raise TypeError(
                f"{argument}[{name!r}] must be a list of names, got {others!r}; write [{others!r}]"
            )
        if not others and sign == "=~":
            raise ValueError(f"{argument}[{name!r}] is empty: give its {what}")
        if others:
            named = " + ".join(quoted_name(str(other)) for other in others)
            lines.append(f"{quoted_name(str(name))} {sign} {named}")
    return lines


def _covariance(
    structure: Structure, theta: FloatArray, seen: FloatArray, respondents: int
) -> FloatArray:
    """Covariance of the coefficients by the expected information; NaN where it is singular."""
    curvature = structure.evaluate(theta[None], seen[None]).curvature[0]
    diagonal = np.diag(curvature)
    if not (np.isfinite(curvature).all() and (diagonal > 0).all()):
        return np.full(curvature.shape, np.nan)
    scale = 1 / np.sqrt(diagonal)
    try:
        inverse = np.linalg.inv(curvature * np.outer(scale, scale))
    except np.linalg.LinAlgError:
        return np.full(curvature.shape, np.nan)
    # the discrepancy is twice the log-likelihood of one respondent
    return np.asarray(2 / respondents * inverse * np.outer(scale, scale))
