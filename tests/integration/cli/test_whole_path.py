"""The commands of docs/guide.md in their order, each seen to do what it says, on a real chain.

The members and what they have done are shared; the last tests, from "the end" on, undo it.
"""

import csv
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from offchain.crypto.keystore import read_password
from offchain.member.keys import MemberKeys
from tests.integration.cli.conftest import (
    APPLICATION_WEI,
    DATA_SET_PRICE_WEI,
    DAYS,
    ETHER,
    PRICE_WEI,
    Machine,
    wait_for,
    write_meter_file,
)
from tests.integration.town import tariff_document

FROM, TO = "2022-01-08", "2022-01-10"
WINDOW = ("--from", FROM, "--to", TO)


@pytest.fixture(scope="module")
def node(machine: Machine) -> Iterator["subprocess.Popen[str]"]:
    """The running node, with a device's two days taken in."""
    with machine.process("north", "node", "run") as process:
        for member in ("anna", "vendor", "lab"):
            profile = machine.profile(member)
            url = f'node_url = "{machine.url_of("north")}"\n'
            profile.write_text(url + profile.read_text())
        yield process


@pytest.fixture(scope="module")
def device(machine: Machine, node: object) -> str:
    """The device's account, after its agent has sent and anchored everything."""
    account = machine.accounts["meter"]
    limits = ("--low-w", "100", "--high-w", "2500", "--temperature-dc", "300")
    machine.as_member("anna", "user", "policy", account, *limits)
    machine.as_member("anna", "user", "consent", account, "--until", "+90d")
    folder = machine.folder / "meter"
    write_meter_file(folder / "meter.csv")
    config = {
        "rpc_url": machine.anvil.url,
        "deployment": "../deployment.json",
        "node_url": machine.url_of("north"),
        "keys": "keys",
        "password_file": "../password",
        "outbox": "outbox.sqlite",
        "meter_csv": "meter.csv",
    }
    (folder / "agent.json").write_text(json.dumps(config))
    command = [sys.executable, "-m", "device_agent", "run", "--config", str(folder / "agent.json")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return account


@pytest.fixture(scope="module")
def bill(machine: Machine, device: str) -> str:
    """The lock of a bill that was answered."""
    terms = machine.json("anna", "user", "terms", "bill")
    paid = machine.json("anna", "user", "request", "bill", "--device", device, *WINDOW, "--yes")
    assert paid["price_wei"] == terms["price_wei"]
    assert f"an answer of up to {terms['longest_answer_bytes']} bytes" in paid["terms"]
    machine.as_member("anna", "user", "answer", paid["locks"][0], "--wait", "60")
    return paid["locks"][0]


@pytest.fixture(scope="module")
def data_set(machine: Machine, device: str) -> str:
    return machine.json("north", "node", "publish", *WINDOW)["data_set"]


@pytest.fixture(scope="module")
def lock(machine: Machine, data_set: str) -> str:
    """The vendor's paid lock, its shares delivered to the group of vendor and lab."""
    asked = machine.json(
        *("vendor", "share", "broadcast", "--region", "north", *WINDOW),
        *("--max-price-wei", str(ETHER), "--group-size", "2", "--threshold", "2"),
        *("--purpose", "a forecast"),
    )["broadcast"]
    form = wait_for(lambda: machine.json("vendor", "share", "form", asked))
    assert [line["node"] for line in form] == [machine.accounts["north"]]
    assert [line["node_name"] for line in form] == ["Grid company North"]
    assert (form[0]["price_wei"], form[0]["data_set"]) == (DATA_SET_PRICE_WEI, data_set)
    assert (form[0]["rows"], form[0]["meters"], form[0]["wanted_days"]) == (24 * DAYS, 1, DAYS)
    made = machine.json(
        *("vendor", "share", "select", asked, "--node", machine.accounts["north"]),
        *("--member", machine.accounts["lab"]),
    )[0]["lock"]
    (grant,) = wait_for(lambda: machine.json("vendor", "share", "grants"))
    assert grant["node_name"] == "Grid company North"
    return made


@pytest.fixture(scope="module")
def export(machine: Machine, lock: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The verified export, after the lab has handed its share over."""
    machine.as_member("vendor", "share", "recover", lock, ok=False)
    with machine.process("vendor", "share", "serve"):
        to = f"{machine.accounts['vendor']}={machine.url_of('vendor')}"
        took = machine.json("lab", "share", "hand-over", lock, "--to", to)
    assert [(row["member_name"], row["took_it"]) for row in took] == [("Meter vendor", True)]
    file = tmp_path_factory.mktemp("export") / "data.csv"
    parquet = ("--parquet", str(file.with_suffix(".parquet")))
    report = machine.json("vendor", "share", "export", lock, "--csv", str(file), *parquet)
    assert report["ok"], report
    assert all(one["holds"] for one in report["findings"])
    return file


# ---- consortium


def test_admin_members__all_admitted__lists_them_in_order(machine: Machine) -> None:
    rows = machine.json("consortium", "admin", "members")
    assert [row["role"] for row in rows] == ["processor", "user", "device", "sharer", "sharer"]
    assert rows[2]["owner"] == machine.accounts["anna"]
    names = ["Grid company North", None, None, "Meter vendor", "Energy lab"]
    assert [row["name"] for row in rows] == names
    assert all(row["active"] and row["balance_wei"] == ETHER for row in rows[3:])


def test_admin_admit__given_a_member_twice__says_the_registrys_error(machine: Machine) -> None:
    file = machine.folder / "lab" / "registration.json"
    result = machine.as_member("consortium", "admin", "admit", str(file), ok=False)
    assert result.exit_code == 1
    assert result.stderr.startswith("dmsm: ")
    assert "MemberRegistry" in result.stderr
    assert "Traceback" not in result.stderr


def test_admin_type__by_somebody_else__is_refused(machine: Machine) -> None:
    terms = ("--name", "free", "--price-wei", "1", "--shortest-s", "60")
    result = machine.as_member("anna", "admin", "type", "9", *terms, ok=False)
    assert result.exit_code == 1
    assert f"{machine.accounts['anna']} is no member of the consortium" in result.stderr
    assert f"its members: {machine.accounts['consortium']}" in result.stderr


def test_verify_deployment__given_this_chain__finds_code_everywhere(machine: Machine) -> None:
    rows = machine.json("anna", "verify", "deployment")
    assert len(rows) == 12
    assert all(row["code_bytes"] > 100 for row in rows)


# ---- user


def test_user_devices__after_policy_and_consent__shows_both(machine: Machine, device: str) -> None:
    (row,) = machine.json("anna", "user", "devices")
    assert (row["device"], row["low_w"], row["high_w"]) == (device, 100, 2_500)
    assert row["anchored_readings"] == 24 * DAYS + 1
    assert row["consent_until_at"] > 0


def test_user_notifications__after_an_evening_peak__include_too_high(
    machine: Machine, device: str
) -> None:
    found = machine.json("anna", "user", "notifications")
    assert "too high" in {one["status"] for one in found}
    assert all(one["report_valid"] for one in found)


@pytest.mark.parametrize("kind", ["bill", "advice"])
def test_user_request__of_anchored_days__is_answered_and_audited(
    machine: Machine, device: str, kind: str
) -> None:
    paid = machine.json("anna", "user", "request", kind, "--device", device, *WINDOW, "--yes")
    assert paid["price_wei"] == PRICE_WEI
    answer = machine.json("anna", "user", "answer", paid["locks"][0], "--wait", "60")
    assert answer["node_name"] == "Grid company North"
    assert (answer["kind"], answer["signature_valid"]) == (kind, True)
    audit = machine.json("anna", "user", "audit", paid["locks"][0])
    assert audit["ok"], audit
    (one,) = audit["answers"]
    assert one["result"] == answer["result"]
    if kind == "bill":
        assert one["verdict"].startswith("The bill is right: ")
        assert one["lines"] and all(line["said"] == line["own"] for line in one["lines"])
        assert one["gaps"] == []
    shown = machine.as_member("anna", "user", "audit", paid["locks"][0]).stdout
    assert "result_recomputed" in shown and "0x" + "object" not in shown and "<" not in shown
    states = {one["lock"]: one["state"] for one in machine.json("anna", "user", "locks")}
    assert states[paid["locks"][0]] in ("claimed", "settled")


def test_user_and_status__what_is_not_final__is_told_as_such(machine: Machine) -> None:
    profile = machine.profile("anna").with_name("deep.toml")
    profile.write_text("confirmations = 500\n" + machine.profile("anna").read_text())
    deep = ("--profile", str(profile))
    for command in ("locks", "notifications"):
        shallow = machine.json("anna", "user", command)
        assert shallow and all(row["final"] is True for row in shallow)
        found = json.loads(machine.dmsm("user", command, "--json", *deep).stdout)
        assert len(found) == len(shallow)
        assert [row["final"] for row in found] == [False] * len(found)
        assert "not final" in machine.dmsm("user", command, *deep).stdout
    status = machine.json("north", "node", "status")
    assert status["final_block"] == status["head_block"] and status["not_final_wei"] == 0
    assert status["chain_faults"] is None


def test_user_audit__with_a_tariff_of_ones_own__shows_both_and_says_which_is_which(
    machine: Machine, bill: str, tmp_path: Path
) -> None:
    periods = [{"kind": "flat", "name": "my supplier", "price": 1_000_000}]
    own = tmp_path / "own.json"
    own.write_bytes(tariff_document("mine", **{"import": periods}, fixed=[], taxes=[], export=[]))
    audit = machine.json("anna", "user", "audit", bill, "--tariff", str(own))
    assert audit["ok"]  # it says nothing about the node
    result, mine = audit["answers"][0]["result"], audit["own_contract"]
    assert mine["import_wh"] == result["import_wh"]
    assert mine["subtotal"] == 1_000 * mine["import_wh"]
    shown = machine.as_member("anna", "user", "audit", bill, "--tariff", str(own)).stdout
    assert "by your own contract, which is not the chain's:" in shown
    assert shown.startswith("The bill is right: ")


def test_user_request__without_a_yes__shows_price_and_count_and_pays_nothing(
    machine: Machine, device: str
) -> None:
    before = len(machine.json("anna", "user", "locks"))
    asked = ("user", "request", "bill", "--device", device, *WINDOW)
    result = machine.as_member("anna", *asked, ok=False)
    assert result.exit_code == 1
    assert "2022-01-08 00:00 to 2022-01-10 00:00" in result.stdout
    assert f"one request at {PRICE_WEI:,} wei" in result.stdout
    assert f"to be locked in all: {PRICE_WEI:,} wei" in result.stdout
    assert "nothing was paid" in result.stderr
    assert len(machine.json("anna", "user", "locks")) == before


def test_user_request__of_days_that_the_node_does_not_hold__says_so_and_pays_nothing(
    machine: Machine, device: str
) -> None:
    asked = ("user", "request", "bill", "--device", device, "--month", "2021-05", "--yes")
    result = machine.as_member("anna", *asked, ok=False)
    assert result.exit_code != 0
    assert "holds no readings" in result.stderr and "2021-05-01" in result.stderr


def test_user_bill__of_days_in_another_zone__is_asked_in_parts_and_is_one(
    machine: Machine, device: str
) -> None:
    """Two requests that meet at a midnight of Kathmandu, audited together."""
    locks = []
    for first, after in (("2022-01-08", "2022-01-09"), ("2022-01-09", "2022-01-10")):
        days = ("--from", first, "--to", after, "--zone", "Asia/Kathmandu", "--yes")
        asked = ("user", "request", "bill", "--device", device, *days)
        locks += machine.json("anna", *asked)["locks"]
    for lock in locks:
        machine.as_member("anna", "user", "answer", lock, "--wait", "60")
    audit = machine.json("anna", "user", "audit", *locks)
    assert audit["ok"], audit
    parts = [one["result"] for one in audit["answers"]]
    assert audit["whole"]["import_wh"] == sum(part["import_wh"] for part in parts)
    assert audit["whole"]["from"] == parts[0]["from"] and parts[0]["to"] == parts[1]["from"]
    apart = machine.as_member("anna", "user", "audit", locks[0], locks[0], ok=False)
    assert "give the locks of all parts" in apart.stderr


def test_user_refund__of_an_answered_request__is_refused(machine: Machine, bill: str) -> None:
    result = machine.as_member("anna", "user", "refund", bill, ok=False)
    assert result.exit_code == 1
    assert "PrepaidLock" in result.stderr


def test_user_withdraw__with_nothing_there__sends_nothing(machine: Machine) -> None:
    assert machine.json("anna", "user", "withdraw") == {"withdrawn_wei": 0}


def test_user_commands__with_a_sharers_keys__exit_2(machine: Machine) -> None:
    result = machine.as_member("lab", "user", "locks", ok=False)
    assert result.exit_code == 2
    assert "keys of a sharer" in result.stderr


# ---- node


def test_node_publish__again__finds_the_same_data_set(machine: Machine, data_set: str) -> None:
    assert machine.json("north", "node", "publish", *WINDOW)["data_set"] == data_set


def test_node_publish__of_a_window_without_readings__says_so(
    machine: Machine, data_set: str
) -> None:
    window = ("--from", "2021-01-08", "--to", "2021-01-09")
    result = machine.as_member("north", "node", "publish", *window, ok=False)
    assert "no device whose owner consents" in result.stderr


def test_node_status__while_it_runs__shows_devices_and_data_sets(
    machine: Machine, data_set: str
) -> None:
    status = machine.json("north", "node", "status")
    assert (status["region"], status["active"]) == ("north", True)
    assert [one["readings"] for one in status["devices"]] == [24 * DAYS + 1]
    assert [one["data_set"] for one in status["data sets"]] == [data_set]
    assert "data sets" in machine.as_member("north", "node", "status").stdout


def test_node_publish__over_days_without_data__shows_them_and_asks(
    machine: Machine, data_set: str
) -> None:
    longer = ("--from", "2022-01-07", "--to", TO)
    asked = machine.as_member("north", "node", "publish", *longer, ok=False)
    assert "days without data" in asked.stdout and "2022-01-07" in asked.stdout
    assert "Publish it?" in asked.stdout and asked.exit_code == 1
    unasked = machine.as_member("north", "node", "publish", *longer, "--json", ok=False)
    assert "--yes" in unasked.stderr and unasked.stdout == ""
    status = machine.json("north", "node", "status")
    assert [one["data_set"] for one in status["data sets"]] == [data_set]

    made = machine.json("north", "node", "publish", *longer, "--yes")

    assert made["days_without_data"] == ["2022-01-07"] and made["left_out"] == []
    assert (made["homes"], made["days"], made["device_days_with_data"]) == (1, DAYS + 1, DAYS)
    assert made["data_set"] != data_set and made["rows"] == 24 * DAYS


def test_node_run__while_it_runs_already__says_so(machine: Machine, node: object) -> None:
    result = machine.as_member("north", "node", "run", ok=False)
    assert "another process works with" in result.stderr


# ---- sharing


def test_share_recover__below_the_threshold__names_the_numbers(machine: Machine, lock: str) -> None:
    result = machine.as_member("lab", "share", "recover", lock, ok=False)
    assert "2 valid shares are needed, 1 are at hand" in result.stderr


def test_share_recover__with_all_shares__prints_no_secret(
    machine: Machine, lock: str, export: Path
) -> None:
    facts = machine.json("vendor", "share", "recover", lock)
    assert (facts["recovered"], facts["shares_at_hand"], facts["threshold"]) == (True, 2, 2)
    assert not facts["false_shares_of"]


def test_verify_data__of_the_export__proves_every_row(machine: Machine, export: Path) -> None:
    for file in (export, export.with_suffix(".parquet")):
        found = machine.json("lab", "verify", "data", str(file))
        assert found["ok"]
        assert found["devices"][0]["proven"] == 24 * DAYS


def test_verify_data__with_one_value_changed__names_the_batch(
    machine: Machine, export: Path, tmp_path: Path
) -> None:
    rows = list(csv.reader(export.open()))
    rows[30][3] = str(int(rows[30][3]) + 1)
    changed = tmp_path / "changed.csv"
    with changed.open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    found = machine.json("lab", "verify", "data", str(changed), ok=False)
    assert found["devices"][0]["false_batches_from_seq"] == [25]
    assert found["devices"][0]["proven"] == 24
    assert found["false_commitments_rows"] == [30]
    shown = machine.as_member("lab", "verify", "data", str(changed), ok=False).stdout
    assert "NOT every reading" in shown


def test_verify_reading__of_a_proof__is_true_on_the_ledger(
    machine: Machine, device: str, export: Path, tmp_path: Path
) -> None:
    proof = tmp_path / "proof.json"
    wanted = ("--device", device, "--seq", "20", "--out", str(proof))
    machine.as_member("vendor", "verify", "prove", str(export), *wanted)
    found = machine.json("anna", "verify", "reading", str(proof))
    assert (found["anchored"], found["seq"], found["power_w"]) == (True, 20, 2_900)

    value = json.loads(proof.read_text())
    value["proof"][0] = "00" * 32
    proof.write_text(json.dumps(value))
    assert not machine.json("anna", "verify", "reading", str(proof), ok=False)["anchored"]


# ---- the end


def test_node_run__on_sigterm__ends_with_0_and_logs_json_without_plaintext(
    machine: Machine, node: "subprocess.Popen[str]", bill: str, export: Path
) -> None:
    node.send_signal(signal.SIGTERM)
    assert node.wait(timeout=60) == 0
    log = (machine.folder / "north.log").read_text()
    events = [json.loads(line)["event"] for line in log.splitlines()]
    assert {"started", "accepted", "claimed", "responded", "delivered", "stopped"} <= set(events)
    assert "a forecast" not in log
    password = read_password(machine.folder / "password")
    for member in ("anna", "vendor"):
        keys = MemberKeys.load(machine.folder / member / "keys", password)
        assert keys.identity not in log


def test_node_withdraw__after_the_end__brings_what_was_earned(
    machine: Machine, node: object, export: Path
) -> None:
    drawn = machine.json("north", "node", "withdraw")["withdrawn_wei"]
    answered = [one["state"] for one in machine.json("anna", "user", "locks")]
    paid = answered.count("settled") * PRICE_WEI + DATA_SET_PRICE_WEI
    owners = DATA_SET_PRICE_WEI // 2
    assert drawn == paid - paid * 200 // 10_000 - owners  # the consortium's fee, the owners' part
    (sold,) = [one for one in machine.json("north", "node", "sets") if one["sold_times"]]
    assert sold["earned_wei"] == DATA_SET_PRICE_WEI - DATA_SET_PRICE_WEI // 50 - owners
    assert sold["owners_earned_wei"] == owners // (24 * DAYS) * 24 * DAYS


def test_share_catalogue__after_a_sale__shows_what_is_for_sale_and_on_what_record(
    machine: Machine, data_set: str, export: Path
) -> None:
    found = machine.json("vendor", "share", "catalogue", "--region", "north", *WINDOW)
    (line,) = [one for one in found if one["data_set"] == data_set]
    assert line["node"] == machine.accounts["north"] and line["region"] == "north"
    assert (line["rows"], line["meters"], line["days"]) == (24 * DAYS, 1, DAYS)
    assert (line["asked_before_wei"], line["sold_times"]) == (DATA_SET_PRICE_WEI, 1)
    assert (line["node_sold"], line["node_declined"], line["node_failed"]) == (1, 0, 0)
    for elsewhere in (("--region", "south"), ("--from", "2023-01-01"), ("--kind", "2")):
        assert machine.json("vendor", "share", "catalogue", *elsewhere) == []
    assert "for sale: none" in machine.as_member("lab", "share", "catalogue", *elsewhere).stdout


def test_user_draw__after_a_sale__brings_ones_part_to_the_account(
    machine: Machine, data_set: str, lock: str, export: Path
) -> None:
    part = DATA_SET_PRICE_WEI // 2 // (24 * DAYS) * 24 * DAYS
    seen = machine.json("anna", "user", "sales")
    (sale,) = seen["sales"]
    assert (sale["lock"], sale["buyer"]) == (lock, machine.accounts["vendor"])
    assert (sale["purpose"], sale["own_part_wei"]) == ("a forecast", part)
    assert seen["to_draw_wei"] == part and seen["unknown"] == []
    told = machine.as_member("anna", "user", "sales").stdout
    assert "`dmsm user consent DEVICE --withdraw` ends that" in told

    drawn = machine.json("anna", "user", "draw")

    assert (drawn["drawn_wei"], drawn["transactions"]) == (part, 1)
    assert machine.json("anna", "user", "draw") == {"drawn_wei": 0, "transactions": 0}
    assert machine.json("anna", "user", "withdraw")["withdrawn_wei"] == part


def test_user_refund__after_t_without_an_answer__brings_the_price_back(
    machine: Machine, node: "subprocess.Popen[str]", device: str
) -> None:
    node.send_signal(signal.SIGTERM)
    node.wait(timeout=60)
    until = ("--until", "+10m", "--as-one", "--yes")
    paid = machine.json(
        "anna", "user", "request", "bill", "--device", device, *WINDOW, *until, "--yes"
    )
    early = machine.as_member("anna", "user", "refund", paid["locks"][0], ok=False)
    assert (early.exit_code, "PrepaidLock" in early.stderr) == (1, True)
    machine.anvil.warp(601)
    assert machine.json("anna", "user", "refund", paid["locks"][0])["withdrawable_wei"] == PRICE_WEI
    assert machine.json("anna", "user", "withdraw")["withdrawn_wei"] == PRICE_WEI


def test_share_close__when_nobody_responded__returns_the_deposit(
    machine: Machine, node: object, export: Path
) -> None:
    already = machine.json("vendor", "share", "withdraw")["withdrawn_wei"]
    assert already == APPLICATION_WEI  # of the broadcast that was selected
    asked = machine.json(
        *("vendor", "share", "broadcast", "--region", "north", *WINDOW, "--select-by", "+20m"),
        *("--max-price-wei", "1", "--group-size", "2", "--purpose", "a study"),
    )["broadcast"]
    assert machine.json("vendor", "share", "form", asked) == []
    assert "form: none" in machine.as_member("vendor", "share", "form", asked).stdout
    machine.as_member("vendor", "share", "close", asked, ok=False)
    machine.anvil.warp(1_201)
    machine.as_member("vendor", "share", "close", asked)
    assert machine.json("vendor", "share", "withdraw")["withdrawn_wei"] == APPLICATION_WEI


def test_share_refund__of_a_delivered_lock__is_refused(
    machine: Machine, lock: str, export: Path
) -> None:
    result = machine.as_member("vendor", "share", "refund", lock, ok=False)
    assert result.exit_code == 1
    assert "PrepaidLock" in result.stderr


def test_node_retire__by_the_operator__ends_a_sale_once(
    machine: Machine, data_set: str, export: Path
) -> None:
    (other,) = [
        one["data_set"]
        for one in machine.json("north", "node", "sets")
        if one["data_set"] != data_set
    ]
    assert machine.json("north", "node", "retire", other)["retired"] == other
    sets = {one["data_set"]: one for one in machine.json("north", "node", "sets")}
    assert (sets[other]["on_sale"], sets[other]["retired"]) == (False, True)
    assert sets[data_set]["on_sale"]
    again = machine.as_member("north", "node", "retire", other, ok=False)
    assert "not for sale" in again.stderr


def test_user_consent__withdrawn__is_gone_and_ends_the_sale(
    machine: Machine, device: str, data_set: str, export: Path
) -> None:
    told = machine.json("anna", "user", "consent", device, "--withdraw")
    assert [(one["data_set"], one["ended"]) for one in told["sales"]] == [(data_set, True)]
    assert machine.json("anna", "user", "devices")[0]["consent_until_at"] is None
    assert machine.json("vendor", "share", "catalogue") == []


def test_admin_revoke__of_a_member__shows_it_inactive(machine: Machine, export: Path) -> None:
    machine.as_member("consortium", "admin", "revoke", machine.accounts["lab"])
    rows = machine.json("consortium", "admin", "members")
    assert [row["active"] for row in rows] == [True, True, True, True, False]


def test_admin_admit__funded_otherwise__sends_that_or_admits_nobody(machine: Machine) -> None:
    machine.new_member("garage", "device")
    machine.new_member("shed", "device")
    for member in ("garage", "shed"):
        owner = ("--region", "north", "--owner", machine.accounts["anna"])
        file = machine.folder / member / "registration.json"
        machine.as_member(member, "keys", "registration", "--out", str(file), *owner)
    admit = ("consortium", "admin", "admit")
    garage, shed = (str(machine.folder / name / "registration.json") for name in ("garage", "shed"))

    machine.as_member(*admit, garage, "--fund-wei", "0")
    refused = machine.as_member(*admit, shed, "--fund-wei", str(10**30), ok=False)

    assert "nobody was admitted" in refused.stderr and "--fund-wei" in refused.stderr
    row = machine.json("consortium", "admin", "members")[-1]
    assert (row["account"], row["balance_wei"]) == (machine.accounts["garage"], 0)


def test_command__on_a_real_chain_without_depth__says_what_to_set(machine: Machine) -> None:
    profile, deployment = machine.profile("anna"), machine.folder / "deployment.json"
    real = machine.folder / "anna" / "deployment.json"
    real.write_text(json.dumps(json.loads(deployment.read_text()) | {"chain_id": 1984}))
    other = profile.with_name("real.toml")
    other.write_text(profile.read_text().replace("../deployment.json", "deployment.json"))

    result = machine.dmsm("verify", "deployment", "--profile", str(other), ok=False)
    assert result.exit_code == 2 and "what is final must be named" in result.stderr
    other.write_text("confirmations = 2\n" + other.read_text())
    result = machine.dmsm("verify", "deployment", "--profile", str(other), ok=False)
    assert "1984" in result.stderr and "confirmations" not in result.stderr
