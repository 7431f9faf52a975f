"""Every decoder of foreign bytes as one function of bytes, for fuzzing and for the replay in CI.

A decoder may return or raise a DmsmError, and nothing else. Decoders that need a key have a small
fixed one here; key files have their cost of guessing capped, since it is high on purpose.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import gmpy2
from eth_account import Account

from device_agent import config, notify
from offchain import settings
from offchain.billing import price_series, tariff_document
from offchain.buyer import export
from offchain.chain import codec, deployment, reverts
from offchain.chain.deployment import DeployedContract, Deployment
from offchain.crypto import (
    archive,
    box,
    commitment,
    curve,
    kem,
    key_file,
    keystore,
    paillier,
    private_file,
)
from offchain.crypto.bls import BlsSecretKey
from offchain.crypto.secret import SecretBytes
from offchain.crypto.threshold_key import KeyShare, ThresholdPublicKey
from offchain.crypto.threshold_paillier import PartialDecryption
from offchain.member import member_file
from offchain.member.registration import Registration
from offchain.records import (
    aggregate_key,
    aggregate_opening,
    aggregate_set,
    answer,
    canonical_json,
    ciphertexts,
    dataset,
    envelope,
    evidence,
    inflate,
    meter_csv,
    owners,
    reading,
    report,
    request,
    sharing,
    signing,
    varint,
)
from offchain.storage import blocks, car
from offchain.storage.cid import Cid
from offchain.types import to_account
from tests.fuzz.corpus import CORPUS

Decoder = Callable[[bytes], object]

PASSWORD = SecretBytes(b"fuzz")
BOX_KEY = bytes(32)
CONTEXT = b"context"
BODY_BYTES = 1 << 20
KEY_CONTEXT = key_file.KeyContext(1, "0x" + "11" * 20, "0x" + "22" * 20)
COMPANION_ROWS = 1 << 16  # what the manifest of the data set announced


def _prime(label: bytes) -> int:
    start = int.from_bytes(hashlib.shake_256(label).digest(32), "big") | 3 << 254
    return int(gmpy2.next_prime(start))


@cache
def private_key() -> paillier.PaillierPrivateKey:
    """Return a fixed 512-bit key: small, so that many messages are tried a second."""
    return paillier.PaillierPrivateKey(_prime(b"p"), _prime(b"q"), allow_small=True)


@cache
def blum_key() -> paillier.PaillierPrivateKey:
    """Return a fixed 512-bit key whose primes are 3 modulo 4, as the proofs of a key need them."""
    primes = []
    for label in (b"p", b"q"):
        prime = _prime(label)
        while prime % 4 != 3:
            prime = int(gmpy2.next_prime(prime))
        primes.append(prime)
    return paillier.PaillierPrivateKey(*primes, allow_small=True)


@cache
def threshold_key() -> ThresholdPublicKey:
    """Return the key that the corpus describes: dealing is random, and shares must fit it."""
    seed = (CORPUS / "aggregate-key" / "seed").read_bytes()
    return aggregate_key.decode_aggregate_key(seed).public_key(allow_small=True)


@cache
def lock_view() -> codec.Abi:
    """Return the ABI entry of a view with a struct in its result."""
    entries = deployment.load_abi("PrepaidLock")
    return next(entry for entry in entries if entry.get("name") == "lockOf")


@cache
def _one_contract() -> Deployment:
    abi = deployment.load_abi("PrepaidLock")
    contract = DeployedContract("PrepaidLock", "0x" + "11" * 20, 1, abi)
    return Deployment(chain_id=1, contracts={"PrepaidLock": contract})


def _body(read: Callable[[object], object]) -> Decoder:
    return lambda data: read(canonical_json.parse(data, max_bytes=BODY_BYTES))


@cache
def _folder() -> Path:
    holder = tempfile.TemporaryDirectory(prefix="dmsm-fuzz-")
    _folders.append(holder)
    return Path(holder.name)


_folders: list[tempfile.TemporaryDirectory[str]] = []


def _file(read: Callable[[Path], object], name: str = "input") -> Decoder:
    def decode(data: bytes) -> object:
        path = _folder() / name
        path.write_bytes(data)
        path.chmod(0o600)
        return read(path)

    return decode


def _text(read: Callable[[str], object]) -> Decoder:
    return lambda data: read(data.decode("utf-8", "surrogateescape"))


def _opened_with_opening(data: bytes) -> object:
    key = private_key().public_key
    opening = kem.Opening.from_bytes(key, data[: 2 * key.byte_length])
    sealed = data[2 * key.byte_length :]
    return kem.open_with_opening(key, sealed, opening, context=CONTEXT)


def _columns(data: bytes) -> object:
    return varint.decode_columns(data[1:], columns=4, rows=data[0] if data else 0)


def _member_file(path: Path) -> object:
    return member_file.read(path, Account.from_key(bytes(31) + b"\x01"))


DECODERS: dict[str, Decoder] = {
    # points, keys, messages
    "g1": curve.G1.from_bytes,
    "g1-or-infinity": lambda data: curve.G1.from_bytes(data, allow_infinity=True),
    "g2": curve.G2.from_bytes,
    "scalar": BlsSecretKey.from_bytes,
    "paillier-public": lambda data: paillier.PaillierPublicKey.from_bytes(
        data, bits=None, allow_small=True
    ),
    "paillier-private": lambda data: paillier.PaillierPrivateKey.from_bytes(
        data, bits=None, allow_small=True
    ),
    "paillier-ciphertext": lambda data: paillier.decrypt(
        private_key(), paillier.ciphertext_from_bytes(private_key().public_key, data)
    ),
    "sealed-message": lambda data: kem.open_sealed(private_key(), data, context=CONTEXT),
    "opening": _opened_with_opening,
    "box": lambda data: box.open_sealed(BOX_KEY, data, context=CONTEXT),
    "signature": lambda data: signing.verify_signature(
        bytes(32), data, to_account("0x" + "11" * 20)
    ),
    "identity": _text(lambda text: commitment.identity_commitment(text, bytes(32))),
    # key files
    "keystore-account": _file(lambda path: keystore.load_account(path, PASSWORD)),
    "keystore-bls": _file(lambda path: keystore.load_bls(path, PASSWORD)),
    "keystore-delivery": _file(lambda path: keystore.load_delivery(path, PASSWORD)),
    "keystore-paillier": _file(
        lambda path: keystore.load_paillier(path, PASSWORD, allow_small=True)
    ),
    "keystore-device": _file(lambda path: keystore.load_device(path, PASSWORD)),
    "member-file": _file(_member_file),
    "password-file": _file(private_file.read_password),
    "archive": _file(lambda path: archive.read_archive(path, PASSWORD)),
    "archive-content": archive.decode_files,
    # canonical records
    "canonical-json": lambda data: canonical_json.loads(data, max_bytes=BODY_BYTES),
    "json-body": lambda data: canonical_json.parse(data, max_bytes=BODY_BYTES),
    "inflate": lambda data: inflate.inflate(data, max_bytes=1 << 20),
    "columns": _columns,
    "reading": reading.decode,
    "request": request.decode,
    "answer": answer.decode,
    "reply": answer.decode_reply,
    "tariff-document": tariff_document.decode,
    "price-series": price_series.decode,
    "report": report.decode,
    "manifest": dataset.decode_manifest,
    "companion": lambda data: dataset.decode_companion(data, max_rows=COMPANION_ROWS),
    "ciphertext-file": ciphertexts.decode_ciphertexts,
    "owners": owners.decode,
    "openings": sharing.decode_openings,
    "id-opening": sharing.decode_opening,
    "selection": sharing.decode_selection,
    "share": sharing.decode_share,
    "evidence": evidence.decode_sealed,
    "evidence-document": evidence.decode,
    # sums under encryption
    "key-file": lambda data: key_file.read(data, KEY_CONTEXT, bits=None, allow_small=True),
    "aggregate-key": aggregate_key.decode_aggregate_key,
    "aggregate-set": aggregate_set.decode_aggregate_set,
    "aggregate-rows": lambda data: aggregate_set.decode_rows(data, modulus_bytes=64),
    "announcement": aggregate_set.decode_announcement,
    "member-opening": aggregate_opening.decode_member_opening,
    "key-share": lambda data: KeyShare.from_bytes(data, public_key=threshold_key()),
    "partial-decryption": lambda data: PartialDecryption.from_bytes(
        data, index=1, public_key=threshold_key()
    ),
    # what a chain node says
    "chain-result": lambda data: codec.decode_result(lock_view(), data),
    "chain-revert": lambda data: reverts.decode_revert(_one_contract(), "PrepaidLock", data),
    # HTTP bodies
    "body-days": _body(envelope.DayKeys.from_json),
    "body-readings": _body(envelope.Envelopes.from_json),
    "body-batches": _body(envelope.BatchNotice.from_json),
    "body-reports": _body(envelope.SealedReport.from_json),
    "body-shares": _body(sharing.ShareDelivery.from_json),
    # the content store
    "cid": _text(Cid.parse),
    "block-index": blocks.read_index,
    "car-archive": lambda data: list(car.read_car([data])),
    # files that people hand over
    "registration": _text(Registration.from_json),
    "export-csv": _file(lambda path: export.read_export(path, chain_id=1), "export.csv"),
    "meter-csv": _file(meter_csv.read),
    "profile": _file(settings.load_profile),
    "agent-config-json": _file(config.load_config, "agent.json"),
    "agent-config-toml": _file(config.load_config, "agent.toml"),
    "trials": _file(notify.load_trials),
    "deployment": _file(deployment.load_deployment),
}


def cap_the_cost_of_guessing() -> None:
    """Let key files ask for the lightest scrypt only; a real one costs 128 MiB on purpose."""
    keystore._MAX_SCRYPT_N = keystore.LIGHT_SCRYPT_N
    keystore._MAX_PBKDF2_ROUNDS = 10_000
