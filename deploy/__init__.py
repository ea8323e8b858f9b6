"""Running Tillstream: the embedded stack and its command line."""
