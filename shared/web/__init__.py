"""What every service's HTTP side shares: problem documents, tokens, bodies, the application."""
