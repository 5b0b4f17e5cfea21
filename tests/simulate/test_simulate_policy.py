"""Policies: business as usual, every lever of the six tools, the same chance for all."""

import numpy as np
import pytest
from keycustomer.simulate import (
    ATTRIBUTES,
    CHANNELS,
    LEVELS,
    TOOLS,
    BackOffice,
    ChannelRule,
    Dossier,
    LevelRule,
    Parameters,
    Policy,
    PricingRule,
    ServiceProcess,
    policy_of_tools,
    simulate_company,
)

ACCOUNTS, MONTHS = 600, 24


def company(policy=None, **options):
    return simulate_company(ACCOUNTS, MONTHS, 3, policy=policy, **options)


@pytest.fixture(scope="module")
def usual():
    return company()


def unchanged(one, other, names, months=slice(None)):
    """Names of the panel's arrays that differ where an account is there in both."""
    both = one.panel.active[months] & other.panel.active[months]
    return [
        name
        for name in names
        if not np.array_equal(
            getattr(one.panel, name)[months][both],
            getattr(other.panel, name)[months][both],
            equal_nan=True,
        )
    ]


EVERYTHING = (
    "usage demand discount level channel visits calls complaints repeats first_contact "
    "resolution_days offer contract_left value satisfaction loyalty hazard"
).split()


def test_business_as_usual_is_the_policy_without_changes(usual):
    as_it_is = Policy(levels=usual.accounts.level.tolist(), visits=np.ones(ACCOUNTS), discount=0)
    again = company(as_it_is)
    assert not unchanged(usual, again, EVERYTHING)
    assert np.array_equal(usual.panel.revenue, again.panel.revenue)
    assert Policy().tools == ()


@pytest.mark.parametrize(
    ("policy", "same"),
    [
        # whoever is given what, demand, offers and contracts meet the same chance
        (Policy(levels="partnership"), "demand offer contract_left channel"),
        (Policy(visits=3.0, calls=0.0), "demand offer contract_left level channel complaints"),
        (
            Policy(dossier=Dossier()),
            "demand offer contract_left level channel visits calls complaints repeats",
        ),
        (
            Policy(service=ServiceProcess(answer=0)),
            "demand offer contract_left level visits calls channel",
        ),
        (Policy(channel="manager"), "demand offer contract_left level visits calls complaints"),
        (
            Policy(discount=0.05),
            "demand offer contract_left level channel visits calls complaints first_contact "
            "resolution_days",
        ),
        (
            Policy(quality={"brand": 1}),
            "demand offer contract_left level channel visits calls complaints resolution_days",
        ),
    ],
    ids=lambda value: value.name if isinstance(value, Policy) else "",
)
def test_a_policy_does_not_shift_other_chances(usual, policy, same):
    assert not unchanged(usual, company(policy), same.split())


@pytest.mark.parametrize("tools", [*[(tool,) for tool in TOOLS], TOOLS], ids=str)
def test_before_it_starts_a_policy_changes_nothing(usual, tools):
    later = company(policy_of_tools(tools, start=9))
    assert not unchanged(usual, later, EVERYTHING, slice(9))
    assert np.array_equal(usual.panel.active[:9], later.panel.active[:9])
    assert unchanged(usual, later, EVERYTHING, slice(9, None))


def test_accounts_are_the_same_under_every_policy(usual):
    other = company(policy_of_tools(TOOLS))
    assert np.array_equal(usual.accounts.weights, other.accounts.weights)
    assert np.array_equal(usual.accounts.wants, other.accounts.wants)


# --- each lever does what it says ---------------------------------------------------------------


def test_levels_by_decree(usual):
    for levels in ("proactive", 3, np.full(ACCOUNTS, 3)):
        forced = company(Policy(levels=levels, start=5))
        assert (forced.panel.level[5:][forced.panel.active[5:]] == 3).all()
        before = usual.panel.active[:5]
        assert np.array_equal(forced.panel.level[:5][before], usual.panel.level[:5][before])


def test_levels_by_value_follow_the_margin_as_well_as_the_archive_is_kept():
    def follows(archive):
        policy = Policy(levels=LevelRule(), back_office=BackOffice(archive=archive))
        made = company(policy).panel
        here = made.active[0]
        return np.corrcoef(made.level[0][here], np.log(made.margin[0][here].clip(1)))[0, 1]

    assert follows(1.0) > follows(0.5) > follows(0.0)
    assert follows(1.0) > 0.85


def test_levels_by_value_change_only_at_a_review():
    made = company(Policy(levels=LevelRule(review=6))).panel
    both = made.active[1:] & made.active[:-1]
    changes = ((made.level[1:] != made.level[:-1]) & both).sum(axis=1)
    assert np.flatnonzero(changes).tolist() == [5, 11, 17]


def test_a_level_that_is_not_delivered_is_the_basic_one():
    idle = Policy(levels="partnership", back_office=BackOffice(delivery=0), visits=0, calls=0)
    basic = Policy(levels="basic", back_office=BackOffice(delivery=1), visits=0, calls=0)
    alike = Parameters().but({"service.first_contact_level": 0})
    one, other = company(idle, parameters=alike), company(basic, parameters=alike)
    assert not unchanged(one, other, ["value", "loyalty", "hazard"])


def test_dossier_makes_contacts_worth_more_and_products_come_sooner(usual):
    made = company(Policy(dossier=Dossier()))
    assert (made.panel.adopted < MONTHS).sum() > (usual.panel.adopted < MONTHS).sum()
    both = usual.panel.active & made.panel.active
    assert (made.panel.value[both][:, 2] >= usual.panel.value[both][:, 2]).all()


def test_service_resolves_more_at_first_contact_and_the_rest_faster(usual):
    made = company(Policy(service=ServiceProcess()))

    def first(panel):
        return panel.first_contact.sum() / panel.complaints.sum()

    assert first(made.panel) > first(usual.panel) + 0.1
    assert np.nanmedian(made.panel.resolution_days) < 0.7 * np.nanmedian(
        usual.panel.resolution_days
    )
    assert made.panel.repeats.sum() < usual.panel.repeats.sum()
    both = usual.panel.active[0] & made.panel.active[0]
    gained = (made.panel.value[0] - usual.panel.value[0])[both]
    assert (gained[:, :2] >= ServiceProcess().answer - 1e-5).all()


def test_discounts_go_where_the_rule_says():
    rule = PricingRule(depth=0.15, floor=0)
    made = company(Policy(pricing=rule)).panel
    given = made.discount[made.active]
    assert given.max() == pytest.approx(rule.depth)
    # a cost above the price leaves less room than the rule's depth to very few
    assert ((given > 0) & (given < 0.149)).mean() < 0.05
    assert 0.2 < (given > 0.1).mean() < 0.9
    none = company(Policy(pricing=PricingRule("none", floor=0))).panel
    assert (none.discount[none.active] == 0).all()


def test_a_kept_archive_finds_those_at_risk():
    def gap(archive):
        policy = Policy(pricing=PricingRule(floor=0), back_office=BackOffice(archive=archive))
        made = company(policy, parameters=Parameters().but({"service.delivery": 0.95})).panel
        later = made.active.copy()
        later[0] = False
        apart = made.loyalty[later]
        return np.mean(apart[made.discount[later] == 0]) - np.mean(
            apart[made.discount[later] > 0.1]
        )

    assert gap(1.0) > gap(0.0) > 0


def test_following_the_price_war_or_not(usual):
    stays = company(Policy(pricing=PricingRule("habit", floor=0, following=0.0)))
    goes = company(Policy(pricing=PricingRule("habit", floor=0, following=1.0)))
    last = [c.panel.paths.list_index[-1, 0] for c in (stays, usual, goes)]
    assert last[0] > last[1] > last[2]
    assert np.array_equal(stays.panel.paths.competitor_index, goes.panel.paths.competitor_index)


def test_list_prices_move_by_the_policy(usual):
    dearer = company(Policy(list_price=0.1, start=3)).panel.paths.list_index
    assert np.array_equal(dearer[:3], usual.panel.paths.list_index[:3])
    assert dearer[3:] == pytest.approx(1.1 * usual.panel.paths.list_index[3:])


def test_a_channel_rule_leaves_no_conflict():
    made = company(Policy(channel=ChannelRule())).panel
    assert not (made.channel == CHANNELS.index("agent and manager")).any()
    here = made.active[0]
    managed = made.channel[0][here] == CHANNELS.index("manager")
    assert made.revenue[0][here][managed].mean() > 5 * made.revenue[0][here][~managed].mean()


@pytest.mark.parametrize("channel", CHANNELS)
def test_one_channel_for_all(channel):
    made = company(Policy(channel=channel)).panel
    assert (made.channel[made.active] == CHANNELS.index(channel)).all()


def test_contacts_are_planned_by_level_and_factor(usual):
    none = company(Policy(visits=0, calls=0)).panel
    assert not none.visits.any()
    assert not none.calls.any()
    some = np.where(np.arange(ACCOUNTS) < 300, 5.0, 1.0)
    more = company(Policy(visits=some)).panel
    both = more.active & usual.panel.active
    assert (more.visits >= usual.panel.visits)[both].all()
    assert np.array_equal(
        more.visits[:, 300:][both[:, 300:]], usual.panel.visits[:, 300:][both[:, 300:]]
    )


def test_quality_moves_its_own_dimension_only(usual):
    for attribute, dimension in (("hotline", 1), ("community", 2), ("customisation", 3)):
        made = company(Policy(quality={attribute: 1.0}))
        both = usual.panel.active[0] & made.panel.active[0]
        moved = (made.panel.value[0] - usual.panel.value[0])[both]
        gain = Parameters().service.attribute_gain[list(ATTRIBUTES).index(attribute)]
        assert moved[:, dimension] == pytest.approx(gain, abs=1e-5)
        assert not np.delete(moved, dimension, axis=1).any()


# --- names and messages -------------------------------------------------------------------------


def test_tools_are_switched_on_by_name():
    every = policy_of_tools(TOOLS, start=12)
    assert every.tools == TOOLS
    assert every.start == 12
    assert policy_of_tools([]).name == "business as usual"
    assert policy_of_tools("service").tools == ("service",)
    assert policy_of_tools(["pricing", "dossier"]).name == "dossier + pricing"
    assert policy_of_tools(["channel"], channel=ChannelRule(9_000)).channel.manager_from == 9_000


@pytest.mark.parametrize(
    ("wrong", "error", "said"),
    [
        ({"levels": "partner"}, KeyError, "no level 'partner'; there is: basic.*'partnership'"),
        ({"levels": 5}, ValueError, "levels: 5 must be between 0 and 4"),
        ({"levels": [0, 9]}, ValueError, r"levels: 9 \(account 1\) must be between 0 and 4"),
        ({"levels": 1.5}, TypeError, "levels=1.5: give a LevelRule, a name out of basic"),
        ({"discount": 3}, ValueError, "discount: 3 must be between -1 and 1"),
        ({"discount": [0, np.nan]}, ValueError, r"discount: nan \(account 1\) must be"),
        ({"discount": "5 %"}, TypeError, "discount='5 %' must be a number"),
        ({"visits": -1}, ValueError, "visits: -1 must be between 0 and 100"),
        ({"start": -1}, ValueError, "start: -1 must be 0 or larger"),
        ({"quality": {"colour": 1}}, KeyError, "no attribute 'colour'; there is: quality"),
        ({"quality": {"brand": 9}}, ValueError, r"quality\['brand'\]: 9 must be between -5 and 5"),
        ({"channel": "agents"}, KeyError, "no channel 'agents'; .* did you mean 'agent'"),
        ({"channel": 2}, TypeError, "channel=2 must be a ChannelRule, a channel or None"),
        ({"dossier": True}, TypeError, "dossier=True must be a Dossier or None"),
        ({"back_office": "yes"}, TypeError, "back_office='yes' must be a BackOffice or None"),
    ],
)
def test_impossible_policies_are_told(wrong, error, said):
    with pytest.raises(error, match=said):
        Policy(**wrong)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: LevelRule(cuts=(1.0, 2.0)), "must be 4 rising yearly margins"),
        (lambda: LevelRule(cuts=(4.0, 3.0, 2.0, 1.0)), "must be 4 rising yearly margins"),
        (lambda: LevelRule(review=0), "review: 0 must be 1 or larger"),
        (lambda: PricingRule(discount="all"), "must be 'habit', 'at risk' or 'none'"),
        (lambda: PricingRule(depth=15), "depth: 15 must be between 0 and 1"),
        (lambda: ChannelRule(1.0, 2.0), "the first not above the second"),
        (lambda: BackOffice(archive=1.2), "archive: 1.2 must be between 0 and 1"),
        (lambda: ServiceProcess(speed=-1), "speed: -1 must be between 0 and 10"),
        (lambda: Dossier(hit=-1), "hit: -1 must be between 0 and 10"),
    ],
)
def test_impossible_rules_are_told(make, said):
    with pytest.raises(ValueError, match=said):
        make()


def test_unknown_tools_are_told():
    with pytest.raises(KeyError, match=r"no tool 'dosier'; .* did you mean 'dossier'"):
        policy_of_tools(["dosier"])


@pytest.mark.parametrize("lever", ["levels", "visits", "calls", "discount"])
def test_levers_by_account_must_fit_the_accounts(lever):
    with pytest.raises(ValueError, match=f"{lever}: 7 values for 600 accounts"):
        company(Policy(**{lever: [0] * 7}))


def test_levels_hold_names_in_order():
    assert LEVELS == ("basic", "reactive", "accountable", "proactive", "partnership")
