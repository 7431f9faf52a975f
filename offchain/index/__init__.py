"""The chain in tables: what the contracts' events say, row by row and block by block.

It informs: lists, searches, waits and inboxes read it. The contracts decide: what releases money,
keys or data asks them at a final block before it acts.
"""
