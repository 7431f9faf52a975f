"""The profile of one member: where its chain, store, keys and peers are. Only the CLI reads it.

A profile is a TOML file. It is read strictly: an unknown key, a missing one and a value of the
wrong kind are errors that name the key and the file. Relative paths are relative to its folder.
It holds no secret: the password lies in a file of its own.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote, urlsplit

from offchain.errors import DmsmError

if TYPE_CHECKING:
    from offchain.types import Account


_PAIRINGS = ("chain", "local")
_FINALITY = ("clique", "qbft", "dev")
_MOST_SALE_DAYS = 30
_MAX_BYTES = 16_384  # reading TOML takes quadratic time
DEVELOPMENT_CHAINS = (31337, 1337)  # anvil, hardhat, ganache: one node, which takes nothing back


class SettingsError(DmsmError):
    """A profile is missing or does not say what it must; nothing was done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeSettings:
    """What a processing node adds: `[node]`.

    host, port: where the intake listens. data_set_price_wei: what a data set costs. margin_s: the
    time before T that it keeps. poll_s: seconds between two polls when no block comes before.
    bond_wei: the free bond that it keeps ready for locks to come; bond_limit_wei: the most that it
    puts up by itself, held and free. sale_days: how long a data set is for sale. republish: whether
    what somebody withdrew from is published anew without that home.
    """

    host: str
    port: int
    data_set_price_wei: int
    margin_s: int = 30
    poll_s: int = 2
    bond_wei: int = 10**17
    bond_limit_wei: int = 5 * 10**17
    sale_days: int = 30
    republish: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeSettings:
    """What a member of the consortium may add to judge disputes: `[judge]`.

    poll_s: seconds between two polls.
    """

    poll_s: int = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseSettings:
    """A PostgreSQL database of this member alone: `[database]`.

    url: postgresql+psycopg://USER@HOST/NAME, without a password: that is in password_file, or
    where PostgreSQL's own programs look for it.
    """

    url: str
    password_file: Path | None = None

    def url_with_password(self) -> str:
        """Return the URL to open. Raises SettingsError when the password cannot be read."""
        if self.password_file is None:
            return self.url
        try:
            password = self.password_file.read_text(encoding="utf-8").strip()
        except (OSError, ValueError) as error:
            raise SettingsError(f"{self.password_file} cannot be read: {error}") from error
        scheme, _, rest = self.url.partition("://")
        user, _, where = rest.partition("@")
        return f"{scheme}://{user}:{quote(password, safe='')}@{where}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One member's settings.

    rpc_urls: chain nodes, one's own first; the first that answers is used, but secrets are called
    dry by the first alone. A ws:// or wss:// address and the path of an IPC socket (….ipc) are told
    new blocks by.
    store_urls: each `dir:/path` or the RPC of a Kubo daemon, one's own first; all of them keep what
    this member puts. store_copies: how many must have it before it counts as put (None: two, if
    there are two). store_keep_days: how long they keep what is not lasting. data: the member's own
    durable folder.
    node_url: the processing node's intake. gas_price_wei None asks the chain. confirmations: blocks
    that must lie on what is final (0 on development chains alone): the number of that name, or by
    `finality` signers/2+1 ("clique", with `signers`), 1 ("qbft") or 0 ("dev"). heartbeat_s: so
    often at least the chain makes a block; None: a head's age is not judged. lag_blocks: how far
    behind the others a chain node may be. stuck_after_s, stuck_after_blocks: when a transaction
    that waits is offered a higher fee. local_pairings: `pairings` is "local", not "chain":
    signatures and shares are checked here, slowly, and not by the chain node. inbox: (host, port)
    of a sharer's inbox. peers: inboxes of other sharers by account. database: the server that
    keeps this member's stores (None: files in `data`). What the profile leaves out of
    rpc_url, deployment, store, finality, heartbeat_s and gas_price_wei comes from the file that
    its `network` names, if it names one.
    """

    path: Path
    rpc_urls: tuple[str, ...]
    deployment: Path
    store_urls: tuple[str, ...]
    keys: Path
    password_file: Path
    data: Path
    store_copies: int | None = None
    store_keep_days: int = 400
    node_url: str | None = None
    gas_price_wei: int | None = None
    confirmations: int = 0
    heartbeat_s: int | None = None
    lag_blocks: int = 8
    stuck_after_s: int = 20
    stuck_after_blocks: int = 2
    local_pairings: bool = False
    node: NodeSettings | None = None
    judge: JudgeSettings = JudgeSettings()
    inbox: tuple[str, int] | None = None
    peers: Mapping[Account, str] = field(default_factory=dict)
    database: DatabaseSettings | None = None

    def place_of(self, store: str) -> Path | str:
        """Return where a store of this member is: its file in the data folder, or the server's URL,
        under which each store has a schema of its own. Raises SettingsError.
        """
        if self.database is None:
            return self.data / f"{store}.sqlite"
        return self.database.url_with_password()

    @property
    def content_folder(self) -> Path:
        """Return where the member's own copies of what it put lie."""
        return self.data / "content"

    def require_confirmations(self, chain_id: int) -> None:
        """Refuse a real chain without a depth: what is believed at once may be taken back
        (docs/decisions/001-ethereum-instead-of-fabric.md).
        """
        if self.confirmations < 1 and chain_id not in DEVELOPMENT_CHAINS:
            raise SettingsError(
                f"{self.path}: what is final must be named on chain {chain_id}, at least 1 block "
                "deep: a block that money or data were released for may be taken back by a "
                'reorganisation; say finality = "clique" with signers = N, finality = "qbft", '
                "or confirmations = N (blocks that must lie on what is believed)"
            )

    def require_node(self) -> NodeSettings:
        """Return `[node]`. Raises SettingsError when the profile has none."""
        if self.node is None:
            raise SettingsError(f"{self.path}: [node] is missing; a processing node needs it")
        return self.node

    def require_inbox(self) -> tuple[str, int]:
        """Return where the inbox listens. Raises SettingsError when the profile does not say."""
        if self.inbox is None:
            raise SettingsError(f'{self.path}: [inbox] is missing; it says listen = "HOST:PORT"')
        return self.inbox

    def require_node_url(self) -> str:
        """Return the node's address. Raises SettingsError when the profile does not say."""
        if self.node_url is None:
            raise SettingsError(f"{self.path}: node_url is missing; it is the node's HTTP address")
        return self.node_url


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkView:
    """What the members of a network share: the file that `dmsm net up` writes.

    engine: "clique" or "besu". store_urls: the RPC of its Kubo nodes; none where each machine has
    its own, then store_copies says how many of them a profile needs. owner_key_file: the
    consortium's private key, on the machine that made the network. confirmations: what is final,
    by engine and `signers` where the file does not name it. heartbeat_s: so often it makes a block.
    """

    path: Path
    engine: str
    chain_id: int
    rpc_urls: tuple[str, ...]
    deployment: Path
    store_urls: tuple[str, ...]
    confirmations: int
    gas_price_wei: int
    owner_key_file: Path
    store_copies: int | None = None
    signers: int | None = None
    heartbeat_s: int | None = None


def load_profile(path: Path) -> Profile:
    """Read a profile. Raises SettingsError, naming the key and the file."""
    hint = "name the profile with --profile FILE or DMSM_PROFILE"
    return _profile(_Table(path, "", _read(path, hint=hint)))


def load_network(path: Path) -> NetworkView:
    """Read a network file. Raises SettingsError, naming the key and the file."""
    from offchain.types import ENGINE_FINALITY  # slow to import, and --help needs no network

    table = _Table(path, "", _read(path, hint="`dmsm net up` writes it"))
    engine = table.choice("engine", tuple(ENGINE_FINALITY))
    view = NetworkView(
        path=path,
        engine=engine,
        chain_id=table.whole("chain_id", low=1),
        rpc_urls=table.chain_urls("rpc_url"),
        deployment=table.location("deployment"),
        store_urls=table.urls("store") if table.has("store") else (),
        store_copies=_optional_whole(table, "store_copies"),
        confirmations=_confirmations(table, finality=ENGINE_FINALITY[engine], shared=None),
        gas_price_wei=table.whole("gas_price_wei"),
        owner_key_file=table.location("owner_key_file"),
        signers=table.whole("signers", low=1) if table.has("signers") else None,
        heartbeat_s=table.whole("heartbeat_s", low=1) if table.has("heartbeat_s") else None,
    )
    table.require_all_known()
    return view


def _read(path: Path, *, hint: str) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
        if len(data) > _MAX_BYTES:
            raise SettingsError(f"{path} has more than {_MAX_BYTES} bytes; it is no profile")
        return tomllib.loads(data.decode("utf-8"))
    except FileNotFoundError:
        raise SettingsError(f"{path} does not exist; {hint}") from None
    except (OSError, ValueError, RecursionError) as error:
        raise SettingsError(f"{path} cannot be read: {error}") from error


def _profile(top: _Table) -> Profile:
    shared = load_network(top.location("network")) if top.has("network") else None
    gas_price_wei = top.whole("gas_price_wei") if top.has("gas_price_wei") else None
    if shared is not None and gas_price_wei is None:
        gas_price_wei = shared.gas_price_wei
    if shared and shared.store_copies and not shared.store_urls and not top.has("store"):
        raise top.fault(
            "store",
            "is missing: the network's machines have a Kubo each, so name this machine's and "
            f"others, {shared.store_copies} or more",
        )
    profile = Profile(
        path=top.file,
        rpc_urls=shared.rpc_urls
        if shared and not top.has("rpc_url")
        else top.chain_urls("rpc_url"),
        deployment=(
            shared.deployment
            if shared and not top.has("deployment")
            else top.location("deployment")
        ),
        store_urls=(
            shared.store_urls
            if shared and shared.store_urls and not top.has("store")
            else top.stores("store")
        ),
        store_copies=(
            shared.store_copies
            if shared and not top.has("store_copies")
            else _optional_whole(top, "store_copies")
        ),
        store_keep_days=top.whole("store_keep_days", default=400, low=1),
        keys=top.location("keys"),
        password_file=top.location("password_file"),
        data=top.location("data"),
        node_url=top.url("node_url") if top.has("node_url") else None,
        gas_price_wei=gas_price_wei,
        confirmations=_confirmations(top, finality=_finality(top), shared=shared),
        heartbeat_s=(
            shared.heartbeat_s
            if shared and not top.has("heartbeat_s")
            else _optional_whole(top, "heartbeat_s")
        ),
        lag_blocks=top.whole("lag_blocks", default=8, low=1),
        stuck_after_s=top.whole("stuck_after_s", default=20, low=1),
        stuck_after_blocks=top.whole("stuck_after_blocks", default=2),
        local_pairings=top.has("pairings") and top.choice("pairings", _PAIRINGS) == "local",
        node=_node(top.table("node")) if top.has("node") else None,
        judge=_judge(top.table("judge")) if top.has("judge") else JudgeSettings(),
        inbox=_inbox(top.table("inbox")) if top.has("inbox") else None,
        peers=_peers(top.table("peers")) if top.has("peers") else {},
        database=_database(top.table("database")) if top.has("database") else None,
    )
    top.require_all_known()
    if profile.store_copies is not None and profile.store_copies > len(profile.store_urls):
        raise top.fault(
            "store_copies",
            f"is {profile.store_copies}, and {len(profile.store_urls)} are named: name another "
            "store, or say how many copies are enough",
        )
    return profile


def _finality(table: _Table) -> str | None:
    return table.choice("finality", _FINALITY) if table.has("finality") else None


def _optional_whole(table: _Table, key: str) -> int | None:
    return table.whole(key, low=1) if table.has(key) else None


def _confirmations(table: _Table, *, finality: str | None, shared: NetworkView | None) -> int:
    """Return how many blocks must lie on what is final: the number named, or by the engine."""
    signers = _optional_whole(table, "signers")
    if table.has("confirmations"):
        return table.whole("confirmations")
    if finality is None:
        return shared.confirmations if shared else 0
    if finality == "dev":
        return 0
    if signers is None and shared:
        signers = shared.signers
    if finality == "clique" and signers is None:
        raise table.fault("signers", "is missing: how deep is final depends on it with clique")
    from offchain.types import final_depth  # slow to import, and --help asks for no depth

    return final_depth(finality, signers or 0)


def _node(table: _Table) -> NodeSettings:
    host, port = table.listen("listen")
    settings = NodeSettings(
        host=host,
        port=port,
        data_set_price_wei=table.whole("data_set_price_wei", low=1),
        margin_s=table.whole("margin_s", default=30),
        poll_s=table.whole("poll_s", default=2, low=1),
        bond_wei=table.whole("bond_wei", default=10**17),
        bond_limit_wei=table.whole("bond_limit_wei", default=5 * 10**17),
        sale_days=table.whole("sale_days", default=30, low=1),
        republish=table.flag("republish", default=False),
    )
    if settings.sale_days > _MOST_SALE_DAYS:
        raise table.fault("sale_days", f"is more than the {_MOST_SALE_DAYS} that the chain allows")
    if settings.bond_limit_wei < settings.bond_wei:
        raise table.fault("bond_limit_wei", "is less than bond_wei; raise it, or lower the other")
    table.require_all_known()
    return settings


def _judge(table: _Table) -> JudgeSettings:
    settings = JudgeSettings(poll_s=table.whole("poll_s", default=10, low=1))
    table.require_all_known()
    return settings


def _database(table: _Table) -> DatabaseSettings:
    url = table.text("url")
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("postgresql", "postgresql+psycopg") or not parts.username:
        raise table.fault("url", "must be like postgresql+psycopg://USER@HOST/NAME")
    if parts.password is not None:
        raise table.fault("url", "holds a password; put it into a file, and say password_file")
    password_file = table.location("password_file") if table.has("password_file") else None
    table.require_all_known()
    return DatabaseSettings(url=url, password_file=password_file)


def _inbox(table: _Table) -> tuple[str, int]:
    listen = table.listen("listen")
    table.require_all_known()
    return listen


def _peers(table: _Table) -> dict[Account, str]:
    from offchain.types import to_account  # slow to import, and --help reads no peers

    found = {}
    for name in table.names():
        try:
            found[to_account(name)] = table.url(name)
        except ValueError:
            raise table.fault(name, "is no account (0x and 40 hexadecimal digits)") from None
    return found


class _Table:
    """A table of the file that notes which of its keys were asked for."""

    def __init__(self, file: Path, prefix: str, content: Mapping[str, Any]) -> None:
        self.file, self._prefix, self._content = file, prefix, content
        self._known: set[str] = set()

    def names(self) -> list[str]:
        return list(self._content)

    def has(self, key: str) -> bool:
        self._known.add(key)
        return key in self._content

    def require_all_known(self) -> None:
        for key in self._content:
            if key not in self._known:
                raise self.fault(key, "is no setting; take it out or correct its spelling")

    def fault(self, key: str, why: str) -> SettingsError:
        return SettingsError(f"{self.file}: {self._prefix}{key} {why}")

    def table(self, key: str) -> Self:
        return type(self)(self.file, f"{key}.", self._value(key, dict, "a table"))

    def text(self, key: str) -> str:
        value = self._value(key, str, "text")
        if not value:
            raise self.fault(key, "is empty")
        return value

    def choice(self, key: str, allowed: Sequence[str]) -> str:
        value = self.text(key)
        if value not in allowed:
            raise self.fault(key, f"must be one of {', '.join(allowed)}, not {value!r}")
        return value

    def whole(self, key: str, *, default: int | None = None, low: int = 0) -> int:
        if default is not None and not self.has(key):
            return default
        value = self._value(key, int, "a whole number")
        if isinstance(value, bool) or value < low:
            raise self.fault(key, f"must be a whole number of at least {low}")
        return value

    def flag(self, key: str, *, default: bool) -> bool:
        return bool(self._value(key, bool, "true or false")) if self.has(key) else default

    def location(self, key: str) -> Path:
        return self._below(key, self.text(key))

    def url(self, key: str) -> str:
        return self._checked_url(key, self.text(key))

    def urls(self, key: str) -> tuple[str, ...]:
        found = tuple(self._checked_url(key, one) for one in self._texts(key))
        return self._each_once(key, found, "an address twice: that is one node, not two")

    def chain_urls(self, key: str) -> tuple[str, ...]:
        """Return addresses that are asked, and ws://, wss:// or sockets' paths for new blocks."""
        listed = self._texts(key)
        found = tuple(
            str(self._below(key, one))
            if one.endswith(".ipc") and "://" not in one
            else self._checked_url(key, one, ("http", "https", "ws", "wss"))
            for one in listed
        )
        if not any(one.startswith("http") for one in found):
            raise self.fault(key, "must name an address like http://HOST:PORT, which is asked")
        return self._each_once(key, found, "an address twice: that is one node, not two")

    def _each_once(self, key: str, found: tuple[str, ...], what: str) -> tuple[str, ...]:
        if len(set(found)) != len(found):
            raise self.fault(key, f"names {what}")
        return found

    def _texts(self, key: str) -> list[str]:
        value = self._value(key, (str, list), "an address or a list of addresses")
        listed = [value] if isinstance(value, str) else value
        if not listed or not all(isinstance(one, str) and one for one in listed):
            raise self.fault(key, "must be an address or a list of addresses")
        return listed

    def stores(self, key: str) -> tuple[str, ...]:
        listed = self._texts(key)
        found = tuple(
            f"dir:{self._below(key, one.removeprefix('dir:'))}"
            if one.startswith("dir:")
            else self._checked_url(key, one)
            for one in listed
        )
        return self._each_once(key, found, "a store twice: two copies in one place are one")

    def listen(self, key: str) -> tuple[str, int]:
        host, _, port = self.text(key).rpartition(":")
        if not host or not port.isdecimal() or int(port) > 65_535:
            raise self.fault(key, 'must be "HOST:PORT"')
        return host, int(port)

    def _below(self, key: str, value: str) -> Path:
        try:
            return self.file.absolute().parent / Path(value).expanduser()
        except RuntimeError as error:  # ~somebody who is unknown here
            raise self.fault(key, f"names no folder: {error}") from error

    def _checked_url(self, key: str, value: str, schemes: Sequence[str] = ("http", "https")) -> str:
        try:
            parts = urlsplit(value)
            is_url = parts.scheme in schemes and bool(parts.hostname)
        except ValueError:
            is_url = False
        if not is_url:
            raise self.fault(key, f"must be an address like http://HOST:PORT, not {value!r}")
        return value

    def _value(self, key: str, kind: type | tuple[type, ...], what: str) -> Any:
        if not self.has(key):
            raise self.fault(key, "is missing")
        value = self._content[key]
        if not isinstance(value, kind):
            raise self.fault(key, f"must be {what}")
        return value
