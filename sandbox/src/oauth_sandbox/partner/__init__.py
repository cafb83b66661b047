"""The partner API behind the token: adverts, messages, and what they refer to."""
