"""Unmeasured confounding: how strong it would have to be to explain an effect away.

:func:`e_value` is the smallest risk ratio that an unmeasured confounder would need with both the
treatment and the outcome, beyond what is adjusted for, to move an observed ratio to 1;
:func:`bounding_factor` the most that a confounder of given strength can move it.

Sources: Ding & VanderWeele, "Sensitivity analysis without assumptions" (Epidemiology 2016);
VanderWeele & Ding, "Sensitivity analysis in observational research: introducing the E-value"
(Annals of Internal Medicine 2017); Cornfield et al. (1959).
"""

from __future__ import annotations

import math


def e_value(ratio: float, lower: float = math.nan, upper: float = math.nan) -> tuple[float, float]:
    """Strength an unmeasured confounder would need to explain a ratio away.

    Parameters
    ----------
    ratio : float
        Ratio of two rates or risks, above 0.
    lower, upper : float
        Ends of its interval.

    Returns
    -------
    (estimate, limit) : tuple of float
        For the ratio itself, and for the end of its interval nearer to 1; that is 1 where the
        interval holds 1, and NaN where none is given.

    Raises
    ------
    ValueError
        When the ratio is not above 0.

    Examples
    --------
    >>> [round(value, 2) for value in e_value(3.9, 1.8, 8.7)]
    [7.26, 3.0]
    """
    if not ratio > 0:
        raise ValueError(f"ratio={ratio!r}: a ratio of rates above 0 is needed")
    if math.isnan(lower) or math.isnan(upper):
        return _strength(ratio), math.nan
    if lower <= 1 <= upper:
        return _strength(ratio), 1.0
    return _strength(ratio), _strength(lower if ratio > 1 else upper)


def _strength(ratio: float) -> float:
    away = max(ratio, 1 / ratio)
    return away + math.sqrt(away * (away - 1))


def bounding_factor(with_treatment: float, with_outcome: float) -> float:
    """Give the most that a confounder can move a ratio.

    Parameters
    ----------
    with_treatment, with_outcome : float
        Ratio by which the confounder differs between settings, and by which it moves the outcome;
        both 1 or larger.

    Returns
    -------
    float
        Factor by which the observed ratio may be off, in either direction.

    Raises
    ------
    ValueError
        When one is below 1.
    """
    if not (with_treatment >= 1 and with_outcome >= 1):
        raise ValueError(
            f"with_treatment={with_treatment!r}, with_outcome={with_outcome!r}: ratios of 1 or "
            "larger are needed; take 1 / ratio of those below"
        )
    return with_treatment * with_outcome / (with_treatment + with_outcome - 1)
