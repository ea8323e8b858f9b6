"""What PostgreSQL holds of policies and offers; every statement runs in the caller's transaction."""
