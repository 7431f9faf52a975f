"""The consortium's judges: cases from the chain, evidence from the parties, verdicts from the bytes
(protocol §3, docs/formats.md §16).
"""
