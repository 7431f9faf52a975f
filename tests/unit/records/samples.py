"""Readings that the record tests begin with."""

from offchain.crypto.kdf import reading_nonce
from offchain.types import (
    NO_FLAGS,
    SECONDS_PER_DAY,
    Account,
    Link,
    Reading,
    ReadingFlag,
    day_of,
    to_account,
)

CHAIN_ID = 31_337
DEVICE = to_account("0x" + "d1" * 20)
OTHER_DEVICE = to_account("0x" + "e2" * 20)
LEDGER = to_account("0x" + "1e" * 20)
PROCESSOR = to_account("0x" + "9a" * 20)
OWNER = to_account("0x" + "0f" * 20)
MIDNIGHT = 17_000 * SECONDS_PER_DAY
LINK = Link(chain_id=CHAIN_ID, data_ledger=LEDGER, device=DEVICE, processor=PROCESSOR)


def nonce_key(day: int) -> bytes:
    return day.to_bytes(32, "big")


def readings(
    count: int,
    *,
    first_seq: int = 1,
    from_s: int = MIDNIGHT,
    step_s: int = 3_600,
    device: Account = DEVICE,
) -> list[Reading]:
    made = []
    for row in range(count):
        time_s, seq = from_s + row * step_s, first_seq + row
        made.append(
            Reading(
                chain_id=CHAIN_ID,
                device=device,
                seq=seq,
                time_s=time_s,
                import_wh=1_000 if row == 0 else made[-1].import_wh + row % 7,
                export_wh=70 if row == 0 else made[-1].export_wh + row % 3,
                power_w=(row % 5 - 1) * 250,
                temperature_dc=None if row % 11 == 4 else -120 + row,
                flags=ReadingFlag(row % 16) if row % 4 == 3 else NO_FLAGS,
                nonce=reading_nonce(nonce_key(day_of(time_s)), seq),
            )
        )
    return made
