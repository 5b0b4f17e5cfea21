"""How coefficients differ between respondents: from standard normal draws to coefficients.

A coefficient is fixed, normal, or lognormal with the sign of its logit estimate.  In the space of
willingness to pay the utility is ``sensitivity x (worth of the levels - price)``: the sensitivity
is lognormal (or fixed), the worths are normal, so that what is estimated is money at once, and the
mean of a ratio, which need not exist, is not asked for.  :class:`Mixing` computes the coefficients
and carries derivatives back to the parameters.

Sources: Train (2009), chapter 6; Train & Weeks (2005), in Applications of Simulation Methods in
Environmental and Resource Economics, for the space of willingness to pay.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from keycustomer.stats.samples import FloatArray

Kind = Literal["fixed", "normal", "lognormal"]
Space = Literal["preference", "willingness to pay"]

FURTHEST = 300.0
"""Largest exponent: beyond it a probability is 0 or 1 to all digits."""


@dataclass(frozen=True, eq=False)
class Mixing:
    """The distribution of coefficients over respondents.

    Attributes
    ----------
    kinds : tuple of {"fixed", "normal", "lognormal"}
        Of each coefficient.
    signs : ndarray, shape (coefficients,)
        1 or -1, the side of zero on which a lognormal coefficient lies.
    price : int
        Place of the price coefficient.
    space : {"preference", "willingness to pay"}
        What the parameters are: coefficients, or (but for the price) worths.
    """

    kinds: tuple[Kind, ...]
    signs: FloatArray
    price: int
    space: Space

    @property
    def random(self) -> npt.NDArray[np.int64]:
        """Places of the coefficients that differ between respondents."""
        return np.flatnonzero([kind != "fixed" for kind in self.kinds])

    @property
    def exponential(self) -> npt.NDArray[np.bool_]:
        """Whether each coefficient is an exponential of what is normal or fixed."""
        found = np.array([kind == "lognormal" for kind in self.kinds])
        found[self.price] |= self.space == "willingness to pay"
        return found

    def latent(self, parameters: FloatArray, draws: FloatArray) -> FloatArray:
        """Means plus spreads times draws, shape (respondents, coefficients, draws).

        Parameters
        ----------
        parameters : ndarray, shape (coefficients + random,)
            Means, then spreads of the random ones.
        draws : ndarray, shape (respondents, random, draws)
            Standard normal numbers.
        """
        means = parameters[: len(self.kinds)]
        spreads = parameters[len(self.kinds) :]
        shape = (draws.shape[0], len(means), draws.shape[2])
        found = np.array(np.broadcast_to(means[None, :, None], shape))
        found[:, self.random] += spreads[None, :, None] * draws
        return found

    def measured(self, latent: FloatArray) -> FloatArray:
        """Coefficients, or worths where these are the parameters, from what is normal or fixed."""
        found = latent.copy()
        steep = self.exponential
        found[:, steep] = self.signs[steep][None, :, None] * np.exp(
            np.minimum(latent[:, steep], FURTHEST)
        )
        return found

    def coefficients(self, measured: FloatArray) -> FloatArray:
        """Coefficients of utility from :meth:`measured`, of the same shape."""
        if self.space == "preference":
            return measured
        sensitivity = -measured[:, [self.price]]
        found = measured * sensitivity
        found[:, self.price] = measured[:, self.price]
        return found

    def back(self, slope: FloatArray, measured: FloatArray) -> FloatArray:
        """Derive by what is normal or fixed, from the derivatives by the coefficients of utility.

        Parameters
        ----------
        slope : ndarray, shape (respondents, coefficients, draws)
            Derivatives by the coefficients.
        measured : ndarray, of the same shape
            From :meth:`measured`.
        """
        found = slope.copy()
        if self.space == "willingness to pay":
            others = np.arange(len(self.kinds)) != self.price
            found[:, others] *= -measured[:, [self.price]]
            found[:, self.price] -= (slope[:, others] * measured[:, others]).sum(axis=1)
        steep = self.exponential
        found[:, steep] *= measured[:, steep]
        return found


def mixing_of(
    names: list[str], price: str, start: FloatArray, random: dict[str, Kind], space: Space
) -> Mixing:
    """Say which coefficients are random, and how.

    Parameters
    ----------
    names : list of str
        Names of the coefficients.
    price : str
        Name of the price coefficient.
    start : ndarray, shape (coefficients,)
        Logit estimates, for the signs.
    random : dict of str to {"fixed", "normal", "lognormal"}
        By name of a coefficient.
    space : {"preference", "willingness to pay"}
        What the parameters are.
    """
    kinds = tuple(random.get(name, "fixed") for name in names)
    place = names.index(price)
    by_money = space == "willingness to pay"
    if by_money and kinds[place] == "normal":
        raise ValueError(
            f"random gives {price} a normal coefficient, but money cannot be measured by a price "
            "that some respondents like; give 'lognormal' or 'fixed', or space='preference'"
        )
    if by_money and any(kind == "lognormal" for n, kind in enumerate(kinds) if n != place):
        raise ValueError("in the space of willingness to pay only the price can be lognormal")
    return Mixing(kinds, np.where(start < 0, -1.0, 1.0), place, space)
