package forkid

import (
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/params"
)

func TestFilter_OfARankedChain_RefusesOneThatRanksFromElsewhereOrNever(t *testing.T) {
	genesis := types.NewBlockWithHeader(&types.Header{Number: common.Big0})
	config := func(ranked uint64) *params.ChainConfig {
		own := *params.AllCliqueProtocolChanges
		own.Clique = &params.CliqueConfig{Epoch: 30000, RankedBlock: ranked}
		return &own
	}
	head := func() (uint64, uint64) { return 9, 0 }
	filter := newFilter(config(1), genesis, head)
	for ranked, wanted := range map[uint64]error{1: nil, 0: ErrRemoteStale, 5: ErrRemoteStale} {
		id := NewID(config(ranked), genesis, 4, 0)
		if err := filter(id); (err == nil) != (wanted == nil) {
			t.Errorf("ranked from block %d: %v, not %v", ranked, err, wanted)
		}
	}
}
