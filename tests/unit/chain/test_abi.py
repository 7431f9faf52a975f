"""The checked-in ABIs: complete, canonical, and those of the build where there is one."""

import importlib.util
import json
from pathlib import Path

import pytest

from offchain.chain.deployment import ABI_FOLDER, load_abi

ROOT = Path(__file__).resolve().parents[3]
_spec = importlib.util.spec_from_file_location("export_abi", ROOT / "scripts" / "export_abi.py")
export_abi = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(export_abi)


def test_folder__the_exported_contracts__are_all_there_and_no_other():
    assert sorted(path.stem for path in ABI_FOLDER.glob("*.json")) == sorted(export_abi.CONTRACTS)


def _is_built_from_these_sources(name: str) -> bool:
    """Tell whether the build's sources are the tree's: an old build says nothing about today."""
    path = ROOT / "build" / "contracts" / f"{name}.json"
    if not path.exists():
        return False
    artifact = json.loads(path.read_text())
    sources = ["contracts/" + f"{name}.sol"]
    return all((ROOT / source).read_text() == artifact["source"] for source in sources)


@pytest.mark.parametrize("name", export_abi.CONTRACTS)
def test_canonical_abi__of_the_build__is_the_checked_in_one(name):
    if not _is_built_from_these_sources(name):
        pytest.skip("not compiled from the contracts as they stand (brownie compile)")
    checked_in = (ABI_FOLDER / f"{name}.json").read_text(encoding="utf-8")
    assert checked_in == export_abi.canonical_abi(name), "run scripts/export_abi.py"


@pytest.mark.parametrize("name", export_abi.CONTRACTS)
def test_load_abi__each_contract__brings_its_named_errors(name):
    errors = {entry["name"] for entry in load_abi(name) if entry["type"] == "error"}
    assert any(error.startswith((f"{name}_", "Ownable")) for error in errors)


def test_canonical_abi__same_abi_in_another_order__is_the_same_text(tmp_path):
    entries = [
        {"type": "function", "name": "b", "inputs": [], "outputs": []},
        {"type": "error", "name": "A_Z", "inputs": []},
        {"type": "error", "name": "A_B", "inputs": []},
    ]
    (tmp_path / "contracts").mkdir()
    (tmp_path / "interfaces").mkdir()
    artifact = tmp_path / "contracts" / "A.json"
    artifact.write_text(json.dumps({"abi": entries, "source": "kept out"}))
    (tmp_path / "interfaces" / "IA.json").write_text(json.dumps({"abi": entries[1:]}))
    text = export_abi.canonical_abi("A", tmp_path)
    artifact.write_text(json.dumps({"abi": entries[::-1]}))
    assert export_abi.canonical_abi("A", tmp_path) == text
    assert [entry["name"] for entry in json.loads(text)] == ["A_B", "A_Z", "b"]


def test_main__nothing_is_built__names_the_command(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["export_abi.py", "--check", "--build", str(tmp_path)])
    assert export_abi.main() == 1
    assert "brownie compile" in capsys.readouterr().err


def test_main__written_and_checked__agree(tmp_path, monkeypatch, capsys):
    build = tmp_path / "build" / "contracts"
    build.mkdir(parents=True)
    for name in export_abi.CONTRACTS:
        (build / f"{name}.json").write_text('{"abi": []}')
    monkeypatch.setattr(export_abi, "ABI_FOLDER", tmp_path / "abi")
    monkeypatch.setattr(export_abi, "differing", lambda root: _differing(root, tmp_path / "abi"))
    for arguments, code in ((["--check"], 1), ([], 0), (["--check"], 0)):
        monkeypatch.setattr(
            "sys.argv", ["export_abi.py", *arguments, "--build", str(tmp_path / "build")]
        )
        assert export_abi.main() == code
    assert "written" in capsys.readouterr().out


_differing = export_abi.differing
