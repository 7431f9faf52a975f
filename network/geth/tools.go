//go:build tools

// Package geth pins the Ethereum client that the project's networks run:
// `go mod tidy` keeps a requirement only for what some file imports.
package geth

import _ "github.com/ethereum/go-ethereum/cmd/geth"
