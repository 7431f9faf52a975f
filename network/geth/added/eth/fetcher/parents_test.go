package fetcher

import (
	"testing"
	"time"
)

func TestAwaitParent_OfABlockThatIsBeingImported_WaitsForIt(t *testing.T) {
	tester := newTester(false)
	defer tester.fetcher.Stop()
	hashes, blocks := makeChain(1, 0, genesis)
	go func() {
		time.Sleep(3 * parentPause)
		tester.lock.Lock()
		defer tester.lock.Unlock()
		tester.blocks[hashes[0]] = blocks[hashes[0]]
	}()
	if tester.fetcher.awaitParent(hashes[0]) == nil {
		t.Fatal("it was given up while it came in")
	}
}

func TestAwaitParent_OfABlockThatNeverComes_GivesUp(t *testing.T) {
	tester := newTester(false)
	defer tester.fetcher.Stop()
	hashes, _ := makeChain(1, 0, genesis)
	if tester.fetcher.awaitParent(hashes[0]) != nil {
		t.Fatal("there is no such block")
	}
}
