"""Write the seed corpus: one honest input for each decoder, from the samples of the unit tests.

    .venv/bin/python -m tests.fuzz.make_corpus

Inputs that fuzzing found are added to the same folders by hand, under names that say what they do.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from eth_account import Account

from offchain.billing import price_series
from offchain.buyer import export
from offchain.chain import codec, deployment
from offchain.crypto import archive, bls, box, curve, kem, key_file, keystore, paillier
from offchain.crypto.delivery import DeliverySecretKey
from offchain.crypto.kdf import DeviceSecret
from offchain.crypto.threshold_paillier import partially_decrypt
from offchain.member import member_file
from offchain.member.registration import Registration
from offchain.member.roles import MemberRole
from offchain.records import (
    aggregate_set,
    answer,
    canonical_json,
    ciphertexts,
    envelope,
    evidence,
    owners,
    reading,
    sharing,
    signing,
    varint,
)
from offchain.records.inflate import deflate
from offchain.records.owners import OwnedRows
from offchain.storage import blocks, car
from offchain.storage.cid import Cid
from offchain.storage.group import group_of, raw_link
from tests.fuzz import decoders
from tests.fuzz.corpus import CORPUS
from tests.unit.records import samples
from tests.unit.records import test_aggregate as aggregates
from tests.unit.records import test_documents as documents

_SCRYPT = {"scrypt_n": keystore.LIGHT_SCRYPT_N}
_PROFILE = b"""\
rpc_url = "http://127.0.0.1:8545"
deployment = "deployment.json"
store = "dir:store"
keys = "keys"
password_file = "password"
data = "data"
[node]
listen = "127.0.0.1:0"
data_set_price_wei = 5
[peers]
0xd1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1 = "http://127.0.0.1:1"
"""
_AGENT = {
    "rpc_url": "http://127.0.0.1:8545",
    "deployment": "deployment.json",
    "node_url": "http://127.0.0.1:1",
    "keys": "keys",
    "password_file": "password",
    "outbox": "outbox.sqlite",
    "meter_csv": "meter.csv",
    "days": 3,
}


def main() -> None:
    """Write all seeds; files that are there already stay."""
    for name, seed in seeds():
        path = CORPUS / name / "seed"
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.write_bytes(seed)
            print(name, len(seed))


def seeds() -> Iterator[tuple[str, bytes]]:
    """Yield (decoder, honest input)."""
    yield from _crypto()
    with tempfile.TemporaryDirectory() as folder:
        yield from _key_files(Path(folder))
    yield from _records()
    yield from _bodies()
    with tempfile.TemporaryDirectory() as folder:
        yield from _files(Path(folder))
    yield from _aggregates()
    yield from _chain()


def _crypto() -> Iterator[tuple[str, bytes]]:
    key = decoders.private_key()
    public = key.public_key
    sealed = kem.seal(public, b"a message", context=decoders.CONTEXT)
    yield "g1", curve.G1_GENERATOR.to_bytes()
    yield "g1-or-infinity", bytes(64)
    yield "g2", curve.G2_GENERATOR.to_bytes()
    yield "scalar", bytes(31) + b"\x07"
    yield "paillier-public", public.to_bytes()
    yield "paillier-private", key.to_bytes()
    ciphertext = paillier.encrypt(public, 7)
    yield "paillier-ciphertext", paillier.ciphertext_to_bytes(public, ciphertext)
    yield "sealed-message", sealed
    yield "opening", kem.opening(key, sealed).to_bytes(public) + sealed
    yield "box", box.seal(decoders.BOX_KEY, b"a message", context=decoders.CONTEXT)
    yield "signature", signing.sign(bytes(32), documents.ACCOUNT_KEY)
    yield "identity", "häuser".encode()


def _key_files(folder: Path) -> Iterator[tuple[str, bytes]]:
    password, account = decoders.PASSWORD, Account.from_key(bytes(31) + b"\x01")
    keystore.save_account(folder / "account", bytes(account.key), password, **_SCRYPT)
    keystore.save_bls(folder / "bls", bls.BlsSecretKey(7), password, **_SCRYPT)
    keystore.save_delivery(folder / "delivery", DeliverySecretKey(7), password, **_SCRYPT)
    keystore.save_paillier(folder / "paillier", decoders.private_key(), password, **_SCRYPT)
    keystore.save_device(folder / "device", DeviceSecret(bytes(32)), password, **_SCRYPT)
    for name in ("account", "bls", "delivery", "paillier", "device"):
        yield f"keystore-{name}", (folder / name).read_bytes()
    path = folder / "member.json"
    member_file.write(
        path, role=MemberRole.USER, account=account, identity="häuser", salt=bytes(32)
    )
    yield "member-file", path.read_bytes()
    yield "password-file", b"correct horse\n"
    files = {"account": bytes(account.key), "role": b"USER", "retired/001/bls": bytes(32)}
    archive.write_archive(folder / "archive", files, password, **_SCRYPT)
    yield "archive", (folder / "archive").read_bytes()
    yield "archive-content", archive.encode_files(files)


def _records() -> Iterator[tuple[str, bytes]]:
    record = reading.encode(documents.ROWS[3])
    encoded = {name: encode(value) for name, (encode, _, value) in documents.CODECS.items()}
    yield "canonical-json", encoded["bill"]
    yield "json-body", b'{ "b": [1, -2, null, true], "a": "\\u00e4" }'
    yield "inflate", deflate(record * 20)
    yield "columns", b"\x03" + varint.encode_columns([(1, 2, 3)] * 4)
    yield "reading", record
    for name in ("request", "report", "manifest", "companion", "selection", "share"):
        yield name, encoded[name]
    yield "answer", encoded["bill"]
    yield "reply", answer.encode_reply(encoded["advice"], documents.SIGNATURE)
    yield "id-opening", encoded["id opening"]
    yield "openings", encoded["openings"]
    shown = evidence.AnswerEvidence(answer=b"r" * 64, request=None, claims=("result: wrong",))
    yield "evidence-document", evidence.encode(shown)
    keys = {samples.OWNER: b"k" * 80, samples.PROCESSOR: b"l" * 80}
    yield "evidence", evidence.encode_keys(keys) + bytes(60)
    yield "tariff-document", canonical_json.dumps(_tariff_document())
    slots: dict[str, Any] = {"currency": "EUR", "resolution_s": 900, "start": 1_700_000_000}
    yield "price-series", price_series.encode(name="spot", prices=[-5, 0, 70_000], **slots)
    device = ciphertexts.DeviceCiphertexts(
        device=samples.DEVICE, rows=2, ciphertexts=(bytes(128),), commitments=(bytes(32),) * 2
    )
    file = ciphertexts.CiphertextFile(modulus=b"\x80" + bytes(63), devices=(device,))
    yield "ciphertext-file", ciphertexts.encode_ciphertexts(file)
    owned = (OwnedRows(samples.OWNER, 3), OwnedRows(samples.DEVICE, 24))
    yield "owners", owners.encode(owned)


def _tariff_document() -> dict[str, Any]:
    periods = [
        {"name": "peak", "price": 9, "days": ["mon", "holiday"], "from": "07:00", "to": "24:00"},
        {"name": "other", "price": 4, "months": [1, 12], "from": "23:00", "to": "06:30"},
        {"name": "base", "price": -3},
    ]
    dynamic = {"resolution_s": 900, "factor_ppm": 5, "adder": 1, "series": {"name": "spot"}}
    listed = {"resolution_s": 3_600, "factor_ppm": 5, "adder": 1, "series": ["ab" * 32]}
    tiers = [{"up_to_wh": 5_000, "price": 5}, {"up_to_wh": None, "price": 7}]
    peak = {"resolution_s": 900, "price_per_kw": 4, "minimum_w": 2_500}
    return {
        "v": 2,
        "name": "all kinds",
        "currency": "EUR",
        "minor_digits": 2,
        "time_zone": "Europe/Amsterdam",
        "valid_from": "2024-01-01",
        "valid_to": "2025-01-01",
        "holidays": ["2024-12-25"],
        "import": [
            {"kind": "flat", "name": "grid", "price": 5},
            {"kind": "schedule", "name": "energy", "periods": periods},
            {"kind": "dynamic", "name": "spot", **dynamic},
            {"kind": "tiered", "name": "levy", "per": "month", "tiers": tiers},
            {"kind": "peak", "name": "capacity", **peak},
        ],
        "export": [{"kind": "dynamic", "name": "feed-in", **listed}],
        "fixed": [{"name": "meter", "per": "day", "amount": 100_000}],
        "taxes": [{"name": "VAT", "rate_ppm": 210_000, "on": ["import", "fixed"]}],
    }


def _bodies() -> Iterator[tuple[str, bytes]]:
    signature, device = bytes(65), samples.DEVICE
    one = envelope.Envelope(seq=1, day=17_000, box=bytes(100), signature=signature)
    bodies = {
        "days": envelope.DayKeys(device=device, day=1, sealed=bytes(90), signature=signature),
        "readings": envelope.Envelopes(device=device, envelopes=(one,)),
        "batches": envelope.BatchNotice(
            batch=documents.OPENING.batch, signature=documents.SIGNATURE
        ),
        "reports": envelope.SealedReport(device=device, sealed=bytes(90), signature=signature),
        "shares": sharing.ShareDelivery(
            lock_id=bytes(32), sender=device, sealed=bytes(90), signature=signature
        ),
    }
    for name, body in bodies.items():
        yield f"body-{name}", json.dumps(body.to_json()).encode()


def _aggregates() -> Iterator[tuple[str, bytes]]:
    for (value, encode, _), name in zip(
        aggregates.DOCUMENTS,
        ("aggregate-key", "aggregate-set", "announcement", "member-opening"),
        strict=True,
    ):
        yield name, encode(value)
    yield "aggregate-rows", aggregate_set.encode_rows(aggregates.ROWS, modulus_bytes=64)
    yield "key-file", key_file.make(decoders.blum_key(), decoders.KEY_CONTEXT)
    public, shares = aggregates.PUBLIC, aggregates._
    yield "key-share", shares[0].to_bytes()
    ciphertext = paillier.encrypt(public.encryption, 7)
    part = partially_decrypt(public, shares[0], ciphertext, context=b"")
    yield "partial-decryption", part.to_bytes(public)


def _chain() -> Iterator[tuple[str, bytes]]:
    entry = decoders.lock_view()
    yield "chain-result", bytes(32 * _words(entry["outputs"]))
    errors = (one for one in deployment.load_abi("PrepaidLock") if one["type"] == "error")
    one = next(error for error in errors if len(error["inputs"]) > 1)
    yield "chain-revert", codec.selector(one) + bytes(32 * len(one["inputs"]))


def _words(parts: list[Any]) -> int:
    return sum(_words(part["components"]) if "components" in part else 1 for part in parts)


def _files(folder: Path) -> Iterator[tuple[str, bytes]]:
    export.export_csv(documents.ROWS[:2], folder / "export.csv")
    yield "export-csv", (folder / "export.csv").read_bytes()
    yield "cid", Cid.of_block(b"block").encode()
    yield "block-index", blocks.cut(bytes(blocks.BLOCK_BYTES + 1)).root
    group = group_of([Cid.of_block(b"one"), Cid.of_block(b"two")])
    pairs = [(raw_link(Cid.of_block(data)), data) for data in (b"one", b"two")]
    yield "car-archive", b"".join(car.write_car(group.root, [*pairs, *group.nodes]))
    made = Registration(
        samples.DEVICE, "Grid company", (1, bytes(32), (1, 2)), ((3, 4), ((5, 6), 7))
    )
    yield "registration", made.to_json().encode()
    rows = b"1700000000,5,0,100,215\n1700003600,6,2,-100,\n"
    yield "meter-csv", b"time_unix_s,import_wh,export_wh,power_w,temperature_dc\n" + rows
    yield "profile", _PROFILE
    yield "agent-config-json", json.dumps(_AGENT).encode()
    toml = "".join(f"{name} = {json.dumps(value)}\n" for name, value in _AGENT.items())
    yield "agent-config-toml", toml.encode()
    yield "trials", b'[{"after_seq": 3, "power_w": 9000, "temperature_dc": 215}]'
    contracts = {"PrepaidLock": {"address": samples.LEDGER, "block": 3}}
    yield "deployment", json.dumps({"chain_id": 31337, "contracts": contracts}).encode()


if __name__ == "__main__":
    main()
