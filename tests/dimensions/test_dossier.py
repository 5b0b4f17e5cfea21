"""The dossier of a key account: its figures, what it says is missing, and one printed page."""

import re
from html.parser import HTMLParser

import duckdb
import numpy as np
import pandas as pd
import pytest
from account_bases import telecom_base
from keycustomer.customers import customer_table, open_base
from keycustomer.dimensions import (
    open_dossiers,
    open_survey,
    read_variables,
    segment_customers,
)

HOSTILE = "<script>alert('x')</script> & \"Söhne\" \u202e 电话 " + "Verlängerungsbau" * 12
LEAVES = re.compile(rb"/Type\s*/Page[^s]")


class Page(HTMLParser):
    """Tags and texts of a page."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.texts, self.described = [], [], 0
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.described += tag == "svg" and bool(dict(attrs).get("aria-label"))

    def handle_data(self, data):
        self.texts.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.texts).split())


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return telecom_base(tmp_path_factory.mktemp("telecom") / "base.duckdb")


@pytest.fixture(scope="module")
def book(base):
    return open_dossiers(base, top=0.1)


def answering(book):
    """Largest key account that answered the survey."""
    return next(k for k in book.key_accounts if k in set(book.ratings["customer_id"]))


def day_rows(book, sql, customer):
    return book.base.query(f"{sql} where customer_id = $customer", customer=customer)


def test_key_accounts_are_the_most_valuable_of_the_last_year(base, book):
    table = customer_table(base, start=book.window[0])
    bought = table[table["orders"] > 0].set_index("customer_id")["profit"]
    count = int(np.ceil(0.1 * len(bought)))
    assert book.value == "profit"
    assert book.key_accounts == bought.nlargest(count).index.tolist()


def test_a_page_has_the_figures_of_its_customer(base, book):
    customer = answering(book)
    page = book.dossier(customer)
    table = customer_table(base, start=book.window[0]).set_index("customer_id")
    facts = {fact.name: fact for fact in page["value"].facts}
    assert facts["revenue, last year"].value == f"{table.loc[customer, 'revenue']:,.0f} EUR"
    potential = book.values.frame.set_index("customer_id").loc[customer, "residual_value"]
    assert facts["potential value"].value == f"{potential:,.0f} EUR"
    complaints = day_rows(book, "from interactions", customer)["kind"].eq("complaint").sum()
    served = {fact.name: fact.value for fact in page["contacts"].facts}
    assert served["complaints"] == (f"{complaints}" if complaints else "none")
    assert f"Number {book.place(customer)} of" in Page(page.html).text
    assert page.missing == {}


def test_ratings_stand_beside_those_of_the_same_wave(book):
    customer = answering(book)
    own = book.ratings[book.ratings["customer_id"] == customer].iloc[-1]
    block = book.dossier(customer)["ratings"]
    assert f">{own['functional']:.1f}<" in block.figure
    others = book.ratings[book.ratings["wave"] == own["wave"]]
    assert f"mean of {len(others):,} respondents" in block.legend
    assert block.finding.startswith("Against others it rates ")


def test_stated_needs_are_the_most_important_first_with_its_rating(book):
    customer = answering(book)
    rows = book.dossier(customer)["needs"].rows
    importance = [int(row[1]) for row in rows]
    assert importance == sorted(importance, reverse=True)
    answers = book.survey.table[book.survey.table["customer_id"] == customer].iloc[-1]
    assert importance[0] == pd.to_numeric(answers.filter(like="importance_")).max()


def test_discounts_are_compared_with_customers_of_its_size(book):
    block = book.dossier(book.key_accounts[0])["price"]
    own = book.now.loc[book.key_accounts[0]]
    paid = own["revenue"] / (own["revenue"] + own["discount"])
    assert block.finding.startswith(f"Pays {100 * paid:.1f} % of the list price")
    assert re.search(r"than \d+ % of \d+ customers of its size", block.finding)


def test_an_ended_contract_is_told_in_the_head(base, book):
    ended = base.query(
        'select customer_id from contracts group by 1 having count(*) = count("end") limit 1'
    )["customer_id"].iloc[0]
    page = book.dossier(ended)
    assert re.search(r"Its contract ended on 20\d\d-\d\d-\d\d\.", Page(page.html).text)
    assert page["contracts"].finding.startswith("Ended on ")


def test_simulated_data_are_said_to_be(book):
    page = Page(book.dossier(book.key_accounts[0]).html)
    assert "Simulated data. No real customer, no real firm." in page.text
    assert "(simulated data)" in page.text and "All data are simulated." in page.text


def test_a_page_is_whole_in_itself_and_its_figures_have_words(book):
    html = book.dossier(answering(book)).html
    page = Page(html)
    assert not {"script", "img", "link", "iframe"} & set(page.tags)
    assert "http" not in html.replace("http-equiv", "")
    assert page.tags.count("svg") == page.described == 4
    assert page.tags.count("h1") == 1 and "nan" not in page.text.lower().split()


def test_profit_on_an_assumed_margin_is_called_so(complete_journey_base):
    book = open_dossiers(complete_journey_base)
    page = book.dossier(book.ranked.index[0])
    assert "by assumed profit of the last year" in page.html
    assert "assumed margin, last year" in page.html


def test_segments_are_named(base, book):
    customers = base.query("from customers")
    variables = read_variables(customers, {"firmographic": ["industry", "employees"]})
    made = segment_customers(variables, 3)
    known = {"values": book.values, "survey": book.survey, "needs": book.needs}
    page = open_dossiers(base, segmentation=made, **known).dossier(book.key_accounts[0])
    assert re.search(r"Segment [123]: .* \(certainty [01]\.\d\d\)\.", Page(page.html).text)


@pytest.fixture(scope="module")
def hostile_book(tmp_path_factory):
    """Accounts whose every text is long, full of marks, and right to left in part."""
    path = tmp_path_factory.mktemp("hostile") / "base.duckdb"
    telecom_base(path, 120, title=HOSTILE).close()
    columns = {
        "customers": ("name", "industry", "region", "ownership", "manager", "agent"),
        "products": ("category",),
        "interactions": ("kind",),
        "contracts": ("price_plan", "relationship_level"),
    }
    with duckdb.connect(str(path)) as connection:
        for table, names in columns.items():
            for name in names:
                connection.execute(f"update {table} set {name} = $1", [HOSTILE])
    return open_dossiers(open_base(path, threads=1))


def test_hostile_texts_stay_text(hostile_book):
    page = hostile_book.dossier(answering(hostile_book))
    assert "script" not in Page(page.html).tags
    assert "&lt;script&gt;" in page.html
    assert "<script" not in page._repr_html_() and "<script" not in hostile_book._repr_html_()
    assert len(page["contracts"].rows[0][3]) <= 24


def test_who_may_not_be_named_is_not(tmp_path):
    base = telecom_base(tmp_path / "base.duckdb", 120, identifiable="false")
    book = open_dossiers(base)
    customer = book.key_accounts[1]
    record = base.query("from customers where customer_id = $c", c=customer).iloc[0]
    html = book.dossier(customer).html
    assert book.dossier(customer).label == "customer 2"
    assert book.dossier(customer, label="K-17").label == "K-17"
    for personal in ("customer_id", "name", "city"):
        assert str(record[personal]) not in html
    assert "personal data left out" in html


def test_what_is_missing_is_said_table_by_table(cdnow_base):
    book = open_dossiers(cdnow_base)
    page = book.dossier(book.key_accounts[0])
    assert book.value == "revenue"
    assert set(page.missing) == {
        "Price position",
        "What it buys, and may need next",
        "Contracts and relationship level",
        "How it rates us",
        "What it says it needs",
        "Service, contacts and complaints",
    }
    for table in ("contracts", "interactions", "survey"):
        assert f"No table {table} in these data" in " ".join(page.missing.values())
    assert "No customer brings more revenue." in page["value"].finding
    assert "imulated" not in Page(page.html.split("</style>")[1]).text


def test_a_customer_that_bought_long_ago_or_never_has_a_page(cdnow_base, hand_made_base):
    book = open_dossiers(cdnow_base)
    gone = next(c for c in book.customers.index if book.place(c) == 0)
    assert "Bought nothing in the last year" in book.dossier(gone).html
    rows = {
        "transactions": [
            (i, f"c{i % 4}", None, f"2024-0{1 + i % 9}-11", None, 1, 10 + i, None, None, None)
            for i in range(20)
        ],
        "customers": [("never", "Never & Co"), ("c1", None)],
        "interactions": [],
        "contracts": [],
    }
    small = open_dossiers(hand_made_base(rows))
    page = small.dossier("never")
    assert page.label == "Never & Co"
    assert "Never &amp; Co" in page.html
    assert page["contracts"].finding == "No contract on file."
    assert small.dossier("c1").label == "Customer c1"


def test_pages_are_saved_in_order_and_without_ids_in_their_names(book, tmp_path):
    done = []
    paths = book.save(
        tmp_path / "new", book.key_accounts[:3], progress=lambda *seen: done.append(seen)
    )
    assert [path.name for path in paths] == [f"dossier_00{i}.html" for i in (1, 2, 3)]
    assert done == [(1, 3), (2, 3), (3, 3)]
    assert paths[0].read_text(encoding="utf-8") == book.dossier(book.key_accounts[0]).html


def test_unknown_customers_values_and_shares_are_refused(base, book):
    with pytest.raises(KeyError, match=r"no customer 'K1' .*the largest customers are 'K0"):
        book.dossier("K1")
    with pytest.raises(KeyError, match="no part 'price list' of a dossier; there are value, price"):
        book.dossier(book.key_accounts[0])["price list"]
    with pytest.raises(ValueError, match="value='sales': 'revenue', 'margin' or 'profit'"):
        open_dossiers(base, value="sales")
    with pytest.raises(ValueError, match="top"):
        open_dossiers(base, top=5)


@pytest.mark.browser
def test_every_page_prints_on_one_sheet_and_fits_a_telephone(book, hostile_book, chromium):
    from playwright.sync_api import sync_playwright

    pages = [book.dossier(customer).html for customer in (answering(book), *book.key_accounts[:2])]
    pages.append(hostile_book.dossier(answering(hostile_book)).html)
    with sync_playwright() as engine:
        browser = engine.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        sheet = browser.new_page(viewport={"width": 360, "height": 700})
        for html in pages:
            sheet.set_content(html)
            assert sheet.evaluate("document.documentElement.scrollWidth") <= 360
            assert len(LEAVES.findall(sheet.pdf(prefer_css_page_size=True))) == 1
        browser.close()


def test_only_ratings_of_one_scale_stand_side_by_side(telecom_base):
    """The shipped case's survey also has dates, roles, Kano's pairs, importance and prices."""
    book = open_dossiers(telecom_base)
    assert list(book.rated) == [
        *("functional", "convenience", "social", "experiential", "sacrifice"),
        *("satisfaction", "loyalty", "trust", "commitment", "attitude"),
    ]
    answered = set(book.survey.latest["customer_id"])
    customer = next(one for one in book.key_accounts if one in answered)
    page = book.dossier(customer)
    assert page["ratings"].missing == "" and page["needs"].missing == ""
    scaled = open_survey(telecom_base, low=1, high=7)
    assert open_dossiers(telecom_base, survey=scaled).rated == book.rated
