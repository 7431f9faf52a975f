"""MemberRegistry: who takes part."""

from sqlalchemy import Boolean, Column, Index, SmallInteger

from offchain.index.changes import Changes
from offchain.index.decoding import Told
from offchain.index.projection import Projection
from offchain.index.tables import account, happened, number, versioned, word

members = versioned(
    "members",
    account("account", key=True),
    Column("role", SmallInteger, nullable=False),
    word("region_id"),
    account("owner"),
    word("id_commitment"),
    word("paillier_digest"),
    word("bls_key"),
    word("delivery_key"),
    word("name"),
    Column("active", Boolean, nullable=False),
    number("admitted_block"),
    number("admitted_log"),
)
# Every name that was ever given, as the chain's bytes: each stays its account's.
member_names = happened("member_names", account("account"), word("name"))
Index("members_role", members.c.role, members.c.region_id, members.c.to_block)
Index("members_owner", members.c.owner, members.c.to_block)

revocations = happened("revocations", account("account"))
Index("revocations_account", revocations.c.account)

REGISTRY = Projection("MemberRegistry")


@REGISTRY.on("MemberAdmitted", (members, "account"))
def _admitted(told: Told, changes: Changes) -> None:
    changes.put(
        members,
        (told["account"],),
        told,
        role=told["role"],
        region_id=told["regionId"],
        owner=told["owner"],
        id_commitment=told["idCommitment"],
        paillier_digest=told["paillierDigest"],
        bls_key=_words(told, "blsKey", ("xIm", "xRe", "yIm", "yRe")),
        delivery_key=_words(told, "deliveryKey", ("x", "y")),
        name=told["name"],
        active=True,
        admitted_block=told.block,
        admitted_log=told.log_index,
    )
    if told["name"]:
        changes.add(member_names, told, account=told["account"], name=told["name"])


@REGISTRY.on("MemberRenamed", (members, "account"))
def _renamed(told: Told, changes: Changes) -> None:
    changes.change(members, (told["account"],), told, name=told["name"])
    changes.add(member_names, told, account=told["account"], name=told["name"])


@REGISTRY.on("MemberRevoked", (members, "account"))
def _revoked(told: Told, changes: Changes) -> None:
    changes.change(members, (told["account"],), told, active=False)
    changes.add(revocations, told, account=told["account"])


def _words(told: Told, name: str, fields: tuple[str, ...]) -> bytes:
    return b"".join(told[f"{name}.{field}"].to_bytes(32, "big") for field in fields)
