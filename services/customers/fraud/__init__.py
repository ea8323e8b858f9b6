"""Fraud: what subjects did lately, rules that call it abuse, a learnt score, alerts and blocks."""
