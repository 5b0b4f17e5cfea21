import os

import handmade
import numpy as np
import pandas as pd
import pytest
import twins
from keycustomer.customers.duplicates import probable_duplicates
from keycustomer.customers.linkage import LEVELS, TWIN_SHARE

FIELDS = ["customer_id", "name", "email", "phone", "address", "city", "postal_code"]


def on_file(tmp_path, *rows, threshold=0.9, columns=FIELDS, **facts):
    file = pd.DataFrame(list(rows), columns=columns)
    base = handmade.handmade_base(tmp_path / "b.duckdb", customers=file, **facts)
    return probable_duplicates(base, threshold=threshold)


def found(report):
    return sorted(zip(report.pairs["customer_id_l"], report.pairs["customer_id_r"], strict=True))


def test_one_customer_written_in_several_ways(tmp_path):
    report = on_file(
        tmp_path,
        ("007", "Anna Schmidt", "anna@x.example", None, "Hauptstraße 5", "Berlin", "10115"),
        ("7", "SCHMIDT, Anna", "Anna@X.example", "030 1234567", "Hauptstr. 5", "Berlin", "10115"),
        ("c", "Müller Bau GmbH", None, "+49 221 55512", "Ring 1", "Köln", "50667"),
        ("d", "\uff2düller  Bau", None, "0221/55512", "RING 1", "Koeln", "50667"),
        ("e", "张 伟", "zw@x.example", "13812345678", None, "上海", None),
        ("f", "张伟", None, "+86 138 1234 5678", None, "上海", None),
        ("g", "Berta Klein", "b@y.example", "040 7654321", "Weg 2", "Hamburg", "20095"),
    )
    assert found(report) == [("007", "7"), ("c", "d"), ("e", "f")]
    first = report.pairs.set_index("customer_id_l").loc["007"]
    assert first[["name", "contact"]].tolist() == ["same, rare", "same email"]
    assert first["same"] == "name, email, address, postal_code, city"


def test_family_members_and_placeholders_are_no_duplicates(tmp_path):
    home = ("030 1234567", "Hauptstraße 5", "Berlin", "10115")
    report = on_file(
        tmp_path,
        ("1", "Anna Schmidt", "family@x.example", *home),
        ("2", "Peter Schmidt", "family@x.example", *home),
        ("3", "unknown", "n/a", "-", None, None, None),
        ("4", "Unknown", "N/A", "-", None, None, None),
        ("5", "王芳", None, *home),
        ("6", "王敏", None, *home),
    )
    assert found(report) == []
    assert report.sentence.endswith("Nothing was merged.")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Jonas Hofmann", "Jonas Hofmnan"),
        ("Renée Müller", "Renee Muller"),
        ("Johanna Maria Lind", "Johanna Lind"),
        ("J. Hofmann", "Jonas Hofmann"),
        ("Atlas Ltd", "ATLAS LIMITED"),
        ("上海远洋贸易有限公司", "上海远洋贸易公司"),
        ("上海远洋贸易有限公司", "上海远祥贸易有限公司"),
        ("Łukasz Øster", "Lukasz Oster"),
        ("Dr. Eva Strauß", "Eva Strauss"),
    ],
)
def test_same_email_and_a_name_written_differently(tmp_path, one, other):
    rows = [
        ("1", one, "same@x.example", None, None, None, None),
        ("2", other, "same@x.example", None, None, None, None),
        ("3", "Somebody Else", "else@x.example", None, None, None, None),
    ]
    assert found(on_file(tmp_path, *rows)) == [("1", "2")]


def test_probability_follows_fellegi_and_sunter(tmp_path):
    rows = [
        ("1", "Anna Schmidt", None, None, None, "Berlin", "10115"),
        ("2", "Anna Schmidt", None, None, None, "Berlin", "10115"),
        *[(f"x{i}", None, None, f"55500{i}", None, None, None) for i in range(198)],
    ]
    report = on_file(tmp_path, *rows, threshold=0.001)
    n = 200
    prior = 2 * TWIN_SHARE / (n - 1)
    chances = {(level.comparison, level.agreement): level.m / level.u for level in LEVELS}
    odds = (
        prior / (1 - prior) * chances["name", "same, rare"] * chances["contact", "same postal code"]
    )
    assert report.pairs["probability"].tolist() == [pytest.approx(odds / (1 + odds), abs=1e-6)]


def test_an_address_that_too_many_share_identifies_nobody(tmp_path):
    rows = [(f"{i:02d}", None, "info@x.example", None, None, None, None) for i in range(11)]
    report = on_file(tmp_path, *rows)
    assert found(report) == []
    assert report.ignored.to_dict("records") == [{"field": "email", "customers": 11}]
    (tmp_path / "few").mkdir()
    assert len(found(on_file(tmp_path / "few", *rows[:2]))) == 1


def test_clusters_join_pairs_and_add_up_their_value(tmp_path):
    rows = [
        *[(i, "Anna Schmidt", "a@x.example", None, None, None, None) for i in "abc"],
        *[(i, "Bert Klein", "b@x.example", None, None, None, None) for i in "de"],
        ("f", "Carl Gross", "c@x.example", None, None, None, None),
    ]
    lines = handmade.lines(
        ("a", "2020-05-05", 5.0), ("c", "2020-05-05", 6.0), ("d", "2020-05-05", 12.0),
        ("f", "2020-05-05", 77.0), ("stranger", "2020-05-05", 1000.0),
    )  # fmt: skip
    report = on_file(tmp_path, *rows, transactions=lines)
    assert report.clusters.values.tolist() == [
        [1, "d", 12], [1, "e", 0], [2, "a", 5], [2, "b", 0], [2, "c", 6],
    ]  # fmt: skip
    assert (report.customers, report.surplus, len(report.pairs)) == (5, 3, 4)
    assert (report.value, report.value_share) == (23, 23 / 100)
    assert "5 records, 3 too many if all proposals are right, with 23 USD" in report.sentence


def test_file_without_anything_to_compare_by_says_what_is_missing(tmp_path):
    report = on_file(tmp_path, ("a", "Berlin"), ("b", "Berlin"), columns=["customer_id", "city"])
    assert report.sentence == (
        "Duplicates cannot be looked for: no customer has a name, email, phone or address on file."
    )
    assert report.records == 2
    assert report.missing == ("name", "email", "phone", "address", "postal_code", "city")
    assert len(report.to_frame()) == len(report.clusters) == 0


def test_base_without_customer_file(tmp_path):
    base = handmade.handmade_base(
        tmp_path / "b.duckdb", transactions=handmade.lines(("a", "2020-05-05", 5.0))
    )
    assert probable_duplicates(base).records == 0


@pytest.mark.parametrize("columns", [["customer_id", "email"], ["customer_id", "phone"]])
def test_one_field_is_enough_to_look(tmp_path, columns):
    value = "a@x.example" if "email" in columns else "030 1234567"
    report = on_file(
        tmp_path, ("1", value), ("2", value), ("3", None), columns=columns, threshold=0.05
    )
    assert found(report) == [("1", "2")]
    assert report.pairs["name"].tolist() == ["not known"]
    assert f"Compared by {columns[1]} (not on file: name" in report.sentence


# Floors with room for another seed: measured over seeds 1 to 5 precision is at least .98 and recall
# at least .92; what is missed has a wrong name and a new address at once.
PRECISION, RECALL = 0.97, 0.9


@pytest.fixture(scope="module")
def generated(tmp_path_factory):
    file, true = twins.file_with_twins(2_000, seed=2)
    path = tmp_path_factory.mktemp("generated") / "b.duckdb"
    return handmade.handmade_base(path, customers=file), file, true


def test_generated_duplicates_are_found_and_others_are_not(generated):
    base, _, true = generated
    proposed = set(found(probable_duplicates(base)))
    assert len(proposed & true) / len(proposed) >= PRECISION
    assert len(proposed & true) / len(true) >= RECALL


def test_a_clean_file_gives_hardly_any_proposal(tmp_path, generated):
    _, file, true = generated
    copies = {second for _, second in true} | {first for first, _ in true}
    clean = file[~file["customer_id"].isin(copies)]
    base = handmade.handmade_base(tmp_path / "b.duckdb", customers=clean)
    assert len(probable_duplicates(base).pairs) <= 0.002 * len(clean)


def test_order_of_the_file_does_not_matter(tmp_path, generated):
    base, file, _ = generated
    shuffled = file.iloc[np.random.default_rng(3).permutation(len(file))]
    other = handmade.handmade_base(tmp_path / "b.duckdb", customers=shuffled)
    first, second = probable_duplicates(base), probable_duplicates(other)
    pd.testing.assert_frame_equal(first.pairs, second.pairs)
    pd.testing.assert_frame_equal(first.clusters, second.clusters)


def test_threshold_only_cuts(generated):
    base, _, _ = generated
    low, high = (probable_duplicates(base, threshold=t).pairs for t in (0.2, 0.95))
    kept = low[low["probability"] >= 0.95].reset_index(drop=True)
    pd.testing.assert_frame_equal(kept, high)


def test_quiet_and_without_files(tmp_path, monkeypatch, capfd, caplog):
    monkeypatch.chdir(tmp_path)
    on_file(tmp_path, ("1", "Anna Schmidt", "a@x.example", None, None, None, None))
    assert capfd.readouterr() == ("", "")
    assert not caplog.records
    assert os.listdir(tmp_path) == ["b.duckdb"]


def test_ids_show_only_where_the_case_allows_it_and_escaped(tmp_path):
    rows = [
        ("<script>1", "<script>Anna", "a@x.example", None, None, None, None),
        ("<script>2", "<script>Anna", "a@x.example", None, None, None, None),
    ]
    (tmp_path / "open").mkdir()
    report = on_file(tmp_path, *rows)
    hidden = report._repr_html_() + repr(report)
    shown = on_file(tmp_path / "open", *rows, identifiable=True)._repr_html_()
    assert "script" not in hidden
    assert "<script>" not in shown
    assert "&lt;script&gt;1" in shown


@pytest.mark.parametrize("threshold", [0, 1, 90])
def test_threshold_is_a_probability(tmp_path, threshold):
    with pytest.raises(ValueError, match=f"between 0 and 1, got {threshold}"):
        on_file(tmp_path, ("1", *[None] * 6), threshold=threshold)
