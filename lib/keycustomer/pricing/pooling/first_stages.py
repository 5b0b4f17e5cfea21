"""The first stage of elasticities by customer: which part of the price the instruments move.

Question: prices follow demand (a discount is given when demand is weak); how is that taken out of
the slope of every customer?  The log price is regressed on the instruments with the same
intercepts, shared effects and controls; what is left of it (the residual) goes with demand, and as
one more control it takes that part out of all slopes: a control function.  Its coefficient, common
to all customers, is 0 where prices do not follow demand.

What the first stage leaves open moves all slopes together; `FirstStage.loading` says by how much.

Sources: Hausman (1978), Econometrica 46, 1251-1271; Wooldridge (2015), Journal of Human Resources
50, 420-445 (control functions; heterogeneous slopes); Murphy & Topel (1985), Journal of Business &
Economic Statistics 3, 370-379 (estimated regressors).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from keycustomer.pricing.pooling.rows import PooledRows
from keycustomer.pricing.pooling.slopes import Design, common_influence, weighted_slopes
from keycustomer.stats.regressions.clustering import covariance_over_customers
from keycustomer.stats.regressions.instruments import WEAK_F, joint_f
from keycustomer.stats.samples import FloatArray


@dataclass(frozen=True, eq=False)
class FirstStage:
    """The regression of log prices on instruments.

    Attributes
    ----------
    coefficients, errors : ndarray, shape (instruments,)
        Change of log price by one unit of each instrument, and standard errors over customers.
    statistic : float
        F of all instruments, errors clustered by customer.
    residual : ndarray, shape (rows,)
        What the instruments do not explain: the control function.
    covariance : ndarray, shape (instruments, instruments)
        Of the coefficients.
    """

    coefficients: FloatArray
    errors: FloatArray
    statistic: float
    residual: FloatArray = field(repr=False)
    covariance: FloatArray = field(repr=False)

    @property
    def weak(self) -> bool:
        """Whether F is below 10."""
        return not self.statistic >= WEAK_F


def first_stage(rows: PooledRows) -> FirstStage:
    """Regress log prices on the instruments, intercepts, shared effects and controls.

    Parameters
    ----------
    rows : PooledRows
        Rows with instruments.

    Raises
    ------
    ValueError
        When the other columns leave nothing of an instrument.
    """
    design = Design.of(rows, *rows.instruments.T)
    found, _ = weighted_slopes(design, rows.log_price, np.ones(len(rows)), flat=True)
    places = np.arange(len(found.common))[-rows.instruments.shape[1] :]
    without, _ = weighted_slopes(Design.of(rows), rows.log_price, np.ones(len(rows)), flat=True)
    if found.rank < without.rank + len(places):
        raise ValueError(
            "instruments: intercepts of customers and products, effects and controls leave "
            "nothing of at least one of them; take effects that do not hold it, such as 'period' "
            "for an instrument that differs between regions"
        )
    influence = common_influence(design, found)[:, places]
    covariance = covariance_over_customers(influence)
    coefficients = found.common[places]
    return FirstStage(
        coefficients=coefficients,
        errors=np.sqrt(np.diag(covariance)),
        statistic=joint_f(coefficients, covariance),
        residual=found.residual,
        covariance=covariance,
    )


def first_stage_loading(
    rows: PooledRows, stage: FirstStage, coefficient: float, weight: FloatArray
) -> FloatArray:
    """Move of every slope for one unit of error of each first-stage coefficient.

    Parameters
    ----------
    rows : PooledRows
        The rows.
    stage : FirstStage
        The first stage.
    coefficient : float
        Coefficient of its residual in the regression of quantities.
    weight : ndarray, shape (rows,)
        Weights of that regression.

    Returns
    -------
    ndarray, shape (customers, instruments)
    """
    design = Design.of(rows, stage.residual)
    moved = [
        weighted_slopes(design, coefficient * column, weight)[0].slope
        for column in rows.instruments.T
    ]
    return np.nan_to_num(np.column_stack(moved))
