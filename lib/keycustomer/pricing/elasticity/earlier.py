"""Earlier and later values within a product and unit: lags, leads, and changes.

Question: what was the price a period ago?  :func:`shifted` gives it, :func:`changes_of` gives
changes from the period before, and :func:`stockpiling_controls` adds earlier prices to a panel:
who stocks up on a deal buys less afterwards, so that the response within the week overstates what
a lasting price change does.

Sources: Hendel & Nevo (2006), Econometrica 74, 1637-1673, on stockpiling; van Heerde, Leeflang &
Wittink (2004), Marketing Science 23, 317-334, on dips before and after deals.
"""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from keycustomer.customers.rendering import counted
from keycustomer.pricing.elasticity.rows import Columns
from keycustomer.pricing.panels.panel import KEYS, PricePanel

MOST = 12
"""Most lags or leads; more leave hardly a row."""


def shifted(frame: pd.DataFrame, column: str, steps: int) -> pd.Series:
    """Value of a column so many periods earlier (negative: later) of the same product and unit.

    Parameters
    ----------
    frame : DataFrame
        With product, unit and period.
    column : str
        What to look up.
    steps : int
        Periods back.

    Returns
    -------
    Series
        Missing where the panel has no row then.

    Raises
    ------
    ValueError
        When a key is missing, or a row stands twice.
    """
    absent = [name for name in KEYS if name not in frame]
    if absent or frame["period"].isna().all():
        raise ValueError(
            f"no column {', '.join(absent) or 'period with days'}: earlier values need product, "
            "unit and period"
        )
    periods = sorted(frame["period"].dropna().unique())
    number = frame["period"].map({day: place for place, day in enumerate(periods)})
    keys = pd.MultiIndex.from_arrays([frame["product"], frame["unit"], number])
    if keys.has_duplicates:
        raise ValueError("rows repeat a product, unit and period; sum them up first")
    wanted = pd.MultiIndex.from_arrays([frame["product"], frame["unit"], number - steps])
    found = pd.Series(frame[column].to_numpy(), index=keys).reindex(wanted)
    return pd.Series(found.to_numpy(), index=frame.index)


def changes_of(frame: pd.DataFrame, columns: Columns) -> pd.DataFrame:
    """Turn quantities and prices into ratios to the period before, other numbers into differences.

    Parameters
    ----------
    frame : DataFrame
        With product, unit and period.
    columns : Columns
        Which columns play which part.
    """
    changed = frame.copy()
    for name in columns.numbers:
        before = shifted(frame, name, 1)
        if name in (columns.quantity, *columns.logged):
            # what was not sold before has no ratio, and what is not sold now no log
            changed[name] = (frame[name] / before.where(before > 0)).where(frame[name] > 0)
        else:
            changed[name] = frame[name].astype(float) - before.astype(float)
    return changed


def stockpiling_controls(
    panel: PricePanel, *, column: str = "price", lags: int = 4, leads: int = 0
) -> PricePanel:
    """Add earlier, and later, values of a column to a panel.

    Parameters
    ----------
    panel : PricePanel
        With periods.
    column : str
        "price", "promotion" or another column of numbers.
    lags, leads : int
        How many periods back, and ahead (who waits for an announced deal buys less before it).

    Returns
    -------
    PricePanel
        With columns such as price_lag_1 and price_lead_1, missing where the panel has no such row:
        an estimate leaves these rows out and counts them.

    Raises
    ------
    ValueError
        When the column or the number of lags is none.

    Examples
    --------
    >>> from keycustomer.pricing import known_panel, price_elasticity
    >>> longer = stockpiling_controls(known_panel(50, 12).panel, lags=2)
    >>> found = price_elasticity(longer, cross=("price_lag_1", "price_lag_2"))
    >>> found.long_run()["group"].tolist()
    ['all']
    """
    for name, number in (("lags", lags), ("leads", leads)):
        if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number <= MOST:
            raise ValueError(f"{name}={number!r}: a whole number from 0 to {MOST} is needed")
    if lags + leads == 0:
        raise ValueError("lags=0 and leads=0: at least one period is needed")
    if column not in panel.frame:
        raise ValueError(f"column={column!r}: the panel has {list(map(str, panel.frame.columns))}")
    steps = {f"{column}_lag_{k}": k for k in range(1, lags + 1)}
    steps |= {f"{column}_lead_{k}": -k for k in range(1, leads + 1)}
    added = {name: shifted(panel.frame, column, step) for name, step in steps.items()}
    frame = panel.frame.assign(**added)
    whole = int(frame[list(steps)].notna().all(axis=1).sum())
    note = f"{counted(whole, 'row')} of {len(frame):,} have all of {', '.join(steps)}"
    return replace(panel, frame=frame, notes=(*panel.notes, note))
