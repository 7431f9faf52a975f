"""Energy, tariffs, bills and advice: pure and exact."""
