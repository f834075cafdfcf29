// An API behind npm's express-oauth2-jwt-bearer, which takes the tokens of
// examples/spatialweb.
import express from 'express'
import { auth, requiredScopes } from 'express-oauth2-jwt-bearer'
import { assert, done, env, step } from './kit.mjs'

const issuer = env('base_url')

async function token(scope) {
  const response = await fetch(`${issuer}/oauth/token`, {
    method: 'POST',
    headers: { authorization: 'Basic ' + btoa(`${env('client_id')}:${env('client_secret')}`) },
    body: new URLSearchParams({ grant_type: 'client_credentials', scope }),
  })
  return (await response.json()).access_token
}

const listen = async (audience) => {
  const api = express()
  api.use(auth({
    issuer, audience, strict: true, // RFC 9068
    jwksUri: `${issuer}/.well-known/jwks.json`, tokenSigningAlg: 'ES256',
  }))
  api.get('/', requiredScopes('spaces:read'), (request, response) => response.json(request.auth.payload))
  api.use((error, request, response, next) => response.status(error.status ?? 500).json({ message: error.message }))
  const server = await new Promise((resolve) => { const s = api.listen(0, '127.0.0.1', () => resolve(s)) })
  return async (text) => fetch(`http://127.0.0.1:${server.address().port}/`, { headers: { authorization: `Bearer ${text}` } })
}

const ask = await listen(issuer)

await step('a token with the scope', async () => {
  const response = await ask(await token('spaces:read'))
  const text = await response.text()
  assert.equal(response.status, 200, text)
  assert.equal(JSON.parse(text).client_id, env('client_id'))
})

await step('a token without it', async () => {
  assert.equal((await ask(await token('spaces:write'))).status, 403)
})

await step('a token for another API', async () => {
  assert.equal((await (await listen('https://another.example'))(await token('spaces:read'))).status, 401)
})

await step('a token that was changed', async () => {
  const [header, payload, signature] = (await token('spaces:read')).split('.')
  assert.equal((await ask([header, payload, signature.replace(/^./, (c) => c === 'A' ? 'B' : 'A')].join('.'))).status, 401)
})

done()
