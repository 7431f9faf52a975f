"""DataMarket: broadcasts, the form of each, and the groups that were selected."""

from sqlalchemy import Column, Index, SmallInteger, Text

from offchain.chain.enumerations import BroadcastState
from offchain.index.changes import Changes
from offchain.index.decoding import Told
from offchain.index.projection import Projection
from offchain.index.tables import account, happened, number, uint, versioned, word

NOBODY = "0x" + "00" * 20

# purpose: as it was given, which may be any bytes.
broadcasts = versioned(
    "broadcasts",
    word("broadcast_id", key=True),
    account("requester"),
    Column("state", SmallInteger, nullable=False),
    uint("application_wei"),
    number("window_from"),
    number("window_to"),
    number("kind"),
    number("group_size"),
    number("threshold"),
    uint("max_price_wei"),
    number("respond_by"),
    number("select_by"),
    number("openings_length"),
    word("openings_digest"),
    word("nonce"),
    word("purpose"),
    number("began_block"),
    number("began_log"),
)
_open = broadcasts.c.state == int(BroadcastState.OPEN)
Index("broadcasts_open", broadcasts.c.to_block, sqlite_where=_open, postgresql_where=_open)
Index("broadcasts_requester", broadcasts.c.requester, broadcasts.c.to_block)

broadcast_regions = happened("broadcast_regions", word("broadcast_id"), word("region_id"))
Index("broadcast_regions_broadcast", broadcast_regions.c.broadcast_id)

responses = versioned(
    "responses",
    word("broadcast_id", key=True),
    account("processor", key=True),
    word("data_set_id"),
    uint("price_wei"),
    number("credit"),
    number("responded_at"),
    number("rules_version"),
    number("sharing_version"),
    number("said_block"),
    number("said_log"),
)

# One row a lock; members: accounts in the contract's order, one a line.
grants = happened(
    "grants",
    word("lock_id"),
    word("broadcast_id"),
    account("requester"),
    word("group_hash"),
    Column("members", Text, nullable=False),
    word("delivery_keys"),
)
Index("grants_lock", grants.c.lock_id)
Index("grants_broadcast", grants.c.broadcast_id)

grant_members = happened("grant_members", account("account"), word("lock_id"))
Index("grant_members_account", grant_members.c.account)

MARKET = Projection("DataMarket")
_BROADCAST = (broadcasts, "broadcastId")


@MARKET.on("Broadcast", _BROADCAST)
def _broadcast(told: Told, changes: Changes) -> None:
    changes.put(
        broadcasts,
        (told["broadcastId"],),
        told,
        requester=told["requester"],
        state=int(BroadcastState.OPEN),
        application_wei=told["applicationWei"],
        window_from=told["conditions.windowFrom"],
        window_to=told["conditions.windowTo"],
        kind=told["conditions.kind"],
        group_size=told["conditions.groupSize"],
        threshold=told["conditions.threshold"],
        max_price_wei=told["conditions.maxPriceWei"],
        respond_by=told["conditions.respondBy"],
        select_by=told["conditions.selectBy"],
        openings_length=told["conditions.openingsLength"],
        openings_digest=told["conditions.openingsDigest"],
        nonce=told["conditions.nonce"],
        purpose=told["conditions.purpose"],
        began_block=told.block,
        began_log=told.log_index,
    )
    for part, region_id in enumerate(told["conditions.regions"]):
        changes.add(
            broadcast_regions,
            told,
            part=part,
            broadcast_id=told["broadcastId"],
            region_id=region_id,
        )


@MARKET.on("Responded", (responses, "broadcastId"), timed=True)
def _responded(told: Told, changes: Changes) -> None:
    if told["replaced"] != NOBODY:
        changes.end(responses, (told["broadcastId"], told["replaced"]), told)
    changes.put(
        responses,
        (told["broadcastId"], told["processor"]),
        told,
        data_set_id=told["dataSetId"],
        price_wei=told["priceWei"],
        credit=told["credit"],
        responded_at=told.time_s,
        rules_version=told["rulesVersion"],
        sharing_version=told["sharingVersion"],
        said_block=told.block,
        said_log=told.log_index,
    )


@MARKET.on("ResponseWithdrawn", (responses, "broadcastId"))
def _withdrawn(told: Told, changes: Changes) -> None:
    changes.end(responses, (told["broadcastId"], told["processor"]), told)


@MARKET.on("GroupSelected", _BROADCAST)
def _selected(told: Told, changes: Changes) -> None:
    changes.change(broadcasts, (told["broadcastId"],), told, state=int(BroadcastState.SELECTED))
    accounts, lock_ids = told["members"], told["lockIds"]
    keys = b"".join(word.to_bytes(32, "big") for key in told["deliveryKeys"] for word in key)
    for part, lock_id in enumerate(lock_ids):
        changes.add(
            grants,
            told,
            part=part,
            lock_id=lock_id,
            broadcast_id=told["broadcastId"],
            requester=told["requester"],
            group_hash=told["groupHash"],
            members="\n".join(accounts),
            delivery_keys=keys,
        )
    pairs = [(one, lock_id) for one in accounts for lock_id in lock_ids]
    for part, (one, lock_id) in enumerate(pairs):
        changes.add(grant_members, told, part=part, account=one, lock_id=lock_id)


@MARKET.on("BroadcastClosed", _BROADCAST)
def _closed(told: Told, changes: Changes) -> None:
    changes.change(broadcasts, (told["broadcastId"],), told, state=int(BroadcastState.CLOSED))
