"""The node's intake over real HTTP, in front of the real registry: what it believes and refuses."""

import base64
import hashlib
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest

from device_agent.errors import AgentError
from device_agent.keys import DeviceKeys
from device_agent.seal import Sealer
from device_agent.surroundings import Place
from offchain.crypto.secret import SecretBytes
from offchain.member.keys import MemberKeys
from offchain.records import batch as batch_codec
from offchain.records import canonical_json, envelope, signing
from offchain.records import reading as record_codec
from offchain.types import Link, Role, day_of, to_account

from .conftest import FIRST_S, Home, Street, samples

DAY = FIRST_S // 86_400


@dataclass
class Sender:
    """A device that can be told to send anything."""

    home: Home
    sealer: Sealer
    link: Link

    def post(self, path: str, body: Any) -> httpx.Response:
        content = body if isinstance(body, bytes) else canonical_json.dumps(body)
        return httpx.post(self.home.street.server.url + path, content=content, timeout=30)

    def state(self) -> dict[str, Any]:
        url = f"{self.home.street.server.url}/v1/devices/{self.link.device}"
        return httpx.get(url).json()

    def day_keys(self, day: int = DAY) -> envelope.DayKeys:
        key = self.home.street.processor.paillier.public_key
        return self.sealer.day_keys(day, processor=self.link.processor, processor_key=key)

    def records(self, count: int = 24) -> list[bytes]:
        rows = samples(2)[:count]
        return [self.sealer.record(one, seq=seq) for seq, one in enumerate(rows, start=1)]

    def envelopes(self, records: list[bytes]) -> list[envelope.Envelope]:
        made = []
        for record in records:
            reading = record_codec.decode(record)
            day, processor = day_of(reading.time_s), self.link.processor
            made.append(self.sealer.envelope(record, seq=reading.seq, day=day, processor=processor))
        return made

    def send(self, envelopes: list[envelope.Envelope]) -> httpx.Response:
        body = envelope.Envelopes(device=self.link.device, envelopes=tuple(envelopes))
        return self.post("/v1/readings", body.to_json())

    def notice(self, records: list[bytes], **changes: Any) -> envelope.BatchNotice:
        batch = batch_codec.make([record_codec.decode(record) for record in records])
        batch = replace(batch, **changes)
        return envelope.BatchNotice(batch=batch, signature=self.sealer.batch_signature(batch))


def sender_of(home: Home, keys: MemberKeys | None = None) -> Sender:
    street, keys = home.street, keys or home.keys
    secrets = DeviceKeys(
        account=SecretBytes(bytes(keys.account.key)), bls=keys.bls, secret=home.keys.device_secret
    )
    place = Place.of(street.deployment, to_account(home.keys.address))
    link = place.link(to_account(street.processor.address))
    return Sender(home, Sealer(secrets, place), link)


@pytest.fixture
def sender(home: Home) -> Sender:
    return sender_of(home)


@pytest.fixture
def ready(sender: Sender) -> Sender:
    """A sender whose day keys are held."""
    assert sender.post("/v1/days", sender.day_keys().to_json()).status_code == 200
    return sender


def refusal(response: httpx.Response) -> tuple[int, str]:
    answer = response.json()
    assert answer["detail"]
    return response.status_code, answer["error"]


def test_days__given_same_bytes_again__accepts_and_other_bytes_refuses(sender):
    keys = sender.day_keys()
    assert sender.post("/v1/days", keys.to_json()).status_code == 200
    assert sender.post("/v1/days", keys.to_json()).status_code == 200
    assert refusal(sender.post("/v1/days", sender.day_keys().to_json())) == (409, "day_taken")
    assert sender.state()["days"] == [DAY]


def test_days__given_forged_signature__refuses(sender, make_home):
    thief = sender_of(sender.home, make_home("thief").keys)
    assert refusal(sender.post("/v1/days", thief.day_keys().to_json())) == (403, "bad_signature")


def test_days__given_keys_sealed_for_another_day__refuses(sender):
    keys = replace(sender.day_keys(DAY + 1), day=DAY)
    digest = signing.day_keys_digest(sender.link, day=DAY, sealed=keys.sealed)
    key = SecretBytes(bytes(sender.home.keys.account.key))
    forged = replace(keys, signature=signing.sign(digest, key))
    assert refusal(sender.post("/v1/days", forged.to_json())) == (422, "day_keys_refused")
    assert sender.state()["days"] == []


def test_readings__given_valid_ones__holds_them_durably(ready):
    records = ready.records()
    response = ready.send(ready.envelopes(records))
    assert (response.status_code, response.json()) == (200, {"next_seq": 25})
    held = ready.home.street.store.readings(ready.link.device, from_s=0, to_s=2**32)
    assert [record_codec.encode(one) for one in held] == records
    processor = ready.link.processor.lower()
    known = {"processor": processor, "next_seq": 25, "days": [DAY], "next_batch_seq": 1}
    assert ready.state() == known


def test_readings__given_repeat__accepts_same_bytes_alone(ready):
    envelopes = ready.envelopes(ready.records(5))
    assert ready.send(envelopes[:3]).json() == {"next_seq": 4}
    assert ready.send(envelopes).json() == {"next_seq": 6}
    assert ready.send(envelopes).json() == {"next_seq": 6}
    resealed = ready.envelopes(ready.records(1))
    assert refusal(ready.send(resealed)) == (409, "seq_taken")


def test_readings__given_gap__refuses_and_says_what_comes_next(ready):
    envelopes = ready.envelopes(ready.records(5))
    ready.send(envelopes[:2])
    response = ready.send(envelopes[3:])
    assert refusal(response) == (409, "seq_gap") and response.json()["next_seq"] == 3


def test_readings__given_unknown_day__asks_for_its_keys(sender):
    response = sender.send(sender.envelopes(sender.records(1)))
    assert refusal(response) == (409, "day_unknown") and response.json()["day"] == DAY


def test_readings__given_one_bad_among_good__stores_none(ready):
    envelopes = ready.envelopes(ready.records(5))
    envelopes[4] = replace(envelopes[4], signature=envelopes[3].signature)
    assert refusal(ready.send(envelopes)) == (403, "bad_signature")
    assert ready.state()["next_seq"] == 1


def signed(sender: Sender, seq: int, day: int, box: bytes) -> envelope.Envelope:
    digest = signing.envelope_digest(sender.link, seq=seq, day=day, box=box)
    signature = signing.sign(digest, SecretBytes(bytes(sender.home.keys.account.key)))
    return envelope.Envelope(seq=seq, day=day, box=box, signature=signature)


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"chain_id": 1}, "record_mismatch"),
        ({"seq": 2}, "record_mismatch"),
        ({"time_s": FIRST_S + 86_400}, "record_mismatch"),
        ({"device": to_account("0x" + "11" * 20)}, "record_mismatch"),
        ({"nonce": b"n" * 32}, "nonce_mismatch"),
    ],
)
def test_readings__given_signed_record_of_another_envelope__refuses(ready, change, name):
    record = record_codec.encode(replace(record_codec.decode(ready.records(1)[0]), **change))
    sealed = ready.sealer.envelope(record, seq=1, day=DAY, processor=ready.link.processor)
    assert refusal(ready.send([sealed])) == (422, name)


@pytest.mark.parametrize("box", [b"", b"DMS1" + bytes(60), b"\xff" * 256])
def test_readings__given_signed_box_that_does_not_open__refuses(ready, box):
    assert refusal(ready.send([signed(ready, 1, DAY, box)])) == (422, "box_refused")


def test_readings__given_signed_box_without_record__refuses(ready):
    processor = ready.link.processor
    sealed = ready.sealer.envelope(b"no record", seq=1, day=DAY, processor=processor)
    assert refusal(ready.send([sealed])) == (422, "record_mismatch")


@pytest.mark.parametrize("change", [{"time_s": FIRST_S}, {"import_wh": 1}, {"export_wh": 1}])
def test_readings__given_clock_or_register_going_back__refuses(ready, change):
    records = ready.records(2)
    bad = record_codec.encode(replace(record_codec.decode(records[1]), **change))
    assert refusal(ready.send(ready.envelopes([records[0], bad]))) == (422, "not_rising")


def test_batches__given_anchored_batch__verifies_root_and_signature(ready):
    records = ready.records()
    ready.send(ready.envelopes(records))
    body = ready.notice(records).to_json()
    assert ready.post("/v1/batches", body).status_code == 200
    assert ready.post("/v1/batches", body).status_code == 200
    assert ready.state()["next_batch_seq"] == 25


def test_batches__given_wrong_root_count_or_signature__refuses(ready, make_home):
    records = ready.records()
    ready.send(ready.envelopes(records))
    wrong_root = ready.notice(records, root=b"r" * 32)
    assert refusal(ready.post("/v1/batches", wrong_root.to_json())) == (422, "root_mismatch")
    too_many = ready.notice(records, count=25)
    assert refusal(ready.post("/v1/batches", too_many.to_json())) == (409, "readings_missing")
    gap = ready.notice(records[1:])
    response = ready.post("/v1/batches", gap.to_json())
    assert refusal(response) == (409, "batch_gap") and response.json()["next_batch_seq"] == 1
    thief = sender_of(ready.home, make_home("thief").keys)
    forged = thief.notice(records)
    assert refusal(ready.post("/v1/batches", forged.to_json())) == (403, "bad_signature")
    assert ready.state()["next_batch_seq"] == 1
    ready.post("/v1/batches", ready.notice(records[:10]).to_json())
    other = ready.notice(records[:9])
    assert refusal(ready.post("/v1/batches", other.to_json())) == (409, "batch_taken")


def test_reports__given_sealed_report__keeps_it_under_its_digest(sender):
    sealed = b"sealed to the owner"
    digest = signing.report_digest(sender.link, sealed=sealed)
    signature = signing.sign(digest, SecretBytes(bytes(sender.home.keys.account.key)))
    body = envelope.SealedReport(device=sender.link.device, sealed=sealed, signature=signature)
    response = sender.post("/v1/reports", body.to_json())
    assert response.json() == {"digest": hashlib.sha256(sealed).hexdigest()}
    content = sender.home.street.content
    assert content.get(hashlib.sha256(sealed).digest(), max_bytes=99) == sealed
    forged = replace(body, sealed=b"other")
    assert refusal(sender.post("/v1/reports", forged.to_json())) == (403, "bad_signature")


def test_intake__given_stranger_or_revoked_device__refuses(sender, make_home):
    stranger = sender_of(make_home("stranger"))
    stranger.link = replace(stranger.link, device=to_account("0x" + "77" * 20))
    body = {**sender.day_keys().to_json(), "device": "0x" + "77" * 20}
    assert refusal(sender.post("/v1/days", body)) == (403, "not_a_device")
    sender.home.street.admin.revoke(sender.link.device)
    assert refusal(sender.post("/v1/days", sender.day_keys().to_json())) == (403, "not_a_device")


def test_intake__given_member_that_is_no_device__refuses(street: Street, home: Home):
    sender = sender_of(home)
    body = {**sender.day_keys().to_json(), "device": street.owner.address.lower()}
    assert refusal(sender.post("/v1/days", body)) == (403, "not_a_device")


@pytest.mark.parametrize("path", ["/v1/days", "/v1/readings", "/v1/batches", "/v1/reports"])
@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"{}", b"[" * 30_000, b'{"a":1.5}', b"\xff", b'{"a":1,"a":1}']
)
def test_intake__given_garbage__answers_422(sender, path, body):
    assert refusal(sender.post(path, body)) == (422, "malformed")


@pytest.mark.parametrize(
    ("path", "size"), [("/v1/days", 32_769), ("/v1/readings", 1_048_577), ("/v1/reports", 10**7)]
)
def test_intake__given_body_above_the_cap__answers_413(sender, path, size):
    assert refusal(sender.post(path, b" " * size)) == (413, "too_large")


def test_intake__given_chunked_body_without_length__stops_at_the_cap(sender):
    def endless():
        for _ in range(1_000):
            yield b" " * 10_000

    url = sender.home.street.server.url + "/v1/days"
    try:
        response = httpx.post(url, content=endless(), timeout=30)
    except httpx.HTTPError:
        return  # the server hung up in the middle of the flood
    assert response.status_code == 413


def test_days__given_a_window_that_is_none__is_refused(sender):
    url = f"{sender.home.street.server.url}/v1/days/{sender.link.device}"
    for query in ("", "?from=1", "?from=-1&to=5", "?from=x&to=5"):
        assert refusal(httpx.get(url + query)) == (422, "malformed")
    assert httpx.get(url + "?from=5&to=5").json() == {"days": []}
    assert httpx.get(url + "?from=0&to=86400").json() == {"days": []}


def test_paillier__given_members__gives_their_keys_out(sender):
    street = sender.home.street
    registry = street.deployment.address("MemberRegistry")
    for member in (street.processor, street.owner):
        answer = httpx.get(f"{street.server.url}/v1/paillier/{member.address}").json()
        file = member.paillier_file(chain_id=street.deployment.chain_id, registry=registry)
        assert base64.b64decode(answer["key"]) == file
    for account in (sender.link.device, "0x" + "77" * 20):
        response = httpx.get(f"{street.server.url}/v1/paillier/{account}")
        assert refusal(response) == (404, "no_key")
    response = httpx.get(f"{street.server.url}/v1/paillier/nobody")
    assert refusal(response) == (422, "malformed")


def test_street__given_registry__knows_the_device(sender):
    role, _ = sender.home.street.gateway.call("MemberRegistry", "activeRoleOf", sender.link.device)
    assert role == Role.DEVICE


# ---- devices that have not all of their past, or lost the present


def anchor_first(ready: Sender, count: int) -> None:
    """Anchor the first readings without sending them."""
    batch = batch_codec.make([record_codec.decode(one) for one in ready.records(count)])
    device = ready.home.street.gateway.with_account(ready.home.keys.account)
    device.transact("DataLedger", "anchor", batch.from_seq, batch.count, batch.root)


def start_at(sender: Sender, seq: int) -> httpx.Response:
    message = sender.sealer.start(seq, processor=sender.link.processor)
    return sender.post("/v1/starts", message.to_json())


def test_starts__given_all_below_anchored__takes_readings_and_batches_from_there(ready):
    anchor_first(ready, 10)
    assert start_at(ready, 11).status_code == 200
    assert start_at(ready, 11).status_code == 200
    state = ready.state()
    assert (state["next_seq"], state["next_batch_seq"]) == (11, 11)
    records = ready.records(24)
    assert ready.send(ready.envelopes(records[10:])).json() == {"next_seq": 25}
    notice = ready.notice(records[10:])
    assert ready.post("/v1/batches", notice.to_json()).status_code == 200
    assert refusal(ready.send(ready.envelopes(records[:1]))) == (409, "seq_taken")


@pytest.mark.parametrize("seq", [2, 10, 12, 2**64 - 1])
def test_starts__given_seq_inside_a_batch_or_behind_the_last__refuses(ready, seq):
    anchor_first(ready, 10)
    assert refusal(start_at(ready, seq)) == (409, "start_refused")
    assert ready.state()["next_seq"] == 1


def test_starts__given_seq_that_is_held_already__changes_nothing(ready):
    ready.send(ready.envelopes(ready.records(5)))
    assert start_at(ready, 1).status_code == 200
    assert ready.state()["next_seq"] == 6


def test_starts__given_forged_signature__refuses(ready, make_home):
    anchor_first(ready, 10)
    thief = sender_of(ready.home, make_home("thief").keys)
    assert refusal(start_at(thief, 11)) == (403, "bad_signature")
    recovery = ready.sealer.recovery(11, processor=ready.link.processor)  # signed for another use
    assert refusal(ready.post("/v1/starts", recovery.to_json())) == (403, "bad_signature")


def test_recoveries__given_readings_in_no_batch__gives_back_the_same_envelopes(ready):
    envelopes = ready.envelopes(ready.records(24))
    ready.send(envelopes)
    processor = ready.link.processor
    body = ready.sealer.recovery(20, processor=processor).to_json()
    answer = ready.post("/v1/recoveries", body).json()
    given = [envelope.Envelope.from_json(one) for one in answer["envelopes"]]
    assert given == envelopes[19:]
    assert [ready.sealer.open_own(one, processor) for one in given] == ready.records(24)[19:]


def test_recoveries__given_readings_in_a_batch__keeps_the_last_alone(ready):
    envelopes = ready.envelopes(ready.records(24))
    ready.send(envelopes)
    assert ready.post("/v1/batches", ready.notice(ready.records(24)).to_json()).status_code == 200
    body = ready.sealer.recovery(1, processor=ready.link.processor).to_json()
    answer = ready.post("/v1/recoveries", body).json()
    assert answer["envelopes"] == [envelopes[-1].to_json()]


def test_recoveries__given_forged_signature__refuses(ready, make_home):
    ready.send(ready.envelopes(ready.records(5)))
    thief = sender_of(ready.home, make_home("thief").keys)
    body = thief.sealer.recovery(1, processor=ready.link.processor).to_json()
    forged = body | {"device": ready.link.device.lower()}
    assert refusal(ready.post("/v1/recoveries", forged)) == (403, "bad_signature")


@pytest.mark.parametrize("change", [{"box": b"DMS1" + bytes(60)}, {"seq": 2}, {"day": DAY + 1}])
def test_open_own__given_changed_envelope__refuses(ready, change):
    (one,) = ready.envelopes(ready.records(1))
    with pytest.raises(AgentError, match="signature"):
        ready.sealer.open_own(replace(one, **change), ready.link.processor)
