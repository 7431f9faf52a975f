"""What is published and asked for is checked by its id alone, whoever tells of it."""

from dataclasses import fields, replace
from types import SimpleNamespace
from typing import Any

import pytest

from offchain.chain.gateway import ChainGateway
from offchain.crypto import curve, messages, sharing
from offchain.crypto.sharing import DataKey
from offchain.index.asked.rows import LogPlace
from offchain.member.broadcast import Conditions, purpose_text
from offchain.member.data_sets import (
    Publication,
    PublishedDataSet,
    Sale,
    data_set_id_of,
)
from offchain.types import to_account
from tests.unit.index.simulated import CHAIN_ID, deployment

NODE, BUYER = to_account("0x" + "9a" * 20), to_account("0x" + "b1" * 20)
KEY = DataKey(7)
DAY = 86_400


@pytest.fixture(scope="module")
def gateway() -> ChainGateway:
    """As much of a gateway as a check without a chain needs."""
    parts = {"chain_id": CHAIN_ID, "deployment": deployment(), "local_pairings": True}
    return SimpleNamespace(**parts)  # type: ignore[return-value]


@pytest.fixture(scope="module")
def published(gateway: ChainGateway) -> PublishedDataSet:
    publication = Publication(
        window_from=17_000 * DAY,
        window_to=17_007 * DAY,
        sale_until=17_030 * DAY,
        kind=1,
        row_count=168,
        device_count=2,
        manifest_length=2_000,
        readings_root=b"r" * 32,
        manifest_digest=b"m" * 32,
        owners_root=b"o" * 32,
        owners_digest=b"d" * 32,
        key_commitment=sharing.key_commitment(KEY),
    )
    data_set_id = data_set_id_of(gateway, publication.key_commitment)
    message = messages.data_key_message(
        chain_id=CHAIN_ID,
        data_sets=gateway.deployment.address("DataSetBook"),
        processor=NODE,
        data_set_id=data_set_id,
        publication_digest=messages.publication_digest(publication.words()),
    )
    values = {one.name: getattr(publication, one.name) for one in fields(Publication)}
    return PublishedDataSet(
        **values,
        data_set_id=data_set_id,
        processor=NODE,
        region_id=b"north".ljust(32, b"\0"),
        key_possession=sharing.prove_data_key(KEY, message),
        place=LogPlace(5, 1),
    )


def test_is_proven__as_it_was_published__holds(
    published: PublishedDataSet, gateway: ChainGateway
) -> None:
    assert published.is_proven(gateway)


def altered(value: Any) -> Any:
    if isinstance(value, int):
        return value + 1
    if isinstance(value, bytes):
        return value[:-1] + b"\x00"
    return BUYER if isinstance(value, str) else curve.multiply(value, 2)


@pytest.mark.parametrize(
    "name",
    [*(one.name for one in fields(Publication)), "data_set_id", "processor", "key_possession"],
)
def test_is_proven__any_field_altered__does_not_hold(
    published: PublishedDataSet, gateway: ChainGateway, name: str
) -> None:
    told = replace(published, **{name: altered(getattr(published, name))})
    assert not told.is_proven(gateway)


def test_is_proven__another_key_with_its_own_proof__does_not_hold(
    published: PublishedDataSet, gateway: ChainGateway
) -> None:
    """Who lies about all fields can sign them under a key of his own: the id is not that key's."""
    other = DataKey(9)
    told = replace(published, key_commitment=sharing.key_commitment(other), row_count=9)
    message = messages.data_key_message(
        chain_id=CHAIN_ID,
        data_sets=gateway.deployment.address("DataSetBook"),
        processor=NODE,
        data_set_id=told.data_set_id,
        publication_digest=messages.publication_digest(told.words()),
    )
    told = replace(told, key_possession=sharing.prove_data_key(other, message))
    assert not told.is_proven(gateway)


@pytest.mark.parametrize(
    ("window", "shared"),
    [((0, 5), 0), ((0, 11), 1), ((12, 15), 3), ((18, 30), 2), ((20, 30), 0), ((0, 99), 10)],
)
def test_overlaps__window__is_what_both_have(window: tuple[int, int], shared: int) -> None:
    assert Sale(NODE, 10, 20, 1, 99).overlaps(*window) == shared


CONDITIONS = Conditions(
    window_from=0,
    window_to=DAY,
    kind=1,
    group_size=3,
    threshold=2,
    max_price_wei=10**18,
    respond_by=100,
    select_by=200,
    openings_length=900,
    openings_digest=b"o" * 32,
    nonce=b"n" * 32,
    regions=(b"north".ljust(32, b"\0"),),
    purpose=b"a study",
)


@pytest.mark.parametrize("name", [one.name for one in fields(Conditions)])
def test_id__any_condition_altered__is_another(gateway: ChainGateway, name: str) -> None:
    value = getattr(CONDITIONS, name)
    other = (*value, b"s" * 32) if isinstance(value, tuple) else altered(value)
    assert replace(CONDITIONS, **{name: other}).id(gateway, BUYER) != CONDITIONS.id(gateway, BUYER)
    assert CONDITIONS.id(gateway, NODE) != CONDITIONS.id(gateway, BUYER)


@pytest.mark.parametrize(
    ("purpose", "told"),
    [
        (b"Lastspitzen", "Lastspitzen"),
        ("étude".encode(), "étude"),
        (b"\xff\xfe", "��"),
        (b"a\x1b[2Jb\nc", "a�[2Jb�c"),
        ("a‮b".encode(), "a�b"),
    ],
)
def test_purpose_text__whatever_bytes__moves_no_cursor(purpose: bytes, told: str) -> None:
    assert purpose_text(purpose) == told
