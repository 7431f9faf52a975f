"""A member's keys: generated, kept in a folder, and turned into a registration."""

import json
import stat
from pathlib import Path

import pytest

from offchain.crypto import bls, delivery, key_file, messages
from offchain.crypto.curve import G1, G2
from offchain.crypto.paillier import PaillierPrivateKey, generate_private_key
from offchain.crypto.secret import SecretBytes
from offchain.errors import KeystoreError, WrongPasswordError
from offchain.member.errors import MemberError, UnfitMember
from offchain.member.keys import MemberKeys
from offchain.member.registration import (
    NO_ADDRESS,
    Registration,
    region_id,
    region_name,
)
from offchain.member.roles import MemberRole
from offchain.storage import open_store

PASSWORD = SecretBytes(b"correct horse")
REGISTRY = "0x" + "11" * 20


@pytest.fixture(scope="module")
def paillier_key() -> PaillierPrivateKey:
    return generate_private_key(2048)


@pytest.fixture(scope="module")
def user(paillier_key: PaillierPrivateKey) -> MemberKeys:
    return MemberKeys.generate(MemberRole.USER, paillier_key=paillier_key)


@pytest.fixture(scope="module")
def device() -> MemberKeys:
    return MemberKeys.generate(MemberRole.DEVICE)


def registration_of(keys: MemberKeys, **more: object) -> Registration:
    return keys.registration(
        chain_id=31337, registry=REGISTRY, region_id=region_id("north"), **more
    )


@pytest.mark.parametrize("which", ["user", "device"])
def test_load__given_saved_keys__returns_the_same(
    which: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    keys: MemberKeys = request.getfixturevalue(which)
    keys.save(tmp_path / "keys", PASSWORD, light=True)

    loaded = MemberKeys.load(tmp_path / "keys", PASSWORD)

    assert (loaded.role, loaded.address) == (keys.role, keys.address)
    assert (loaded.identity, loaded.salt) == (keys.identity, keys.salt)
    assert loaded.bls == keys.bls and loaded.delivery == keys.delivery
    assert loaded.device_secret == keys.device_secret
    assert (loaded.paillier is None) == (which == "device")


def test_save__given_folder__keeps_secrets_out_of_the_clear(
    user: MemberKeys, tmp_path: Path
) -> None:
    user.save(tmp_path / "keys", PASSWORD, light=True)

    for path in (tmp_path / "keys").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert user.identity not in path.read_text()
        assert user.salt.hex() not in path.read_text()
    with pytest.raises(KeystoreError):
        user.save(tmp_path / "keys", PASSWORD, light=True)


def test_load__given_wrong_password_or_no_folder__raises(user: MemberKeys, tmp_path: Path) -> None:
    user.save(tmp_path / "keys", PASSWORD, light=True)

    with pytest.raises(WrongPasswordError):
        MemberKeys.load(tmp_path / "keys", SecretBytes(b"wrong"))
    with pytest.raises(MemberError, match="holds no member's keys"):
        MemberKeys.load(tmp_path / "nowhere", PASSWORD)


def test_load__given_role_changed_in_the_file__raises(user: MemberKeys, tmp_path: Path) -> None:
    user.save(tmp_path / "keys", PASSWORD, light=True)
    path = tmp_path / "keys" / "member.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"role": "PROCESSOR"}))

    with pytest.raises(Exception, match="refused"):
        MemberKeys.load(tmp_path / "keys", PASSWORD)


def test_registration__given_user__proves_both_keys(user: MemberKeys) -> None:
    made = registration_of(user)
    role, region, owner, _, digest, bls_words, delivery_words = made.profile
    possession, nonce, response = made.proofs
    bls_key = G2.from_words(bls_words)
    message = messages.possession_message(
        chain_id=31337,
        registry=REGISTRY,
        account=user.address,
        member_role=MemberRole.USER,
        bls_key=bls_key,
    )

    assert (role, region_name(region), owner) == (MemberRole.USER, "north", NO_ADDRESS)
    file = user.paillier_file(chain_id=31337, registry=REGISTRY)
    assert digest == key_file.digest(file)
    context = key_file.KeyContext(31337, REGISTRY, user.address)
    assert key_file.read(file, context, bits=2048) == user.decryption_key.public_key
    assert bls.verify_possession(bls_key, message, G1.from_words(possession))
    assert delivery.verify_proof(
        G1.from_words(delivery_words),
        delivery.DeliveryProof(G1.from_words(nonce), response),
        chain_id=31337,
        registry=REGISTRY,
        account=user.address,
        member_role=MemberRole.USER,
    )


def test_registration__given_device__has_no_delivery_and_no_paillier_key(
    device: MemberKeys, user: MemberKeys
) -> None:
    made = registration_of(device, owner=user.address)

    assert made.profile[2] == user.address
    assert made.profile[4] == bytes(32) and made.profile[6] == (0, 0)
    with pytest.raises(UnfitMember):
        _ = device.decryption_key
    with pytest.raises(UnfitMember):
        _ = device.share_key


def test_registration__given_a_company__carries_its_name(
    paillier_key: PaillierPrivateKey, user: MemberKeys
) -> None:
    node = MemberKeys.generate(MemberRole.PROCESSOR, paillier_key=paillier_key)
    made = registration_of(node, name="Stadtwerke Köln")
    assert made.name == "Stadtwerke Köln" and registration_of(user).name == ""
    assert Registration.from_json(made.to_json()) == made
    for keys, name in ((node, ""), (node, " Köln"), (user, "Anna")):
        with pytest.raises(MemberError):
            registration_of(keys, name=name)


@pytest.mark.parametrize("name", ["", "Grid\u202eNorth", "x" * 65])
def test_from_json__given_a_name_that_does_not_fit__raises(
    paillier_key: PaillierPrivateKey, name: str
) -> None:
    node = MemberKeys.generate(MemberRole.PROCESSOR, paillier_key=paillier_key)
    made = json.loads(registration_of(node, name="Grid").to_json())
    with pytest.raises(MemberError):
        Registration.from_json(json.dumps(made | {"name": name}))


def test_from_json__given_own_text__gives_the_same_registration(user: MemberKeys) -> None:
    made = registration_of(user)

    assert Registration.from_json(made.to_json()) == made
    assert user.identity not in made.to_json()


NO_STRUCT = '{"account":"0x%s","name":"","profile":%%s,"proofs":[]}' % ("ab" * 20)


@pytest.mark.parametrize(
    "text",
    [
        *("", "[]", "{}", '{"account":1,"name":"","profile":[1.5],"proofs":[]}'),
        *(NO_STRUCT % one for one in ("[1.5]", "{}", '[{"int":"0x2"}]')),
    ],
)
def test_from_json__given_anything_else__raises(text: str) -> None:
    with pytest.raises(MemberError):
        Registration.from_json(text)


@pytest.mark.parametrize("name", ["", "x" * 33, "nörd"])
def test_region_id__given_unfit_name__raises(name: str) -> None:
    with pytest.raises(MemberError):
        region_id(name)


def test_publish_paillier_key__given_store__puts_it_under_its_digest(
    user: MemberKeys, tmp_path: Path
) -> None:
    store = open_store(f"dir:{tmp_path}")

    cid = user.publish_paillier_key(store, chain_id=31337, registry=REGISTRY)

    assert cid.digest == registration_of(user).profile[4]


def test_repr__given_keys__shows_no_secret(user: MemberKeys) -> None:
    assert user.identity not in repr(user) and user.salt.hex() not in repr(user)
    assert user.account.key.hex() not in repr(user)
