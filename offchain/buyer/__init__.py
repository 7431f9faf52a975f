"""The data-sharing node: it asks for data, pays, and opens them with its group."""
