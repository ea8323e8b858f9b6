"""A real stack under load from several tills while faults are injected by a seeded schedule."""
