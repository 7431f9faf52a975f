"""The user of the paper, a household: devices and policies, requests, answers, money, consents."""
