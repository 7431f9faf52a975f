#!/bin/sh
# Recompute the lock files from the *.in files. Needs `uv` on the PATH (or UV=/path/to/uv).
# dev.txt is solved first because Brownie pins the most; run.txt then takes the same versions.
set -eu
cd "$(dirname "$0")"
compile() {
    "${UV:-uv}" pip compile --quiet --python-version 3.11 \
        --python-platform x86_64-unknown-linux-gnu --generate-hashes \
        --no-header --no-emit-index-url --no-emit-find-links "$@"
}
compile dev.in -o dev.txt
compile run.in -c dev.txt -o run.txt
compile build.in -c dev.txt -o build.txt
compile data.in --no-deps -o data.txt
compile bench.in --no-deps -o bench.txt
compile pairing.in --no-deps -o pairing.txt
compile fuzz.in --no-deps -o fuzz.txt
compile proofs.in -o proofs.txt
