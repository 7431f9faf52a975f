package fetcher

import (
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
)

const (
	parentLooks = 20
	parentPause = 10 * time.Millisecond
)

// awaitParent returns a block's parent, and waits a while for one that is being imported: of a fork,
// both may arrive within a millisecond, and their imports run beside each other.
func (f *BlockFetcher) awaitParent(hash common.Hash) *types.Block {
	parent := f.getBlock(hash)
	for look := 0; parent == nil && look < parentLooks; look++ {
		time.Sleep(parentPause)
		parent = f.getBlock(hash)
	}
	return parent
}
