"""Control over HTTP: a test suite reads and changes the sandbox's state. Described by ``/control/openapi.json``."""
