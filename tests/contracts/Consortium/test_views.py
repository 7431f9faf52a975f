"""Consortium's views and constants."""

from reading import plain

from tests.contracts.Consortium.conftest import DAY, DELAY, LAPSE, LIFE


def test_constants__when_read__are_those_of_the_documents(council):
    contract = council.contract
    limits = (contract.MAX_MEMBERS(), contract.MAX_DELAY_SECONDS(), contract.MAX_FOUNDING_SECONDS())
    assert limits == (32, 14 * DAY, 30 * DAY)
    assert (contract.LIFE_SECONDS(), contract.LAPSE_SECONDS()) == (LIFE, LAPSE)
    assert contract.registry() == council.registry
    assert (contract.delaySeconds(), contract.foundingEndsAt()) == (DELAY, 0)


def test_views__given_no_proposal__are_empty(council, outsider):
    empty = ("0x" + "00" * 32, 0, 0, 0, False, False)
    for proposal_id in (0, 1):
        assert plain(council.contract.proposalOf(proposal_id)) == empty
        assert council.contract.approvalsOf(proposal_id) == 0
        assert not council.contract.hasApproved(proposal_id, council.members[0])
        assert not council.contract.hasApproved(proposal_id, outsider)
    assert council.contract.proposalCount() == council.contract.memberSince(outsider) == 0


def test_delay_for__given_every_governed_function__is_none_for_the_urgent_alone(
    council, registry, catalogue, consortium
):
    governed = {
        registry: ("admit", "rename", "revoke", "stopBeginnings", "rearmStop"),
        catalogue: ("setType", "setSharingTerms", "setRules"),
        consortium: ("addMember", "removeMember", "setThreshold"),
    }
    selectors = {
        (contract._name, name): bytes.fromhex(getattr(contract, name).signature[2:])
        for contract, names in governed.items()
        for name in names
    }
    delay_for, own = council.contract.delayFor, council.registry.address
    at_once = {key for key, data in selectors.items() if delay_for(own, 0, data) == 0}
    assert at_once == {("MemberRegistry", "admit"), ("MemberRegistry", "stopBeginnings")}
    assert {delay_for(own, 1, data) for data in selectors.values()} == {DELAY}
    assert delay_for(own, 0, b"") == DELAY
    # An urgent function's name at another contract is worth nothing.
    assert {delay_for(registry, 0, data) for data in selectors.values()} == {DELAY}
    # No other function of the system has an urgent one's selector.
    assert len(set(selectors.values())) == len(selectors)
