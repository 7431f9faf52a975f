"""How many bytes an answer takes, before its readings are known (docs/formats.md §10).

What is known beforehand is how many readings and batches each day has. A row of ordinary readings
has bounded differences: under 2^20 s between two readings, under 2^20 Wh in an interval, powers
within ±2^20 W, temperatures and flags of their whole range. Then these bounds hold whatever the
readings are; a node refuses what is larger still, and the price goes back.
"""

from offchain.records.answer import MAX_ANSWER_BYTES, MAX_PROOF
from offchain.records.reading import RECORD_BYTES

# Zig-zag varints of differences: 3 bytes hold what is under 2^20, 4 what is under 2^27.
_TIME, _REGISTERS, _POWER, _TEMPERATURE, _FLAGS = 3, 2 * 3, 4, 3, 1
ROW_BYTES = _TIME + _REGISTERS + _POWER + _TEMPERATURE + _FLAGS
_FIRST_ROW_BYTES = 6 * 10
# zlib stores what does not shrink: 5 bytes a block of 16 KiB at least, and 11 around.
_STORED_BLOCK, _BLOCK_BYTES, _AROUND_BYTES = 16_383, 5, 11
_SEQ_DIGITS, _COUNT_DIGITS = 20, 5
_BATCH_BYTES = len("[,],") + _SEQ_DIGITS + _COUNT_DIGITS
_KEY_BYTES = len('"4294967295":"",') + 64
_EDGE_BYTES = (
    len('"closing":{"count":,"from_seq":,"proof":[],"record":"","root":""},')
    + _COUNT_DIGITS
    + _SEQ_DIGITS
    + MAX_PROOF * len('"",')
    + MAX_PROOF * 64
    + 2 * RECORD_BYTES
    + 64
)
DEVICE_BYTES = (
    2 * _EDGE_BYTES
    + len('{"batches":[],"nonce_keys":{},"packed":{"columns":"","count":,"device":"",')
    + len('"first_seq":}},')
    + 42
    + 2 * _SEQ_DIGITS
    + (4 * (_FIRST_ROW_BYTES + _AROUND_BYTES) + 2) // 3
    + 4
)
AROUND_BYTES = (
    len('{"as_of_block":,"devices":[],"lock":"","nonce":"","result":,"signed_at":,')
    + len('"type":"advice","v":2}')
    + 2 * 64
    + 2 * 20
)


def day_bytes(readings: int, batches: int) -> int:
    """Return the most bytes that a device's UTC day with so many readings takes of an answer."""
    if readings == 0:
        return 0
    raw = ROW_BYTES * readings
    stored = raw + _BLOCK_BYTES * (raw // _STORED_BLOCK + 1)
    return (4 * stored + 2) // 3 + _KEY_BYTES + batches * _BATCH_BYTES


def room_bytes(devices: int, result_bytes: int) -> int:
    """Return what an answer has left for the days of so many devices beside its result."""
    return MAX_ANSWER_BYTES - AROUND_BYTES - devices * DEVICE_BYTES - result_bytes
