"""`dmsm admin` with three members of whom two decide, and a node's bond, by the commands alone."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from offchain.chain.anvil import start_anvil
from tests.integration.cli.conftest import ETHER, PROJECT, Machine

MEMBERS = ("ada", "bea", "cleo")
TERMS = ("--application-wei", "5", "--shortest-s", "60")


@pytest.fixture(scope="module")
def council(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A chain whose consortium has three members, and dora, who is none; nothing is decided."""
    with start_anvil() as anvil:
        made = Machine(tmp_path_factory.mktemp("council"), anvil)
        for name in (*MEMBERS, "dora"):
            made.new_member(name, "consortium")
            anvil.set_balance(made.accounts[name], 100 * ETHER)
        made.new_member("north", "processor")
        members = ",".join(made.accounts[name] for name in MEMBERS)
        script = str(PROJECT / "scripts" / "run_deploy.py")
        options = ["--rpc", anvil.url, "--chain-id", str(anvil.chain_id)]
        options += ["--out", str(made.folder / "deployment.json")]
        subprocess.run(
            [sys.executable, script, *options],
            check=True,
            capture_output=True,
            env=os.environ | {"DMSM_CONSORTIUM_MEMBERS": members},
        )
        yield made


@pytest.fixture
def north(council: Machine) -> str:
    """The node's account, admitted and funded."""
    account = council.accounts["north"]
    if not council.json("ada", "admin", "members"):
        file = registration(council, "north")
        number = str(council.json("ada", "admin", "admit", file)["proposal"])
        council.as_member("bea", "admin", "approve", number, "--yes")
        council.as_member("ada", "admin", "fund", account, "--wei", str(ETHER))
    return account


def registration(machine: Machine, member: str) -> str:
    file = machine.folder / member / "registration.json"
    options = ("--out", str(file), "--region", "north", "--name", "Grid company North")
    machine.as_member(member, "keys", "registration", *options)
    return str(file)


def test_admin_consortium__of_three__shows_them_and_k(council: Machine) -> None:
    shown = council.json("dora", "admin", "consortium")
    assert set(shown["members"]) == {council.accounts[name] for name in MEMBERS}
    assert (shown["must_agree"], shown["treasury_wei"]) == (2, 0)
    assert (shown["stopped_until_at"], shown["stop_is_spent"]) == (None, False)


def test_admin_terms__by_one_of_three__says_who_else_must_agree(council: Machine) -> None:
    said = council.as_member("ada", "admin", "terms", *TERMS).stdout
    proposals = council.json("dora", "admin", "proposals")
    number = proposals[-1]["proposal"]
    assert (
        f"proposal {number}: 1 of 3 members agree, 2 must; the others: dmsm admin approve {number}"
    ) in said
    assert proposals[-1]["agree"] == [council.accounts["ada"]]
    assert set(proposals[-1]["do_not_yet"]) == {council.accounts[name] for name in MEMBERS[1:]}
    assert proposals[-1]["arguments"] == {
        "terms": {
            "shortestSeconds": 60,
            "disputeWindowSeconds": 0,
            "applicationWei": 5,
            "ownersBps": 5_000,
        }
    }
    table = council.as_member("bea", "admin", "proposals").stdout
    assert "setSharingTerms" in table and "1 of 2 needed" in table


def test_admin_approve__without_a_yes__shows_it_and_sends_nothing(council: Machine) -> None:
    council.as_member("ada", "admin", "terms", *TERMS)
    number = council.json("ada", "admin", "proposals")[-1]["proposal"]
    shown = council.as_member("bea", "admin", "approve", str(number), ok=False)  # no answer
    assert "RequestCatalogue.setSharingTerms(terms {shortestSeconds 60" in shown.stdout
    assert "call hash" in shown.stdout
    assert council.json("ada", "admin", "proposals")[-1]["agree"] == [council.accounts["ada"]]
    silent = council.as_member("bea", "admin", "approve", str(number), "--json", ok=False)
    assert silent.exit_code == 2 and "--yes" in silent.stderr


def test_admin_withdraw_and_execute__each__say_what_is_missing(council: Machine) -> None:
    council.as_member("ada", "admin", "terms", *TERMS)
    number = str(council.json("ada", "admin", "proposals")[-1]["proposal"])
    early = council.as_member("bea", "admin", "execute", number, ok=False)
    assert early.exit_code == 1 and "too few members agree yet" in early.stderr
    outside = council.as_member("dora", "admin", "execute", number, ok=False)
    assert "is no member of the consortium" in outside.stderr
    left = council.json("ada", "admin", "withdraw", number)
    assert left["status"].startswith(f"proposal {number}: 0 of 3 members agree")
    agreed = council.json("bea", "admin", "approve", number, "--yes")
    assert not agreed["carried_out"]
    done = council.json("cleo", "admin", "approve", number, "--yes")
    assert done["carried_out"] and done["status"] == f"proposal {number} was carried out"
    assert number not in [str(one["proposal"]) for one in council.json("ada", "admin", "proposals")]
    everything = council.json("ada", "admin", "proposals", "--all")
    assert number in [str(one["proposal"]) for one in everything if one["stage"] == "executed"]


def test_admin_cancel__by_two_of_three__ends_a_proposal_for_ever(council: Machine) -> None:
    council.as_member("ada", "admin", "terms", *TERMS)
    number = str(council.json("ada", "admin", "proposals")[-1]["proposal"])
    shown = council.as_member("bea", "admin", "cancel", number, ok=False)  # no answer
    assert "RequestCatalogue.setSharingTerms" in shown.stdout
    once = council.json("bea", "admin", "cancel", number, "--yes")
    assert "1 want it cancelled" in once["status"]
    gone = council.json("cleo", "admin", "cancel", number, "--yes")
    assert gone["status"].startswith(f"proposal {number} was cancelled")
    refused = council.as_member("cleo", "admin", "approve", number, "--yes", ok=False)
    assert "k members have cancelled the proposal" in refused.stderr
    assert number not in [str(one["proposal"]) for one in council.json("ada", "admin", "proposals")]
    everything = council.json("ada", "admin", "proposals", "--all")
    assert number in [str(one["proposal"]) for one in everything if one["stage"] == "cancelled"]


def test_admin_proposals__after_a_later_one_about_the_same__tell_what_is_superseded(
    council: Machine,
) -> None:
    stale, later = (council.json("ada", "admin", "terms", *TERMS)["proposal"] for _ in range(2))
    assert council.json("bea", "admin", "approve", str(later), "--yes")["carried_out"]
    everything = council.json("ada", "admin", "proposals", "--all")
    (told,) = [one for one in everything if one["proposal"] == stale]
    assert told["stage"] == "superseded"
    assert f"proposal {later} about the same was carried out" in told["status"]
    assert stale not in [one["proposal"] for one in council.json("ada", "admin", "proposals")]


def test_admin_admit__by_vote__says_how_to_fund_and_nobody_alone_admits(council: Machine) -> None:
    file, north = registration(council, "north"), council.accounts["north"]
    proposed = council.json("ada", "admin", "admit", file)
    assert proposed["call"] == (
        f"MemberRegistry.admit({north}, processor, name 'Grid company North', region north)"
    )
    assert (proposed["carried_out"], proposed["funded_wei"]) == (False, 0)
    assert proposed["proposed"] == north and "admitted" not in proposed
    assert proposed["then"] == f"once it is admitted: dmsm admin fund {north} --wei {2 * ETHER}"
    assert council.json("ada", "admin", "members") == []
    council.as_member("bea", "admin", "approve", str(proposed["proposal"]), "--yes")
    (row,) = council.json("ada", "admin", "members")
    assert (row["account"], row["active"], row["balance_wei"]) == (north, True, 0)
    council.as_member("ada", "admin", "fund", north, "--wei", str(2 * ETHER))
    (row,) = council.json("ada", "admin", "members")
    assert row["balance_wei"] == 2 * ETHER


def test_admin_rename__by_vote__is_shown_with_its_account(council: Machine, north: str) -> None:
    said = council.as_member("ada", "admin", "rename", north, "Netz Nord").stdout
    number = str(council.json("ada", "admin", "proposals")[-1]["proposal"])
    told = f"MemberRegistry.rename(account Grid company North ({north}), name 'Netz Nord')"
    assert told in said and "warnings" not in said
    done = council.json("bea", "admin", "approve", number, "--yes")
    assert done["carried_out"] and done["warnings"] == []
    assert council.json("ada", "admin", "members")[0]["name"] == "Netz Nord"
    # Its own earlier name it takes back, and nobody is warned.
    again = council.json("ada", "admin", "rename", north, "Grid company North")
    assert (again["proposed"], again["warnings"]) == (north, [])
    assert council.json("bea", "admin", "approve", str(again["proposal"]), "--yes")["carried_out"]
    assert council.json("ada", "admin", "members")[0]["name"] == "Grid company North"


def test_admin_admit__of_a_look_alike__warns_whoever_proposes_and_approves(
    council: Machine, north: str
) -> None:
    council.new_member("vendor", "sharer")
    file = council.folder / "vendor" / "registration.json"
    options = ("keys", "registration", "--out", str(file), "--name")
    council.as_member("vendor", *options, "GRID-COMPANY NORTH")
    proposed = council.json("ada", "admin", "admit", str(file))
    (warning,) = proposed["warnings"]
    assert "looks like 'Grid company North'" in warning and north in warning
    number = str(proposed["proposal"])
    shown = council.as_member("bea", "admin", "approve", number, ok=False).stdout  # no answer
    assert "looks like 'Grid company North'" in shown and north in shown
    assert council.json("ada", "admin", "proposals")[-1]["warnings"] == [warning]
    # An equal one is not proposed at all.
    council.as_member("vendor", *options, "Grid company North")
    refused = council.as_member("ada", "admin", "admit", str(file), ok=False)
    assert "this name is or was another account's" in refused.stderr
    unfit = council.as_member("ada", "admin", "rename", north, "Grid\u202eNorth", ok=False)
    assert "U+202E" in unfit.stderr


def test_admin__what_a_contract_would_refuse__is_told_in_words(council: Machine) -> None:
    count = len(council.json("ada", "admin", "proposals", "--all"))
    refused = council.as_member("ada", "admin", "threshold", "1", ok=False)
    assert "of at most 32 members more than half must agree" in refused.stderr
    refused = council.as_member("ada", "admin", "revoke", council.accounts["dora"], ok=False)
    assert "the account is no active member" in refused.stderr
    refused = council.as_member(
        "ada", "admin", "spend", council.accounts["dora"], "--wei", "1", ok=False
    )
    assert "the consortium has 0 wei and cannot pay 1" in refused.stderr
    refused = council.as_member("ada", "admin", "rearm", ok=False)
    assert "the emergency stop is armed already" in refused.stderr
    refused = council.as_member("ada", "admin", "set-rules", ok=False)
    assert refused.exit_code == 2 and "name at least one rule" in refused.stderr
    assert len(council.json("ada", "admin", "proposals", "--all")) == count


def test_admin_add_and_remove_member__by_vote__change_who_decides(council: Machine) -> None:
    dora = council.accounts["dora"]
    outside = council.as_member("dora", "admin", "stop", ok=False)
    assert f"{dora} is no member of the consortium" in outside.stderr
    added = council.json("ada", "admin", "add-member", dora, "--threshold", "3")
    assert council.json("bea", "admin", "approve", str(added["proposal"]), "--yes")["carried_out"]
    assert council.json("ada", "admin", "consortium")["must_agree"] == 3
    removed = council.json("dora", "admin", "remove-member", dora, "--threshold", "2")
    for name in ("ada", "bea"):
        council.as_member(name, "admin", "approve", str(removed["proposal"]), "--yes")
    shown = council.json("ada", "admin", "consortium")
    assert dora not in shown["members"] and shown["must_agree"] == 2


def test_admin_set_rules__by_vote__changes_one_and_keeps_the_others(council: Machine) -> None:
    proposed = council.json("cleo", "admin", "set-rules", "--fee-bps", "300")
    assert "feeBps 300" in proposed["call"] and "bondBps 10000" in proposed["call"]
    done = council.json("ada", "admin", "approve", str(proposed["proposal"]), "--yes")
    assert done["carried_out"]


def test_node_bond__added_and_taken__is_shown_by_status(council: Machine, north: str) -> None:
    profile = council.profile("north")
    profile.write_text(
        profile.read_text() + '[node]\nlisten = "127.0.0.1:0"\ndata_set_price_wei = 1\n'
    )
    added = council.json("north", "node", "bond", "add", "1000")
    assert (added["bond_free_wei"], added["bond_held_wei"]) == (1000, 0)
    taken = council.json("north", "node", "bond", "take", "400")
    assert taken["bond_free_wei"] == 600
    much = council.as_member("north", "node", "bond", "take", "601", ok=False)
    assert "the account's free bond is too small" in much.stderr
    status = council.json("north", "node", "status")
    assert (status["bond_free_wei"], status["withdrawable_wei"]) == (600, 400)
    assert council.json("north", "node", "withdraw")["withdrawn_wei"] == 400
    with profile.open("a") as file:
        file.write("bond_wei = 10\nbond_limit_wei = 9\n")
    bad = council.as_member("north", "node", "withdraw", ok=False)
    assert bad.exit_code == 2 and "node.bond_limit_wei is less than bond_wei" in bad.stderr


def test_admin_stop__by_vote__is_shown_and_told(council: Machine) -> None:
    proposed = council.json("ada", "admin", "stop")
    done = council.json("bea", "admin", "approve", str(proposed["proposal"]), "--yes")
    assert done["carried_out"] and done["call"] == "MemberRegistry.stopBeginnings()"
    shown = council.json("ada", "admin", "consortium")
    assert shown["stopped_until_at"] > council.anvil.now() and shown["stop_is_spent"]
    early = council.as_member("ada", "admin", "rearm", ok=False)
    assert "the last emergency stop is not over for long enough" in early.stderr
