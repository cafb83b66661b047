"""Walkthroughs and drills at two consoles on one PostgreSQL database, behind HAProxy as docs/operate.md has it.

``python -m tests.benchmarks.two_consoles`` prints how many of 20 walkthroughs in a browser are whole, and whether all
drills pass that run on both consoles at once.
"""

import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Error, expect, sync_playwright

from oauth.catalogue.catalogues import PARTNER
from oauth.drills import drills
from tests.browser.conftest import FLAGS, Walk, chromium
from tests.servers import postgresql, proxies

WALKTHROUGHS = 20
ALL_DRILLS = sum(drill.catalogue == PARTNER for drill in drills())


def main(name: str = "haproxy") -> int:
    """Print the measurements behind a proxy; return the exit status."""
    found, path = postgresql.programs(), chromium()
    if found is None or path is None:
        sys.exit("This needs PostgreSQL and Chromium.")
    with (
        tempfile.TemporaryDirectory() as folder,
        postgresql.running_server(found) as server,
        proxies.team(Path(folder), server.url(server.new_database()), name) as team,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        whole, consoles = 0, []
        for number in range(1, WALKTHROUGHS + 1):
            context = browser.new_context(ignore_https_errors=True)
            began = time.monotonic()
            try:
                walk_through(Walk(context.new_page(), team.url))
                whole += 1
                result = "whole"
            except (Error, AssertionError) as error:
                result = str(error).partition("\n")[0]
            consoles.append(console_of(context))
            print(f"walkthrough {number}, {consoles[-1]}: {result}, {time.monotonic() - began:.1f} s", flush=True)
            context.close()
        print(f"{whole} of {WALKTHROUGHS} walkthroughs whole, at {len(set(consoles))} consoles")
        passed = drills_at_once(browser, team.url)
        print(f"all {ALL_DRILLS} drills on both consoles at once: {'passed' if passed else 'failed'}")
        browser.close()
    return 0 if whole == WALKTHROUGHS and passed else 1


def walk_through(walk: Walk) -> None:
    """Log in at the sandbox, exchange the code, call the API and refresh the token."""
    walk.open()
    walk.authorize()
    walk.exchange()
    walk.press("api.send")
    expect(walk.at("api.exchange")).to_contain_text("200 OK")
    walk.pick("call.action", "Refresh the token")
    walk.press("refresh.send")
    expect(walk.step("call")).to_contain_text("The refresh token was replaced")


def drills_at_once(browser: Browser, url: str) -> bool:
    """Run all drills in two browsers that are at different consoles; return whether all passed."""
    people: dict[str, Walk] = {}
    while len(people) < 2:
        context = browser.new_context(ignore_https_errors=True)
        walk = Walk(context.new_page(), url)
        walk.open("/errors")
        walk.at("errors.run_all").wait_for()
        if people.setdefault(console_of(context), walk) is not walk:
            context.close()
    for walk in people.values():
        walk.at("errors.run_all").locator("button").first.click()
    try:
        for walk in people.values():
            expect(walk.page.get_by_text(f"{ALL_DRILLS} passed, 0 failed")).to_be_visible(timeout=240_000)
    except AssertionError as error:
        print(error)
        return False
    return True


def console_of(context: BrowserContext) -> str:
    """Return the value of the proxy's cookie, which names a console."""
    return next((it["value"] for it in context.cookies() if it["name"] == "console_at"), "none")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
