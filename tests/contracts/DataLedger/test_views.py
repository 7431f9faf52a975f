import hashlib

import pytest
from reading import plain

from offchain.crypto import merkle

FIRST = 25


def commitments(count):
    return [hashlib.sha256(bytes([i])).digest() for i in range(count)]


@pytest.fixture
def anchored(ledger, device):
    """Two batches, the second of seven readings from seq 25 on: (leaves, root)."""
    leaves = commitments(7)
    root = merkle.root(leaves)
    ledger.anchor(1, 24, b"\1" * 32, {"from": device.account})
    ledger.anchor(FIRST, 7, root, {"from": device.account})
    return leaves, root


def test_verify_reading__given_anchored_batch__holds_for_each_reading(ledger, device, anchored):
    leaves, root = anchored
    for index, leaf in enumerate(leaves):
        proof = merkle.prove(leaves, index)
        held = (device.address, FIRST + index, leaf, FIRST, 7, root, proof)
        assert ledger.verifyReading(*held)


def test_verify_reading__when_anything_differs__is_false(ledger, device, outsider, anchored):
    leaves, root = anchored
    good = [device.address, FIRST + 3, leaves[3], FIRST, 7, root, merkle.prove(leaves, 3)]
    assert ledger.verifyReading(*good)
    wrong = {
        0: [outsider],
        1: [FIRST + 2, FIRST + 4, FIRST - 1, FIRST + 7, 0, 2**64 - 1],
        2: [leaves[2], bytes(32)],
        3: [FIRST + 1, 1, 0, 2**64 - 1],
        4: [6, 8, 0],
        5: [b"\1" * 32, bytes(32)],
        6: [[], merkle.prove(leaves, 2), [*merkle.prove(leaves, 3), bytes(32)]],
    }
    for position, values in wrong.items():
        for value in values:
            changed = [*good[:position], value, *good[position + 1 :]]
            assert not ledger.verifyReading(*changed), (position, value)


def test_verify_reading__given_batch_never_anchored__is_false(ledger, device):
    leaves = commitments(2)
    proof = merkle.prove(leaves, 0)
    assert not ledger.verifyReading(device.address, 1, leaves[0], 1, 2, merkle.root(leaves), proof)
    # An unknown anchor is zero, and no batch hashes to it.
    assert not ledger.verifyReading(device.address, 1, leaves[0], 1, 0, bytes(32), [])


def test_verify_reading__given_batch_of_a_thousand__costs_at_most_60k(ledger, device, relayer):
    leaves = [hashlib.sha256(i.to_bytes(2, "big")).digest() for i in range(1000)]
    root = merkle.root(leaves)
    ledger.anchor(1, 1000, root, {"from": device.account})
    proof = merkle.prove(leaves, 511)
    call = (device.address, 512, leaves[511], 1, 1000, root, proof)
    assert ledger.verifyReading(*call)
    assert ledger.verifyReading.transact(*call, {"from": relayer}).gas_used <= 60_000


def test_views__given_unknown_device__are_empty(ledger, outsider):
    assert ledger.nextSeqOf(outsider) == 1
    assert plain(ledger.anchorOf(outsider, 1)) == plain(bytes(32))
