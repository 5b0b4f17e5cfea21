"""Models of repeat purchases by name: one call fits one, or all of them.

Which model?  Nobody knows before the holdout has spoken, so :func:`fit_models` fits all on the
same customers, for :func:`keycustomer.lifetime.compare_models` to judge; :func:`fit_model` fits the
one that was chosen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pandas as pd

from keycustomer.lifetime.exponential.paretonbd import fit_paretonbd
from keycustomer.lifetime.geometric.bgnbd import fit_bgnbd
from keycustomer.lifetime.geometric.mbgnbd import fit_mbgnbd
from keycustomer.lifetime.histories import Histories, read_histories
from keycustomer.lifetime.transactions import TransactionModel

_FITTERS: dict[str, Callable[..., TransactionModel]] = {
    "BG/NBD": fit_bgnbd,
    "MBG/NBD": fit_mbgnbd,
    "Pareto/NBD": fit_paretonbd,
}

TRANSACTION_MODELS = tuple(_FITTERS)
"""Names of the models of repeat purchases in continuous time."""


def fit_model(
    model: str, customers: pd.DataFrame | Histories, *, unit: str | None = None
) -> TransactionModel:
    """Fit one model of repeat purchases by its name.

    Parameters
    ----------
    model : {"BG/NBD", "MBG/NBD", "Pareto/NBD"}
        The model.
    customers : DataFrame or Histories
        A customer table (recency and T in days) or histories.
    unit : {"day", "week", "month", "quarter", "year"}, optional
        Unit of time of the parameters; left out, weeks, or the unit of the histories given.

    Raises
    ------
    ValueError
        When there is no such model, or the table is not as it should be.

    Examples
    --------
    >>> from keycustomer.coursework import ten_customers
    >>> from keycustomer.lifetime import read_histories
    >>> histories = read_histories(ten_customers(), recorded_in="week")
    >>> fitted = fit_model("BG/NBD", histories)
    >>> {name: round(value, 2) for name, value in fitted.parameters.items()}
    {'r': 1.08, 'alpha': 4.47, 'a': 0.61, 'b': 2.0}
    """
    if model not in _FITTERS:
        raise ValueError(f"model={model!r}: one of {', '.join(map(repr, _FITTERS))} is needed")
    return _FITTERS[model](customers, unit=unit)


def fit_models(
    customers: pd.DataFrame | Histories,
    models: Sequence[str] = TRANSACTION_MODELS,
    *,
    unit: str | None = None,
) -> dict[str, TransactionModel]:
    """Fit several models of repeat purchases on the same customers.

    Parameters and errors as in :func:`fit_model`.

    Returns
    -------
    dict of str to TransactionModel
        The fitted models by name, in the order asked for.
    """
    histories = read_histories(customers, unit=unit)
    return {name: fit_model(name, histories, unit=unit) for name in models}
