"""What a demand or a dispute needs: a sealed answer, evidence, and what each costs under RULES."""

from __future__ import annotations

import hashlib
from dataclasses import astuple
from random import Random

import money
from money import BPS, RULES

from scripts.deploy import Rules

ANSWER = Random(9_000).randbytes(9_000)  # stands for a doubly sealed answer
ANSWER_DIGEST = hashlib.sha256(ANSWER).digest()
EVIDENCE_DIGEST, EVIDENCE_LENGTH = money.digest_of("sealed evidence"), 4_321
EVIDENCE = (EVIDENCE_DIGEST, EVIDENCE_LENGTH)
SERVE_BASE_GAS, SERVE_BYTE_GAS = 40_000, 12
SHARING_WINDOW_S = 240

# The rules of version 2: everything differs from RULES.
OTHER_RULES = Rules(
    serve_seconds=100,
    decide_seconds=200,
    fee_bps=1_000,
    bond_bps=10_000,
    dispute_bond_bps=100,
    serve_gas_wei=7,
    dispute_min_wei=1,
)


def serve_gas(length: int = len(ANSWER)) -> int:
    """Return the gas that serving an answer is paid for."""
    return SERVE_BASE_GAS + SERVE_BYTE_GAS * length


def demand_wei(length: int = len(ANSWER), *, gas_wei: int = RULES.serve_gas_wei) -> int:
    """Return what a demand deposits."""
    return serve_gas(length) * gas_wei


def dispute_wei(price_wei: int) -> int:
    """Return what a disputer puts up under RULES."""
    return max(price_wei * RULES.dispute_bond_bps // BPS, RULES.dispute_min_wei)


def rules_words(rules: Rules) -> tuple[int, ...]:
    """Return rules as the catalogue takes them."""
    return astuple(rules)
