"""A command that was cut off after it had paid says so when it is given again, and pays nothing."""

import json
import re
from collections.abc import Iterator

import pytest

from offchain.chain.deployment import load_deployment
from offchain.chain.gateway import ChainGateway
from offchain.cli.given import note_line
from offchain.cli.roles import open_household
from offchain.household.planning import AskingPlan, Wanted
from offchain.member.errors import PartlyAsked
from offchain.types import SECONDS_PER_DAY
from tests.altered_answers import AlteringNode, altering_node
from tests.integration.cli.conftest import ETHER, FIRST_DAY_S, PRICE_WEI, Machine
from tests.integration.town import BILL, PRODUCT

MEMBERS = ("vendor", "consortium", "anna")


@pytest.fixture
def node(machine: Machine) -> Iterator[AlteringNode]:
    """The members' only chain node; it answers well until told otherwise."""
    with altering_node(machine.anvil.url, share=0, kind="no_json") as made:
        for member in MEMBERS:
            profile = machine.profile(member)
            text = profile.read_text().replace(machine.anvil.url, made.url)
            profile.write_text(text)
        yield made
        for member in MEMBERS:
            profile = machine.profile(member)
            profile.write_text(profile.read_text().replace(made.url, machine.anvil.url))


class _LosesSends:
    """A node that carries transactions out and whose answer to that never arrives; `after` so many
    arrived.
    """

    def __init__(self, node: AlteringNode, *, after: int = 0) -> None:
        self._node, self._whole, self._left = node, node.answer, after

    def __enter__(self) -> None:
        self._node.answer = self._lost  # type: ignore[method-assign]

    def __exit__(self, *exc: object) -> None:
        self._node.answer = self._whole  # type: ignore[method-assign]

    def _lost(self, asked: bytes) -> tuple[int, bytes]:
        status, body = self._whole(asked)
        if b"eth_sendRawTransaction" not in asked:
            return status, body
        self._left -= 1
        return (status, b"<html>") if self._left < 0 else (status, body)


ASK = (
    *("share", "broadcast", "--region", "north", "--from", "2022-01-08", "--to", "2022-01-09"),
    *("--max-price-wei", str(ETHER), "--group-size", "2", "--threshold", "2"),
    *("--purpose", "a study"),
)


def _broadcasts(machine: Machine) -> list[str]:
    return _ids(machine, "DataMarket", "Broadcast", "broadcastId")


def _locks(machine: Machine) -> list[str]:
    return _ids(machine, "PrepaidLock", "Requested", "lockId")


def _ids(machine: Machine, contract: str, event: str, name: str) -> list[str]:
    gateway = ChainGateway(machine.anvil.url, load_deployment(machine.folder / "deployment.json"))
    found = gateway.events(contract, event, from_block=1)
    return ["0x" + bytes(one.args[name]).hex() for one in found]


def test_command__cut_off_after_it_paid__given_again_tells_the_id_and_pays_nothing(
    machine: Machine, node: AlteringNode
) -> None:
    before = _broadcasts(machine)
    with _LosesSends(node):
        assert "no chain node answers" in machine.as_member("vendor", *ASK, ok=False).stderr
    (made,) = [one for one in _broadcasts(machine) if one not in before]

    again = machine.as_member("vendor", *ASK, ok=False)

    assert re.search(
        r"was given before and cut off, and did: DataMarket\.broadcast with", again.stderr
    )
    assert f"broadcast {made}" in again.stderr and again.stdout == ""
    assert _broadcasts(machine) == [*before, made]

    # Given once more, it is meant.
    other = machine.json("vendor", *ASK)["broadcast"]
    assert _broadcasts(machine) == [*before, made, other]
    machine.json("vendor", *ASK)  # and what ended well is nothing to tell
    assert len(_broadcasts(machine)) == len(before) + 3


def test_command__after_another_that_was_cut_off__tells_of_it_and_goes_on(
    machine: Machine, node: AlteringNode
) -> None:
    terms = ("admin", "terms", "--shortest-s", "120", "--application-wei")
    with _LosesSends(node):
        machine.as_member("consortium", *terms, str(10**14 + 1), ok=False)

    result = machine.as_member("consortium", *terms, str(10**14), "--json")

    assert json.loads(result.stdout)["carried_out"]
    assert "an earlier command (dmsm admin terms" in result.stderr
    assert "was cut off, and did: Consortium.propose, proposal " in result.stderr
    assert result.stderr.count("\n") == 1

    assert machine.as_member("consortium", *terms, str(10**14)).stderr == ""


def test_command__whose_transaction_never_left__is_simply_done_when_given_again(
    machine: Machine, node: AlteringNode
) -> None:
    before = _broadcasts(machine)
    node.share = 1.0
    machine.as_member("vendor", *ASK, ok=False)
    node.share = 0.0

    made = machine.json("vendor", *ASK)["broadcast"]

    assert _broadcasts(machine) == [*before, made]


def test_request_in_parts__cut_off_at_the_second__tells_both_and_given_again_pays_nothing(
    machine: Machine, node: AlteringNode
) -> None:
    device, days = machine.accounts["meter"], [FIRST_DAY_S + n * SECONDS_PER_DAY for n in range(4)]
    profile = machine.profile("anna")
    ask = ("user", "request", "bill", "--device", device, "--month", "2022-01", "--yes")
    wanted = Wanted(
        type_id=BILL,
        kind="bill",
        devices=(device,),
        window=(days[0], days[3]),
        time_zone="UTC",
        product=PRODUCT,
    )
    # What `plan` makes of a window that one answer cannot hold.
    parts = ((days[0], days[1]), (days[1], days[2]), (days[2], days[3]))
    plan = AskingPlan(wanted=wanted, parts=parts, price_wei=PRICE_WEI, readings=72)

    note_line((*ask, "--profile", str(profile)))
    with (
        _LosesSends(node, after=1),
        pytest.raises(PartlyAsked, match="one part was asked and paid") as caught,
        open_household(profile, begins=True) as (_, household),
    ):
        household.requests.ask_parts(plan)
    paid = _locks(machine)
    assert len(paid) == 2 and "0x" + caught.value.lock_ids[0].hex() == paid[0]
    assert paid[0] in str(caught.value) and "no chain node answers" in str(caught.value)

    again = machine.as_member("anna", *ask, ok=False)

    assert "was given before and cut off, and did: PrepaidLock.request with" in again.stderr
    assert all(f"lock {one}" in again.stderr for one in paid)
    assert _locks(machine) == paid
