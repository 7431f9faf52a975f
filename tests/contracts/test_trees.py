"""Trees and tests agree: every state-changing function is specified, every `it` has its test.

A tree (``<Contract>/<function>.tree``) begins with ``Contract.function``; inner lines begin with
`given` or `when`, leaves with `it should`, and each leaf ends with the name of its test in square
brackets, found in ``test_<function>.py`` beside it.
"""

import re
from pathlib import Path

import pytest
from brownie import project

HERE = Path(__file__).parent
TREES = sorted(HERE.glob("*/*.tree"))
LINE = re.compile(r"^(?P<indent>(?:│   |    )*)(?:├── |└── )(?P<text>.+)$")
LEAF = re.compile(r"^it should .+  \[(?P<test>test_[a-z0-9_]+)\]$")
DEFINED = re.compile(r"^def (test_\w+)\(", re.MULTILINE)


def leaves(tree: Path) -> set[str]:
    """Return the tests that a tree names; fail on a malformed line."""
    title, *lines = tree.read_text().rstrip("\n").split("\n")
    assert title == f"{tree.parent.name}.{tree.stem}", f"{tree.name}: first line"
    named, depths = set(), []
    for number, line in enumerate(lines, start=2):
        match = LINE.match(line)
        assert match, f"{tree.name}:{number}: no line of a tree: {line}"
        leaf = LEAF.match(match["text"])
        is_inner = match["text"].startswith(("given ", "when ")) and "[" not in match["text"]
        assert leaf or is_inner, f"{tree.name}:{number}: neither given/when nor it with its test"
        depths.append((len(match["indent"]), bool(leaf), number))
        if leaf:
            named.add(leaf["test"])
    for (depth, is_leaf, number), following in zip(
        depths, [*depths[1:], (0, True, 0)], strict=True
    ):
        has_children = following[0] > depth
        assert has_children != is_leaf, f"{tree.name}:{number}: nothing below, or below a leaf"
    return named


def snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


@pytest.mark.parametrize("tree", TREES, ids=lambda t: f"{t.parent.name}.{t.stem}")
def test_tree__when_compared_with_its_tests__names_each_and_only_those(tree):
    tests = tree.with_name(f"test_{tree.stem}.py")
    assert tests.exists(), f"{tests.name} is missing"
    defined = set(DEFINED.findall(tests.read_text()))
    assert leaves(tree) == defined
    strange = {t for t in defined if not t.startswith(f"test_{snake(tree.stem)}__")}
    assert not strange, f"named after another function: {strange}"


def test_trees__given_every_contract__cover_each_state_changing_function():
    builds = project.get_loaded_projects()[0]._build
    expected = set()
    for source in sorted((HERE.parents[1] / "contracts").glob("*.sol")):
        for item in builds.get(source.stem)["abi"]:
            changes = item.get("stateMutability") in ("nonpayable", "payable")
            if item["type"] == "function" and changes:
                expected.add((source.stem, item["name"]))
    found = {(tree.parent.name, tree.stem) for tree in TREES}
    # A tree for a function that is not state-changing is allowed; a missing one is not.
    assert expected - found == set()


def test_test_files__given_a_test_file_of_a_function__have_a_tree():
    views = {"test_views.py", "test_constructor.py", "test_model.py"}
    files = [f for f in HERE.glob("[A-Z]*/test_*.py") if f.name not in views]
    orphans = [f for f in files if not f.with_name(f.stem.removeprefix("test_") + ".tree").exists()]
    assert orphans == []
