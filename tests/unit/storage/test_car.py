"""CAR archives: the published example's bytes, round trips, and hostile archives refused."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offchain.storage.car import (
    DAG_CBOR,
    LINK_BYTES,
    RAW,
    encode_links,
    link_to,
    read_car,
    write_car,
)
from offchain.storage.cid import Cid
from offchain.storage.errors import ObjectCorrupt
from offchain.storage.group import MAX_LINKS, group_of, raw_link

# The beginning of carv1-basic.car, the example of the specification: its header with two roots,
# three raw blocks, and the first bytes of a block with a link of version 0.
EXAMPLE_HEADER = bytes.fromhex(
    "63a265726f6f747382d82a58250001711220f88bc853804cf294fe417e4fa83028689fcdb1b1592c5102e1474dbc"
    "200fab8bd82a5825000171122069ea0740f9807a28f4d932c62e7c1c83be055e55072c90266ab3e79df63a365b67"
    "76657273696f6e01"
)
EXAMPLE_BLOCKS = bytes.fromhex(
    "280155122061be55a8e2f6b4e172338bddf184d6dbee29c98853e0a0485ecee7f27b9af0b461616161"
    "280155122081cc5b17018674b401b42f35ba07bb79e211239c23bffe658da1577e3e64687762626262"
    "2801551220b6fbd675f98e2abd22d4ed29fdc83150fedc48597e92dd1a7a24381d44a2745163636363"
)
EXAMPLE_ROOTS = (
    "01711220f88bc853804cf294fe417e4fa83028689fcdb1b1592c5102e1474dbc200fab8b",
    "0171122069ea0740f9807a28f4d932c62e7c1c83be055e55072c90266ab3e79df63a365b",
)
VERSION_0 = bytes.fromhex("511220e7dc486e97e6ebe5cdabab3e392bdad128b6e09acc94bb4e2aa2af7b986d24d0")


def test_encode_links__roots_of_the_published_example__are_its_header():
    roots = encode_links(map(bytes.fromhex, EXAMPLE_ROOTS))
    assert b"\x63\xa2\x65roots" + roots + b"\x67version\x01" == EXAMPLE_HEADER


def test_read_car__published_example__gives_its_raw_blocks():
    found = list(read_car([EXAMPLE_HEADER + EXAMPLE_BLOCKS]))
    assert [data for _, data in found] == [b"aaaa", b"bbbb", b"cccc"]
    assert all(link == raw_link(Cid.of_block(data)) for link, data in found)


def test_write_car__one_root__differs_from_the_example_in_the_roots_alone():
    blocks = list(read_car([EXAMPLE_HEADER + EXAMPLE_BLOCKS]))
    root = bytes.fromhex(EXAMPLE_ROOTS[0])
    header = b"\xa2\x65roots" + encode_links([root]) + b"\x67version\x01"
    assert b"".join(write_car(root, blocks)) == bytes([len(header)]) + header + EXAMPLE_BLOCKS


@given(
    contents=st.lists(st.binary(max_size=400), max_size=20),
    piece=st.integers(min_value=1, max_value=700),
)
def test_read_car__what_was_written_in_pieces_of_any_size__gives_it_back(contents, piece):
    blocks = [(link_to(data, codec=RAW), data) for data in contents]
    whole = b"".join(write_car(link_to(b"", codec=DAG_CBOR), blocks))
    pieces = (whole[at : at + piece] for at in range(0, len(whole), piece))
    assert list(read_car(pieces)) == blocks


def test_write_car__large_blocks__come_in_pieces_and_not_at_once():
    blocks = [(link_to(data, codec=RAW), data) for data in (os.urandom(200_000) for _ in range(9))]
    pieces = list(write_car(link_to(b"", codec=DAG_CBOR), blocks))
    assert max(map(len, pieces)) < 700_000
    assert list(read_car(pieces)) == blocks


ONE_BLOCK = EXAMPLE_BLOCKS[:41]


@pytest.mark.parametrize(
    ("archive", "why"),
    [
        (b"", "no header"),
        (b"\xe3\x00" + EXAMPLE_HEADER[1:], "more bytes than it needs"),
        (EXAMPLE_HEADER + b"\xa8\x00" + ONE_BLOCK[1:], "more bytes than it needs"),
        (EXAMPLE_HEADER + b"\xa8\x80\x80\x00" + ONE_BLOCK[1:], "more bytes than it needs"),
        (EXAMPLE_HEADER + b"\x80\x00", "more bytes than it needs"),
        (b"\x0a\xa1\x67version\x01" + ONE_BLOCK, "no header"),  # without roots
        (b"\x12\xa2\x65roots\x98\x00\x67version\x01" + ONE_BLOCK, "no header"),  # a length in two
        (b"\x11\xa2\x67version\x01\x65roots\x80" + ONE_BLOCK, "no header"),  # out of order
        (b"\x64" + EXAMPLE_HEADER[1:] + b"\x00" + ONE_BLOCK, "no header"),
        (b"\x05hello", "no header"),
        (EXAMPLE_HEADER[:50], "cut off"),
        (EXAMPLE_HEADER + ONE_BLOCK[:-1], "cut off"),
        (EXAMPLE_HEADER + b"\x80", "cut off"),
        (EXAMPLE_HEADER + ONE_BLOCK[:-1] + b"b", "other bytes"),
        (EXAMPLE_HEADER + VERSION_0 + bytes(47), "unknown kind of link"),
        (EXAMPLE_HEADER + bytes([10]) + bytes(10), "unknown kind of link"),
        (EXAMPLE_HEADER + b"\x29\x01\xd5\x00" + ONE_BLOCK[3:], "unknown kind of link"),
        (EXAMPLE_HEADER + b"\x29\x01\x55\x92\x00" + ONE_BLOCK[4:], "other bytes"),
        (EXAMPLE_HEADER + b"\xff\xff\xff\xff\x0f" + bytes(90), "at most"),
        (EXAMPLE_HEADER + b"\xff" * 9, "too long"),
        (b"\xff\xff\xff\x7f", "at most"),
    ],
)
def test_read_car__other_than_whole_and_true__is_refused(archive, why):
    with pytest.raises(ObjectCorrupt, match=why):
        list(read_car([archive]))


def cid(number: int) -> Cid:
    return Cid.of_block(number.to_bytes(4, "big"))


def test_group_of__few_blocks__is_one_list_of_links_in_their_order():
    blocks = [cid(number) for number in (3, 1, 2)]
    group = group_of(blocks)
    content = encode_links(map(raw_link, blocks))
    assert group.nodes == ((link_to(content, codec=DAG_CBOR), content),)
    assert group.root == group.nodes[0][0]
    assert group.root != group_of(blocks[::-1]).root
    assert group.root_cid.startswith("bafyrei")


@pytest.mark.parametrize(("count", "nodes"), [(MAX_LINKS, 1), (MAX_LINKS + 1, 3)])
def test_group_of__more_than_a_node_lists__is_a_tree(count, nodes):
    group = group_of([cid(number) for number in range(count)])
    assert len(group.nodes) == nodes
    assert group.nodes[-1][0] == group.root
    links = b"".join(content for _, content in group.nodes)
    assert all(raw_link(cid(number)) in links for number in range(0, count, 512))
    assert max(len(content) for _, content in group.nodes) <= 3 + MAX_LINKS * (LINK_BYTES + 5)
