"""What a command works with, opened from a profile and closed again."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from offchain.cli.given import given_line
from offchain.errors import DmsmError
from offchain.settings import Profile, SettingsError, load_profile

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from offchain.chain.deployment import Deployment
    from offchain.chain.gateway import ChainGateway
    from offchain.chain.health import HealthGate
    from offchain.chain.reader import ChainReader
    from offchain.index.chain_index import ChainIndex
    from offchain.member.directory import MemberDirectory
    from offchain.member.keys import MemberKeys
    from offchain.storage import ContentStore
    from offchain.types import Role

_LOCK_WAIT_S = 60.0
_LOCK_POLL_S = 0.1


class AccountBusy(DmsmError):
    """Another process sends with the same account."""


class AlreadyDone(DmsmError):
    """The same command was given before, was cut off, and had done its work."""


@dataclass(frozen=True, slots=True)
class Session:
    """A member at work: its keys, its gateway (which signs), the chain in tables, its content
    store.
    """

    profile: Profile
    keys: MemberKeys
    gateway: ChainGateway
    index: ChainIndex
    store: ContentStore
    directory: MemberDirectory


@contextmanager
def member_session(
    path: Path,
    role: Role,
    *,
    sends: bool = True,
    begins: bool = False,
    wait_s: float = _LOCK_WAIT_S,
) -> Iterator[Session]:
    """Open everything a member of `role` needs. Raises SettingsError for keys of another role.

    One process `sends` for an account at a time: two would take the same nonce. AccountBusy when
    the other does not end within `wait_s`. A command that `begins` would pay or ask once more when
    it is given again: AlreadyDone tells what it did when it was cut off before it said so.
    """
    profile = load_profile(path)
    from offchain.member.directory import MemberDirectory
    from offchain.storage.copies import CopiedStore

    with ExitStack() as stack:
        if sends:
            stack.enter_context(only_sender(profile.data, wait_s=wait_s))
        profile.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        keys = load_keys(profile, role)
        gateway = stack.enter_context(_sending_gateway(profile, keys.account, begins=begins))
        store = stack.enter_context(open_content(profile))
        if sends and isinstance(store, CopiedStore):
            store.pay_owed()  # what earlier commands could not send
        index = stack.enter_context(open_index(profile, gateway))
        yield Session(profile, keys, gateway, index, store, MemberDirectory(gateway, store))


def open_index(profile: Profile, gateway: ChainReader) -> ChainIndex:
    """Open the member's index of the chain. A node and a command may share it."""
    from offchain.index.chain_index import ChainIndex

    profile.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    return ChainIndex(profile.place_of("index"), gateway)


def open_content(profile: Profile) -> ContentStore:
    """Open the member's content store: one folder, or Kubo nodes and its own copies."""
    from offchain.storage import open_copied_store

    return open_copied_store(
        profile.store_urls,
        profile.content_folder,
        copies=profile.store_copies,
        keep_days=profile.store_keep_days,
    )


@contextmanager
def account_session(path: Path) -> Iterator[ChainGateway]:
    """Open a gateway that signs with the profile's account alone (`account.json`)."""
    profile = load_profile(path)
    from eth_account import Account

    from offchain.crypto import keystore

    password = keystore.read_password(profile.password_file)
    key = keystore.load_account(profile.keys / "account.json", password)
    with only_sender(profile.data, wait_s=_LOCK_WAIT_S):
        account = Account.from_key(key.reveal())
        with _sending_gateway(profile, account, begins=True) as gateway:
            yield gateway


def reading_gateway(profile: Profile) -> ChainGateway:
    """Open a gateway that only reads: no keys are needed."""
    from offchain.chain.gateway import ChainGateway

    return ChainGateway(
        profile.rpc_urls,
        _deployment(profile),
        confirmations=profile.confirmations,
        heartbeat_s=profile.heartbeat_s,
    )


def health_gate(profile: Profile, gateway: ChainGateway) -> HealthGate:
    """Return the judge of the profile's chain nodes."""
    from offchain.chain.health import HealthLimits

    limits = HealthLimits(
        heartbeat_s=profile.heartbeat_s,
        lag_blocks=profile.lag_blocks,
        confirmations=profile.confirmations,
    )
    return gateway.health_gate(limits)


def _deployment(profile: Profile) -> Deployment:
    from offchain.chain.deployment import load_deployment

    deployment = load_deployment(profile.deployment)
    profile.require_confirmations(deployment.chain_id)
    return deployment


def load_keys(profile: Profile, role: Role | None = None) -> MemberKeys:
    """Read the member's keys; `role` says whose they must be."""
    from offchain.crypto import keystore
    from offchain.member.keys import MemberKeys

    keys = MemberKeys.load(profile.keys, keystore.read_password(profile.password_file))
    if role is not None:
        require_role(profile, keys.role, role)
    return keys


def require_role(profile: Profile, has: Role, needed: Role) -> None:
    """Raise SettingsError when the profile's keys are of another role than a command needs."""
    if has is not needed:
        raise SettingsError(
            f"{profile.path}: {profile.keys} holds the keys of a {has.name.lower()}; "
            f"this command is for a {needed.name.lower()}"
        )


@contextmanager
def only_sender(data: Path, *, wait_s: float) -> Iterator[None]:
    """Hold the lock of the member's data folder. Raises AccountBusy after `wait_s`."""
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    give_up_at = time.monotonic() + wait_s
    with (data / "sender.lock").open("w") as file:
        while not _try_lock(file.fileno()):
            if time.monotonic() >= give_up_at:
                raise AccountBusy(
                    f"another process works with {data}; wait for it, or stop it, and try again"
                )
            time.sleep(_LOCK_POLL_S)
        yield  # closing the file frees the lock, and so does the end of the process


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def _sending_gateway(
    profile: Profile, account: LocalAccount, *, begins: bool
) -> Iterator[ChainGateway]:
    from offchain.chain.fees import FeeRaise
    from offchain.chain.gateway import ChainGateway
    from offchain.chain.outbox import TransactionOutbox

    deployment = _deployment(profile)
    journal = profile.data / "outbox.sqlite"
    outbox = TransactionOutbox(journal, command=given_line() if begins else None)
    try:
        gateway = ChainGateway(
            profile.rpc_urls,
            deployment,
            account=account,
            outbox=outbox,
            gas_price_wei=profile.gas_price_wei,
            local_pairings=profile.local_pairings,
            confirmations=profile.confirmations,
            heartbeat_s=profile.heartbeat_s,
            fees=FeeRaise(after_s=profile.stuck_after_s, after_blocks=profile.stuck_after_blocks),
        )
        if begins:
            _tell_of_the_last(gateway, outbox.command)
        yield gateway
        if begins:  # not after an error: then nobody knows yet what was done before it
            gateway.tell()
    finally:
        outbox.close()


def _tell_of_the_last(gateway: ChainGateway, command: str | None) -> None:
    """Say what a command did that was cut off. Raises AlreadyDone when it was this one."""
    done = gateway.untold()
    gateway.tell()
    for one in done:
        if one.command != command:
            said = f"dmsm: an earlier command ({one.command}) was cut off, and did: {one.text()}"
            typer.echo(said, err=True)
    again = [one.text() for one in done if one.command == command]
    if again:
        raise AlreadyDone(
            f"this command was given before and cut off, and did: {'; '.join(again)}. Nothing was "
            "done now; given once more, it does so once more"
        )
