"""The corpus of the fuzzing, replayed with mutations: only declared errors, within bounds."""

import os
import subprocess
import sys
import time

import pytest

from tests.fuzz import decoders
from tests.fuzz.corpus import CORPUS, corpus_of
from tests.fuzz.decoders import DECODERS
from tests.fuzz.large import large_inputs
from tests.fuzz.measure import MAX_CPU_S, MAX_MEMORY_BYTES, PromiseBroken, hold
from tests.fuzz.mutate import mutations
from tests.fuzz.try_large import peak_of

MUTATIONS = 80
SHARING_THE_PARSER = {
    *(name for name in DECODERS if name.startswith("body-")),
    *("request", "answer", "reply", "report", "manifest", "registration", "member-file"),
    *("openings", "id-opening", "selection", "share", "trials", "evidence-document"),
    *("aggregate-key", "aggregate-set", "announcement", "member-opening"),
}


@pytest.fixture(autouse=True)
def cheap_passwords(monkeypatch):
    """Key files cost 128 MiB a guess on purpose; here they may ask for little only."""
    monkeypatch.setattr(decoders.keystore, "_MAX_SCRYPT_N", decoders.keystore.LIGHT_SCRYPT_N)
    monkeypatch.setattr(decoders.keystore, "_MAX_PBKDF2_ROUNDS", 10_000)


def test_corpus__each_decoder__has_a_seed_and_no_other_folder_stands_there():
    assert sorted(os.listdir(CORPUS)) == sorted(DECODERS)


@pytest.mark.parametrize("name", DECODERS)
def test_decode__seed__is_accepted(name):
    assert hold(DECODERS[name], (CORPUS / name / "seed").read_bytes())


@pytest.mark.parametrize("name", DECODERS)
def test_decode__corpus_and_its_mutations__raise_nothing_undeclared(name):
    for data in corpus_of(name):
        hold(DECODERS[name], data)
    for data in mutations((CORPUS / name / "seed").read_bytes(), MUTATIONS, label=name):
        hold(DECODERS[name], data)


@pytest.mark.parametrize("name", DECODERS)
def test_decode__one_mebibyte__stays_within_a_second_and_64_mebibytes(name):
    for label, data in large_inputs((CORPUS / name / "seed").read_bytes()):
        if name in SHARING_THE_PARSER and not label.startswith("seed"):
            continue  # `make deep` tries all with all
        started = time.process_time()
        hold(DECODERS[name], data)
        if time.process_time() - started > MAX_CPU_S / 50:  # what is refused at once takes nothing
            assert peak_of(DECODERS[name], data) <= MAX_MEMORY_BYTES, label


@pytest.mark.parametrize(
    ("decode", "said"),
    [
        (lambda data: data.decode(), "UnicodeDecodeError"),
        (lambda data: [0] * (20 << 20), "MiB"),
        (lambda data: [i * i for i in range(14_000_000)][:0], "took"),
    ],
)
def test_hold__careless_decoder__is_caught(decode, said):
    with pytest.raises(PromiseBroken, match=said):
        hold(decode, b"\xff")


def test_import__of_the_curve__leaves_hostile_nesting_a_plain_error():
    """py_ecc lets Python recurse 100,000 deep: JSON of 64 KiB then ended the whole process."""
    code = "import offchain.crypto.curve, json; json.loads('[' * 65_000)"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ended.returncode == 1 and "RecursionError" in ended.stderr
