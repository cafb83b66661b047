"""Reading curl commands and the output of curl."""
