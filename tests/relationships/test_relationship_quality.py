"""Relationship quality: its reliability, its proxies, no look ahead, and what it tells."""

import numpy as np
import pandas as pd
import pytest
from contract_bases import contract_base, contracts
from keycustomer.dimensions.measurement.value_reliability import index_reliability
from keycustomer.relationships import quality_prediction, relationship_quality
from keycustomer.relationships.rules.quality import sum_reliability

ASKED = {
    "satisfaction": ["sat_1", "sat_2"],
    "trust": ["trust_1", "trust_2"],
    "commitment": ["com_1", "com_2"],
}
ITEMS = [item for items in ASKED.values() for item in items]
DRAWS = 200
N = 400


def made(folder, *, drop=(), shift=0.0, seed=11):
    """Customers with a latent relationship that answers, complaints and leaving follow."""
    rng = np.random.default_rng(seed)
    ids = [f"c{n:04d}" for n in range(N)]
    latent = rng.normal(size=N)
    answers = {item: 4 + 1.2 * latent + rng.normal(size=N) for item in ITEMS}
    survey = pd.DataFrame({name: np.clip(one.round(), 1, 7) for name, one in answers.items()})
    survey = survey.astype(int).astype(str).assign(customer_id=ids, date="2023-12-10")
    leaves = rng.random(N) < 1 / (1 + np.exp(1.5 + 1.5 * latent))
    months = pd.date_range("2023-01-01", "2024-12-01", freq="MS")
    lines = pd.DataFrame(
        [(c, d) for c, gone in zip(ids, leaves, strict=True) for d in months[: 16 if gone else 24]],
        columns=["customer_id", "date"],
    )
    lines = lines.assign(
        line=range(len(lines)), order_id=None, product_id="v", quantity=1.0, revenue=10.0 + shift,
        discount=0.0, cost=6.0, channel="manager",
    )  # fmt: skip
    tables = {
        "transactions": lines,
        "survey": survey.drop(columns=[item for kind in drop for item in ASKED[kind]]),
        "interactions": complaints(ids, latent, rng),
        "contracts": contracts(
            *((c, "2022-01-01", "2024-04-30" if gone else None, "basic", "monthly")
              for c, gone in zip(ids, leaves, strict=True))
        ),
    }  # fmt: skip
    constructs = {kind: items for kind, items in ASKED.items() if kind not in drop}
    facts = {"start": "2023-01-01", "end": "2024-12-31", "constructs": constructs}
    path = folder / f"base{len(list(folder.iterdir()))}.duckdb"
    return contract_base(path, tables, **facts), latent, leaves


def complaints(ids, latent, rng):
    """Complaints of 2023, more of those with a worse relationship, half resolved at once."""
    counts = rng.poisson(np.exp(-0.5 * latent))
    whose = np.repeat(ids, counts)
    date = pd.Timestamp("2023-01-01") + pd.to_timedelta(rng.integers(0, 330, len(whose)), unit="D")
    first = rng.random(len(whose)) < 0.5
    later = pd.Series(date + pd.Timedelta(days=9))
    return pd.DataFrame(
        {
            "customer_id": whose,
            "date": date.astype("datetime64[s]"),
            "kind": "complaint",
            "phase": "after",
            "resolved_on": later.mask(first, pd.Series(date)).astype("datetime64[s]"),
            "first_contact_resolution": first,
            "cost": 45.0,
        }
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("quality")


@pytest.fixture(scope="module")
def known(folder):
    return made(folder)


@pytest.fixture(scope="module")
def measured(known):
    return relationship_quality(known[0], as_of="2023-12-31", low=1, high=7, draws=DRAWS)


def test_the_index_is_the_mean_of_its_parts_on_a_scale_of_a_hundred(measured):
    frame = measured.frame
    parts = frame[["satisfaction", "trust", "commitment", "service"]]
    np.testing.assert_allclose(frame["index"], 100 * parts.mean(axis=1))
    assert frame["index"].between(0, 100).all()
    assert measured.parts["kind"].tolist() == ["answers"] * 3 + ["records"]
    assert measured.without == () and measured.notes == ()


def test_the_index_follows_the_relationship_behind_it(known, measured):
    """The latent score is known: their correlation is the root of the reliability, or less."""
    latent = pd.Series(known[1], index=[f"c{n:04d}" for n in range(N)])
    correlation = measured.index.corr(latent[measured.index.index])
    assert 0.8 < correlation < np.sqrt(measured.reliability.upper) + 0.02


def test_service_is_scored_by_hand(folder):
    """Half a point for one resolved at once, in an odd month; two while not resolved."""
    date = pd.to_datetime(["2023-01-05", "2023-02-05"]).astype("datetime64[s]")
    rows = pd.DataFrame(
        {
            "customer_id": ["a", "a"],
            "date": date,
            "kind": "complaint",
            "phase": "after",
            "resolved_on": pd.to_datetime(["2023-01-05", "2024-02-01"]).astype("datetime64[s]"),
            "first_contact_resolution": [True, False],
            "cost": 1.0,
        }
    )
    from keycustomer.relationships.rules.service_record import service_halves

    base = contract_base(folder / "hand.duckdb", {"interactions": rows})
    ids = pd.Index(["a", "b"])
    days = pd.Timestamp("2023-01-01").date(), pd.Timestamp("2023-12-31").date()
    found = service_halves(base, ids, *days)
    assert found.loc["a"].tolist() == pytest.approx([1 / (1 + 0.5 / 0.5), 1 / (1 + 2 / 0.5)])
    assert found.loc["b"].tolist() == [1.0, 1.0]
    assert service_halves(base, ids, *days, ["grievance"]) is None


def test_reliability_is_that_of_another_implementation():
    """Stratified alpha of benefits of equal weight, as the value index computes it."""
    rng = np.random.default_rng(1)
    values = rng.normal(size=(300, 1)) + rng.normal(size=(300, 7))
    blocks = [np.arange(3), np.arange(3, 5)]
    spare = [np.array([5, 6])]
    other = index_reliability(values + 9, blocks, spare, draws=2, seed=1)["benefits"].estimate
    own = sum_reliability(np.cov(values[:, :5], rowvar=False)[None], blocks)[0]
    assert own[-1] == pytest.approx(other, abs=1e-12)


def test_reliability_of_parallel_items_in_closed_form():
    """k parallel items of reliability r: k r / (1 + (k - 1) r) (Spearman and Brown)."""
    r = 0.4
    covariances = np.full((4, 4), r) + (1 - r) * np.eye(4)
    two = [np.array([0, 1]), np.array([2, 3])]
    found = sum_reliability(covariances[None], two)[0]
    np.testing.assert_allclose(found[:2], 2 * r / (1 + r))
    assert found[2] == pytest.approx(4 * r / (1 + 3 * r))
    alone = sum_reliability(covariances[None, :3, :3], [np.array([0, 1]), np.array([2])])[0]
    assert np.isnan(alone[1]) and np.isnan(alone[2])


def test_nothing_after_the_day_is_looked_at(known, folder, measured):
    """The same base cut off at the day of the measurement gives the same index."""
    base = known[0]
    until = {"transactions": "date", "interactions": "date"}
    tables = {
        name: base.query(f"from {name} where {day} <= '2023-12-31'") for name, day in until.items()
    }
    late = tables["interactions"]["resolved_on"] > pd.Timestamp("2023-12-31")
    tables["interactions"]["resolved_on"] = tables["interactions"]["resolved_on"].mask(late)
    tables["survey"] = base.query("from survey")
    facts = {"start": "2023-01-01", "end": "2023-12-31", "constructs": ASKED}
    cut = contract_base(folder / "cut.duckdb", tables, **facts)
    again = relationship_quality(cut, low=1, high=7, draws=DRAWS)
    pd.testing.assert_frame_equal(again.frame, measured.frame)


def test_what_was_not_asked_is_proxied_and_said(folder):
    base, _, _ = made(folder, drop=("commitment",))
    found = relationship_quality(base, as_of="2023-12-31", draws=DRAWS)
    row = found.parts.set_index("part").loc["commitment"]
    assert row["kind"] == "proxy" and row["source"] == "purchases: active, breadth"
    assert "stand in for it (a proxy)" in found.notes[0]
    named = relationship_quality(
        base, as_of="2023-12-31", stand_ins={"commitment": "trust"}, draws=DRAWS
    )
    assert "the answers on trust stand in" in named.notes[0]
    none, _, _ = made(folder, drop=("trust",))
    without = relationship_quality(none, as_of="2023-12-31", draws=DRAWS)
    assert without.without == ("trust",)
    assert any("nothing tells of trust" in note for note in without.notes)


def test_purchases_alone_are_not_called_a_relationship(cdnow_base):
    found = relationship_quality(cdnow_base, draws=DRAWS)
    assert found.without == ("satisfaction", "trust", "service")
    assert "commitment alone is no measure of the relationship: read it as such" in found.notes
    assert np.isnan(found.reliability.estimate)
    assert "one item shows no error" in found.reliability.method


@pytest.fixture(scope="module")
def told(known):
    return quality_prediction(known[0], as_of="2023-12-31", low=1, high=7, draws=DRAWS)


def test_the_area_under_the_curve_is_that_of_scikit_learn(known, told):
    from sklearn.metrics import roc_auc_score

    scores = told.quality.frame["index"]
    assert told.of().estimate == pytest.approx(roc_auc_score(known[2], -scores), abs=1e-12)
    assert told.of("size").estimate == pytest.approx(0.5)  # all are of one size
    assert told.customers == N


def test_who_leaves_is_told_where_the_relationship_decides_it(known, told):
    assert told.verdict == "supported" and told.of().lower > 0.6
    assert told.of().estimate >= told.of("service").estimate
    thirds = told.thirds.query("outcome == 'left'")
    assert thirds["cases"].sum() == known[2].sum()
    assert thirds["share"].is_monotonic_decreasing


def test_a_customer_gone_before_the_day_is_left_out_and_counted(known):
    """At the end of April 2024 those who leave are gone; nobody leaves after."""
    with pytest.raises(ValueError, match=r"left: 0 of \d+ customers; .*take a longer horizon"):
        quality_prediction(known[0], as_of="2024-05-31", horizon=6, low=1, high=7, draws=DRAWS)


def test_without_contracts_silence_counts(complete_journey_base):
    found = quality_prediction(complete_journey_base, months=6, horizon=6, draws=DRAWS)
    assert found.outcomes == ("bought nothing", "bought less")
    assert "may yet come back" in " ".join(found.notes)
    assert found.of().lower > 0.8


def test_what_makes_no_sense_is_refused(known):
    base = known[0]
    with pytest.raises(ValueError, match=r"construct 'trsut' was not asked.*did you mean 'trust'"):
        relationship_quality(base, stand_ins={"trust": "trsut"})
    with pytest.raises(ValueError, match="no part 'love' is asked"):
        relationship_quality(base, stand_ins={"love": "trust"})
    with pytest.raises(ValueError, match="months=1"):
        relationship_quality(base, months=1)
    with pytest.raises(ValueError, match="the days after end on 2025-06-30"):
        quality_prediction(base, as_of="2024-06-30", horizon=12)
    with pytest.raises(KeyError, match="no score 'love'"):
        quality_prediction(base, as_of="2023-12-31", draws=10).of("love")
