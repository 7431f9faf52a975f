"""The aggregate set through the commands, at full size: dealt, added, opened, compared."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from offchain.chain.anvil import start_anvil
from offchain.cli.app import app
from offchain.crypto.secret import SecretBytes
from offchain.member.keys import MemberKeys
from offchain.member.roles import MemberRole
from offchain.node.store import NodeStore
from tests.integration import town
from tests.integration.cli.conftest import Machine
from tests.unit.crypto.threshold_keys import public_primes

PASSWORD = b"a test password"
DAY = ("--from", "2016-07-18", "--to", "2016-07-19")
HOMES, SHARERS = ("anna", "bert", "cleo"), ("vendor", "lab", "school")


@dataclass(kw_only=True)
class Village:
    machine: Machine
    devices: dict[str, str]
    sharers: dict[str, str]
    lock: str

    def json(self, member: str, *arguments: str) -> Any:
        return self.machine.json(member, *arguments)


@pytest.fixture(scope="module")
def village(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Village]:
    """Three homes whose readings the running node holds, and a bill of one of them."""
    with pytest.MonkeyPatch.context() as patch, start_anvil() as anvil:
        patch.setattr(town, "BITS", 3072)
        machine = Machine(tmp_path_factory.mktemp("village"), anvil)
        builder = town.Builder(anvil, machine.folder)
        builder.admin.set_type(town.BILL, name="bill", price_wei=10**15, shortest_s=120)
        keys, gateway = builder.admit(MemberRole.PROCESSOR, town.region_id("north"))
        node = '[node]\nlisten = "127.0.0.1:0"\npoll_s = 1\n'
        make_profile(machine, "north", keys, f"{node}data_set_price_wei = 1\n")
        town.say_tariff(builder.admin, builder.store, town.tariff_document())
        devices = {}
        with NodeStore(machine.folder / "north/data/node.sqlite") as held:
            for number, home in enumerate(HOMES):
                user, _ = builder.admit(MemberRole.USER, town.region_id("north"))
                device, device_gateway = builder.admit(
                    MemberRole.DEVICE, town.region_id("north"), owner=user.address
                )
                readings = town.make_readings(device, gateway.deployment, number=number)
                town.fill(held, device, readings, device_gateway)
                make_profile(machine, home, user)
                devices[home] = device.address
        sharers = {}
        for name in SHARERS:
            sharer, _ = builder.admit(MemberRole.SHARER, town.NO_REGION)
            make_profile(machine, name, sharer)
            sharers[name] = sharer.address
        with machine.process("north", "node", "run"):
            for member in (*HOMES, *SHARERS):
                profile = machine.profile(member)
                url = machine.url_of("north")
                profile.write_text(f'node_url = "{url}"\n' + profile.read_text())
            request = ("user", "request", "bill", "--device", devices["anna"], *DAY, "--yes")
            (lock,) = machine.json("anna", *request)["locks"]
            machine.as_member("anna", "user", "answer", lock, "--wait", "60")
            yield Village(machine=machine, devices=devices, sharers=sharers, lock=lock)


def make_profile(machine: Machine, name: str, keys: MemberKeys, extra: str = "") -> None:
    folder: Path = machine.folder / name
    keys.save(folder / "keys", SecretBytes(PASSWORD), light=True)
    machine.profile(name).write_text(
        f'rpc_url = "{machine.anvil.url}"\n'
        'deployment = "../deployment.json"\nstore = "dir:../content"\nkeys = "keys"\n'
        f'password_file = "../password"\ndata = "data"\n{extra}'
    )


def test_aggregate__from_the_key_to_the_neighbourhood__shows_the_mean_of_the_others(
    village: Village, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = village.machine
    for home, device in village.devices.items():
        given = ("user", "consent", device, "--until", "+90d", "--for", "aggregation")
        assert village.json(home, *given)["for"] == "aggregation"
    primes = iter(public_primes(3072))  # drawing them takes half a minute
    dealer = "offchain.node.aggregate_key.generate_safe_prime"
    monkeypatch.setattr(dealer, lambda bits: next(primes))
    members = [word for one in village.sharers.values() for word in ("--member", one)]
    key = village.json("north", "node", "aggregate-key", *members, "--min-homes", "3")
    assert (key["threshold"], key["members"]) == (2, 3)
    made = village.json("north", "node", "aggregate", *DAY)
    assert (made["homes"], made["slots"], made["sums"]) == (3, 24, 1)
    assert village.json("north", "node", "aggregate", *DAY)["set"] == made["set"]

    refused = machine.as_member("anna", "user", "neighbourhood", village.lock, ok=False)
    assert "2 valid shares are needed, 0 are at hand" in refused.stderr
    refused = machine.as_member(
        *("vendor", "share", "open-aggregate", made["set"], "--min-homes", "4"), ok=False
    )
    assert "4 homes or more" in refused.stderr
    for sharer in SHARERS[:2]:
        assert village.json(sharer, "share", "open-aggregate", made["set"])["sums_opened"] == 1
    (row,) = village.json("school", "share", "aggregates")
    assert (row["opened_by"], row["homes"], row["i_hold_a_share"]) == (2, 3, True)

    found = village.json("anna", "user", "neighbourhood", village.lock)
    assert found["i_am_in_the_set"] is True
    assert (found["homes"], len(found["slots"])) == (3, 24)
    assert found["own_import_wh"] == sum(150 + 37 * (hour * 7 % 24) for hour in range(24))
    assert found["own_export_wh"] == sum(90 + hour for hour in range(9, 16))
    for own in ("own_import_wh", "own_export_wh"):
        assert found[own] == sum(slot[own] for slot in found["slots"])
    shown = machine.as_member("anna", "user", "neighbourhood", village.lock, "--set", made["set"])
    assert "percent of mean" in shown.stdout


def test_neighbourhood__of_no_such_set__says_so(village: Village) -> None:
    wanted = ("user", "neighbourhood", village.lock, "--set", "ab" * 32)
    refused = village.machine.as_member("anna", *wanted, ok=False)
    assert "announces no" in refused.stderr


def test_open_aggregate__with_a_users_keys__exits_2(village: Village) -> None:
    profile = ("--profile", str(village.machine.profile("anna")))
    result = CliRunner().invoke(app, ["share", "open-aggregate", "ab" * 32, *profile])
    assert result.exit_code == 2
    assert "keys of a user" in result.stderr
