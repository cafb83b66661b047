"""Requests, responses and times as text for people, and as commands that send the same request again.

The values may be redacted. A placeholder in a URL is shown as it is: curl then refuses the URL, because of the spaces,
until the real value is there.
"""

from oauth.formatting.commands import curl, curl_to_run, httpie, httpx_code
from oauth.formatting.messages import fields, pretty_body, raw_request, raw_response
from oauth.formatting.times import duration, span

__all__ = [
    "curl",
    "curl_to_run",
    "duration",
    "fields",
    "httpie",
    "httpx_code",
    "pretty_body",
    "raw_request",
    "raw_response",
    "span",
]
