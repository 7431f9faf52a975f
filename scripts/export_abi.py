"""Write the ABIs that the off-chain code reads, from Brownie's build artifacts.

    python scripts/export_abi.py            after `brownie compile`
    python scripts/export_abi.py --check    exit 1 when the checked-in ABIs differ from the build

One canonical JSON file a contract, the ABI alone, sorted: equal contracts give equal bytes. solc
puts the errors that internal library code can raise into the ABI; those of a contract that it
calls stand in that one's. The errors of its own interface are added, used already or not.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
ABI_FOLDER = ROOT / "offchain" / "chain" / "abi"
CONTRACTS = (
    "MemberRegistry",
    "RequestCatalogue",
    "ConsentBook",
    "TariffBook",
    "DataLedger",
    "NotificationBoard",
    "DataSetBook",
    "CreditBook",
    "DisputeCourt",
    "PrepaidLock",
    "DataMarket",
    "Consortium",
)


def canonical_abi(name: str, build: Path = BUILD) -> str:
    """Return the ABI of a built contract as canonical JSON text.

    Raises FileNotFoundError when it is not built.
    """
    artifact = _read(build / "contracts" / f"{name}.json")
    entries = list(artifact["abi"])
    interface = build / "interfaces" / f"I{name}.json"
    if interface.exists():
        entries += [entry for entry in _read(interface)["abi"] if entry["type"] == "error"]
    unique = {json.dumps(entry, sort_keys=True): entry for entry in entries}
    ordered = sorted(unique.values(), key=lambda entry: (entry["type"], _signature(entry)))
    return json.dumps(ordered, indent=1, sort_keys=True) + "\n"


def differing(build: Path = BUILD, folder: Path = ABI_FOLDER) -> list[str]:
    """Return the contracts whose checked-in ABI is not that of the build."""
    return [
        name
        for name in CONTRACTS
        if not (folder / f"{name}.json").exists()
        or (folder / f"{name}.json").read_text(encoding="utf-8") != canonical_abi(name, build)
    ]


def main() -> int:
    """Write or check the ABIs; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    parser.add_argument("--build", type=Path, default=BUILD, help="Brownie's build folder")
    options = parser.parse_args()
    try:
        changed = differing(options.build)
    except FileNotFoundError as error:
        print(f"{error.filename} is missing: run `brownie compile` first", file=sys.stderr)
        return 1
    if options.check:
        for name in changed:
            print(f"{name}: the checked-in ABI is not the build's; run scripts/export_abi.py")
        return 1 if changed else 0
    ABI_FOLDER.mkdir(parents=True, exist_ok=True)
    for name in changed:
        text = canonical_abi(name, options.build)
        (ABI_FOLDER / f"{name}.json").write_text(text, encoding="utf-8")
        print(f"{name}: written")
    return 0


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _signature(entry: dict[str, Any]) -> str:
    types = ",".join(json.dumps(part, sort_keys=True) for part in entry.get("inputs", []))
    return f"{entry.get('name', '')}({types})"


if __name__ == "__main__":
    sys.exit(main())
