"""Fraud in PostgreSQL. What takes a connection runs in its caller's transaction."""
