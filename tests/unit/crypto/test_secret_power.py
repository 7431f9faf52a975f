"""Powers with secret exponents: libcrypto, GMP and Python say the same."""

import threading

import gmpy2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offchain.crypto import secret_power as module
from offchain.crypto.secret_power import secret_power
from offchain.errors import CryptoError

from .vectors import load_vectors

WAYS = ["libcrypto", "GMP"]


@pytest.fixture(params=WAYS)
def way(request, monkeypatch):
    if request.param == "GMP":
        monkeypatch.setattr(module, "_library", lambda: None)
    else:
        assert module._library() is not None  # every platform of the tests has one
    return request.param


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_secret_power__of_any_numbers__is_what_python_says_in_both_ways(data):
    modulus = 2 * data.draw(st.integers(1, 2**600)) + 1
    base = data.draw(st.integers(0, 2**700) | st.sampled_from([0, 1, modulus - 1, modulus]))
    exponent = data.draw(st.integers(0, 2**300) | st.sampled_from([0, 1, 2, modulus - 1]))
    expected = pow(base, exponent, modulus)
    assert secret_power(base, exponent, modulus) == expected
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_library", lambda: None)
        assert secret_power(base, exponent, modulus) == expected


@pytest.mark.parametrize("bits", [1024, 1536, 2048, 3072, 4096, 6144, 8192])
def test_secret_power__at_the_sizes_of_keys__is_what_python_says(way, bits):
    numbers = gmpy2.random_state(bits)
    modulus = int(gmpy2.mpz_rrandomb(numbers, bits)) | 1 | 1 << (bits - 1)
    base, exponent = (int(gmpy2.mpz_rrandomb(numbers, bits - 1)) for _ in range(2))
    assert secret_power(base, exponent, modulus) == pow(base, exponent, modulus)


def test_secret_power__of_the_published_decryption__is_its_plaintext(way):
    """ISO/IEC 18033-6: L(c^λ mod n²)·μ, with the power taken here."""
    vector = load_vectors("iso18033_6_paillier")
    p, q = int(vector["p"], 16), int(vector["q"], 16)
    n, order = p * q, int(gmpy2.lcm(p - 1, q - 1))
    for which in "12":
        quotient = (int(secret_power(int(vector[f"c{which}"], 16), order, n * n)) - 1) // n
        assert quotient * pow(order, -1, n) % n == int(vector[f"m{which}"], 16)


@pytest.mark.parametrize(
    ("exponent", "modulus"), [(-1, 7), (2, 8), (2, 1), (2, 0), (2, -7), (0, 2)]
)
def test_secret_power__of_unfit_numbers__is_refused(way, exponent, modulus):
    with pytest.raises(CryptoError, match="odd modulus"):
        secret_power(3, exponent, modulus)


def test_secret_power__in_threads__is_right_in_each(way):
    modulus, wrong = 2**1279 - 1, []

    def work(base):
        expected = pow(base, modulus - 2, modulus)
        wrong.extend(1 for _ in range(20) if secret_power(base, modulus - 2, modulus) != expected)

    threads = [threading.Thread(target=work, args=(base,)) for base in range(2, 6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_library__that_is_missing_or_reckons_wrongly__is_passed_over(monkeypatch):
    find = module._library.__wrapped__
    monkeypatch.setattr(module, "_PLACES", ("/nowhere.so", "libc.so.6"))
    assert find() is None
    monkeypatch.undo()
    assert find() is not None
    monkeypatch.setattr(module._Libcrypto, "power", lambda *_: 0)
    assert find() is None


def test_power__where_libcrypto_fails__is_an_error_and_frees_its_numbers(monkeypatch):
    library = module._Libcrypto(module._PLACES[0])

    class Failing:
        freed = 0

        def __getattr__(self, name):
            if name == "BN_mod_exp_mont_consttime":
                return lambda *_: 0
            return getattr(library._library, name)

        def BN_clear_free(self, number):
            Failing.freed += 1
            library._library.BN_clear_free(number)

    other = module._Libcrypto(module._PLACES[0])
    other._library = Failing()
    with pytest.raises(CryptoError, match="memory"):
        other.power(3, 5, 7)
    assert Failing.freed == 4
