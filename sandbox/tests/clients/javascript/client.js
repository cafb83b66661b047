// Four OAuth clients for JavaScript at the sandbox: `node client.js NAME URL...` writes one line of JSON for each sandbox.

import * as arctic from "arctic";
import * as oauth from "oauth4webapi";
import * as openid from "openid-client";
import { AuthorizationCode } from "simple-oauth2";

const CALLBACK = "http://localhost:7000/callback";
const SCOPES = ["read", "write", "v2"];
const VERSION = { Version: "2.0" };
const LACKING = { scope_missing: { scope: "read" }, user_missing: { user_id: null } };

/** Each client makes an authorization URL, exchanges the callback, refreshes, calls the API, and says what it knows. */
const CLIENTS = {
  "openid-client": (site, id, secret) => {
    const server = {
      issuer: site,
      authorization_endpoint: `${site}/oauth/authorize/`,
      token_endpoint: `${site}/api/open/oauth/token`,
    };
    const config = new openid.Configuration(server, id, secret);
    openid.allowInsecureRequests(config);
    return {
      url: async (state, verifier) =>
        openid.buildAuthorizationUrl(config, {
          redirect_uri: CALLBACK,
          scope: SCOPES.join(" "),
          state,
          code_challenge: await openid.calculatePKCECodeChallenge(verifier),
          code_challenge_method: "S256",
        }).href,
      exchange: (callback, state, verifier) =>
        openid.authorizationCodeGrant(config, new URL(callback), {
          expectedState: state,
          pkceCodeVerifier: verifier,
        }),
      refresh: (tokens) => openid.refreshTokenGrant(config, tokens.refresh_token),
      api: async (tokens, address) => {
        const response = await openid.fetchProtectedResource(
          config,
          tokens.access_token,
          new URL(address),
          "GET",
          null,
          new Headers(VERSION),
        );
        await read(response);
      },
      expires: (tokens) => tokens.expiresIn(),
      scope: (tokens) => tokens.scope,
      tokens: (access_token) => ({ access_token }),
    };
  },

  oauth4webapi: (site, id, secret) => {
    const server = { issuer: site, token_endpoint: `${site}/api/open/oauth/token` };
    const client = { client_id: id };
    const authentication = oauth.ClientSecretPost(secret);
    const insecure = { [oauth.allowInsecureRequests]: true };
    return {
      url: async (state, verifier) =>
        address(`${site}/oauth/authorize/`, {
          client_id: id,
          response_type: "code",
          redirect_uri: CALLBACK,
          scope: SCOPES.join(" "),
          state,
          code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
          code_challenge_method: "S256",
        }),
      exchange: async (callback, state, verifier) => {
        const parameters = oauth.validateAuthResponse(server, client, new URL(callback), state);
        const response = await oauth.authorizationCodeGrantRequest(
          server,
          client,
          authentication,
          parameters,
          CALLBACK,
          verifier,
          insecure,
        );
        return oauth.processAuthorizationCodeResponse(server, client, response);
      },
      refresh: async (tokens) => {
        const response = await oauth.refreshTokenGrantRequest(
          server,
          client,
          authentication,
          tokens.refresh_token,
          insecure,
        );
        return oauth.processRefreshTokenResponse(server, client, response);
      },
      api: async (tokens, address) => {
        const headers = new Headers(VERSION);
        await read(
          await oauth.protectedResourceRequest(tokens.access_token, "GET", new URL(address), headers, null, insecure),
        );
      },
      expires: (tokens) => tokens.expires_in,
      scope: (tokens) => tokens.scope,
      tokens: (access_token) => ({ access_token }),
    };
  },

  "simple-oauth2": (site, id, secret) => {
    const client = new AuthorizationCode({
      client: { id, secret },
      auth: { tokenHost: site, authorizePath: `${site}/oauth/authorize/`, tokenPath: `${site}/api/open/oauth/token` },
    });
    return {
      url: async (state, verifier) =>
        client.authorizeURL({
          redirect_uri: CALLBACK,
          scope: SCOPES,
          state,
          code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
          code_challenge_method: "S256",
        }),
      exchange: async (callback, state, verifier) => {
        const code = new URL(callback).searchParams.get("code");
        return client.getToken({ code, redirect_uri: CALLBACK, code_verifier: verifier });
      },
      refresh: (tokens) => client.createToken(tokens.token).refresh(),
      api: async (tokens, address) => call(tokens.token.access_token, address),
      expires: (tokens) => Math.round((tokens.token.expires_at - Date.now()) / 1000),
      scope: (tokens) => tokens.token.scope,
      tokens: (access_token) => client.createToken({ access_token }),
    };
  },

  arctic: (site, id, secret) => {
    const client = new arctic.OAuth2Client(id, secret, CALLBACK);
    const endpoint = `${site}/api/open/oauth/token`;
    return {
      url: async (state, verifier) =>
        client.createAuthorizationURLWithPKCE(
          `${site}/oauth/authorize/`,
          state,
          arctic.CodeChallengeMethod.S256,
          verifier,
          SCOPES,
        ).href,
      exchange: (callback, state, verifier) =>
        client.validateAuthorizationCode(endpoint, new URL(callback).searchParams.get("code"), verifier),
      refresh: (tokens) => client.refreshAccessToken(endpoint, tokens.refreshToken(), []),
      api: (tokens, address) => call(tokens.accessToken(), address),
      expires: (tokens) => tokens.accessTokenExpiresInSeconds(),
      scope: (tokens) => tokens.scopes().join(" "),
      tokens: (access_token) => new arctic.OAuth2Tokens({ access_token }),
    };
  },
};

/** Return what an application can tell its user of an error. */
function reason(error) {
  const challenge = error.code === "OAUTH_WWW_AUTHENTICATE_CHALLENGE" && error.cause[0].parameters;
  const text = challenge ? challenge.error_description : error.error_description; // openid-client, oauth4webapi
  return text ?? error.description ?? error.data?.payload?.error_description ?? error.message;
}

function address(url, query) {
  return `${url}?${new URLSearchParams(query)}`;
}

/** Call the API as clients do that have no request of their own. */
async function call(token, address) {
  await read(await fetch(address, { headers: { Authorization: `Bearer ${token}`, ...VERSION } }));
}

async function read(response) {
  if (!response.ok) throw new Error(`API: ${response.status}`);
  const { data } = await response.json();
  if (data.name !== "Demo user") throw new Error(`API: ${data.name}`);
}

async function control(site, path, body, method = "POST") {
  const response = await fetch(`${site}/control/${path}`, {
    method,
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(await response.text());
  return response.json();
}

/** Take a client through everything that a setting may decide. */
async function outcomes(make, site) {
  const client = make(site, "demo-app", "demo-secret");
  const me = `${site}/api/partner/users/me`;
  const result = {};
  const step = async (name, action) => {
    try {
      const value = await action();
      const text = Array.isArray(value) ? JSON.stringify(value) : String(value);
      result[name] = name === "expires_in" || name === "scope" ? text : "ok";
      return value;
    } catch (error) {
      result[name] = reason(error);
      return undefined;
    }
  };
  const approved = async (state, verifier) => {
    const url = await client.url(state, verifier);
    return (await control(site, "consent", { url, decision: "approve" })).location;
  };
  const state = arctic.generateState();
  const verifier = arctic.generateCodeVerifier();
  const callback = await approved(state, verifier);
  const tokens = await step("sign_in", () => client.exchange(callback, state, verifier));
  if (result.sign_in !== "ok") return result;
  await step("expires_in", () => client.expires(tokens));
  await step("scope", () => client.scope(tokens));
  await step("api", () => client.api(tokens, me));
  const newer = await step("refresh", () => client.refresh(tokens));
  await step("api_after_refresh", () => client.api(newer, me));
  const findings = await (await fetch(`${site}/control/lint`)).json();
  result.findings = findings.map(({ rule }) => rule).join(" ");
  await step("older_access_token", () => client.api(tokens, me));
  await step("older_refresh_token", () => client.refresh(tokens));
  await step("api_after_reuse", () => client.api(newer, me));

  const another = await approved(state, verifier);
  const others = await client.exchange(another, state, verifier);
  await step("code_again", () => client.exchange(another, state, verifier));
  await step("api_after_code_again", () => client.api(others, me));
  const unproven = await approved(state, verifier);
  await step("wrong_verifier", () => client.exchange(unproven, state, arctic.generateCodeVerifier()));

  const inactive = make(site, "inactive-app", "inactive-secret");
  const { secret: code } = await control(site, "codes", { client_id: "inactive-app", redirect_uri: CALLBACK });
  const answer = address(CALLBACK, { code, state });
  await step("inactive_client", () => inactive.exchange(answer, state, verifier));
  for (const [name, lacking] of Object.entries(LACKING)) {
    const { secret } = await control(site, "access-tokens", { client_id: "demo-app", ...lacking });
    await step(name, () => client.api(client.tokens(secret), me));
  }
  const last = await approved(state, verifier);
  const expired = await client.exchange(last, state, verifier);
  await control(site, "clock/move", { seconds: 86_400 });
  await step("expired_access_token", () => client.api(expired, me));
  await control(site, "settings", { request_limit: { requests: 1 } }, "PATCH");
  await client.api(expired, me).catch(() => undefined);
  await step("too_many_requests", () => client.refresh(expired));
  return result;
}

const [name, ...sites] = process.argv.slice(2);
for (const site of sites) console.log(JSON.stringify(await outcomes(CLIENTS[name], site)));
