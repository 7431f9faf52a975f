"""Owners' lists: exact bytes, strict order, leaves as the contract hashes them."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offchain.crypto import merkle
from offchain.errors import FormatError
from offchain.records import owners
from offchain.records.owners import OwnedRows
from offchain.types import to_account
from tests.unit.records.samples import DEVICE, OTHER_DEVICE, OWNER

OWNED = (OwnedRows(OWNER, 1), OwnedRows(DEVICE, 24), OwnedRows(OTHER_DEVICE, 2**32 - 1))

lists = st.dictionaries(
    st.binary(min_size=20, max_size=20), st.integers(1, 2**32 - 1), min_size=1, max_size=40
).map(lambda rows: tuple(OwnedRows(to_account(at), rows[at]) for at in sorted(rows)))


def test_encode__known_list__is_head_and_twenty_four_bytes_a_device():
    data = owners.encode(OWNED)
    assert data[:12] == b"DMSMOW01\x00\x00\x00\x03"
    assert data[12:36] == b"\x0f" * 20 + b"\x00\x00\x00\x01"
    assert data[60:] == b"\xe2" * 20 + b"\xff" * 4
    assert len(data) == owners.length_of(3) == 84


@given(lists)
def test_decode__given_encoded_list__gives_it_back(owned):
    assert owners.decode(owners.encode(owned)) == owned


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data[:-1],
        lambda data: data + b"\x00",
        lambda data: b"DMSMCT01" + data[8:],
        lambda data: b"DMSMOW02" + data[8:],
        lambda data: data[:8] + b"\x00\x00\x00\x04" + data[12:],
        lambda data: data[:8] + b"\x00\x00\x00\x02" + data[12:],
        lambda data: data[:8] + b"\x00\x01\x00\x03" + data[12:],
        lambda data: data[:8] + bytes(4),
        lambda data: data[:12] + data[36:60] + data[12:36] + data[60:],  # another order
        lambda data: data[:36] + data[12:36] + data[60:],  # a device twice
        lambda data: data[:32] + bytes(4) + data[36:],  # no rows
        lambda data: data[:11],
        lambda data: b"",
        lambda data: data.decode("latin-1"),
    ],
)
def test_decode__given_anything_else__refuses(change):
    with pytest.raises(FormatError):
        owners.decode(change(owners.encode(OWNED)))


@pytest.mark.parametrize(
    "owned",
    [
        (),
        (OwnedRows(DEVICE, 0),),
        (OwnedRows(DEVICE, 2**32),),
        (OwnedRows(DEVICE, True),),
        (OwnedRows(DEVICE, 1), OwnedRows(DEVICE, 1)),
        (OwnedRows(OTHER_DEVICE, 1), OwnedRows(DEVICE, 1)),
        (OwnedRows("0x1234", 1),),
    ],
)
def test_encode_and_root__given_no_list__refuse(owned):
    with pytest.raises(FormatError):
        owners.encode(owned)
    with pytest.raises(FormatError):
        owners.root(owned)


def test_encode__more_devices_than_a_data_set_counts__refuses():
    accounts = (to_account(number.to_bytes(20, "big")) for number in range(65_536))
    with pytest.raises(FormatError, match="number of devices"):
        owners.encode([OwnedRows(account, 1) for account in accounts])


def test_root__single_device__is_the_hash_of_its_word():
    word = b"\xd1" * 20 + bytes(11) + b"\x18"
    assert owners.leaf(OWNED[1]) == word
    assert owners.root(OWNED[1:2]) == hashlib.sha256(b"\x00" + word).digest()


@given(lists, st.data())
def test_prove__any_device_of_a_list__leads_to_the_root(owned, data):
    one = data.draw(st.sampled_from(owned))
    made = owners.prove(owned, one.device)
    assert made is not None and (made.device, made.rows) == (one.device, one.rows)
    assert owned[made.index] == one
    size, root = len(owned), owners.root(owned)
    assert merkle.verify_inclusion(
        owners.leaf(one), made.proof, index=made.index, size=size, root=root
    )
    assert made.words() == (one.device, one.rows, made.index, list(made.proof))


def test_prove__device_outside_the_list__is_none():
    assert owners.prove(OWNED[:2], OTHER_DEVICE) is None
