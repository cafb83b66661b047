import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { after, before, beforeEach, test } from "node:test";

import { Adverts } from "./adverts.js";

// The sandbox of a service, or one that is started for this file.
let server = process.env.OAUTH_SANDBOX_URL;
let program;
let site;
let adverts;

before(async () => {
  if (!server) {
    program = spawn("oauth-sandbox", ["--port", "0"], { stdio: ["ignore", "pipe", "inherit"] });
    const ended = once(program, "exit").then(
      () => assert.fail("oauth-sandbox did not start; its reason is above"),
      (error) => assert.fail(`oauth-sandbox is not on the PATH: ${error.message}`),
    );
    const [line] = await Promise.race([once(createInterface(program.stdout), "line"), ended]);
    server = line.replace("Sandbox ready at ", "");
  }
  // One of its own, because node runs test files side by side.
  site = (await control(server, "POST", "sandboxes")).url;
});

after(() => program?.kill());

beforeEach(async () => {
  await control(site, "POST", "reset");
  adverts = new Adverts(site, { id: "demo-app", secret: "demo-secret" }, "http://localhost:7000/callback");
});

async function control(site, method, path, body) {
  const response = await fetch(`${site}/control/${path}`, {
    method,
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${process.env.OAUTH_SANDBOX_TOKEN}` },
    body: body && JSON.stringify(body),
  });
  const text = await response.text();
  assert.ok(response.ok, text);
  return text && JSON.parse(text);
}

async function signIn() {
  const consent = { url: adverts.authorizationUrl(), decision: "approve" };
  await adverts.callback((await control(site, "POST", "consent", consent)).location);
}

test("signs in and reads the name", async () => {
  await signIn();
  assert.equal(await adverts.userName(), "Demo user");
  assert.deepEqual(await control(site, "GET", "lint"), []);
});

test("refused consent is an error", async () => {
  const consent = { url: adverts.authorizationUrl(), decision: "deny" };
  const { location } = await control(site, "POST", "consent", consent);
  await assert.rejects(adverts.callback(location), /access_denied/);
});

test("an expired token is refreshed", async () => {
  await signIn();
  await control(site, "POST", "clock/move", { seconds: 86_400 });
  assert.equal(await adverts.userName(), "Demo user");
});

test("an expired refresh token requires a new sign-in", async () => {
  await signIn();
  await control(site, "POST", "clock/move", { seconds: 2_592_000 });
  await assert.rejects(adverts.userName(), /Invalid refresh token/);
});

test("a server error is reported and passes", async () => {
  await signIn();
  await control(site, "POST", "faults", { fault: "server-error", endpoint: "user" });
  await assert.rejects(adverts.userName(), /The API responded 503/);
  assert.equal(await adverts.userName(), "Demo user");
});

test("of two refreshes at once, the second is refused", { timeout: 30_000 }, async () => {
  await signIn();
  await control(site, "POST", "clock/move", { seconds: 86_400 });
  await control(site, "POST", "faults", { fault: "hold", endpoint: "token", times: 2 });
  const both = Promise.allSettled([adverts.userName(), adverts.userName()]);
  while ((await control(site, "GET", "holds")).length < 2);
  await control(site, "POST", "holds/release");
  assert.deepEqual((await both).map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
  assert.deepEqual((await control(site, "GET", "lint")).map(({ rule }) => rule), ["token-late", "refresh-raced"]);
});
