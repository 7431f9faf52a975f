"""Pairing products by the chain's precompile (EIP-197), or here, as the member chose."""

from collections.abc import Sequence

from offchain.chain import questions
from offchain.chain.errors import NodeRefused
from offchain.chain.gateway import ChainGateway
from offchain.crypto.curve import G1, G2, PairingCheck
from offchain.crypto.native_pairing import local_pairing

_PAIRING_ADDRESS = "0x0000000000000000000000000000000000000008"
_TRUE = (1).to_bytes(32, "big")


def configured_pairing(gateway: ChainGateway) -> PairingCheck:
    """Return the check that the gateway's owner has chosen.

    The chain node's precompile takes a millisecond and is believed; a check here believes nobody
    and takes two, by native code where that is installed, or half a second a pairing. All must
    agree (tests/integration/chain/test_pairing.py).
    """
    return local_pairing() if gateway.local_pairings else precompile_pairing(gateway)


def precompile_pairing(gateway: ChainGateway) -> PairingCheck:
    """Return a check whether a product of pairings is one, made by an eth_call of `gateway`.

    The check takes pairs (G1, G2); an empty product and a point outside the subgroup give False. It
    believes the node: ask one's own. A node may refuse a call for the points or for reasons of its
    own (a gas cap, a rate limit), so what it refuses is checked here. It raises
    NodeUnavailable when none answers: nothing was learned about the product then.
    Source: EIP-197.
    """

    def is_product_one(pairs: Sequence[tuple[G1, G2]]) -> bool:
        if not pairs:  # the precompile calls the empty product one; no statement was made
            return False
        data = b"".join(left.to_bytes() + right.to_bytes() for left, right in pairs)
        fields = {"to": _PAIRING_ADDRESS, "data": "0x" + data.hex()}
        try:
            return gateway.endpoint.ask(questions.call(fields, "latest")) == _TRUE
        except NodeRefused:
            return local_pairing()(pairs)

    return is_product_one
