"""Commands that only look at the chain open no secret: a key folder without keys is enough."""

from pathlib import Path

import pytest
from eth_account import Account

from offchain.member import member_file
from offchain.types import Role
from tests.unit.cli.test_commands import ID, profile, run

__all__ = ["profile"]
READING = [
    (("user", "locks"), Role.USER),
    (("user", "devices"), Role.USER),
    (("share", "form", ID), Role.SHARER),
    (("share", "grants"), Role.SHARER),
    (("judge", "list"), Role.CONSORTIUM),
]


def write_member_file(folder: Path, role: Role) -> None:
    folder.mkdir()
    account = Account.create()
    member_file.write(
        folder / "member.json", role=role, account=account, identity="somebody", salt=bytes(32)
    )


@pytest.mark.parametrize(("command", "role"), READING)
def test_reading_command__given_the_members_file_alone__goes_on_to_the_chain(
    profile: str, command: tuple[str, ...], role: Role
) -> None:
    write_member_file(Path(profile).with_name("keys"), role)
    result = run(*command, "--profile", profile)
    assert result.exit_code == 1
    assert "deployment.json" in result.stderr  # what comes next, and is missing here


@pytest.mark.parametrize(("command", "role"), READING)
def test_reading_command__given_another_roles_folder__exits_2_and_says_whose_it_is(
    profile: str, command: tuple[str, ...], role: Role
) -> None:
    write_member_file(Path(profile).with_name("keys"), Role.PROCESSOR)
    result = run(*command, "--profile", profile)
    assert result.exit_code == 2
    assert f"keys of a processor; this command is for a {role.name.lower()}" in result.stderr


@pytest.mark.parametrize(("command", "role"), READING)
def test_reading_command__given_no_keys__says_how_to_make_them(
    profile: str, command: tuple[str, ...], role: Role
) -> None:
    result = run(*command, "--profile", profile)
    assert result.exit_code == 1
    assert "holds no member's keys; make them with `dmsm keys new`" in result.stderr
