"""The fixtures of the sandbox's own tests, beside the console."""

from sandbox.tests.conftest import address, ask, control, http, sandbox, steered_sandbox

__all__ = ["address", "ask", "control", "http", "sandbox", "steered_sandbox"]
