"""Demands and disputes by the commands of docs/guide.md: what they say, refuse and do."""

import json

import pytest

from offchain.chain.deployment import load_deployment
from offchain.chain.gateway import ChainGateway
from offchain.storage import open_store
from tests.integration.cli.conftest import PRICE_WEI, Machine, wait_for
from tests.integration.cli.test_whole_path import WINDOW
from tests.integration.cli.test_whole_path import device as device
from tests.integration.cli.test_whole_path import node as node

WINDOW_S = 3_600


@pytest.fixture(scope="module")
def court(machine: Machine, node: object, device: str) -> Machine:
    """The machine with bills that can be disputed, and a consortium that can judge."""
    del node, device
    profile = machine.profile("consortium")
    profile.write_text(profile.read_text() + "[judge]\npoll_s = 1\n")
    machine.admit("consortium", "--name", "Energy regulator")
    machine.as_member(
        *("consortium", "admin", "type", "1", "--name", "bill", "--price-wei", str(PRICE_WEI)),
        *("--shortest-s", "120", "--dispute-window-s", str(WINDOW_S)),
    )
    return machine


def forget_the_window(machine: Machine, lock: str) -> None:
    """Change the household's own note of what it asked: to its audit the answer is another's."""
    note = machine.folder / "anna" / "data" / "notes" / f"{lock.removeprefix('0x')}.json"
    note.write_text(json.dumps(json.loads(note.read_text()) | {"to": 1_641_686_400}))


def claimed(machine: Machine) -> str:
    """Ask for a bill that the running node answers honestly and claims."""
    device = machine.accounts["meter"]
    paid = machine.json("anna", "user", "request", "bill", "--device", device, *WINDOW, "--yes")
    machine.as_member("anna", "user", "answer", paid["locks"][0], "--wait", "60")
    return paid["locks"][0]


def state_of(machine: Machine, lock: str) -> str:
    return {one["lock"]: one["state"] for one in machine.json("anna", "user", "locks")}[lock]


def test_user_dispute__of_an_honest_answer__is_refused_and_names_what_is_at_stake(
    court: Machine,
) -> None:
    lock = claimed(court)

    result = court.as_member("anna", "user", "dispute", lock, "--yes", ok=False)

    assert result.exit_code == 1
    assert "nothing wrong was found" in result.stderr and "would be lost" in result.stderr
    assert state_of(court, lock) == "claimed"


def test_user_audit__with_a_finding_that_does_not_hold__says_what_can_be_done(
    court: Machine,
) -> None:
    lock = claimed(court)
    forget_the_window(court, lock)

    audit = court.as_member("anna", "user", "audit", lock, ok=False)
    shown = court.as_member("anna", "user", "dispute", lock, "--force", ok=False)

    assert f"`dmsm user dispute {lock}` asks the judges for price and bond, before 20" in (
        audit.stderr
    )
    assert audit.stdout.startswith("The answer is wrong: coverage does not hold")
    assert "bond" in shown.stdout
    assert "nothing was sent; repeat it with --yes" in shown.stderr
    assert state_of(court, lock) == "claimed"


def test_judge__of_a_false_accusation__looks_and_votes_for_the_node(court: Machine) -> None:
    lock = claimed(court)
    sent = ("user", "dispute", lock, "--force", "--yes")
    court.as_member("anna", *sent)
    assert state_of(court, lock) == "disputed"

    cases = court.json("consortium", "judge", "list")
    assert [(one["lock"], one["my_vote_is_missing"]) for one in cases] == [(lock, True)]
    look = court.json("consortium", "judge", "look", lock)
    assert (look["speaks_for"], look["is_final"], look["may_vote"]) == ("payee", True, True)
    assert all(one["holds"] for one in look["findings"])
    shown = court.as_member("consortium", "judge", "look", lock).stdout
    assert "result_recomputed" in shown
    deviating = ("judge", "vote", lock, "--for", "payer")
    refused = court.as_member("consortium", *deviating, ok=False)
    assert "add --yes" in refused.stderr
    voted = court.json("consortium", "judge", "vote", lock)

    assert voted["voted_for"] == "payee"
    assert state_of(court, lock) == "settled"
    again = ("judge", "vote", lock, "--for", "payer", "--yes")
    assert "has voted" in court.as_member("consortium", *again, ok=False).stderr


def test_judge_run__with_an_open_case__votes_and_logs_no_plaintext(court: Machine) -> None:
    lock = claimed(court)
    bill = court.json("anna", "user", "answer", lock)["result"]
    court.as_member("anna", "user", "dispute", lock, "--yes", "--force")

    with court.process("consortium", "judge", "run") as process:
        wait_for(lambda: state_of(court, lock) == "settled")
        process.terminate()
        assert process.wait(timeout=30) == 0

    log = (court.folder / "consortium.log").read_text()
    assert '"voted"' in log and "for the payee" in log
    assert str(bill["import_wh"]) not in log and str(bill["subtotal"]) not in log


def test_user_demand__of_a_withheld_answer__brings_it_from_the_chain(court: Machine) -> None:
    lock = claimed(court)
    withhold(court, lock)
    refused = court.as_member("anna", "user", "answer", lock, ok=False)
    assert f"`dmsm user demand {lock}` makes the node bring it on chain" in refused.stderr
    unread = court.as_member("anna", "user", "dispute", lock, "--yes", ok=False)
    assert f"demand it first (dmsm user demand {lock[2:]})" in unread.stderr
    early = court.as_member("anna", "user", "add-evidence", lock, ok=False)
    assert "CLAIMED and not disputed" in early.stderr

    demanded = court.json("anna", "user", "demand", lock)
    assert demanded["deposit_wei"] > 0
    wait_for(lambda: state_of(court, lock) == "claimed")

    assert court.json("anna", "user", "answer", lock)["signature_valid"]
    assert court.json("anna", "user", "audit", lock)["ok"]
    again = court.as_member("anna", "user", "demand", lock, ok=False)
    assert "demanded and served already" in again.stderr


def withhold(machine: Machine, lock: str) -> None:
    """Take the answer out of the shared folder."""
    deployment = load_deployment(machine.folder / "deployment.json")
    gateway = ChainGateway(machine.anvil.url, deployment)
    digest = gateway.call("PrepaidLock", "lockOf", bytes.fromhex(lock[2:])).answerDigest
    with open_store(f"dir:{machine.folder / 'store'}") as store:
        store.unpin(bytes(digest))


def test_user_slash__of_no_demanded_lock__is_refused(court: Machine) -> None:
    result = court.as_member("anna", "user", "slash", "11" * 32, ok=False)

    assert result.exit_code == 1 and "PrepaidLock_WrongState" in result.stderr


def test_judge__with_a_users_keys__exits_2(court: Machine) -> None:
    result = court.as_member("anna", "judge", "list", ok=False)

    assert result.exit_code == 2 and "keys of a user" in result.stderr
