"""The parts of mutation testing that decide what counts: names, order, scores, reasons."""

import json
import tomllib
from pathlib import Path

import pytest
from toolchain_parts import FOLDER, load

ROOT = Path(__file__).parents[3]

SOURCE = b"contract A {\n    uint x = 1; // one\n    uint y = 1;\n    uint x = 1; // one\n}\n"


@pytest.fixture
def mutation(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER / "mutation"))
    return load("mutation/mutants"), load("mutation/verdicts")


def patch(start, end, new="2"):
    return {"operator": "NUM", "start": start, "end": end, "new": new}


def at(text, skip=0):
    start = -1
    for _ in range(skip + 1):
        start = SOURCE.index(text, start + 1)
    return start


def test_as_mutant__given_equal_lines__names_each_once(mutation, tmp_path, monkeypatch):
    mutants, _ = mutation
    monkeypatch.setattr(mutants, "ROOT", tmp_path)
    (tmp_path / "A.sol").write_bytes(SOURCE)
    places = [at(b"1;"), at(b"1;", 1), at(b"1;", 2)]
    listed = mutants.shuffled("A.sol", [patch(p, p + 1) for p in places])
    assert len({it.name for it in listed}) == 3
    assert {it.line for it in listed} == {2, 3, 4}
    assert all(it.source != SOURCE.decode() for it in listed)
    again = mutants.shuffled("A.sol", [patch(p, p + 1) for p in reversed(places)])
    assert [it.name for it in again] == [it.name for it in listed]


def test_shuffled__given_one_text_twice_or_no_change__lists_it_once(
    mutation, tmp_path, monkeypatch
):
    mutants, _ = mutation
    monkeypatch.setattr(mutants, "ROOT", tmp_path)
    (tmp_path / "A.sol").write_bytes(SOURCE)
    place = at(b"1;")
    patches = [patch(place, place + 1), patch(place, place + 2, "2;"), patch(0, 1, "c")]
    assert len(mutants.shuffled("A.sol", patches)) == 1


def test_shuffled__given_texts__lists_them_behind_the_rest_in_its_order(
    mutation, tmp_path, monkeypatch
):
    mutants, _ = mutation
    monkeypatch.setattr(mutants, "ROOT", tmp_path)
    (tmp_path / "A.sol").write_bytes(SOURCE)
    numbers = [patch(at(b"1;", skip), at(b"1;", skip) + 1) for skip in range(3)]
    texts = [{**patch(0, 1, "x"), "operator": "STR"}, {**patch(1, 2, "x"), "operator": "STR"}]
    alone = [it.name for it in mutants.shuffled("A.sol", numbers)]
    listed = mutants.shuffled("A.sol", texts + numbers)
    assert [it.name for it in listed[:3]] == alone
    assert [it.operator for it in listed[3:]] == ["STR", "STR"]


COUNTS = {"killed": 95, "survived": 5, "same": 1, "refused": 2}
RESULT = {"sha256": "a", **COUNTS, "survivors": {"A-1": "x"}}
OPEN = {"A-1": {"kind": "open", "reason": "because"}}


@pytest.mark.parametrize(
    ("result", "reasons", "code"),
    [
        (RESULT, OPEN, 0),
        (RESULT, {}, 1),
        (RESULT, {"A-1": {"kind": "open", "reason": " "}}, 1),
        (RESULT, {"A-1": {"kind": "other", "reason": "because"}}, 1),
        (RESULT, {**OPEN, "A-2": OPEN["A-1"]}, 1),
        ({**RESULT, "killed": 94}, OPEN, 1),
        ({**RESULT, "killed": 94, "survived": 6}, {"A-1": {**OPEN["A-1"], "kind": "open"}}, 1),
        (
            {**RESULT, "killed": 19, "survived": 2},
            {"A-1": {**OPEN["A-1"], "kind": "equivalent"}},
            0,
        ),
    ],
)
def test_compare__given_results__demands_scores_and_reasons(mutation, result, reasons, code):
    _, verdicts = mutation
    assert verdicts.compare({"A.sol": result}, reasons, {"A.sol": "a"}) == code


def test_compare__when_a_file_was_not_judged__fails(mutation):
    _, verdicts = mutation
    assert verdicts.compare({"A.sol": RESULT}, OPEN, {"A.sol": "a", "B.sol": "b"}) == 1


@pytest.mark.parametrize("sources", [{"A.sol": "b"}, {}])
def test_compare__when_a_file_is_not_what_was_judged__fails(mutation, capsys, sources):
    _, verdicts = mutation
    assert verdicts.compare({"A.sol": RESULT}, OPEN, sources) == 1
    assert 'judge again: make mutate ARGS="--only A"' in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "is_same"),
    [
        ("uint x = 1; // another\n", True),
        ('import {B} from "./B.sol";\n/* two\nlines */ uint  x =\n1;', True),
        ("uint x = 2;", False),
        ("uint x = 1; uint y;", False),
        ('string x = "// 1";', False),
    ],
)
def test_code_of__given_other_comments_imports_and_spaces_alone__is_the_same(
    mutation, text, is_same
):
    _, verdicts = mutation
    assert (verdicts.code_of(text) == verdicts.code_of("uint x = 1; // one")) is is_same
    assert verdicts.code_of('string x = "// 1";') != verdicts.code_of('string x = "// 2";')


def test_results__as_checked_in__are_of_todays_sources(mutation):
    _, verdicts = mutation
    results = json.loads((ROOT / "tests/forge/mutation/results.json").read_text())
    sources = {file: verdicts.digest_of_file(ROOT / file) for file in results}
    assert verdicts.changed_since(results, sources) == [], "judge again: make mutate"


def test_table__given_what_is_checked_in__is_the_one_in_the_docs(mutation):
    _, verdicts = mutation
    folder = ROOT / "tests" / "forge" / "mutation"
    results = json.loads((folder / "results.json").read_text())
    reasons = tomllib.loads((folder / "survivors.toml").read_text())
    assert verdicts.table(results, reasons) in (ROOT / "docs" / "proofs.md").read_text()


def test_table__given_survivors__tells_equivalent_from_open(mutation):
    _, verdicts = mutation
    result = {"mutants": 9, "killed": 3, "survivors": {"A-1": "x", "A-2": "y"}, "survived": 2}
    reasons = {"A-1": {"kind": "equivalent", "reason": "because"}}
    last = verdicts.table({"contracts/A.sol": result}, reasons).splitlines()[-1]
    assert last == "| `A.sol` | 9 | 5 | 3 | 1 | 1 |"


def test_known__given_changed_tests__keeps_what_was_killed_alone(mutation, tmp_path):
    _, verdicts = mutation
    path = tmp_path / "judged.jsonl"
    known = verdicts.Known(path, tests="old")
    known.put({"A": "1"}, "killed")
    known.put({"A": "2"}, "survived")
    same, other = (verdicts.Known(path, tests=tests) for tests in ("old", "new"))
    assert [same.get({"A": code}) for code in "12"] == ["killed", "survived"]
    assert [other.get({"A": code}) for code in "12"] == ["killed", None]
