"""Readers of curl commands and curl's output."""
