"""Figures of service, complaints and contacts: what they say and that they stay legible."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from keycustomer import plots
from keycustomer.relationships.service.complaints import CONTRASTS, ComplaintEffects
from keycustomer.relationships.service.contacts import ContactResponse, Form
from keycustomer.relationships.service.indicators import (
    INDICATORS,
    ServiceIndicators,
    TierDifferences,
)
from keycustomer.relationships.service.phases import PHASES, WAYS, PhaseEffects
from keycustomer.relationships.service.regression import fit_regression
from keycustomer.relationships.service.true_service import ServiceTrial
from keycustomer.relationships.service.worth import ContactWorth
from keycustomer.stats import Estimate
from legible import check_figure, check_given_axes, fresh_figures, title  # noqa: F401

NAMES = (
    "service_dots",
    "tier_difference_dots",
    "complaint_dots",
    "complaint_days",
    "service_trial_dots",
    "contact_curve",
    "contact_forms",
    "contact_worth_map",
    "phase_dots",
)
LONG = "Very important strategic key accounts of the $group$"


def estimate(value, half=0.1, unit="", n=100):
    return Estimate(value, value - half, value + half, unit, n, "influence of customers")


def indicators(tiers=("A", "B", "C")):
    values = {
        (name, tier): estimate(0.5 + 0.1 * k, 0.05, one.meaning, 1000 * k + 1)
        for name, one in INDICATORS.items()
        for k, tier in enumerate((*tiers, "all"))
    }
    nothing = pd.DataFrame()
    counts = dict.fromkeys(tiers, 100)
    return ServiceIndicators(values, tiers, counts, nothing, {}, 0, 0, "EUR", True, 14.0)


def differences(first="A", last="C", centre=1.0):
    rows = []
    for name, one in INDICATORS.items():
        middle = 0.1 * (centre - 1) if one.share else centre
        margin = (-0.1, 0.1) if one.share else (0.8, 1.25)
        inside = margin[0] < middle - 0.05 and middle + 0.05 < margin[1]
        rows.append(
            {"indicator": name, "scale": "difference" if one.share else "ratio"}
            | {"estimate": middle, "lower": middle - 0.05, "upper": middle + 0.05}
            | {"margin_lower": margin[0], "margin_upper": margin[1]}
            | {"verdict": "supported" if inside else "not supported"}
        )
    return TierDifferences(pd.DataFrame(rows), first, last, "undecided", False)


def complaints(change=-0.6, half=0.2):
    effects = {
        (name, how): estimate(change if name != "none at first contact" else 1.0, half)
        for name in CONTRASTS
        for how in ("naive", "adjusted")
    }
    days = ["first contact", "1 to 7 days", "8 to 14 days", "15 to 30 days", "over 30 days or open"]
    rate = np.linspace(0.04, 0.11, 5)
    by_days = pd.DataFrame({"days": days, "complaints": [4000, 800, 700, 600, 0]})
    by_days = by_days.assign(
        left=(rate * by_days["complaints"]).astype(int), rate=rate, lower=rate - 0.01,
        upper=rate + 0.01,
    )  # fmt: skip
    counts = {"first": 4000, "in_time": 1500, "late": 600}
    return ComplaintEffects(
        effects, {}, by_days, counts, 12.5, 50_000, 620, 2000, 14.0, 2.0, 3, {}, "said", True,
        SimpleNamespace(),
    )  # fmt: skip


def response(outcome="left", slope=-0.5):
    rng = np.random.default_rng(0)
    stock = rng.exponential(2.0, 3000)
    customer = np.repeat(np.arange(600), 5)
    score = slope * np.log1p(stock)
    if outcome in ("left", "take_up"):
        y = (rng.random(3000) < 1 / (1 + np.exp(2 - score))).astype(float)
        family, unit, per = "logistic", "leaving, per 1,000 customer-months", 1000.0
    else:
        y, family, unit, per = score + rng.normal(size=3000), "linear", "sd", 1.0
    design = np.log1p(stock)[:, None]
    model = fit_regression(y, design, ["contacts"], customer, family)
    forms = pd.DataFrame({"form": ["none", "straight", "logarithm", "saturation"]})
    forms = forms.assign(gain=[0, 0.1, 0.3, 0.2], lower=-0.1, upper=0.5)
    return ContactResponse(
        outcome, unit, model.coefficient("contacts"), model.coefficient("contacts"), forms,
        estimate(0.1), "logarithm", Form("logarithm"), 3000, 600, "said", True, per,
        SimpleNamespace(), stock, model, design, np.arange(3000),
    )  # fmt: skip


def worth(n=400, sign=1.0):
    rng = np.random.default_rng(0)
    margin = rng.lognormal(7, 1.2, n)
    value = sign * margin / 20
    frame = pd.DataFrame({"margin": margin, "worth": value, "pays": value > 90})
    share = Estimate(0.1, 0.0, 0.2, "share of customers", n, "ends")
    return ContactWorth(frame, "visit", 90.0, share, 0, "EUR", 36, 0.1, True)


def phases(equal=0.6, plain=-0.2):
    slopes = {(p, way): estimate(plain if way == WAYS[0] else 0.1) for p in PHASES for way in WAYS}
    counts = dict.fromkeys(slopes, 1000)
    return PhaseEffects(
        "satisfaction", "sd", slopes, counts, equal, "undecided", 0, 1000, 500, "said", True
    )


def trial(companies=20):
    rng = np.random.default_rng(0)
    names = [*CONTRASTS, "contacts x 0", "contacts x 2"]
    rows = [
        {"company": k, "contrast": name, "adjustment": how, "truth": -0.5}
        | {"estimate": value, "lower": value - 1, "upper": value + 1, "held": True}
        for k in range(companies)
        for name in names
        for how, off in (("naive", -1.0), ("adjusted", 0.0))
        for value in [-0.5 + off + rng.normal(0, 0.4)]
    ]
    return ServiceTrial(pd.DataFrame(rows), 500, 36)


RESULTS = {
    "service_dots": indicators,
    "tier_difference_dots": differences,
    "complaint_dots": complaints,
    "complaint_days": complaints,
    "service_trial_dots": trial,
    "contact_curve": response,
    "contact_forms": response,
    "contact_worth_map": worth,
    "phase_dots": phases,
}


def figure_of(name, ax=None):
    return getattr(plots, name)(RESULTS[name](), ax=ax)


@pytest.mark.parametrize("name", NAMES)
def test_every_figure_says_what_it_found_and_stays_within_its_edges(name):
    check_figure(figure_of(name))


@pytest.mark.parametrize("name", NAMES)
def test_figures_draw_into_the_axes_they_are_given_and_show_nothing(name, monkeypatch):
    check_given_axes(lambda ax: figure_of(name, ax), monkeypatch)


def test_long_names_of_tiers_stay_within_the_figure():
    check_figure(plots.service_dots(indicators((LONG, f"{LONG} 2", "客户")), "days_to_resolve"))
    check_figure(plots.tier_difference_dots(differences(LONG, f"{LONG} 2")))


def test_everybody_in_one_tier_is_drawn_alone():
    assert "in tier" not in title(plots.service_dots(indicators(())))


def test_titles_of_tiers_follow_the_result():
    alike = plots.tier_difference_dots(differences())
    assert title(alike).startswith("7 of 7 indicators hardly differ between tiers A and C")
    apart = plots.tier_difference_dots(differences(centre=1.6))
    assert "contacts a year and 6 others differ" in title(apart)
    unknown = differences()
    lost = replace(unknown, frame=unknown.frame.assign(lower=np.nan))
    with pytest.raises(ValueError, match="none of the indicators"):
        plots.tier_difference_dots(lost)


def test_titles_of_complaints_follow_the_result():
    assert "0.6 fewer would leave" in title(plots.complaint_dots(complaints()))
    assert title(plots.complaint_dots(complaints(half=2.0))).endswith("not shown")
    truth = plots.complaint_dots(complaints(0.5), truth={"no complaints": -0.9})
    assert "is not shown" in title(truth)
    assert "truth" in [text.get_text() for text in truth.get_legend().get_texts()]
    empty = complaints()
    with pytest.raises(ValueError, match="no complaint could be followed"):
        plots.complaint_days(replace(empty, by_days=empty.by_days.assign(complaints=0)))


def test_titles_of_contacts_follow_the_result():
    assert "All contacts of today move leaving by" in title(plots.contact_curve(response()))
    assert "is shown: the interval holds" in title(plots.contact_curve(response(slope=0.0)))
    check_figure(plots.contact_curve(response("social", 0.4)))
    truth = pd.DataFrame({"factor": [0.0, 2.0], "leaving": [1.0, -1.0]})
    check_figure(plots.contact_curve(response(), truth=truth))
    assert "beyond chance" in title(plots.contact_forms(response()))
    clear = response()
    better = replace(clear, forms=clear.forms.assign(lower=[0, 0.05, 0.1, 0.1]))
    assert "best form: logarithm" in title(plots.contact_forms(better))
    assert "pays for 10 %" in title(plots.contact_worth_map(worth()))
    check_figure(plots.contact_worth_map(worth(3, sign=-1.0)))


def test_titles_of_phases_follow_the_result():
    assert "before the sale go with less satisfaction" in title(plots.phase_dots(phases()))
    assert title(plots.phase_dots(phases(0.01, 0.2))).endswith("the phases differ in satisfaction")
