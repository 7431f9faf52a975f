"""A cut of two signers from three, for a minute, and healed."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from eth_account import Account

from offchain.network.genesis import confirmations
from offchain.network.plan import HEARTBEAT
from tests.network.cut import CutNetwork, open_cut_network
from tests.network.sending import NOBODY, block_at, heads_of, height_of, wait_for

MINORITY, MAJORITY = ("signer-1", "signer-2"), ("signer-3", "signer-4", "signer-5")
CUT_S = 60.0
GAS_PRICE_WEI = 10**9


@pytest.fixture(scope="module")
def cut_network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CutNetwork]:
    with open_cut_network(tmp_path_factory.mktemp("cut") / "five") as network:
        yield network


@pytest.mark.long
def test_cut_two_from_three__for_a_minute_and_healed__no_final_block_is_lost(
    cut_network: CutNetwork,
) -> None:
    network, depth = cut_network, confirmations("clique", 5)
    payer = Payer(network)
    before = payer.send("signer-1")
    wait_for(lambda: height_of(network, "signer-5") >= payer.block_of(before) + depth)
    network.stop([HEARTBEAT])  # it follows one side; the test sends on both
    fork = rest(network, payer)

    network.cut(MINORITY)
    cut_at = time.monotonic()
    lonely = payer.send("signer-2", wait=False)
    # With the same nonce, so that only one of the two can be on the chain in the end.
    kept = payer.send("signer-4", value_wei=2, nonce=payer.nonce_of(lonely))
    numbers = [payer.block_of(payer.send("signer-3")) for _ in range(2 * depth)]
    wait_for(lambda: height_of(network, "signer-5") >= numbers[-1])
    wait_for(lambda: payer.receipt(lonely, "signer-1"))  # a fact, on that side
    minority = blocks_after(network, "signer-1", fork)
    final = blocks_after(network, "signer-3", 0, until=numbers[-1] - depth)
    assert 1 <= len(minority) <= 2, "two of five signers seal once each"
    assert not set(minority) & set(blocks_after(network, "signer-3", fork))
    time.sleep(max(0.0, CUT_S - (time.monotonic() - cut_at)))
    assert height_of(network, "signer-1") == fork + len(minority)

    network.heal(MINORITY)
    network.start([HEARTBEAT])
    wait_for(
        lambda: all(height_of(network, name) > numbers[-1] for name in MINORITY), timeout_s=150
    )
    for name in (*MINORITY, *MAJORITY):
        assert blocks_after(network, name, 0, until=numbers[-1] - depth) == final
        assert not set(minority) & set(blocks_after(network, name, fork))
        assert payer.receipt(kept, name) is not None
        assert payer.receipt(lonely, name) is None


def rest(network: CutNetwork, payer: Payer) -> int:
    """Without a heartbeat: return the number of the block that is everybody's head, on which one
    of the minority at least may seal.
    """
    for _ in range(10):
        time.sleep(1)
        number = height_of(network, "signer-1")
        last = {str(network.ask("signer-1", "clique_getSigner", hex(number - n))) for n in (0, 1)}
        tired = {network.plan.signer(name).address.lower() for name in MINORITY}
        if len(set(heads_of(network).values())) == 1 and last != tired:
            return number
        payer.send("signer-3")  # one more block settles which head it is
    raise AssertionError("the signers do not agree on a head")


class Payer:
    """The consortium's account, sending through one signer or another."""

    def __init__(self, network: CutNetwork) -> None:
        self._network = network
        self._account = Account.from_key(network.plan.key("consortium").read_text().strip())
        self._nonces: dict[str, int] = {}

    def send(
        self, signer: str, *, value_wei: int = 1, nonce: int | None = None, wait: bool = True
    ) -> str:
        """Send a transfer to a signer, wait there for its block, and return its hash."""
        if nonce is None:
            count = self._network.ask(
                signer, "eth_getTransactionCount", self._account.address, "latest"
            )
            nonce = int(str(count), 16)
        signed = self._account.sign_transaction(
            {
                "chainId": self._network.plan.chain_id,
                "nonce": nonce,
                "gasPrice": GAS_PRICE_WEI,
                "gas": 21_000,
                "to": NOBODY,
                "value": value_wei,
            }
        )
        raw = "0x" + bytes(signed.raw_transaction).hex()
        tx_hash = str(self._network.ask(signer, "eth_sendRawTransaction", raw))
        self._nonces[tx_hash] = nonce
        if wait:
            wait_for(lambda: self.receipt(tx_hash, signer), timeout_s=30)
        return tx_hash

    def nonce_of(self, tx_hash: str) -> int:
        return self._nonces[tx_hash]

    def receipt(self, tx_hash: str, signer: str) -> dict[str, str] | None:
        found = self._network.ask(signer, "eth_getTransactionReceipt", tx_hash)
        return found if isinstance(found, dict) else None

    def block_of(self, tx_hash: str) -> int:
        """The number of its block, wherever it was mined."""
        found = [self.receipt(tx_hash, name) for name in (*MAJORITY, *MINORITY)]
        return int(next(one for one in found if one is not None)["blockNumber"], 16)


def blocks_after(
    network: CutNetwork, signer: str, number: int, *, until: int | None = None
) -> list[str]:
    """The hashes of a signer's blocks from the one after `number` on."""
    last = height_of(network, signer) if until is None else until
    numbers = range(number + 1, last + 1)
    return [block_at(network, signer, hex(one))["hash"] for one in numbers]
