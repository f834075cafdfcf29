// npm's openid-client against examples/spatialweb.
import * as client from 'openid-client'
import { assert, done, env, step } from './kit.mjs'
import { Person } from './person.mjs'

const issuer = new URL(env('base_url'))
const api = new URL('/spaces', issuer)
const options = { algorithm: 'oauth2', execute: [client.allowInsecureRequests] }
const ada = () => new Person(env('email'), env('password'))

const service = await step('discovery', async () => {
  const config = await client.discovery(issuer, env('client_id'), undefined, client.ClientSecretBasic(env('client_secret')), options)
  assert.equal(config.serverMetadata().issuer, issuer.origin)
  assert.ok(config.serverMetadata().supportsPKCE())
  return config
})
const post = await client.discovery(issuer, env('client_id'), undefined, client.ClientSecretPost(env('client_secret')), options)
const web = await client.discovery(issuer, env('web_client_id'), undefined, client.ClientSecretBasic(env('web_client_secret')), options)
const app = await client.discovery(issuer, env('public_client_id'), undefined, client.None(), options)

// call asks the API and returns the status, or fails with another than expected.
async function call(config, token, status, how = {}) {
  let got
  try {
    got = await client.fetchProtectedResource(config, token, api, how.method ?? 'GET', how.body, new Headers(how.body && { 'content-type': 'application/json' }), how)
  } catch (e) {
    if (!e.response) throw e
    got = e.response
  }
  assert.equal(got.status, status)
  return got
}

// refused runs what has to fail, and tells with which error code.
const refused = (run, error) => assert.rejects(run, (e) => {
  assert.equal(e.error ?? e.cause?.error, error, e.stack)
  return true
})

await step('client credentials', async () => {
  const tokens = await client.clientCredentialsGrant(service, { scope: 'spaces:read spaces:write', resource: issuer.origin })
  assert.equal(tokens.token_type, 'bearer')
  assert.equal(tokens.scope, 'spaces:read spaces:write')
  assert.ok(tokens.expiresIn() > 890 && tokens.expiresIn() <= 900)
  assert.equal(tokens.refresh_token, undefined)
  await call(service, tokens.access_token, 200)
  await call(service, tokens.access_token, 200, { method: 'POST', body: '{"name":"Harbour"}' })
})

await step('client credentials by client_secret_post', async () => {
  const tokens = await client.clientCredentialsGrant(post, { scope: 'spaces:read' })
  await call(post, tokens.access_token, 200)
  await call(post, tokens.access_token, 403, { method: 'POST', body: '{"name":"Harbour"}' })
})

await step('a wrong secret', async () => {
  const wrong = await client.discovery(issuer, env('client_id'), undefined, client.ClientSecretBasic('guessed-secret'), options)
  await assert.rejects(client.clientCredentialsGrant(wrong), { status: 401 }) // with a challenge
})

await step('a scope that the client may not have', async () => {
  await refused(client.clientCredentialsGrant(service, { scope: 'everything' }), 'invalid_scope')
})

await step('introspection and revocation', async () => {
  const { access_token: token } = await client.clientCredentialsGrant(service, { scope: 'spaces:read' })
  const told = await client.tokenIntrospection(service, token)
  assert.equal(told.active, true)
  assert.equal(told.client_id, env('client_id'))
  assert.equal(told.scope, 'spaces:read')
  assert.equal(told.iss, issuer.origin)
  assert.equal((await client.tokenIntrospection(web, token)).active, false) // it is another client's
  await client.tokenRevocation(service, token)
  assert.deepEqual(await client.tokenIntrospection(service, token), { active: false })
  await call(service, token, 401)
})

// signIn goes through the pages and returns the URL that the client is sent back
// to, with what has to be checked.
async function signIn(config, redirect, { person = ada(), push = false, DPoP, ...parameters } = {}) {
  const pkceCodeVerifier = client.randomPKCECodeVerifier()
  const expectedState = client.randomState()
  const query = {
    redirect_uri: redirect,
    scope: 'spaces:read spaces:write',
    resource: issuer.origin,
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: expectedState,
    ...parameters,
  }
  const url = push ? await client.buildAuthorizationUrlWithPAR(config, query, { DPoP }) : client.buildAuthorizationUrl(config, query)
  const back = await person.visit(url)
  assert.ok(back instanceof URL, `a page: ${back}`)
  return { back, checks: { pkceCodeVerifier, expectedState } }
}

const tokens = await step('authorization code', async () => {
  const { back, checks } = await signIn(web, env('web_redirect_uri'))
  assert.equal(back.origin + back.pathname, env('web_redirect_uri'))
  assert.equal(back.searchParams.get('iss'), issuer.origin)
  const tokens = await client.authorizationCodeGrant(web, back, checks)
  assert.equal(tokens.scope, 'spaces:read spaces:write')
  assert.ok(tokens.refresh_token)
  await call(web, tokens.access_token, 200)
  await call(web, tokens.access_token, 200, { method: 'POST', body: '{"name":"Quay"}' })
  return tokens
})

await step('refresh', async () => {
  const next = await client.refreshTokenGrant(web, tokens.refresh_token, { scope: 'spaces:read' })
  assert.notEqual(next.refresh_token, tokens.refresh_token)
  assert.equal(next.scope, 'spaces:read')
  await call(web, next.access_token, 200)
  await call(web, next.access_token, 403, { method: 'POST', body: '{"name":"Quay"}' })
  await refused(client.refreshTokenGrant(service, next.refresh_token), 'unauthorized_client')
  await client.tokenRevocation(web, next.refresh_token)
  await refused(client.refreshTokenGrant(web, next.refresh_token), 'invalid_grant')
  await call(web, next.access_token, 401) // it goes with its family
})

await step('a code a second time', async () => {
  const { back, checks } = await signIn(web, env('web_redirect_uri'))
  const first = await client.authorizationCodeGrant(web, back, checks)
  await refused(client.authorizationCodeGrant(web, back, checks), 'invalid_grant')
  await call(web, first.access_token, 401)
  await refused(client.refreshTokenGrant(web, first.refresh_token), 'invalid_grant')
})

await step('another code verifier', async () => {
  const { back, checks } = await signIn(web, env('web_redirect_uri'))
  await refused(client.authorizationCodeGrant(web, back, { ...checks, pkceCodeVerifier: client.randomPKCECodeVerifier() }), 'invalid_grant')
})

await step('an answer of another issuer', async () => {
  const { back, checks } = await signIn(web, env('web_redirect_uri'))
  back.searchParams.set('iss', 'https://attacker.example')
  await assert.rejects(client.authorizationCodeGrant(web, back, checks))
  back.searchParams.delete('iss')
  await assert.rejects(client.authorizationCodeGrant(web, back, checks))
})

await step('a person who says no', async () => {
  const { back, checks } = await signIn(web, env('web_redirect_uri'), { prompt: 'consent', person: new (class extends Person {
    visit(address) { return super.visit(address, { decision: 'deny' }) }
  })(env('email'), env('password')) })
  await refused(client.authorizationCodeGrant(web, back, checks), 'access_denied')
})

await step('a pushed request', async () => {
  const { back, checks } = await signIn(web, env('web_redirect_uri'), { push: true })
  await call(web, (await client.authorizationCodeGrant(web, back, checks)).access_token, 200)
})

await step('a public client on a port of its own', async () => {
  const redirect = new URL(env('public_redirect_uri'))
  redirect.port = '45678'
  const { back, checks } = await signIn(app, redirect.href)
  assert.equal(back.port, '45678')
  await call(app, (await client.authorizationCodeGrant(app, back, checks)).access_token, 200)
})

await step('DPoP with nonces', async () => {
  const DPoP = client.getDPoPHandle(app, await client.randomDPoPKeyPair())
  const { back, checks } = await signIn(app, env('public_redirect_uri'), { push: true, DPoP })
  const tokens = await client.authorizationCodeGrant(app, back, checks, undefined, { DPoP })
  assert.equal(tokens.token_type, 'dpop')
  await call(app, tokens.access_token, 200, { DPoP })
  await call(app, tokens.access_token, 200, { DPoP, method: 'POST', body: '{"name":"Pier"}' })
  await call(app, tokens.access_token, 401) // as a bearer token
  await call(app, tokens.access_token, 401, { DPoP: client.getDPoPHandle(app, await client.randomDPoPKeyPair()) })
  const next = await client.refreshTokenGrant(app, tokens.refresh_token, undefined, { DPoP })
  await call(app, next.access_token, 200, { DPoP })
  await refused(client.refreshTokenGrant(app, next.refresh_token), 'invalid_grant') // without the key
})

await step('DPoP of a confidential client', async () => {
  const DPoP = client.getDPoPHandle(service, await client.randomDPoPKeyPair('Ed25519'))
  const tokens = await client.clientCredentialsGrant(service, { scope: 'spaces:read' }, { DPoP })
  await call(service, tokens.access_token, 200, { DPoP })
  const told = await client.tokenIntrospection(service, tokens.access_token)
  assert.equal(told.token_type, 'DPoP')
  assert.ok(told.cnf.jkt)
})

await step('a device', async () => {
  const asked = await client.initiateDeviceAuthorization(app, { scope: 'spaces:read', resource: issuer.origin })
  assert.match(asked.user_code, /^[A-Z]{4}-[A-Z]{4}$/)
  assert.ok(asked.verification_uri.startsWith(issuer.origin))
  const [tokens, page] = await Promise.all([
    client.pollDeviceAuthorizationGrant(app, asked, undefined, { signal: AbortSignal.timeout(60_000) }),
    ada().visit(asked.verification_uri, { user_code: asked.user_code.toLowerCase().replace('-', ' ') }),
  ])
  assert.equal(typeof page, 'string')
  assert.equal(tokens.scope, 'spaces:read')
  await call(app, tokens.access_token, 200)
})

await step('a device that is denied', async () => {
  const asked = await client.initiateDeviceAuthorization(app, { scope: 'spaces:read' })
  await ada().visit(asked.verification_uri_complete, { decision: 'deny' })
  await refused(client.pollDeviceAuthorizationGrant(app, asked, undefined, { signal: AbortSignal.timeout(60_000) }), 'access_denied')
})

await step('token exchange', async () => {
  const { access_token: subject } = await client.clientCredentialsGrant(service, { scope: 'spaces:read spaces:write' })
  const tokens = await client.genericGrantRequest(service, 'urn:ietf:params:oauth:grant-type:token-exchange', {
    subject_token: subject,
    subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    scope: 'spaces:read',
    resource: issuer.origin,
  })
  assert.equal(tokens.issued_token_type, 'urn:ietf:params:oauth:token-type:access_token')
  assert.equal(tokens.scope, 'spaces:read')
  await call(service, tokens.access_token, 200)
  await call(service, tokens.access_token, 403, { method: 'POST', body: '{"name":"Pier"}' })
})

done()
