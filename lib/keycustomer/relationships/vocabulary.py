"""Words of this chapter: the five relationship levels, from least to most care.

Source: Kotler, "Marketing Management" (five levels of investment in relationship building).
"""

from keycustomer.simulate.vocabulary import LEVELS

__all__ = ["LEVELS"]
