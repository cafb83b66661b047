"""Causes, one module per family. ``oauth/diagnosis/registry.py`` assigns them to errors."""
