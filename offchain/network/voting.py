"""Change who signs: a majority of signers proposes it, each in a block it seals (EIP-225)."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

from offchain.chain import questions
from offchain.chain.errors import NodeRefused, NodeUnavailable
from offchain.network import geth
from offchain.network.building import signer_ports
from offchain.network.errors import PlanInvalid, VoteFailed
from offchain.network.heartbeat import heart_of
from offchain.network.ipc import Ipc
from offchain.network.member_view import write_member_view
from offchain.network.operation import Network
from offchain.network.plan import HEARTBEAT, NetworkPlan, SignerPlan

_POLL_S = 0.25
VOTE_S = 120.0


def add_signer(network: Network, *, timeout_s: float = VOTE_S) -> SignerPlan:
    """Make a new signer on this machine, connect it to all, and let the signers vote it in.

    Returns it when the chain has adopted it. Raises VoteFailed, NodeFailed.
    """
    plan = network.plan
    _require_majority(network)
    host = plan.signers[0].host
    made = geth.make_signer(_new_home(plan), host=host, ports=signer_ports(plan, host))
    voters = network.running_signers()
    grown = plan.with_signers((*plan.signers, made))
    geth.initialise(geth.find_geth(ranked=plan.ranked), grown, made)
    _adopt_plan(network, grown)
    network.start([made.name])
    _tell(network, voters, "admin_addPeer", made.enode)  # who is away reads it when it starts
    network.wait_for_sync(made.name)  # one that lags would only stand in the others' way
    _vote(network, voters, made.address, authorise=True, timeout_s=timeout_s)
    return made


def remove_signer(network: Network, name: str, *, timeout_s: float = VOTE_S) -> SignerPlan:
    """Let the signers vote one out, and then end its node; its folder stays.

    `name` is its name or account. Raises PlanInvalid, VoteFailed.
    """
    gone = network.plan.signer(name)
    if len(network.plan.signers) == 1:
        raise PlanInvalid("the last signer cannot be removed: nobody would seal blocks")
    _require_majority(network)
    voters = [one for one in network.running_signers() if one != gone.name]
    if gone.address in signers_of(network):
        _vote(network, voters, gone.address, authorise=False, timeout_s=timeout_s)
    network.stop([gone.name])
    left = tuple(one for one in network.plan.signers if one.name != gone.name)
    _adopt_plan(network, network.plan.with_signers(left))
    _tell(network, network.running_signers(), "admin_removePeer", gone.enode)
    return gone


def signers_of(network: Network, *, timeout_s: float = 15.0) -> set[str]:
    """Return the accounts that the chain takes blocks from, as the first signer that answers here
    says it. Raises VoteFailed.
    """
    for signer in network.plan.signers:
        try:
            with Ipc(network.plan.ipc_path(signer.name), timeout_s=timeout_s) as node:
                found = node.ask(questions.clique_signers())
        except (NodeUnavailable, NodeRefused):
            continue
        known = {one.address.lower(): one.address for one in network.plan.signers}
        return {known.get(one.lower(), one) for one in found}
    raise VoteFailed("no signer answers; start the network with `dmsm net up`")


def _new_home(plan: NetworkPlan) -> Path:
    """Return a folder that no signer ever had: the keys of one that was removed stay in its own."""
    names = [one.name for one in plan.signers] + [one.name for one in plan.folder.glob("signer-*")]
    numbers = (name.rpartition("-")[2] for name in names)
    return plan.folder / f"signer-{1 + max(int(one) for one in numbers if one.isdecimal())}"


def _require_majority(network: Network) -> None:
    needed = len(network.plan.signers) // 2 + 1
    running = len(network.running_signers())
    if running < needed:
        raise VoteFailed(f"{needed} signers must run to decide, {running} do; start more of them")


def _vote(
    network: Network, voters: list[str], account: str, *, authorise: bool, timeout_s: float
) -> None:
    try:
        if not _tell(network, voters, "clique_propose", account, authorise):
            raise VoteFailed(f"no signer took the proposal on {account}; see `dmsm net logs`")
        give_up_at = time.monotonic() + timeout_s
        while (account in signers_of(network)) is not authorise:
            if time.monotonic() > give_up_at:
                raise VoteFailed(
                    f"the signers did not come to a majority on {account} in {timeout_s:.0f} s; "
                    "`dmsm net status` shows who runs"
                )
            _push(network, voters)
            time.sleep(_POLL_S)
    finally:
        _tell(network, voters, "clique_discard", account)


def _tell(network: Network, names: list[str], method: str, *params: object) -> list[str]:
    """Tell signers something; return who took it. One that dies meanwhile is no reason to stop."""
    told = []
    for name in names:
        with suppress(NodeUnavailable, NodeRefused):
            network.ask(name, method, *params)
            told.append(name)
    return told


def _push(network: Network, voters: list[str]) -> None:
    """Let a block be made: each carries one signer's vote."""
    if not network.plan.is_idle_without_beat:
        return
    heart = heart_of(network.plan)
    for name in voters:
        with suppress(NodeUnavailable, NodeRefused), Ipc(network.plan.ipc_path(name)) as node:
            heart.beat(node)
            return  # one block is enough


def _adopt_plan(network: Network, plan: NetworkPlan) -> None:
    network.plan = plan
    plan.save()
    for signer in plan.signers:
        geth.write_config(plan, signer)
    write_member_view(plan)
    if network.processes.is_running(HEARTBEAT):
        network.stop([HEARTBEAT])  # it counts to another depth from here on
        network.start([HEARTBEAT])
