// oidc-provider as an authorization server, with its own login and consent pages.
// PORT, REDIRECT_URI (one or more, separated by spaces) and ID_TOKEN_SECONDS come from the environment.
//
// The login "sam.staff" is sam of the group staff, with a verified address; that of "sam.unverified" is the same, unverified.
import { generateKeyPairSync } from 'node:crypto';

import Provider from 'oidc-provider';

const port = Number(process.env.PORT);
const issuer = `http://127.0.0.1:${port}`;
const redirect_uris = process.env.REDIRECT_URI.split(' ');
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const jwtKey = process.env.CLIENT_JWK ? JSON.parse(process.env.CLIENT_JWK) : undefined;
const code = {
  redirect_uris,
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  scope: 'openid email profile offline_access',
};
const device = 'urn:ietf:params:oauth:grant-type:device_code';

const clients = [
  { ...code, client_id: 'web-app', client_secret: 'web-app-secret-0123456789', token_endpoint_auth_method: 'client_secret_basic' },
  { ...code, client_id: 'other-app', client_secret: 'other-app-secret-0123456789' },
  { ...code, client_id: 'limited-app', client_secret: 'limited-app-secret-0123456789', grant_types: ['authorization_code'], scope: 'openid' },
  { ...code, client_id: 'post-app', client_secret: 'post-app-secret-0123456789', token_endpoint_auth_method: 'client_secret_post' },
  { ...code, client_id: 'public-app', token_endpoint_auth_method: 'none' },
  { ...code, client_id: 'dpop-app', client_secret: 'dpop-app-secret-0123456789', dpop_bound_access_tokens: true },
  { ...code, client_id: 'par-app', client_secret: 'par-app-secret-0123456789', require_pushed_authorization_requests: true },
  {
    ...code, client_id: 'console', client_secret: 'console-secret-0123456789', grant_types: ['authorization_code'],
    scope: 'openid profile email',
  },
  {
    client_id: 'device-app', token_endpoint_auth_method: 'none', redirect_uris: [], response_types: [],
    grant_types: [device, 'refresh_token'], application_type: 'native', scope: 'openid email profile offline_access',
  },
];
if (jwtKey) {
  clients.push({ ...code, client_id: 'jwt-app', token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [jwtKey] } });
}

function claimsOf(sub) {
  const [name, ...groups] = sub.split('.');
  return { sub, name, groups, email: `${name}@example.com`, email_verified: !groups.includes('unverified') };
}

const provider = new Provider(issuer, {
  clients,
  jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), kid: 'server-key', use: 'sig', alg: 'RS256' }] },
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name', 'groups'] },
  scopes: ['openid', 'email', 'profile', 'offline_access'],
  findAccount: (_ctx, id) => ({ accountId: id, claims: () => claimsOf(id) }),
  features: {
    devInteractions: { enabled: true },
    deviceFlow: { enabled: true },
    dPoP: { enabled: true, nonceSecret: Buffer.alloc(32, 1), requireNonce: () => process.env.DPOP_NONCE === 'required' },
    introspection: { enabled: true, allowedPolicy: () => true },
    pushedAuthorizationRequests: { enabled: true },
    revocation: { enabled: true, allowedPolicy: () => true },
    userinfo: { enabled: true },
  },
  rotateRefreshToken: true,
  cookies: { keys: ['tests only'] },
  ttl: { IdToken: Number(process.env.ID_TOKEN_SECONDS) || 3600 },
});
provider.listen(port, '127.0.0.1');
