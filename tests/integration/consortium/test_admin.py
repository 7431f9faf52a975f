"""The vote of the consortium, on the real contracts: three members, two of whom decide."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from offchain.chain.anvil import Anvil, start_anvil
from offchain.chain.deployment import load_deployment
from offchain.chain.facts import ContractRevert, Receipt
from offchain.chain.gateway import ChainGateway
from offchain.chain.outbox import TransactionOutbox
from offchain.consortium.admin import Admin
from offchain.consortium.proposals import ConsortiumBook, Stage
from offchain.index.chain_index import ChainIndex
from offchain.member.errors import DecisionRefused, MemberError
from offchain.member.keys import MemberKeys
from offchain.member.registration import region_id
from offchain.member.roles import MemberRole

PROJECT = Path(__file__).resolve().parents[3]
DELAY_S, FOUNDING_S = 3_600, 86_400
TERMS = {"application_wei": 5, "shortest_s": 60}


@dataclass
class Council:
    """A deployment whose consortium has three members; `outsider` is none."""

    anvil: Anvil
    gateway: ChainGateway
    index: ChainIndex
    members: list[Admin]
    outsider: Admin

    @property
    def book(self) -> ConsortiumBook:
        return ConsortiumBook(self.gateway, self.index)

    def end_founding(self) -> None:
        ends_at = self.gateway.call("Consortium", "foundingEndsAt")
        if self.anvil.now() < ends_at:
            self.anvil.warp_to(ends_at)

    def application_wei(self) -> int:
        return int(self.gateway.call("RequestCatalogue", "sharingTerms").applicationWei)


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Council]:
    file = tmp_path_factory.mktemp("council") / "deployment.json"
    with start_anvil() as anvil:
        accounts = [account_of(key) for key in anvil.keys[:4]]
        environment = os.environ | {
            "DMSM_CONSORTIUM_MEMBERS": ",".join(one.address for one in accounts[:3]),
            "DMSM_CONSORTIUM_THRESHOLD": "2",
            "DMSM_DELAY_SECONDS": str(DELAY_S),
            "DMSM_FOUNDING_SECONDS": str(FOUNDING_S),
        }
        script = str(PROJECT / "scripts" / "run_deploy.py")
        options = ["--rpc", anvil.url, "--chain-id", str(anvil.chain_id), "--out", str(file)]
        command = [sys.executable, script, *options]
        subprocess.run(command, env=environment, check=True, capture_output=True)
        gateway = ChainGateway(anvil.url, load_deployment(file), gas_price_wei=0)
        with ChainIndex(file.with_name("index.sqlite"), gateway) as index:
            admins = [Admin(gateway.with_account(one), index) for one in accounts]
            yield Council(anvil, gateway, index, admins[:3], admins[3])


@pytest.fixture
def council(founded: Council) -> Iterator[Council]:
    snapshot = founded.anvil.snapshot()
    yield founded
    founded.anvil.revert(snapshot)
    founded.anvil.mine()  # another branch: else the index takes it for a node that is behind


def account_of(key: str):
    return MemberKeys.generate(MemberRole.DEVICE, account_key=key).account


def test_decide__given_two_of_three__is_carried_out_by_the_second(council: Council) -> None:
    first, second, third = council.members

    proposed = first.set_sharing_terms(**TERMS)

    assert not proposed.is_carried_out and proposed.proposal.stage is Stage.OPEN
    assert proposed.proposal.status == (
        "proposal 1: 1 of 3 members agree, 2 must; the others: dmsm admin approve 1"
    )
    assert proposed.proposal.text == (
        "RequestCatalogue.setSharingTerms"
        "(terms {shortestSeconds 60, disputeWindowSeconds 0, applicationWei 5, ownersBps 5000})"
    )
    assert council.application_wei() == 0
    decided = second.approve(proposed.proposal.proposal_id)
    assert decided.is_carried_out and decided.proposal.status == "proposal 1 was carried out"
    assert council.application_wei() == 5
    with pytest.raises(ContractRevert) as refused:
        third.approve(1)
    assert refused.value.name == "Consortium_AlreadyExecuted"


def test_approve__when_the_id_means_another_call__approves_nothing(council: Council) -> None:
    first, second, _ = council.members
    before = council.anvil.snapshot()
    read = first.set_sharing_terms(**TERMS).proposal
    council.anvil.revert(before)  # as a reorganisation does
    first.set_sharing_terms(**{**TERMS, "application_wei": 7})

    with pytest.raises(MemberError, match="is another call now, RequestCatalogue"):
        second.approve(read.proposal_id, read=read)

    assert council.book.proposal(read.proposal_id).approved_by == (first.address,)


def test_decide__given_a_reorganisation_that_gives_its_number_to_another__finds_its_own(
    council: Council, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    second, anvil = council.members[1], council.anvil
    gateway = ChainGateway(
        anvil.url,
        council.gateway.deployment,
        account=account_of(anvil.keys[0]),
        outbox=TransactionOutbox(tmp_path / "outbox.sqlite"),
        gas_price_wei=0,
        confirmations=1,
    )
    real = gateway.transact

    def taken_off(*args: Any, **options: Any) -> Receipt:
        receipt = real(*args, **options)
        anvil.reorg(1)
        second.set_sharing_terms(**{**TERMS, "application_wei": 7})
        return receipt

    monkeypatch.setitem(vars(gateway), "transact", taken_off)
    decision = Admin(gateway, council.index).set_sharing_terms(**TERMS)

    assert decision.proposal.proposal_id == 2
    assert "applicationWei 5" in decision.proposal.text
    assert decision.receipt.event("Proposed").args["proposalId"] == 2
    assert "applicationWei 7" in council.book.proposal(1).text


def test_execute__given_one_approval__is_refused_and_changes_nothing(council: Council) -> None:
    proposal_id = council.members[0].set_sharing_terms(**TERMS).proposal.proposal_id

    for admin, error in (
        (council.members[0], "Consortium_NotAgreed"),
        (council.outsider, "Consortium_NotMember"),
    ):
        with pytest.raises(ContractRevert) as refused:
            admin.execute(proposal_id)
        assert refused.value.name == error

    assert council.application_wei() == 0


def test_decide__given_an_outsider__is_refused(council: Council) -> None:
    proposal_id = council.members[0].set_sharing_terms(**TERMS).proposal.proposal_id
    for act in (
        lambda: council.outsider.set_sharing_terms(**TERMS),
        lambda: council.outsider.approve(proposal_id),
        lambda: council.outsider.cancel(proposal_id),
    ):
        with pytest.raises(ContractRevert) as refused:
            act()
        assert refused.value.name == "Consortium_NotMember"
    assert len(council.book.proposals()) == 1


def test_decide__given_what_the_target_would_refuse__proposes_nothing(council: Council) -> None:
    with pytest.raises(ContractRevert) as refused:
        council.members[0].revoke(council.outsider.address)
    assert refused.value.name == "MemberRegistry_NotActive"
    assert council.book.proposals() == []


def test_withdraw__given_agreement__takes_it_back(council: Council) -> None:
    council.end_founding()
    first, second, _ = council.members
    proposal_id = first.set_sharing_terms(**TERMS).proposal.proposal_id
    agreed = second.approve(proposal_id).proposal
    assert agreed.stage is Stage.AGREED and agreed.ready_at is not None
    assert f"dmsm admin execute {proposal_id}" in agreed.status

    open_again = second.withdraw(proposal_id).proposal

    assert open_again.stage is Stage.OPEN and open_again.ready_at is None
    council.anvil.warp_to(agreed.ready_at)
    with pytest.raises(ContractRevert) as refused:
        first.execute(proposal_id)
    assert refused.value.name == "Consortium_NotAgreed"


@pytest.mark.parametrize("early_s", [1, 0])
def test_execute__given_the_delay__waits_for_its_end(council: Council, early_s: int) -> None:
    council.end_founding()
    first, second, _ = council.members
    proposal_id = first.set_sharing_terms(**TERMS).proposal.proposal_id
    ready_at = second.approve(proposal_id).proposal.ready_at
    assert ready_at == council.anvil.now() + DELAY_S
    council.anvil.next_timestamp(ready_at - early_s)

    if early_s:
        with pytest.raises(ContractRevert) as refused:
            first.execute(proposal_id)
        assert refused.value.name == "Consortium_TooEarly"
        assert council.application_wei() == 0
    else:
        assert council.members[2].execute(proposal_id).is_carried_out
        assert council.application_wei() == 5


def test_proposals__given_time__lapse(council: Council) -> None:
    first, second, _ = council.members
    proposed = first.set_sharing_terms(**TERMS).proposal
    council.anvil.warp_to(proposed.lapses_at)

    lapsed = council.book.proposal(proposed.proposal_id)

    assert lapsed.stage is Stage.LAPSED and "propose it again" in lapsed.status
    with pytest.raises(ContractRevert) as refused:
        second.approve(proposed.proposal_id)
    assert refused.value.name == "Consortium_Lapsed"


def test_proposals__agreed_and_not_carried_out__lapse_a_week_after_they_could_be(
    council: Council,
) -> None:
    council.end_founding()
    first, second, _ = council.members
    proposal_id = first.set_sharing_terms(**TERMS).proposal.proposal_id
    agreed = second.approve(proposal_id).proposal
    assert agreed.ready_at is not None and agreed.lapses_at == agreed.ready_at + 7 * 86_400
    council.anvil.next_timestamp(agreed.lapses_at)

    with pytest.raises(ContractRevert) as refused:
        first.execute(proposal_id)

    assert refused.value.name == "Consortium_Lapsed"
    council.anvil.warp_to(agreed.lapses_at)
    assert council.book.proposal(proposal_id).stage is Stage.LAPSED


def test_execute__after_a_later_one_about_the_same__is_superseded(council: Council) -> None:
    council.end_founding()
    first, second, _ = council.members
    stale = first.set_sharing_terms(**TERMS).proposal.proposal_id
    second.approve(stale)
    later = first.set_sharing_terms(**{**TERMS, "application_wei": 7}).proposal.proposal_id
    ready_at = second.approve(later).proposal.ready_at
    assert ready_at is not None
    council.anvil.warp_to(ready_at)
    assert council.book.proposal(stale).stage is Stage.READY
    assert first.execute(later).is_carried_out

    left = council.book.proposal(stale)
    with pytest.raises(ContractRevert) as refused:
        second.execute(stale)

    assert left.stage is Stage.SUPERSEDED and left.floor == later
    assert f"proposal {later} about the same was carried out" in left.status
    assert refused.value.name == "Consortium_Superseded"
    assert council.application_wei() == 7


def test_cancel__given_as_many_votes_as_decide__ends_it_for_ever(council: Council) -> None:
    council.end_founding()
    first, second, third = council.members
    proposal_id = first.set_sharing_terms(**TERMS).proposal.proposal_id
    agreed = second.approve(proposal_id).proposal

    once = third.cancel(proposal_id, read=agreed).proposal
    assert once.stage is Stage.AGREED and once.cancel_votes == 1
    assert "1 want it cancelled" in once.status
    gone = first.cancel(proposal_id).proposal

    assert gone.stage is Stage.CANCELLED and "was cancelled" in gone.status
    assert agreed.ready_at is not None
    council.anvil.warp_to(agreed.ready_at)
    with pytest.raises(ContractRevert) as refused:
        first.execute(proposal_id)
    assert refused.value.name == "Consortium_AlreadyCancelled"
    assert council.application_wei() == 0


@pytest.mark.parametrize("act", ["approve", "cancel"])
def test_vote__when_the_id_comes_to_mean_another_call_under_way__is_refused_on_chain(
    council: Council, monkeypatch: pytest.MonkeyPatch, act: str
) -> None:
    first, second, _ = council.members
    before = council.anvil.snapshot()
    proposal_id = first.set_sharing_terms(**TERMS).proposal.proposal_id
    real = second._gateway.transact

    def overtaken(*args: Any, **options: Any) -> Receipt:
        council.anvil.revert(before)
        first.set_sharing_terms(**{**TERMS, "application_wei": 7})
        return real(*args, **options)

    monkeypatch.setitem(vars(second._gateway), "transact", overtaken)
    with pytest.raises(ContractRevert) as refused:
        getattr(second, act)(proposal_id)

    assert refused.value.name == "Consortium_OtherCall"
    assert council.book.proposal(proposal_id).approved_by == (first.address,)


def test_admit__after_the_founding__needs_no_delay_and_reads_well(council: Council) -> None:
    council.end_founding()
    deployment = council.gateway.deployment
    keys = MemberKeys.generate(MemberRole.USER, paillier_bits=2048)
    registration = keys.registration(
        chain_id=deployment.chain_id,
        registry=deployment.address("MemberRegistry"),
        region_id=region_id("north"),
    )

    proposed = council.members[0].admit(registration).proposal
    decided = council.members[2].approve(proposed.proposal_id)

    assert proposed.text == f"MemberRegistry.admit({keys.address}, user, region north)"
    assert decided.is_carried_out
    assert council.gateway.call("MemberRegistry", "isActive", keys.address, MemberRole.USER)


def test_remove_member__with_its_approvals__no_longer_counts_them(council: Council) -> None:
    first, second, third = council.members
    pending = third.set_sharing_terms(**TERMS).proposal.proposal_id
    removal = first.remove_member(third.address, threshold=2).proposal.proposal_id
    assert second.approve(removal).is_carried_out

    left = council.book.proposal(pending)

    assert left.approved_by == () and left.threshold == 2
    assert {account for account, _ in council.book.members()} == {first.address, second.address}
    first.approve(pending)
    assert council.application_wei() == 0
    assert second.approve(pending).is_carried_out


def test_set_rules__with_one_change__keeps_the_others_and_adds_a_version(council: Council) -> None:
    before = council.gateway.call("RequestCatalogue", "rulesAt", 1)
    proposed = council.members[0].set_rules(feeBps=300).proposal
    assert "feeBps 300" in proposed.text and "bondBps 10000" in proposed.text
    assert council.members[1].approve(proposed.proposal_id).is_carried_out
    assert tuple(council.gateway.call("RequestCatalogue", "versions")) == (2, 0)
    assert council.gateway.call("RequestCatalogue", "rulesAt", 2) == before._replace(feeBps=300)


def test_spend__given_money__pays_what_was_decided(council: Council) -> None:
    consortium = council.gateway.deployment.address("Consortium")
    council.anvil.set_balance(consortium, 10)
    payee = "0x" + "00" * 18 + "1234"
    with pytest.raises(MemberError, match="has 10 wei and cannot pay 11; nothing was proposed"):
        council.members[0].spend(payee, 11)

    proposed = council.members[0].spend(payee, 7).proposal
    assert proposed.text == f"pay 7 wei to {payee}"
    agreed = council.members[1].approve(proposed.proposal_id).proposal
    assert agreed.stage is Stage.AGREED  # a payment waits, in the founding too
    council.anvil.warp_to(agreed.ready_at)
    assert council.members[1].execute(proposed.proposal_id).is_carried_out

    assert council.gateway.balance_wei(payee) == 7
    assert council.members[0].treasury_wei() == 3


def test_stop__when_decided__stops_what_begins_and_is_spent(council: Council) -> None:
    council.end_founding()  # it has no delay even then
    proposal_id = council.members[0].stop_beginnings().proposal.proposal_id
    assert council.members[1].approve(proposal_id).is_carried_out
    assert council.gateway.call("MemberRegistry", "stoppedUntil") > council.anvil.now()
    with pytest.raises(ContractRevert) as refused:
        council.members[0].stop_beginnings()
    assert refused.value.name == "MemberRegistry_StopSpent"


def test_approve__when_the_target_refuses_by_now__says_so_in_its_words(council: Council) -> None:
    first, second, _ = council.members
    once, again = (first.stop_beginnings().proposal.proposal_id for _ in range(2))
    assert second.approve(once).is_carried_out

    with pytest.raises(DecisionRefused, match="agreed, and carrying it out was refused") as refused:
        second.approve(again)

    assert "MemberRegistry refused: the emergency stop was used" in str(refused.value)
    assert f"dmsm admin execute {again}" in str(refused.value)
    left = council.book.proposal(again)
    assert left.stage is Stage.READY and len(left.approved_by) == 2
    with pytest.raises(ContractRevert) as passed_on:
        first.execute(again)
    assert (passed_on.value.name, passed_on.value.contract) == (
        "MemberRegistry_StopSpent",
        "MemberRegistry",
    )


def test_approve__before_it_lies_deep_enough__is_refused(council: Council) -> None:
    proposal_id = council.members[0].set_sharing_terms(**TERMS).proposal.proposal_id
    gateway = council.gateway.with_account(account_of(council.anvil.keys[1]))
    careful = Admin(gateway, council.index, confirmations=2)
    with pytest.raises(MemberError, match="lies under 0 blocks, 2 are needed"):
        careful.approve(proposal_id)
    council.anvil.warp(1)
    council.anvil.warp(1)
    assert careful.approve(proposal_id).is_carried_out
    assert council.application_wei() == 5


def test_proposal__given_no_such_id__says_so(council: Council) -> None:
    with pytest.raises(MemberError, match="knows no proposal 9"):
        council.book.proposal(9)
