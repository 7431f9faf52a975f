package clique

import (
	"math/rand"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
)

const (
	// turnStep parts the moments at which signers out of turn seal one block.
	turnStep = 100 * time.Millisecond
	// turnGrace is how long they all wait for the one in turn, if it may sign at all.
	turnGrace = 2 * turnStep
)

// turns is when a signer may seal a block on the parent that it was last asked for.
type turns struct {
	lock   sync.Mutex
	parent common.Hash
	due    time.Time
}

// untilOutOfTurn returns how long a signer leaves the block to those who should rather seal it: the one
// in turn, then those whose own turn is furthest away. Who signs shortly before its turn may not sign
// then, and so each block out of turn would cause the next.
//
// The wait begins with the first block asked for on a parent, or at that block's time. At period 0 each
// transaction asks for another one: were the wait to begin anew with each, a stream of transactions
// would put it off for ever.
func (t *turns) untilOutOfTurn(snap *Snapshot, header *types.Header, signer common.Address) time.Duration {
	t.lock.Lock()
	defer t.lock.Unlock()
	if t.parent != header.ParentHash {
		from := time.Unix(int64(header.Time), 0)
		// A block's time is whole seconds: at period 0 it lies up to one second back.
		if now := time.Now(); from.Before(now) {
			from = now
		}
		t.parent, t.due = header.ParentHash, from.Add(waitOutOfTurn(snap, header.Number.Uint64(), signer))
	}
	return time.Until(t.due)
}

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
