// npm's oauth4webapi against a server with all that there is: what openid-client
// does not ask of the example.
import * as oauth from 'oauth4webapi'
import { importJWK } from 'jose'
import { assert, done, env, step } from './kit.mjs'
import { Person } from './person.mjs'

const issuer = new URL(env('issuer'))
const callback = 'https://web.example/callback'
const insecure = { [oauth.allowInsecureRequests]: true }
const secret = oauth.ClientSecretBasic(env('secret'))
const jwk = JSON.parse(env('signer'))
const signingKey = { key: await importJWK(jwk, 'ES256'), kid: jwk.kid }

const as = await step('discovery', async () => {
  const response = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...insecure })
  return oauth.processDiscoveryResponse(issuer, response)
})

// code goes through the authorization endpoint and redeems the code.
async function code(client, auth, { request_uri, ...parameters } = {}) {
  const verifier = oauth.generateRandomCodeVerifier()
  const state = oauth.generateRandomState()
  let query = {
    client_id: client.client_id, response_type: 'code', redirect_uri: callback, scope: 'read', state,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256', ...parameters,
  }
  if (request_uri) {
    const pushed = await oauth.processPushedAuthorizationResponse(as, client,
      await oauth.pushedAuthorizationRequest(as, client, auth, new URLSearchParams(query), insecure))
    query = { client_id: client.client_id, request_uri: pushed.request_uri }
  }
  const url = new URL(as.authorization_endpoint)
  url.search = new URLSearchParams(query)
  const back = await new Person().visit(url)
  assert.ok(back instanceof URL, `a page: ${back}`)
  const answer = oauth.validateAuthResponse(as, client, back, state)
  const response = await oauth.authorizationCodeGrantRequest(as, client, auth, answer, callback, verifier, insecure)
  return oauth.processAuthorizationCodeResponse(as, client, response)
}

async function api(token, status) {
  const response = await fetch(new URL('/api', issuer), { headers: { authorization: `Bearer ${token}` } })
  assert.equal(response.status, status)
  return response.json()
}

const grant = async (client, auth, type, parameters) => oauth.processGenericTokenEndpointResponse(as, client,
  await oauth.genericTokenEndpointRequest(as, client, auth, type, new URLSearchParams(parameters), insecure))

await step('client credentials by private_key_jwt', async () => {
  const client = { client_id: 'signer' }
  const response = await oauth.clientCredentialsGrantRequest(as, client, oauth.PrivateKeyJwt(signingKey), new URLSearchParams(), insecure)
  const tokens = await oauth.processClientCredentialsResponse(as, client, response)
  assert.equal((await api(tokens.access_token, 200)).client_id, 'signer')
})

await step('a code by private_key_jwt', async () => {
  const tokens = await code({ client_id: 'signer' }, oauth.PrivateKeyJwt(signingKey))
  assert.equal((await api(tokens.access_token, 200)).sub, 'ada')
})

await step('a request that has to be pushed', async () => {
  const client = { client_id: 'pusher' }
  await assert.rejects(code(client, secret))
  const tokens = await code(client, secret, { request_uri: true })
  await api(tokens.access_token, 200)
})

await step('an access token as RFC 9068 has it', async () => {
  const { access_token: token } = await code({ client_id: 'web' }, secret)
  const request = new Request(new URL('/api', issuer), { headers: { authorization: `Bearer ${token}` } })
  const claims = await oauth.validateJwtAccessToken(as, request, `${issuer.origin}/api`, insecure)
  assert.equal(claims.sub, 'ada')
  assert.equal(claims.client_id, 'web')
  assert.equal(claims.scope, 'read')
  assert.ok(claims.auth_time)
  await assert.rejects(oauth.validateJwtAccessToken(as, request, 'https://another.example', insecure))
})

await step('an opaque token, its introspection and its end', async () => {
  const client = { client_id: 'opaque' }
  const tokens = await code(client, secret)
  assert.equal(tokens.access_token.split('.').length, 1)
  await api(tokens.access_token, 200)
  const introspect = async () => oauth.processIntrospectionResponse(as, client,
    await oauth.introspectionRequest(as, client, secret, tokens.access_token, insecure))
  const told = await introspect()
  assert.equal(told.active, true)
  assert.equal(told.sub, 'ada')
  await oauth.processRevocationResponse(await oauth.revocationRequest(as, client, secret, tokens.refresh_token, insecure))
  assert.equal((await introspect()).active, false)
  await api(tokens.access_token, 401)
})

await step('a client that has to prove a key', async () => {
  const client = { client_id: 'bound' }
  const request = (options) => oauth.clientCredentialsGrantRequest(as, client, secret, new URLSearchParams(), { ...insecure, ...options })
  await assert.rejects(oauth.processClientCredentialsResponse(as, client, await request()))
  const DPoP = oauth.DPoP(client, await oauth.generateKeyPair('ES256'))
  let tokens
  try {
    tokens = await oauth.processClientCredentialsResponse(as, client, await request({ DPoP }))
  } catch (e) {
    assert.ok(oauth.isDPoPNonceError(e), e.stack)
    tokens = await oauth.processClientCredentialsResponse(as, client, await request({ DPoP }))
  }
  assert.equal(tokens.token_type, 'dpop')
  await api(tokens.access_token, 401)
  const response = await oauth.protectedResourceRequest(tokens.access_token, 'GET', new URL('/api', issuer), undefined, null, { DPoP, ...insecure })
  assert.equal(response.status, 200)
})

await step('an API that acts for a person elsewhere', async () => {
  const { access_token: subject } = await code({ client_id: 'web' }, secret)
  const tokens = await grant({ client_id: 'gateway' }, secret, 'urn:ietf:params:oauth:grant-type:token-exchange', {
    subject_token: subject, subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
  })
  const told = await api(tokens.access_token, 200)
  assert.equal(told.sub, 'ada')
  assert.equal(told.client_id, 'gateway')
  assert.equal(told.claims.act.sub, 'gateway')
})

await step('a user whom a platform signs in', async () => {
  const header = Buffer.from(JSON.stringify({ alg: 'ES256', kid: jwk.kid })).toString('base64url')
  const now = Math.floor(Date.now() / 1000)
  const payload = Buffer.from(JSON.stringify({ iss: 'acme', sub: 'grace', aud: issuer.origin, jti: crypto.randomUUID(), iat: now, exp: now + 60 })).toString('base64url')
  const signature = await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, signingKey.key, Buffer.from(`${header}.${payload}`))
  const assertion = `${header}.${payload}.${Buffer.from(signature).toString('base64url')}`
  const tokens = await grant({ client_id: 'partner' }, secret, 'urn:ietf:params:oauth:grant-type:jwt-bearer', { assertion })
  assert.equal((await api(tokens.access_token, 200)).client_id, 'partner')
})

done()
