"""The services. None imports another: they share `shared` and topics only."""
