"""The control over HTTP: test suites read and change the sandbox's state. ``/control/openapi.json`` describes it."""
