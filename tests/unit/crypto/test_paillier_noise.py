"""Noise: n-th residues, of the right length, from a base that nobody chose."""

import gmpy2
import pytest

from offchain.crypto import blum_primes, paillier, paillier_noise
from offchain.crypto.paillier_noise import OwnerNoise, PublicNoise, hashed_square
from offchain.errors import InvalidKeyError


def test_hashed_square__one_modulus__is_one_square_and_another_for_another(
    private_key, other_private_key
):
    n = private_key.public_key.n
    h = hashed_square(n)
    assert h == hashed_square(n) != hashed_square(other_private_key.public_key.n)
    assert gmpy2.legendre(h, private_key._p) == gmpy2.legendre(h, private_key._q) == 1
    assert h.bit_length() > 2000  # spread over the whole of Z_n


def test_hashed_square__no_unit__is_refused():
    refused = 0
    for n in range(3, 60, 2):
        try:
            assert gmpy2.gcd(hashed_square(n), n) == 1
        except InvalidKeyError:
            refused += 1
    assert refused  # some y is a multiple of 3, or of 5, …


@pytest.mark.parametrize("owner", [False, True])
def test_draw__many_times__is_a_fresh_nth_residue(private_key, owner):
    source = private_key.noise if owner else private_key.public_key.noise
    draws = [int(source.draw()) for _ in range(6)]
    assert len(set(draws)) == 6
    assert [paillier.decrypt(private_key, draw) for draw in draws] == [0] * 6


def test_draw__public__uses_exponents_of_half_the_modulus(private_key, monkeypatch):
    asked = []
    real = paillier_noise.secrets.randbits
    monkeypatch.setattr(
        paillier_noise.secrets, "randbits", lambda bits: asked.append(bits) or real(bits)
    )
    PublicNoise(private_key.public_key.n).draw()
    assert asked == [1024]


def test_draw__owner_and_public__lie_in_one_subgroup(private_key):
    # With h of order d modulo p, every draw has an order that divides d·d'.
    p, q = private_key._p, private_key._q
    owner, public = OwnerNoise(p, q), private_key.public_key.noise
    order = (p - 1) * (q - 1) // 4
    for draw in (owner.draw(), public.draw()):
        assert gmpy2.powmod(draw, order, private_key.public_key.n_squared) == 1


def test_prepare__both_sources__still_encrypt_rightly(private_key, monkeypatch):
    monkeypatch.setattr(paillier_noise.GrowingBase, "prepare", _prepare_narrow)
    for source in (
        PublicNoise(private_key.public_key.n),
        OwnerNoise(private_key._p, private_key._q),
    ):
        source.prepare()
        ciphertext = paillier.encrypt_with_noise(private_key.public_key, 5, source)
        assert paillier.decrypt(private_key, ciphertext) == 5


def _prepare_narrow(self):
    self._make_table(4)  # the wide one takes half a second


def test_generate_blum_primes__any__are_far_apart_and_three_modulo_four():
    p, q = blum_primes.generate_blum_primes(1024)
    assert p % 4 == q % 4 == 3
    assert (p * q).bit_length() == 1024 and p.bit_length() == q.bit_length() == 512
    assert abs(p - q).bit_length() > 412 and gmpy2.gcd(p - 1, q - 1) == 2
    assert gmpy2.is_prime(p) and gmpy2.is_prime(q)


def test_generate_blum_primes__primes_too_near__are_drawn_again(monkeypatch):
    draws = iter([499, 499, 503, 719])  # gcd(498, 718) = 2
    monkeypatch.setattr(blum_primes, "_random_blum_prime", lambda bits: next(draws))
    monkeypatch.setattr(blum_primes, "_DISTANCE_SLACK_BITS", 2)
    assert blum_primes.generate_blum_primes(18) == (499, 719)
