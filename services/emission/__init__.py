"""Emission: codes, instruments and campaigns are written here, and everybody else reads them."""
