//go:build tools

// Package toxiproxy pins the proxy with which a test cuts a network in two.
package toxiproxy

import _ "github.com/Shopify/toxiproxy/v2/cmd/server"
