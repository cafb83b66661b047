"""The OpenID provider of ``--provider generic``: any client of the standards can be tried against it."""
