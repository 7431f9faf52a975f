"""Exports read again, and readings held against anchors: what is proven, false, unproven."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from offchain.audit.reading_check import check_readings, prove_reading, verify_reading
from offchain.buyer.export import COLUMNS, export_csv, export_parquet, read_export
from offchain.errors import FormatError
from offchain.member.errors import MemberError
from offchain.records import batch as batches
from offchain.types import Batch, Reading, to_account

CHAIN_ID = 31_337
DEVICE, STRANGER = to_account("0x" + "11" * 20), to_account("0x" + "22" * 20)


def make_reading(seq: int) -> Reading:
    return Reading(
        chain_id=CHAIN_ID,
        device=DEVICE,
        seq=seq,
        time_s=1_640_995_200 + 3_600 * seq,
        import_wh=1_000 + 17 * seq,
        export_wh=5 * seq,
        power_w=-40 + seq,
        temperature_dc=-105 + seq,
        nonce=bytes([seq]) * 32,
    )


READINGS = [make_reading(seq) for seq in range(1, 9)]
ANCHORED = [batches.make(READINGS[:5]), batches.make(READINGS[5:])]


class Ledger:
    """A chain with two announced batches of one device."""

    chain_id = CHAIN_ID
    deployment = SimpleNamespace(block=lambda name: 7)

    def __init__(self, anchored: list[Batch] = ANCHORED) -> None:
        self.anchored = anchored
        self.asked: list[Any] = []

    def final(self) -> int:
        return 9

    def events(
        self, contract: str, event: str, *, from_block: int, to_block: int, device: str
    ) -> list[Any]:
        assert (contract, event, from_block, to_block) == ("DataLedger", "BatchAnchored", 7, 9)
        return [
            SimpleNamespace(args={"fromSeq": one.from_seq, "count": one.count, "root": one.root})
            for one in self.anchored
            if one.device == device
        ]

    def call(self, *question: Any, block: int) -> bool:
        assert block == 9  # the newest that is final
        self.asked.append(question)
        return True


# ---- files


@pytest.mark.parametrize(("name", "export"), [("a.csv", export_csv), ("a.parquet", export_parquet)])
def test_read_export__of_what_was_exported__gives_the_same_readings(
    tmp_path: Path, name: str, export: Any
) -> None:
    assert export(READINGS, tmp_path / name) == 8
    assert read_export(tmp_path / name, chain_id=CHAIN_ID) == (READINGS, [])


def test_read_export__a_value_changed__names_the_row(tmp_path: Path) -> None:
    export_csv(READINGS, tmp_path / "a.csv")
    lines = (tmp_path / "a.csv").read_text().splitlines()
    cells = lines[3].split(",")
    lines[3] = ",".join([*cells[:3], str(int(cells[3]) + 1), *cells[4:]])
    (tmp_path / "a.csv").write_text("\n".join(lines) + "\n")
    readings, false = read_export(tmp_path / "a.csv", chain_id=CHAIN_ID)
    assert (len(readings), false) == (8, [3])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "seq,device\n1,2\n",
        ",".join(COLUMNS) + "\nnobody,1,1,1,1,1,00,00\n",
        ",".join(COLUMNS) + f"\n{DEVICE},1,1,1,1,1,{'00' * 31},00\n",
        ",".join(COLUMNS) + f"\n{DEVICE},1,1,1.5,1,1,{'00' * 32},00\n",
        ",".join(COLUMNS) + f"\n{DEVICE},1\n",
        ",".join(COLUMNS) + f"\n{DEVICE},0,1,1,1,1,{'00' * 32},00\n",
    ],
)
def test_read_export__of_something_else__is_refused_with_its_place(
    tmp_path: Path, text: str
) -> None:
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(FormatError, match=r"a\.csv"):
        read_export(tmp_path / "a.csv", chain_id=CHAIN_ID)


def test_read_export__parquet_that_is_none__is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"PAR1 no parquet at all PAR1")
    with pytest.raises(FormatError, match="not an export"):
        read_export(tmp_path / "a.parquet", chain_id=CHAIN_ID)


# ---- against the chain


def test_check_readings__all_of_them__are_proven() -> None:
    (found,) = check_readings(READINGS, Ledger())
    assert (found.device, found.rows, found.anchored, found.ok) == (DEVICE, 8, 8, True)


def test_check_readings__one_changed__its_batch_is_false() -> None:
    changed = [*READINGS[:6], replace(READINGS[6], power_w=5_000), READINGS[7]]
    (found,) = check_readings(changed, Ledger())
    assert (found.ok, found.false_batches, found.anchored, found.unproven) == (False, (6,), 5, 0)


def test_check_readings__one_missing__the_rest_of_its_batch_is_unproven() -> None:
    (found,) = check_readings(READINGS[1:], Ledger())
    assert (found.ok, found.false_batches, found.anchored, found.unproven) == (False, (), 3, 4)


def test_check_readings__one_given_twice__is_not_ok() -> None:
    (found,) = check_readings([*READINGS, READINGS[0]], Ledger())
    assert not found.ok


def test_check_readings__of_another_chain__are_not_proven() -> None:
    other = [replace(one, chain_id=1) for one in READINGS]
    (found,) = check_readings(other, Ledger())
    assert (found.ok, found.false_batches) == (False, (1, 6))


def test_check_readings__of_a_device_that_anchored_nothing__are_unproven() -> None:
    foreign = [replace(one, device=STRANGER) for one in READINGS]
    (found,) = check_readings(foreign, Ledger())
    assert (found.ok, found.unproven) == (False, 8)


def test_prove_reading__given_its_whole_batch__verifies_on_the_ledger() -> None:
    ledger = Ledger()
    opening = prove_reading(READINGS, device=DEVICE, seq=3, gateway=ledger)
    assert opening.batch == ANCHORED[0]
    assert verify_reading(opening, ledger)
    (question,) = ledger.asked
    assert question[:2] == ("DataLedger", "verifyReading")
    assert question[2:4] == (DEVICE, 3)
    assert question[5:8] == (1, 5, ANCHORED[0].root)


@pytest.mark.parametrize(
    ("readings", "seq", "said"),
    [
        (READINGS[1:], 3, "give all 5"),
        ([*READINGS[:2], replace(READINGS[2], import_wh=1), *READINGS[3:]], 3, "give all 5"),
        (READINGS, 9, "not anchored"),
    ],
)
def test_prove_reading__without_its_true_batch__says_what_to_give(
    readings: list[Reading], seq: int, said: str
) -> None:
    with pytest.raises(MemberError, match=said):
        prove_reading(readings, device=DEVICE, seq=seq, gateway=Ledger())


def test_verify_reading__of_another_chain__is_refused() -> None:
    opening = prove_reading(READINGS, device=DEVICE, seq=3, gateway=Ledger())
    elsewhere = Ledger()
    elsewhere.chain_id = 1
    with pytest.raises(FormatError, match="of chain 31337, not 1"):
        verify_reading(opening, elsewhere)
