package clique

import (
	"encoding/binary"
	"errors"
	"math/big"
	"sync"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/consensus"
	"github.com/ethereum/go-ethereum/core/rawdb"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
)

// The difficulty of a ranked block, from the left: one for the block itself, the rank of its signer,
// a lot. So of two forks the longer one is the heavier, whoever sealed it; of two as long, the one
// whose signers were nearer to their turn; and two that differ in no signer do not differ at all. Sums
// of ranks stay below one block for forks of more than 2,000 blocks and 25 signers.
const (
	rankedBlockBit = 48
	rankBit        = 32
)

var (
	errNotRanked = errors.New("wrong difficulty: this network ranks its signers (rankedBlock in its genesis file), which only the Geth that dmsm builds does")
	errSealed    = errors.New("sealed a block of this height already")
	errOvertaken = errors.New("another block is the head by now")
)

// rankedDifficulty returns the only difficulty that a block of signer on this snapshot may have. It
// follows from parent and signer alone, so that a signer cannot choose it.
func rankedDifficulty(snap *Snapshot, signer common.Address) *big.Int {
	order := snap.signers()
	turn := int((snap.Number + 1) % uint64(len(order)))
	rank := uint64(len(order))
	// As in waitOutOfTurn: the one in turn first, then those whose own turn is furthest away.
	for distance := len(order); distance > 0; distance-- {
		if order[(turn+distance)%len(order)] == signer {
			break
		}
		rank--
	}
	lot := crypto.Keccak256(snap.Hash.Bytes(), signer.Bytes())
	weight := uint64(1)<<rankedBlockBit + rank<<rankBit + uint64(binary.BigEndian.Uint32(lot))
	return new(big.Int).SetUint64(weight)
}

// seals is what a signer remembers of its own blocks.
type seals struct {
	lock sync.Mutex
	last uint64 // the greatest height that was claimed since the start
}

// hasSealed tells whether the signer has sealed a block of this height, on any fork. The database knows
// those of earlier runs: a block is in it, synced to the disk, before a peer gets it.
func (c *Clique) hasSealed(number uint64, signer common.Address) bool {
	c.seals.lock.Lock()
	defer c.seals.lock.Unlock()
	return c.hasSealedLocked(number, signer)
}

func (c *Clique) hasSealedLocked(number uint64, signer common.Address) bool {
	if number <= c.seals.last {
		return true
	}
	for _, hash := range rawdb.ReadAllHashes(c.db, number) {
		header := rawdb.ReadHeader(c.db, hash, number)
		if header == nil {
			continue
		}
		if author, err := c.Author(header); err == nil && author == signer {
			return true
		}
	}
	return false
}

// claim takes the only block that a signer may seal at a height. It is the last step before the block
// goes out, and leaves the height open if a better head came while the signer waited for its time.
func (c *Clique) claim(chain consensus.ChainHeaderReader, header *types.Header, signer common.Address) error {
	if head := chain.CurrentHeader(); head == nil || head.Hash() != header.ParentHash {
		return errOvertaken
	}
	c.seals.lock.Lock()
	defer c.seals.lock.Unlock()
	number := header.Number.Uint64()
	if c.hasSealedLocked(number, signer) {
		return errSealed
	}
	c.seals.last = number
	return nil
}
