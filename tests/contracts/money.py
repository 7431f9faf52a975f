"""Orders, signatures and transcripts that pass every check, so that a test can break one thing."""

from __future__ import annotations

import secrets
from typing import Any, NamedTuple

import publishing
from brownie import accounts, web3
from eth_abi import encode
from eth_account import Account
from eth_keys import keys
from eth_utils import keccak
from members import Member, words

from offchain.crypto import messages, sharing
from offchain.crypto.messages import Role as Tag
from scripts.deploy import Rules

BILL, ADVICE = 71, 72  # request types: the bill settles at once, the advice after a window
PRICE_WEI, ADVICE_PRICE_WEI = 3 * 10**15 + 1, 5 * 10**15
SHORTEST_S, WINDOW_S = 600, 300
SHARING_SHORTEST_S, APPLICATION_WEI = 900, 10**15 + 1
POINT_WEI = 10**13
BPS = 10_000
OWNERS_BPS = 5_000  # what a deployment begins with
RULES = Rules(
    serve_seconds=400,
    decide_seconds=900,
    fee_bps=500,
    bond_bps=8_000,
    dispute_bond_bps=2_500,
    serve_gas_wei=1_000,
    dispute_min_wei=10**12,
)
DAY, WINDOW = publishing.DAY, publishing.WINDOW
PublishedSet = publishing.PublishedSet
publish, digest_of = publishing.publish, publishing.digest_of
MAX_SEALED_BYTES = 32 * 1024
LONGEST_ANSWER = MAX_SEALED_BYTES
MNEMONIC = "test test test test test test test test test test test junk"  # of the test node
(
    NONE, REQUESTED, REJECTED, ACCEPTED, CLAIMED, SELECTED, DECLINED, DELIVERED, SETTLED, REFUNDED,
    DEMANDED, DISPUTED, SLASHED,
) = range(13)  # fmt: skip
NOT_RECOGNISED, NOT_SERVED = 1, 7  # reasons
NOTHING = bytes(32)


class LockTerms(NamedTuple):
    """What a payer signs to be bound by (IPrepaidLock.LockTerms)."""

    rules_version: int
    sharing_version: int
    dispute_window_s: int
    fee_bps: int
    owners_bps: int
    longest_answer_bytes: int
    bond_wei: int


def request_terms(type_id: int = BILL) -> LockTerms:
    """Return a request's terms under RULES, as :func:`set_terms` leaves them."""
    window, price = (0, PRICE_WEI) if type_id == BILL else (WINDOW_S, ADVICE_PRICE_WEI)
    return LockTerms(1, 0, window, RULES.fee_bps, 0, LONGEST_ANSWER, bond_of(price))


def sharing_terms(
    price_wei: int, *, version: int = 1, window_s: int = 0, owners_bps: int = 0
) -> LockTerms:
    """Return a sharing lock's terms under RULES and a version of the terms of sharing."""
    return LockTerms(1, version, window_s, RULES.fee_bps, owners_bps, 0, bond_of(price_wei))


class RequestOrder(NamedTuple):
    processor: str
    type_id: int
    message_length: int
    signed_at: int
    expires_at: int
    message_digest: bytes
    nonce: bytes
    terms: LockTerms


class SharingOrder(NamedTuple):
    payer: str
    payee: str
    broadcast_id: bytes
    data_set_id: bytes
    group_hash: bytes
    threshold: int
    group_size: int
    price_wei: int
    message_length: int
    signed_at: int
    expires_at: int
    message_digest: bytes
    nonce: bytes
    terms: LockTerms


def set_terms(
    govern: Any, catalogue: Any, *, sharing_window_s: int = 0, owners_bps: int = 0
) -> None:
    """Set two request types and the terms of sharing; bill and sharing settle at once.

    Owners get nothing if not told: what they get is what the tests of their part are about.
    """
    bill = (True, SHORTEST_S, 0, LONGEST_ANSWER, PRICE_WEI, b"bill".ljust(32, b"\0"))
    advice = (True, SHORTEST_S, WINDOW_S, LONGEST_ANSWER, ADVICE_PRICE_WEI)
    advice += (b"advice".ljust(32, b"\0"),)
    govern(catalogue, "setType", BILL, bill)
    govern(catalogue, "setType", ADVICE, advice)
    terms = (SHARING_SHORTEST_S, sharing_window_s, APPLICATION_WEI, owners_bps)
    govern(catalogue, "setSharingTerms", terms)


def fee_of(price_wei: int) -> int:
    """Return the consortium's fee under RULES."""
    return price_wei * RULES.fee_bps // BPS


def bond_of(price_wei: int) -> int:
    """Return the bond that a lock holds under RULES."""
    return price_wei * RULES.bond_bps // BPS


def gain_of(credit: Any, price_wei: int) -> int:
    """Return what a first success at this price adds to a credit."""
    return min(fee_of(price_wei) // credit.pointWei(), credit.MAX_GAIN())


def set_credit(credit: Any, member: Any, points: int) -> None:
    """Write a credit of the present epoch straight into storage, where CreditBook keeps it."""
    slot = keccak(encode(["address", "uint256"], [member.address, 0]))
    epoch = web3.eth.get_block("latest")["timestamp"] // credit.EPOCH_SECONDS()
    arguments = [credit.address, "0x" + slot.hex(), f"0x{points | epoch << 64:064x}"]
    web3.provider.make_request("anvil_setStorageAt", arguments)
    assert credit.creditOf(member.address) == points


def put_up(lock: Any, *processors: Any, amount_wei: int = 10**18) -> None:
    """Give processing nodes a bond that covers many locks."""
    for processor in processors:
        options = {"from": processor.account, "value": amount_wei}
        lock.addBond(processor.address, options)


def request_order(processor: Any, *, expires_at: int, type_id: int = BILL) -> RequestOrder:
    """Make an order with a fresh nonce."""
    nonce = secrets.token_bytes(32)
    digest = digest_of("sealed message")
    place = (processor.address, type_id, 1_500, 1_700_000_000, expires_at)
    return RequestOrder(*place, digest, nonce, request_terms(type_id))


def sign_request(
    lock: Any, payer: Member, order: RequestOrder, *, tag: Tag = Tag.REQUEST, **changed: Any
) -> tuple[int, ...]:
    """Sign an order as ``payer``; ``changed`` fields of the message make it a false signature."""
    fields = {
        "chain_id": web3.eth.chain_id,
        "prepaid_lock": lock.address,
        "requester": payer.address,
        **order._asdict(),
    }
    return payer.sign(_message(REQUEST_TYPES, {**fields, **changed}), role=tag)


def sign_sharing(
    lock: Any, payer: Member, order: SharingOrder, *, tag: Tag = Tag.SHARING, **changed: Any
) -> tuple[int, ...]:
    """Sign a selection as ``payer``; ``changed`` fields of the message make it a false one."""
    fields = {"chain_id": web3.eth.chain_id, "prepaid_lock": lock.address, **order._asdict()}
    names = {"requester": "payer", "processor": "payee"}
    altered = {names.get(name, name): value for name, value in changed.items()}
    return payer.sign(_message(SHARING_TYPES, {**fields, **altered}), role=tag)


TERMS_TYPES = ("uint32", "uint32", "uint32", "uint16", "uint16", "uint16", "uint96")
REQUEST_TYPES = (
    *("uint256", "address", "address", "address", "uint32", "uint32", "uint64", "uint40"),
    *("bytes32", "bytes32"),
)
SHARING_TYPES = (
    *("uint256", "address", "address", "address", "bytes32", "bytes32", "bytes32"),
    *("uint8", "uint8", "uint96", "uint32", "uint64", "uint40", "bytes32", "bytes32"),
)


def _message(types: tuple[str, ...], fields: dict[str, Any]) -> bytes:
    """Encode what is signed, as the contracts do: chain, contract and the order, terms last."""
    *values, terms = fields.values()
    return encode([*types, *TERMS_TYPES], [*values, *terms])


def id_of(contract: Any, account: Any, nonce: bytes) -> bytes:
    """Compute the id of a lock or broadcast as docs and interfaces define it."""
    kinds = ["uint256", "address", "address", "bytes32"]
    return keccak(encode(kinds, [web3.eth.chain_id, contract.address, account.address, nonce]))


def sign_delivery(
    lock: Any, payee: Member, lock_id: bytes, group: Group, transcript: tuple, **changed: Any
) -> tuple[int, bytes, bytes]:
    """Sign as ``payee`` that anyone may deliver a transcript (commitments, shares) of a lock."""
    stored = lock.lockOf(lock_id)
    commitments, shares = transcript
    words_of = [w for points in (group.key_words, shares, commitments) for p in points for w in p]
    place = [changed.get("chain_id", web3.eth.chain_id), changed.get("lock_address", lock.address)]
    place += [changed.get("lock_id", lock_id), bytes(stored["subject"])]
    kinds = ["bytes32", "uint256", "address", "bytes32", "bytes32", "uint256", "uint256"]
    values = [keccak(text="DMSM-V1-SHARES"), *place, stored["threshold"], len(group.accounts)]
    seed = keccak(encode([*kinds, *["uint256"] * len(words_of)], [*values, *words_of]))
    tag = changed.get("tag", keccak(text="DMSM-V1-delivery"))
    digest = keccak(encode(["bytes32", "bytes32"], [tag, seed]))
    signature = keys.PrivateKey(private_key_of(payee.account)).sign_msg_hash(digest)
    raw = signature.to_bytes()
    return (27 + signature.v, raw[:32], raw[32:64])


NO_AUTHORISATION = (0, NOTHING, NOTHING)


def commitment_of(payee: Any, secret: bytes) -> bytes:
    """Compute C = SHA256(p ‖ x) (protocol §3)."""
    return messages.factor_commitment(processor=payee.address, factor=secret)


def unlocked(address: str, *, balance_wei: int | None = None) -> Any:
    """Return an account that sends as a contract (test nodes only), with a balance set if given."""
    requests: list[tuple[str, list]] = [("anvil_impersonateAccount", [address])]
    if balance_wei is not None:
        requests.append(("anvil_setBalance", [address, hex(balance_wei)]))
    for method, arguments in requests:
        answer = web3.provider.make_request(method, arguments)
        assert "error" not in answer, answer
    return accounts.at(address, force=True)


def private_key_of(account: Any) -> bytes:
    """Return the key of a local account, or of one of anvil's own."""
    if hasattr(account, "private_key"):
        return bytes.fromhex(account.private_key[2:])
    at = [str(known) for known in accounts].index(account.address)
    return bytes(Account.from_mnemonic(MNEMONIC, account_path=f"m/44'/60'/0'/0/{at}").key)


def balance_of(address: str) -> int:
    """Return an account's ether in wei."""
    return web3.eth.get_balance(address)


class Group(NamedTuple):
    """An ordered group: accounts strictly ascending, and their delivery keys."""

    accounts: list[str]
    keys: list[Any]

    @property
    def hash(self) -> bytes:
        return sharing.group_hash(list(zip(self.accounts, self.keys, strict=True)))

    @property
    def key_words(self) -> list[tuple[int, ...]]:
        return [words(key) for key in self.keys]


def group_of(*members: Member) -> Group:
    """Order members as the contracts want them."""
    ordered = sorted(members, key=lambda member: int(member.address, 16))
    return Group([m.address for m in ordered], [m.keys.delivery_key for m in ordered])


def transcript_words(transcript: sharing.Transcript) -> tuple[list, list]:
    """Return commitments and shares as the contract takes them."""
    return [words(f) for f in transcript.commitments], [words(y) for y in transcript.shares]
