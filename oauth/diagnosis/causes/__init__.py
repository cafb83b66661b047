"""The causes, one module a family. ``oauth/diagnosis/registry.py`` says which belong to which error."""
