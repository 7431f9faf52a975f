"""Foundry and the mutants' compiler are told what Brownie is told."""

import re
import tomllib

from toolchain_parts import FOLDER

ROOT = FOLDER.parent


def test_settings__of_foundry_and_brownie__are_the_same():
    brownie = (ROOT / "brownie-config.yaml").read_text()
    foundry = tomllib.loads((ROOT / "foundry.toml").read_text())["profile"]["default"]
    worker = (ROOT / "toolchain" / "solc_worker.js").read_text()
    assert int(re.search(r"runs: (\d+)", brownie)[1]) == foundry["optimizer_runs"]
    assert int(re.search(r"runs: (\d+)", worker)[1]) == foundry["optimizer_runs"]
    assert re.search(r"evm_version: (\w+)", brownie)[1] == foundry["evm_version"]
    assert re.search(r'evmVersion: "(\w+)"', worker)[1] == foundry["evm_version"]
    assert re.search(r"version: ([\d.]+)", brownie)[1] in foundry["solc"]
