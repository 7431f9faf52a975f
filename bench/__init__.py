"""Benchmarks: this project and its peers in turn, in one process. Run by `make bench-…`."""
