"""Sealed messages: round trips, every region flipped, other keys and contexts, disputes."""

import hashlib

import pytest

from offchain.crypto import kem, paillier
from offchain.crypto.box import gcm_encrypt
from offchain.crypto.encoding import fixed_width
from offchain.crypto.kdf import hkdf
from offchain.crypto.kem import Opening
from offchain.errors import (
    DecryptionError,
    EncodingError,
    InvalidOpeningError,
    InvalidPlaintextError,
)

CONTEXT = b"chain 31337, lock, user, node"


@pytest.fixture(scope="module")
def sealed(private_key):
    return kem.seal(private_key.public_key, b"the bill", context=CONTEXT)


@pytest.mark.parametrize("plaintext", [b"", b"x", bytes(32 * 1024)])
def test_open_sealed__any_length__gives_the_plaintext_back(private_key, plaintext):
    public_key = private_key.public_key
    message = kem.seal(public_key, plaintext, context=CONTEXT)
    assert len(message) == len(plaintext) + kem.overhead(public_key)
    assert kem.open_sealed(private_key, message, context=CONTEXT) == plaintext


def test_open_sealed__full_size_key__gives_the_plaintext_back(full_private_key):
    message = kem.seal(full_private_key.public_key, b"m", context=b"")
    assert kem.open_sealed(full_private_key, message, context=b"") == b"m"


def test_seal__twice__shares_nothing_but_the_header(private_key, sealed):
    again = kem.seal(private_key.public_key, b"the bill", context=CONTEXT)
    assert again[:6] == sealed[:6] and again[6:518] != sealed[6:518]


def test_encapsulation__made_before_the_message__seals_one_that_opens(private_key):
    made = kem.encapsulate(private_key.public_key, context=CONTEXT)
    message = made.seal(b"a report")
    assert kem.open_sealed(private_key, message, context=CONTEXT) == b"a report"
    with pytest.raises(DecryptionError):
        kem.open_sealed(private_key, message, context=CONTEXT + b"!")


def test_encapsulation__a_second_message__is_refused(private_key):
    made = kem.encapsulate(private_key.public_key, context=CONTEXT)
    made.seal(b"a report")
    with pytest.raises(InvalidPlaintextError, match="one message"):
        made.seal(b"another")


def test_encapsulation__too_long_a_message__is_refused_and_none_is_used_up(private_key):
    made = kem.encapsulate(private_key.public_key, context=CONTEXT)
    with pytest.raises(InvalidPlaintextError, match="at most"):
        made.seal(bytes(kem.MAX_PLAINTEXT_BYTES + 1))
    made.seal(b"")


def test_begin_encapsulation__made_in_a_thread__seals_one_that_opens(private_key):
    made = kem.begin_encapsulation(private_key.public_key, context=CONTEXT)()
    assert kem.open_sealed(private_key, made.seal(b"a bill"), context=CONTEXT) == b"a bill"


def test_begin_encapsulation__when_it_fails__says_so_to_whoever_waits(private_key):
    waits = kem.begin_encapsulation(private_key.public_key, context="no bytes")
    with pytest.raises(EncodingError):
        waits()


def _regions(sealed, width):
    """First, middle and last byte of each region of docs/formats.md §3."""
    ends = {"magic": 4, "length": 6, "c": 6 + 2 * width}
    ends["commit"] = ends["c"] + 32
    ends["nonce"] = ends["commit"] + 12
    ends["ciphertext"] = len(sealed) - 16
    ends["tag"] = len(sealed)
    start = 0
    for name, end in ends.items():
        for position in {start, (start + end) // 2, end - 1}:
            yield name, position
        start = end


def test_open_sealed__any_region_flipped__is_one_uniform_error(private_key, sealed):
    errors, regions = set(), set()
    for name, position in _regions(sealed, 256):
        for bit in (1, 0x80):
            changed = bytearray(sealed)
            changed[position] ^= bit
            with pytest.raises(DecryptionError) as caught:
                kem.open_sealed(private_key, bytes(changed), context=CONTEXT)
            errors.add(str(caught.value))
            regions.add(name)
    assert len(errors) == 1 and len(regions) == 7


def test_open_sealed__cut_extended_or_not_bytes__is_refused(private_key, sealed):
    for hostile in [
        b"",
        sealed[:5],
        sealed[:-1],
        sealed + b"\0",
        sealed[:518],
        bytes(len(sealed)),
        b"\xff" * 2_000_000,
        sealed.hex(),
        None,
    ]:
        with pytest.raises(DecryptionError):
            kem.open_sealed(private_key, hostile, context=CONTEXT)


def test_open_sealed__another_context_or_key__is_refused(private_key, other_private_key, sealed):
    with pytest.raises(DecryptionError):
        kem.open_sealed(private_key, sealed, context=CONTEXT + b"!")
    with pytest.raises(DecryptionError):
        kem.open_sealed(other_private_key, sealed, context=CONTEXT)


def test_open_sealed__homomorphic_shift__works_on_raw_paillier_and_not_here(private_key, sealed):
    public_key, n = private_key.public_key, private_key.public_key.n
    raw = paillier.encrypt(public_key, 100)
    shifted = raw * (1 + 23 * n) % public_key.n_squared
    assert paillier.decrypt(private_key, shifted) == 123  # the negative control
    c = int.from_bytes(sealed[6:518], "big") * (1 + n) % public_key.n_squared
    hostile = sealed[:6] + fixed_width(c, 512) + sealed[518:]
    with pytest.raises(DecryptionError):
        kem.open_sealed(private_key, hostile, context=CONTEXT)


def test_open_sealed__rerandomised_ciphertext__is_refused(private_key, sealed):
    # The same r under other coins: only the re-encryption notices.
    public_key = private_key.public_key
    c = paillier.add_ciphertexts(public_key, [int.from_bytes(sealed[6:518], "big")])
    hostile = sealed[:6] + fixed_width(c, 512) + sealed[518:]
    with pytest.raises(DecryptionError):
        kem.open_sealed(private_key, hostile, context=CONTEXT)


@pytest.mark.parametrize("c", [0, 1])
def test_open_sealed__crafted_kem_ciphertext__is_refused(private_key, sealed, c):
    n = private_key.public_key.n
    for value in (c, c * n, 5 * n, n * n - 1):
        hostile = sealed[:6] + fixed_width(value, 512) + sealed[518:]
        with pytest.raises(DecryptionError):
            kem.open_sealed(private_key, hostile, context=CONTEXT)


def test_seal__written_out_by_hand__has_the_documented_bytes(private_key, sealed):
    public_key = private_key.public_key
    r = kem.opening(private_key, sealed).r
    n_bytes = public_key.n.to_bytes(256, "big")
    context_hash = hashlib.sha256(CONTEXT).digest()
    info = b"DMSM-V1-kem" + context_hash + hashlib.sha256(sealed[6:518]).digest()
    salt = hashlib.sha256(n_bytes).digest()
    okm = hkdf(r.to_bytes(256, "big"), salt=salt, info=info, length=64)
    assert sealed[:6] == b"DMK1\x01\x00"
    assert sealed[518:550] == okm[32:]


def test_seal__too_long_or_not_bytes__is_refused(private_key):
    public_key = private_key.public_key
    with pytest.raises(InvalidPlaintextError):
        kem.seal(public_key, bytes(kem.MAX_PLAINTEXT_BYTES + 1), context=b"")
    with pytest.raises(EncodingError):
        kem.seal(public_key, "text", context=b"")
    with pytest.raises(EncodingError):
        kem.seal(public_key, b"", context="text")


# --- disputes ----------------------------------------------------------------------------------


def test_open_with_opening__true_opening__shows_a_judge_the_plaintext(private_key, sealed):
    public_key = private_key.public_key
    shown = kem.opening(private_key, sealed)
    assert Opening.from_bytes(public_key, shown.to_bytes(public_key)) == shown
    assert kem.open_with_opening(public_key, sealed, shown, context=CONTEXT) == b"the bill"
    assert str(shown.r) not in repr(shown)


def test_open_with_opening__false_opening__blames_the_opener(private_key, sealed):
    public_key, n = private_key.public_key, private_key.public_key.n
    shown = kem.opening(private_key, sealed)
    for r, coins in [
        (shown.r ^ 1, shown.coins),
        (shown.r, shown.coins ^ 1),
        (shown.r + n, shown.coins),
        (shown.r, 0),
        (shown.r, shown.coins + n),
        (True, shown.coins),
    ]:
        with pytest.raises(InvalidOpeningError):
            kem.open_with_opening(public_key, sealed, Opening(r, coins), context=CONTEXT)


def test_open_with_opening__sender_used_free_coins__blames_the_sender(private_key):
    # A sender who picks the coins freely makes a message that the receiver cannot open.
    public_key, r = private_key.public_key, 12345
    coins = paillier.random_unit(public_key.n)
    c_bytes = fixed_width(paillier.encrypt_with_coins(public_key, r, coins=coins), 512)
    key, commit = kem._derive_key(public_key, r, c_bytes, CONTEXT)
    body = gcm_encrypt(key, b"m", associated_data=hashlib.sha256(CONTEXT).digest())
    bad = b"DMK1\x01\x00" + c_bytes + commit + body
    with pytest.raises(DecryptionError):
        kem.open_sealed(private_key, bad, context=CONTEXT)
    shown = kem.opening(private_key, bad)
    assert shown == Opening(r, coins)
    with pytest.raises(DecryptionError):
        kem.open_with_opening(public_key, bad, shown, context=CONTEXT)


def test_opening__malformed_ciphertext__is_refused_and_visible_to_the_judge(private_key, sealed):
    bad = sealed[:6] + bytes(512) + sealed[518:]
    with pytest.raises(DecryptionError):
        kem.opening(private_key, bad)
    with pytest.raises(DecryptionError):
        kem.open_with_opening(private_key.public_key, bad, Opening(1, 1), context=CONTEXT)


def test_opening_from_bytes__wrong_width__is_refused(private_key):
    with pytest.raises(EncodingError):
        Opening.from_bytes(private_key.public_key, bytes(511))


def test_seal_with_opening__opening__is_the_one_that_the_owner_finds(private_key):
    public_key = private_key.public_key
    message, opening = kem.seal_with_opening(public_key, b"the bill", context=CONTEXT)

    assert kem.opening(private_key, message) == opening
    assert kem.verify_form(public_key, message)
    assert kem.verify_opening(public_key, message, opening)
    assert kem.verify_coins(public_key, opening, context=CONTEXT)
    assert not kem.verify_coins(public_key, opening, context=b"another lock")
    assert kem.open_with_opening(public_key, message, opening, context=CONTEXT) == b"the bill"


def test_verify_opening__another_r_or_coins__is_false(private_key, sealed):
    public_key, n = private_key.public_key, private_key.public_key.n
    true = kem.opening(private_key, sealed)

    false = [
        Opening((true.r + 1) % n, true.coins),
        Opening(true.r, true.coins + 1),
        Opening(n, true.coins),
        Opening(true.r, 0),
        Opening(true.r, n),
        Opening(true.r + n, true.coins),
        Opening(true.r, true.coins + n),
    ]
    assert kem.verify_opening(public_key, sealed, true)
    assert not any(kem.verify_opening(public_key, sealed, one) for one in false)


def test_verify_form__c_that_is_no_ciphertext__is_false(private_key, sealed):
    public_key = private_key.public_key
    width = 2 * public_key.byte_length
    for c in (0, public_key.n, public_key.n_squared, public_key.n_squared + 1):
        assert not kem.verify_form(
            public_key, sealed[:6] + c.to_bytes(width, "big") + sealed[6 + width :]
        )
    assert not kem.verify_form(public_key, b"garbage")
    assert not kem.verify_form(public_key, sealed[:500])


def test_verify_coins__malformed_coins__still_have_an_opening(private_key):
    """What a lying sealer makes: c fits its opening, and the coins are not the derived ones."""
    public_key = private_key.public_key
    message, derived = kem.seal_with_opening(public_key, b"the bill", context=CONTEXT)
    c = paillier.encrypt_with_coins(public_key, derived.r, coins=derived.coins + 1)
    lie = message[:6] + paillier.ciphertext_to_bytes(public_key, c) + message[518:]

    opening = kem.opening(private_key, lie)

    assert opening == Opening(derived.r, derived.coins + 1)
    assert kem.verify_opening(public_key, lie, opening)
    assert not kem.verify_coins(public_key, opening, context=CONTEXT)
    with pytest.raises(DecryptionError):
        kem.open_with_opening(public_key, lie, opening, context=CONTEXT)
