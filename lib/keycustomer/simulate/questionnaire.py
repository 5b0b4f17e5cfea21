"""The questionnaire of the simulated operator's survey: which items ask for which construct.

What is asked, on which scale, and how good is each item?  `ITEMS` holds every rating item with its
construct, its loading on the continuous scale behind the answer, and how easily it is agreed to;
`CONSTRUCTS` the items of each construct, `LATENTS` all that is measured.  `Measurement` gathers
what turns opinions into answers; its numbers may be exchanged for others, the items may not.

Sources: Sheth, Newman & Gross (1991), Journal of Business Research 22, and Sweeney & Soutar (2001),
Journal of Retailing 77, for value as several dimensions; Zeithaml (1988), Journal of Marketing 52,
for sacrifice; Fornell et al. (1996), Journal of Marketing 60, for the three items of satisfaction;
Morgan & Hunt (1994), Journal of Marketing 58, for trust and commitment.
"""

from __future__ import annotations

from dataclasses import dataclass, field

POINTS = 7
"""Rating items are answered 1 to `POINTS`."""

THRESHOLDS = (-2.1, -1.5, -0.9, -0.3, 0.35, 1.15)
"""Cuts on the standardised propensity between the answers 1|2, 2|3, ..., 6|7: customers of a firm
rather agree, and more agree fully than reject fully."""

PRICE_QUESTIONS = ("price_too_cheap", "price_cheap", "price_expensive", "price_too_expensive")
"""The four price points of van Westendorp's question, in EUR a month."""


@dataclass(frozen=True)
class Item:
    """A rating item.

    Attributes
    ----------
    name : str
        Column of the survey table.
    construct : str
        The construct it measures.
    loading : float
        Correlation of the construct and the continuous propensity behind the answer, 0..1, where
        the construct varies by its `REFERENCE_SD`.
    ease : float
        Shift of the propensity, in its standard deviations: how easily the item is agreed to.
    sensitive : bool
        Whether it is asked of money, which more respondents leave out.
    """

    name: str
    construct: str
    loading: float
    ease: float
    sensitive: bool = False


# construct, its stem, then the ending, loading and ease of each item
_RATED: dict[str, tuple[tuple[str, float, float], ...]] = {
    "functional": (("quality", 0.84, 0.44), ("service", 0.80, 0.36), ("price", 0.70, 0.08)),
    "convenience": (("ordering", 0.80, 0.32), ("hotline", 0.82, 0.12), ("portal", 0.74, 0.20)),
    "social": (("affinity", 0.82, 0.16), ("recognition", 0.78, 0.04), ("community", 0.70, -0.16)),
    "experiential": (
        ("brand", 0.80, 0.20),
        ("customisation", 0.76, 0.04),
        ("expression", 0.72, -0.12),
    ),
    "sacrifice": (("price", 0.78, 0.08), ("effort", 0.74, -0.12), ("risk", 0.70, -0.24)),
    "satisfaction": (("overall", 0.86, 0.40), ("expectations", 0.82, 0.20), ("ideal", 0.80, 0.00)),
    "loyalty": (("renew", 0.84, 0.40), ("recommend", 0.80, 0.24), ("extend", 0.72, 0.04)),
    "trust": (("1", 0.82, 0.36), ("2", 0.84, 0.28), ("3", 0.78, 0.20)),
    "commitment": (("1", 0.80, 0.16), ("2", 0.82, 0.04), ("3", 0.76, 0.12)),
    "attitude": (
        ("price", 0.85, 0.24),
        ("innovation", 0.85, 0.08),
        ("risk", 0.85, 0.08),
        ("social", 0.85, 0.04),
        ("green", 0.85, 0.12),
    ),
}
_SENSITIVE = {"functional_price", "sacrifice_price", "attitude_price"}


def _items() -> tuple[Item, ...]:
    made = []
    for construct, rated in _RATED.items():
        for ending, loading, ease in rated:
            name = f"{construct}_{ending}"
            # Each attitude is a trait of its own, measured by one item.
            measured = name if construct == "attitude" else construct
            made.append(Item(name, measured, loading, ease, name in _SENSITIVE))
    return tuple(made)


ITEMS = _items()
ATTITUDES = tuple(item.name for item in ITEMS if item.name.startswith("attitude_"))
CONSTRUCTS: dict[str, tuple[str, ...]] = {
    construct: tuple(f"{construct}_{ending}" for ending, _, _ in rated)
    for construct, rated in _RATED.items()
    if construct != "attitude"
}
"""The items of every construct that has more than one; attitudes have one each."""

LATENTS = (*CONSTRUCTS, *ATTITUDES)
"""What the rating items measure, in the order of the columns of latent scores."""

REFERENCE_SD: dict[str, float] = dict.fromkeys(LATENTS, 1.0) | {
    "satisfaction": 0.80,
    "loyalty": 0.85,
    "trust": 0.90,
    "commitment": 0.90,
}
"""Standard deviation of a latent at which the items have exactly the loadings given; in a company
whose latents vary more or less they are a little higher or lower (the truth tells)."""


@dataclass(frozen=True)
class Measurement:
    """How the answers come from what respondents think: the truth of the survey.

    Attributes
    ----------
    items : tuple of Item
        The rating items.
    thresholds : tuple of float
        Cuts of the propensity between neighbouring answers.
    acquiescence : float
        Standard deviation between respondents of a shift of all their propensities: some agree
        with everything.  It lifts the correlation of any two items.
    stretch : float
        Standard deviation between respondents of the logarithm of a factor on their propensities:
        some use the ends of the scale, others its middle.
    straight_lining : float
        Share of questionnaires in which every rating gets one and the same answer.
    skipped : float
        Share of rating answers left out at average satisfaction.
    skipped_sensitive, skipped_kano, skipped_price : float
        The same for items that ask of money, for Kano's pairs and for van Westendorp's questions.
    skipped_slope : float
        Change of the log-odds to leave an answer out per standard deviation of satisfaction.
    response : float
        Share of those asked who answer at all, at average satisfaction.
    response_slope : float
        Change of the log-odds to answer at all per standard deviation of satisfaction: the
        dissatisfied keep silent, so that a mean of the answers is too high.
    """

    items: tuple[Item, ...] = field(default=ITEMS, repr=False)
    thresholds: tuple[float, ...] = THRESHOLDS
    acquiescence: float = 0.30
    stretch: float = 0.20
    straight_lining: float = 0.02
    skipped: float = 0.02
    skipped_sensitive: float = 0.05
    skipped_kano: float = 0.03
    skipped_price: float = 0.10
    skipped_slope: float = -0.30
    response: float = 0.45
    response_slope: float = 0.45
