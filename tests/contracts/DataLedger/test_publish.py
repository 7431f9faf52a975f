import pytest
from brownie import web3
from eth_abi import encode
from eth_utils import keccak
from reading import plain

from offchain.crypto import sharing

DAY = 86_400
FIELD_PRIME = 0x30644E72E131A029B85045B68181585D97816A916871CA8D3C208C16D87CFD47
COMMITMENT, POSSESSION = 7, 8


def key_hash(publication):
    return keccak(encode(["uint256[4]"], [publication[COMMITMENT]]))


def test_publish__when_caller_is_no_active_processor__reverts(
    ledger, publication, processor, buyer, outsider, revoke, reverts_with
):
    revoke(processor)
    for caller in (processor.account, buyer.account, outsider):
        with reverts_with("DataLedger_NotProcessor", caller):
            ledger.publish(publication(processor), {"from": caller})


@pytest.mark.parametrize(
    "field, changed",
    [
        ("windowFrom", {"windowFrom": 20_000 * DAY + 1}),
        ("windowTo", {"windowTo": 20_007 * DAY - 1}),
        ("windowTo", {"windowTo": 20_000 * DAY}),
        ("windowTo", {"windowTo": 19_999 * DAY}),
        ("kind", {"kind": 0}),
        ("rowCount", {"rowCount": 0}),
        ("manifestLength", {"manifestLength": 0}),
        ("manifestLength", {"manifestLength": 32_769}),
        ("readingsRoot", {"readingsRoot": bytes(32)}),
        ("manifestDigest", {"manifestDigest": bytes(32)}),
        ("keyCommitment", {"keyCommitment": (0, 0, 0, 0)}),
    ],
)
def test_publish__when_field_is_out_of_range__reverts(
    ledger, publication, processor, reverts_with, field, changed
):
    with reverts_with("DataLedger_BadPublication", field):
        ledger.publish(publication(processor, **changed), {"from": processor.account})


def test_publish__given_used_key__reverts(
    ledger, publication, processor, processor_two, reverts_with
):
    key = sharing.DataKey.generate()
    ledger.publish(publication(processor, key=key), {"from": processor.account})
    for publisher in (processor, processor_two):
        again = publication(publisher, key=key)
        with reverts_with("DataLedger_KeyUsed", key_hash(again)):
            ledger.publish(again, {"from": publisher.account})


def test_publish__when_key_proof_is_wrong__reverts(
    ledger, registry, publication, processor, processor_two, reverts_with
):
    expected_id = ledger.nextDataSetId(processor.address)
    good, other = publication(processor), publication(processor)
    wrong = [
        publication(processor, chain_id=web3.eth.chain_id + 1),
        publication(processor, ledger_address=registry.address),
        publication(processor, prove_for=processor_two),
        publication(processor, prove_id=b"\x33" * 32),
        (*good[:POSSESSION], other[POSSESSION]),
        (*good[:POSSESSION], (0, 0)),
        (*good[:POSSESSION], (1, 3)),
    ]
    for attempt in wrong:
        with reverts_with("DataLedger_BadKeyProof", plain(expected_id)):
            ledger.publish(attempt, {"from": processor.account})
    # The very same that was refused for another's proof passes with its own: nothing was used up.
    ledger.publish(good, {"from": processor.account})


def test_publish__when_key_commitment_is_bad_point__reverts(
    ledger, publication, processor, reverts_with
):
    expected_id = ledger.nextDataSetId(processor.address)
    good = publication(processor)
    x_im, x_re, y_im, y_re = good[COMMITMENT]
    for key in ((x_im, x_re, y_im, y_re ^ 1), (x_im, x_re + FIELD_PRIME, y_im, y_re)):
        with reverts_with("DataLedger_BadKeyProof", plain(expected_id)):
            attempt = (*good[:COMMITMENT], key, good[POSSESSION])
            ledger.publish(attempt, {"from": processor.account})


def test_publish__when_everything_fits__stores_and_emits(
    ledger, publication, processor, only_event
):
    data_set_id = ledger.nextDataSetId(processor.address)
    place = [web3.eth.chain_id, ledger.address, processor.address, 0]
    assert plain(data_set_id) == plain(
        keccak(encode(["uint256", "address", "address", "uint256"], place))
    )
    offered = publication(processor)

    tx = ledger.publish(offered, {"from": processor.account})

    window_from, window_to, kind, rows, length, root, digest, _, _ = offered
    assert plain(ledger.dataSetOf(data_set_id)) == plain(
        (
            processor.address,
            window_from,
            window_to,
            kind,
            rows,
            length,
            processor.region,
            root,
            digest,
            key_hash(offered),
        )
    )
    assert plain(only_event(tx, "DataSetPublished")) == plain(
        {
            "dataSetId": data_set_id,
            "processor": processor.address,
            "regionId": processor.region,
            "idCommitment": processor.id_commitment,
            "publication": offered,
        }
    )
    assert plain(tx.return_value) == plain(data_set_id)
    place[-1] = 1
    next_id = keccak(encode(["uint256", "address", "address", "uint256"], place))
    assert plain(ledger.nextDataSetId(processor.address)) == plain(next_id)
    assert ledger.balance() == 0


def test_publish__given_processor_revoked_later__keeps_data_set(
    ledger, publication, processor, revoke
):
    data_set_id = ledger.nextDataSetId(processor.address)
    ledger.publish(publication(processor), {"from": processor.account})
    revoke(processor)
    assert ledger.dataSetOf(data_set_id)["processor"] == processor.address
