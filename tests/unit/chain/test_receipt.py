"""Block headers from their JSON-RPC form."""

from offchain.chain.receipt import read_block

RAW = {"number": "0x7", "hash": "0xaa", "parentHash": "0xbb", "timestamp": "0x10"}


def test_read_block__mined__has_its_hash() -> None:
    block = read_block(RAW)
    assert (block.number, block.hash, block.parent_hash, block.timestamp) == (
        7,
        b"\xaa",
        b"\xbb",
        16,
    )


def test_read_block__pending_as_geth_gives_it__has_no_hash() -> None:
    assert read_block(RAW | {"hash": None}).hash == b""
