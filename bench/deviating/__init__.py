"""Strategies against the contracts, played in integers (`make bench-deviations`)."""
