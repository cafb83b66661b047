// @node-oauth/oauth2-server behind Node's own HTTP server, with a login page, the metadata document, and endpoints for
// registration and revocation that the library leaves to its host. PORT and REDIRECT_URI come from the environment.
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';

import OAuth2Server from '@node-oauth/oauth2-server';

const port = Number(process.env.PORT);
const issuer = `http://127.0.0.1:${port}`;
const known = ['profile', 'photos', 'offline_access'];
const grants = ['authorization_code', 'refresh_token'];
const redirectUris = [process.env.REDIRECT_URI];
const clients = new Map(Object.entries({
  'web-app': { secret: 'web-app-secret-0123456789', grants, redirectUris, scope: known },
  'other-app': { secret: 'other-app-secret-0123456789', grants, redirectUris, scope: known },
  'short-app': { secret: 'short-app-secret-0123456789', grants, redirectUris, scope: known, accessTokenLifetime: 1 },
  'limited-app': { secret: 'limited-app-secret-0123456789', grants: grants.slice(0, 1), redirectUris, scope: ['profile'] },
}));
const [codes, access, refresh, sessions] = [new Map(), new Map(), new Map(), new Set()];

const model = {
  getClient(id, secret) {
    const client = clients.get(id);
    return client && (secret === null || secret === undefined || client.secret === secret) ? { id, ...client } : false;
  },
  saveAuthorizationCode(code, client, user) {
    codes.set(code.authorizationCode, { ...code, client, user });
    return codes.get(code.authorizationCode);
  },
  getAuthorizationCode: code => codes.get(code),
  revokeAuthorizationCode: code => codes.delete(code.authorizationCode),
  saveToken(token, client, user) {
    const saved = { ...token, client, user };
    access.set(token.accessToken, saved);
    if (token.refreshToken) refresh.set(token.refreshToken, saved);
    return saved;
  },
  getAccessToken: token => access.get(token),
  getRefreshToken: token => refresh.get(token),
  revokeToken: token => refresh.delete(token.refreshToken),
  validateScope: (_user, client, scope) => (scope ?? ['profile']).every(one => client.scope.includes(one)) && (scope ?? ['profile']),
  verifyScope: (token, scope) => scope.every(one => token.scope.includes(one)),
};
const oauth = new OAuth2Server({ model, alwaysIssueNewRefreshToken: true });

const metadata = {
  issuer,
  authorization_endpoint: `${issuer}/authorize`,
  token_endpoint: `${issuer}/token`,
  userinfo_endpoint: `${issuer}/me`,
  registration_endpoint: `${issuer}/register`,
  revocation_endpoint: `${issuer}/revoke`,
  response_types_supported: ['code'],
  grant_types_supported: grants,
  scopes_supported: known,
  code_challenge_methods_supported: ['S256'],
  token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
};

const page = (title, inner) => ({
  status: 200,
  headers: { 'Content-Type': 'text/html; charset=utf-8' },
  body: `<!doctype html><title>${title}</title><h1>${title}</h1><form method="post">${inner}</form>`,
});

async function authorize(request, response) {
  const session = /session=(\w+)/.exec(request.get('cookie') ?? '')?.[1];
  if (request.body.username) {
    if (request.body.password !== 'demo-password') return page('Log in', '<p>Wrong password</p>');
    const started = randomBytes(12).toString('hex');
    sessions.add(started);
    const headers = { 'Set-Cookie': `session=${started}; HttpOnly; Path=/`, Location: request.location };
    return { status: 302, headers, body: '' };
  }
  if (!sessions.has(session)) {
    return page('Log in', '<input name="username"><input name="password" type="password"><button name="login">Log in</button>');
  }
  if (request.method === 'GET' && model.getClient(request.query.client_id, null)) {
    return page('Allow access?', '<button name="allowed" value="true">Allow</button><button name="allowed" value="false">Deny</button>');
  }
  await oauth.authorize(request, response, { authenticateHandler: { handle: () => ({ id: 'demo' }) } });
}

function register(request, response) {
  const { redirect_uris: uris, scope } = request.body;
  if (!Array.isArray(uris) || !uris.length) {
    throw Object.assign(new Error('redirect_uris is required'), { code: 400, name: 'invalid_redirect_uri' });
  }
  const [id, secret] = [randomBytes(8).toString('hex'), randomBytes(24).toString('hex')];
  clients.set(id, { secret, grants, redirectUris: uris, scope: scope ? scope.split(' ') : known });
  response.status = 201;
  response.body = { ...request.body, client_id: id, client_secret: secret, client_secret_expires_at: 0 };
}

async function revoke(request, response) {
  const basic = Buffer.from((request.get('authorization') ?? '').replace('Basic ', ''), 'base64').toString().split(':');
  const [id, secret] = basic.length === 2 ? basic : [request.body.client_id, request.body.client_secret ?? ''];
  if (!model.getClient(id, secret)) throw Object.assign(new Error('Invalid client'), { code: 401, name: 'invalid_client' });
  if (!request.body.token) throw Object.assign(new Error('Missing parameter: `token`'), { code: 400, name: 'invalid_request' });
  const found = refresh.get(request.body.token) ?? access.get(request.body.token);
  if (found && found.client.id === id) {
    refresh.delete(found.refreshToken);
    access.delete(found.accessToken);
  }
  response.body = '';
}

const routes = {
  '/.well-known/oauth-authorization-server': (_, response) => { response.body = metadata; },
  '/authorize': authorize,
  '/token': async (request, response) => { await oauth.token(request, response); },
  '/register': register,
  '/revoke': revoke,
  '/me': async (request, response) => { response.body = { sub: (await oauth.authenticate(request, response)).user.id, name: 'Demo' }; },
  '/photos': async (request, response) => { await oauth.authenticate(request, response, { scope: ['photos'] }); response.body = []; },
};

createServer(async (incoming, outgoing) => {
  const url = new URL(incoming.url, issuer);
  let text = '';
  for await (const chunk of incoming) text += chunk;
  const type = incoming.headers['content-type'] ?? '';
  const request = new OAuth2Server.Request({
    method: incoming.method,
    headers: incoming.headers,
    query: Object.fromEntries(url.searchParams),
    body: type.startsWith('application/x-www-form-urlencoded') ? Object.fromEntries(new URLSearchParams(text))
      : type.startsWith('application/json') ? JSON.parse(text) : {},
  });
  request.location = incoming.url;
  const response = new OAuth2Server.Response({ headers: {} });
  let answer = response;
  const route = routes[url.pathname];
  try {
    if (route) answer = (await route(request, response)) ?? response;
    else response.status = 404;
  } catch (error) {
    if (response.status !== 302) {
      response.status = error.code >= 400 && error.code < 600 ? error.code : 500;
      response.body = { error: error.name, error_description: error.message };
    }
  }
  const body = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body ?? {});
  const json = typeof answer.body === 'string' ? {} : { 'Content-Type': 'application/json' };
  outgoing.writeHead(answer.status ?? 200, { ...json, ...answer.headers }).end(answer.status === 302 ? '' : body);
}).listen(port, '127.0.0.1');
