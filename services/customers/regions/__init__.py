"""Regions with little traffic: where purchases have fallen behind the chain, and what may bring people there."""
