package clique

import (
	"math/rand"
	"time"

	"github.com/ethereum/go-ethereum/common"
)

const (
	// turnStep parts the moments at which signers out of turn seal one block.
	turnStep = 100 * time.Millisecond
	// turnGrace is how long they all wait for the one in turn, if it may sign at all.
	turnGrace = 2 * turnStep
)

// waitOutOfTurn returns how long a signer leaves the block to those who should rather seal it: the
// one in turn, then those whose own turn is furthest away. Who signs shortly before its turn may not
// sign then, and so each block out of turn would cause the next.
func waitOutOfTurn(snap *Snapshot, number uint64, signer common.Address) time.Duration {
	order := snap.signers()
	turn := int(number % uint64(len(order)))
	wait := time.Duration(rand.Int63n(int64(turnStep / 4)))
	if maySeal(snap, number, order[turn]) {
		wait += turnGrace
	}
	for distance := len(order) - 1; distance > 0; distance-- {
		other := order[(turn+distance)%len(order)]
		if other == signer {
			break
		}
		if maySeal(snap, number, other) {
			wait += turnStep
		}
	}
	return wait
}

// maySeal tells whether the rules let a signer seal block number (EIP-225: not if it sealed one
// of the last n/2).
func maySeal(snap *Snapshot, number uint64, signer common.Address) bool {
	limit := uint64(len(snap.Signers)/2 + 1)
	for seen, recent := range snap.Recents {
		if recent == signer && (number < limit || seen > number-limit) {
			return false
		}
	}
	return true
}
