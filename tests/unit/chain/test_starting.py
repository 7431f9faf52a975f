"""What reads the chain starts fast: it imports no library that takes long."""

import subprocess
import sys

import pytest

SLOW = ["web3", "requests", "eth_account", "eth_utils", "eth_abi", "rlp", "pydantic", "websockets"]
MODULES = ["gateway", "heads", "health", "pairing", "anvil", "deployment"]


@pytest.mark.parametrize("module", MODULES)
def test_import__of_a_module_that_reads__brings_nothing_slow(module):
    code = f"import sys, offchain.chain.{module}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not set(SLOW) & set(done.stdout.split())


def test_gateway__reading_blocks__brings_nothing_slow():
    """Opened, asked and found that nobody answers: as a command does before it does anything."""
    code = """
import sys
from offchain.chain.deployment import Deployment
from offchain.chain.errors import NodeUnavailable
from offchain.chain.gateway import ChainGateway
try:
    ChainGateway("http://127.0.0.1:9", Deployment(chain_id=7, contracts={}))
except NodeUnavailable:
    print(*sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "urllib3" in done.stdout.split()
    assert not set(SLOW) & set(done.stdout.split())
