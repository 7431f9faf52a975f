"""No secret in repr, and none in the text of an error: every class and module of the project.

A log line or a crash dump shows what `repr` and exceptions show (threat 38). The logs of a whole
run are searched in tests/integration/node/test_no_leaks.py.
"""

from __future__ import annotations

import copy
import dataclasses
import importlib
import inspect
import pickle
import pkgutil
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import device_agent
import offchain
from device_agent.keys import DeviceKeys
from offchain.chain.signing import TransactionSigner
from offchain.crypto import archive, box, kem, keystore, paillier
from offchain.crypto.bls import BlsSecretKey
from offchain.crypto.kdf import DeviceSecret
from offchain.crypto.proof_hash import SecretStream
from offchain.crypto.secret import Secret, SecretBytes, SecretScalar
from offchain.errors import CryptoError, DmsmError
from offchain.member import member_file
from offchain.member.keys import MemberKeys
from offchain.member.roles import MemberRole
from offchain.node.store import StoredDayKeys
from offchain.records import request
from tests.fuzz.decoders import private_key

ASKED = {"devices": (), "from_s": 0, "to_s": 86_400, "time_zone": "UTC", "product": "p"}
# Fields that hold a secret, or what only two parties may read: when and how a home used energy too,
# and the arguments of a call, among which the factor x of a claim stands before it is sent.
SECRET_FIELDS = {
    *("amount", "args", "data", "estimated_wh", "export_wh", "exports_wh", "flags", "import_wh"),
    *("imports_wh", "mean", "own", "power_w", "raw", "slots", "temperature_dc", "temperatures_dc"),
    *("verdict", "wh", "window_from", "window_to"),
    *("account_key", "answer", "answer_bytes", "coins", "energy_wh", "factor"),
    *("group_secret", "identity", "nonce", "nonce_key", "nonce_keys", "paillier_private"),
    *("passphrase", "password", "plaintext", "powers_w", "private_key", "r", "record", "salt"),
    *("seal_key", "secret", "share"),
}
PUBLIC_ALTHOUGH_SO_NAMED = {
    ("ChainEvent", "args"),  # on chain, as are the next three
    ("Log", "data"),
    ("Offer", "data"),  # a tariff, which is to be public
    ("Proposal", "data"),
    ("SentTransaction", "data"),
    ("FixedCharge", "amount"),  # of a tariff
    ("Offer", "data"),  # a published document
    ("Profile", "data"),  # a folder
    ("Program", "flags"),  # how it is built
    *(  # on chain
        (kind, name)
        for kind in (
            "Publication",
            "PublishedDataSet",
            "Sale",
            "ForSale",
            "SeenOffer",
            "Conditions",
        )
        for name in ("window_from", "window_to")
    ),
    ("Conditions", "nonce"),  # on chain
    ("Trial", "power_w"),  # made up
    ("Trial", "temperature_dc"),
    ("Call", "secret"),  # says whether there is one
    ("RequestJob", "answer"),  # sealed twice
    ("RequestJob", "nonce"),  # stands on chain
    ("Selection", "nonce"),  # stands on chain
    ("SignedTransaction", "nonce"),  # counts an account's transactions
    ("LegacyTransaction", "nonce"),  # the same
}


def modules() -> Iterator[object]:
    for package in (offchain, device_agent):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not found.name.endswith("__main__"):
                yield importlib.import_module(found.name)


def classes() -> set[type]:
    return {
        kind
        for module in modules()
        for _, kind in inspect.getmembers(module, inspect.isclass)
        if kind.__module__.startswith(("offchain.", "device_agent."))
    }


def shown_fields(kind: type) -> set[str]:
    """Return the fields that the generated repr of a dataclass shows."""
    params = getattr(kind, "__dataclass_params__", None)
    if params is None or not params.repr:
        return set()
    return {field.name for field in dataclasses.fields(kind) if field.repr}


def is_redacted(kind: type, name: str) -> bool:
    annotation = next(field.type for field in dataclasses.fields(kind) if field.name == name)
    return any(word in str(annotation) for word in ("Secret", "DataKey", "PrivateKey"))


def test_repr__of_every_dataclass__shows_no_field_that_holds_a_secret() -> None:
    leaks = sorted(
        f"{kind.__module__}.{kind.__name__}.{name}"
        for kind in classes()
        for name in shown_fields(kind) & SECRET_FIELDS
        if not is_redacted(kind, name) and (kind.__name__, name) not in PUBLIC_ALTHOUGH_SO_NAMED
    )
    assert leaks == []


def test_shown_fields__given_a_careless_dataclass__names_its_secret() -> None:
    careless = dataclasses.make_dataclass("Careless", [("identity", str)])
    assert shown_fields(careless) & SECRET_FIELDS == {"identity"}


def test_repr__of_every_secret__is_the_redacted_one() -> None:
    secrets = [kind for kind in classes() if issubclass(kind, Secret)]
    assert {SecretBytes, SecretScalar, paillier.PaillierPrivateKey} <= set(secrets)
    for kind in secrets:
        assert kind.__repr__ is Secret.__repr__ and kind.__str__ is object.__str__
        assert kind.__reduce_ex__ is Secret.__reduce_ex__ and kind.__format__ is object.__format__
        assert kind.__hash__ is None


def test_pickle__of_what_holds_a_secret_and_is_no_secret_type__is_refused() -> None:
    key = private_key()
    opening = kem.Opening(3, 5)
    held = [
        opening,
        kem.encapsulate(key.public_key, context=b""),
        SecretStream(bytes(32), b""),
        TransactionSigner(MARK[:32], chain_id=1),
        StoredDayKeys(sealed_digest=b"", seal_key=MARK, nonce_key=MARK),
        request.RequestText(
            identity="x", salt=MARK, devices=(), from_s=0, to_s=86_400, time_zone="UTC", product="p"
        ),
        DeviceKeys(account=SecretBytes(MARK), bls=BlsSecretKey(7), secret=DeviceSecret(MARK[:32])),
        MemberKeys.generate(MemberRole.DEVICE),
    ]
    for one in held:
        for give in (pickle.dumps, copy.deepcopy):
            with pytest.raises(CryptoError, match="pickled or copied"):
                give(one)
    assert opening == kem.Opening(3, 5)


MARK = b"\x5e\xc4\xe7" * 11  # 33 bytes that no honest text holds
HEX, NUMBER = MARK[:32].hex(), int.from_bytes(MARK[:32], "big")


def provoke(folder: Path) -> Iterator[tuple[str, Callable[[], object]]]:
    """Yield calls that fail over a secret which was handed to them."""
    key, password = private_key(), SecretBytes(MARK)
    sealed = kem.seal(key.public_key, b"x", context=b"")
    yield "scalar", lambda: BlsSecretKey(NUMBER << 8)
    yield "device secret", lambda: DeviceSecret(MARK)
    yield "plaintext", lambda: paillier.encrypt(key.public_key, NUMBER << 1024)
    yield "private key", lambda: paillier.PaillierPrivateKey(NUMBER, NUMBER, allow_small=True)
    yield (
        "private bytes",
        lambda: paillier.PaillierPrivateKey.from_bytes(b"DMQ1\x00\x10" + MARK[:32]),
    )
    yield "box key", lambda: box.seal(MARK, b"", context=b"")
    yield "context", lambda: kem.open_sealed(key, sealed, context=MARK)
    yield "account", lambda: keystore.save_account(folder / "a", b"\xff" * 4 + MARK[:28], password)
    yield "account's length", lambda: keystore.save_account(folder / "a", MARK, password)
    yield (
        "password",
        lambda: keystore.save_account(folder / "a", MARK[:32], SecretBytes(b"\xff" + MARK)),
    )
    yield "no keystore", lambda: keystore.load_bls(written(folder, MARK), password)
    yield "archive", lambda: archive.encode_files({"../" + HEX: MARK})
    yield "archive content", lambda: archive.decode_files(b"\x03bls\0\0\0\x40" + MARK)
    yield "identity", lambda: member_file.decode_identity(b'{"identity":"' + MARK + b'"}')
    yield "request", lambda: request.decode(b'{"id":"' + HEX.encode() + b'"}')
    yield (
        "request's salt",
        lambda: request.encode(
            request.RequestText(
                identity=HEX * 2,
                salt=MARK,
                devices=(),
                from_s=0,
                to_s=86_400,
                time_zone="UTC",
                product="p",
            )
        ),
    )


def written(folder: Path, data: bytes) -> Path:
    path = folder / "file"
    path.write_bytes(data)
    path.chmod(0o600)
    return path


def test_errors__over_a_secret__do_not_repeat_it(tmp_path: Path) -> None:
    for name, call in provoke(tmp_path):
        with pytest.raises(DmsmError) as caught:
            call()
        text = "".join(traceback.format_exception(caught.value)) + repr(caught.value.args)
        for shown in (HEX[:24], str(NUMBER)[:20], repr(MARK)[2:20], "5ec4e75ec4"):
            assert shown not in text, name
