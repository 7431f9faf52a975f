"""Deployment is a tested function, and what it left on the chain is re-read by another."""

import json

import pytest
from brownie import accounts, web3

from scripts import check_deployment
from scripts import deploy as deployment

KEY = "0x" + "5a" * 32  # an account of these tests alone


@pytest.fixture
def described(system):
    """The content of the deployment file of the session's system."""
    return deployment.describe(system, network_name="dmsm")


def test_deploy__when_done__wires_every_part_to_the_others(system, consortium_owner):
    addresses = {name: contract.address for name, contract in system.items()}
    assert tuple(system) == deployment.ORDER
    for (name, getter), target in check_deployment.WIRING.items():
        assert getattr(system[name], getter)() == addresses[target], (name, getter)
    assert system["OwnerConsortium"].owner() == consortium_owner.address


def test_deploy__given_account_with_history__still_closes_the_circle(new_account, outsider):
    # The predictions follow the account's nonce, whatever it is.
    deployer = new_account()
    for _ in range(3):
        deployer.transfer(outsider, 0)

    contracts = deployment.deploy(deployer, consortium_owner=outsider.address)

    described = deployment.describe(contracts, network_name="dmsm")
    assert check_deployment.check(described, consortium_owner=outsider.address) == []


def test_deploy__when_prediction_fails__raises(new_account, outsider, monkeypatch):
    deployer = new_account()
    planned = deployment.planned_addresses(deployer)
    deployer.transfer(outsider, 0)  # sent in between: every later address moves
    monkeypatch.setattr(deployment, "planned_addresses", lambda _: planned)
    with pytest.raises(RuntimeError, match="OwnerConsortium landed at"):
        deployment.deploy(deployer, consortium_owner=outsider.address)


def test_describe__given_receipts__sums_up_to_the_gas_of_the_deployment(system, described):
    assert described["chain_id"] == web3.eth.chain_id
    entries = described["contracts"]
    assert list(entries) == list(deployment.ORDER)
    for entry in entries.values():
        receipt = web3.eth.get_transaction_receipt(entry["tx_hash"])
        assert receipt["contractAddress"] == entry["address"]
        assert (receipt["blockNumber"], receipt["gasUsed"]) == (entry["block"], entry["gas_used"])


@pytest.mark.parametrize("owner", [None, "0x" + "42" * 20])
def test_main__given_environment__deploys_and_writes_the_file(monkeypatch, tmp_path, owner):
    path = tmp_path / "folder" / "here.json"
    monkeypatch.setenv("DMSM_DEPLOYMENT_FILE", str(path))
    monkeypatch.setenv("DMSM_DEPLOYER_KEY", KEY)
    monkeypatch.setenv("DMSM_CONSORTIUM_OWNER", owner or "")

    deployment.main()

    expected = owner or accounts.add(KEY).address
    assert check_deployment.check(json.loads(path.read_text()), consortium_owner=expected) == []
    check_deployment.main()


def test_main__given_no_key__deploys_from_the_nodes_first_account(monkeypatch, tmp_path):
    path = tmp_path / "here.json"
    monkeypatch.setenv("DMSM_DEPLOYMENT_FILE", str(path))
    monkeypatch.delenv("DMSM_DEPLOYER_KEY", raising=False)
    monkeypatch.delenv("DMSM_CONSORTIUM_OWNER", raising=False)

    deployment.main()

    deployer = web3.eth.accounts[0]
    written = json.loads(path.read_text())
    assert check_deployment.check(written, consortium_owner=deployer) == []


def test_deployment_path__given_no_override__is_named_after_the_network(monkeypatch):
    monkeypatch.delenv("DMSM_DEPLOYMENT_FILE", raising=False)
    assert deployment.deployment_path("live").as_posix() == "deployments/live.json"


def test_check__given_sound_deployment__finds_nothing(described, consortium_owner):
    assert check_deployment.check(described) == []
    assert check_deployment.check(described, consortium_owner=consortium_owner.address) == []


def test_check__when_owner_is_another__says_so(described, outsider):
    (line,) = check_deployment.check(described, consortium_owner=outsider.address)
    assert line.startswith("OwnerConsortium.owner:")


def test_check__when_chain_is_another__says_so(described):
    (line,) = check_deployment.check(described | {"chain_id": 1})
    assert line.startswith("chain id:")


def test_check__when_contract_is_missing__says_so(described):
    del described["contracts"]["DataLedger"]
    assert check_deployment.check(described) == ["DataLedger: is not in the file"]


def test_check__when_address_has_no_code__says_so(described, outsider):
    described["contracts"]["DataLedger"]["address"] = outsider.address
    (line,) = check_deployment.check(described)
    assert line == f"DataLedger: no code at {outsider.address}"


def test_check__when_one_byte_of_code_differs__says_so(described):
    address = described["contracts"]["CreditBook"]["address"]
    code = bytearray(web3.eth.get_code(address))
    code[100] ^= 1
    answer = web3.provider.make_request("anvil_setCode", [address, "0x" + code.hex()])
    assert "error" not in answer
    (line,) = check_deployment.check(described)
    assert line == f"CreditBook: the code at {address} is not the source's"


def test_check__when_part_of_another_system_is_mixed_in__says_so(
    described, new_account, consortium_owner
):
    # Code of the same source, but with other immutables.
    others = deployment.deploy(new_account(), consortium_owner=consortium_owner.address)
    described["contracts"]["DataLedger"]["address"] = others["DataLedger"].address
    differing = {line.split(":")[0] for line in check_deployment.check(described)}
    assert differing == {"DataLedger", "PrepaidLock", "DataMarket"}


def test_check__when_consortium_is_another_contract__says_so(described, registry):
    described["contracts"]["OwnerConsortium"]["address"] = registry.address
    (line,) = check_deployment.check(described)
    assert "has no owner" in line


def test_check_main__when_something_differs__raises(described, monkeypatch, tmp_path, outsider):
    path = tmp_path / "here.json"
    path.write_text(json.dumps(described))
    monkeypatch.setenv("DMSM_DEPLOYMENT_FILE", str(path))
    monkeypatch.setenv("DMSM_CONSORTIUM_OWNER", outsider.address)
    with pytest.raises(check_deployment.DeploymentMismatch, match="owner"):
        check_deployment.main()
