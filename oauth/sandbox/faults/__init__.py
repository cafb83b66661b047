"""Faults on demand: what can go wrong between a provider and its client, provoked."""
