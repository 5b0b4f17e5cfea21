import datetime as dt

import handmade
import numpy as np
import pandas as pd
import pytest
from keycustomer.customers.archive import archive_summary
from keycustomer.customers.file_report import customer_file_report

FILE = pd.DataFrame(
    {
        "customer_id": ["007", "7", "c", "d", "e"],
        "name": ["Ann", "Bo", None, " ", "<script>alert(1)</script>"],
        "email": ["a@x.org", "n/a", None, None, "e@x.org"],
        "updated_on": ["2020-12-01", "2018-01-01", None, "2020-01-01", "2019-12-31"],
        "joined_on": ["2019-01-01"] * 5,
        "size": ["large", "Unknown", "small", None, "small"],
    }
)
LINES = handmade.lines(
    ("007", "2020-06-01", 100.0),
    ("007", "2020-12-31", 50.0),
    ("c", "2020-03-01", 10.0),
    ("stranger", "2020-02-01", 40.0),
)
CONTACTS = pd.DataFrame(
    {"customer_id": ["d", "only contact"], "date": ["2020-12-30"] * 2, "kind": ["visit", "call"]}
)
ATTRIBUTES = {"firmographic": ["size"]}


@pytest.fixture
def base(tmp_path):
    return handmade.handmade_base(
        tmp_path / "base.duckdb",
        attributes=ATTRIBUTES,
        customers=FILE,
        transactions=LINES,
        interactions=CONTACTS,
    )


def test_fields_count_values_blanks_and_placeholders(base):
    fields = customer_file_report(base).fields.set_index(["table", "field"])
    assert fields.loc[("customers", "name"), "filled"] == 3
    assert fields.loc[("customers", "email"), ["filled", "placeholders"]].tolist() == [2, 1]
    assert fields.loc[("customers", "size"), "share_filled"] == pytest.approx(3 / 5)
    assert fields.loc[("customers", "size"), "kind"] == "firmographic"
    assert fields.loc[("customers", "customer_id"), "share_filled"] == 1
    assert not {("transactions", "line"), ("transactions", "channel")} & set(fields.index)


def test_columns_without_a_value_are_missing_not_empty(base):
    missing = customer_file_report(base, archive_fields=["name"]).missing
    named = missing[missing["column"] != ""].set_index(["table", "column"])["would_tell"]
    assert named.index.tolist() == [
        *[("transactions", c) for c in ("product_id", "discount", "cost", "channel")],
        *[
            ("interactions", c)
            for c in ("phase", "resolved_on", "first_contact_resolution", "cost")
        ],
    ]
    assert named["transactions", "channel"] == "sales channel"


def test_fields_are_stale_by_verification(base):
    report = customer_file_report(base, stale_after=365)
    name = report.fields.set_index(["table", "field"]).loc[("customers", "name")]
    # Of Ann, Bo and <script>, verified 30, 1095 and 366 days before the last day of 2020.
    assert name["share_stale"] == pytest.approx(2 / 3)
    assert name["last_update"] == pd.Timestamp("2020-12-01")
    at_366 = customer_file_report(base, stale_after=366).fields.set_index(["table", "field"])
    assert at_366.loc[("customers", "name"), "share_stale"] == pytest.approx(1 / 3)


def test_coverage_adds_up_over_everybody_known(base):
    coverage = customer_file_report(base).coverage.set_index("group")
    assert coverage["customers"].to_dict() == {
        "on file and buying": 2,
        "buying, not on file": 1,
        "on file, never buying": 3,
        "only contacts": 1,
    }
    assert coverage["share"].sum() == pytest.approx(1)
    assert coverage["revenue"].to_dict() == {
        "on file and buying": 160,
        "buying, not on file": 40,
        "on file, never buying": 0,
        "only contacts": 0,
    }


def test_staleness_by_basis(base):
    ages = customer_file_report(base, stale_after=100).staleness.set_index("basis")
    assert ages.loc["record verified", ["customers", "stale"]].tolist() == [5, 4]
    assert ages.loc["last purchase of buyers", ["customers", "stale"]].tolist() == [3, 2]
    # Customer d never bought but was visited the day before.
    assert ages.loc["last activity of customers on file", "stale"] == 3
    assert (
        ages.loc["last purchase of buyers", "median_age"]
        == (dt.date(2020, 12, 31) - dt.date(2020, 3, 1)).days
    )


def test_events_after_the_day_asked_about_do_not_count(base):
    report = customer_file_report(base, as_of="2020-06-30")
    assert report.coverage.set_index("group").loc["on file and buying", "revenue"] == 110
    ages = report.staleness.set_index("basis")
    assert ages.loc["last purchase of buyers", "last"] == pd.Timestamp("2020-06-01")


def test_information_tells_static_from_dynamic(base):
    information = customer_file_report(base).information.set_index(["information", "kind"])
    static = information.loc["static"]
    assert static.loc["firmographic", ["fields", "customers"]].tolist() == [1, 3]
    assert static.loc["contact", "share_customers"] == pytest.approx(2 / 7)
    dynamic = information.loc["dynamic"].set_index("table")
    assert dynamic.loc["transactions", ["rows", "customers", "span"]].tolist() == [4, 3, 335]
    assert dynamic.loc["interactions", "last"] == pd.Timestamp("2020-12-30")


def test_archive_counts_expected_fields_whether_or_not_they_exist(base):
    report = customer_file_report(base, archive_fields=["name", "email", "phone", "size"])
    archive = report.archive.set_index("customer_id")
    assert archive["filled"].to_dict() == {
        "007": 3,
        "7": 1,
        "c": 1,
        "d": 0,
        "e": 3,
        "only contact": 0,
        "stranger": 0,
    }
    assert archive.loc["007", "completeness"] == 0.75
    # A fifth of seven customers, rounded up, by revenue.
    assert archive.index[archive["key"]].tolist() == ["007", "stranger"]
    assert "phone" in report.missing["column"].tolist()


@pytest.mark.parametrize("share", [1 / 3, 0.7, 0.9])
def test_equally_complete_archives_differ_by_nothing(share):
    archive = pd.DataFrame({"key": [True] * 100 + [False] * 400, "completeness": share})
    difference = archive_summary(archive).set_index("group").loc["difference"]
    assert difference[["completeness", "lower", "upper"]].tolist() == [0, 0, 0]


def test_archive_intervals_agree_with_scipy():
    from scipy import stats

    rng = np.random.default_rng(1)
    archive = pd.DataFrame({"key": [True] * 20 + [False] * 80, "completeness": rng.random(100)})
    key, rest = (archive.loc[archive["key"] == k, "completeness"] for k in (True, False))
    found = archive_summary(archive).set_index("group")
    mean = stats.ttest_1samp(key, 0).confidence_interval(0.95)
    gap = stats.ttest_ind(key, rest, equal_var=False).confidence_interval(0.95)
    assert found.iloc[0][["lower", "upper"]].tolist() == pytest.approx([mean.low, mean.high])
    assert found.loc["difference", ["lower", "upper"]].tolist() == pytest.approx(
        [gap.low, gap.high]
    )


def test_base_without_customer_file_says_so(tmp_path):
    base = handmade.handmade_base(tmp_path / "b.duckdb", transactions=LINES)
    report = customer_file_report(base)
    assert "There is no customer file" in report.sentences[0]
    assert len(report.archive) == len(report.archive_summary) == 0
    assert len(report.sentences) == 2
    assert "customers" not in report.missing.loc[report.missing["column"] != "", "table"].tolist()
    missing = report.missing[report.missing["column"] == ""]
    assert missing["table"].tolist() == [
        *("customers", "products", "interactions", "contracts", "survey", "choices", "market"),
    ]


def test_base_without_transactions(tmp_path):
    base = handmade.handmade_base(tmp_path / "b.duckdb", customers=FILE, attributes=ATTRIBUTES)
    report = customer_file_report(base)
    assert report.coverage.set_index("group").loc["on file, never buying", "customers"] == 5
    assert "transactions" in report.missing["table"].tolist()
    assert "<table>" in report._repr_html_()


def test_file_of_ids_and_dates_only(tmp_path):
    base = handmade.handmade_base(
        tmp_path / "b.duckdb", customers=FILE[["customer_id", "joined_on"]], transactions=LINES
    )
    report = customer_file_report(base)
    assert report.information.iloc[0][["kind", "customers"]].tolist() == ["management", 5]
    # Nothing was ever verified: the last purchase tells the age of a record.
    joined = report.fields.set_index("field").loc["joined_on"]
    assert joined["last_update"] == pd.Timestamp("2020-12-31")
    assert joined["share_stale"] == pytest.approx(3 / 5)


def test_column_names_are_quoted_and_text_is_escaped(tmp_path):
    odd = 'size" from customers; --<script>'
    file = FILE.rename(columns={"size": odd})
    base = handmade.handmade_base(
        tmp_path / "b.duckdb", customers=file, attributes={"<b>kind": [odd]}, transactions=LINES
    )
    report = customer_file_report(base)
    assert report.fields.set_index("field").loc[odd, "filled"] == 3
    page = report._repr_html_()
    assert "<script>" not in page and "<b>" not in page
    assert "--&lt;script&gt;" in page


def test_same_base_gives_same_report(base):
    first, second = customer_file_report(base), customer_file_report(base)
    assert first._repr_html_() == second._repr_html_()
    pd.testing.assert_frame_equal(first.archive, second.archive)
    assert first.to_frame() is not first.fields


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"as_of": "31.12.2020"}, "as_of is a day such as '2017-12-31', got '31.12.2020'"),
        ({"stale_after": -1}, "stale_after is a number of days of at least 0, got -1"),
        ({"archive_fields": ["fax"]}, r"archive_fields: no such field \['fax'\] in the customers"),
    ],
)
def test_wrong_arguments_are_named(base, wrong, message):
    with pytest.raises(ValueError, match=message):
        customer_file_report(base, **wrong)
