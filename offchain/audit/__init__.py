"""What anyone can check: readings, answers, bills, data sets, aggregates, evidence.

Parties, judges and ``dmsm verify`` use the same code.
"""
