"""Stage 1: deploy all contracts, make every member's keys, admit them, set types and prices."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from eth_account import Account
from eth_account.signers.local import LocalAccount

from offchain.buyer.buyer import Buyer
from offchain.buyer.inbox import ShareInbox
from offchain.buyer.inbox_http import create_share_app
from offchain.chain.anvil import Anvil, die_with_parent
from offchain.chain.deployment import Deployment, load_deployment
from offchain.chain.gateway import ChainGateway
from offchain.chain.outbox import TransactionOutbox
from offchain.consortium.admin import Admin
from offchain.consortium.court.judge import JudgeAgent
from offchain.demo import voting
from offchain.demo.households import Home
from offchain.demo.metering import write_agent_files
from offchain.demo.world import (
    ADVICE,
    ADVICE_PRICE_WEI,
    APPLICATION_WEI,
    BILL,
    BILL_PRICE_WEI,
    BOND_LIMIT_WEI,
    BOND_WEI,
    CONSORTIUM_FUNDS_WEI,
    DATA_SET_PRICE_WEI,
    MEMBER_FUNDS_WEI,
    BuyerSite,
    FounderSite,
    HomeSite,
    NodeSite,
    World,
)
from offchain.errors import DmsmError
from offchain.household.household import Household
from offchain.index.chain_index import ChainIndex
from offchain.member.directory import MemberDirectory
from offchain.member.keys import MemberKeys
from offchain.member.registration import NO_REGION, region_id
from offchain.member.roles import MemberRole
from offchain.node.node import ProcessingNode
from offchain.node.outcome import NodeTerms
from offchain.node.serve import serve
from offchain.node.store import NodeStore
from offchain.storage import ContentStore, open_copied_store
from offchain.types import Policy, to_account

ROOT = Path(__file__).resolve().parents[2]
REGIONS = ("north", "south")
FOUNDER_NAMES = ("Grid operators' union", "Energy regulator", "Consumers' council")
FOUNDERS, AGREEING = len(FOUNDER_NAMES), 2


class DeploymentFailed(DmsmError):
    """`brownie run deploy` did not end well."""


def deploy_contracts(anvil: Anvil, folder: Path) -> tuple[Deployment, LocalAccount]:
    """Deploy by `brownie run deploy` in a home of its own; return the addresses and the owner."""
    owner = Account.from_key(secrets.token_bytes(32))
    anvil.set_balance(owner.address, CONSORTIUM_FUNDS_WEI)
    out, log = folder / "deployment.json", folder / "deploy.log"
    command = [sys.executable, str(ROOT / "scripts" / "run_deploy.py"), "--rpc", anvil.url]
    command += ["--chain-id", str(anvil.chain_id), "--out", str(out)]
    environment = {**os.environ, "DMSM_DEPLOYER_KEY": "0x" + bytes(owner.key).hex()}
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=die_with_parent(os.getpid()),
        )
        try:
            code = process.wait()
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)  # it ends its Brownie, then itself
                process.wait()
    if code != 0:
        said = log.read_text(errors="replace").strip()[-800:]
        raise DeploymentFailed(f"the deployment failed; is the set-up whole (make setup)?\n{said}")
    return load_deployment(out), owner


def found_consortium(world: World, stack: ExitStack) -> None:
    """Let the account that deployed take in two more members, two of the three deciding from then
    on, and register their keys: evidence is sealed to those who judge.
    """
    content = _content(world, _folder(world, "consortium"), stack)
    for number in range(FOUNDERS):
        world.founders.append(_make_founder(world, number, content, stack))
        if number:
            founder = world.founders.pop()
            world.fund(founder.keys.address, MEMBER_FUNDS_WEI)
            add_member = partial(Admin.add_member, account=founder.keys.address)
            voting.decide(world, partial(add_member, threshold=AGREEING))
            world.founders.append(founder)
    for founder, name in zip(world.founders, FOUNDER_NAMES, strict=True):
        _admit(world, founder.keys, NO_REGION, content, funds_wei=0, name=name)
    world.say(f"the consortium has {FOUNDERS} members; {AGREEING} of them decide")


def _make_founder(
    world: World, number: int, content: ContentStore, stack: ExitStack
) -> FounderSite:
    if number == 0:
        key, gateway = bytes(world.ground.owner.key), world.gateway
        keys = MemberKeys.generate(MemberRole.CONSORTIUM, account_key=key)
    else:
        keys = MemberKeys.generate(MemberRole.CONSORTIUM)
        gateway = _gateway(world, keys, _folder(world, f"founder-{number}"))
    index = _index(gateway, world.folder / f"founder-{number}-index.sqlite", stack)
    judge = JudgeAgent(
        gateway=gateway,
        index=index,
        store=content,
        keys=keys,
        directory=MemberDirectory(gateway, content),
        confirmations=world.ground.confirmations,
    )
    return FounderSite(keys=keys, gateway=gateway, admin=Admin(gateway, index), judge=judge)


def set_terms(world: World) -> None:
    """Set the request types, their prices, and the terms of data sharing."""
    shortest_s = world.ground.shortest_s
    for type_id, name, price_wei in (
        (BILL, "bill", BILL_PRICE_WEI),
        (ADVICE, "advice", ADVICE_PRICE_WEI),
    ):
        set_type = partial(Admin.set_type, type_id=type_id, name=name, price_wei=price_wei)
        voting.decide(world, partial(set_type, shortest_s=shortest_s))
    set_sharing_terms = partial(Admin.set_sharing_terms, application_wei=APPLICATION_WEI)
    voting.decide(world, partial(set_sharing_terms, shortest_s=shortest_s))


def admit_members(
    world: World, homes: list[Home], policies: list[Policy], stack: ExitStack
) -> None:
    """Make the keys of every role, admit and fund it, and start its services."""
    for name in REGIONS:
        world.nodes.append(_make_node(world, name, stack))
    for index, home in enumerate(homes):
        node = world.nodes[index * len(REGIONS) // len(homes)]
        world.homes.append(_make_home(world, home, node, policies[index], stack))
        world.say(f"admitted {home.name} and its meter in {node.region_name}")
    for index in range(world.options.sharers):
        world.buyers.append(_make_buyer(world, index, stack))
    world.say(f"admitted {len(world.buyers)} sharing nodes")
    stranger = Account.from_key(secrets.token_bytes(32))
    world.fund(stranger.address, MEMBER_FUNDS_WEI)
    world.outsider = world.gateway.with_account(stranger)


def _make_node(world: World, name: str, stack: ExitStack) -> NodeSite:
    region, folder = region_id(name), _folder(world, f"node-{name}")
    keys = MemberKeys.generate(MemberRole.PROCESSOR)
    content = _content(world, folder, stack)
    _admit(world, keys, region, content, name=f"Grid company {name.capitalize()}")
    gateway = _gateway(world, keys, folder)
    held = stack.enter_context(NodeStore(folder / "node.sqlite"))
    directory = MemberDirectory(gateway, content)
    index = _index(gateway, folder / "index.sqlite", stack)
    terms = NodeTerms(
        data_set_price_wei=DATA_SET_PRICE_WEI,
        margin_s=world.ground.margin_s,
        confirmations=world.ground.confirmations,
        bond_wei=BOND_WEI,
        bond_limit_wei=BOND_LIMIT_WEI,
    )

    def node_with(store: ContentStore) -> ProcessingNode:
        return ProcessingNode(
            gateway=gateway,
            index=index,
            store=store,
            keys=keys,
            readings=held,
            directory=directory,
            terms=terms,
        )

    node = node_with(content)
    return NodeSite(
        region=region,
        region_name=name,
        keys=keys,
        gateway=gateway,
        content=content,
        held=held,
        index=index,
        worker=node.worker,
        worker_with=lambda store: node_with(store).worker,
        publisher=node.publisher,
        server=stack.enter_context(serve(node.intake())),
    )


def _make_home(
    world: World, home: Home, node: NodeSite, policy: Policy, stack: ExitStack
) -> HomeSite:
    folder = _folder(world, f"home-{len(world.homes):03}")
    keys = MemberKeys.generate(MemberRole.USER)
    content = _content(world, folder, stack)
    _admit(world, keys, node.region, content)
    gateway = _gateway(world, keys, folder)
    device = MemberKeys.generate(MemberRole.DEVICE)
    _admit(world, device, node.region, content, owner=keys.address)
    household = Household(
        gateway=gateway,
        index=_index(gateway, folder / "index.sqlite", stack),
        store=content,
        keys=keys,
        directory=MemberDirectory(gateway, content),
        notes=folder / "notes",
    )
    household.policy.set(device.address, policy)
    return HomeSite(
        home=home,
        node=node,
        household=household,
        gateway=gateway,
        device=to_account(device.address),
        agent_config=write_agent_files(world, folder, home, node, device),
        policy=policy,
    )


def _make_buyer(world: World, number: int, stack: ExitStack) -> BuyerSite:
    folder = _folder(world, f"sharer-{number}")
    keys = MemberKeys.generate(MemberRole.SHARER)
    content = _content(world, folder, stack)
    _admit(world, keys, NO_REGION, content, name=f"Research institute {number + 1}")
    gateway = _gateway(world, keys, folder)
    directory = MemberDirectory(gateway, content)
    index = _index(gateway, folder / "index.sqlite", stack)
    inbox = ShareInbox(folder / "inbox.sqlite", gateway=gateway, index=index, keys=keys)
    buyer = Buyer(
        gateway=gateway,
        index=index,
        store=content,
        keys=keys,
        directory=directory,
        inbox=inbox,
    )
    server = stack.enter_context(serve(create_share_app(inbox)))
    return BuyerSite(
        keys=keys, gateway=gateway, index=index, buyer=buyer, inbox=inbox, server=server
    )


def _admit(
    world: World,
    keys: MemberKeys,
    region: bytes,
    content: ContentStore,
    owner: str | None = None,
    funds_wei: int = MEMBER_FUNDS_WEI,
    name: str = "",
) -> None:
    chain_id = world.gateway.chain_id
    registry = world.gateway.deployment.address("MemberRegistry")
    if keys.role is not MemberRole.DEVICE:
        keys.publish_paillier_key(content, chain_id=chain_id, registry=registry)
    registration = keys.registration(
        chain_id=chain_id,
        registry=registry,
        region_id=region,
        owner=owner,
        name=name,
    )
    is_first_node = keys.role is MemberRole.PROCESSOR and not world.nodes
    admit = voting.admit_with_a_check if is_first_node else voting.admit
    admit(world, registration, funds_wei)


def _gateway(world: World, keys: MemberKeys, folder: Path) -> ChainGateway:
    outbox = TransactionOutbox(folder / "transactions.sqlite")
    return ChainGateway(
        world.ground.rpc_urls,
        world.gateway.deployment,
        account=keys.account,
        outbox=outbox,
        gas_price_wei=world.ground.gas_price_wei,
    )


def _index(gateway: ChainGateway, file: Path, stack: ExitStack) -> ChainIndex:
    return stack.enter_context(ChainIndex(file, gateway))


def _content(world: World, folder: Path, stack: ExitStack) -> ContentStore:
    """Open a member's store: of several nodes it has one of its own and a copy at the next."""
    urls = world.ground.content_urls
    own = (len(world.nodes) + len(world.homes) + len(world.buyers)) % len(urls)
    named = dict.fromkeys((urls[own], urls[(own + 1) % len(urls)]))
    return stack.enter_context(open_copied_store(list(named), folder / "content"))


def _folder(world: World, name: str) -> Path:
    folder = world.folder / name
    folder.mkdir()
    return folder
