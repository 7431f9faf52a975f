"""Samples first, seqs when it is sure that nobody knows more; a wrong clock blocks nothing."""

import json
import time
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest

from device_agent.keys import DeviceKeys
from device_agent.notify import Watcher
from device_agent.outbox import Origin, Outbox, Shown
from device_agent.progress import Progress
from device_agent.recorder import MAX_AHEAD_S, Recorder
from device_agent.seal import Sealer
from device_agent.surroundings import Place
from offchain.crypto.secret import SecretBytes
from offchain.member.keys import MemberKeys
from offchain.types import MeterSample, ReadingFlag, Role, to_account
from tests.policies import POLICY

NOON = 17_000 * 86_400 + 43_200


def sample(
    minute: int, *, import_wh: int = 5, export_wh: int = 3, power_w: int = 500
) -> MeterSample:
    return MeterSample(
        time_s=NOON + 60 * minute,
        import_wh=import_wh,
        export_wh=export_wh,
        power_w=power_w,
        temperature_dc=200,
    )


class Desk:
    """A recorder with a real outbox and real keys."""

    def __init__(self, path: Path, *, is_live: bool = False) -> None:
        keys = MemberKeys.generate(Role.DEVICE)
        device = to_account(keys.address)
        place = Place(
            chain_id=1,
            data_ledger=to_account("0x" + "1e" * 20),
            notification_board=to_account("0x" + "1f" * 20),
            device=device,
        )
        secrets = DeviceKeys(
            account=SecretBytes(bytes(keys.account.key)), bls=keys.bls, secret=keys.device_secret
        )
        self.out = StringIO()
        self.outbox = Outbox(path)
        self.progress = Progress(device=device, out=self.out)
        self.recorder = Recorder(
            outbox=self.outbox,
            sealer=Sealer(secrets, place),
            watcher=Watcher(last=None),
            progress=self.progress,
            is_live=is_live,
        )

    @property
    def events(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.out.getvalue().splitlines()]

    @property
    def read(self) -> list[tuple[int, int]]:
        return [(one.seq, one.time_s) for one in self.outbox.unbatched()]


@pytest.fixture
def desk(tmp_path):
    made = Desk(tmp_path / "outbox.sqlite")
    yield made
    made.outbox.close()


@pytest.fixture
def live_desk(tmp_path):
    made = Desk(tmp_path / "outbox.sqlite", is_live=True)
    yield made
    made.outbox.close()


def test_take__before_the_numbering_is_open__keeps_the_sample_without_seq(desk):
    desk.recorder.take(sample(0))
    assert desk.outbox.samples() == [sample(0)] and desk.read == []
    assert [one["event"] for one in desk.events] == ["waiting"]


def test_open__given_waiting_samples__numbers_them_in_order_and_judges_them(desk):
    for minute in range(3):
        desk.recorder.take(sample(minute, power_w=[500, 0, 0][minute]))
    desk.recorder.open(POLICY)
    assert desk.read == [(seq, NOON + 60 * (seq - 1)) for seq in (1, 2, 3)]
    assert desk.outbox.samples() == []
    assert [one.origin for one in desk.outbox.open_reports()] == ["reading:1", "reading:2"]
    desk.recorder.open(POLICY)
    assert len(desk.read) == 3


def test_take__while_open__numbers_at_once_and_after_close_waits_again(desk):
    desk.recorder.open(None)
    desk.recorder.take(sample(0))
    desk.recorder.close()
    desk.recorder.take(sample(1))
    assert desk.read == [(1, NOON)] and desk.outbox.samples() == [sample(1)]


@pytest.mark.parametrize(
    ("first", "second", "is_unknown"),
    [
        ({"import_wh": 0}, {"import_wh": 1_040_000}, True),
        ({"export_wh": 0}, {"export_wh": 1_040_000}, True),
        ({"import_wh": 0}, {"import_wh": 1_667}, True),  # of a minute
        ({"import_wh": 0}, {"import_wh": 1_666}, False),
        ({"import_wh": 1}, {"import_wh": 1_040_000}, False),
    ],
)
def test_take__given_a_zero_before_a_real_register__says_that_the_energy_is_unknown(
    desk, first, second, is_unknown
):
    for minute, shown in enumerate((first, second, second)):
        desk.recorder.take(sample(minute, **shown))
    restarted = ReadingFlag.REGISTER_RESTARTED
    flagged = [restarted in one.flags for one in desk.outbox.samples()]
    assert flagged == [False, is_unknown, False]


def test_open__given_origin_of_a_recovery__goes_on_behind_it(desk):
    desk.outbox.set_origin(Origin(first_seq=25, shown=Shown(NOON, 5, 3)))
    desk.recorder.take(sample(0))
    desk.recorder.take(sample(1))
    desk.recorder.open(None)
    assert desk.read == [(25, NOON + 60)]


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (sample(1), "time_not_rising"),
        (sample(0), "time_not_rising"),
        (sample(-1_440), "time_not_rising"),
        (sample(2, import_wh=4), "register_falls"),
        (sample(2, export_wh=2), "register_falls"),
    ],
)
@pytest.mark.parametrize("is_open", [True, False])
def test_take__given_clock_or_register_that_goes_back__skips_counts_and_tells_once(
    desk, wrong, reason, is_open
):
    if is_open:
        desk.recorder.open(None)
    for one in (sample(0), sample(1), wrong, wrong, sample(3)):
        desk.recorder.take(one)
    desk.recorder.open(None)
    assert desk.read == [(1, NOON), (2, NOON + 60), (3, NOON + 180)]
    assert desk.outbox.skipped() == {reason: 2}
    told = [one for one in desk.events if one["event"].startswith("skip")]
    assert [(one["event"], one.get("reason"), one.get("samples")) for one in told] == [
        ("skipping", reason, None),
        ("skipped", None, 2),
    ]


def test_take__given_live_meter_far_ahead__does_not_believe_it(live_desk):
    now = int(time.time())
    ahead = replace(sample(0), time_s=now + MAX_AHEAD_S + 60)
    live_desk.recorder.take(ahead)
    live_desk.recorder.take(replace(sample(0), time_s=now))
    assert live_desk.outbox.skipped() == {"time_ahead": 1}
    assert [one.time_s for one in live_desk.outbox.samples()] == [now]


def test_take__given_replay_of_any_time__believes_it(desk):
    desk.recorder.take(replace(sample(0), time_s=2**32 - 1))
    assert desk.outbox.skipped() == {}
