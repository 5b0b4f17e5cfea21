"""The margin multiple: lifetime value on the back of an envelope.

What is a customer worth who brings the same margin every year and renews with the same
probability?  The margin times r / (1 + i - r): at a retention rate of 90 % and a discount rate of
10 %, four and a half years' margin.  :func:`margin_multiple` gives the factor, with growth of the
margin and a finite horizon.

It takes one retention rate for all customers at all times.  Where customers differ, those who have
stayed long are worth more and those just won less than it says: compare
:mod:`keycustomer.lifetime.contracts.contractual`.

Sources: Gupta & Lehmann (2003), Journal of Interactive Marketing 17(1), 9-24; Gupta & Lehmann,
"Managing Customers as Investments" (2005), chapter 2.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from keycustomer.lifetime.arguments import whole_number
from keycustomer.lifetime.units import force_of_interest


def margin_multiple(
    retention: npt.ArrayLike,
    discount_rate: float = 0.1,
    *,
    growth: npt.ArrayLike = 0.0,
    horizon: int | None = None,
    first_margin: bool = False,
    unit: str = "year",
) -> Any:
    """Lifetime value of a customer in margins of one period.

    Parameters
    ----------
    retention : float or array
        Probability r to stay on from one period to the next, 0..1.
    discount_rate : float
        Effective rate per year, a share; i is what it makes per period.
    growth : float or array
        Growth g of the margin per period, a share above -1; the first margin counted is 1.
    horizon : int, optional
        Margins counted after the present moment; left out, all.
    first_margin : bool
        Whether a margin of 1 is due at once and the following ones grow from it, as with a
        customer about to be won; left out, the first is due in a period, if the customer stays.
    unit : {"day", "week", "month", "quarter", "year"}
        The period.

    Returns
    -------
    float or ndarray
        ``r / (1 + i - r (1 + g))``, of the arguments' broadcast shape.

    Raises
    ------
    ValueError
        When a share is none, or margins grow so fast that the sum is infinite.

    Examples
    --------
    >>> round(margin_multiple(0.9, 0.1), 2)
    4.5
    """
    stay, grow = np.broadcast_arrays(_shares(retention), np.asarray(growth, dtype=float))
    if not (np.isfinite(grow).all() and (grow > -1).all()):
        raise ValueError(f"growth={growth!r} must be a share above -1; 5 % is growth=0.05")
    ahead = None if horizon is None else whole_number(horizon, "horizon", of="periods")
    present = np.exp(-force_of_interest(discount_rate, unit))
    ratio = stay * (1 + grow) * present
    if horizon is None and (ratio >= 1).any():
        raise ValueError(
            f"retention {stay[ratio >= 1][0]:g} with growth {grow[ratio >= 1][0]:g} outruns the "
            f"discount rate {discount_rate:g}: the sum for ever is infinite; give a horizon"
        )
    multiple = stay * present * _geometric_sum(ratio, ahead)
    if first_margin:
        multiple = 1 + (1 + grow) * multiple
    return multiple.item() if multiple.ndim == 0 else multiple


def _shares(retention: npt.ArrayLike) -> Any:
    given = np.asarray(retention, dtype=float)
    wrong = given[~((given >= 0) & (given <= 1))]
    if wrong.size:
        meant = f"; {wrong[0]:g} % is {wrong[0] / 100:g}" if 1 < wrong[0] <= 100 else ""
        raise ValueError(f"retention: {wrong[0]:g} is no share between 0 and 1{meant}")
    return given


def _geometric_sum(ratio: Any, horizon: int | None) -> Any:
    """Sum of ratio^t over t = 0, 1, ... below the horizon."""
    if horizon is None:
        return 1 / (1 - ratio)
    even = ratio == 1
    safe = np.where(even, 0.5, ratio)
    return np.where(even, float(horizon), (1 - safe**horizon) / (1 - safe))
