"""Storing a data set as one CAR against one HTTP add an object, at a real Kubo node.

``storage_figures(url=None)`` returns figures; `url` is the RPC of the node to measure at (the
network's), without it a private daemon is started and ended. `python -m bench.storing` prints them
and exits 1 on a figure that is missed without a reason in missed.toml. Needs Kubo; takes about half
a minute and leaves nothing pinned.

Both sides are pinned when they are done. Ours has read every block back as well, as the project
always does, and stores more: beside the ciphertexts every M', companion and manifest. A further
figure leaves the reading back away, as the peer does.
"""

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import requests

from bench.figures import Figure, unexplained
from bench.timing import Timings, in_turn
from offchain.crypto.packing import slots_per_plaintext
from offchain.network import kubo
from offchain.network.kubo_rpc import KuboRpc
from offchain.network.ports import free_ports
from offchain.network.processes import ProcessFolder
from offchain.network.programs import KUBO, find_program
from offchain.records.ciphertexts import CiphertextFile, DeviceCiphertexts, encode_ciphertexts
from offchain.records.dataset import VALUES_A_ROW
from offchain.storage.car import Block
from offchain.storage.group import Group, group_of, raw_link
from offchain.storage.kubo import KuboStore
from offchain.storage.kubo_http import KuboHttp
from offchain.storage.objects import blocks_of_group, blocks_of_object
from offchain.types import to_account

LIMIT = 40.0
ROUNDS = 5
ADDS = 100  # a round; the rest of the objects would take as long each
HOMES, ROWS = 100, 31 * 24  # a region's month of hourly readings
MODULUS_BITS = 3072
MODULUS_BYTES = MODULUS_BITS // 8
CIPHERTEXT_BYTES = 2 * MODULUS_BYTES
COMPANION_BYTES_A_ROW = 12
ALONE = 2_000  # objects of one ciphertext each


def storage_figures(url: str | None = None) -> list[Figure]:
    """Measure at the Kubo node whose RPC is at `url`, or at one of its own."""
    with ExitStack() as stack:
        at = url or stack.enter_context(_private_kubo())
        store = stack.enter_context(KuboStore(at))
        session = stack.enter_context(requests.Session())
        session.trust_env = False
        http = KuboHttp(at, timeout_s=30)
        stack.callback(http.close)
        contest = _Contest(at, store, session, http)
        figures = _figures(contest)
        if url is not None:
            contest.clear(KuboRpc(url))
        return figures


class _Contest:
    """The two ways of storing; each call stores bytes that nobody has yet."""

    def __init__(
        self, url: str, store: KuboStore, session: requests.Session, http: KuboHttp
    ) -> None:
        self._url, self._store, self._session = f"{url}/api/v0/add", store, session
        self._http = http
        self._pins: list[str] = []

    def adds(self) -> tuple[Callable[[], None], float]:
        """One HTTP add an object, over one connection that stays."""
        waiting = iter([os.urandom(CIPHERTEXT_BYTES) for _ in range(ADDS * (ROUNDS + 1))])

        def run() -> None:
            for _ in range(ADDS):
                answer = self._session.post(
                    self._url,
                    params={"cid-version": "1", "raw-leaves": "true", "pin": "true"},
                    files={"file": next(waiting)},
                    timeout=30,
                )
                answer.raise_for_status()
                self._pins.append(answer.json()["Hash"])

        return run, float(ADDS)

    def cars(self, make: Callable[[], list[bytes]], units: int) -> tuple[Callable[[], None], float]:
        """What the node does with a data set: one CAR, one pin, all read back."""
        made = [make() for _ in range(ROUNDS + 1)]
        self._pins += [_root_of(objects) for objects in made]
        waiting = iter(made)

        def run() -> None:
            self._store.put_all(next(waiting))

        return run, float(units)

    def imports(self) -> tuple[Callable[[], None], float]:
        """One CAR and one pin, as `cars`, and nothing read back."""
        made = [_archive_of(_data_set()) for _ in range(ROUNDS + 1)]
        self._pins += [group.root_cid for group, _ in made]
        waiting = iter(made)

        def run() -> None:
            group, blocks = next(waiting)
            size = sum(len(data) for _, data in blocks)
            self._http.put_group(group, blocks, size=size)

        return run, float(ciphertexts_of_a_data_set())

    def clear(self, rpc: KuboRpc) -> None:
        """Unpin what was put."""
        for cid in self._pins:
            rpc.ask("pin/rm", arg=cid)


def _figures(contest: _Contest) -> list[Figure]:
    contenders = {
        "add": contest.adds(),
        "data set": contest.cars(_data_set, ciphertexts_of_a_data_set()),
        "import": contest.imports(),
        "alone": contest.cars(_alone, ALONE),
    }
    times = in_turn(contenders, rounds=ROUNDS, clock=time.perf_counter)
    count = ciphertexts_of_a_data_set()
    whole_ms = 1e3 * count * times.median_s("data set")
    note = f"{HOMES} homes, {ROWS} rows each, {count} ciphertexts: {whole_ms:.3g} ms in all"
    return [
        Figure(
            "data_set_by_car_vs_http_add",
            times.ratio("add", "data set"),
            LIMIT,
            note=f"{_times(times, 'data set')} a ciphertext; {note}",
        ),
        Figure(
            "data_set_import_vs_http_add",
            times.ratio("add", "import"),
            note=f"{_times(times, 'import')} a ciphertext; neither side reads back",
        ),
        Figure(
            "ciphertexts_alone_by_car_vs_http_add",
            times.ratio("add", "alone"),
            note=f"{_times(times, 'alone')} an object, {ALONE} objects of one ciphertext each in "
            "one CAR: not how the project stores them",
        ),
    ]


def _root_of(objects: list[bytes]) -> str:
    return _archive_of(objects)[0].root_cid


def _archive_of(objects: list[bytes]) -> tuple[Group, list[Block]]:
    blocks = blocks_of_group(map(blocks_of_object, objects))
    return group_of(list(blocks)), [(raw_link(cid), data) for cid, data in blocks.items()]


def ciphertexts_of_a_data_set() -> int:
    """Return how many ciphertexts the measured data set has."""
    return HOMES * -(-VALUES_A_ROW * ROWS // slots_per_plaintext(MODULUS_BITS))


def _times(times: Timings, ours: str) -> str:
    return f"{1e3 * times.median_s('add'):.3g} ms : {1e3 * times.median_s(ours):.3g} ms"


def _data_set() -> list[bytes]:
    """A data set's files, of its true form and size; the bytes inside are random, as encrypted ones
    look.
    """
    each = ciphertexts_of_a_data_set() // HOMES
    devices = tuple(
        DeviceCiphertexts(
            device=to_account(f"0x{number:040x}"),
            rows=ROWS,
            ciphertexts=tuple(b"\0" + os.urandom(CIPHERTEXT_BYTES - 1) for _ in range(each)),
            commitments=tuple(os.urandom(32) for _ in range(ROWS)),
        )
        for number in range(1, HOMES + 1)
    )
    modulus = b"\xff" + os.urandom(MODULUS_BYTES - 2) + b"\x01"
    ciphertexts = encode_ciphertexts(CiphertextFile(modulus=modulus, devices=devices))
    return [ciphertexts, os.urandom(HOMES * ROWS * COMPANION_BYTES_A_ROW), os.urandom(3_000)]


def _alone() -> list[bytes]:
    return [os.urandom(CIPHERTEXT_BYTES) for _ in range(ALONE)]


@contextmanager
def _private_kubo() -> Iterator[str]:
    program = find_program(KUBO, say=lambda text: print(text, file=sys.stderr))
    with tempfile.TemporaryDirectory(prefix="dmsm-bench-") as folder:
        (port,) = free_ports(1)
        home, processes = Path(folder) / "ipfs", ProcessFolder(Path(folder))
        node = kubo.make_node(program, home, host="127.0.0.1", ports=[0, port])
        _write_api(home / "config", port)
        processes.start(
            node.name,
            [*kubo.command(program), "--offline"],
            environment=kubo.environment(home, forced=False),
            tied=True,
        )
        try:
            _wait_for(KuboRpc(f"http://127.0.0.1:{port}"), lambda: processes.tail(node.name))
            yield f"http://127.0.0.1:{port}"
        finally:
            processes.stop([node.name])


def _write_api(path: Path, port: int) -> None:
    config: dict[str, Any] = json.loads(path.read_text())
    config["Addresses"] |= {"API": f"/ip4/127.0.0.1/tcp/{port}", "Gateway": [], "Swarm": []}
    config |= {"Bootstrap": [], "Routing": {"Type": "none"}, "AutoConf": {"Enabled": False}}
    config |= {"DNS": {"Resolvers": {}}, "Ipns": {"DelegatedPublishers": []}}
    path.write_text(json.dumps(config))


def _wait_for(rpc: KuboRpc, said: Callable[[], str]) -> None:
    give_up_at = time.monotonic() + 60
    while not rpc.answers():
        if time.monotonic() > give_up_at:
            raise SystemExit(f"the Kubo daemon did not come up: {said()}")
        time.sleep(0.1)


def main() -> None:
    """Print the figures."""
    figures = storage_figures()
    for figure in figures:
        print(figure.line(), f"  {figure.note}")
    if missed := unexplained(figures):
        raise SystemExit(f"missed without a reason in missed.toml: {', '.join(missed)}")


if __name__ == "__main__":
    main()
