"""JSON Object Signing and Encryption: keys, signed assertions, DPoP proofs, and reading tokens (RFC 7515 to 7519)."""
