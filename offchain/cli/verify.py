"""`dmsm verify`: hold readings and a deployment against the chain. Anyone can, without keys."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from offchain.cli.output import hex_id, show, show_table, utc
from offchain.cli.parameters import DEFAULT_PROFILE, JsonOption, ProfileOption, parse_account
from offchain.errors import DmsmError

if TYPE_CHECKING:
    from offchain.records.answer import AnchoredReading

app = typer.Typer(
    no_args_is_help=True,
    help="Verify readings and the deployment against the chain. Each needs a chain node and the "
    "deployment file; no keys; costs nothing. Exit 1 when something does not hold.",
)
_MAX_PROOF_BYTES = 16_384


@app.command()
def data(
    file: Annotated[Path, typer.Argument(help="An export of `dmsm share export`, CSV or Parquet.")],
    profile: ProfileOption = DEFAULT_PROFILE,
    as_json: JsonOption = False,
) -> None:
    """Rebuild every record of an export and compare the batches with the anchored roots.

    Needs the file, a chain node and the deployment file. Costs nothing. A row counts as proven when
    all rows of its batch are in the file and make the root that the device anchored.
    """
    from offchain.cli.session import reading_gateway
    from offchain.settings import load_profile

    gateway = reading_gateway(load_profile(profile))
    from offchain.audit.reading_check import check_readings
    from offchain.buyer.export import read_export

    readings, false_rows = read_export(file, chain_id=gateway.chain_id)
    found = check_readings(readings, gateway)
    rows = [
        {
            "device": one.device,
            "rows": one.rows,
            "proven": one.anchored,
            "false_batches_from_seq": list(one.false_batches),
            "unproven": one.unproven,
            "ok": one.ok,
        }
        for one in found
    ]
    ok = bool(found) and all(one.ok for one in found) and not false_rows
    if as_json:
        show({"ok": ok, "devices": rows, "false_commitments_rows": false_rows}, as_json=True)
    else:
        show_table(rows, title=f"{file}: {len(readings)} readings")
        if false_rows:
            typer.echo(f"rows whose commitment is not their own: {_some(false_rows)}")
        typer.echo("every reading is as anchored" if ok else "NOT every reading is as anchored")
    raise typer.Exit(0 if ok else 1)


@app.command()
def prove(
    file: Annotated[Path, typer.Argument(help="An export with all readings of the batch.")],
    device: Annotated[str, typer.Option(parser=parse_account, metavar="ACCOUNT")],
    seq: Annotated[int, typer.Option(min=1, help="The reading's number.")],
    out: Annotated[Path, typer.Option(help="Where to write the proof.")] = Path("proof.json"),
    profile: ProfileOption = DEFAULT_PROFILE,
) -> None:
    """Write the proof of one reading: its record, its batch, and the path to the anchored root.

    Needs an export that holds the whole batch, a chain node and the deployment file. Costs nothing.
    Whoever gets the file can verify the reading and learns no other.
    """
    from offchain.cli.session import reading_gateway
    from offchain.settings import load_profile

    gateway = reading_gateway(load_profile(profile))
    from offchain.audit.reading_check import prove_reading
    from offchain.buyer.export import read_export
    from offchain.types import Account

    readings, _ = read_export(file, chain_id=gateway.chain_id)
    opening = prove_reading(readings, device=Account(device), seq=seq, gateway=gateway)
    out.write_text(json.dumps(_to_json(opening), indent=1) + "\n", encoding="utf-8")
    show({"device": device, "seq": seq, "proof": str(out)})


@app.command()
def reading(
    proof: Annotated[Path, typer.Argument(help="A proof of `dmsm verify prove`.")],
    profile: ProfileOption = DEFAULT_PROFILE,
    as_json: JsonOption = False,
) -> None:
    """Let the ledger verify one reading (DataLedger.verifyReading) and print it.

    Needs the proof, a chain node and the deployment file. Costs nothing.
    """
    from offchain.cli.session import reading_gateway
    from offchain.settings import load_profile

    settings = load_profile(profile)
    from offchain.audit.reading_check import verify_reading
    from offchain.records import reading as records

    opening = _from_json(proof)
    gateway = reading_gateway(settings)
    ok, record = verify_reading(opening, gateway), records.decode(opening.record)
    facts = {
        "device": record.device,
        "seq": record.seq,
        "time": record.time_s if as_json else utc(record.time_s),
        "import_wh": record.import_wh,
        "export_wh": record.export_wh,
        "power_w": record.power_w,
        "temperature_dc": record.temperature_dc,
        "flags": record.flags.names(),
        "commitment": hex_id(records.commitment(opening.record)),
        "anchored": ok,
    }
    show(facts, as_json=as_json)
    raise typer.Exit(0 if ok else 1)


@app.command()
def deployment(profile: ProfileOption = DEFAULT_PROFILE, as_json: JsonOption = False) -> None:
    """Read every contract of the deployment file again: is there code at its address?

    Needs a chain node and the deployment file. Costs nothing. The code itself, byte for byte, and
    the wiring are compared by `brownie run check_deployment`.
    """
    from offchain.chain import questions
    from offchain.cli.session import reading_gateway
    from offchain.settings import load_profile

    gateway = reading_gateway(load_profile(profile))
    rows = []
    for name in gateway.deployment.names:
        address = gateway.deployment.address(name)
        code = gateway.endpoint.ask(questions.code(address))
        rows.append(
            {
                "contract": name,
                "address": address,
                "block": gateway.deployment.block(name),
                "code_bytes": len(code),
                "ok": len(code) > 0,
            }
        )
    show_table(rows, title=f"chain {gateway.chain_id}", as_json=as_json)
    raise typer.Exit(0 if rows and all(row["ok"] for row in rows) else 1)


def _to_json(opening: AnchoredReading) -> dict[str, Any]:
    return {
        "record": opening.record.hex(),
        "from_seq": opening.batch.from_seq,
        "count": opening.batch.count,
        "root": opening.batch.root.hex(),
        "proof": [sibling.hex() for sibling in opening.proof],
    }


def _from_json(path: Path) -> AnchoredReading:
    from offchain.records import canonical_json
    from offchain.records import reading as records
    from offchain.records.answer import AnchoredReading
    from offchain.types import Batch

    try:
        value = canonical_json.parse(path.read_bytes(), max_bytes=_MAX_PROOF_BYTES)
        record = bytes.fromhex(value["record"])
        anchored = Batch(
            device=records.decode(record).device,
            from_seq=value["from_seq"],
            count=value["count"],
            root=bytes.fromhex(value["root"]),
        )
        proof = tuple(bytes.fromhex(sibling) for sibling in value["proof"])
    except (KeyError, TypeError, ValueError, DmsmError) as error:
        raise DmsmError(f"{path} is not a proof of a reading: {error}") from error
    return AnchoredReading(record=record, batch=anchored, proof=proof)


def _some(numbers: list[int]) -> str:
    shown = ", ".join(str(number) for number in numbers[:10])
    return shown if len(numbers) <= 10 else f"{shown}, … ({len(numbers)} in all)"
