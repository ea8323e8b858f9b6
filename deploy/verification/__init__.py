"""The proof that ledger, events and statistics say the same, each from its own source."""
