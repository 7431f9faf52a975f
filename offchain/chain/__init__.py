"""Access to the chain by web3.py: deployments, calls, transactions, events, reverts."""
