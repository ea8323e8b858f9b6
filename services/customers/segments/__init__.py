"""Segments: definitions over profiles, who is in them, and the classes of recency, frequency and monetary value."""
