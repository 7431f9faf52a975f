"""Vectors of ISO/IEC 18033-6, Wycheproof and RFC 9591; sources in tests/vectors/README.md."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from offchain.crypto import box, kdf, paillier
from offchain.crypto.affine import prime_field_curve
from offchain.crypto.jacobian import JacobianCurve
from offchain.crypto.paillier import PaillierPrivateKey
from offchain.crypto.polynomial import evaluate_newton, lagrange_at_zero
from offchain.crypto.primality import is_prime
from offchain.errors import DecryptionError, EncodingError

from .vectors import load_vectors

_FOLDER = Path(__file__).resolve().parents[2] / "vectors"
SECP256K1_P = 2**256 - 2**32 - 977
ORDERS = {
    "secp256k1": 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141,
    "P-256": 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
}
CURVES = {"secp256k1": ec.SECP256K1(), "P-256": ec.SECP256R1()}


def test_vectors__every_file__is_named_in_the_readme():
    text = (_FOLDER / "README.md").read_text()
    assert all(f"`{path.name}`" in text for path in _FOLDER.glob("*.json"))


# --- ISO/IEC 18033-6 -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def iso():
    document = load_vectors("iso18033_6_paillier")
    return {name: int(value, 16) for name, value in document.items() if name != "source"}


@pytest.fixture(scope="module")
def iso_key(iso):
    return PaillierPrivateKey(iso["p"], iso["q"])


@pytest.mark.parametrize("which", ["1", "2"])
def test_paillier__iso_18033_6__encrypts_and_decrypts_as_published(iso, iso_key, which):
    coins, plaintext = iso[f"r{int(which) - 1}"], iso[f"m{which}"]
    made = paillier.encrypt_with_coins(iso_key.public_key, plaintext, coins=coins)
    assert made == iso[f"c{which}"]
    assert paillier.decrypt(iso_key, made) == plaintext
    assert paillier.extract_coins(iso_key, made) == coins


def test_paillier__iso_18033_6__adds_as_published(iso, iso_key):
    assert iso["c1"] * iso["c2"] % iso_key.public_key.n_squared == iso["c1c2"]
    assert paillier.decrypt(iso_key, iso["c1c2"]) == iso["m1m2"] == iso["m1"] + iso["m2"]
    ours = paillier.add_ciphertexts(iso_key.public_key, [iso["c1"], iso["c2"]])
    assert ours != iso["c1c2"] and paillier.decrypt(iso_key, ours) == iso["m1m2"]


# --- Wycheproof ----------------------------------------------------------------------------------


def test_gcm_decrypt__wycheproof__opens_what_is_valid_and_nothing_else():
    seen = {"valid": 0, "invalid": 0}
    for test in load_vectors("wycheproof_aes_gcm")["tests"]:
        parts = {
            name: bytes.fromhex(test[name]) for name in ("key", "iv", "aad", "msg", "ct", "tag")
        }
        data = parts["iv"] + parts["ct"] + parts["tag"]
        seen[test["result"]] += 1
        if test["result"] == "valid":
            opened = box.gcm_decrypt(parts["key"], data, associated_data=parts["aad"])
            assert opened == parts["msg"], test["tcId"]
        else:
            with pytest.raises(DecryptionError):
                box.gcm_decrypt(parts["key"], data, associated_data=parts["aad"])
    assert seen["valid"] > 30 and seen["invalid"] > 20


def test_hkdf__wycheproof__derives_what_is_valid_and_refuses_the_rest():
    for test in load_vectors("wycheproof_hkdf")["tests"]:
        ikm, salt, info, okm = (bytes.fromhex(test[k]) for k in ("ikm", "salt", "info", "okm"))
        if test["result"] == "valid":
            assert kdf.hkdf(ikm, salt=salt, info=info, length=test["size"]) == okm, test["tcId"]
        else:
            with pytest.raises(EncodingError):
                kdf.hkdf(ikm, salt=salt, info=info, length=test["size"])


def test_is_prime__wycheproof__is_deceived_by_no_pseudoprime():
    results = set()
    for test in load_vectors("wycheproof_primality")["tests"]:
        number = int.from_bytes(bytes.fromhex(test["value"]), "big", signed=True)
        assert is_prime(number) == (test["result"] == "valid"), test["tcId"]
        results.add(test["result"])
    assert results == {"valid", "invalid", "acceptable"}  # acceptable: the negative of a prime


# --- RFC 9591 ------------------------------------------------------------------------------------


@pytest.fixture(params=["secp256k1", "P-256"])
def shared(request):
    groups = load_vectors("rfc9591_secret_sharing")["groups"]
    return next(group for group in groups if group["group"] == request.param)


def shares_of(group):
    shares = group["participant_shares"]
    return {one["identifier"]: int(one["participant_share"], 16) for one in shares}


def coefficients_of(group):
    texts = [group["group_secret_key"], *group["share_polynomial_coefficients"]]
    return [int(text, 16) for text in texts]


def test_evaluate_newton__rfc_9591__deals_the_published_shares(shared):
    order, coefficients = ORDERS[shared["group"]], coefficients_of(shared)
    assert len(coefficients) == shared["threshold"] == 2  # then C(x, 1) = x: the bases agree
    for index, share in shares_of(shared).items():
        assert evaluate_newton(coefficients, index, order) == share


def test_lagrange_at_zero__rfc_9591__recovers_the_secret_from_any_two_shares(shared):
    order, shares = ORDERS[shared["group"]], shares_of(shared)
    secret = int(shared["group_secret_key"], 16)
    for pair in ((1, 2), (1, 3), (2, 3)):
        weights = lagrange_at_zero(pair, order)
        assert sum(weights[i] * shares[i] for i in pair) % order == secret
    assert all(share != secret for share in shares.values())


def test_group_key__rfc_9591__is_the_published_commitment(shared):
    key = ec.derive_private_key(int(shared["group_secret_key"], 16), CURVES[shared["group"]])
    numbers = key.public_key().public_numbers()
    encoded = bytes([2 + numbers.y % 2]) + numbers.x.to_bytes(32, "big")
    assert encoded.hex() == shared["group_public_key"]


def test_feldman__rfc_9591_over_secp256k1__each_share_lies_on_the_commitments():
    groups = load_vectors("rfc9591_secret_sharing")["groups"]
    group = next(one for one in groups if one["group"] == "secp256k1")
    law, many = prime_field_curve(SECP256K1_P), JacobianCurve(SECP256K1_P)
    one = ec.derive_private_key(1, CURVES["secp256k1"]).public_key().public_numbers()
    generator = (one.x, one.y)
    f_0, f_1 = many.multiply_each([generator] * 2, coefficients_of(group))
    assert f"{2 + f_0[1] % 2:02x}{int(f_0[0]):064x}" == group["group_public_key"]
    for index, share in shares_of(group).items():
        expected = law.add(f_0, many.multi_multiply([f_1], [index]))
        assert many.multi_multiply([generator], [share]) == expected
        assert many.multi_multiply([generator], [share + 1]) != expected
