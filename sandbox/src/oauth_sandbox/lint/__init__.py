"""The lint: mistakes of integrations, even those that the provider accepts."""
