// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

/// @notice The terms of a lock. Its payer has signed them, so that no decision of the consortium comes in between; the
/// lock keeps them.
/// @param rulesVersion The version of the rules: bonds of disputes, times and deposits of demands.
/// @param sharingVersion The version of the terms of sharing, 0 of a request.
/// @param disputeWindowSeconds The dispute window.
/// @param feeBps The consortium's part of the price, in 1/10,000.
/// @param ownersBps The owners' part of the price, in 1/10,000; 0 of a request.
/// @param longestAnswerBytes The most bytes that the sealed answer may have, 0 of a sharing lock.
/// @param bondWei The payee's bond.
struct LockTerms {
    uint32 rulesVersion;
    uint32 sharingVersion;
    uint32 disputeWindowSeconds;
    uint16 feeBps;
    uint16 ownersBps;
    uint16 longestAnswerBytes;
    uint96 bondWei;
}
