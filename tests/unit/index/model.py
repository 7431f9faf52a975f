"""What the chain's events mean, in plain dictionaries: one pass, no blocks, no SQL."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from tests.unit.index.simulated import Event, SimulatedChain

NOBODY = "0x" + "00" * 20
TREASURY_FEE_BPS = 200
_ENDS = {"Rejected": 2, "Declined": 6, "Settled": 8, "Refunded": 9, "Slashed": 12}
_STEPS = {"Accepted": 3, "Claimed": 4, "Delivered": 7, "Demanded": 10, "Served": 4, "Disputed": 11}


class Model:
    """Tables by name: rows by key, of what holds; and how much was told of what only happens."""

    def __init__(self, treasury: str) -> None:
        self.tables: dict[str, dict[tuple[Any, ...], dict[str, Any]]] = defaultdict(dict)
        self.counts: dict[str, int] = defaultdict(int)
        self.words: dict[tuple[str, bytes], dict[str, Any]] = {}  # the last one on each consent
        self._treasury = treasury
        self._threshold = 0

    @classmethod
    def of(cls, chain: SimulatedChain, *, until: int | None = None) -> Model:
        """Return what the chain says up to the end of a block."""
        model = cls(chain.deployment.address("Consortium"))
        for block, index, event in chain.told():
            if until is None or block.number <= until:
                model.apply(block.number, block.time_s, index, event)
        return model

    def apply(self, block: int, time_s: int, index: int, event: Event) -> None:
        args, name = event.args, event.name
        if name in ("Requested", "Selected") or name in _STEPS or name in _ENDS:
            self._lock(name, args)
        effect = getattr(self, f"_{name}", None)
        if effect is not None:
            effect(args, time_s)

    def _owe(self, who: str, wei: int) -> None:
        if wei:
            row = self.tables["withdrawable"].setdefault((who,), {"amount": 0})
            row["amount"] += wei
            self.counts["payouts"] += 1

    def _lock(self, name: str, args: dict[str, Any]) -> None:
        self.counts["lock_steps"] += 1
        key = (args["lockId"],)
        if name in ("Requested", "Selected"):
            order = args["order"]
            self.counts["requests" if name == "Requested" else "selections"] += 1
            self.tables["locks"][key] = {
                "payer": args["payer"],
                "payee": args["payee"],
                "state": 1 if name == "Requested" else 5,
                "is_ended": False,
                "is_demanded": False,
                "price_wei": order.get("priceWei", args.get("priceWei")),
                "due_at": 0,
                "answer_length": order["terms"]["longestAnswerBytes"],
                "owners_bps": order["terms"]["ownersBps"],
                "_is_sale": name == "Selected",
                "_subject": order.get("dataSetId"),
            }
            return
        lock = self.tables["locks"][key]
        was = dict(lock)
        lock["state"] = (_STEPS | _ENDS)[name]
        lock["is_ended"] = name in _ENDS
        lock["due_at"] = args.get("dueAt", lock["due_at"])
        lock["is_demanded"] |= name == "Demanded"
        if name == "Accepted":
            lock["answer_length"] = args["answerLength"]
        if name in ("Rejected", "Declined"):
            self._owe(lock["payer"], lock["price_wei"])
        if name == "Disputed":
            lock["_by"], lock["_bond"] = args["by"], args["bondWei"]
            self.counts["evidence"] += 1
        if name == "Demanded":
            lock["_deposit"] = args["depositWei"]
        if name == "Served":
            self._owe(lock["payee"], args["paidWei"])
            self._owe(lock["payer"], was["_deposit"] - args["paidWei"])
        if name == "Settled":
            earned = args["priceWei"] - args["feeWei"] - args["ownersWei"] + args["gainWei"]
            self._owe(lock["payee"], earned)
            self._owe(self._treasury, args["feeWei"])
            if args["ownersWei"]:
                sold = self.tables["data_sets"][lock["_subject"],]
                sold["per_row_wei"] += args["ownersWei"] // sold["row_count"]
                sold["pot_wei"] += args["ownersWei"]
        if name in ("Refunded", "Slashed"):
            back = args["priceWei"] + args["gainWei"]
            if name == "Slashed" and was["state"] == 10:
                back += was["_deposit"]
            self._owe(lock["payer"], back)
            self._owe(self._treasury, args.get("feeWei", 0))
            if was["state"] == 11:
                self._owe(was["_by"], was["_bond"])

    def _MemberAdmitted(self, args: dict[str, Any], time_s: int) -> None:
        row = {"role": args["role"], "region_id": args["regionId"], "owner": args["owner"]}
        row["name"] = args["name"]
        self.tables["members"][args["account"],] = {**row, "active": True}
        self.counts["member_names"] += bool(args["name"])

    def _MemberRenamed(self, args: dict[str, Any], time_s: int) -> None:
        self.tables["members"][args["account"],]["name"] = args["name"]
        self.counts["member_names"] += 1

    def _MemberRevoked(self, args: dict[str, Any], time_s: int) -> None:
        self.tables["members"][args["account"],]["active"] = False
        self.counts["revocations"] += 1

    def _ConsentGiven(self, args: dict[str, Any], time_s: int) -> None:
        row = {"owner": args["owner"], "expires_at": args.get("expiresAt", 0)}
        self.words[args["device"], args["purpose"]] = row
        self.counts["consents"] += 1

    _ConsentWithdrawn = _ConsentGiven

    def _TariffAppended(self, args: dict[str, Any], time_s: int) -> None:
        self.counts["tariffs"] += 1

    def _SeriesPublished(self, args: dict[str, Any], time_s: int) -> None:
        self.counts["price_series"] += 1

    def _BatchAnchored(self, args: dict[str, Any], time_s: int) -> None:
        self.counts["batches"] += 1

    def _DataSetPublished(self, args: dict[str, Any], time_s: int) -> None:
        publication = args["publication"]
        row = {"processor": args["processor"], "region_id": args["regionId"]}
        row |= {"row_count": publication["rowCount"], "sale_until": publication["saleUntil"]}
        row |= {"published_until": publication["saleUntil"], "per_row_wei": 0, "pot_wei": 0}
        row |= {"owners_root": publication["ownersRoot"], "is_retired": False}
        self.tables["data_sets"][args["dataSetId"],] = row

    def _DataSetRetired(self, args: dict[str, Any], time_s: int) -> None:
        row = self.tables["data_sets"][args["dataSetId"],]
        row |= {"sale_until": time_s, "is_retired": True, "retired_for": args["device"]}

    def _Drawn(self, args: dict[str, Any], time_s: int) -> None:
        self.tables["data_sets"][args["dataSetId"],]["pot_wei"] -= args["amountWei"]
        self.counts["draws"] += 1
        self._owe(args["owner"], args["amountWei"])

    def _StatusChanged(self, args: dict[str, Any], time_s: int) -> None:
        self.counts["notifications"] += 1

    _SealedReport = _StatusChanged

    def _PolicySet(self, args: dict[str, Any], time_s: int) -> None:
        row = {"owner": args["owner"], "high_power_w": args["policy"]["highPowerW"]}
        row |= {"high_feed_in_w": args["policy"]["highFeedInW"]}
        self.tables["policies"][args["device"],] = row

    def _RequestTypeSet(self, args: dict[str, Any], time_s: int) -> None:
        row = {"active": args["active"], "price_wei": args["priceWei"]}
        row["longest_answer_bytes"] = args["longestAnswerBytes"]
        self.tables["request_types"][args["typeId"],] = row

    def _CreditChanged(self, args: dict[str, Any], time_s: int) -> None:
        self.counts["credit_changes"] += 1

    def _Broadcast(self, args: dict[str, Any], time_s: int) -> None:
        row = {"requester": args["requester"], "state": 1}
        row["purpose"] = args["conditions"]["purpose"]
        self.tables["broadcasts"][args["broadcastId"],] = row
        self.counts["broadcast_regions"] += len(args["conditions"]["regions"])

    def _Responded(self, args: dict[str, Any], time_s: int) -> None:
        self.tables["responses"].pop((args["broadcastId"], args["replaced"]), None)
        key = args["broadcastId"], args["processor"]
        row = {"credit": args["credit"], "responded_at": time_s}
        row |= {"rules_version": args["rulesVersion"], "sharing_version": args["sharingVersion"]}
        self.tables["responses"][key] = row

    def _ResponseWithdrawn(self, args: dict[str, Any], time_s: int) -> None:
        del self.tables["responses"][args["broadcastId"], args["processor"]]

    def _GroupSelected(self, args: dict[str, Any], time_s: int) -> None:
        self.tables["broadcasts"][args["broadcastId"],]["state"] = 2
        self.counts["grants"] += len(args["lockIds"])
        self.counts["grant_members"] += len(args["lockIds"]) * len(args["members"])

    def _BroadcastClosed(self, args: dict[str, Any], time_s: int) -> None:
        self.tables["broadcasts"][args["broadcastId"],]["state"] = 3

    def _CaseOpened(self, args: dict[str, Any], time_s: int) -> None:
        row = {"opened_at": time_s, "needed": args["needed"], "is_decided": False}
        row |= {"votes_for_payer": 0, "votes_for_payee": 0}
        self.tables["cases"][args["lockId"],] = row

    def _Voted(self, args: dict[str, Any], time_s: int) -> None:
        side = "votes_for_payer" if args["forPayer"] else "votes_for_payee"
        self.tables["cases"][args["lockId"],][side] += 1
        self.counts["votes"] += 1

    def _CaseDecided(self, args: dict[str, Any], time_s: int) -> None:
        self.tables["cases"][args["lockId"],]["is_decided"] = True

    def _EvidenceAdded(self, args: dict[str, Any], time_s: int) -> None:
        self.counts["evidence"] += 1

    def _MemberAdded(self, args: dict[str, Any], time_s: int) -> None:
        before = self.tables["voters"].get((args["account"],), {"term": 0})
        row = {"since": time_s, "term": before["term"] + 1}
        self.tables["voters"][args["account"],] = row

    def _MemberRemoved(self, args: dict[str, Any], time_s: int) -> None:
        self.tables["voters"][args["account"],]["since"] = 0

    def _ThresholdChanged(self, args: dict[str, Any], time_s: int) -> None:
        self._threshold = args["threshold"]

    def _Proposed(self, args: dict[str, Any], time_s: int) -> None:
        row = {"by": args["by"], "value_wei": args["valueWei"], "proposed_at": time_s}
        key = (args["proposalId"],)
        self.tables["proposals"][key] = {
            **row,
            "first_agreed_at": 0,
            "agreed_at": 0,
            "is_executed": False,
            "is_cancelled": False,
        }

    def _Approved(self, args: dict[str, Any], time_s: int) -> None:
        term = self.tables["voters"][args["by"],]["term"]
        self.tables["approvals"][args["proposalId"], args["by"]] = {"term": term}

    def _ApprovalWithdrawn(self, args: dict[str, Any], time_s: int) -> None:
        del self.tables["approvals"][args["proposalId"], args["by"]]
        standing = 0
        for (number, by), row in self.tables["approvals"].items():
            voter = self.tables["voters"][by,]
            is_in = number == args["proposalId"] and voter["since"] != 0
            standing += is_in and voter["term"] == row["term"]
        if standing < self._threshold:
            self.tables["proposals"][args["proposalId"],]["agreed_at"] = 0

    def _Agreed(self, args: dict[str, Any], time_s: int) -> None:
        row = self.tables["proposals"][args["proposalId"],]
        row["agreed_at"] = time_s
        row["first_agreed_at"] = row["first_agreed_at"] or time_s

    def _CancelVoted(self, args: dict[str, Any], time_s: int) -> None:
        term = self.tables["voters"][args["by"],]["term"]
        self.tables["cancel_votes"][args["proposalId"], args["by"]] = {"term": term}

    def _Cancelled(self, args: dict[str, Any], time_s: int) -> None:
        self.tables["proposals"][args["proposalId"],]["is_cancelled"] = True

    def _SharingTermsSet(self, args: dict[str, Any], time_s: int) -> None:
        row = {"application_wei": args["applicationWei"]}
        self.tables["sharing_terms"][args["version"],] = row

    def _Executed(self, args: dict[str, Any], time_s: int) -> None:
        self.tables["proposals"][args["proposalId"],]["is_executed"] = True
        self.tables["floors"][args["subject"],] = {"proposal_id": args["proposalId"]}

    def _BondTaken(self, args: dict[str, Any], time_s: int) -> None:
        self._owe(args["account"], args["amountWei"])

    def _ApplicationReleased(self, args: dict[str, Any], time_s: int) -> None:
        self._owe(args["to"], args["amountWei"])

    def _Withdrawn(self, args: dict[str, Any], time_s: int) -> None:
        self.tables["withdrawable"][args["account"],]["amount"] -= args["amountWei"]
        self.counts["payouts"] += 1
