"""The margin multiple: printed numbers, sums written out, what makes no sense."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keycustomer.lifetime.contracts.contractual import fit_sbg
from keycustomer.lifetime.contracts.tenures import tenures_from_survivors
from keycustomer.lifetime.margin import margin_multiple

ROUNDING = 1e-9
PRINTED = 0.0051  # numbers printed with two decimals


def test_published_multiples():
    # Gupta & Lehmann (2005), table of margin multiples: retention 60 to 90 %, rates 10 to 16 %
    published = [
        [1.20, 1.15, 1.11, 1.07],
        [1.75, 1.67, 1.59, 1.52],
        [2.67, 2.50, 2.35, 2.22],
        [4.50, 4.09, 3.75, 3.46],
    ]
    ours = [margin_multiple([0.6, 0.7, 0.8, 0.9], rate) for rate in (0.10, 0.12, 0.14, 0.16)]
    np.testing.assert_allclose(np.transpose(ours), published, atol=PRINTED)


@given(st.floats(0, 1), st.floats(0, 1), st.floats(-0.5, 0.5), st.integers(0, 40), st.booleans())
def test_the_formula_is_the_sum(retention, rate, growth, horizon, first):
    t = np.arange(1, horizon + 1)
    written_out = ((1 + growth) ** (t - 1) * retention**t / (1 + rate) ** t).sum()
    if first:
        written_out = 1 + (1 + growth) * written_out
    ours = margin_multiple(retention, rate, growth=growth, horizon=horizon, first_margin=first)
    assert ours == pytest.approx(written_out, rel=ROUNDING, abs=ROUNDING)


def test_for_ever_is_the_end_of_long_horizons():
    long = margin_multiple(0.9, 0.1, growth=0.05, horizon=2000)
    assert margin_multiple(0.9, 0.1, growth=0.05) == pytest.approx(long, rel=ROUNDING)
    assert margin_multiple(0.9, 0.1, first_margin=True) == pytest.approx(1.1 / (1.1 - 0.9))
    assert margin_multiple(1.0, 0.0, horizon=7) == 7


def test_months_are_discounted_as_months():
    monthly = margin_multiple(0.95, 0.1, unit="month")
    assert monthly == pytest.approx(0.95 / (1.1 ** (1 / 12) - 0.95), rel=1e-12)


def test_equal_customers_are_the_case_in_which_it_is_exact():
    model = fit_sbg(tenures_from_survivors([8, 4, 2, 1]))
    ours = margin_multiple(model.churn.mean, 0.1)
    assert model.discounted_renewals(3, 0.1, until_renewal=1) == pytest.approx(ours, rel=1e-6)


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((80,), {}, "retention: 80 is no share between 0 and 1; 80 % is 0.8"),
        ((np.nan,), {}, "retention: nan"),
        ((0.9, 10), {}, "10 % is discount_rate=0.1"),
        ((0.9,), {"growth": -1}, "growth=-1 must be a share above -1"),
        ((0.9,), {"growth": 0.3}, "retention 0.9 with growth 0.3 outruns the discount rate 0.1"),
        ((1.0, 0.0), {}, "sum for ever is infinite; give a horizon"),
        ((0.9,), {"horizon": 2.5}, "horizon=2.5"),
        ((0.9,), {"unit": "decade"}, "unit='decade'"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments, options, message):
    with pytest.raises(ValueError, match=message):
        margin_multiple(*arguments, **options)
