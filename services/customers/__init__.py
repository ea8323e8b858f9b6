"""Customers: profiles, segments, predictions, personal offers, and alerts of abuse."""
