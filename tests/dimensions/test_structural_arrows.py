"""Arrows become the structural equation model that says the same."""

import pytest
from keycustomer.dimensions import model_text

ITEMS = {"value": ["v1", "v2"], "satisfaction": ["s"], "loyalty": ["l1", "l2"], "aside": ["a"]}


def test_arrows_and_items_are_written_one_statement_a_line() -> None:
    assert model_text("value -> satisfaction; value + satisfaction -> loyalty", ITEMS) == (
        "value =~ v1 + v2\n"
        "satisfaction =~ s\n"
        "loyalty =~ l1 + l2\n"
        "satisfaction ~ value\n"
        "loyalty ~ value + satisfaction"
    )


def test_a_mapping_says_the_same_as_arrows() -> None:
    mapping = {"satisfaction": ["value"], "loyalty": ["satisfaction"]}
    assert model_text(mapping, ITEMS) == model_text("value -> satisfaction -> loyalty", ITEMS)


def test_an_unknown_construct_is_named() -> None:
    with pytest.raises(ValueError, match="'worth'"):
        model_text("worth -> loyalty", ITEMS)
