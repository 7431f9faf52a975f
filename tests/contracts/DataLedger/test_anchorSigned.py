"""DataLedger.anchorSigned: a device's batch, brought by somebody else (anchorSigned.tree)."""

import pytest
from batches import batch_hash, digest_of, expiry, sign_digest, signed
from brownie import web3
from eth_utils import keccak
from members import Role, region_id
from reading import plain

ROOT, OTHER_ROOT = b"\x11" * 32, b"\x22" * 32
BATCH = (1, 24, ROOT)
CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def test_anchor_signed__when_signature_is_not_the_devices__reverts(
    ledger, registry, signers, relayer, reverts_with
):
    signer, other = signers
    late = expiry()
    whole = (*BATCH, late)
    digest = digest_of(ledger, signer, whole)
    good = sign_digest(signer.account, digest)
    prefixed = keccak(b"\x19Ethereum Signed Message:\n32" + digest)
    wrong = {
        "another account": sign_digest(other.account, digest),
        "another device": sign_digest(signer.account, digest_of(ledger, other, whole)),
        "another seq": sign_digest(signer.account, digest_of(ledger, signer, (2, 24, ROOT, late))),
        "another count": sign_digest(
            signer.account, digest_of(ledger, signer, (1, 23, ROOT, late))
        ),
        "another root": sign_digest(
            signer.account, digest_of(ledger, signer, (1, 24, OTHER_ROOT, late))
        ),
        "another expiry": sign_digest(
            signer.account, digest_of(ledger, signer, (*BATCH, late + 1))
        ),
        "another chain": sign_digest(
            signer.account, digest_of(ledger, signer, whole, chain_id=web3.eth.chain_id + 1)
        ),
        "another ledger": sign_digest(
            signer.account, digest_of(ledger, signer, whole, ledger_address=registry)
        ),
        "another tag": sign_digest(signer.account, digest_of(ledger, signer, whole, tag=ROOT)),
        "a wallet's message": sign_digest(signer.account, prefixed),
        "other parity": good[:64] + bytes([55 - good[64]]),
        "raw parity": good[:64] + bytes([good[64] - 27]),
        "zero r": bytes(32) + good[32:],
        "zero s": good[:32] + bytes(32) + good[64:],
        "short": good[:64],
        "long": good + b"\0",
        "none": b"",
        "zeros": bytes(65),
    }
    for name, signature in wrong.items():
        with reverts_with("DataLedger_BadSignature", signer.address, 1):
            ledger.anchorSigned((signer.address, *whole, signature), {"from": relayer})
        assert ledger.nextSeqOf(signer.address) == 1, name
    ledger.anchorSigned((signer.address, *whole, good), {"from": relayer})


def test_anchor_signed__when_signature_is_the_malleable_twin__reverts(
    ledger, signer, relayer, reverts_with
):
    *fields, good = signed(ledger, signer, *BATCH)
    s = int.from_bytes(good[32:64], "big")
    assert s <= CURVE_ORDER // 2
    twin = good[:32] + (CURVE_ORDER - s).to_bytes(32, "big") + bytes([55 - good[64]])
    with reverts_with("DataLedger_BadSignature", signer.address, 1):
        ledger.anchorSigned((*fields, twin), {"from": relayer})


def test_anchor_signed__given_no_active_device__reverts(
    ledger, signer, admit, prepare, new_account, meter_owner, revoke, relayer, reverts_with
):
    user = admit(Role.USER, region_id("north"))
    stranger = prepare(new_account(), Role.DEVICE, region_id("north"), owner=meter_owner)
    revoke(signer)
    for member in (user, stranger, signer):
        with reverts_with("DataLedger_NotDevice", member.address):
            ledger.anchorSigned(signed(ledger, member, *BATCH), {"from": relayer})


@pytest.mark.parametrize("late", [-1, 0, 1])
def test_anchor_signed__when_it_has_expired__reverts(
    ledger, signer, relayer, reverts_with, at, now, late
):
    expires_at = now() + 50
    batch = signed(ledger, signer, *BATCH, expires_at=expires_at)
    at(expires_at + late)
    if late < 0:
        ledger.anchorSigned(batch, {"from": relayer})
        assert ledger.nextSeqOf(signer.address) == 25
        return
    with reverts_with("DataLedger_BadExpiry", signer.address, 1, expires_at, expires_at + late):
        ledger.anchorSigned(batch, {"from": relayer})
    ledger.anchor(*BATCH, {"from": signer.account})  # the device itself, whenever it likes
    assert ledger.nextSeqOf(signer.address) == 25


@pytest.mark.parametrize("beyond", [0, 1])
def test_anchor_signed__when_it_expires_in_over_thirty_days__reverts(
    ledger, signer, relayer, reverts_with, at, now, beyond
):
    moment = now() + 10
    expires_at = moment + 30 * 86_400 + beyond
    batch = signed(ledger, signer, *BATCH, expires_at=expires_at)
    at(moment)
    if not beyond:
        ledger.anchorSigned(batch, {"from": relayer})
        return
    with reverts_with("DataLedger_BadExpiry", signer.address, 1, expires_at, moment):
        ledger.anchorSigned(batch, {"from": relayer})


@pytest.mark.parametrize("count, root", [(0, ROOT), (65_537, ROOT), (1, bytes(32))])
def test_anchor_signed__when_batch_is_bad__reverts(
    ledger, signer, relayer, reverts_with, count, root
):
    with reverts_with("DataLedger_BadBatch", 1, count):
        ledger.anchorSigned(signed(ledger, signer, 1, count, root), {"from": relayer})


def test_anchor_signed__when_first_seq_leaves_gap__reverts(ledger, signer, relayer, reverts_with):
    for from_seq in (0, 2, 2**64 - 1):
        with reverts_with("DataLedger_SeqGap", signer.address, from_seq, 1):
            ledger.anchorSigned(signed(ledger, signer, from_seq, 24, ROOT), {"from": relayer})


def test_anchor_signed__given_other_batch__reverts(ledger, signer, relayer, reverts_with):
    ledger.anchorSigned(signed(ledger, signer, *BATCH), {"from": relayer})
    for batch in ((1, 24, OTHER_ROOT), (1, 23, ROOT), (2, 23, ROOT), (24, 1, ROOT)):
        with reverts_with("DataLedger_SeqTaken", signer.address, batch[0]):
            ledger.anchorSigned(signed(ledger, signer, *batch), {"from": relayer})
    assert plain(ledger.anchorOf(signer.address, 1)) == plain(batch_hash(*BATCH))


def test_anchor_signed__given_same_batch__is_no_op(ledger, signers, relayer):
    for signer, first_by_itself in zip(signers, (True, False), strict=True):
        send_itself = [lambda d=signer: ledger.anchor(*BATCH, {"from": d.account})]
        bring = [lambda d=signer: ledger.anchorSigned(signed(ledger, d, *BATCH), {"from": relayer})]
        first, *again = (send_itself + bring * 2) if first_by_itself else (bring * 2 + send_itself)
        first()
        for repeat in again:
            assert len(repeat().events) == 0
        assert ledger.nextSeqOf(signer.address) == 25
        assert plain(ledger.anchorOf(signer.address, 1)) == plain(batch_hash(*BATCH))


@pytest.mark.parametrize("count", [1, 65_536])
def test_anchor_signed__when_seq_is_next__stores_and_emits(
    ledger, signer, relayer, outsider, only_event, count
):
    batch = (1, count, ROOT, expiry())
    digest = digest_of(ledger, signer, batch)
    assert plain(ledger.anchorDigest(signer.address, *batch)) == plain(digest)

    tx = ledger.anchorSigned(signed(ledger, signer, 1, count, ROOT), {"from": relayer})

    assert ledger.nextSeqOf(signer.address) == 1 + count
    assert plain(ledger.anchorOf(signer.address, 1)) == plain(batch_hash(1, count, ROOT))
    assert plain(only_event(tx, "BatchAnchored")) == plain(
        {"device": signer.address, "fromSeq": 1, "count": count, "root": ROOT}
    )
    for account in (relayer, outsider):
        assert ledger.nextSeqOf(account) == 1
    # The device goes on by itself, and somebody else after it.
    ledger.anchor(1 + count, 7, OTHER_ROOT, {"from": signer.account})
    ledger.anchorSigned(signed(ledger, signer, 8 + count, 1, ROOT), {"from": outsider})
    assert ledger.nextSeqOf(signer.address) == 9 + count
    assert ledger.balance() == 0
