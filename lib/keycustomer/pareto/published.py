"""Published shares of the best customers, to print beside one's own.

`YARDSTICKS` holds them as rows; `yardsticks` returns them as a frame, with the reader's own
estimate on top where one is given.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import pandas as pd

from keycustomer.stats import Estimate


@dataclass(frozen=True)
class Yardstick:
    """One published share.

    Attributes
    ----------
    base : str
        Whose customers were measured.
    top_20_share : float
        Share of value that the top 20 % of customers bring, 0..1.
    source : str
        Author and year.
    """

    base: str
    top_20_share: float
    source: str


YARDSTICKS = (
    Yardstick("the rule of thumb", 0.80, "the claim under test (K1)"),
    Yardstick("22 categories of packaged goods, mean", 0.73, "Kim, Singh & Winer (2017)"),
    Yardstick("339 firms, mean", 0.67, "McCarthy & Winer (2019)"),
    Yardstick("non-subscription firms, mean", 0.68, "McCarthy & Winer (2019)"),
    Yardstick("subscription firms, mean", 0.59, "McCarthy & Winer (2019)"),
    Yardstick("brands over one year, about", 0.60, "Sharp, Romaniuk & Graham (2019)"),
)


def yardsticks(own: Estimate | None = None, label: str = "this case") -> pd.DataFrame:
    """Return published shares of the top 20 %, largest first.

    Parameters
    ----------
    own : Estimate, optional
        One's own share of the top 20 %, 0..1.
    label : str
        What to call it.

    Returns
    -------
    DataFrame
        base, top_20_share (0..1), lower, upper (of one's own only), source.
    """
    rows = [asdict(yardstick) for yardstick in YARDSTICKS]
    if own is not None:
        interval = {"lower": own.lower, "upper": own.upper}
        rows.append(
            {"base": label, "top_20_share": own.estimate, **interval, "source": "computed here"}
        )
    columns = ["base", "top_20_share", "lower", "upper", "source"]
    frame = pd.DataFrame(rows).reindex(columns=columns)
    return frame.sort_values("top_20_share", ascending=False, kind="stable", ignore_index=True)
