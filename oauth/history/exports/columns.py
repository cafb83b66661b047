"""The fields of an export, and the columns of the history that they come from."""

COLUMNS = (
    "id",
    "started_at",
    "owner",
    "case",
    "flow",
    "step",
    "method",
    "url",
    "request_headers",
    "request_body",
    "status",
    "response_headers",
    "response_body",
    "duration_ms",
    "documented_error",
    "error",
    "error_description",
    "remedy",
    "failure",
    "request_id",
)
"""The columns of the CSV and the members of a JSON line, in their order. They are public."""

NUMBERS = ("id", "status", "duration_ms", "documented_error")

READ = ("id", "started_at", "owner", "case", "flow", "step", "method", "url", "request_headers", "request_body",
        "status", "reason", "http_version", "response_headers", "response_body", "response_cut", "duration_ms",
        "failure", "failure_detail", "documented_error", "error", "error_description", "request_id", "provider",
        "client_id", "note", "marks")  # fmt: skip
"""The columns of the table that make an exchange."""

FAILURE = (
    "CASE WHEN failure = '' THEN '' WHEN failure_detail = '' THEN failure ELSE failure || ': ' || failure_detail END"
)
"""Why there is no response, in SQL: the kind, and what the system said of it."""
