"""Fig. 10: prepaid payments with their answers, and account inquiries."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from bench.net_site import BILL, FIRST_DAY_S, PRODUCT, Home, Site
from offchain.household.household import Household
from offchain.household.own_locks import newest_locks
from offchain.member.roles import LockState
from offchain.types import SECONDS_PER_DAY, Account

_ANSWER_S = 50.0


@dataclass
class RequestRun:
    """Milliseconds: from the ask to the receipt of the payment, and to the opened answer."""

    payment_ms: list[float] = field(default_factory=list)
    answer_ms: list[float] = field(default_factory=list)


class RequestsFailed(Exception):
    """An answer does not say what it must: the times say nothing."""


def measure_requests(site: Site, count: int, *, is_final: bool) -> RequestRun:
    """Let the households in turn prepay `count` bills, one after another, and open each answer.

    is_final: the payer too waits until no reorganisation can take the claim away. It seals
    the request, pays, waits, opens the answer and checks its signature; the node, a process of its
    own, sees the request on chain, answers, accepts and claims. Raises RequestsFailed.
    """
    run = RequestRun()
    asking = [(home, home.household if is_final else home.hasty) for home in site.households]
    for home, household in asking:  # the first of each fetches and checks keys
        _ask(home, household)
    for number in range(count):
        payment_ms, answer_ms = _ask(*asking[number % len(asking)])
        run.payment_ms.append(payment_ms)
        run.answer_ms.append(answer_ms)
    return run


def measure_inquiries(site: Site, count: int) -> list[float]:
    """Let the households in turn ask what they hold: balance, withdrawable sum, last lock."""
    locks = [_last_lock(home) for home in site.households]
    for home, lock_id in zip(site.households, locks, strict=True):
        _wait_final(home, lock_id)
    took_ms = []
    for number in range(count):
        home = site.households[number % len(site.households)]
        started = time.perf_counter()
        balance_wei = home.gateway.balance_wei(home.gateway.address)
        home.household.money.withdrawable_wei()
        lock = home.household.locks.lock(locks[number % len(locks)])
        took_ms.append(1000 * (time.perf_counter() - started))
        if balance_wei <= 0 or lock.state not in (LockState.CLAIMED, LockState.SETTLED):
            raise RequestsFailed(f"the account holds {balance_wei} wei, its lock is {lock.state}")
    return took_ms


def _last_lock(home: Home) -> bytes:
    locks = newest_locks(home.index, Account(home.gateway.address), confirmations=0)
    return locks[-1][0].lock_id


def _wait_final(home: Home, lock_id: bytes) -> None:
    give_up_at = time.monotonic() + _ANSWER_S
    while home.household.locks.lock(lock_id).state not in (LockState.CLAIMED, LockState.SETTLED):
        if time.monotonic() > give_up_at:
            raise RequestsFailed(f"the claim of {lock_id.hex()} does not become final")
        time.sleep(0.05)


def _ask(home: Home, household: Household) -> tuple[float, float]:
    started = time.perf_counter()
    paid = household.requests.ask(
        BILL,
        devices=[home.device.address],
        window_from=FIRST_DAY_S,
        window_to=FIRST_DAY_S + SECONDS_PER_DAY,
        time_zone="UTC",
        product=PRODUCT,
    )
    payed = time.perf_counter()
    opened = household.answers.wait(paid.lock_id, timeout_s=_ANSWER_S)
    answered = time.perf_counter()
    if not opened.signature_valid or opened.result["import_wh"] <= 0:
        raise RequestsFailed(f"the answer of {paid.lock_id.hex()} is none")
    return 1000 * (payed - started), 1000 * (answered - started)
