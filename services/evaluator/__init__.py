"""Decides promotions at the checkout and counts them live."""
