"""Finding and building: what is said when Go is missing or old, and how sources are changed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from offchain.network import programs
from offchain.network.errors import ProgramMissing
from offchain.network.programs import GETH, KUBO, PROJECT, Program


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with nothing built and an empty PATH."""
    monkeypatch.setattr(programs.Program, "cached", tmp_path / "geth")
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def put_program(folder: Path, name: str, says: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\necho '{says}'\n")
    (folder / name).chmod(0o755)


@pytest.mark.usefixtures("bare")
@pytest.mark.parametrize(("program", "go"), [(GETH, "Go 1.23"), (KUBO, "Go 1.26.4")])
def test_find_program__without_go__names_the_version_in_one_line(program: Program, go: str) -> None:
    with pytest.raises(ProgramMissing) as failure:
        programs.find_program(program)
    assert f"install {go} or newer" in str(failure.value)
    assert "Go is missing" in str(failure.value)
    assert "\n" not in str(failure.value)


def test_find_program__with_an_old_go__names_both_versions(bare: Path) -> None:
    put_program(bare, "go", "go1.19.8")
    with pytest.raises(ProgramMissing, match=r"Go is 1\.19\.8: install Go 1\.23 or newer"):
        programs.find_program(GETH)


def test_find_program__unchanged_geth_on_path_and_no_go__is_taken_with_a_warning(
    bare: Path,
) -> None:
    (bare / "bin").mkdir()
    put_program(bare, "geth", "geth version 1.13.15-stable")
    said: list[str] = []
    assert programs.find_program(GETH, say=said.append) == bare / "geth"
    assert "slower" in said[0]


def test_find_program__another_version_on_path__is_not_taken(bare: Path) -> None:
    put_program(bare, "geth", "geth version 1.17.1-stable")
    with pytest.raises(ProgramMissing):
        programs.find_program(GETH)


def test_is_built__recipe_changed_since__is_false(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(programs.Program, "cached", tmp_path / "geth")
    put_program(tmp_path, "geth", "geth version 1.13.15-stable")
    assert not programs.is_built(GETH)
    (tmp_path / "recipe.sha256").write_text(programs.digest(GETH))
    assert programs.is_built(GETH)


def test_apply_changes__text_that_is_there_once__is_replaced(tmp_path: Path) -> None:
    (tmp_path / "a.go").write_text("one two")
    changes = tmp_path / "changes.toml"
    changes.write_text('[[change]]\nwhy = "w"\nfile = "a.go"\nold = "two"\nnew = "three"\n')
    programs.apply_changes(changes, tmp_path)
    assert (tmp_path / "a.go").read_text() == "one three"


@pytest.mark.parametrize("text", ["one", "two two"])
def test_apply_changes__another_source__is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.go").write_text(text)
    changes = tmp_path / "changes.toml"
    changes.write_text('[[change]]\nwhy = "w"\nfile = "a.go"\nold = "two"\nnew = "three"\n')
    with pytest.raises(ProgramMissing, match=r"a\.go is not the source"):
        programs.apply_changes(changes, tmp_path)


@pytest.mark.parametrize("program", [GETH, KUBO])
def test_recipe__of_each_program__pins_its_version_with_sums(program: Program) -> None:
    folder = PROJECT / program.recipe
    module = program.package.partition("/cmd/")[0]
    assert f"{module} v{program.version}" in (folder / "go.mod").read_text()
    assert f"{module} v{program.version} h1:" in (folder / "go.sum").read_text()
    needed = re.search(r"^go ([\d.]+)$", (folder / "go.mod").read_text(), re.MULTILINE)
    assert needed is not None
    assert program.go >= tuple(int(part) for part in needed[1].split("."))
