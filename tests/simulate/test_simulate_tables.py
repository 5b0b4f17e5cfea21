"""The tables of the simulated company fit the data model, agree with one another and the panel."""

import numpy as np
import pandas as pd
import pytest
from keycustomer.customers import check_base, prepare_base
from keycustomer.customers.schema import TABLES
from keycustomer.customers.specification import BaseSpecification
from keycustomer.simulate import ATTRIBUTE_KINDS, CONSTRUCTS, simulate_company
from keycustomer.simulate.agreements import PLANS, TERMS
from keycustomer.simulate.choice_rows import BASIC
from keycustomer.simulate.columns import account_numbers, customer_ids
from keycustomer.simulate.company import Company
from keycustomer.simulate.company_names import LEGAL_FORM, company_names
from keycustomer.simulate.vocabulary import ATTRIBUTES, CHANNELS, INDUSTRIES, LEVELS

ACCOUNTS, MONTHS = 400, 30
ROUNDING = 0.01  # quantities are billed to the hundredth of a unit, prices to that of a cent


@pytest.fixture(scope="module")
def company() -> Company:
    return simulate_company(ACCOUNTS, MONTHS, seed=7)


@pytest.fixture(scope="module")
def tables(company: Company) -> dict[str, pd.DataFrame]:
    return company.tables()


def own_attributes(name: str, frame: pd.DataFrame) -> dict[str, list[str]]:
    if name == "customers":
        return {kind: list(columns) for kind, columns in ATTRIBUTE_KINDS.items()}
    return {"further": [column for column in frame if column not in TABLES[name].columns]}


@pytest.fixture(scope="module")
def specification(
    tables: dict[str, pd.DataFrame], tmp_path_factory: pytest.TempPathFactory
) -> tuple[BaseSpecification, str]:
    folder = tmp_path_factory.mktemp("simulated")
    said = {}
    for name, frame in tables.items():
        frame.to_parquet(folder / f"{name}.parquet")
        said[name] = {"parquet": f"{name}.parquet"}
        if TABLES[name].attributes:
            said[name]["attributes"] = own_attributes(name, frame)
    made = BaseSpecification(title="t", simulated=True, currency="EUR", tables=said)
    return made, str(folder)


def test_all_tables_of_the_data_model_are_there(tables: dict[str, pd.DataFrame]) -> None:
    assert set(tables) == set(TABLES)
    for name, frame in tables.items():
        assert set(TABLES[name].required) <= set(frame)
        further = [column for column in frame if column not in TABLES[name].columns]
        assert TABLES[name].attributes or not further


def test_the_projects_own_checks_find_nothing(
    specification: tuple[BaseSpecification, str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    report = check_base(*specification)
    assert report.to_frame().empty, report.to_frame().to_string()
    assert report.exclusions.empty
    base = prepare_base(*specification, tmp_path_factory.mktemp("base") / "base.duckdb")
    assert set(base.tables) == set(TABLES)
    answered = base.query("select count(trust_1) as n, count(*) as rows from survey")
    assert 0 < answered["n"].item() < answered["rows"].item()  # NaN arrives as nothing


def test_ids_tell_the_numbers_of_accounts() -> None:
    numbers = np.array([0, 41, 9_999_998, 9_999_999, 12_345_678])
    assert account_numbers(customer_ids(numbers)).tolist() == numbers.tolist()
    others = ["K0000000", "K41", "X0000001", "", None, 7]
    assert account_numbers(others).tolist() == [-1] * len(others)


def test_lines_sum_to_the_panel(company: Company, tables: dict[str, pd.DataFrame]) -> None:
    lines = tables["transactions"]
    revenue = (lines["price"] * lines["quantity"]).groupby(lines["customer_id"]).sum()
    cost = (lines["unit_cost"] * lines["quantity"]).groupby(lines["customer_id"]).sum()
    panel = company.panel
    units = lines.groupby("customer_id")["quantity"].count()
    ids = tables["customers"]["customer_id"]
    for found, true in ((revenue, panel.revenue), (cost, panel.goods_cost)):
        expected = pd.Series(true.sum(axis=0, dtype=float), index=ids)
        off = (found.reindex(ids).fillna(0) - expected).abs()
        # every line may be off by half a hundredth of a unit at its price
        assert (off <= ROUNDING * 400 * units.reindex(ids).fillna(0)).all()
        assert found.sum() == pytest.approx(expected.sum(), rel=1e-3)


def test_a_line_is_an_account_month_and_product(tables: dict[str, pd.DataFrame]) -> None:
    lines = tables["transactions"]
    assert not lines.duplicated(["order_id", "product_id"]).any()
    orders = lines.groupby("order_id")[["customer_id", "date", "channel"]].nunique()
    assert (orders == 1).all().all()
    assert (lines["price"] <= lines["list_price"]).all()
    assert (lines[["quantity", "price", "unit_cost"]] > 0).all().all()
    assert set(lines["channel"]) <= set(CHANNELS)
    assert set(lines["product_id"]) <= set(tables["products"]["product_id"])


def test_nobody_buys_before_joining_or_after_leaving(
    company: Company, tables: dict[str, pd.DataFrame]
) -> None:
    lines, customers = tables["transactions"], tables["customers"].set_index("customer_id")
    span = lines.groupby("customer_id")["date"].agg(["min", "max"])
    assert (span["min"] >= customers["joined_on"].reindex(span.index)).all()
    ended = tables["contracts"].groupby("customer_id")["end"].agg(lambda end: end.iloc[-1])
    gone = ended.dropna()
    assert (span["max"].reindex(gone.index).dropna() <= gone).all()
    left = (company.panel.left < MONTHS).sum()
    assert len(gone) == left > 0


def test_customers_are_invented_and_complete(tables: dict[str, pd.DataFrame]) -> None:
    customers = tables["customers"]
    assert len(customers) == ACCOUNTS
    assert customers["customer_id"].is_unique and customers["name"].is_unique
    assert customers["name"].str.endswith(LEGAL_FORM).all()
    assert set(np.concatenate([*map(list, ATTRIBUTE_KINDS.values())])) <= set(customers)
    both = customers["manager"].notna() & customers["agent"].notna()
    assert 0.02 < both.mean() < 0.6  # agents overlap with own managers (T8)
    assert 0.05 < customers["price_orientation"].isna().mean() < 0.15
    assert customers["price_orientation"].dropna().between(1, 5).all()


def test_names_repeat_only_when_all_stems_are_used_up() -> None:
    number = np.arange(25_000)
    names = company_names(number, number % len(INDUSTRIES), INDUSTRIES, 11)
    assert len(set(names)) == len(names)
    assert (names[:5] == company_names(number[:5], number[:5] % 8, INDUSTRIES, 11)).all()


def test_contracts_follow_one_another_without_gap(
    company: Company, tables: dict[str, pd.DataFrame]
) -> None:
    contracts = tables["contracts"]
    same = contracts["customer_id"].eq(contracts["customer_id"].shift())
    before = contracts["end"].shift()[same]
    assert (contracts["start"][same] == before + pd.Timedelta(days=1)).all()
    running = contracts["end"].isna()
    assert running.groupby(contracts["customer_id"]).sum().le(1).all()
    assert set(contracts["relationship_level"]) <= set(LEVELS)
    assert set(contracts["price_plan"]) <= set(PLANS)
    # an account's plan is the length of its contract
    term = pd.Series(company.accounts.term, index=tables["customers"]["customer_id"])
    plan = contracts.groupby("customer_id")["price_plan"].first()
    expected = term.reindex(plan.index).map(dict(zip(TERMS, PLANS, strict=True)))
    assert (plan == expected).all()


def test_levels_in_contracts_are_those_of_the_panel(
    company: Company, tables: dict[str, pd.DataFrame]
) -> None:
    month = MONTHS - 1
    day = pd.Timestamp(company.settings.calendar()[month])
    contracts = tables["contracts"]
    at = contracts[
        (contracts["start"] <= day) & (contracts["end"].isna() | (contracts["end"] >= day))
    ]
    there = np.flatnonzero(company.panel.active[month])
    ids = tables["customers"]["customer_id"].to_numpy()[there]
    found = at.set_index("customer_id")["relationship_level"].reindex(ids).to_numpy()
    assert (found == np.array(LEVELS)[company.panel.level[month, there]]).all()


def test_contacts_are_those_of_the_panel(company: Company, tables: dict[str, pd.DataFrame]) -> None:
    contacts, panel = tables["interactions"], company.panel
    counts = contacts["kind"].value_counts()
    assert counts["visit"] == panel.visits.sum()
    assert counts["call"] == panel.calls.sum()
    assert counts["complaint"] == panel.complaints.sum()
    assert counts["competitor offer"] == panel.offer.sum()
    complaints = contacts[contacts["kind"] == "complaint"]
    assert complaints["first_contact_resolution"].sum() == panel.first_contact.sum()
    at_once = complaints[complaints["first_contact_resolution"].fillna(False).astype(bool)]
    assert (at_once["resolved_on"] == at_once["date"]).all()
    assert (complaints["resolved_on"].dropna() >= complaints["date"].reindex(
        complaints["resolved_on"].dropna().index)).all()  # fmt: skip
    others = contacts[contacts["kind"] != "complaint"]
    assert others["resolved_on"].isna().all() and others["first_contact_resolution"].isna().all()
    assert set(contacts["phase"]) == {"pre", "during", "after"}
    assert contacts["date"].is_monotonic_increasing


def test_survey_columns_are_those_of_the_questionnaire(tables: dict[str, pd.DataFrame]) -> None:
    survey = tables["survey"]
    items = [item for group in CONSTRUCTS.values() for item in group]
    assert survey[items].stack().dropna().between(1, 7).all()
    for name in ATTRIBUTES:
        assert survey[f"importance_{name}"].dropna().between(1, 7).all()
        assert survey[f"kano_with_{name}"].dropna().between(1, 5).all()
        assert survey[f"kano_without_{name}"].dropna().between(1, 5).all()
    assert not survey.duplicated(["customer_id", "wave"]).any()
    assert survey["wave"].nunique() == MONTHS // 12
    assert 0.005 < survey[items].isna().to_numpy().mean() < 0.05
    assert all(dtype.kind == "f" for dtype in survey.dtypes[items])


def test_every_task_has_one_choice(tables: dict[str, pd.DataFrame]) -> None:
    choices = tables["choices"]
    chosen = choices.groupby(["respondent_id", "task"])["chosen"].agg(["sum", "count"])
    assert (chosen["sum"] == 1).all() and (chosen["count"] == 4).all()
    assert set(choices["respondent_id"]) <= set(tables["survey"]["customer_id"])
    none = choices["alternative"] == "4"
    assert (choices.loc[none, "price"] == 0).all() and (choices.loc[~none, "price"] > 0).all()
    assert 0 < BASIC < 1


def test_the_market_sums_the_lines(tables: dict[str, pd.DataFrame]) -> None:
    market, lines = tables["market"], tables["transactions"]
    assert not market.duplicated(["market", "product"]).any()
    regions = tables["customers"].set_index("customer_id")["region"]
    month = lines["date"].dt.strftime("%Y-%m")
    where = regions.reindex(lines["customer_id"]).to_numpy() + " " + month
    sold = lines.groupby([where, lines["product_id"]])["quantity"].sum()
    found = market.set_index(["market", "product"])["quantity"]
    pairs = found.index
    assert found.to_numpy() == pytest.approx(sold.reindex(pairs).to_numpy(), rel=0.05, abs=0.5)
    assert market["share"].between(0, 1).all()
    assert (market["price"] <= market["list_price"] + 1e-9).all()


def test_the_same_seed_gives_the_same_tables_and_another_one_others(
    tables: dict[str, pd.DataFrame],
) -> None:
    again = simulate_company(ACCOUNTS, MONTHS, seed=7).tables()
    for name, frame in tables.items():
        pd.testing.assert_frame_equal(frame, again[name])
    other = simulate_company(60, 12, seed=8).tables()
    assert set(other["customers"]["name"]).isdisjoint(tables["customers"]["name"][:60])


def test_the_first_accounts_of_a_larger_company_are_those_of_the_smaller(
    tables: dict[str, pd.DataFrame],
) -> None:
    fewer = simulate_company(ACCOUNTS // 4, MONTHS, seed=7).tables()
    for name in ("customers", "transactions", "interactions", "contracts", "survey"):
        key = "customer_id"
        larger = tables[name][tables[name][key].isin(set(fewer["customers"][key]))]
        pd.testing.assert_frame_equal(
            larger.reset_index(drop=True), fewer[name], check_dtype=False, rtol=1e-9
        )


@pytest.mark.parametrize("months", [1, 12])
def test_a_short_window_has_all_tables_too(months: int) -> None:
    short = simulate_company(30, months, seed=2).tables()
    assert set(short) == set(TABLES)
    assert short["survey"]["wave"].max() <= 1
    assert len(short["transactions"]) > 0
