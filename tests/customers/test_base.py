"""Opening a prepared base."""

import duckdb
import pytest
from keycustomer.customers.base import open_base


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no prepared customer base at .*none\.duckdb"):
        open_base(tmp_path / "none.duckdb")


def test_another_database_is_refused(tmp_path):
    duckdb.connect(str(tmp_path / "other.duckdb")).close()
    with pytest.raises(ValueError, match="is not a prepared customer base: it has no provenance"):
        open_base(tmp_path / "other.duckdb")


def test_the_base_is_read_only(hand_made_base):
    base = hand_made_base({"customers": [("a", "Ann")]})
    with pytest.raises(duckdb.InvalidInputException, match="read-only"):
        base.query("delete from customers")


def test_has_tells_tables_and_filled_columns(hand_made_base):
    base = hand_made_base({"customers": [("a", None)]})
    assert base.has("customers") and base.has("customers", "customer_id")
    assert not base.has("customers", "name")
    assert not base.has("customers", "no such column")
    assert not base.has("transactions")
    assert base.tables == {"customers"}


def test_facts_are_escaped_and_simulated_data_say_so(hand_made_base):
    base = hand_made_base({"customers": []}, title="<script>alert(1)</script>")
    page = base._repr_html_()
    assert "<script>" not in page and "&lt;script&gt;" in page
    assert "Simulated data" in page


def test_parameters_are_bound(hand_made_base):
    base = hand_made_base({"customers": [("a", "x'; drop table customers; --")]})
    name = "x'; drop table customers; --"
    assert len(base.query("from customers where name = $name", name=name)) == 1


def test_nothing_is_spilled_into_the_working_folder(hand_made_base, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    base = hand_made_base({"customers": [("a", "Ann")]})
    place = base.query("select current_setting('temp_directory') as place")["place"].item()
    assert not place.startswith((str(tmp_path), "."))
