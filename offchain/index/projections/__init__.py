"""One module a contract: its tables, and what each of its events does to them."""
