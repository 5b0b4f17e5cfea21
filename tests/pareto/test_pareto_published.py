"""Published yardsticks."""

import pytest
from keycustomer.pareto.published import YARDSTICKS, yardsticks
from keycustomer.stats import Estimate


def test_published_values():
    values = {y.base: y.top_20_share for y in YARDSTICKS}
    assert values["22 categories of packaged goods, mean"] == 0.73
    assert values["339 firms, mean"] == 0.67
    assert values["non-subscription firms, mean"] == 0.68
    assert values["subscription firms, mean"] == 0.59


@pytest.mark.parametrize(("share", "place"), [(0.99, 0), (0.70, 2), (0.10, len(YARDSTICKS))])
def test_one_s_own_share_takes_its_place(share, place):
    own = Estimate(share, share - 0.01, share + 0.01, "share of revenue", 10, "bootstrap")
    frame = yardsticks(own, "mine")
    assert frame["base"].tolist().index("mine") == place
    assert frame["lower"].notna().sum() == 1
    assert len(yardsticks()) == len(YARDSTICKS)
