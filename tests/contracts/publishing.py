"""Data sets that pass every check, with their owners' lists, so that a test can break one thing."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, NamedTuple

from brownie import web3
from eth_abi import encode
from eth_utils import keccak
from members import Member, words

from offchain.crypto import merkle, sharing

DAY = 86_400
WINDOW = (20_000 * DAY, 20_007 * DAY)
ROWS = 168  # of a data set of which nothing else is said: all of one device
LONGEST_SALE_S = 30 * DAY
PURPOSE = keccak(text="DMSM-V1-data-sharing")
TYPES = ("uint40", "uint40", "uint40", "uint8", "uint32", "uint16", "uint32", *["bytes32"] * 4)


class Publication(NamedTuple):
    """What ``publish`` takes (IDataSetBook.Publication)."""

    window_from: int
    window_to: int
    sale_until: int
    kind: int
    row_count: int
    device_count: int
    manifest_length: int
    readings_root: bytes
    manifest_digest: bytes
    owners_root: bytes
    owners_digest: bytes
    key_commitment: tuple[int, ...]

    @property
    def digest(self) -> bytes:
        """The hash of every field: what the proof of possession binds."""
        return keccak(encode([*TYPES, "uint256[4]"], list(self)))


class OwnersLeaf(NamedTuple):
    """An entry of an owners' list with its proof (IDataSetBook.OwnersLeaf)."""

    device: str
    rows: int
    index: int
    proof: list[bytes]


@dataclass(frozen=True)
class OwnersList:
    """An owners' list: (device, rows), ascending by device if it is an honest one."""

    entries: tuple[tuple[str, int], ...]

    @property
    def leaves(self) -> list[bytes]:
        """The 32-byte words that are hashed into the tree: device ‖ rows."""
        return [bytes.fromhex(at[2:]) + rows.to_bytes(12, "big") for at, rows in self.entries]

    @property
    def root(self) -> bytes:
        return merkle.root(self.leaves)

    @property
    def rows(self) -> int:
        return sum(rows for _, rows in self.entries)

    def leaf(self, device: Any) -> OwnersLeaf:
        """Return a device's entry and its proof."""
        address = getattr(device, "address", device)
        index = [at for at, _ in self.entries].index(address)
        return self.leaf_at(index)

    def leaf_at(self, index: int) -> OwnersLeaf:
        """Return an entry by its place."""
        return OwnersLeaf(*self.entries[index], index, merkle.prove(self.leaves, index))


def owners_of(*rows: tuple[Any, int]) -> OwnersList:
    """Return the honest list of devices and how many rows each has."""
    entries = [(getattr(device, "address", device), count) for device, count in rows]
    return OwnersList(tuple(sorted(entries, key=lambda entry: int(entry[0], 16))))


def strangers(count: int) -> list[tuple[str, int]]:
    """Return as many entries, of devices that nobody has, with nine rows each."""
    return [(web3.to_checksum_address(keccak(text=f"stranger {i}")[:20]), 9) for i in range(count)]


NOBODYS = OwnersList((("0x" + "00" * 19 + "77", ROWS),))  # of a device that is none


@dataclass(frozen=True)
class PublishedSet:
    """A published data set, with its secret key and its owners' list."""

    data_set_id: bytes
    key: sharing.DataKey
    owners: OwnersList
    sale_until: int


def digest_of(text: str) -> bytes:
    """Return the SHA-256 of some text: a digest that stands for it."""
    return hashlib.sha256(text.encode()).digest()


def id_of(data_sets: Any, key_commitment: tuple[int, ...], *, chain_id: int | None = None) -> bytes:
    """Compute a data set's id as docs and interface define it."""
    place = [web3.eth.chain_id if chain_id is None else chain_id, str(data_sets)]
    return keccak(encode(["uint256", "address", "uint256[4]"], [*place, key_commitment]))


def a_publication(
    key: sharing.DataKey, *, owners: OwnersList = NOBODYS, sale_until: int | None = None
) -> Publication:
    """Return a sound publication under a key; it is for sale for thirty days if not told."""
    begins = int(web3.eth.get_block("latest")["timestamp"])
    return Publication(
        *WINDOW,
        sale_until=begins + LONGEST_SALE_S if sale_until is None else sale_until,
        kind=1,
        row_count=owners.rows,
        device_count=len(owners.entries),
        manifest_length=2_000,
        readings_root=digest_of("root"),
        manifest_digest=digest_of("manifest"),
        owners_root=owners.root,
        owners_digest=digest_of("owners"),
        key_commitment=words(sharing.key_commitment(key)),
    )


def prove(
    data_sets: Any, processor: Any, key: sharing.DataKey, publication: Publication, **changed: Any
) -> tuple[int, ...]:
    """Prove possession of a key; what is ``changed`` makes it a false proof."""
    data_set_id = changed.get("data_set_id", id_of(data_sets, publication.key_commitment))
    values = [
        changed.get("chain_id", web3.eth.chain_id),
        str(changed.get("book", data_sets)),
        getattr(processor, "address", processor),
        data_set_id,
        changed.get("digest", publication.digest),
    ]
    message = encode(["uint256", "address", "address", "bytes32", "bytes32"], values)
    return words(sharing.prove_data_key(key, message))


def publish(
    data_sets: Any,
    processor: Member,
    *,
    owners: OwnersList = NOBODYS,
    sale_until: int | None = None,
    **changed: Any,
) -> PublishedSet:
    """Publish a data set of a processor with a fresh key; ``changed`` are fields of Publication."""
    key = sharing.DataKey.generate()
    publication = a_publication(key, owners=owners, sale_until=sale_until)._replace(**changed)
    proof = prove(data_sets, processor, key, publication)
    data_sets.publish(publication, proof, {"from": processor.account})
    data_set_id = id_of(data_sets, publication.key_commitment)
    return PublishedSet(data_set_id, key, owners, publication.sale_until)
