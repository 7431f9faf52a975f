//go:build tools

// Package kubo pins the IPFS daemon that the network and the storage tests use.
package kubo

import _ "github.com/ipfs/kubo/cmd/ipfs"
