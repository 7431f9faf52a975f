package clique

import (
	"errors"
	"math/big"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/rawdb"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/core/vm"
	"github.com/ethereum/go-ethereum/ethdb"
	"github.com/ethereum/go-ethereum/params"
)

// town is a chain of its own with named signers, in the order of their turns.
type town struct {
	t       *testing.T
	genesis *core.Genesis
	db      ethdb.Database
	engine  *Clique
	chain   *core.BlockChain
	pool    *testerAccountPool
	names   []string
}

func newTown(t *testing.T, ranked uint64, names ...string) *town {
	pool := newTesterAccountPool()
	snap := &Snapshot{Signers: make(map[common.Address]struct{})}
	byAddress := make(map[common.Address]string)
	for _, name := range names {
		snap.Signers[pool.address(name)] = struct{}{}
		byAddress[pool.address(name)] = name
	}
	genesis := &core.Genesis{ExtraData: make([]byte, extraVanity), BaseFee: big.NewInt(params.InitialBaseFee)}
	order := make([]string, 0, len(names))
	for _, address := range snap.signers() {
		genesis.ExtraData = append(genesis.ExtraData, address[:]...)
		order = append(order, byAddress[address])
	}
	genesis.ExtraData = append(genesis.ExtraData, make([]byte, extraSeal)...)
	config := *params.TestChainConfig
	config.Clique = &params.CliqueConfig{Epoch: 30000, RankedBlock: ranked}
	genesis.Config = &config

	db := rawdb.NewMemoryDatabase()
	engine := New(config.Clique, db)
	chain, err := core.NewBlockChain(db, nil, genesis, nil, engine, vm.Config{}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(chain.Stop)
	return &town{t: t, genesis: genesis, db: db, engine: engine, chain: chain, pool: pool, names: order}
}

func (o *town) snapshotOf(parent *types.Header) *Snapshot {
	snap, err := o.engine.snapshot(o.chain, parent.Number.Uint64(), parent.Hash(), nil)
	if err != nil {
		o.t.Fatal(err)
	}
	return snap
}

// block returns an empty block that a signer sealed, with the difficulty that is its own unless given.
func (o *town) block(parent *types.Header, signer string, difficulty *big.Int) *types.Block {
	address := o.pool.address(signer)
	if difficulty == nil {
		difficulty = calcDifficulty(o.snapshotOf(parent), address)
	}
	blocks, _ := core.GenerateChain(o.genesis.Config, o.chain.GetBlock(parent.Hash(), parent.Number.Uint64()), o.engine, o.db, 1, nil)
	header := blocks[0].Header()
	header.Extra = make([]byte, extraVanity+extraSeal)
	header.Difficulty = difficulty
	o.pool.sign(header, signer)
	return blocks[0].WithSeal(header)
}

func (o *town) insert(block *types.Block) error {
	_, err := o.chain.InsertChain(types.Blocks{block})
	return err
}

func (o *town) mustInsert(block *types.Block) *types.Header {
	if err := o.insert(block); err != nil {
		o.t.Fatal(err)
	}
	return block.Header()
}

func TestRankedDifficulty_OrderOfSigners_IsThatOfTheirWaits(t *testing.T) {
	o := newTown(t, 1, "A", "B", "C", "D", "E")
	snap := o.snapshotOf(o.chain.CurrentHeader())
	// Block 1 is the second one's turn; then those whose turn is furthest away.
	order := []string{o.names[1], o.names[0], o.names[4], o.names[3], o.names[2]}
	last := new(big.Int).Lsh(common.Big1, 64)
	for _, name := range order {
		own := rankedDifficulty(snap, o.pool.address(name))
		if own.Cmp(last) >= 0 {
			t.Fatalf("%s weighs %v, as much as one before it, %v", name, own, last)
		}
		last = own
	}
}

func TestRankedDifficulty_LongFork_OutweighsAnyShorterOne(t *testing.T) {
	o := newTown(t, 1, "A", "B", "C")
	snap := o.snapshotOf(o.chain.CurrentHeader())
	least, most := new(big.Int), new(big.Int)
	for _, name := range o.names {
		own := rankedDifficulty(snap, o.pool.address(name))
		if least.Sign() == 0 || own.Cmp(least) < 0 {
			least = own
		}
		if own.Cmp(most) > 0 {
			most = own
		}
	}
	long := new(big.Int).Mul(least, big.NewInt(1001))
	short := new(big.Int).Mul(most, big.NewInt(1000))
	if long.Cmp(short) <= 0 {
		t.Fatal("1,000 blocks in turn outweigh 1,001 out of it")
	}
}

func TestVerifySeal_Ranked_TakesTheSignersOwnDifficultyAlone(t *testing.T) {
	o := newTown(t, 1, "A", "B", "C")
	parent := o.chain.CurrentHeader()
	own := calcDifficulty(o.snapshotOf(parent), o.pool.address(o.names[1]))
	for _, wrong := range []*big.Int{diffInTurn, diffNoTurn, new(big.Int).Add(own, common.Big1)} {
		if err := o.insert(o.block(parent, o.names[1], wrong)); !errors.Is(err, errNotRanked) {
			t.Fatalf("difficulty %v: %v", wrong, err)
		}
	}
	o.mustInsert(o.block(parent, o.names[1], nil))
}

func TestVerifySeal_FromRankedBlockOn_AndNotBefore(t *testing.T) {
	o := newTown(t, 2, "A", "B", "C")
	first := o.block(o.chain.CurrentHeader(), o.names[1], nil)
	if first.Difficulty().Cmp(diffInTurn) != 0 {
		t.Fatalf("block 1 weighs %v", first.Difficulty())
	}
	head := o.mustInsert(first)
	if err := o.insert(o.block(head, o.names[2], diffInTurn)); !errors.Is(err, errNotRanked) {
		t.Fatal(err)
	}
	o.mustInsert(o.block(head, o.names[2], nil))
}

func TestForkChoice_TwoForksOfOneLength_IsTheSameWhateverCameFirst(t *testing.T) {
	o := newTown(t, 1, "A", "B", "C", "D")
	root := o.chain.CurrentHeader()
	one, other := o.block(root, o.names[2], nil), o.block(root, o.names[3], nil)
	o.mustInsert(one)
	o.mustInsert(other)
	head := o.chain.CurrentHeader().Hash()

	again, err := core.NewBlockChain(rawdb.NewMemoryDatabase(), nil, o.genesis, nil, New(o.genesis.Config.Clique, rawdb.NewMemoryDatabase()), vm.Config{}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Stop()
	for _, block := range []*types.Block{other, one} {
		if _, err := again.InsertChain(types.Blocks{block}); err != nil {
			t.Fatal(err)
		}
	}
	if again.CurrentHeader().Hash() != head {
		t.Fatal("two nodes with the same blocks have two heads")
	}
}

func TestClaim_OneHeight_IsGivenOnce(t *testing.T) {
	o := newTown(t, 1, "A", "B", "C")
	root, signer := o.chain.CurrentHeader(), o.pool.address(o.names[1])
	block := o.block(root, o.names[1], nil)
	if err := o.engine.claim(o.chain, block.Header(), signer); err != nil {
		t.Fatal(err)
	}
	if err := o.engine.claim(o.chain, block.Header(), signer); !errors.Is(err, errSealed) {
		t.Fatalf("a second block of one height: %v", err)
	}
	if !o.engine.hasSealed(1, signer) {
		t.Fatal("forgotten")
	}
}

func TestClaim_AfterARestart_KnowsTheBlocksOfBefore(t *testing.T) {
	o := newTown(t, 1, "A", "B", "C")
	root, signer := o.chain.CurrentHeader(), o.pool.address(o.names[0])
	o.mustInsert(o.block(root, o.names[0], nil))
	o.mustInsert(o.block(root, o.names[1], nil)) // heavier: the first one is on no chain any more
	o.engine = New(o.genesis.Config.Clique, o.db)
	if !o.engine.hasSealed(1, signer) {
		t.Fatal("a block on a lost fork is forgotten")
	}
	if o.engine.hasSealed(2, signer) {
		t.Fatal("a height that was never sealed counts as sealed")
	}
}

func TestClaim_WhenAnotherBlockIsTheHead_LeavesTheHeightOpen(t *testing.T) {
	o := newTown(t, 1, "A", "B", "C")
	root := o.chain.CurrentHeader()
	late := o.block(root, o.names[0], nil)
	o.mustInsert(o.block(root, o.names[1], nil))
	signer := o.pool.address(o.names[0])
	if err := o.engine.claim(o.chain, late.Header(), signer); !errors.Is(err, errOvertaken) {
		t.Fatal(err)
	}
	if o.engine.hasSealed(1, signer) {
		t.Fatal("the height is taken though no block went out")
	}
}

func TestUntilOutOfTurn_AskedAgainAndAgain_EndsAllTheSame(t *testing.T) {
	o := newTown(t, 1, "A", "B", "C")
	root, signer := o.chain.CurrentHeader(), o.pool.address(o.names[2])
	header := o.block(root, o.names[2], nil).Header()
	header.Time = 0
	snap := o.snapshotOf(root)
	first := o.engine.turns.untilOutOfTurn(snap, header, signer)
	if first < turnGrace {
		t.Fatalf("it waits %v only", first)
	}
	time.Sleep(60 * time.Millisecond)
	if again := o.engine.turns.untilOutOfTurn(snap, header, signer); again > first-50*time.Millisecond {
		t.Fatalf("the wait of %v began anew: %v", first, again)
	}
}
