"""RequestCatalogue: what may be asked, at what price, under which rules."""

from sqlalchemy import Boolean, Column

from offchain.index.changes import Changes
from offchain.index.decoding import Told
from offchain.index.projection import Projection
from offchain.index.tables import number, uint, versioned, word

request_types = versioned(
    "request_types",
    number("type_id", key=True),
    Column("active", Boolean, nullable=False),
    number("shortest_s"),
    number("dispute_window_s"),
    number("longest_answer_bytes"),
    uint("price_wei"),
    word("name"),
)
sharing_terms = versioned(
    "sharing_terms",
    number("version", key=True),
    number("shortest_s"),
    number("dispute_window_s"),
    uint("application_wei"),
    number("owners_bps"),
)
rules = versioned(
    "rules",
    number("version", key=True),
    number("serve_s"),
    number("decide_s"),
    number("fee_bps"),
    number("bond_bps"),
    number("dispute_bond_bps"),
    uint("serve_gas_wei"),
    uint("dispute_min_wei"),
)

CATALOGUE = Projection("RequestCatalogue")


@CATALOGUE.on("RequestTypeSet", (request_types, "typeId"))
def _type_set(told: Told, changes: Changes) -> None:
    changes.put(
        request_types,
        (told["typeId"],),
        told,
        active=told["active"],
        shortest_s=told["shortestSeconds"],
        dispute_window_s=told["disputeWindowSeconds"],
        longest_answer_bytes=told["longestAnswerBytes"],
        price_wei=told["priceWei"],
        name=told["name"],
    )


@CATALOGUE.on("SharingTermsSet", (sharing_terms, "version"))
def _terms_set(told: Told, changes: Changes) -> None:
    changes.put(
        sharing_terms,
        (told["version"],),
        told,
        shortest_s=told["shortestSeconds"],
        dispute_window_s=told["disputeWindowSeconds"],
        application_wei=told["applicationWei"],
        owners_bps=told["ownersBps"],
    )


@CATALOGUE.on("RulesSet", (rules, "version"))
def _rules_set(told: Told, changes: Changes) -> None:
    changes.put(
        rules,
        (told["version"],),
        told,
        serve_s=told["rules.serveSeconds"],
        decide_s=told["rules.decideSeconds"],
        fee_bps=told["rules.feeBps"],
        bond_bps=told["rules.bondBps"],
        dispute_bond_bps=told["rules.disputeBondBps"],
        serve_gas_wei=told["rules.serveGasWei"],
        dispute_min_wei=told["rules.disputeMinWei"],
    )
