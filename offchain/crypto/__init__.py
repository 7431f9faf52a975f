"""Pure cryptography: no network, no clock, and no files but those of `keystore`."""
