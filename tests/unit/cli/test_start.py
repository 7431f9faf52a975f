"""Commands start at once: what they do not need yet they do not load."""

import json
import subprocess
import sys

import pytest

from tests.unit.cli.test_commands import GROUPS

SLOW = (
    *("web3", "eth_account", "eth_utils", "py_ecc", "gmpy2", "phe", "cryptography"),
    *("fastapi", "uvicorn", "structlog", "httpx", "requests"),
    *("matplotlib", "pyarrow", "numpy", "pandas", "rich"),
)
ACCOUNT, ID = "0x" + "ab" * 20, "cd" * 32
REGISTRATION = json.dumps(
    {"account": ACCOUNT, "name": "Regulator", "profile": [{"int": "0x1"}], "proofs": []}
)
DAYS = ("--from", "2022-01-01", "--to", "2022-01-02")
# What each command with a profile must be given besides it.
COMMANDS: dict[tuple[str, ...], tuple[str, ...]] = {
    ("keys", "registration"): (),
    ("admin", "admit"): ("REGISTRATION",),
    ("admin", "rename"): (ACCOUNT, "Grid company"),
    ("admin", "revoke"): (ACCOUNT,),
    ("admin", "type"): ("1", "--name", "bill", "--price-wei", "1", "--shortest-s", "60"),
    ("admin", "terms"): ("--application-wei", "1", "--shortest-s", "60"),
    ("admin", "fund"): (ACCOUNT, "--wei", "1"),
    ("admin", "members"): (),
    ("admin", "proposals"): (),
    ("admin", "approve"): ("1",),
    ("admin", "cancel"): ("1",),
    ("admin", "execute"): ("1",),
    ("admin", "consortium"): (),
    ("admin", "tariff"): ("REGISTRATION", "--region", "north", "--product", "household"),
    ("admin", "series"): ("REGISTRATION", "--region", "north"),
    ("admin", "document"): (ID,),
    ("node", "run"): (),
    ("node", "publish"): DAYS,
    ("node", "sets"): (),
    ("node", "retire"): (ID,),
    ("node", "withdraw"): (),
    ("node", "status"): (),
    ("node", "pins"): (),
    ("node", "bond", "add"): ("1",),
    ("node", "tariff", "publish"): ("REGISTRATION", "--product", "household"),
    ("node", "tariff", "series"): ("REGISTRATION", "--name", "spot"),
    ("node", "tariff", "list"): (),
    ("node", "aggregate-key"): ("--member", ACCOUNT),
    ("node", "aggregate"): DAYS,
    ("user", "request"): ("bill", "--device", ACCOUNT, *DAYS),
    ("user", "terms"): ("bill",),
    ("user", "locks"): (),
    ("user", "answer"): (ID,),
    ("user", "audit"): (ID,),
    ("user", "refund"): (ID,),
    ("user", "withdraw"): (),
    ("user", "notifications"): (),
    ("user", "devices"): (),
    ("user", "policy"): (*(ACCOUNT, "--low-w", "1", "--high-w", "2", "--temperature-dc", "3"),),
    ("user", "consent"): (ACCOUNT, "--withdraw"),
    ("user", "sales"): (),
    ("user", "draw"): (),
    ("user", "neighbourhood"): (ID,),
    ("user", "demand"): (ID,),
    ("user", "slash"): (ID,),
    ("user", "dispute"): (ID,),
    ("user", "add-evidence"): (ID,),
    ("share", "broadcast"): (
        *("--region", "north", *DAYS, "--max-price-wei", "1", "--group-size", "3"),
        *("--purpose", "study"),
    ),
    ("share", "catalogue"): (),
    ("share", "form"): (ID,),
    ("share", "select"): (ID, "--node", ACCOUNT, "--member", ACCOUNT),
    ("share", "close"): (ID,),
    ("share", "grants"): (),
    ("share", "serve"): (),
    ("share", "hand-over"): (ID,),
    ("share", "recover"): (ID,),
    ("share", "export"): (ID, "--csv", "data.csv"),
    ("share", "refund"): (ID,),
    ("share", "withdraw"): (),
    ("share", "aggregates"): (),
    ("share", "open-aggregate"): (ID,),
    ("share", "dispute"): (ID,),
    ("share", "add-evidence"): (ID,),
    ("judge", "list"): (),
    ("judge", "look"): (ID,),
    ("judge", "vote"): (ID,),
    ("judge", "run"): (),
    ("verify", "data"): ("data.csv",),
    ("verify", "prove"): ("data.csv", "--device", ACCOUNT, "--seq", "1"),
    ("verify", "reading"): ("proof.json",),
    ("verify", "deployment"): (),
}
WITHOUT_PROFILE = {
    *(("keys", name) for name in ("new", "show", "backup", "restore", "rotate")),
    ("keys", "change-password"),
    *(("net", name) for name in GROUPS["net"]),
    *(("tariff", name) for name in GROUPS["tariff"]),
}
# Runs every command in one process and tells, of each, its exit code and what it loaded first.
RUN_ALL = """
import json, sys
from typer.testing import CliRunner
from offchain.cli.app import app
given, slow = json.loads(sys.stdin.read()), set(sys.argv[1:])
told = []
for words in given:
    before = slow & set(sys.modules)
    result = CliRunner().invoke(app, words)
    told.append([result.exit_code, result.stderr, sorted((slow & set(sys.modules)) - before)])
sys.stdout.write(json.dumps(told))
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, ...], tuple[int, str, list]]:
    folder = tmp_path_factory.mktemp("start")
    registration = folder / "registration.json"
    registration.write_text(REGISTRATION)
    files = {"REGISTRATION": str(registration)}
    missing = str(folder / "missing.toml")
    given = [
        [*command, *(files.get(one, one) for one in more), "--profile", missing]
        for command, more in COMMANDS.items()
    ]
    done = subprocess.run(
        [sys.executable, "-c", RUN_ALL, *SLOW],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(zip(COMMANDS, map(tuple, json.loads(done.stdout)), strict=True))


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_command__without_its_profile__ends_before_anything_slow_is_loaded(
    told: dict[tuple[str, ...], tuple[int, str, list]], command: tuple[str, ...]
) -> None:
    code, said, loaded = told[command]
    assert code != 0
    assert "missing.toml does not exist" in said
    assert loaded == []


def test_commands__of_the_table__are_all_that_take_a_profile() -> None:
    known = {(group, name) for group, names in GROUPS.items() for name in names}
    assert known - WITHOUT_PROFILE <= set(COMMANDS)
