/** An OpenID provider on another site than the server's: localhost, where the server is 127.0.0.1. */
import { createHash, createSign, generateKeyPairSync, randomBytes } from 'node:crypto';
import http from 'node:http';

const CLIENT = 'transcribe-e2e';
const SECRET = 'a secret of both';
const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** `provider.person` is who has signed in there; its page asks whether to go on. */
export async function startProvider() {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const codes = new Map();
  const provider = {
    person: { sub: 'grace', email: 'grace@example.org', email_verified: true, name: 'Grace Hopper' },
  };

  const sign = (claims) => {
    const text = `${part({ alg: 'RS256', kid: 'one' })}.${part(claims)}`;
    return `${text}.${createSign('RSA-SHA256').update(text).sign(privateKey, 'base64url')}`;
  };

  const routes = {
    '/.well-known/openid-configuration': () => ({
      issuer: provider.issuer,
      authorization_endpoint: `${provider.issuer}/authorize`,
      token_endpoint: `${provider.issuer}/token`,
      jwks_uri: `${provider.issuer}/jwks`,
    }),
    '/jwks': () => ({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'one', use: 'sig' }] }),
    '/token': (form) => {
      const asked = codes.get(form.code);
      codes.delete(form.code);
      const challenge = createHash('sha256').update(form.code_verifier).digest('base64url');
      if (!asked || asked.code_challenge !== challenge || asked.redirect_uri !== form.redirect_uri) {
        throw new Error('invalid_grant');
      }
      const now = Math.floor(Date.now() / 1000);
      const claims = { iss: provider.issuer, aud: CLIENT, iat: now, exp: now + 300, nonce: asked.nonce };
      return { access_token: 'at', token_type: 'Bearer', id_token: sign({ ...claims, ...asked.person }) };
    },
  };

  const server = http.createServer(async (request, response) => {
    const url = new URL(request.url, 'http://localhost');
    let body = '';
    for await (const block of request) body += block;
    if (url.pathname === '/authorize') {
      const asked = Object.fromEntries(url.searchParams);
      const code = randomBytes(16).toString('hex');
      codes.set(code, { ...asked, person: { ...provider.person } });
      const back = (answer) =>
        `${asked.redirect_uri}?${new URLSearchParams({ ...answer, state: asked.state })}`.replace(/&/g, '&amp;');
      response.setHeader('Content-Type', 'text/html');
      response.end(
        `<!doctype html><title>Provider</title><a href="${back({ code })}">Go on</a> ` +
          `<a href="${back({ error: 'access_denied' })}">Stop</a>`,
      );
      return;
    }
    try {
      const answer = routes[url.pathname](Object.fromEntries(new URLSearchParams(body)));
      response.setHeader('Content-Type', 'application/json');
      response.end(JSON.stringify(answer));
    } catch (error) {
      response.statusCode = 400;
      response.end(JSON.stringify({ error: String(error.message) }));
    }
  });
  await new Promise((resolve) => {
    server.listen(0, 'localhost', resolve);
  });
  provider.issuer = `http://localhost:${server.address().port}`;
  provider.settings = {
    OIDC_ISSUER: provider.issuer,
    OIDC_CLIENT_ID: CLIENT,
    OIDC_CLIENT_SECRET: SECRET,
    OIDC_NAME: 'Example',
    OIDC_CREATE_ACCOUNTS: 'true',
  };
  provider.stop = () =>
    new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    });
  return provider;
}
