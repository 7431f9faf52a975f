"""A private anvil: London rules, its own free port, and no way to outlive its parent."""

import ctypes
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import IO, Any

from offchain.chain import questions
from offchain.chain.endpoint import Endpoint
from offchain.chain.errors import NodeUnavailable

_PROJECT = Path(__file__).resolve().parents[2]
_PROGRAMS = "node_modules/@foundry-rs/anvil-*/bin/anvil"
_MNEMONIC = "test test test test test test test test test test test junk"  # anvil's own default
_START_S = 30.0
_LISTENING = re.compile(rb"Listening on 127\.0\.0\.1:(\d+)")
_PR_SET_PDEATHSIG = 1


class Anvil:
    """A running anvil. Its funded keys are public knowledge: for development only."""

    def __init__(
        self, process: "subprocess.Popen[bytes]", *, port: int, chain_id: int, accounts: int
    ) -> None:
        """Wrap a started process; see `start_anvil`."""
        self.process, self.port, self.chain_id, self._accounts = process, port, chain_id, accounts
        self.url = f"http://127.0.0.1:{port}"
        self._endpoint = Endpoint([self.url])
        self._is_standing = False

    @cached_property
    def keys(self) -> list[str]:
        """Return the funded accounts' private keys, 0x-prefixed."""
        from eth_account import Account

        Account.enable_unaudited_hdwallet_features()
        paths = (f"m/44'/60'/0'/0/{index}" for index in range(self._accounts))
        found = (Account.from_mnemonic(_MNEMONIC, account_path=path) for path in paths)
        return ["0x" + bytes(account.key).hex() for account in found]

    @cached_property
    def addresses(self) -> list[str]:
        """Return the funded accounts' checksummed addresses."""
        from eth_account import Account

        return [Account.from_key(key).address for key in self.keys]

    def request(self, method: str, *params: Any) -> Any:
        """Return any request's result as it is in JSON. Raises NodeRefused, NodeUnavailable."""
        return self._endpoint.request(method, *params)

    def mine(self, blocks: int = 1) -> None:
        """Mine `blocks` blocks."""
        self.request("anvil_mine", hex(blocks))

    def warp(self, seconds: int) -> None:
        """Move time on by `seconds` and mine a block there."""
        if self._is_standing:
            self.warp_to(self.now() + seconds)
            return
        self.request("evm_increaseTime", seconds)
        self.mine()

    def warp_to(self, timestamp: int) -> None:
        """Mine a block whose time is `timestamp` (unix seconds, later than the latest block)."""
        self.request("evm_setNextBlockTimestamp", timestamp)
        self.mine()

    def stand_at(self, timestamp: int) -> None:
        """Mine a block at `timestamp`, and each from there on a second after the last, however long
        that takes: for who looks at the last seconds before a deadline. `revert` ends it.
        """
        self.warp_to(timestamp)
        self.request("anvil_setBlockTimestampInterval", 1)
        self._is_standing = True

    def next_timestamp(self, timestamp: int) -> None:
        """Let the next transaction be mined at exactly `timestamp` (unix seconds)."""
        self.request("evm_setNextBlockTimestamp", timestamp)

    def now(self) -> int:
        """Return the time of the latest block, unix seconds."""
        return self._endpoint.ask(questions.header("latest")).timestamp

    def reorg(self, depth: int) -> None:
        """Replace the last `depth` blocks by empty ones."""
        self.request("anvil_reorg", depth, [])

    def snapshot(self) -> str:
        """Return the name of the state as it is, for `revert`."""
        return str(self.request("evm_snapshot"))

    def revert(self, snapshot: str) -> None:
        """Go back to a snapshot, which is used up. Time does not go back with it: blocks are
        stamped by this machine's clock from then on, or later if the snapshot was ahead of it.
        """
        self.request("evm_revert", snapshot)
        if self._is_standing:
            self.request("anvil_removeBlockTimestampInterval")
            self._is_standing = False
        if self.now() < (here := int(time.time())):
            self.request("anvil_setTime", here)

    def set_balance(self, address: str, value_wei: int) -> None:
        """Set an account's balance."""
        self.request("anvil_setBalance", address, hex(value_wei))

    def stop(self) -> None:
        """End the process; idempotent."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout=3)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.wait()


@contextmanager
def start_anvil(
    port: int | None = None,
    *,
    chain_id: int = 31337,
    accounts: int = 10,
    balance_ether: int = 10_000,
    gas_price_wei: int = 1_000_000_000,
    block_time_s: int | None = None,
    timestamp: int | None = None,
    states_in_memory: int | None = None,
) -> Iterator[Anvil]:
    """Start anvil on `port` (None: a free one), yield it when it answers, end it in any case.

    Blocks are made for each transaction, or every `block_time_s`; `timestamp` is the genesis time.
    `states_in_memory`: so many blocks' states are kept, in memory; None: 500, and the rest on disk,
    where anvil 1.7 loses them once the chain was reverted or reorganised.
    The base fee starts at zero; `gas_price_wei` is what the node asks for and accepts at least.
    On Linux the process also ends when the thread that started it does, however that ends.
    Raises NodeUnavailable when the program is missing or does not come up.
    """
    options = ["--hardfork", "london", "--base-fee", "0", "--gas-price", str(gas_price_wei)]
    options += ["--chain-id", str(chain_id), "--accounts", str(accounts)]
    options += ["--balance", str(balance_ether), "--mnemonic", _MNEMONIC]
    options += ["--block-time", str(block_time_s)] if block_time_s is not None else []
    options += ["--timestamp", str(timestamp)] if timestamp is not None else []
    if states_in_memory is not None:
        options += ["--prune-history", str(states_in_memory)]
    anvil = _start(port, options, chain_id=chain_id, accounts=accounts)
    try:
        yield anvil
    finally:
        anvil.stop()


def find_anvil() -> Path:
    """Return the native program. The npm launcher beside it would orphan it when killed."""
    found = sorted(_PROJECT.glob(_PROGRAMS))
    if not found:
        raise NodeUnavailable("anvil is not installed; run `make setup`")
    return found[0]


def _start(port: int | None, options: list[str], *, chain_id: int, accounts: int) -> Anvil:
    command = [str(find_anvil()), "--host", "127.0.0.1", "--port", str(port or 0), *options]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is for the parent, which then ends it in order
            preexec_fn=die_with_parent(os.getpid()),
        )
        try:
            # The port that it says, not one found free before: another may take that meanwhile.
            chosen = _wait_for_port(process, log)
            anvil = Anvil(process, port=chosen, chain_id=chain_id, accounts=accounts)
            anvil.request("anvil_setLoggingEnabled", False)  # nobody reads the log from here on
        except BaseException:
            process.kill()
            process.wait()
            raise
        return anvil


def _wait_for_port(process: "subprocess.Popen[bytes]", log: IO[bytes]) -> int:
    deadline = time.monotonic() + _START_S
    while True:
        ended = process.poll() is not None
        said = os.pread(log.fileno(), 1 << 16, 0)
        if match := _LISTENING.search(said):
            return int(match[1])
        if ended or time.monotonic() > deadline:
            last = said.decode(errors="replace").strip()[-300:]
            raise NodeUnavailable(f"anvil did not come up; is the port taken? It said: {last}")
        time.sleep(0.01)


def die_with_parent(parent: int) -> Any:
    """Return a `preexec_fn` by which a child dies with the thread of `parent` that starts it.

    None where the system cannot do that (it can on Linux).
    """
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl  # loaded before the fork

    def arrange() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before the line above
            os._exit(1)

    return arrange
