import pytest
from batches import batch_hash
from brownie import web3
from eth_abi import encode
from eth_utils import keccak
from members import Role, region_id
from reading import plain

ROOT, OTHER_ROOT = bytes(range(1, 33)), bytes(range(2, 34))
TRACKS_SLOT = 0


def set_last_seq(ledger, device, seq):
    """Write how far a device has come straight into storage, where DataLedger keeps it."""
    slot = keccak(encode(["address", "uint256"], [device.address, TRACKS_SLOT]))
    arguments = [ledger.address, "0x" + slot.hex(), f"0x{seq:064x}"]
    web3.provider.make_request("anvil_setStorageAt", arguments)
    assert ledger.nextSeqOf(device.address) == seq + 1


def test_anchor__when_caller_is_no_active_device__reverts(
    ledger, device, meter_owner, processor, outsider, revoke, reverts_with
):
    revoke(device)
    for caller in (meter_owner.account, processor.account, outsider, device.account):
        with reverts_with("DataLedger_NotDevice", caller):
            ledger.anchor(1, 24, ROOT, {"from": caller})


@pytest.mark.parametrize(
    "count, root", [(0, ROOT), (65_537, ROOT), (2**32 - 1, ROOT), (1, bytes(32))]
)
def test_anchor__when_batch_is_bad__reverts(ledger, device, reverts_with, count, root):
    with reverts_with("DataLedger_BadBatch", 1, count):
        ledger.anchor(1, count, root, {"from": device.account})


def test_anchor__when_first_seq_leaves_gap__reverts(ledger, device, reverts_with):
    sender = {"from": device.account}
    for from_seq in (0, 2, 2**64 - 1):
        with reverts_with("DataLedger_SeqGap", device.address, from_seq, 1):
            ledger.anchor(from_seq, 24, ROOT, sender)
    ledger.anchor(1, 24, ROOT, sender)
    for from_seq in (0, 26):
        with reverts_with("DataLedger_SeqGap", device.address, from_seq, 25):
            ledger.anchor(from_seq, 24, ROOT, sender)


def test_anchor__given_same_batch__is_no_op(ledger, device):
    sender = {"from": device.account}
    ledger.anchor(1, 24, ROOT, sender)
    ledger.anchor(25, 24, OTHER_ROOT, sender)

    for from_seq, root in ((1, ROOT), (25, OTHER_ROOT)):
        tx = ledger.anchor(from_seq, 24, root, sender)
        assert len(tx.events) == 0

    assert ledger.nextSeqOf(device.address) == 49
    assert plain(ledger.anchorOf(device.address, 1)) == plain(batch_hash(1, 24, ROOT))


def test_anchor__given_other_batch__reverts(ledger, device, reverts_with):
    sender = {"from": device.account}
    ledger.anchor(1, 24, ROOT, sender)
    for from_seq, count, root in ((1, 24, OTHER_ROOT), (1, 23, ROOT), (2, 23, ROOT), (24, 1, ROOT)):
        with reverts_with("DataLedger_SeqTaken", device.address, from_seq):
            ledger.anchor(from_seq, count, root, sender)
    assert plain(ledger.anchorOf(device.address, 1)) == plain(batch_hash(1, 24, ROOT))


@pytest.mark.parametrize("count", [1, 24, 65_536])
def test_anchor__when_seq_is_next__stores_and_emits(ledger, device, only_event, count):
    assert ledger.nextSeqOf(device.address) == 1

    tx = ledger.anchor(1, count, ROOT, {"from": device.account})

    assert ledger.nextSeqOf(device.address) == 1 + count
    assert plain(ledger.anchorOf(device.address, 1)) == plain(batch_hash(1, count, ROOT))
    assert plain(ledger.anchorOf(device.address, 1 + count)) == plain(bytes(32))
    assert plain(only_event(tx, "BatchAnchored")) == plain(
        {"device": device.address, "fromSeq": 1, "count": count, "root": ROOT}
    )
    assert ledger.balance() == 0


@pytest.mark.parametrize("settled", [65_536, 2**32 - 2], ids=["second batch", "for a century"])
def test_anchor__given_settled_device__costs_at_most_60k(ledger, device, settled):
    ledger.anchor(1, 65_536, b"\xff" * 32, {"from": device.account})
    set_last_seq(ledger, device, settled)
    tx = ledger.anchor(settled + 1, 65_535, b"\xfe" * 32, {"from": device.account})
    print(f"gas anchor (from seq {settled + 1}): {tx.gas_used}")
    assert tx.gas_used <= 60_000


def test_anchor__given_two_devices__counts_apart(ledger, device, admit, meter_owner):
    second = admit(Role.DEVICE, region_id("north"), owner=meter_owner)
    ledger.anchor(1, 24, ROOT, {"from": device.account})
    ledger.anchor(1, 7, OTHER_ROOT, {"from": second.account})
    assert ledger.nextSeqOf(device.address) == 25
    assert ledger.nextSeqOf(second.address) == 8
