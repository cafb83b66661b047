"""Faults on demand: failures between a provider and its client, provoked."""
