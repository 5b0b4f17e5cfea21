"""Student's t: how far an interval reaches when the spread itself is only estimated.

Source: Student (1908), Biometrika 6, 1-25; with clusters, clusters less one degrees of freedom:
Cameron & Miller (2015), Journal of Human Resources 50, 317-372, section VI.D.
"""

from __future__ import annotations

import math


def student_quantile(level: float, freedom: float) -> float:
    """Give the standard errors to each side of an interval.

    Parameters
    ----------
    level : float
        Confidence level, 0..1.
    freedom : float
        Degrees of freedom; with clustered errors the number of clusters less one.

    Returns
    -------
    float
        NaN without a degree of freedom.
    """
    from scipy.special import stdtrit

    return float(stdtrit(freedom, (1 + level) / 2)) if freedom > 0 else math.nan
