"""Every deployed contract fits the size that Ethereum allows (EIP-170)."""

from brownie import web3

LARGEST = 24_576


def test_code__given_every_deployed_contract__fits_the_size_limit(system):
    sizes = {name: len(web3.eth.get_code(part.address)) for name, part in system.items()}
    for name, size in sorted(sizes.items(), key=lambda item: -item[1]):
        print(f"size {name}: {size} bytes, {LARGEST - size} to spare")
    assert all(0 < size <= LARGEST for size in sizes.values()), sizes
