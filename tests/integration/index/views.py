"""What the contracts' views say, beside what the tables say of the same block."""

from __future__ import annotations

from typing import Any

from eth_hash.auto import keccak

from offchain.chain.gateway import ChainGateway
from offchain.index.asked import consents as asked_consents
from offchain.index.asked import data_sets as asked_data_sets
from offchain.index.asked import locks as asked_locks
from offchain.index.asked import market as asked_market
from offchain.index.asked import proposals as asked_proposals
from offchain.index.asked import tariffs as asked_tariffs
from offchain.index.asked.rows import Row, end_of, rows, said
from offchain.index.chain_index import ChainIndex
from offchain.index.projections import (
    catalogue,
    consents,
    consortium,
    court,
    data_sets,
    ledger,
    locks,
    market,
    notifications,
    purse,
    registry,
    tariffs,
)
from offchain.member.broadcast import conditions_in
from offchain.member.data_sets import published_in
from offchain.member.locks import LockBook, lock_of
from offchain.member.registration import NO_ADDRESS
from offchain.member.tariff_book import SERIES, TARIFFS


def require_views(index: ChainIndex, gateway: ChainGateway, block: int) -> int:
    """Compare all rows of a block with the contracts' views there; return how many."""
    checks = {
        locks.locks: _lock,
        registry.members: _member,
        consents.consents: _consent,
        data_sets.draws: _draw,
        purse.withdrawable: _withdrawable,
        market.broadcasts: _broadcast,
        court.cases: _case,
        consortium.proposals: _proposal,
        consortium.voters: _voter,
        consortium.thresholds: _threshold,
        consortium.floors: _floor,
        notifications.policies: _policy,
        catalogue.request_types: _request_type,
        catalogue.sharing_terms: _sharing_terms,
        catalogue.rules: _rules,
        ledger.batches: _batch,
        data_sets.data_sets: _data_set,
        tariffs.tariffs: _tariff,
        tariffs.price_series: _price_series,
    }
    compared = 0
    for table, check in checks.items():
        for row in rows(index, said(table, block)):
            check(index, gateway, row, block)
            compared += 1
    return compared


def _lock(index: ChainIndex, gateway: ChainGateway, row: Row, block: int) -> None:
    book = LockBook(gateway, index)
    book._as_of = block
    assert lock_of(row) == book.lock(row["lock_id"])
    names = [one.name for one in asked_locks.steps(index, row["lock_id"], block)]
    assert names[0] in ("Requested", "Selected")


def _member(index: ChainIndex, gateway: ChainGateway, row: Row, block: int) -> None:
    profile, active = _call(gateway, block, "MemberRegistry", "memberOf", row["account"])
    assert (profile.role, active) == (row["role"], row["active"])
    assert bytes(profile.regionId) == row["region_id"]
    assert profile.owner == row["owner"]
    assert _bytes(profile.blsKey) == row["bls_key"]
    assert _bytes(profile.deliveryKey) == row["delivery_key"]
    is_company = row["role"] in (1, 2, 5)
    holder = _call(gateway, block, "MemberRegistry", "holderOfName", keccak(row["name"]))
    assert holder == (row["account"] if is_company else NO_ADDRESS)
    assert bool(row["name"]) == is_company


def _consent(index: ChainIndex, gateway: ChainGateway, row: Row, block: int) -> None:
    device, purpose = row["device"], row["purpose"]
    last = asked_consents.last_words(index, purpose, end_of(block), devices=[device])[device]
    assert _call(gateway, block, "ConsentBook", "expiryOf", device, purpose) == last["expires_at"]


def _withdrawable(index: ChainIndex, gateway: ChainGateway, row: Row, block: int) -> None:
    owed = _call(gateway, block, "PrepaidLock", "withdrawableOf", row["account"])
    assert owed == row["amount_wei"], row["account"]


def _broadcast(index: ChainIndex, gateway: ChainGateway, row: Row, block: int) -> None:
    broadcast_id = row["broadcast_id"]
    found = _call(gateway, block, "DataMarket", "broadcastOf", broadcast_id)
    assert (found.requester, found.state) == (row["requester"], row["state"])
    assert found.wanted.selectBy == row["select_by"]
    conditions = conditions_in(index, row, block)
    assert conditions.id(gateway, row["requester"]) == broadcast_id
    form = _call(gateway, block, "DataMarket", "formOf", broadcast_id)
    lines = asked_market.form(index, broadcast_id, block)
    assert [(one.processor, one.priceWei, one.credit, one.respondedAt) for one in form] == [
        (one["processor"], one["price_wei"], one["credit"], one["responded_at"]) for one in lines
    ]
    assert [(one.rulesVersion, one.sharingVersion) for one in form] == [
        (one["rules_version"], one["sharing_version"]) for one in lines
    ]


def _case(index: ChainIndex, gateway: ChainGateway, row: Row, block: int) -> None:
    it = _call(gateway, block, "DisputeCourt", "caseOf", row["lock_id"])
    assert (it.openedAt, it.decideBy, it.needed) == (
        row["opened_at"],
        row["decide_by"],
        row["needed"],
    )
    votes = row["votes_for_payer"], row["votes_for_payee"], row["is_decided"]
    assert (it.votesForPayer, it.votesForPayee, it.isDecided) == votes


def _proposal(index: ChainIndex, gateway: ChainGateway, row: Row, block: int) -> None:
    number = row["proposal_id"]
    it = _call(gateway, block, "Consortium", "proposalOf", number)
    times = row["proposed_at"], row["first_agreed_at"], row["agreed_at"]
    assert (it.proposedAt, it.firstAgreedAt, it.agreedAt) == times
    assert (it.isExecuted, it.isCancelled) == (row["is_executed"], row["is_cancelled"])
    approved = asked_proposals.approvals_of(index, number, block)
    assert _call(gateway, block, "Consortium", "approvalsOf", number) == len(approved)


def _voter(index: ChainIndex, gateway: ChainGateway, row: Row, block: int) -> None:
    since = _call(gateway, block, "Consortium", "memberSince", row["account"])
    assert since == row["since"]


def _threshold(index: ChainIndex, gateway: ChainGateway, row: Row, block: int) -> None:
    assert _call(gateway, block, "Consortium", "threshold") == row["threshold"]


def _floor(index: ChainIndex, gateway: ChainGateway, row: Row, block: int) -> None:
    assert _call(gateway, block, "Consortium", "floorOf", row["subject"]) == row["proposal_id"]


def _policy(index: ChainIndex, gateway: ChainGateway, row: Row, block: int) -> None:
    it = _call(gateway, block, "NotificationBoard", "policyOf", row["device"])
    assert (it.lowPowerW, it.highPowerW, it.highFeedInW, it.heartbeatSeconds) == (
        row["low_power_w"],
        row["high_power_w"],
        row["high_feed_in_w"],
        row["heartbeat_s"],
    )


def _request_type(index: ChainIndex, gateway: ChainGateway, row: Row, block: int) -> None:
    it = _call(gateway, block, "RequestCatalogue", "typeOf", row["type_id"])
    assert (it.active, it.priceWei) == (row["active"], row["price_wei"])
    assert it.longestAnswerBytes == row["longest_answer_bytes"]


def _sharing_terms(index: ChainIndex, gateway: ChainGateway, row: Row, block: int) -> None:
    it = _call(gateway, block, "RequestCatalogue", "sharingTermsAt", row["version"])
    assert (it.shortestSeconds, it.applicationWei) == (row["shortest_s"], row["application_wei"])
    assert it.ownersBps == row["owners_bps"]


def _rules(index: ChainIndex, gateway: ChainGateway, row: Row, block: int) -> None:
    it = _call(gateway, block, "RequestCatalogue", "rulesAt", row["version"])
    assert (it.serveSeconds, it.serveGasWei, it.feeBps, it.bondBps, it.disputeMinWei) == (
        row["serve_s"],
        row["serve_gas_wei"],
        row["fee_bps"],
        row["bond_bps"],
        row["dispute_min_wei"],
    )


def _batch(index: ChainIndex, gateway: ChainGateway, row: Row, block: int) -> None:
    anchor = _call(gateway, block, "DataLedger", "anchorOf", row["device"], row["from_seq"])
    assert any(bytes(anchor))
    next_seq = _call(gateway, block, "DataLedger", "nextSeqOf", row["device"])
    assert row["next_seq"] <= next_seq


def _data_set(index: ChainIndex, gateway: ChainGateway, row: Row, block: int) -> None:
    data_set_id = row["data_set_id"]
    it = _call(gateway, block, "DataSetBook", "offerOf", data_set_id)
    said = row["processor"], row["window_from"], row["window_to"], row["kind"], row["sale_until"]
    assert tuple(it) == said
    it = _call(gateway, block, "DataSetBook", "earningsOf", data_set_id)
    said = row["per_row_wei"], row["pot_wei"], row["row_count"], row["device_count"]
    assert tuple(it) == (*said, row["owners_root"])
    assert published_in(row).is_proven(gateway)


def _draw(index: ChainIndex, gateway: ChainGateway, row: Row, block: int) -> None:
    key = row["data_set_id"], row["device"]
    same = [
        one for one in asked_data_sets.draws_of(index, key[0], block) if one["device"] == key[1]
    ]
    drawn = _call(gateway, block, "DataSetBook", "perRowDrawnOf", *key)
    assert drawn == same[-1]["per_row_wei"]


def _tariff(index: ChainIndex, gateway: ChainGateway, row: Row, block: int) -> None:
    key = row["region_id"], row["product"]
    entries = asked_tariffs.entries_of(index, *key, block)
    assert row in entries
    assert _call(gateway, block, "TariffBook", "headOf", *key) == TARIFFS.head(entries)


def _price_series(index: ChainIndex, gateway: ChainGateway, row: Row, block: int) -> None:
    key = row["region_id"], row["name"]
    entries = asked_tariffs.series_of(index, *key, block)
    assert row in entries
    assert _call(gateway, block, "TariffBook", "seriesHeadOf", *key) == SERIES.head(entries)


def _call(gateway: ChainGateway, block: int, contract: str, function: str, *args: Any) -> Any:
    return gateway.call(contract, function, *args, block=block)


def _bytes(point: Any) -> bytes:
    return b"".join(word.to_bytes(32, "big") for word in point)
