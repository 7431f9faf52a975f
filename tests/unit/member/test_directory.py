"""The directory hands out a Paillier key only with proofs that hold for its very owner."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from offchain.crypto import bls, delivery, key_file
from offchain.crypto.paillier import PaillierPrivateKey, generate_private_key
from offchain.member.directory import MemberDirectory
from offchain.member.errors import UnfitMember
from offchain.member.registration import NO_ADDRESS
from offchain.member.roles import MemberRole
from offchain.storage import ContentStore, open_store

REGISTRY = "0x" + "11" * 20
OWNER, OTHER = "0x" + "22" * 20, "0x" + "33" * 20


@pytest.fixture(scope="module")
def private_key() -> PaillierPrivateKey:
    return generate_private_key(2048)


@pytest.fixture
def store(tmp_path: Path) -> ContentStore:
    return open_store(f"dir:{tmp_path}")


def directory_of(store: ContentStore, digests: dict[str, bytes]) -> MemberDirectory:
    """A directory of users with these digests in the registry."""
    bls_key = bls.public_key(bls.BlsSecretKey.generate()).words()
    ek = delivery.public_key(delivery.DeliverySecretKey.generate()).words()

    def call(contract: str, function: str, account: str) -> object:
        assert (contract, function) == ("MemberRegistry", "memberOf")
        role, digest = MemberRole.USER, digests[account]
        return (int(role), bytes(32), NO_ADDRESS, bytes(32), digest, bls_key, ek), True

    deployment = SimpleNamespace(address=lambda name: REGISTRY)
    gateway = SimpleNamespace(call=call, chain_id=31337, deployment=deployment)
    return MemberDirectory(gateway, store, paillier_bits=2048)  # type: ignore[arg-type]


def test_paillier_key__given_proofs_for_its_owner__is_handed_out(private_key, store) -> None:
    file = key_file.make(private_key, key_file.KeyContext(31337, REGISTRY, OWNER))
    directory = directory_of(store, {OWNER: store.put(file).digest})
    assert directory.paillier_key(OWNER) == private_key.public_key
    assert directory.paillier_key(OWNER) is directory.paillier_key(OWNER)


def test_paillier_key__given_another_members_file__is_refused(private_key, store) -> None:
    file = key_file.make(private_key, key_file.KeyContext(31337, REGISTRY, OWNER))
    digest = store.put(file).digest
    directory = directory_of(store, {OWNER: digest, OTHER: digest})
    directory.paillier_key(OWNER)
    with pytest.raises(UnfitMember, match="not proven"):
        directory.paillier_key(OTHER)


def test_paillier_key__given_bare_key_or_other_chain__is_refused(private_key, store) -> None:
    elsewhere = key_file.make(private_key, key_file.KeyContext(1, REGISTRY, OWNER))
    bare = private_key.public_key.to_bytes()
    for file in (bare, elsewhere):
        directory = directory_of(store, {OWNER: store.put(file).digest})
        with pytest.raises(UnfitMember):
            directory.paillier_key(OWNER)
