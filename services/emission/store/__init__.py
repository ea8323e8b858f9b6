"""Everything that emission keeps, and all its SQL; functions run in the caller's transaction."""
