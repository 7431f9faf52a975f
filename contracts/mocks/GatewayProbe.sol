// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

/// @title What the off-chain gateway has to cope with, in two small contracts; used by tests only.

/// @notice Refuses, so that its caller can pass the refusal on.
contract GatewayProbeInner {
    error GatewayProbeInner_TooLittle(address sender, uint256 givenWei, uint256 neededWei);

    function take() external payable {
        revert GatewayProbeInner_TooLittle(msg.sender, msg.value, 1 ether);
    }
}

/// @notice Keeps a counter, answers in every shape, and fails in every way.
contract GatewayProbe {
    struct Point {
        uint256 x;
        uint256 y;
    }

    struct Record {
        address owner;
        Point[] points;
        bytes32 digest;
    }

    event Counted(uint256 indexed id, address indexed by, string note, uint256[2] pair);
    event Marked(string indexed label, bytes data);

    error GatewayProbe_Expired(bytes32 lockId, uint256 expiresAt, uint256 nowAt);
    error GatewayProbe_InnerFailed(bytes reason);
    error GatewayProbe_Once(uint256 count);

    GatewayProbeInner public immutable inner;
    uint256 public count;
    mapping(uint256 => bool) public used;

    constructor() {
        inner = new GatewayProbeInner();
    }

    function increment(string calldata note) external payable returns (uint256) {
        count += 1;
        emit Counted(count, msg.sender, note, [count, count * 2]);
        return count;
    }

    function once(uint256 key) external {
        if (used[key]) revert GatewayProbe_Once(count);
        used[key] = true;
        count += 1;
        emit Counted(key, msg.sender, "once", [key, count]);
    }

    function mark(string calldata label, bytes calldata data) external {
        emit Marked(label, data);
    }

    function onlyBefore(uint256 expiresAt) external {
        // solhint-disable-next-line not-rely-on-time
        if (block.timestamp >= expiresAt) revert GatewayProbe_Expired(bytes32(uint256(7)), expiresAt, block.timestamp);
        count += 1;
    }

    function bubble() external payable {
        inner.take{value: msg.value}();
    }

    function wrap() external payable {
        try inner.take{value: msg.value}() {} catch (bytes memory reason) {
            revert GatewayProbe_InnerFailed(reason);
        }
    }

    function failWithReason() external {
        count += 1;
        require(count == 0, "the count is not zero");
    }

    function failWithoutReason() external {
        count += 1;
        assembly {
            revert(0, 0)
        }
    }

    function panic(uint256 divisor) external returns (uint256) {
        count = 1 / divisor;
        return count;
    }

    function burn(uint256 rounds) external {
        for (uint256 i = 0; i < rounds; ++i) used[i + 1000] = true;
    }

    function echo(Record calldata record) external pure returns (Record memory) {
        return record;
    }

    function twoValues() external view returns (uint256 total, address self) {
        return (count, address(this));
    }

    function overloaded(uint256 value) external pure returns (uint256) {
        return value;
    }

    function overloaded(bytes32 value) external pure returns (bytes32) {
        return value;
    }
}
