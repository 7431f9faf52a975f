"""The command line without a chain: help, what is typed wrongly, and how errors end."""

import errno
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from offchain.cli.app import app
from offchain.errors import DmsmError, StoreBusy, StoreDamaged, StoreFull, StoreVersion

ACCOUNT = "0x" + "ab" * 20
ID = "cd" * 32
PROFILE = (
    'rpc_url = "http://127.0.0.1:1"\ndeployment = "deployment.json"\nstore = "dir:store"\n'
    'keys = "keys"\npassword_file = "password"\ndata = "data"\n'
)
GROUPS = {
    "keys": [
        *("new", "registration", "show", "backup", "restore", "rotate", "change-password"),
    ],
    "admin": [
        *("admit", "rename", "revoke", "type", "terms", "members"),
        *("tariff", "series", "document"),
    ],
    "node": ["run", "publish", "withdraw", "status", "aggregate-key", "aggregate"],
    "user": [
        *("request", "locks", "answer", "audit", "refund", "withdraw"),
        *("notifications", "devices", "policy", "consent", "neighbourhood"),
        *("demand", "slash", "dispute", "add-evidence"),
    ],
    "share": [
        *("broadcast", "form", "select", "close", "grants", "serve"),
        *("hand-over", "recover", "export", "refund", "withdraw"),
        *("aggregates", "open-aggregate", "dispute", "add-evidence"),
    ],
    "judge": ["list", "look", "vote", "run"],
    "tariff": ["bill", "check", "prices"],
    "verify": ["data", "prove", "reading", "deployment"],
    "net": ["up", "status", "add-signer", "remove-signer", "down", "logs"],
}


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, list(arguments), env={"COLUMNS": "100"})


@pytest.fixture
def profile(tmp_path: Path) -> str:
    (tmp_path / "dmsm.toml").write_text(PROFILE)
    (tmp_path / "password").write_text("secret\n")
    (tmp_path / "password").chmod(0o600)
    return str(tmp_path / "dmsm.toml")


@pytest.mark.parametrize("command", [(g, c) for g, names in GROUPS.items() for c in names])
def test_help__of_every_command__says_what_it_needs_and_costs(command: tuple[str, str]) -> None:
    result = run(*command, "--help")
    assert result.exit_code == 0
    text = " ".join(result.output.split())
    assert "Need" in text
    assert "ost" in text  # Costs gas, costs nothing


def test_help__of_the_root__lists_every_group() -> None:
    result = run("--help")
    assert all(group in result.output for group in ["demo", *GROUPS])


def test_help__asked_for__loads_no_chain_library() -> None:
    code = (
        "import sys\nfrom offchain.cli.app import app\n"
        "app(['user', 'request', '--help'], standalone_mode=False)\n"
        "slow = {'web3', 'py_ecc', 'fastapi', 'pyarrow', 'matplotlib'} & set(sys.modules)\n"
        "sys.exit(f'loaded {slow}' if slow else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_version__asked_for__is_printed() -> None:
    result = run("--version")
    assert (result.exit_code, result.output.split()[0]) == (0, "dmsm")


# ---- what is typed wrongly: exit 2, the option named


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("user", "request", "gift", "--device", ACCOUNT), "gift"),
        (("user", "answer", "12"), "no id (64 hexadecimal digits)"),
        (("user", "answer", "zz" * 32), "no id (64 hexadecimal digits)"),
        (("user", "policy", "bob"), "no account"),
        (("admin", "revoke", ACCOUNT[:-1]), "no account"),
        (("node", "publish", "--from", "2022-02-30", "--to", "2022-03-01"), "no date"),
        (("node", "publish", "--from", "2022-03-01", "--to", "2022-03-01"), "--to must be later"),
        (("user", "consent", ACCOUNT), "either --until TIME or --withdraw"),
        (("user", "consent", ACCOUNT, "--until", "+1y"), "no time"),
        (("user", "consent", ACCOUNT, "--until", "2022-01-01T10:00"), "lacks its zone"),
        (("user", "consent", ACCOUNT, "--until", "+1d", "--withdraw"), "either --until"),
        (("share", "export", ID), "--csv FILE, --parquet FILE"),
        (("share", "hand-over", ID, "--to", f"{ACCOUNT}:8701"), "is not ACCOUNT=URL"),
        (("keys", "new", "--role", "thief"), "thief"),
        (("nothing",), "No such command"),
    ],
)
def test_command__typed_wrongly__exits_2_and_names_it(
    profile: str, arguments: tuple[str, ...], said: str
) -> None:
    extra = () if arguments[0] in ("keys", "nothing") else ("--profile", profile)
    result = run(*arguments, *extra)
    assert result.exit_code == 2, result.output
    assert said in " ".join((result.output + result.stderr).replace("│", " ").split())
    assert "Traceback" not in result.stderr


def test_share_broadcast__threshold_above_the_group__exits_2(profile: str) -> None:
    result = run(
        *("share", "broadcast", "--region", "north", "--from", "2022-01-01", "--to", "2022-01-02"),
        *("--max-price-wei", "1", "--group-size", "2", "--threshold", "3"),
        *("--purpose", "study", "--profile", profile),
    )
    assert result.exit_code == 2
    assert "--threshold must not be above" in " ".join(result.stderr.split())


# ---- profiles


def test_command__without_a_profile__exits_2_and_says_how_to_name_one(tmp_path: Path) -> None:
    result = run("user", "locks", "--profile", str(tmp_path / "none.toml"))
    assert result.exit_code == 2
    assert "does not exist; name the profile with --profile" in result.stderr
    assert result.stderr.count("\n") == 1


def test_command__profile_named_by_the_environment__reads_it(tmp_path: Path) -> None:
    bad = tmp_path / "bad.toml"
    bad.write_text(PROFILE + "colour = 1\n")
    result = CliRunner().invoke(app, ["user", "locks"], env={"DMSM_PROFILE": str(bad)})
    assert result.exit_code == 2
    assert f"dmsm: {bad}: colour is no setting" in result.stderr


# ---- errors at work: exit 1, one sentence


def test_command__without_keys__is_one_sentence_and_exit_1(profile: str) -> None:
    result = run("user", "locks", "--profile", profile)
    assert result.exit_code == 1
    assert "holds no member's keys" in result.stderr
    assert "dmsm keys new" in result.stderr
    assert "Traceback" not in result.output + result.stderr


def test_command__with_debug__raises_the_error(profile: str) -> None:
    result = run("--debug", "user", "locks", "--profile", profile)
    assert isinstance(result.exception, DmsmError)


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (TypeError("4711 Wh"), 7, "unforeseen TypeError at tests/unit/cli/test_commands.py"),
        (MemoryError(), 7, "unforeseen MemoryError"),
        (StoreDamaged("node.sqlite is damaged"), 5, "node.sqlite is damaged"),
        (StoreVersion("node.sqlite has layout 9"), 6, "layout 9"),
        (StoreFull("free room"), 8, "free room"),
        (OSError(errno.ENOSPC, "No space left on device"), 8, "free room"),
        (StoreBusy("another program holds it"), 1, "another program holds it"),
        (sqlite3.ProgrammingError("closed"), 7, "unforeseen ProgrammingError"),
    ],
)
def test_command__that_cannot_go_on__is_one_line_and_a_code_of_its_own(
    profile: str, monkeypatch: pytest.MonkeyPatch, error: Exception, code: int, says: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("offchain.settings.load_profile", fail)
    monkeypatch.setattr("offchain.cli.reading.load_profile", fail)
    result = run("user", "locks", "--profile", profile)
    assert result.exit_code == code
    assert result.stderr.count("\n") == 1 and says in result.stderr
    assert "4711" not in result.stderr and "Traceback" not in result.stderr


def test_command__file_missing__is_one_sentence_and_exit_1(profile: str, tmp_path: Path) -> None:
    result = run("admin", "admit", str(tmp_path / "none.json"), "--profile", profile)
    assert result.exit_code == 1
    assert "none.json" in result.stderr


def test_verify__deployment_file_missing__says_so(profile: str) -> None:
    result = run("verify", "deployment", "--profile", profile)
    assert result.exit_code == 1
    assert "deployment.json does not exist" in result.stderr


# ---- keys


def new_keys(folder: Path, role: str, *extra: str) -> Any:
    (folder / "password").write_text("secret\n")
    (folder / "password").chmod(0o600)
    return run(
        *("keys", "new", "--role", role, "--dir", str(folder / role), "--scrypt", "light"),
        *("--password-file", str(folder / "password"), *extra),
    )


def test_keys_new__of_a_device__prints_the_account_and_warns_of_light(tmp_path: Path) -> None:
    result = new_keys(tmp_path, "device")
    assert result.exit_code == 0
    assert "development only" in result.stderr
    assert result.stdout.split()[1].startswith("0x")
    files = {path.name for path in (tmp_path / "device").iterdir()}
    assert {"account.json", "bls.json", "device.json", "member.json"} <= files


def test_keys_new__into_the_same_folder__overwrites_nothing(tmp_path: Path) -> None:
    new_keys(tmp_path, "device")
    before = (tmp_path / "device" / "account.json").read_bytes()
    result = new_keys(tmp_path, "device")
    assert result.exit_code == 1
    assert (tmp_path / "device" / "account.json").read_bytes() == before


def test_keys_new__taking_an_account_over__has_that_account(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("0x" + "11" * 32 + "\n")
    key.chmod(0o600)
    result = new_keys(tmp_path, "device", "--account-key-file", str(key))
    assert "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A" in result.stdout


def test_keys_new__account_key_file_without_a_key__exits_2(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("hello\n")
    key.chmod(0o600)
    result = new_keys(tmp_path, "device", "--account-key-file", str(key))
    assert result.exit_code == 2
    assert "no private key" in result.stderr
    assert "hello" not in result.stderr


def test_keys_new__password_file_readable_by_others__is_refused(tmp_path: Path) -> None:
    (tmp_path / "open").write_text("secret\n")
    (tmp_path / "open").chmod(0o644)
    folder = ("--dir", str(tmp_path / "d"), "--password-file", str(tmp_path / "open"))
    result = run("keys", "new", "--role", "device", *folder)
    assert result.exit_code == 1
    assert not (tmp_path / "d" / "account.json").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "a device needs --region"),
        (("--region", "north"), "a device needs --owner"),
    ],
)
def test_keys_registration__device_without_its_place__exits_2(
    tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    new_keys(tmp_path, "device")
    (tmp_path / "dmsm.toml").write_text(PROFILE.replace('"keys"', '"device"'))
    result = run("keys", "registration", "--profile", str(tmp_path / "dmsm.toml"), *arguments)
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.replace("│", " ").split())


@pytest.mark.parametrize(
    ("role", "arguments", "said"),
    [
        ("processor", ("--region", "north"), "a processor needs --name"),
        ("sharer", (), "a sharer needs --name"),
        ("user", ("--region", "north", "--name", "Anna"), "a user has no --name"),
    ],
)
def test_keys_registration__name_that_does_not_fit_the_role__exits_2(
    tmp_path: Path, role: str, arguments: tuple[str, ...], said: str
) -> None:
    new_keys(tmp_path, role)
    (tmp_path / "dmsm.toml").write_text(PROFILE.replace('"keys"', f'"{role}"'))
    result = run("keys", "registration", "--profile", str(tmp_path / "dmsm.toml"), *arguments)
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.replace("│", " ").split())


# ---- demo


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--threshold", "4"), "--threshold 4: more than the 3 of --sharers"),
        (("--homes", "1"), "--homes 1: at least 2"),
        (("--days", "0"), "--days 0: at least 1"),
    ],
)
def test_demo__options_that_cannot_be_met__exits_2_with_one_line(
    arguments: tuple[str, ...], said: str
) -> None:
    result = run("demo", *arguments)
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stderr.count("\n") == 1


def test_demo__given_options__passes_them_on_and_ends_with_its_code(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    run_module = pytest.importorskip("offchain.demo.run")
    asked = []
    monkeypatch.setattr(
        run_module, "main", lambda options, **_: asked.append(options) or 1, raising=False
    )
    result = run("demo", "--homes", "3", "--json", str(tmp_path / "r.json"), "--seed", "9")
    assert result.exit_code == 1
    assert (asked[0].homes, asked[0].seed, asked[0].json_file) == (3, 9, tmp_path / "r.json")


def test_moment__relative_and_absolute__is_a_unix_time() -> None:
    from offchain.cli.parameters import parse_moment

    assert parse_moment("+30m").on(1_000) == 2_800
    assert parse_moment("2022-01-01").on(5) == 1_640_995_200
    assert parse_moment("2022-01-01T01:00:00+01:00").on(5) == 1_640_995_200
    with pytest.raises(typer.BadParameter):
        parse_moment("soon")
