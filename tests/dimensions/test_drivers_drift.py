"""Drift of importance: the test keeps its level, finds what changed, and waves are read right."""

import numpy as np
import pandas as pd
import pytest
from driver_answers import alike, population, sample
from keycustomer.dimensions import importance_drift, relative_importance

DRIVERS = list("abc")

FALSE_ALARMS = 13
"""Of 100 tests at 5 %: more has a chance of 1 in 1,000 when the test keeps its level."""


def steady(n, seed, waves=2):
    frame = sample(population(alike(3, 0.3), [0.6, 0.3, 0.1]), n, seed)
    return frame.assign(wave=np.arange(n) % waves + 1)


def moving(n, seed, ends, waves=2):
    """Answers over waves; driver coefficients go in equal steps from the first to the second."""
    first, last = map(np.array, ends)
    parts = [
        sample(population(alike(3, 0.3), first + share * (last - first)), n, 100 * seed + k)
        for k, share in enumerate(np.linspace(0, 1, waves))
    ]
    return pd.concat([part.assign(wave=k) for k, part in enumerate(parts, 1)], ignore_index=True)


def test_without_change_false_alarms_are_as_rare_as_stated():
    results = [
        importance_drift(steady(90, seed), "y", DRIVERS, "wave", draws=99, seed=seed)
        for seed in range(100)
    ]
    together = np.array([result.p_value for result in results])
    assert (together <= 0.05).sum() <= FALSE_ALARMS
    assert 0.4 < together.mean() < 0.6
    # one alarm in any driver: the level holds for all of them together
    assert sum(bool(result.changed) for result in results) <= FALSE_ALARMS


def test_persons_who_answer_twice_are_no_two_persons():
    alarms, p_values = 0, []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        lasting = sample(population(alike(3, 0.3), [0.6, 0.3, 0.1]), 50, seed)
        both = [lasting + 0.5 * rng.normal(size=lasting.shape) for _ in range(2)]
        frame = pd.concat([both[n].assign(wave=n, who=range(50)) for n in range(2)])
        found = importance_drift(frame, "y", DRIVERS, "wave", respondent="who", draws=99, seed=seed)
        alarms += found.p_value <= 0.05
        p_values.append(found.p_value)
    assert alarms <= 9  # of 60 at 5 %: more has a chance of 1 in 1,000
    # dealt as strangers, the same persons would seem too constant: p values near 1
    assert 0.35 < np.mean(p_values) < 0.65


def test_a_shift_of_all_answers_is_no_drift():
    frame = steady(300, 4)
    before = importance_drift(frame, "y", DRIVERS, "wave", draws=100)
    late = frame["wave"] == 2
    frame.loc[late, DRIVERS] = frame.loc[late, DRIVERS] * 2 + 10
    after = importance_drift(frame, "y", DRIVERS, "wave", draws=100)
    assert after.p_value == before.p_value
    np.testing.assert_allclose(after.changes["p_value"], before.changes["p_value"])
    assert after.changed == []
    assert "No driver's importance changed by more than chance" in after.sentences[0]


def test_a_reversal_is_found_and_the_right_drivers_named():
    frame = moving(400, 1, ([0.8, 0.3, 0.1], [0.1, 0.3, 0.8]))
    result = importance_drift(frame, "y", DRIVERS, "wave", draws=300)
    assert result.p_value < 0.01
    assert sorted(result.changed) == ["a", "c"]
    rows = result.changes.set_index("driver")
    assert rows.loc["a", "upper"] < 0 < rows.loc["c", "lower"]
    assert rows.loc["b", "verdict"] == "within chance"
    assert abs(rows.loc["a", "change"]) > rows.loc["a", "detectable"]
    assert result.sentences[0].startswith("Changed by more than chance between 1 and 2: ")


def test_a_slow_drift_is_found_sooner_by_its_trend():
    p_values = {"any": [], "trend": []}
    for seed in range(20):
        frame = moving(60, seed, ([0.6, 0.3, 0.3], [0.3, 0.3, 0.6]), waves=6)
        for against, found in p_values.items():
            result = importance_drift(frame, "y", DRIVERS, "wave", against=against, draws=99)
            found.append(result.p_value)
    means = {against: np.mean(found) for against, found in p_values.items()}
    assert means["trend"] < 0.8 * means["any"]
    # without drift five alarms of twenty have a chance of 1 in 400
    assert (np.array(p_values["trend"]) <= 0.05).sum() >= 5


def test_two_waves_test_the_same_by_difference_and_by_trend():
    frame = steady(120, 5)
    one, two = (
        importance_drift(frame, "y", DRIVERS, "wave", against=against, draws=99)
        for against in ("any", "trend")
    )
    np.testing.assert_allclose(one.changes["p_value"], two.changes["p_value"])


def test_importance_by_wave_is_that_of_the_wave_alone():
    frame = steady(200, 6, waves=3)
    result = importance_drift(frame, "y", DRIVERS, "wave", measure="importance", draws=50)
    for wave in (1, 2, 3):
        own = relative_importance(frame[frame["wave"] == wave], "y", DRIVERS, draws=5)
        rows = result.frame[result.frame["wave"] == str(wave)]
        np.testing.assert_allclose(rows["importance"], own.in_order_given("importance"))
        assert rows["respondents"].unique().tolist() == [own.respondents]
        assert rows["r2"].iloc[0] == pytest.approx(own.r2.estimate)
    change = result.changes.set_index("driver").loc["a"]
    assert change["change"] == pytest.approx(change["last"] - change["first"])
    assert any("not for a steady trend" in note for note in result.notes)


def dated(frame):
    days = pd.date_range("2023-01-15", periods=len(frame), freq="D")
    return frame.assign(when=[str(day.date()) for day in days])


def test_dates_as_text_are_cut_by_the_calendar_or_evenly():
    frame = dated(steady(200, 7))
    quarters = importance_drift(frame, "y", DRIVERS, "when", windows="quarter", draws=10)
    assert quarters.waves == ("2023Q1", "2023Q2", "2023Q3")
    assert quarters.frame["respondents"].tolist()[::3] == [76, 91, 33]
    halves = importance_drift(frame, "y", DRIVERS, "when", windows=2, draws=10)
    assert halves.waves == ("2023-01-15 to 2023-04-24", "2023-04-25 to 2023-08-02")
    assert halves.frame["respondents"].tolist()[::3] == [100, 100]


def test_a_day_is_never_cut_in_two():
    frame = steady(120, 8).assign(day=np.repeat([1, 2, 3], [20, 70, 30]))
    result = importance_drift(frame, "y", DRIVERS, "day", windows=2, draws=10)
    assert result.frame["respondents"].tolist()[::3] == [90, 30]
    assert result.waves == ("1 to 2", "3")


def test_waves_of_text_numbers_come_in_their_order():
    frame = steady(120, 9, waves=3)
    frame["wave"] = frame["wave"].map({1: "2", 2: "10", 3: "1"})
    assert importance_drift(frame, "y", DRIVERS, "wave", draws=10).waves == ("1", "2", "10")
    frame["wave"] = frame["wave"].map({"2": "before", "10": "after", "1": "long after"})
    waves = importance_drift(frame, "y", DRIVERS, "wave", draws=10).waves
    assert waves == ("after", "before", "long after")


def test_answers_of_no_known_wave_are_counted_and_persons_kept_together():
    frame = steady(100, 10).assign(who=lambda f: f.index // 2)
    frame["wave"] = frame["wave"].astype(float).where(frame.index > 5)
    result = importance_drift(frame, "y", DRIVERS, "wave", respondent="who", draws=20)
    assert "6 answers left out, since the wave is not known" in result.notes
    assert any("94 answers of 47 persons" in note for note in result.notes)
    assert result.waves == ("1", "2")


def test_the_same_seed_gives_the_same_result_and_progress_covers_both_parts(monkeypatch):
    import sys

    monkeypatch.setattr(sys.modules["keycustomer.stats.bootstrap"], "QUIET_SECONDS", 0.0)
    frame, seen = steady(80, 11), []
    one = importance_drift(
        frame, "y", DRIVERS, "wave", draws=40, seed=3, progress=lambda *a: seen.append(a)
    )
    two = importance_drift(frame, "y", DRIVERS, "wave", draws=40, seed=3)
    pd.testing.assert_frame_equal(one.changes, two.changes)
    assert {total for _, total in seen} == {80}
    assert "by wave" in one._repr_html_()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"wave": "week"}, "wave='week' is no column of the answers; columns are 'a', 'b'"),
        ({"respondent": "who"}, "respondent='who' is no column"),
        ({"windows": 1}, "windows=1: a number of at least 2, or one of 'month'"),
        ({"windows": "week"}, "windows='week': a number"),
        ({"windows": True}, "windows=True: a number"),
        ({"wave": "word", "windows": 2}, "60 values cannot be read as a date, first 'early'"),
        ({"wave": "wave", "windows": "year"}, "60 values cannot be read as a date, first 1, 2, 1"),
        ({"wave": "one"}, r"holds one wave \(5\); drift needs at least two"),
        ({"wave": "many"}, "holds 60 waves, at most 24 can be compared; cut it by windows=4"),
        ({"wave": "none"}, "no row says its wave"),
        ({"wave": "thin"}, r"wave 2: 3 respondents for 3 drivers: at least 6 .* longer windows"),
        ({"measure": "rank"}, "measure='rank': one of 'share', 'importance'"),
        ({"against": "rise"}, "against='rise': one of 'any', 'trend'"),
    ],
)
def test_bad_waves_are_named_with_their_cure(arguments, message):
    frame = steady(60, 12).assign(word="early", one=5, many=range(60), none=np.nan)
    frame["thin"] = np.where(frame.index < 3, 2, 1)
    with pytest.raises(ValueError, match=message):
        importance_drift(frame, "y", DRIVERS, **({"wave": "wave", "draws": 5} | arguments))


def test_a_driver_constant_within_a_wave_is_named_with_the_wave():
    frame = steady(60, 13)
    frame.loc[frame["wave"] == 2, "b"] = 4.0
    with pytest.raises(ValueError, match=r"wave 2: the same answer from everybody: 'b' \(always 4"):
        importance_drift(frame, "y", DRIVERS, "wave")


def test_a_person_column_that_tells_nobody_apart_is_refused():
    """All answers of one person: every resample is the sample, and no change too small to find."""
    with pytest.raises(ValueError, match=r"respondent='who' names 1 person behind \d+ answers"):
        importance_drift(steady(100, 1).assign(who="all"), "y", DRIVERS, "wave", respondent="who")
