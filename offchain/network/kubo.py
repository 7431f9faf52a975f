"""What a Kubo node is given: a private swarm, fixed peers, and no way to the public network.

Checked against Kubo 0.42. In a private swarm of a few connected nodes a block is found by asking
the peers, so there is no DHT at all.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from offchain.network.errors import NodeFailed
from offchain.network.plan import IpfsPlan, NetworkPlan, write_whole

_INIT_S = 60


def swarm_key() -> str:
    """Return a new swarm key file: 256 random bits, in the form of libp2p's private networks."""
    return f"/key/swarm/psk/1.0.0/\n/base16/\n{secrets.token_hex(32)}\n"


def make_node(program: Path, home: Path, *, host: str, ports: Sequence[int]) -> IpfsPlan:
    """Make a repository with its identity in `home`; `ports`: swarm, RPC. Raises NodeFailed."""
    home.mkdir(mode=0o700)
    done = subprocess.run(
        [str(program), "init", "--empty-repo", "--profile", "local-discovery,test"],
        env={**os.environ, **environment(home, forced=False)},
        capture_output=True,
        text=True,
        timeout=_INIT_S,
        check=False,
    )
    if done.returncode != 0:
        raise NodeFailed(f"{home.name} could not be made: {done.stderr.strip()[-300:]}")
    peer_id = json.loads((home / "config").read_text())["Identity"]["PeerID"]
    return IpfsPlan(
        name=home.name, host=host, peer_id=peer_id, swarm_port=ports[0], api_port=ports[1]
    )


def write_config(plan: NetworkPlan, node: IpfsPlan) -> None:
    """Write the node's swarm key and settings; what `ipfs init` chose else stays."""
    home = plan.home(node.name)
    write_whole(home / "swarm.key", (plan.folder / "swarm.key").read_text(), mode=0o600)
    config = json.loads((home / "config").read_text())
    peers = [
        {"ID": one.peer_id, "Addrs": [one.multiaddress]}
        for one in plan.ipfs
        if one.name != node.name
    ]
    merged = _merged(config, _settings(node, peers))
    write_whole(home / "config", json.dumps(merged, indent=1) + "\n", mode=0o600)


def _settings(node: IpfsPlan, peers: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    transports = ("QUIC", "Relay", "WebTransport", "WebRTCDirect", "Websocket")
    return {
        "Addresses": {
            "API": f"/ip4/127.0.0.1/tcp/{node.api_port}",
            "Gateway": [],
            "Swarm": [node.multiaddress],
            "Announce": [],
            "AppendAnnounce": [],
            "NoAnnounce": [],
        },
        "Bootstrap": [],
        "Peering": {"Peers": list(peers)},
        "Routing": {"Type": "none"},
        "Discovery": {"MDNS": {"Enabled": False}},
        # A swarm key works over plain TCP alone.
        "Swarm": {
            "Transports": {"Network": dict.fromkeys(transports, False)},
            "DisableNatPortMap": True,
            "EnableHolePunching": False,
            "RelayClient": {"Enabled": False},
            "RelayService": {"Enabled": False},
        },
        "AutoNAT": {"ServiceMode": "disabled"},
        "AutoTLS": {"Enabled": False},
        "AutoConf": {"Enabled": False},
        "DNS": {"Resolvers": {}},
        "Ipns": {"DelegatedPublishers": []},
        "Provide": {"Enabled": False},
        # A peer that has a block so small sends it at once, not only that it has it: the second
        # question would wait 20 ms. The longest sealed answer is as long.
        "Internal": {"Bitswap": {"WantHaveReplaceSize": 32 * 1024}},
        "Version": {"SwarmCheckEnabled": False},
        "Plugins": {"Plugins": {"telemetry": {"Config": {"Mode": "off"}}}},
    }


def environment(home: Path, *, forced: bool = True) -> dict[str, str]:
    """Return what the daemon's environment must say; `forced`: not without a swarm key."""
    found = {"IPFS_PATH": str(home), "IPFS_TELEMETRY": "off"}
    return found | ({"LIBP2P_FORCE_PNET": "1"} if forced else {})


def command(program: Path) -> list[str]:
    """Return the command line that runs a node; unpinned blocks stay until somebody collects."""
    return [os.fspath(program), "daemon", "--migrate=false"]


def _merged(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(old)
    for key, value in new.items():
        inner = merged.get(key)
        if isinstance(inner, dict) and isinstance(value, dict) and value:
            merged[key] = _merged(inner, value)
        else:
            merged[key] = value
    return merged
