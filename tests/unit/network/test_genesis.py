"""Genesis files: Clique's extra data by EIP-225, QBFT's by Besu's own examples."""

from __future__ import annotations

import pytest

from offchain.network.errors import PlanInvalid
from offchain.network.genesis import (
    clique_extra_data,
    clique_genesis,
    confirmations,
    qbft_extra_data,
    qbft_genesis,
)

LOW, HIGH = "0x" + "11" * 20, "0x" + "Ee" * 20
# The genesis example of Besu's QBFT page, and the example of its `rlp encode` command.
BESU_GENESIS = (
    [
        "64a702e6263b7297a96638cac6ae65e6541f4169",
        "3923390ad55e90c237593b3b0e401f3b08a03185",
        "aefdb9a738c9f433e5b6b212a6d62f6370c2f692",
        "c7eeb9a4e00ce683cf93039b212648e01c6c6b78",
    ],
    "0xf87aa00000000000000000000000000000000000000000000000000000000000000000f85494"
    "64a702e6263b7297a96638cac6ae65e6541f4169943923390ad55e90c237593b3b0e401f3b08a031"
    "8594aefdb9a738c9f433e5b6b212a6d62f6370c2f69294c7eeb9a4e00ce683cf93039b212648e01c"
    "6c6b78c080c0",
)
BESU_COMMAND = (
    ["be068f726a13c8d46c44be6ce9d275600e1735a4", "5ff6f4b66a46a2b2310a6f3a93aaddc0d9a1c193"],
    "0xf84fa00000000000000000000000000000000000000000000000000000000000000000ea94"
    "be068f726a13c8d46c44be6ce9d275600e1735a4945ff6f4b66a46a2b2310a6f3a93aaddc0d9a1c193c080c0",
)


@pytest.mark.parametrize(("validators", "expected"), [BESU_GENESIS, BESU_COMMAND])
def test_qbft_extra_data__besus_own_examples__is_theirs(
    validators: list[str], expected: str
) -> None:
    assert qbft_extra_data(validators) == expected


def test_clique_extra_data__signers_in_any_order__are_sorted_between_vanity_and_seal() -> None:
    raw = bytes.fromhex(clique_extra_data([HIGH, LOW])[2:])
    assert raw == bytes(32) + b"\x11" * 20 + b"\xee" * 20 + bytes(65)


@pytest.mark.parametrize("signers", [[], [LOW, LOW], ["0x1234"], ["signer"]])
def test_clique_extra_data__no_or_twice_or_no_account__is_refused(signers: list[str]) -> None:
    with pytest.raises(PlanInvalid):
        clique_extra_data(signers)


def test_clique_genesis__of_a_network__has_londons_rules_and_the_funds() -> None:
    genesis = clique_genesis(chain_id=7, period_s=0, signers=[LOW], funds_wei={HIGH: 5})
    config = genesis["config"]
    assert (config["chainId"], config["clique"]) == (7, {"period": 0, "epoch": 30_000})
    assert config["londonBlock"] == 0
    assert not {"shanghaiTime", "mergeNetsplitBlock", "terminalTotalDifficulty"} & set(config)
    assert genesis["alloc"] == {"Ee" * 20: {"balance": "0x5"}}


def test_qbft_genesis__of_a_network__orders_validators_and_never_has_period_0() -> None:
    genesis = qbft_genesis(chain_id=7, period_s=0, validators=[HIGH, LOW], funds_wei={})
    assert genesis["extraData"] == qbft_extra_data([LOW, HIGH])
    assert genesis["config"]["qbft"]["blockperiodseconds"] == 1
    assert bytes.fromhex(genesis["mixHash"][2:]) == b"ctical byzantine fault tolerance"


@pytest.mark.parametrize(
    ("engine", "signers", "expected"), [("clique", 1, 1), ("clique", 4, 3), ("clique", 5, 3)]
)
def test_confirmations__clique__are_a_majority_of_the_signers(
    engine: str, signers: int, expected: int
) -> None:
    assert confirmations(engine, signers) == expected


def test_confirmations__qbft__is_one() -> None:
    assert confirmations("besu", 7) == 1
