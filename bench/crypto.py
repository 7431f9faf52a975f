"""`make bench-crypto`: each figure as `name value limit ok|MISSED`; table and plot in docs/.

Exits with 1 when a figure is missed that bench/missed.toml does not explain. `--quick` leaves out
3072 bits and the last decade of growth and writes nothing.
"""

import argparse
import sys
from pathlib import Path

from bench.crypto_groups import group_figures
from bench.crypto_paillier import growth_figures, paillier_figures
from bench.figures import Figure, draw_ratios, unexplained, write_table

DOCS = Path(__file__).resolve().parents[1] / "docs" / "benchmarks"
TITLE = "Cryptography: this project and its Python peers"
PREFACE = (
    "Made by `make bench-crypto`: peers and ours in turn in one process, CPU time, medians of the "
    "rounds; a ratio is the median of the ratios round by round. Peers: phe 1.5 with gmpy2, "
    "pypaillier 0.8, py_ecc 8. Same keys, same values; tables of fixed bases made beforehand for "
    "both that have them. Figures without a limit are for information.\n\n"
    "![ratios](crypto.svg)"
)


def main() -> int:
    """Measure, print, write; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    figures: list[Figure] = []
    for bits in (2048,) if quick else (2048, 3072):
        figures += _shown(paillier_figures(bits))
    figures += _shown(group_figures())
    figures += _shown(growth_figures(10**4 if quick else 10**6))
    if not quick:
        write_table(figures, DOCS / "crypto.md", title=TITLE, preface=PREFACE)
        draw_ratios(figures, DOCS / "crypto.svg", title=TITLE)
    names = unexplained(figures)
    if names:
        print("missed without a reason in bench/missed.toml:", ", ".join(names), file=sys.stderr)
    return 1 if names else 0


def _shown(figures: list[Figure]) -> list[Figure]:
    for figure in figures:
        print(figure.line(), flush=True)
    return figures


if __name__ == "__main__":
    raise SystemExit(main())
