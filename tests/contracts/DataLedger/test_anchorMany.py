"""DataLedger.anchorMany: several devices' batches in one transaction (anchorMany.tree)."""

import contextlib

import pytest
from batches import batch_hash, signed
from brownie.exceptions import VirtualMachineError
from eth_abi import encode
from eth_utils import keccak
from members import NOBODY
from reading import plain

from tests.contracts.conftest import isolated

ROOT, OTHER_ROOT = b"\x11" * 32, b"\x22" * 32


def error(signature: str, *arguments) -> str:
    kinds = signature[signature.index("(") + 1 : -1].split(",")
    return "0x" + (keccak(text=signature)[:4] + encode(kinds, arguments)).hex()


@pytest.fixture
def bring(ledger, relayer):
    """``bring(batches)``: a stranger's transaction."""
    return lambda batches, **options: ledger.anchorMany(batches, {"from": relayer, **options})


def test_anchor_many__when_there_are_too_many__reverts(ledger, signer, bring, reverts_with):
    batches = [signed(ledger, signer, 1 + i, 1, ROOT) for i in range(65)]
    with reverts_with("DataLedger_TooMany", 65, 64):
        bring(batches)
    assert ledger.nextSeqOf(signer.address) == 1


@pytest.mark.parametrize("count", [0, 64])
def test_anchor_many__when_count_is_at_the_edge__anchors_all(ledger, signer, bring, count):
    tx = bring([signed(ledger, signer, 1 + i, 1, ROOT) for i in range(count)])
    assert tx.return_value == count
    assert ledger.nextSeqOf(signer.address) == 1 + count
    assert tx.events.count("BatchAnchored") == count
    assert tx.events.count("BatchRefused") == 0
    if count:
        print(f"gas anchorMany: {tx.gas_used / count:.0f} a batch of {count}")


def test_anchor_many__when_batches_are_refused__passes_them_over(ledger, signers, bring):
    first, second = signers
    good = signed(ledger, first, 1, 24, ROOT)
    refused = {
        error("DataLedger_BadSignature(address,uint64)", second.address, 1): (
            second.address, *good[1:],
        ),
        error("DataLedger_SeqGap(address,uint64,uint64)", first.address, 26, 25): signed(
            ledger, first, 26, 1, ROOT
        ),
        error("DataLedger_SeqTaken(address,uint64)", first.address, 1): signed(
            ledger, first, 1, 24, OTHER_ROOT
        ),
        error("DataLedger_BadBatch(uint64,uint32)", 1, 0): signed(ledger, second, 1, 0, ROOT),
        error("DataLedger_BadSignature(address,uint64)", NOBODY, 1): (NOBODY, *good[1:5], b""),
    }  # fmt: skip
    last = signed(ledger, second, 1, 7, OTHER_ROOT)

    tx = bring([good, *refused.values(), last])

    assert tx.return_value == 2
    assert ledger.nextSeqOf(first.address) == 25
    assert ledger.nextSeqOf(second.address) == 8
    assert plain(ledger.anchorOf(first.address, 1)) == plain(batch_hash(1, 24, ROOT))
    found = [plain(event) for event in tx.events["BatchRefused"]]
    assert found == [
        plain({"device": batch[0], "fromSeq": batch[1], "reason": reason})
        for reason, batch in refused.items()
    ]
    assert [event["device"] for event in tx.events["BatchAnchored"]] == [
        first.address,
        second.address,
    ]


def test_anchor_many__given_revoked_device__passes_it_over(
    ledger, signers, bring, revoke, only_event
):
    gone, staying = signers
    revoke(gone)
    tx = bring([signed(ledger, device, 1, 24, ROOT) for device in (gone, staying)])
    assert tx.return_value == 1
    assert (ledger.nextSeqOf(gone.address), ledger.nextSeqOf(staying.address)) == (1, 25)
    assert plain(only_event(tx, "BatchRefused")) == plain(
        {
            "device": gone.address,
            "fromSeq": 1,
            "reason": error("DataLedger_NotDevice(address)", gone.address),
        }
    )


def test_anchor_many__given_the_stop__passes_all_over(ledger, registry, signers, bring, govern):
    govern(registry, "stopBeginnings")
    tx = bring([signed(ledger, device, 1, 24, ROOT) for device in signers])
    assert tx.return_value == 0
    reason = error("MemberRegistry_Stopped(uint256)", registry.stoppedUntil())
    assert [plain(event)["reason"] for event in tx.events["BatchRefused"]] == [reason] * 2
    assert [ledger.nextSeqOf(device.address) for device in signers] == [1, 1]


def test_anchor_many__given_repeats_and_successors__counts_what_stands(ledger, signer, bring):
    first, second = signed(ledger, signer, 1, 24, ROOT), signed(ledger, signer, 25, 5, OTHER_ROOT)
    tx = bring([first, first, second, first])
    assert tx.return_value == 4
    assert tx.events.count("BatchAnchored") == 2
    assert tx.events.count("BatchRefused") == 0
    assert bring([second, first]).return_value == 2
    assert ledger.nextSeqOf(signer.address) == 30


def test_anchor_many__when_gas_is_short__anchors_all_or_nothing(ledger, signers, bring):
    # A batch that runs out of gas leaves too little for the note of its refusal.
    batches, seen = [signed(ledger, device, 1, 24, ROOT) for device in signers], set()
    for gas_limit in range(60_000, 240_000, 12_000):
        with isolated():
            with contextlib.suppress(VirtualMachineError):  # seen by what stands afterwards
                bring(batches, gas_limit=gas_limit)
            seqs = tuple(ledger.nextSeqOf(device.address) for device in signers)
        assert seqs in ((1, 1), (25, 25)), gas_limit
        seen.add(seqs)
    assert seen == {(1, 1), (25, 25)}
