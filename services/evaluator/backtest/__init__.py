"""Backtests: what a draft campaign would have done to recorded receipts. Pure."""
