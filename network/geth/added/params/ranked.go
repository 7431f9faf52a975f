package params

// IsRanked tells whether block number is weighed by the rank of its signer (consensus/clique/ranked.go).
func (c *CliqueConfig) IsRanked(number uint64) bool {
	return c != nil && c.RankedBlock != 0 && number >= c.RankedBlock
}
