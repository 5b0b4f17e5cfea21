"""Products of the simulated operator: what it sells, in which order customers take it up.

`PRODUCTS` is the catalogue, `Products` its columns as arrays.  All prices are simulated.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.simulate.vocabulary import CATEGORIES

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Product:
    """One product of the catalogue.

    Attributes
    ----------
    product_id, name : str
        Identifier and name.
    category : str
        One of `CATEGORIES`.
    layer : {"core", "tangible", "augmented"}
        Layer of the offer it belongs to.
    list_price : float
        List price per unit and month at the start, currency.
    cost_share : float
        Unit cost as a share of the list price at the start, 0..1.
    weight : float
        Share of an account's potential spend that this product makes when it has everything.
    owned : float
        Probability that an account that has been a customer for long owns it at the start.
    adoption : float
        Probability per month to take it up when what it builds on is there, without contacts.
    needs : str
        Identifier of the product it builds on, "" for none.
    """

    product_id: str
    name: str
    category: str
    layer: str
    list_price: float
    cost_share: float
    weight: float
    owned: float
    adoption: float
    needs: str = ""


PRODUCTS: tuple[Product, ...] = (
    Product("V1", "Office Telephony", "voice", "core", 24.0, 0.47, 0.14, 0.82, 0.012),
    Product("V2", "Mobile Fleet", "voice", "core", 18.0, 0.53, 0.14, 0.55, 0.010, "V1"),
    Product("V3", "Contact Centre", "voice", "tangible", 95.0, 0.49, 0.05, 0.12, 0.003, "V1"),
    Product("B1", "Business Broadband", "broadband", "core", 49.0, 0.51, 0.12, 0.88, 0.015),
    Product("B2", "Failover Line", "broadband", "tangible", 29.0, 0.47, 0.04, 0.30, 0.007, "B1"),
    Product("L1", "Leased Line", "leased lines", "core", 390.0, 0.57, 0.16, 0.28, 0.005, "B1"),
    Product("L2", "Site Network", "leased lines", "tangible", 140.0, 0.55, 0.09, 0.18, 0.005, "L1"),
    Product("C1", "Cloud Server", "cloud", "core", 75.0, 0.52, 0.09, 0.20, 0.007, "B1"),
    Product("C2", "Cloud Backup", "cloud", "tangible", 22.0, 0.41, 0.03, 0.15, 0.009, "C1"),
    Product("C3", "Cloud Workplace", "cloud", "augmented", 14.0, 0.49, 0.06, 0.16, 0.008, "B1"),
    Product("S1", "Managed Security", CATEGORIES[4], "augmented", 60.0, 0.43, 0.05, 0.14, 0.007,
            "B1"),
    Product("S2", "Machine Connectivity", CATEGORIES[4], "augmented", 6.0, 0.42, 0.03, 0.07, 0.004,
            "V2"),
)  # fmt: skip
"""The catalogue, in the order customers usually take products up within a category."""


@dataclass(frozen=True, eq=False)
class Products:
    """Columns of the catalogue as arrays, P products.

    Attributes
    ----------
    category : ndarray of int, shape (P,)
        Position in `CATEGORIES`.
    list_price : ndarray of float, shape (P,)
        List price per unit and month at the start, currency.
    unit_cost : ndarray of float, shape (P,)
        Cost per unit and month at the start, currency.
    cost_share : ndarray of float, shape (P,)
        Unit cost as a share of the list price at the start.
    weight : ndarray of float, shape (P,)
        Share of an account's potential spend.
    owned, adoption : ndarray of float, shape (P,)
        Probabilities, see `Product`.
    needs : ndarray of int, shape (P,)
        Position of the product it builds on, -1 for none.
    """

    category: Array
    list_price: Array
    unit_cost: Array
    cost_share: Array
    weight: Array
    owned: Array
    adoption: Array
    needs: Array


def product_arrays(catalogue: tuple[Product, ...] = PRODUCTS) -> Products:
    """Turn a catalogue into arrays.

    Raises
    ------
    ValueError
        When a product names a category, or a product to build on, that does not exist.
    """
    ids = [product.product_id for product in catalogue]
    for product in catalogue:
        if product.category not in CATEGORIES:
            raise ValueError(
                f"product {product.product_id}: no category {product.category!r}; there is: "
                f"{', '.join(CATEGORIES)}"
            )
        if product.needs and product.needs not in ids:
            raise ValueError(
                f"product {product.product_id} builds on {product.needs!r}, which is not in the "
                f"catalogue: {', '.join(ids)}"
            )
    prices = np.array([product.list_price for product in catalogue])
    shares = np.array([product.cost_share for product in catalogue])
    return Products(
        category=np.array([CATEGORIES.index(product.category) for product in catalogue]),
        list_price=prices,
        unit_cost=prices * shares,
        cost_share=shares,
        weight=np.array([product.weight for product in catalogue]),
        owned=np.array([product.owned for product in catalogue]),
        adoption=np.array([product.adoption for product in catalogue]),
        needs=np.array([ids.index(p.needs) if p.needs else -1 for p in catalogue]),
    )


def product_table(catalogue: tuple[Product, ...] = PRODUCTS) -> pd.DataFrame:
    """Catalogue as a tidy frame, a row a product."""
    return pd.DataFrame([vars(product) for product in catalogue])
