"""How the share of people won or kept answers to what is spent on each of them.

Question: we spend 5 on every prospect and win a fifth of them; what would 10 win?  Every further
unit of currency wins a constant share of those who could still be won:
``rate = floor + (ceiling - floor) (1 - exp(-steepness x spending))``.  The floor are those who come
or stay without any spending, the ceiling those who would with endless spending.

:func:`calibrate_response` finds the curve from what two questions to a manager give (what do you
spend and get; what would you get at most), :func:`fit_response` from counts at several spendings.
:class:`ExponentialResponse` then tells rates, and what a customer costs on average and at the
margin: these differ, and only the second decides where the next unit of currency should go.

Sources: Blattberg & Deighton (1996), Harvard Business Review 74(4), 136-144, for the curve without
a floor and its calibration; Little (1970), Management Science 16, 466-485, for asking managers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.customers.rendering import sentence_html
from keycustomer.stats.samples import share_of


@dataclass(frozen=True)
class ExponentialResponse:
    """A response curve with diminishing returns.

    Attributes
    ----------
    ceiling : float
        Rate that endless spending would reach, a share of at most 1.
    steepness : float
        Share of those still to be won that one unit of currency a head wins, per unit of currency.
    floor : float
        Rate without any spending, a share below the ceiling.

    Raises
    ------
    ValueError
        When they are no such shares, or the steepness is not above 0 and finite.
    """

    ceiling: float
    steepness: float
    floor: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what is no rising curve of shares."""
        share_of(self.ceiling, "ceiling")
        share_of(self.floor, "floor")
        if not self.floor < self.ceiling:
            raise ValueError(
                f"floor={self.floor!r} must lie below ceiling={self.ceiling!r}: spending must be "
                "able to win somebody"
            )
        if not (isinstance(self.steepness, Real) and 0 < self.steepness < math.inf):
            raise ValueError(
                f"steepness={self.steepness!r} must be a finite number above 0, per unit of "
                "currency; calibrate_response finds it from a spending and its rate"
            )

    @property
    def reach(self) -> float:
        """Share of people that spending can win at all, ceiling less floor."""
        return self.ceiling - self.floor

    @property
    def first_cost(self) -> float:
        """Cost of the first customer that spending wins, currency: no later one costs less."""
        return 1 / (self.reach * self.steepness)

    def rate(self, spending: npt.ArrayLike) -> Any:
        """Share won or kept at a spending per head, currency."""
        return _plain(self.floor - self.reach * np.expm1(-self.steepness * _amounts(spending)))

    def slope(self, spending: npt.ArrayLike) -> Any:
        """Change of the rate per further unit of currency a head."""
        return _plain(self.reach * self.steepness * np.exp(-self.steepness * _amounts(spending)))

    def marginal_cost(self, spending: npt.ArrayLike) -> Any:
        """Cost of one customer more, currency; infinite where nobody more can be won."""
        with np.errstate(divide="ignore", over="ignore"):
            return _plain(1 / np.asarray(self.slope(spending)))

    def average_cost(self, spending: npt.ArrayLike, *, beyond_floor: bool = False) -> Any:
        """Spending per customer won or kept, currency.

        Parameters
        ----------
        spending : float or array
            Currency a head.
        beyond_floor : bool
            Whether only those are counted who would not have come or stayed anyway.
        """
        given = _amounts(spending)
        won = np.asarray(self.rate(given)) - (self.floor if beyond_floor else 0.0)
        # nothing spent has won nobody: the limit of the average is the cost of the first
        none = self.first_cost if beyond_floor or self.floor == 0 else 0.0
        return _plain(np.where(won > 0, given / np.where(won > 0, won, 1.0), none))

    def spending_at(self, marginal_cost: npt.ArrayLike) -> Any:
        """Spending a head at which one customer more costs this much; 0 below the first's cost."""
        with np.errstate(divide="ignore"):
            ratio = np.log(np.asarray(marginal_cost, dtype=float) / self.first_cost)
        return _plain(np.maximum(ratio, 0.0) / self.steepness)

    def spending_for(self, rate: npt.ArrayLike) -> Any:
        """Spending a head that reaches a rate; infinite at the ceiling, NaN above it.

        Rates up to the floor need no spending.
        """
        left = (self.ceiling - np.asarray(rate, dtype=float)) / self.reach
        with np.errstate(divide="ignore", invalid="ignore"):
            needed = -np.log(np.minimum(left, 1.0)) / self.steepness
        return _plain(needed + 0.0)

    def to_frame(self, most: float | None = None, points: int = 11) -> pd.DataFrame:
        """Tabulate the curve.

        Parameters
        ----------
        most : float, optional
            Largest spending a head, currency; left out, where 95 % of the reach is won.
        points : int
            Rows.

        Returns
        -------
        DataFrame
            Columns spending, rate, average_cost, marginal_cost.
        """
        end = math.log(20) / self.steepness if most is None else float(most)
        spending = np.linspace(0, end, points)
        return pd.DataFrame(
            {
                "spending": spending,
                "rate": self.rate(spending),
                "average_cost": self.average_cost(spending),
                "marginal_cost": self.marginal_cost(spending),
            }
        )

    def _repr_html_(self) -> str:
        said = (
            f"From {self.floor:.1%} without spending to {self.ceiling:.1%} at most; every unit "
            f"of currency a head wins {-math.expm1(-self.steepness):.2%} of those still to be "
            "won."
        )
        return sentence_html(said, self.to_frame(), numbers=",.4g")


def calibrate_response(
    spending: float, rate: float, ceiling: float, *, floor: float = 0.0
) -> ExponentialResponse:
    """Draw the response curve through one known point.

    Parameters
    ----------
    spending : float
        Spent on each person today, currency above 0.
    rate : float
        Share that this wins or keeps.
    ceiling : float
        Share that endless spending would win or keep, in the judgement of whoever knows.
    floor : float
        Share that would come or stay without any spending.

    Raises
    ------
    ValueError
        When the rate does not lie between floor and ceiling, or nothing is spent.

    References
    ----------
    Blattberg & Deighton (1996): steepness = -ln(1 - rate / ceiling) / spending.

    Examples
    --------
    >>> round(calibrate_response(5, 0.20, 0.40).rate(10), 3)
    0.3
    """
    for share, name in ((rate, "rate"), (ceiling, "ceiling"), (floor, "floor")):
        share_of(share, name)
    if not floor < rate < ceiling:
        raise ValueError(
            f"rate={rate!r} must lie between floor={floor!r} and ceiling={ceiling!r}: what today's "
            "spending reaches is more than no spending and less than endless spending would"
        )
    if not (isinstance(spending, Real) and 0 < spending < math.inf):
        raise ValueError(
            f"spending={spending!r} must be an amount above 0, what is spent on each person today"
        )
    steepness = -math.log1p(-(rate - floor) / (ceiling - floor)) / float(spending)
    return replace(ExponentialResponse(ceiling, 1.0, floor), steepness=steepness)


def _amounts(spending: npt.ArrayLike) -> Any:
    given = np.asarray(spending, dtype=float)
    wrong = given[~(given >= 0)]
    if wrong.size:
        raise ValueError(f"spending: {wrong[0]:g} is no amount of at least 0, currency a head")
    return given


def _plain(values: Any) -> Any:
    """Give a float where one number was asked for, else the array."""
    return values.item() if np.ndim(values) == 0 else values
