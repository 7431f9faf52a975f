"""A permissioned network of one's own: Geth (Clique) signers and a private IPFS swarm.

`plan` says what there is, `genesis`, `geth`, `kubo`, `besu` what each node is given, `processes`
runs them, `operation` puts it together; `voting` changes the signers, `watch` looks at it all.
"""
