"""What nodes are given: keys for their owner alone, no RPC for the world, no way to the public."""

from __future__ import annotations

import json
import shutil
import socket
import stat
import subprocess
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from offchain.crypto import keystore
from offchain.network import besu, building, geth, kubo
from offchain.network import ports as ports_module
from offchain.network.building import NetworkOptions, build
from offchain.network.errors import PlanInvalid, PortTaken, ProgramMissing
from offchain.network.genesis import qbft_extra_data
from offchain.network.member_view import depth_note
from offchain.network.operation import Network
from offchain.network.plan import IpfsPlan, NetworkPlan, SignerPlan, load_plan
from offchain.network.start_script import write_start_scripts
from offchain.settings import SettingsError, load_network, load_profile

PORTS = ("p2p_port", "rpc_port", "auth_port", "metrics_port")
HOSTS = ("10.0.0.1", "10.0.0.2", "10.0.0.3")
SECRET = ("key", "password", "consortium", "heartbeat", "swarm.key", "nodekey", "signer.json")


def make_plan(folder: Path, *, host: str = "127.0.0.1") -> NetworkPlan:
    signers = tuple(
        SignerPlan(
            name=f"signer-{n}",
            host=host,
            address="0x" + f"{n:02x}" * 20,
            node_id=f"{n:02x}" * 64,
            p2p_port=20_000 + n,
            rpc_port=21_000 + n,
            auth_port=22_000 + n,
            metrics_port=23_000 + n,
        )
        for n in (1, 2, 3)
    )
    ipfs = tuple(
        IpfsPlan(
            name=f"ipfs-{n}",
            host=host,
            peer_id=f"Peer{n}",
            swarm_port=24_000 + n,
            api_port=25_000 + n,
        )
        for n in (1, 2)
    )
    return NetworkPlan(
        folder=folder,
        engine="clique",
        chain_id=7,
        period_s=0,
        heartbeat_s=2,
        signers=signers,
        ipfs=ipfs,
    )


@pytest.fixture
def besu_network(tmp_path: Path) -> NetworkPlan:
    options = NetworkOptions(folder=tmp_path / "net", signers=4, ipfs_nodes=0, engine="besu")
    return build(options)


# ---- Geth


@pytest.mark.parametrize("host", ["127.0.0.1", "10.1.2.3"])
def test_geth_command__wherever_peers_meet__keeps_rpc_on_this_machine(
    tmp_path: Path, host: str
) -> None:
    plan = make_plan(tmp_path, host=host)
    given = geth.command(Path("geth"), plan, plan.signers[0])
    for name in ("http", "ws", "authrpc", "metrics"):
        assert f"--{name}.addr=127.0.0.1" in given
    assert f"--ws.port={plan.signers[0].rpc_port}" in given
    assert "--ws.origins=none" in given  # no page in a browser
    assert "--nodiscover" in given
    for name in ("http", "ws"):
        apis = next(one for one in given if one.startswith(f"--{name}.api=")).split("=")[1]
        assert not {"admin", "personal", "clique", "debug", "miner"} & set(apis.split(","))


def test_geth_command__on_loopback__refuses_peers_from_elsewhere(tmp_path: Path) -> None:
    plan = make_plan(tmp_path)
    assert "--netrestrict=127.0.0.0/8" in geth.command(Path("geth"), plan, plan.signers[0])


def test_geth_command__for_real_hosts__announces_the_address(tmp_path: Path) -> None:
    plan = make_plan(tmp_path, host="10.1.2.3")
    given = geth.command(Path("geth"), plan, plan.signers[0])
    assert "--nat=extip:10.1.2.3" in given
    assert not [one for one in given if one.startswith("--netrestrict")]


def test_write_config__of_a_signer__names_each_other_one_as_static_peer(tmp_path: Path) -> None:
    plan = make_plan(tmp_path)
    (tmp_path / "signer-2").mkdir()
    geth.write_config(plan, plan.signers[1])
    p2p = tomllib.loads((tmp_path / "signer-2" / "config.toml").read_text())["Node"]["P2P"]
    assert p2p["ListenAddr"] == "127.0.0.1:20002"
    assert p2p["StaticNodes"] == [
        f"enode://{'01' * 64}@127.0.0.1:20001?discport=0",
        f"enode://{'03' * 64}@127.0.0.1:20003?discport=0",
    ]


def test_make_signer__in_a_new_folder__keeps_its_keys_for_the_owner(tmp_path: Path) -> None:
    made = geth.make_signer(tmp_path / "signer-1", host="127.0.0.1", ports=[1, 2, 3, 4])
    password = keystore.read_password(tmp_path / "signer-1" / "password")
    key_file = tmp_path / "signer-1" / "keystore" / "signer.json"
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "signer-1" / "geth" / "nodekey").stat().st_mode) == 0o600
    assert len(keystore.load_account(key_file, password).reveal()) == 32
    assert json.loads(key_file.read_text())["address"].lower() in made.address.lower()
    assert len(bytes.fromhex(made.node_id)) == 64


def test_ipc_path__deep_folder__is_short_enough_for_a_socket(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    deep.mkdir(parents=True)
    plan = make_plan(deep)
    path = plan.ipc_path("signer-1")
    assert len(str(path)) < 100
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert plan.ipc_path("signer-1") == path
    shutil.rmtree(path.parent)


# ---- Kubo


def test_kubo_write_config__of_a_node__leaves_no_way_to_the_public_network(tmp_path: Path) -> None:
    plan = make_plan(tmp_path)
    home = tmp_path / "ipfs-1"
    home.mkdir()
    (tmp_path / "swarm.key").write_text(kubo.swarm_key())
    (home / "config").write_text(
        json.dumps({"Identity": {"PeerID": "Peer1"}, "Bootstrap": ["/dnsaddr/public"]})
    )
    kubo.write_config(plan, plan.ipfs[0])
    config = json.loads((home / "config").read_text())
    assert config["Identity"] == {"PeerID": "Peer1"}
    assert config["Bootstrap"] == []
    assert config["Routing"] == {"Type": "none"}
    assert config["Addresses"]["API"] == "/ip4/127.0.0.1/tcp/25001"
    assert config["Addresses"]["Gateway"] == []
    assert [peer["ID"] for peer in config["Peering"]["Peers"]] == ["Peer2"]
    assert not any(config[name]["Enabled"] for name in ("AutoTLS", "AutoConf", "Provide"))
    assert stat.S_IMODE((home / "swarm.key").stat().st_mode) == 0o600


def test_kubo_environment__of_a_daemon__forbids_a_swarm_without_key(tmp_path: Path) -> None:
    assert kubo.environment(tmp_path)["LIBP2P_FORCE_PNET"] == "1"


def test_swarm_key__each_time__is_another_and_in_libp2ps_form() -> None:
    first, second = kubo.swarm_key(), kubo.swarm_key()
    assert first != second
    assert first.splitlines()[:2] == ["/key/swarm/psk/1.0.0/", "/base16/"]
    assert len(bytes.fromhex(first.splitlines()[2])) == 32


# ---- Besu


def test_build__for_besu__writes_genesis_of_the_validators_keys(besu_network: NetworkPlan) -> None:
    genesis = json.loads((besu_network.folder / "genesis.json").read_text())
    addresses = sorted((one.address for one in besu_network.signers), key=str.lower)
    assert genesis["extraData"] == qbft_extra_data(addresses)


def test_besu_config__of_a_validator__keeps_rpc_on_this_machine(besu_network: NetworkPlan) -> None:
    config = tomllib.loads(besu.besu_config(besu_network, besu_network.signers[0]))
    assert (config["rpc-http-host"], config["metrics-host"]) == ("127.0.0.1", "127.0.0.1")
    assert not config["discovery-enabled"]
    assert config["p2p-interface"] == "127.0.0.1"  # Besu's own choice is every address
    peers = json.loads(Path(config["static-nodes-file"]).read_text())
    assert len(peers) == 3


def test_build__for_besu_on_several_machines__names_paths_as_they_will_be(tmp_path: Path) -> None:
    folder = tmp_path / "net"
    build(NetworkOptions(folder=folder, signers=4, engine="besu", hosts=HOSTS))
    text = (folder / "signer-2" / "besu.toml").read_text()
    assert str(tmp_path) not in text
    config = tomllib.loads(text)
    assert config["node-private-key-file"] == "/var/lib/dmsm/network/signer-2/key"
    assert config["genesis-file"] == "/var/lib/dmsm/network/genesis.json"
    assert (config["p2p-host"], config["p2p-interface"]) == ("10.0.0.2", "10.0.0.2")


# ---- starting


@pytest.mark.parametrize("port", ["p2p_port", "rpc_port", "auth_port", "metrics_port"])
def test_start__a_port_of_a_signer_is_taken__is_refused_before_it_starts(
    tmp_path: Path, port: str
) -> None:
    plan = make_plan(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as other:
        signer = replace(
            plan.signers[0],
            **dict(zip(PORTS, building.free_ports(len(PORTS)), strict=True))
            | {port: other.getsockname()[1]},
        )
        with pytest.raises(PortTaken, match=str(getattr(signer, port))):
            Network(plan.with_signers((signer,))).start(["signer-1"])
    assert not (tmp_path / "logs").exists()


# ---- the folder


def test_build__any_network__leaves_secrets_to_the_owner_and_nothing_to_git(
    besu_network: NetworkPlan,
) -> None:
    folder = besu_network.folder
    assert (folder / ".gitignore").read_text() == "*\n"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    secrets = [path for path in folder.rglob("*") if path.name in SECRET and path.is_file()]
    assert len(secrets) == 3 + len(besu_network.signers)
    assert {stat.S_IMODE(path.stat().st_mode) for path in secrets} == {0o600}


def test_build__in_a_folder_that_holds_something__is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(PlanInvalid, match="not empty"):
        build(NetworkOptions(folder=tmp_path, engine="besu"))


def test_load_plan__of_what_was_saved__is_the_same(besu_network: NetworkPlan) -> None:
    assert load_plan(besu_network.folder) == besu_network


def test_load_plan__in_an_empty_folder__says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(PlanInvalid, match="dmsm net up"):
        load_plan(tmp_path)


@pytest.mark.parametrize(
    "wrong",
    [
        {"signers": 0},
        {"signers": 26},
        {"ipfs_nodes": -1},
        {"period_s": 61},
        {"engine": "fabric"},
        {"engine": "besu", "signers": 3},
        {"engine": "besu", "ranked": True},
        {"hosts": ("0.0.0.0",)},
        {"hosts": ("10.0.0.1", "somewhere")},
        {"hosts": ("10.0.0.1", "10.0.0.2", "10.0.0.1")},
    ],
)
def test_network_options__that_make_no_sense__are_refused(
    tmp_path: Path, wrong: dict[str, object]
) -> None:
    with pytest.raises(PlanInvalid):
        NetworkOptions(folder=tmp_path, **wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "period_s", "ranked"),
    [
        ({}, 0, True),
        ({"period_s": 1}, 1, False),
        ({"hosts": ("10.0.0.1",)}, 1, False),
        ({"hosts": HOSTS}, 1, False),
        ({"hosts": HOSTS, "period_s": 0}, 0, True),
        ({"ranked": False}, 0, False),
        ({"hosts": HOSTS, "ranked": True}, 1, True),
        ({"engine": "besu"}, 0, False),
    ],
)
def test_network_options__period_and_ranks__halt_nowhere_unless_told(
    tmp_path: Path, given: dict[str, object], period_s: int, ranked: bool
) -> None:
    options = NetworkOptions(folder=tmp_path, **given)  # type: ignore[arg-type]
    assert (options.block_time_s, options.ranks_signers) == (period_s, ranked)


def test_find_geth__stock_one_for_a_network_that_ranks__is_refused_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(geth, "find_program", lambda *_, **__: Path("/usr/bin/geth"))
    monkeypatch.setattr(geth, "is_built", lambda _: False)
    with pytest.raises(ProgramMissing, match=r"ranks its signers .*/usr/bin/geth cannot"):
        geth.find_geth(ranked=True)
    assert geth.find_geth(ranked=False) == Path("/usr/bin/geth")


def test_free_ports__several__are_different_and_below_outgoing_ones() -> None:
    ports = building.free_ports(20)
    assert len(set(ports)) == 20
    assert all(20_000 <= port < 32_000 for port in ports)


def test_build__on_one_machine__gives_each_node_ports_of_its_own(tmp_path: Path) -> None:
    plan = build(NetworkOptions(folder=tmp_path / "net", signers=25, engine="besu"))
    assert len(plan.ports) == 4 * 25
    assert not plan.ports & set(building.signer_ports(plan, "127.0.0.1"))


def test_free_ports__few_are_left__are_those(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports_module, "LOWEST", 21_000)
    monkeypatch.setattr(ports_module, "HIGHEST", 21_006)
    monkeypatch.setattr(ports_module, "_given", set())
    monkeypatch.setattr(ports_module, "is_free", lambda port, *, host: port != 21_003)
    first = ports_module.free_ports(2, avoid=[21_000])
    second = ports_module.free_ports(2, avoid=[21_000])
    assert sorted([*first, *second]) == [21_001, 21_002, 21_004, 21_005]
    with pytest.raises(PlanInvalid, match="found no 1"):
        ports_module.free_ports(1, avoid=[21_000])


def test_build__for_several_machines__deals_the_nodes_with_the_usual_ports(tmp_path: Path) -> None:
    plan = build(NetworkOptions(folder=tmp_path / "net", signers=5, engine="besu", hosts=HOSTS))
    assert plan.is_spread
    places = [(one.host, one.p2p_port, one.rpc_port) for one in plan.signers]
    assert places[0] == ("10.0.0.1", 30_303, 8_545)
    assert places[3] == ("10.0.0.1", 30_304, 8_546)
    assert len(set(places)) == 5
    taken = [(one.host, port) for one in plan.signers for port in (one.rpc_port, one.auth_port)]
    assert len(set(taken)) == 10


def test_build__more_signers_than_machines__says_each_ones_ports(tmp_path: Path) -> None:
    said: list[str] = []
    options = NetworkOptions(folder=tmp_path / "net", signers=5, engine="besu", hosts=HOSTS)
    build(options, say=said.append)
    assert [line for line in said if line.startswith("10.")] == [
        "10.0.0.1: signer-1, signer-4; open to peers: 30303, 30304; "
        "for Prometheus on loopback: 6060, 6061",
        "10.0.0.2: signer-2, signer-5; open to peers: 30303, 30304; "
        "for Prometheus on loopback: 6060, 6061",
        "10.0.0.3: signer-3; open to peers: 30303; for Prometheus on loopback: 6060",
    ]


def test_write_start_scripts__for_several_machines__name_paths_as_they_will_be(
    tmp_path: Path,
) -> None:
    plan = make_plan(tmp_path, host="10.1.2.3")
    for name in ("signer-1", "signer-2", "signer-3", "ipfs-1", "ipfs-2"):
        (tmp_path / name).mkdir()
    write_start_scripts(plan)
    for name in ("signer-1", "ipfs-2"):
        script = tmp_path / name / "start"
        assert stat.S_IMODE(script.stat().st_mode) == 0o700
        assert str(tmp_path) not in script.read_text()
        assert f"/var/lib/dmsm/network/{name}" in script.read_text()
        subprocess.run(["sh", "-n", str(script)], check=True)


# ---- what members read


def write_profile(folder: Path, text: str) -> Path:
    path = folder / "dmsm.toml"
    path.write_text(f'keys = "keys"\npassword_file = "password"\ndata = "data"\n{text}')
    return path


def test_load_profile__naming_a_network__takes_from_it_what_it_lacks(tmp_path: Path) -> None:
    plan = make_plan(tmp_path)
    building.write_member_view(plan)
    profile = load_profile(write_profile(tmp_path, 'network = "network.toml"\n'))
    assert profile.rpc_urls == plan.rpc_urls
    assert profile.store_urls == tuple(plan.ipfs_urls)
    assert profile.deployment == tmp_path / "deployment.json"
    assert (profile.confirmations, profile.gas_price_wei) == (2, 10**9)


def test_load_profile__own_values_beside_a_network__win(tmp_path: Path) -> None:
    building.write_member_view(make_plan(tmp_path))
    own = (
        'network = "network.toml"\nrpc_url = "http://127.0.0.1:1"\nstore = "http://127.0.0.1:2"\n'
        'deployment = "mine.json"\nconfirmations = 9\ngas_price_wei = 0\n'
    )
    profile = load_profile(write_profile(tmp_path, own))
    assert profile.rpc_urls == ("http://127.0.0.1:1",)
    assert profile.store_urls == ("http://127.0.0.1:2",)
    assert profile.deployment == tmp_path / "mine.json"
    assert (profile.confirmations, profile.gas_price_wei) == (9, 0)


def test_load_profile__network_without_ipfs__still_needs_a_store(tmp_path: Path) -> None:
    plan = make_plan(tmp_path)
    building.write_member_view(
        NetworkPlan(**{f: getattr(plan, f) for f in plan.__slots__} | {"ipfs": ()})
    )
    with pytest.raises(SettingsError, match="store is missing"):
        load_profile(write_profile(tmp_path, 'network = "network.toml"\n'))


def spread_plan(folder: Path, *, signers: int = 3) -> NetworkPlan:
    """Return a plan as `dmsm net up --listen` thrice deals it: each machine has the same ports."""
    one, node = make_plan(folder).signers[0], make_plan(folder).ipfs[0]
    dealt = tuple(
        replace(one, name=f"signer-{n + 1}", host=HOSTS[n % 3], rpc_port=8_545 + n // 3)
        for n in range(signers)
    )
    ipfs = tuple(
        replace(node, name=f"ipfs-{n + 1}", host=host, api_port=5_001)
        for n, host in enumerate(HOSTS)
    )
    return replace(make_plan(folder), signers=dealt, ipfs=ipfs)


@pytest.mark.parametrize("signers", [3, 5])
def test_member_view__of_several_machines__names_one_node_once_and_no_store(
    tmp_path: Path, signers: int
) -> None:
    building.write_member_view(spread_plan(tmp_path, signers=signers))
    view = load_network(tmp_path / "network.toml")
    assert view.rpc_urls == ("http://127.0.0.1:8545",)  # the machines' only common one
    assert view.store_urls == ()
    assert view.store_copies == 2


def test_member_view__two_signers_on_each_machine__names_both(tmp_path: Path) -> None:
    building.write_member_view(spread_plan(tmp_path, signers=6))
    view = load_network(tmp_path / "network.toml")
    assert view.rpc_urls == ("http://127.0.0.1:8545", "http://127.0.0.1:8546")


@pytest.mark.parametrize(
    ("store", "why"),
    [
        ("", "store is missing: .* name this machine's and others, 2 or more"),
        ('store = "http://127.0.0.1:5001"', "store_copies is 2, and 1 are named"),
        ('store = ["http://127.0.0.1:5001", "http://127.0.0.1:5001"]', "names a store twice"),
    ],
)
def test_load_profile__network_of_several_machines_and_one_store__is_refused(
    tmp_path: Path, store: str, why: str
) -> None:
    building.write_member_view(spread_plan(tmp_path))
    with pytest.raises(SettingsError, match=why):
        load_profile(write_profile(tmp_path, f'network = "network.toml"\n{store}\n'))


def test_load_profile__network_of_several_machines_and_two_stores__wants_two_copies(
    tmp_path: Path,
) -> None:
    building.write_member_view(spread_plan(tmp_path))
    own = 'store = ["http://127.0.0.1:5001", "http://127.0.0.1:5011"]\n'
    profile = load_profile(write_profile(tmp_path, f'network = "network.toml"\n{own}'))
    assert profile.store_copies == 2
    alone = 'store = "http://127.0.0.1:5001"\nstore_copies = 1\n'
    profile = load_profile(write_profile(tmp_path, f'network = "network.toml"\n{alone}'))
    assert profile.store_copies == 1


def test_load_network__naming_one_node_twice__is_refused(tmp_path: Path) -> None:
    building.write_member_view(make_plan(tmp_path))
    path = tmp_path / "network.toml"
    twice = '["http://127.0.0.1:8545", "http://127.0.0.1:8545"]'
    lines = path.read_text().splitlines()
    for key in ("rpc_url", "store"):
        changed = [f"{key} = {twice}" if one.startswith(key) else one for one in lines]
        path.write_text("\n".join(changed))
        with pytest.raises(SettingsError, match=f"{key} names an address twice"):
            load_network(path)


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [(5, 6, "4 blocks deep now, not 3"), (4, 3, "2 blocks deep now, not 3"), (4, 5, None)],
)
def test_depth_note__other_signers__says_it_where_what_is_final_changes(
    tmp_path: Path, before: int, after: int, says: str | None
) -> None:
    plans = [spread_plan(tmp_path, signers=count) for count in (before, after)]
    note = depth_note(*plans)
    assert note is None if says is None else says in (note or "")


def test_load_network__missing__says_what_writes_it(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="dmsm net up"):
        load_network(tmp_path / "network.toml")
