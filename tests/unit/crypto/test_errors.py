"""The tree of errors: one root, drawn in full, with the data that handlers need."""

import inspect

from offchain import errors
from offchain.errors import DecryptionError, DmsmError, InvalidShareError, NotEnoughSharesError


def _classes():
    return [kind for _, kind in inspect.getmembers(errors, inspect.isclass)]


def test_errors__all__descend_from_the_root_and_stand_in_the_drawing():
    for kind in _classes():
        assert issubclass(kind, DmsmError)
        assert kind.__name__ in (errors.__doc__ or "")


def test_share_errors__name_the_members():
    assert InvalidShareError(3).index == 3 and "member 3" in str(InvalidShareError(3))
    error = NotEnoughSharesError(needed=3, valid=1, false_indices=(2, 5))
    assert "[2, 5]" in str(error) and (error.needed, error.valid) == (3, 1)


def test_decryption_error__always__says_the_same():
    assert str(DecryptionError()) == "the ciphertext was refused"
