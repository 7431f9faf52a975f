"""Deployment is a tested function, and what it left on the chain is re-read by another."""

import json
from dataclasses import asdict, astuple, replace

import pytest
from brownie import RequestCatalogue, accounts, web3
from reading import plain

from scripts import check_deployment
from scripts import deploy as deployment
from scripts.deploy import DAY, Founding, Rules

KEY = "0x" + "5a" * 32  # an account of these tests alone
ONE, TWO, THREE = (web3.to_checksum_address("0x" + two * 20) for two in ("0a", "1b", "2c"))
NOW = 1_700_000_000
SETTINGS = (
    "DMSM_CONSORTIUM_MEMBERS",
    "DMSM_CONSORTIUM_THRESHOLD",
    "DMSM_DELAY_SECONDS",
    "DMSM_FOUNDING_SECONDS",
    "DMSM_POINT_WEI",
    "DMSM_RULES",
)


@pytest.fixture
def described(system, founding):
    """The content of the deployment file of the session's system, as it is read from the disk."""
    content = deployment.describe(system, network_name="dmsm", founding=founding)
    return json.loads(json.dumps(content))


@pytest.fixture
def environment(monkeypatch, tmp_path):
    """``environment(NAME=value…)``: settings of a run; the path of the file that it writes."""

    def make(**given):
        path = tmp_path / "folder" / "here.json"
        for name in SETTINGS:
            monkeypatch.delenv(name, raising=False)
        for name, value in {"DMSM_DEPLOYMENT_FILE": str(path), **given}.items():
            monkeypatch.setenv(name, value)
        return path

    return make


@pytest.fixture
def read():
    """``read(NAME=value…)``: the founding that these settings make, ONE being the deployer."""
    return lambda **given: deployment.founding(given, deployer=ONE, now=NOW)


# ---- what the contracts are given ----


def test_founding__given_no_settings__is_the_deployers_with_the_defaults(read):
    chosen = read()
    assert chosen == Founding((ONE,), 1, NOW + 7 * DAY, 2 * DAY, 10**13, Rules())
    defaults = (DAY, 7 * DAY, 200, 10_000, 2_500, 10**9, 10**14)
    assert astuple(chosen.rules) == defaults
    # A variable that is set to nothing is not set.
    assert read(**dict.fromkeys(SETTINGS, "")) == chosen


def test_founding__given_every_setting__takes_each(read):
    chosen = read(
        DMSM_CONSORTIUM_MEMBERS=f"{ONE}, {TWO.lower()},{THREE} ",
        DMSM_CONSORTIUM_THRESHOLD="3",
        DMSM_DELAY_SECONDS="60",
        DMSM_FOUNDING_SECONDS="0",
        DMSM_POINT_WEI="7",
        DMSM_RULES='{"fee_bps": 500, "serve_seconds": 60}',
    )
    rules = replace(Rules(), fee_bps=500, serve_seconds=60)
    assert chosen == Founding((ONE, TWO, THREE), 3, NOW, 60, 7, rules)


@pytest.mark.parametrize("count, majority", [(1, 1), (2, 2), (3, 2), (4, 3), (5, 3), (32, 17)])
def test_founding__given_members_alone__needs_the_smallest_majority(read, count, majority):
    members = ",".join(f"0x{i:040x}" for i in range(1, count + 1))
    assert read(DMSM_CONSORTIUM_MEMBERS=members).threshold == majority


@pytest.mark.parametrize(
    "name, text, said",
    [
        ("DMSM_CONSORTIUM_MEMBERS", f"{ONE},{TWO},", "'' is no account's address"),
        ("DMSM_CONSORTIUM_MEMBERS", f"{ONE},0x1234", "'0x1234' is no account's address"),
        ("DMSM_CONSORTIUM_MEMBERS", "0x" + "00" * 20, "is no account's address"),
        ("DMSM_CONSORTIUM_MEMBERS", f"{ONE},{TWO},{ONE.lower()}", "names an account twice"),
        (
            "DMSM_CONSORTIUM_MEMBERS",
            ",".join(f"0x{i:040x}" for i in range(1, 34)),
            "names 33 accounts, the most are 32",
        ),
        ("DMSM_CONSORTIUM_THRESHOLD", "0", "is 0: of 1 members, 1 to 1 must agree"),
        ("DMSM_CONSORTIUM_THRESHOLD", "2", "is 2: of 1 members, 1 to 1 must agree"),
        ("DMSM_CONSORTIUM_THRESHOLD", "one", "must be a whole number, not 'one'"),
        ("DMSM_DELAY_SECONDS", "-1", "must be a whole number, not '-1'"),
        ("DMSM_DELAY_SECONDS", "²", "must be a whole number, not '²'"),
        ("DMSM_DELAY_SECONDS", "1209601", "is 1209601: it must be from 0 to 1209600"),
        ("DMSM_FOUNDING_SECONDS", "1.5", "must be a whole number, not '1.5'"),
        ("DMSM_FOUNDING_SECONDS", "2592001", "is 2592001: it must be from 0 to 2592000"),
        ("DMSM_POINT_WEI", "0", "is 0: it must be from 1 to"),
        ("DMSM_POINT_WEI", str(2**256), "it must be from 1 to"),
        ("DMSM_RULES", "{", "must be a JSON object with fields of: serve_seconds,"),
        ("DMSM_RULES", "[1]", "must be a JSON object with fields of: serve_seconds,"),
        ("DMSM_RULES", '{"fee": 1}', "must be a JSON object with fields of: serve_seconds,"),
        ("DMSM_RULES", '{"fee_bps": "1"}', "fee_bps must be a whole number, not '1'"),
        ("DMSM_RULES", '{"fee_bps": 1.0}', "fee_bps must be a whole number, not 1.0"),
        ("DMSM_RULES", '{"fee_bps": true}', "fee_bps must be a whole number, not True"),
        ("DMSM_RULES", '{"fee_bps": -1}', "fee_bps is -1: it must be from 0 to 2000"),
        ("DMSM_RULES", '{"fee_bps": 1001, "bond_bps": 1000}', "fee_bps is above bond_bps"),
    ],
)
def test_founding__given_bad_setting__names_it(read, name, text, said):
    with pytest.raises(ValueError) as caught:
        read(**{name: text})
    assert str(caught.value).startswith(name)
    assert said in str(caught.value)


def test_founding__given_two_of_four__names_the_threshold(read):
    members = ",".join((ONE, TWO, THREE, "0x" + "3d" * 20))
    with pytest.raises(ValueError, match="is 2: of 4 members, 3 to 4 must agree"):
        read(DMSM_CONSORTIUM_MEMBERS=members, DMSM_CONSORTIUM_THRESHOLD="2")


@pytest.mark.parametrize("name", deployment.RANGES)
def test_ranges__at_each_edge__are_the_catalogues(read, deployer, consortium, reverts_with, name):
    least, most = deployment.RANGES[name]
    words = name.split("_")
    field = words[0] + "".join(word.title() for word in words[1:])
    for value in (least, most):
        rules = replace(Rules(bond_bps=10_000, fee_bps=0), **{name: value})
        text = json.dumps(asdict(rules))
        assert read(DMSM_RULES=text).rules == rules
        catalogue = RequestCatalogue.deploy(consortium, astuple(rules), {"from": deployer})
        assert plain(catalogue.rulesAt(1)) == astuple(rules)
    for value in (least - 1, most + 1):
        with pytest.raises(ValueError, match=f"DMSM_RULES: {name} is {value}: it must be from"):
            read(DMSM_RULES=json.dumps({name: value}))
        if value < 0 or (name == "dispute_min_wei" and value > most):
            continue  # no word of the ABI has it
        rules = astuple(replace(Rules(bond_bps=10_000, fee_bps=0), **{name: value}))
        with reverts_with("RequestCatalogue_BadParameter", field):
            RequestCatalogue.deploy(consortium, rules, {"from": deployer})


def test_founding_of__given_a_written_file__is_what_was_founded(described, founding):
    assert deployment.founding_of(described) == founding


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"founding": None},
        {"founding": {"members": [ONE], "threshold": 1}},
        {"founding": {"members": [ONE], "threshold": 1, "rules": {"fee": 1}}},
        {"founding": {"owner": ONE, "members": [ONE], "rules": {}}},
    ],
)
def test_founding_of__given_a_file_of_other_words__says_so(broken):
    with pytest.raises(ValueError, match="the file does not say what the contracts were given"):
        deployment.founding_of(broken)


# ---- deployment ----


def test_deploy__when_done__wires_every_part_to_the_others(system, founding):
    addresses = {name: contract.address for name, contract in system.items()}
    assert tuple(system) == deployment.ORDER
    for (name, getter), target in check_deployment.WIRING.items():
        assert getattr(system[name], getter)() == addresses[target], (name, getter)


def test_deploy__when_done__founds_as_chosen(deployer, new_account):
    rules = Rules(61, 62, 3, 1_004, 105, 6, 7)
    ends_at = web3.eth.get_block("latest")["timestamp"] + 1_000
    chosen = Founding((ONE, TWO, THREE), 3, ends_at, delay_seconds=8, point_wei=9, rules=rules)

    contracts = deployment.deploy(new_account(), chosen)

    consortium = contracts["Consortium"]
    assert list(consortium.members()) == [ONE, TWO, THREE]
    assert (consortium.threshold(), consortium.delaySeconds()) == (3, 8)
    assert consortium.foundingEndsAt() == ends_at
    assert contracts["CreditBook"].pointWei() == 9
    assert plain(contracts["RequestCatalogue"].rulesAt(1)) == astuple(rules)
    described = deployment.describe(contracts, network_name="dmsm", founding=chosen)
    assert check_deployment.check(described) == []


def test_deploy__given_account_with_history__still_closes_the_circle(
    new_account, outsider, founding
):
    # The predictions follow the account's nonce, whatever it is.
    deployer = new_account()
    for _ in range(3):
        deployer.transfer(outsider, 0)

    contracts = deployment.deploy(deployer, founding)

    described = deployment.describe(contracts, network_name="dmsm", founding=founding)
    assert check_deployment.check(described) == []


def test_deploy__when_prediction_fails__raises(new_account, outsider, founding, monkeypatch):
    deployer = new_account()
    planned = deployment.planned_addresses(deployer)
    deployer.transfer(outsider, 0)  # sent in between: every later address moves
    monkeypatch.setattr(deployment, "planned_addresses", lambda _: planned)
    with pytest.raises(RuntimeError, match="Consortium landed at"):
        deployment.deploy(deployer, founding)


def test_deploy__when_contracts_stand__each_fits_the_size_that_a_chain_takes(system):
    for name, contract in system.items():
        assert len(web3.eth.get_code(contract.address)) <= 24_576, name


def test_describe__given_receipts__sums_up_to_the_gas_of_the_deployment(described):
    assert described["chain_id"] == web3.eth.chain_id
    entries = described["contracts"]
    assert list(entries) == list(deployment.ORDER)
    for entry in entries.values():
        receipt = web3.eth.get_transaction_receipt(entry["tx_hash"])
        assert receipt["contractAddress"] == entry["address"]
        assert (receipt["blockNumber"], receipt["gasUsed"]) == (entry["block"], entry["gas_used"])


@pytest.mark.parametrize(
    "given, members",
    [
        ({}, None),
        ({"DMSM_CONSORTIUM_MEMBERS": f"{ONE},{TWO},{THREE}", "DMSM_DELAY_SECONDS": "5"}, 3),
    ],
)
def test_main__given_environment__deploys_and_writes_the_file(environment, capsys, given, members):
    path = environment(DMSM_DEPLOYER_KEY=KEY, **given)

    deployment.main()

    written = json.loads(path.read_text())
    assert check_deployment.check(written) == []
    expected = [ONE, TWO, THREE] if members else [accounts.add(KEY).address]
    assert written["founding"]["members"] == expected
    assert written["founding"]["delay_seconds"] == (5 if members else 2 * DAY)
    capsys.readouterr()
    check_deployment.main()
    printed = capsys.readouterr().out
    assert "12 contracts, their code and wiring are as they must be" in printed
    assert f"{len(expected) // 2 + 1} of {len(expected)} decide:" in printed


def test_main__given_bad_environment__deploys_nothing(environment):
    path = environment(DMSM_DEPLOYER_KEY=KEY, DMSM_DELAY_SECONDS="soon")
    nonce = accounts.add(KEY).nonce
    with pytest.raises(ValueError, match="DMSM_DELAY_SECONDS must be a whole number"):
        deployment.main()
    assert not path.exists()
    assert accounts.add(KEY).nonce == nonce


def test_main__given_no_key__deploys_from_the_nodes_first_account(environment, monkeypatch):
    path = environment()
    monkeypatch.delenv("DMSM_DEPLOYER_KEY", raising=False)

    deployment.main()

    written = json.loads(path.read_text())
    assert check_deployment.check(written) == []
    assert written["founding"]["members"] == [web3.eth.accounts[0]]


def test_deployment_path__given_no_override__is_named_after_the_network(monkeypatch):
    monkeypatch.delenv("DMSM_DEPLOYMENT_FILE", raising=False)
    assert deployment.deployment_path("live").as_posix() == "deployments/live.json"


# ---- reading it again ----


def test_check__given_sound_deployment__finds_nothing(described):
    assert check_deployment.check(described) == []


def test_check__given_other_members_by_decision__finds_nothing(
    described, govern, consortium, outsider
):
    govern(consortium, "addMember", outsider.address, 3)
    assert consortium.threshold() == 3
    assert check_deployment.check(described) == []


def test_check__when_chain_is_another__says_so(described):
    (line,) = check_deployment.check(described | {"chain_id": 1})
    assert line.startswith("chain id:")


def test_check__when_contract_is_missing__says_so(described):
    del described["contracts"]["DataLedger"]
    assert check_deployment.check(described) == ["DataLedger: is not in the file"]


def test_check__when_founding_is_missing__says_so(described):
    del described["founding"]
    (line,) = check_deployment.check(described)
    assert line.startswith("founding: the file does not say")


@pytest.mark.parametrize(
    "changed, differing",
    [
        ({"delay_seconds": 1}, {"Consortium"}),
        ({"founding_ends_at": 1}, {"Consortium"}),
        ({"point_wei": 1}, {"CreditBook"}),
        ({"threshold": 1}, {"Consortium"}),  # no majority: the constructor refuses
    ],
)
def test_check__when_file_tells_another_founding__says_so(described, changed, differing):
    described["founding"] |= changed
    found = {line.split(":")[0] for line in check_deployment.check(described)}
    assert found == differing


def test_check__when_file_tells_other_first_rules__says_so(described):
    described["founding"]["rules"]["fee_bps"] += 1
    (line,) = check_deployment.check(described)
    assert line.startswith("RequestCatalogue.rulesAt(1): (400, 900, 500,")
    assert "the file says (400, 900, 501," in line


def test_check__given_later_rules__finds_nothing(described, govern, catalogue):
    govern(catalogue, "setRules", (60, 60, 0, 1_000, 100, 1, 1))
    assert check_deployment.check(described) == []


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


def test_check__when_part_of_another_system_is_mixed_in__says_so(described, new_account, founding):
    # Code of the same source, but with other immutables.
    others = deployment.deploy(new_account(), founding)
    described["contracts"]["DataSetBook"]["address"] = others["DataSetBook"].address
    differing = {line.split(":")[0] for line in check_deployment.check(described)}
    assert differing == {"DataSetBook", "PrepaidLock", "DataMarket"}


def test_check__when_consortium_is_another_contract__says_so(described, registry):
    described["contracts"]["Consortium"]["address"] = registry.address
    differing = {line.split(":")[0] for line in check_deployment.check(described)}
    assert differing == {"Consortium", "MemberRegistry", "RequestCatalogue", "DisputeCourt"}


def test_check_main__when_something_differs__raises(described, environment):
    path = environment()
    path.parent.mkdir()
    described["founding"]["point_wei"] += 1
    path.write_text(json.dumps(described))
    with pytest.raises(check_deployment.DeploymentMismatch, match="CreditBook: the code at"):
        check_deployment.main()
