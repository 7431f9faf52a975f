"""A device's human-readable status report, sealed to its owner (docs/formats.md §11)."""

from dataclasses import dataclass, replace

from offchain.crypto.commitment import sha256d
from offchain.crypto.secret import SecretBytes
from offchain.errors import DmsmError, FormatError
from offchain.records import canonical_json, fields, reading, signing
from offchain.records.reading import MAX_TIME_S
from offchain.types import Account, Status, Verdict

MAX_BYTES = 4_096
_MAX_INT64 = 2**63 - 1
_NAMES = "device seq time power_w temperature_dc status injected text signature"
STATUS_TEXT = {
    Status.IN_OPERATION: "in operation",
    Status.SHUT_DOWN: "shut down",
    Status.TOO_HIGH: "too high",
    Status.TOO_LOW: "too low",
}
_STATUS_OF = {text: status for status, text in STATUS_TEXT.items()}


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class StatusReport:
    """What a device says about itself.

    seq: the reading it comes from, None for an injected trial. nonce: 32 random bytes in sealed
    mode, where the chain holds a commitment to the report, else None. signature: 65 bytes.
    """

    device: Account
    seq: int | None
    time_s: int
    power_w: int
    temperature_dc: int | None
    status: Status
    injected: bool
    text: str
    nonce: bytes | None = None
    signature: bytes = b""


def status_words(status: Status, power_w: int | None) -> str:
    """Say a status; a device in operation below 0 W feeds in."""
    is_feeding = status == Status.IN_OPERATION and power_w is not None and power_w < 0
    words = status.name.lower().replace("_", " ")
    return f"{words}, feeding in" if is_feeding else words


def sentence(verdict: Verdict, *, power_w: int, temperature_dc: int | None, injected: bool) -> str:
    """Say a verdict in one sentence."""
    what = "feed-in" if power_w < 0 else "power"
    power = {
        Status.IN_OPERATION: f"The device is {status_words(verdict.status, power_w)}"
        f" at {abs(power_w)} W",
        Status.SHUT_DOWN: f"The device has been shut down ({power_w} W)",
        Status.TOO_HIGH: f"The {what} of {abs(power_w)} W is too high",
        Status.TOO_LOW: f"The {what} of {abs(power_w)} W is too low",
    }[verdict.status]
    heat = _heat(temperature_dc, is_too_high=verdict.temperature_too_high)
    return f"{'Trial report: ' if injected else ''}{power}; {heat}."


def sign(
    report: StatusReport,
    *,
    chain_id: int,
    data_ledger: Account,
    owner: Account,
    private_key: SecretBytes,
) -> StatusReport:
    """Return the report with the device's signature, bound to its owner."""
    digest = _digest(report, chain_id=chain_id, data_ledger=data_ledger, owner=owner)
    return replace(report, signature=signing.sign(digest, private_key))


def verify_report(
    report: StatusReport, *, chain_id: int, data_ledger: Account, owner: Account
) -> bool:
    """Tell whether the report's device signed it for this owner."""
    try:
        digest = _digest(report, chain_id=chain_id, data_ledger=data_ledger, owner=owner)
    except DmsmError:
        return False
    return signing.verify_signature(digest, report.signature, report.device)


def encode(report: StatusReport) -> bytes:
    """Encode a signed report; raises FormatError for what `decode` would refuse."""
    data = canonical_json.dumps(_unsigned(report) | {"signature": report.signature.hex()})
    decode(data)
    return data


def decode(data: bytes) -> StatusReport:
    """Decode a report (its signature is not checked here). Raises FormatError."""
    value = canonical_json.loads(data, max_bytes=MAX_BYTES)
    has_nonce = isinstance(value, dict) and "nonce" in value
    obj = fields.versioned(value, _NAMES + " nonce" * has_nonce, what="a status report")
    seq = obj["seq"]
    injected = fields.boolean(obj["injected"], "injected")
    if injected != (seq is None):
        raise FormatError("a report has a seq unless it is injected")
    return StatusReport(
        device=fields.account(obj["device"], "device"),
        seq=None if seq is None else fields.integer(seq, "seq", low=1),
        time_s=fields.integer(obj["time"], "time", low=1, high=MAX_TIME_S),
        power_w=fields.integer(obj["power_w"], "power_w", low=-_MAX_INT64, high=_MAX_INT64),
        temperature_dc=reading.temperature_in_range(obj["temperature_dc"]),
        status=_status(obj["status"]),
        injected=injected,
        text=fields.text(obj["text"], "text", max_bytes=512),
        nonce=fields.from_hex(obj["nonce"], "nonce", length=32) if has_nonce else None,
        signature=fields.from_hex(obj["signature"], "signature", length=signing.SIGNATURE_BYTES),
    )


def sealed_commitment(report_bytes: bytes) -> bytes:
    """Return what a device in sealed mode commits to: SHA256d of the encoded report.

    Hiding: the report holds 32 random bytes. Raises FormatError for a report without them.
    """
    if decode(report_bytes).nonce is None:
        raise FormatError("a report without a nonce would not be hidden by its commitment")
    return sha256d(report_bytes)


def _heat(temperature_dc: int | None, *, is_too_high: bool) -> str:
    if temperature_dc is None:
        return "the temperature was not measured"
    whole, tenth = divmod(abs(temperature_dc), 10)
    degrees = f"{'-' if temperature_dc < 0 else ''}{whole}.{tenth} °C"
    return f"the temperature is {'too high at' if is_too_high else 'at'} {degrees}"


def _status(value: object) -> Status:
    if not isinstance(value, str) or value not in _STATUS_OF:
        raise FormatError(f"status must be one of {sorted(_STATUS_OF)}")
    return _STATUS_OF[value]


def _unsigned(report: StatusReport) -> fields.Json:
    if report.status not in STATUS_TEXT:
        raise FormatError("a report says one of Algorithm 1's four verdicts")
    obj: fields.Json = {
        "v": 1,
        "device": fields.from_account(report.device),
        "seq": report.seq,
        "time": report.time_s,
        "power_w": report.power_w,
        "temperature_dc": report.temperature_dc,
        "status": STATUS_TEXT[report.status],
        "injected": report.injected,
        "text": report.text,
    }
    return obj if report.nonce is None else obj | {"nonce": report.nonce.hex()}


def _digest(report: StatusReport, *, chain_id: int, data_ledger: Account, owner: Account) -> bytes:
    return signing.status_digest(
        chain_id=chain_id,
        data_ledger=data_ledger,
        device=report.device,
        owner=owner,
        unsigned=canonical_json.dumps(_unsigned(report)),
    )
