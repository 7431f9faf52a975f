"""The commands of household and buyer on a file that is held, full, read-only, damaged, or of
another program: one sentence, the exit code of docs/guide.md, nothing lost, and all works after it.
"""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from offchain import sqlite_file
from offchain.chain.deployment import load_deployment
from offchain.chain.gateway import ChainGateway
from offchain.cli.app import app
from offchain.database import Database, Store
from tests.disks import TinyDisk, tiny_disk
from tests.integration.cli.conftest import ETHER, Machine

WINDOW = ("--from", "2022-01-08", "--to", "2022-01-10")
BUSY, DAMAGED, VERSION, FULL = 1, 5, 6, 8  # docs/guide.md
REQUEST = (
    *("user", "request", "bill", "--device", "METER", *WINDOW),
    *("--zone", "UTC", "--as-one", "--yes"),  # no node runs here that could be asked
)
BROADCAST = (
    *("share", "broadcast", "--region", "north", *WINDOW),
    *("--max-price-wei", str(ETHER), "--group-size", "2", "--purpose", "a study"),
)
# Who, what is typed, and the file that the fault is in: each command writes it, or needs it.
CASES = {
    "user locks: index": ("anna", ("user", "locks"), "index.sqlite"),
    "user request: index": ("anna", REQUEST, "index.sqlite"),
    "user request: outbox": ("anna", REQUEST, "outbox.sqlite"),
    "user request: kept": ("anna", REQUEST, "content/kept.sqlite"),
    "share grants: index": ("vendor", ("share", "grants"), "index.sqlite"),
    "share grants: shares": ("vendor", ("share", "grants"), "shares.sqlite"),
    "share broadcast: outbox": ("vendor", BROADCAST, "outbox.sqlite"),
    "share broadcast: kept": ("vendor", BROADCAST, "content/kept.sqlite"),
}


@dataclass
class Desk:
    """A member at a data folder of its own, and the command that is tried."""

    machine: Machine
    profile: Path
    data: Path
    file: Path
    arguments: tuple[str, ...]

    def run(self) -> Any:
        return CliRunner().invoke(app, [*self.arguments, "--profile", str(self.profile)])

    def works(self) -> None:
        """The command does what it does when nothing is wrong: once."""
        before, result = self.made(), self.run()
        assert result.exit_code == 0, (result.output, result.stderr)
        assert self.made() == before + self.makes

    def is_refused(self, code: int, words: str) -> str:
        """The command ends with a code and in one sentence; nothing was renamed, lost or sent."""
        made, names, spoilt = self.made(), self.names(), self.file.read_bytes()
        result = self.run()
        assert result.exit_code == code, (result.output, result.stderr, result.exception)
        (line,) = [one for one in result.stderr.splitlines() if "development only" not in one]
        assert line.startswith("dmsm: ") and words in line, line
        assert self.made() == made
        assert self.names() == names and self.file.read_bytes() == spoilt
        return line

    @property
    def makes(self) -> int:
        return int({"request", "broadcast"} & set(self.arguments) != set())

    def made(self) -> int:
        """How many requests and broadcasts the chain has."""
        chain = ChainGateway(
            self.machine.anvil.url, load_deployment(self.machine.folder / "deployment.json")
        )
        events = (("PrepaidLock", "Requested"), ("DataMarket", "Broadcast"))
        return sum(len(chain.events(*one, from_block=0)) for one in events)

    def names(self) -> set[str]:
        """The files of the stores; what SQLite keeps beside them while it runs may come and go."""
        found = (str(one.relative_to(self.data)) for one in self.data.rglob("*.sqlite*"))
        return {name for name in found if not name.endswith(("-wal", "-shm"))}


@pytest.fixture(scope="module")
def worked(machine: Machine, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The data folders of members whose commands have made all their files."""
    made = {}
    for member, typed in (("anna", REQUEST), ("vendor", BROADCAST)):
        made[member] = tmp_path_factory.mktemp(member)
        desk_at(machine, made[member], member, typed, "index.sqlite").works()
    return made


def desk_at(machine: Machine, data: Path, member: str, typed: tuple[str, ...], file: str) -> Desk:
    """A desk of a member whose data is in a folder, with two content stores."""
    profile = data.with_name(f"{data.name}.toml")
    stores = ", ".join(f'"dir:{machine.folder / name}"' for name in ("store", "other-store"))
    profile.write_text(
        f'rpc_url = "{machine.anvil.url}"\ndeployment = "{machine.folder / "deployment.json"}"\n'
        f'store = [{stores}]\nkeys = "{machine.folder / member / "keys"}"\n'
        f'password_file = "{machine.folder / "password"}"\ndata = "{data}"\n'
    )
    arguments = tuple(machine.accounts["meter"] if one == "METER" else one for one in typed)
    return Desk(machine, profile, data, data / file, arguments)


@contextmanager
def at_desk(machine: Machine, worked: dict[str, Path], case: str, data: Path) -> Iterator[Desk]:
    """A desk with a copy of the data; in the end the command works."""
    member, typed, file = CASES[case]
    shutil.copytree(worked[member], data)
    desk = desk_at(machine, data, member, typed, file)
    yield desk
    desk.works()


@pytest.fixture(autouse=True)
def short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits long for another program."""
    monkeypatch.setattr(sqlite_file, "PATIENCE_S", 0.2)
    for kind in (Database, Store):
        monkeypatch.setitem(kind.__init__.__kwdefaults__, "patience_s", 0.2)


@pytest.fixture(params=CASES)
def desk(
    machine: Machine, worked: dict[str, Path], tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Desk]:
    with at_desk(machine, worked, request.param, tmp_path / "data") as made:
        yield made


@pytest.fixture(params=CASES)
def on_disk(
    machine: Machine, worked: dict[str, Path], tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[tuple[Desk, TinyDisk]]:
    with tiny_disk(tmp_path / "disk", size_kib=4_000) as disk:
        with at_desk(machine, worked, request.param, disk.folder / "data") as made:
            yield made, disk


def test_command__file_is_held__is_refused_and_works_when_it_is_free(desk: Desk) -> None:
    with closing(sqlite3.connect(desk.file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        desk.is_refused(BUSY, f"another program holds {desk.file}")
        other.execute("ROLLBACK")


def test_command__disk_is_full__is_refused_and_works_when_there_is_room(
    on_disk: tuple[Desk, TinyDisk],
) -> None:
    desk, disk = on_disk
    disk.leave(0)
    desk.is_refused(FULL, "free room")
    disk.free()


def test_command__disk_is_read_only__is_refused_and_works_when_it_is_not(
    on_disk: tuple[Desk, TinyDisk],
) -> None:
    desk, disk = on_disk
    disk.read_only(True)
    desk.is_refused(FULL, "make it writable")
    disk.read_only(False)


def _spoil(file: Path) -> None:
    """All pages but the first are noise."""
    whole = file.read_bytes()
    file.write_bytes(whole[:4096] + b"\xa5" * (len(whole) - 4096))


def _be_of_tomorrow(file: Path) -> None:
    """A newer program has changed the tables."""
    with closing(sqlite3.connect(file)) as store, store:
        if store.execute("PRAGMA user_version").fetchone() != (0,):
            store.execute("PRAGMA user_version=99")
        else:
            store.execute("UPDATE schema_version SET version_num = '9999'")


def _be_anothers(file: Path) -> None:
    """It is the file of quite another program."""
    file.unlink()
    with closing(sqlite3.connect(file)) as store, store:
        store.execute("CREATE TABLE songs (title TEXT)")


SPOILT: dict[str, tuple[Callable[[Path], object], int, str]] = {
    "damaged": (_spoil, DAMAGED, "is damaged"),
    "no database": (lambda file: file.write_bytes(b"\x17" * 8192), DAMAGED, "is damaged"),
    "newer": (_be_of_tomorrow, VERSION, "this program knows"),
    "foreign": (_be_anothers, VERSION, "another"),
}


@pytest.mark.parametrize("how", SPOILT)
def test_command__file_is_not_ours__is_refused_and_works_with_the_copy(
    desk: Desk, how: str
) -> None:
    spoil, code, words = SPOILT[how]
    copy = desk.file.with_suffix(".copy")
    shutil.copy(desk.file, copy)
    spoil(desk.file)
    line = desk.is_refused(code, words)
    assert str(desk.file) in line
    if code == DAMAGED and desk.file.name == "index.sqlite":
        assert "delete it, and what is read from the chain is read anew" in line
        desk.file.unlink()  # it holds nothing that the chain does not
        return
    if code == DAMAGED:
        assert "put it aside and restore a copy" in line
    shutil.copy(copy, desk.file)
