"""The rule of credit in plain integers, step by step as `CreditBook` keeps it (docs/credit.md).

`tests/contracts/CreditBook/test_model.py` drives it beside the contract and demands equal answers.
"""

from dataclasses import dataclass, field

MAX_GAIN = 10
PAIR_CAP = 30
ACCOUNT_CAP = 1_000
LOSS = 30
MAXIMUM = 8 * ACCOUNT_CAP
EPOCH_SECONDS = 30 * 86_400


@dataclass
class Standing:
    """An account's credit as last written: decayed up to `epoch`, and what it gained in it."""

    credit: int = 0
    gained: int = 0
    epoch: int = 0


@dataclass
class CreditModel:
    """All credit. Times are unix seconds and never run back; `point_wei` is the fee of a point."""

    point_wei: int
    standings: dict[str, Standing] = field(default_factory=dict)
    pairs: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)

    def record_success(self, account: str, payer: str, fee_wei: int, *, at: int) -> tuple[int, int]:
        """Add what a fee buys under the caps; return the credit before and after."""
        now = self.standing_of(account, at=at)
        from_payer = self.gained_from(account, payer, at=at)
        room = min(PAIR_CAP - from_payer, ACCOUNT_CAP - now.gained)
        gain = min(fee_wei // self.point_wei, MAX_GAIN, room)
        self.pairs[account, payer] = (from_payer + gain, now.epoch)
        self.standings[account] = Standing(now.credit + gain, now.gained + gain, now.epoch)
        return now.credit, now.credit + gain

    def record_failure(self, account: str, *, at: int) -> tuple[int, int]:
        """Take the loss, down to zero; return the credit before and after."""
        now = self.standing_of(account, at=at)
        left = max(0, now.credit - LOSS)
        self.standings[account] = Standing(left, now.gained, now.epoch)
        return now.credit, left

    def standing_of(self, account: str, *, at: int) -> Standing:
        """Return a standing as of now: floor(credit · (7/8)^epochs since it was written)."""
        written = self.standings.get(account, Standing())
        epochs = at // EPOCH_SECONDS - written.epoch
        if epochs == 0:
            return written
        return Standing(written.credit * 7**epochs // 8**epochs, 0, at // EPOCH_SECONDS)

    def credit_of(self, account: str, *, at: int) -> int:
        """Return the credit now."""
        return self.standing_of(account, at=at).credit

    def gained_from(self, account: str, payer: str, *, at: int) -> int:
        """Return what an account has gained from one payer in the present epoch."""
        points, epoch = self.pairs.get((account, payer), (0, 0))
        return points if epoch == at // EPOCH_SECONDS else 0
