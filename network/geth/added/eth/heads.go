package eth

import (
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/eth/protocols/eth"
)

const (
	// headCheck is how often a node looks whether its head still is the one of the last look.
	headCheck = time.Second
	// forkPatience is how long a block's parent may be on its way before its sender is asked for it.
	forkPatience = 500 * time.Millisecond
)

// announceHeads tells the peers of a head that stays, until the node ends.
func (h *handler) announceHeads() {
	look := time.NewTicker(headCheck)
	defer look.Stop()
	var last common.Hash
	for {
		select {
		case <-look.C:
			last = h.announceHead(last)
		case <-h.quitSync:
			return
		}
	}
}

// announceHead gives each peer this node's head once more if it was the head at the last look, too:
// on a chain that waits, no later block tells of one that a peer has missed. It returns the head.
func (h *handler) announceHead(last common.Hash) common.Hash {
	head := h.chain.CurrentBlock()
	hash, number := head.Hash(), head.Number.Uint64()
	block, td := h.chain.GetBlock(hash, number), h.chain.GetTd(hash, number)
	if hash != last || number == 0 || block == nil || td == nil {
		return hash
	}
	h.peers.lock.RLock()
	defer h.peers.lock.RUnlock()
	for _, peer := range h.peers.peers {
		peer.AsyncSendNewBlock(block, td)
	}
	return hash
}

// askForFork lets the node ask a peer for the fork that a block of it belongs to, if this node lacks
// the block's parent even a while later. Elsewhere a peer that sends a block counts as having its
// parent alone, so that two forks of one length would never exchange what tells them apart.
func (h *ethHandler) askForFork(peer *eth.Peer, block *types.Block, td *big.Int) {
	time.Sleep(forkPatience)
	if h.chain.HasBlock(block.ParentHash(), block.NumberU64()-1) {
		return
	}
	if _, known := peer.Head(); td.Cmp(known) > 0 {
		peer.SetHead(block.Hash(), td)
		h.chainSync.handlePeerEvent()
	}
}
