"""Histories that the contracts could tell: what may come next follows from what was said."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from tests.unit.index.model import NOBODY, TREASURY_FEE_BPS, Model
from tests.unit.index.simulated import Event, SimulatedChain, address

PEOPLE = [address(number) for number in range(1, 9)]
DEVICES = [address(number) for number in range(101, 105)]
NODES = [address(number) for number in range(201, 206)]
REGIONS = [b"north".ljust(32, b"\0"), b"south".ljust(32, b"\0")]
PURPOSES = [b"share".ljust(32, b"\0"), b"add".ljust(32, b"\0")]
POINT = {"x": 5, "y": 7}
POINT_2 = {"xIm": 1, "xRe": 2, "yIm": 3, "yRe": 2**256 - 1}


class History:
    """Says the next events of a chain, at random, as far as they fit what it said before."""

    def __init__(self, chain: SimulatedChain, rng: random.Random) -> None:
        self.chain, self.rng = chain, rng
        self._model, self._branch = Model.of(chain), chain.salt

    def mine(self, events: int) -> None:
        """Mine a block with so many events."""
        if self._branch != self.chain.salt:
            self._model, self._branch = Model.of(self.chain), self.chain.salt
        model = self._model
        block, told = len(self.chain.blocks), []
        time_s = self.chain.blocks[-1].time_s + 10
        for _ in range(events):
            for one in self._next(model):
                model.apply(block, time_s, len(told), one)
                told.append(one)
        assert self.chain.mine(told).time_s == time_s

    def _next(self, model: Model) -> list[Event]:
        kinds: list[Callable[[Model], list[Event]]] = [
            self._member,
            self._consent,
            self._ledger,
            self._data_sets,
            self._tariffs,
            self._board,
            self._catalogue,
            self._begin_lock,
            self._go_on_with_lock,
            self._go_on_with_lock,
            self._market,
            self._consortium,
            self._money,
        ]
        return self.rng.choice(kinds)(model)

    def _word(self) -> bytes:
        return self.rng.randbytes(32)

    def _member(self, model: Model) -> list[Event]:
        who = self.rng.choice(PEOPLE + DEVICES + NODES)
        known = model.tables["members"].get((who,))
        region = self.rng.choice(REGIONS)
        if known is not None:
            if not known["active"]:
                return []
            role, region = known["role"], known["region_id"]
            if known["name"] and self.rng.random() < 0.7:
                args = {"account": who, "name": self.rng.randbytes(self.rng.randrange(1, 65))}
                return [Event("MemberRegistry", "MemberRenamed", args)]
            args = {"account": who, "role": role, "regionId": region}
            return [Event("MemberRegistry", "MemberRevoked", args)]
        args = {
            "account": who,
            "role": self.rng.randrange(1, 6),
            "regionId": region,
            "owner": self.rng.choice([NOBODY, *PEOPLE]),
            "idCommitment": self._word(),
            "paillierDigest": self._word(),
            "blsKey": POINT_2,
            "deliveryKey": POINT,
            "name": self.rng.choice([b"", b"Grid company", "Größe".encode(), b"\xff\0"]),
        }
        return [Event("MemberRegistry", "MemberAdmitted", args)]

    def _consent(self, model: Model) -> list[Event]:
        device, purpose = self.rng.choice(DEVICES), self.rng.choice(PURPOSES)
        args = {"device": device, "purpose": purpose, "owner": self.rng.choice(PEOPLE)}
        held = model.words.get((device, purpose))
        if held is not None and held["expires_at"] and self.rng.random() < 0.5:
            return [Event("ConsentBook", "ConsentWithdrawn", args)]
        args["expiresAt"] = self.rng.choice([2**64 - 1, 1_800_000_000])
        return [Event("ConsentBook", "ConsentGiven", args)]

    def _ledger(self, model: Model) -> list[Event]:
        device = self.rng.choice(DEVICES)
        args = {"device": device, "fromSeq": 1, "count": 24, "root": self._word()}
        return [Event("DataLedger", "BatchAnchored", args)]

    def _data_sets(self, model: Model) -> list[Event]:
        known = [key[0] for key in model.tables["data_sets"]]
        kind = self.rng.random()
        if not known or kind < 0.4:
            return [self._publication()]
        data_set_id = self.rng.choice(known)
        row = model.tables["data_sets"][data_set_id,]
        if kind < 0.6:
            args: dict[str, Any] = {"dataSetId": data_set_id, "processor": row["processor"]}
            args |= {"device": self.rng.choice([NOBODY, *DEVICES]), "by": self.rng.choice(PEOPLE)}
            return [Event("DataSetBook", "DataSetRetired", args)]
        amount_wei = self.rng.randrange(row["pot_wei"] + 1)
        args = {"dataSetId": data_set_id, "device": self.rng.choice(DEVICES)}
        args |= {"owner": self.rng.choice(PEOPLE), "amountWei": amount_wei}
        return [Event("DataSetBook", "Drawn", args)]

    def _publication(self) -> Event:
        publication = {
            "windowFrom": 86_400,
            "windowTo": 172_800,
            "saleUntil": 1_800_000_000,
            "kind": 1,
            "rowCount": self.rng.choice([1, 3, 2**32 - 1]),
            "deviceCount": 1,
            "manifestLength": 10,
            "readingsRoot": self._word(),
            "manifestDigest": self._word(),
            "ownersRoot": self._word(),
            "ownersDigest": self._word(),
            "keyCommitment": POINT_2,
        }
        args = {"dataSetId": self._word(), "processor": self.rng.choice(NODES)}
        args |= {"regionId": self.rng.choice(REGIONS), "idCommitment": self._word()}
        args |= {"publication": publication, "keyPossession": POINT}
        return Event("DataSetBook", "DataSetPublished", args)

    def _tariffs(self, model: Model) -> list[Event]:
        args: dict[str, Any] = {
            "regionId": self.rng.choice(REGIONS),
            "digest": self._word(),
            "by": self.rng.choice(NODES),
            "isCorrection": self.rng.random() < 0.2,
        }
        name = self.rng.choice([b"household", "Süd".encode(), b"\xff\x00"])  # no UTF-8, the last
        if self.rng.random() < 0.5:
            args |= {"product": b"p" * 32, "productName": name, "validFrom": 2**40 - 1}
            args |= {"validTo": 0, "appendedAt": 1_700_000_000}
            return [Event("TariffBook", "TariffAppended", args)]
        args |= {"name": b"n" * 32, "seriesName": name, "startsAt": 0, "endsAt": 900}
        args |= {"resolutionSeconds": 900, "publishedAt": 1_700_000_000}
        return [Event("TariffBook", "SeriesPublished", args)]

    def _board(self, model: Model) -> list[Event]:
        device, kind = self.rng.choice(DEVICES), self.rng.randrange(3)
        if kind == 0:
            policy = {
                "lowPowerW": -5,
                "highPowerW": 2**63 - 1,
                "highFeedInW": 2**48 - 1,
                "temperatureWarningDc": -(2**31),
                "heartbeatSeconds": 60,
                "feedsIn": True,
                "isSealed": False,
            }
            args = {"device": device, "owner": self.rng.choice(PEOPLE), "policy": policy}
            return [Event("NotificationBoard", "PolicySet", args)]
        if kind == 1:
            args = {"device": device, "commitment": self._word(), "reportDigest": self._word()}
            return [Event("NotificationBoard", "SealedReport", args)]
        args = {
            "device": device,
            "status": self.rng.randrange(1, 5),
            "previous": 0,
            "temperatureTooHigh": self.rng.random() < 0.5,
            "powerW": -(2**63),
            "temperatureDc": 215,
            "injected": False,
            "reportDigest": self._word(),
        }
        return [Event("NotificationBoard", "StatusChanged", args)]

    def _catalogue(self, model: Model) -> list[Event]:
        if self.rng.random() < 0.5:
            terms = {"version": len(model.tables["sharing_terms"]) + 1, "shortestSeconds": 60}
            terms |= {"disputeWindowSeconds": 60, "applicationWei": 2**96 - 1}
            terms |= {"ownersBps": 5_000}
            return [Event("RequestCatalogue", "SharingTermsSet", terms)]
        args = {
            "typeId": self.rng.randrange(1, 4),
            "active": self.rng.random() < 0.5,
            "shortestSeconds": 60,
            "disputeWindowSeconds": 60,
            "longestAnswerBytes": self.rng.randrange(1, 32_769),
            "priceWei": self.rng.randrange(1, 2**96),
            "name": b"bill".ljust(32, b"\0"),
        }
        return [Event("RequestCatalogue", "RequestTypeSet", args)]

    # ---- locks

    def _begin_lock(self, model: Model) -> list[Event]:
        lock_id, price = self._word(), self.rng.randrange(1, 2**96)
        payer, payee = self.rng.choice(PEOPLE), self.rng.choice(NODES)
        order = {
            "messageLength": 10,
            "signedAt": 2**64 - 1,
            "expiresAt": 1_800_000_000,
            "messageDigest": self._word(),
            "nonce": self._word(),
        }
        args = {"lockId": lock_id, "payer": payer, "payee": payee, "signature": POINT}
        order |= {"processor": payee, "typeId": 2, "terms": _terms(longest_answer=32_768)}
        args |= {"priceWei": price, "order": order}
        return [Event("PrepaidLock", "Requested", args)]

    def _select(self, model: Model, broadcast_id: bytes) -> list[Event]:
        requester = model.tables["broadcasts"][broadcast_id,]["requester"]
        chosen = [key[1] for key in model.tables["responses"] if key[0] == broadcast_id]
        ids, group = [self._word() for _ in chosen], sorted({requester, PEOPLE[0]})
        args = {
            "broadcastId": broadcast_id,
            "requester": requester,
            "groupHash": b"g" * 32,
            "members": group,
            "deliveryKeys": [POINT] * len(group),
            "lockIds": ids,
        }
        said = [Event("DataMarket", "GroupSelected", args)]
        for_sale = [key[0] for key in model.tables["data_sets"]]
        for lock_id, payee in zip(ids, chosen, strict=True):
            order = {
                "payer": requester,
                "payee": payee,
                "broadcastId": broadcast_id,
                "dataSetId": self.rng.choice(for_sale or [self._word()]),
                "groupHash": b"g" * 32,
                "threshold": 2,
                "groupSize": len(group),
                "priceWei": 10**18,
                "messageLength": 10,
                "signedAt": 0,
                "expiresAt": 1_800_000_000,
                "messageDigest": self._word(),
                "nonce": self._word(),
            }
            order["terms"] = _terms(longest_answer=0)
            lock = {"lockId": lock_id, "payer": requester, "payee": payee, "order": order}
            lock["signature"] = POINT
            said.append(Event("PrepaidLock", "Selected", lock))
        return said

    def _go_on_with_lock(self, model: Model) -> list[Event]:
        going = [(key, row) for key, row in model.tables["locks"].items() if not row["is_ended"]]
        if not going:
            return []
        (lock_id,), lock = self.rng.choice(going)
        base = {"lockId": lock_id, "payer": lock["payer"], "payee": lock["payee"]}

        def say(name: str, **more: Any) -> Event:
            return Event("PrepaidLock", name, {**base, **more})

        price, fee = lock["price_wei"], lock["price_wei"] * TREASURY_FEE_BPS // 10_000
        part, rest = _owners_part(model, lock)
        settle = say("Settled", priceWei=price, feeWei=fee + rest, ownersWei=part, gainWei=0)
        refund = say("Refunded", priceWei=price, gainWei=self.rng.choice([0, 5]))
        slash = say("Slashed", priceWei=price, feeWei=fee, gainWei=5)
        dispute = [say("Disputed", by=PEOPLE[1], bondWei=77, evidenceDigest=self._word(), dueAt=30)]
        dispute[0].args.update(evidenceLength=100)
        dispute[0].args.pop("payer")
        case = {"lockId": lock_id, "needed": 1, "decideBy": 1_800_000_000}
        dispute.append(Event("DisputeCourt", "CaseOpened", case))
        digest = self._word()
        accept = say("Accepted", secretHash=digest, answerDigest=digest, answerLength=9)
        claim = say("Claimed", secret=digest, dueAt=20)
        demand = say("Demanded", depositWei=11, dueAt=25)
        serve = say("Served", paidWei=self.rng.choice([0, 4, 11]), answer=b"answer", dueAt=28)
        deliver = say("Delivered", commitments=[POINT_2], shares=[POINT, POINT], dueAt=20)
        reject, decline = say("Rejected", reason=3), say("Declined", reason=6)
        by_state: dict[int, list[list[Event]]] = {
            1: [[accept], [accept, claim], [reject], [refund]],
            3: [[claim], [claim, settle], [refund]],
            4: [[settle], dispute, *([] if lock["is_demanded"] else [[demand]])],
            5: [[deliver], [deliver, settle], [decline], [refund]],
            7: [[settle], dispute],
            10: [[serve], [slash]],
            11: [self._vote(lock_id, settle, for_payer=False), [refund]],
        }
        by_state[11].append(self._vote(lock_id, slash, for_payer=True))
        return self.rng.choice(by_state[lock["state"]])

    def _vote(self, lock_id: bytes, end: Event, *, for_payer: bool) -> list[Event]:
        judge, digest = self.rng.choice(PEOPLE), self._word()
        added = {"lockId": lock_id, "by": judge, "evidenceDigest": digest, "evidenceLength": 3}
        voted = {"lockId": lock_id, "judge": judge, "forPayer": for_payer}
        decided = {"lockId": lock_id, "forPayer": for_payer}
        changed = {"account": NODES[0], "lockId": lock_id, "previous": 3, "current": 4}
        return [
            Event("DisputeCourt", "EvidenceAdded", added),
            Event("DisputeCourt", "Voted", voted),
            Event("DisputeCourt", "CaseDecided", decided),
            end,
            Event("CreditBook", "CreditChanged", changed),
        ]

    # ---- the market, the consortium, money

    def _market(self, model: Model) -> list[Event]:
        going = [key[0] for key, row in model.tables["broadcasts"].items() if row["state"] == 1]
        if not going or self.rng.random() < 0.3:
            conditions = {
                "windowFrom": 1,
                "windowTo": 2,
                "kind": 1,
                "groupSize": 2,
                "threshold": 2,
                "maxPriceWei": 2**96 - 1,
                "respondBy": 1_800_000_000,
                "selectBy": 1_800_000_001,
                "openingsLength": 5,
                "openingsDigest": self._word(),
                "nonce": self._word(),
                "regions": self.rng.sample(REGIONS, self.rng.randrange(1, 3)),
                "purpose": self.rng.choice([b"a study", b"\xff\x00", "étude ".encode() * 30]),
            }
            args: dict[str, Any] = {"broadcastId": self._word(), "requester": PEOPLE[2]}
            args |= {"applicationWei": 10**14, "conditions": conditions}
            return [Event("DataMarket", "Broadcast", args)]
        broadcast_id = self.rng.choice(going)
        standing = [key[1] for key in model.tables["responses"] if key[0] == broadcast_id]
        free = [one for one in NODES if one not in standing]
        kind = self.rng.randrange(5)
        if kind <= 1 and free:
            replaced = self.rng.choice(standing) if standing and kind else NOBODY
            args = {"broadcastId": broadcast_id, "processor": self.rng.choice(free)}
            args |= {"dataSetId": self._word(), "priceWei": 9, "credit": 3, "replaced": replaced}
            args |= {"rulesVersion": 2, "sharingVersion": 3}
            return [Event("DataMarket", "Responded", args)]
        if kind == 2 and standing:
            args = {"broadcastId": broadcast_id, "processor": self.rng.choice(standing)}
            return [Event("DataMarket", "ResponseWithdrawn", args)]
        if kind == 3 and standing:
            return self._select(model, broadcast_id)
        args = {"broadcastId": broadcast_id, "standingResponders": len(standing)}
        return [Event("DataMarket", "BroadcastClosed", args)]

    def _consortium(self, model: Model) -> list[Event]:
        votes = {who: row for (who,), row in model.tables["voters"].items() if row["since"]}
        if len(votes) < 3 or self.rng.random() < 0.1:
            who = self.rng.choice(PEOPLE)
            name = "MemberRemoved" if who in votes else "MemberAdded"
            threshold = {"threshold": self.rng.randrange(1, 3)}
            return [
                Event("Consortium", name, {"account": who, **threshold}),
                Event("Consortium", "ThresholdChanged", threshold),
            ]
        pending = [key for key, row in model.tables["proposals"].items() if _is_pending(row)]
        by = self.rng.choice(sorted(votes))
        if not pending or self.rng.random() < 0.2:
            number = len(model.tables["proposals"]) + 1
            args: dict[str, Any] = {"proposalId": number, "by": by, "target": NODES[1]}
            args |= {"valueWei": 2**256 - 1, "data": b"\x01\x02\x03\x04call"}
            approved = {"proposalId": number, "by": by}
            said = [
                Event("Consortium", "Proposed", args),
                Event("Consortium", "Approved", approved),
            ]
            agreed = Event("Consortium", "Agreed", {"proposalId": number})
            return [*said, agreed] if self.rng.random() < 0.5 else said
        (number,) = self.rng.choice(pending)
        if (number, by) in model.tables["approvals"]:
            args = {"proposalId": number, "by": by}
            return [Event("Consortium", "ApprovalWithdrawn", args)]
        if self.rng.random() < 0.3:
            args = {"proposalId": number, "target": NODES[1], "selector": b"abcd", "by": by}
            args["subject"] = self.rng.choice(PURPOSES)
            return [Event("Consortium", "Executed", args)]
        args = {"proposalId": number, "by": by}
        if self.rng.random() < 0.3 and (number, by) not in model.tables["cancel_votes"]:
            said = [Event("Consortium", "CancelVoted", args)]
            over = Event("Consortium", "Cancelled", {"proposalId": number})
            return [*said, over] if self.rng.random() < 0.5 else said
        agreed = Event("Consortium", "Agreed", {"proposalId": number})
        return [Event("Consortium", "Approved", args), agreed]

    def _money(self, model: Model) -> list[Event]:
        owed = sorted(key[0] for key, row in model.tables["withdrawable"].items() if row["amount"])
        if owed and self.rng.random() < 0.6:
            who = self.rng.choice(owed)
            wei = model.tables["withdrawable"][who,]["amount"]
            args = {"account": who, "by": PEOPLE[0], "amountWei": wei}
            return [Event("PrepaidLock", "Withdrawn", args)]
        if self.rng.random() < 0.5:
            args = {"account": self.rng.choice(NODES), "amountWei": 5 * 10**18}
            return [Event("PrepaidLock", "BondTaken", args)]
        args = {"broadcastId": self._word(), "to": self.rng.choice(PEOPLE), "amountWei": 3}
        return [Event("PrepaidLock", "ApplicationReleased", args)]


def _owners_part(model: Model, lock: dict[str, Any]) -> tuple[int, int]:
    """Return what a settlement gives owners, and what the division by rows leaves over."""
    sold = model.tables["data_sets"].get((lock["_subject"],))
    part = lock["price_wei"] // 2 if lock["_is_sale"] else 0
    rest = part if sold is None else part % sold["row_count"]
    return part - rest, rest


def _terms(*, longest_answer: int) -> dict[str, int]:
    return {
        "rulesVersion": 1,
        "sharingVersion": 0 if longest_answer else 2,
        "disputeWindowSeconds": 9,
        "feeBps": 200,
        "ownersBps": 0 if longest_answer else 5_000,
        "longestAnswerBytes": longest_answer,
        "bondWei": 2**96 - 1,
    }


def _is_pending(proposal: dict[str, Any]) -> bool:
    return not proposal["is_executed"] and not proposal["is_cancelled"]
