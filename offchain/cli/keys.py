"""`dmsm keys`: make a member's keys, and what the consortium needs to admit it."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from offchain.cli import key_care, output
from offchain.cli.key_care import Scrypt
from offchain.cli.parameters import DEFAULT_PROFILE, JsonOption, ProfileOption, parse_account
from offchain.settings import SettingsError

if TYPE_CHECKING:
    from offchain.member.keys import MemberKeys

app = typer.Typer(
    no_args_is_help=True,
    help="Make, back up, restore and rotate a member's keys; write its registration.",
)


class KeyRole(StrEnum):
    """Whose keys are made."""

    USER = "user"
    PROCESSOR = "processor"
    SHARER = "sharer"
    CONSORTIUM = "consortium"
    DEVICE = "device"


@app.command()
def new(
    role: Annotated[KeyRole, typer.Option(help="Whose keys.")],
    directory: Annotated[Path, typer.Option("--dir", help="Folder for the keys; made if missing.")],
    password_file: Annotated[
        Path, typer.Option(help="File of mode 0600 whose first line is the password.")
    ],
    identity: Annotated[
        str | None, typer.Option(help="The member's secret ID (default: a random one).")
    ] = None,
    account_key_file: Annotated[
        Path | None,
        typer.Option(help="Take over this account: file of mode 0600 with its private key, hex."),
    ] = None,
    scrypt: Annotated[
        Scrypt,
        typer.Option(help="light: FOR DEVELOPMENT ONLY, 32 times faster to guess."),
    ] = Scrypt.STANDARD,
    as_json: JsonOption = False,
) -> None:
    """Make the keys of a member and print its account.

    Needs nothing but the password file; talks to nobody and costs nothing. Existing keys are never
    overwritten. Back them up with `dmsm keys backup`: nobody else can restore them.
    """
    from offchain.crypto import keystore
    from offchain.member.keys import MemberKeys
    from offchain.types import Role

    password = keystore.read_password(password_file)
    taken = None
    if account_key_file is not None:
        taken = keystore.read_password(account_key_file).reveal().decode("ascii", "replace").strip()
    try:
        made = MemberKeys.generate(Role[role.name], identity=identity, account_key=taken)
    except ValueError as error:
        raise SettingsError(f"{account_key_file} holds no private key (64 hex digits)") from error
    made.save(directory, password, light=scrypt is Scrypt.LIGHT)
    if scrypt is Scrypt.LIGHT:
        typer.echo("dmsm: light scrypt: these keys are for development only", err=True)
    facts = {"account": made.address, "role": role.value, "keys": str(directory)}
    output.show(facts, as_json=as_json)


@app.command()
def registration(
    profile: ProfileOption = DEFAULT_PROFILE,
    region: Annotated[
        str | None, typer.Option(help="The region's name; for processors, users and devices.")
    ] = None,
    owner: Annotated[
        str | None,
        typer.Option(parser=parse_account, metavar="ACCOUNT", help="The owner; for devices alone."),
    ] = None,
    name: Annotated[
        str,
        typer.Option(
            help="The public name; for consortium nodes, processors and sharers. It is taken for "
            "ever.",
            show_default=False,
        ),
    ] = "",
    keys: Annotated[
        Path | None, typer.Option(help="Folder of the keys instead of the profile's.")
    ] = None,
    password_file: Annotated[
        Path | None, typer.Option(help="Password file instead of the profile's.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Where to write it.")] = Path("registration.json"),
) -> None:
    """Write what the consortium needs to admit a member: a company's public name, keys and proofs
    of possession, no secret.

    Needs the member's keys, the deployment file, the chain (to learn its id) and the content store:
    the public Paillier key is published there. Sends no transaction and costs nothing.
    """
    from dataclasses import replace

    from offchain.cli.session import load_keys, open_content, reading_gateway
    from offchain.member.registration import NO_REGION, region_id
    from offchain.settings import load_profile

    settings = load_profile(profile)
    settings = replace(
        settings,
        keys=keys or settings.keys,
        password_file=password_file or settings.password_file,
    )
    member = load_keys(settings)
    _require_fitting(member, region, owner, name)
    gateway = reading_gateway(settings)
    registry = gateway.deployment.address("MemberRegistry")
    made = member.registration(
        chain_id=gateway.chain_id,
        registry=registry,
        region_id=NO_REGION if region is None else region_id(region),
        owner=owner,
        name=name,
    )
    facts = {"account": made.account, "role": member.role.name.lower(), "registration": str(out)}
    if name:
        facts["name"] = name
    if member.paillier is not None:
        with open_content(settings) as store:
            cid = member.publish_paillier_key(store, chain_id=gateway.chain_id, registry=registry)
            facts["paillier_key"] = str(cid)
    out.write_text(made.to_json() + "\n", encoding="utf-8")
    output.show(facts)


for _command in key_care.COMMANDS:
    app.command()(_command)


def _require_fitting(
    member: MemberKeys, region: str | None, owner: str | None, public_name: str
) -> None:
    from offchain.member.public_name import COMPANY_ROLES
    from offchain.types import Role

    name, is_device = member.role.name.lower(), member.role is Role.DEVICE
    has_region = member.role in (Role.PROCESSOR, Role.USER, Role.DEVICE)
    if has_region != (region is not None):
        raise typer.BadParameter(f"a {name} {'needs' if has_region else 'has no'} --region")
    if is_device != (owner is not None):
        raise typer.BadParameter(f"a {name} {'needs' if is_device else 'has no'} --owner")
    is_company = member.role in COMPANY_ROLES
    if is_company != bool(public_name):
        raise typer.BadParameter(f"a {name} {'needs' if is_company else 'has no'} --name")
