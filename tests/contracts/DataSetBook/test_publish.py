"""DataSetBook.publish (publish.tree)."""

import publishing
import pytest
from brownie import web3
from eth_abi import encode
from eth_utils import keccak
from publishing import DAY, LONGEST_SALE_S
from reading import plain

from offchain.crypto import sharing

FIELD_PRIME = 0x30644E72E131A029B85045B68181585D97816A916871CA8D3C208C16D87CFD47
MOST_GAS = 332_000  # 310,000 without the owners' root's word


@pytest.fixture
def key():
    return sharing.DataKey.generate()


@pytest.fixture
def send(data_sets, processor):
    """``send(key, publication, by=…, proof=…)``: the transaction, its proof valid if not told."""

    def publish(key, publication, *, by=processor, proof=None):
        proof = proof or publishing.prove(data_sets, by, key, publication)
        return data_sets.publish(publication, proof, {"from": getattr(by, "account", by)})

    return publish


def test_publish__when_caller_is_no_active_processor__reverts(
    send, key, processor, buyer, outsider, device, revoke, reverts_with
):
    publication = publishing.a_publication(key)
    revoke(processor)
    for caller in (processor, buyer, device, outsider):
        with reverts_with("DataSetBook_NotProcessor", caller.address):
            send(key, publication, by=caller)


@pytest.mark.parametrize(
    "field, changed",
    [
        ("windowFrom", {"window_from": 20_000 * DAY + 1}),
        ("windowTo", {"window_to": 20_007 * DAY - 1}),
        ("windowTo", {"window_to": 20_000 * DAY}),
        ("windowTo", {"window_to": 19_999 * DAY}),
        ("saleUntil", {"sale_until": 0}),
        ("kind", {"kind": 0}),
        ("rowCount", {"row_count": 0}),
        ("deviceCount", {"device_count": 0}),
        ("deviceCount", {"row_count": 3, "device_count": 4}),
        ("manifest", {"manifest_length": 0}),
        ("manifest", {"manifest_length": 32_769}),
        ("readingsRoot", {"readings_root": bytes(32)}),
        ("manifest", {"manifest_digest": bytes(32)}),
        ("ownersRoot", {"owners_root": bytes(32)}),
        ("ownersDigest", {"owners_digest": bytes(32)}),
        ("keyCommitment", {"key_commitment": (0, 0, 0, 0)}),
    ],
)
def test_publish__when_field_is_out_of_range__reverts(send, key, reverts_with, field, changed):
    with reverts_with("DataSetBook_BadPublication", field):
        send(key, publishing.a_publication(key)._replace(**changed))


@pytest.mark.parametrize(
    "changed",
    [
        {"window_from": 0, "window_to": DAY},
        {"window_to": (2**40 - 1) // DAY * DAY},
        {"kind": 255},
        {"row_count": 1, "device_count": 1},
        {"row_count": 2**32 - 1, "device_count": 65_535},
        {"manifest_length": 1},
        {"manifest_length": 32_768},
    ],
)
def test_publish__when_fields_are_at_the_edge__publishes(send, key, data_sets, changed):
    publication = publishing.a_publication(key)._replace(**changed)
    send(key, publication)
    data_set_id = publishing.id_of(data_sets, publication.key_commitment)
    window = plain(data_sets.offerOf(data_set_id))[1:3]
    assert window == (publication.window_from, publication.window_to)
    counts = plain(data_sets.earningsOf(data_set_id))[2:4]
    assert counts == (publication.row_count, publication.device_count)


@pytest.mark.parametrize(
    "seconds, fits",
    [(-1, False), (0, False), (1, True), (LONGEST_SALE_S, True), (LONGEST_SALE_S + 1, False)],
)
def test_publish__when_sale_is_a_second_off__reverts(
    send, key, data_sets, reverts_with, at, now, seconds, fits
):
    begin = now() + 10
    publication = publishing.a_publication(key, sale_until=begin + seconds)
    at(begin)
    if not fits:
        with reverts_with("DataSetBook_BadPublication", "saleUntil"):
            send(key, publication)
        return
    send(key, publication)
    data_set_id = publishing.id_of(data_sets, publication.key_commitment)
    assert data_sets.offerOf(data_set_id)[4] == begin + seconds


def test_publish__given_used_key__reverts(
    send, key, data_sets, processor, processor_two, reverts_with
):
    publication = publishing.a_publication(key)
    send(key, publication)
    data_set_id = publishing.id_of(data_sets, publication.key_commitment)
    again = publication._replace(kind=2, readings_root=b"\1" * 32)
    for _ in range(2):
        for publisher in (processor, processor_two):
            with reverts_with("DataSetBook_KeyUsed", data_set_id):
                send(key, again, by=publisher)
        if data_sets.offerOf(data_set_id)[4] == publication.sale_until:
            data_sets.retire(data_set_id, {"from": processor.account})


def test_publish__when_key_proof_is_wrong__reverts(
    send, key, data_sets, registry, processor, processor_two, reverts_with
):
    publication = publishing.a_publication(key)
    data_set_id = publishing.id_of(data_sets, publication.key_commitment)
    other = sharing.DataKey.generate()
    wrong = [
        publishing.prove(data_sets, processor, key, publication, chain_id=web3.eth.chain_id + 1),
        publishing.prove(data_sets, processor, key, publication, book=registry.address),
        publishing.prove(data_sets, processor_two, key, publication),
        publishing.prove(data_sets, processor, key, publication, data_set_id=b"\3" * 32),
        publishing.prove(data_sets, processor, other, publication),
        (0, 0),
        (1, 3),
    ]
    for proof in wrong:
        with reverts_with("DataSetBook_BadKeyProof", data_set_id):
            send(key, publication, proof=proof)
    # The very same that was refused for another's proof passes with its own: nothing was used up.
    send(key, publication)


def test_publish__when_any_field_is_not_the_signed_one__reverts(
    send, key, data_sets, processor, reverts_with
):
    publication = publishing.a_publication(key)
    data_set_id = publishing.id_of(data_sets, publication.key_commitment)
    proof = publishing.prove(data_sets, processor, key, publication)
    changed = {
        "window_from": publication.window_from - DAY,
        "window_to": publication.window_to + DAY,
        "sale_until": publication.sale_until - 1,
        "kind": 2,
        "row_count": publication.row_count + 1,
        "device_count": 2,
        "manifest_length": 2_001,
        **dict.fromkeys(("readings_root", "manifest_digest", "owners_root"), b"\1" * 32),
        "owners_digest": b"\1" * 32,
    }
    assert {*changed, "key_commitment"} == set(publication._fields)
    for field, value in changed.items():
        with reverts_with("DataSetBook_BadKeyProof", data_set_id):
            send(key, publication._replace(**{field: value}), proof=proof)


def test_publish__when_key_commitment_is_bad_point__reverts(send, key, data_sets, reverts_with):
    publication = publishing.a_publication(key)
    x_im, x_re, y_im, y_re = publication.key_commitment
    for point in ((x_im, x_re, y_im, y_re ^ 1), (x_im, x_re + FIELD_PRIME, y_im, y_re)):
        with reverts_with("DataSetBook_BadKeyProof", publishing.id_of(data_sets, point)):
            send(key, publication._replace(key_commitment=point))


def test_publish__when_everything_fits__stores_and_emits(
    send, key, data_sets, processor, only_event, owners
):
    publication = publishing.a_publication(key, owners=owners)
    place = [web3.eth.chain_id, data_sets.address, publication.key_commitment]
    data_set_id = keccak(encode(["uint256", "address", "uint256[4]"], place))
    assert plain(data_sets.dataSetIdOf(publication.key_commitment)) == plain(data_set_id)
    proof = publishing.prove(data_sets, processor, key, publication)

    tx = send(key, publication, proof=proof)

    offer = (processor.address, *publication[:2], publication.kind, publication.sale_until)
    assert plain(data_sets.offerOf(data_set_id)) == plain(offer)
    earnings = (0, 0, owners.rows, len(owners.entries), owners.root)
    assert plain(data_sets.earningsOf(data_set_id)) == plain(earnings)
    assert plain(only_event(tx, "DataSetPublished")) == plain(
        {
            "dataSetId": data_set_id,
            "processor": processor.address,
            "regionId": processor.region,
            "idCommitment": processor.id_commitment,
            "publication": publication,
            "keyPossession": proof,
        }
    )
    assert plain(tx.return_value) == plain(data_set_id)
    assert data_sets.balance() == 0


def test_publish__when_everything_fits__stays_within_gas(send):
    used = []
    for _ in range(2):
        key = sharing.DataKey.generate()
        used.append(send(key, publishing.a_publication(key)).gas_used)
    print(f"gas publish: {used}")
    assert max(used) <= MOST_GAS


def test_publish__given_processor_revoked_later__keeps_data_set(
    published, data_sets, processor, revoke, sale_until
):
    revoke(processor)
    assert data_sets.offerOf(published.data_set_id)[0] == processor.address
    assert sale_until(published) == published.sale_until
