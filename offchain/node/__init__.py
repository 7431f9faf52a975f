"""The processing node: intake and store of readings, answers, data sets, and the chain worker."""
