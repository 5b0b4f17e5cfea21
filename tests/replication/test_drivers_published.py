"""Importance of drivers against R's relaimpo, to the digits stated, and against mobi's lesson."""

import known_surveys
import pytest
from keycustomer.dimensions import dominance_levels, relative_importance

SWISS = ["Agriculture", "Examination", "Education", "Catholic", "Infant.Mortality"]
MOBI = {
    "Image": [f"IMAG{n}" for n in range(1, 6)],
    "Expectation": [f"CUEX{n}" for n in range(1, 4)],
    "Quality": [f"PERQ{n}" for n in range(1, 8)],
    "Value": ["PERV1", "PERV2"],
}
SATISFACTION = {"Satisfaction": ["CUSA1", "CUSA2", "CUSA3"]}

EIGHT_DIGITS = 5e-9  # half a unit of the last digit printed
SIX_DIGITS = 5e-7
FOUR_DIGITS = 5e-5


def importance_of(result):
    return result.frame.set_index("driver")["importance"].to_dict()


def test_swiss_fertility_by_lmg():
    result = relative_importance(known_surveys.r_data("datasets", "swiss"), "Fertility", SWISS)
    relaimpo = dict(
        zip(SWISS, (0.05709122, 0.17117303, 0.26013468, 0.10557015, 0.11276592), strict=True)
    )
    assert importance_of(result) == pytest.approx(relaimpo, abs=EIGHT_DIGITS)
    assert result.r2.estimate == pytest.approx(0.706735002, abs=EIGHT_DIGITS)
    assert result.method == "LMG"


def test_swiss_fertility_by_johnson():
    result = relative_importance(
        known_surveys.r_data("datasets", "swiss"), "Fertility", SWISS, method="johnson", draws=20
    )
    johnson = dict(zip(SWISS, (0.048417, 0.154708, 0.271964, 0.114680, 0.116966), strict=True))
    assert importance_of(result) == pytest.approx(johnson, abs=SIX_DIGITS)


def test_mobi_quality_is_first_and_who_is_second_is_not_established():
    result = relative_importance(known_surveys.mobi(), SATISFACTION, MOBI, seed=1)
    stated = {"Quality": 0.2954, "Image": 0.1648, "Value": 0.1323, "Expectation": 0.0769}
    assert importance_of(result) == pytest.approx(stated, abs=FOUR_DIGITS)
    places = result.places().set_index("place")
    assert places.loc[1, "driver"] == "Quality"
    assert places["established"].tolist() == [True, False, False, False]
    assert {places.loc[2, "driver"], places.loc[2, "rival"]} == {"Image", "Value"}
    assert any("Who is second is not established" in line for line in result.sentences)


def test_mobi_image_is_ahead_of_value_only_on_the_average():
    pairs = dominance_levels(known_surveys.mobi(), SATISFACTION, MOBI, draws=100).pairs
    kinds = {(row.driver, row.other): row.kind for row in pairs.itertuples()}
    assert kinds["Image", "Value"] == "general"
    assert {kinds["Quality", other] for other in ("Image", "Value", "Expectation")} == {"complete"}
