"""RequestCatalogue.setRules: versions that never change (setRules.tree)."""

import pytest
from reading import plain

DAYS_30 = 30 * 86_400
FIELDS = (
    "serveSeconds", "decideSeconds", "feeBps", "bondBps", "disputeBondBps", "serveGasWei",
    "disputeMinWei",
)  # fmt: skip
GOOD = (400, 900, 500, 8_000, 2_500, 42_000, 10**12)
LEAST = (60, 60, 0, 1_000, 100, 1, 1)
MOST = (DAYS_30, DAYS_30, 2_000, 10_000, 10_000, 10**12, 10**18)


def altered(field, value):
    return tuple(value if name == field else good for name, good in zip(FIELDS, GOOD, strict=True))


def test_set_rules__when_caller_is_not_consortium__reverts(catalogue, founder, reverts_with):
    with reverts_with("Governed_NotConsortium", founder):
        catalogue.setRules(GOOD, {"from": founder})


@pytest.mark.parametrize(
    "field, value",
    [
        ("serveSeconds", 0),
        ("serveSeconds", 59),
        ("serveSeconds", DAYS_30 + 1),
        ("serveSeconds", 2**32 - 1),
        ("decideSeconds", 0),
        ("decideSeconds", 59),
        ("decideSeconds", DAYS_30 + 1),
        ("feeBps", 2_001),
        ("feeBps", 2**16 - 1),
        ("bondBps", 0),
        ("bondBps", 999),
        ("bondBps", 10_001),
        ("disputeBondBps", 0),
        ("disputeBondBps", 99),
        ("disputeBondBps", 10_001),
        ("serveGasWei", 0),
        ("serveGasWei", 10**12 + 1),
        ("serveGasWei", 2**64 - 1),
        ("disputeMinWei", 0),
        ("disputeMinWei", 10**18 + 1),
        ("disputeMinWei", 2**80 - 1),
    ],
)
def test_set_rules__when_rule_is_out_of_range__reverts(
    catalogue, govern, reverts_with, field, value
):
    with reverts_with("RequestCatalogue_BadParameter", field):
        govern(catalogue, "setRules", altered(field, value))
    assert catalogue.versions()[0] == 1


@pytest.mark.parametrize("fee, bond, fits", [(1_001, 1_000, False), (1_000, 1_000, True)])
def test_set_rules__when_fee_exceeds_the_bond__reverts(
    catalogue, govern, reverts_with, fee, bond, fits
):
    rules = (*GOOD[:2], fee, bond, *GOOD[4:])
    if fits:
        govern(catalogue, "setRules", rules)
        assert plain(catalogue.rulesAt(2)) == rules
        return
    with reverts_with("RequestCatalogue_BadParameter", "feeBps"):
        govern(catalogue, "setRules", rules)


@pytest.mark.parametrize("rules", [GOOD, LEAST, MOST])
def test_set_rules__when_in_range__stores_a_new_version(
    catalogue, govern, only_event, impersonate, consortium, rules
):
    tx = govern(catalogue, "setRules", rules)

    assert catalogue.versions()[0] == 2
    assert plain(catalogue.rulesAt(2)) == rules
    event = plain(only_event(tx, "RulesSet"))
    assert event == {"version": 2, "rules": rules}
    assert catalogue.setRules.call(rules, {"from": impersonate(consortium)}) == 3
    assert catalogue.balance() == 0


def test_set_rules__given_earlier_versions__leaves_them(catalogue, govern):
    first = plain(catalogue.rulesAt(1))
    for rules in (LEAST, MOST, LEAST):
        govern(catalogue, "setRules", rules)
    assert catalogue.versions()[0] == 4
    assert [plain(catalogue.rulesAt(i)) for i in range(1, 5)] == [first, LEAST, MOST, LEAST]
    assert plain(catalogue.rulesAt(5)) == plain(catalogue.rulesAt(0)) == (0,) * 7
