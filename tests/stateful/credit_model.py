"""Credit as docs and ICreditBook state it, in Python."""

from __future__ import annotations

from dataclasses import dataclass, field

MAX_GAIN, PAIR_CAP, ACCOUNT_CAP, LOSS = 10, 30, 1_000, 30
EPOCH_S = 30 * 86_400


def decayed(points: int, epochs: int) -> int:
    """Return floor(points · (7/8)^epochs)."""
    return points * 7**epochs // 8**epochs


@dataclass
class CreditModel:
    """The standing of accounts, each written in some epoch and read in a later one."""

    point_wei: int
    standings: dict[str, tuple[int, int, int]] = field(default_factory=dict)
    gains: dict[tuple[str, str, int], int] = field(default_factory=dict)

    def standing(self, account: str, now: int) -> tuple[int, int, int]:
        """Return (credit, gained in this epoch, epoch)."""
        epoch = now // EPOCH_S
        points, gained, written = self.standings.get(account, (0, 0, epoch))
        if written == epoch:
            return points, gained, epoch
        return decayed(points, epoch - written), 0, epoch

    def succeed(self, account: str, payer: str, fee_wei: int, now: int) -> None:
        """Add the gain of one success."""
        points, gained, epoch = self.standing(account, now)
        pair = (account, payer, epoch)
        room = min(PAIR_CAP - self.gains.get(pair, 0), ACCOUNT_CAP - gained)
        gain = min(fee_wei // self.point_wei, MAX_GAIN, room)
        self.standings[account] = (points + gain, gained + gain, epoch)
        self.gains[pair] = self.gains.get(pair, 0) + gain

    def fail(self, account: str, now: int) -> None:
        """Take the loss of one failure."""
        points, gained, epoch = self.standing(account, now)
        self.standings[account] = (max(points - LOSS, 0), gained, epoch)
