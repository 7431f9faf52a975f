"""The two accounts that a network's genesis block gives money: the consortium's and the beat's."""

from __future__ import annotations

import json

from eth_account import Account
from eth_account.signers.local import LocalAccount

from offchain.crypto import keystore
from offchain.network.errors import PlanInvalid
from offchain.network.plan import NetworkPlan


def founder(plan: NetworkPlan, name: str) -> LocalAccount:
    """Return the account of a private key of the network's folder, "consortium" or "heartbeat".

    A key is 64 digits and nothing else: a damaged one is the key of another account, so that it
    must be one to which the genesis block gives money. Raises KeystoreError, PlanInvalid.
    """
    path, genesis = plan.key(name), plan.folder / "genesis.json"
    try:
        account: LocalAccount = Account.from_key(keystore.read_password(path).reveal().decode())
    except ValueError:
        raise PlanInvalid(f"{path} holds no private key; restore it") from None
    try:
        funded = {
            one.lower().removeprefix("0x") for one in json.loads(genesis.read_text())["alloc"]
        }
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise PlanInvalid(f"{genesis} is no genesis block: {error}") from error
    if account.address.lower().removeprefix("0x") not in funded:
        raise PlanInvalid(
            f"{path} is damaged: the genesis block gives its account no money; restore it"
        )
    return account
