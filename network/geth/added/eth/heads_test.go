package eth

import (
	"math/big"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/forkid"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/eth/protocols/eth"
	"github.com/ethereum/go-ethereum/p2p"
	"github.com/ethereum/go-ethereum/p2p/enode"
)

// connected returns a node with one block, its peer as it sees it, and the blocks that this peer gets.
func connected(t *testing.T) (*testHandler, *eth.Peer, chan *types.Block) {
	source, sink := newTestHandlerWithBlocks(1), new(testEthHandler)
	t.Cleanup(source.close)
	sourcePipe, sinkPipe := p2p.MsgPipe()
	sourcePeer := eth.NewPeer(eth.ETH68, p2p.NewPeerPipe(enode.ID{1}, "", nil, sourcePipe), sourcePipe, nil)
	sinkPeer := eth.NewPeer(eth.ETH68, p2p.NewPeerPipe(enode.ID{0}, "", nil, sinkPipe), sinkPipe, nil)
	t.Cleanup(func() {
		sourcePipe.Close()
		sinkPipe.Close()
		sourcePeer.Close()
		sinkPeer.Close()
	})
	go source.handler.runEthPeer(sourcePeer, func(peer *eth.Peer) error {
		return eth.Handle((*ethHandler)(source.handler), peer)
	})
	genesis := source.chain.Genesis()
	td := source.chain.GetTd(genesis.Hash(), 0)
	if err := sinkPeer.Handshake(1, td, genesis.Hash(), genesis.Hash(), forkid.NewIDWithChain(source.chain), forkid.NewFilter(source.chain)); err != nil {
		t.Fatal(err)
	}
	go eth.Handle(sink, sinkPeer)
	blocks := make(chan *types.Block, 8)
	sub := sink.blockBroadcasts.Subscribe(blocks)
	t.Cleanup(sub.Unsubscribe)
	for wait := 0; source.handler.peers.len() == 0 && wait < 100; wait++ {
		time.Sleep(10 * time.Millisecond)
	}
	return source, sourcePeer, blocks
}

func TestAnnounceHeads_OfAChainThatWaits_TellsThePeersAgainAndAgain(t *testing.T) {
	source, _, blocks := connected(t)
	for range []int{1, 2} { // the peer has known it from the first time on
		select {
		case block := <-blocks:
			if block.Hash() != source.chain.CurrentBlock().Hash() {
				t.Fatal("another block")
			}
		case <-time.After(4 * headCheck):
			t.Fatal("nothing was told")
		}
	}
}

func TestAnnounceHead_OfAHeadThatIsNew_SaysNothing(t *testing.T) {
	source := newTestHandlerWithBlocks(1)
	defer source.close()
	head := source.handler.announceHead(common.Hash{})
	if head != source.chain.CurrentBlock().Hash() {
		t.Fatal("not the head")
	}
}

func TestAskForFork_BlockWithoutItsParent_IsItsSendersHead(t *testing.T) {
	source, peer, _ := connected(t)
	lone := types.NewBlockWithHeader(&types.Header{Number: big.NewInt(2), ParentHash: common.Hash{7}, Difficulty: common.Big1})
	_, before := peer.Head()
	td := new(big.Int).Add(before, big.NewInt(1_000))
	(*ethHandler)(source.handler).askForFork(peer, lone, td)
	if hash, known := peer.Head(); hash != lone.Hash() || known.Cmp(td) != 0 {
		t.Fatalf("its head is %x at %v", hash, known)
	}
}

func TestAskForFork_BlockWhoseParentIsThere_SaysNothingOfItsSender(t *testing.T) {
	source, peer, _ := connected(t)
	head := source.chain.CurrentBlock()
	next := types.NewBlockWithHeader(&types.Header{Number: big.NewInt(2), ParentHash: head.Hash(), Difficulty: common.Big1})
	before, _ := peer.Head()
	(*ethHandler)(source.handler).askForFork(peer, next, big.NewInt(1_000_000_000))
	if hash, _ := peer.Head(); hash != before {
		t.Fatal("what is being imported was asked for")
	}
}
