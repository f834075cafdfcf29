// The client of npm's @modelcontextprotocol/sdk against examples/mcp: from the
// bare URL to a tool call.
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js'
import { assert, done, env, step } from './kit.mjs'
import { Person } from './person.mjs'

const url = new URL(env('mcp_url'))
const redirect = 'http://127.0.0.1:45679/callback'

// A host is a program with the client in it, which knows its client_id from a
// registration beforehand.
class Host {
  redirectUrl = redirect
  clientMetadata = { client_name: 'Desk Assistant', redirect_uris: [redirect] }
  seen = [] // the scopes that were asked for

  clientInformation() { return { client_id: env('client_id'), issuer: env('base_url') } }
  state() { return 'a state' }
  tokens() { return this.saved }
  saveTokens(tokens) { this.saved = tokens }
  saveCodeVerifier(verifier) { this.verifier = verifier }
  codeVerifier() { return this.verifier }

  async redirectToAuthorization(to) {
    assert.equal(to.searchParams.get('resource'), url.href)
    this.seen.push(to.searchParams.get('scope'))
    this.back = await new Person(env('email'), env('password')).visit(to)
    assert.ok(this.back instanceof URL, `a page: ${this.back}`)
    assert.equal(this.back.origin + this.back.pathname, redirect)
    assert.equal(this.back.searchParams.get('state'), 'a state')
  }
}

const host = new Host()

// connect goes as far as a session, by way of a login if that has to be.
async function connect() {
  const client = new Client({ name: 'test', version: '1' })
  let transport = new StreamableHTTPClientTransport(url, { authProvider: host })
  try {
    await client.connect(transport)
  } catch (e) {
    if (!(e instanceof UnauthorizedError)) throw e
    await transport.finishAuth(host.back.searchParams.get('code'))
    transport = new StreamableHTTPClientTransport(url, { authProvider: host })
    await client.connect(transport)
  }
  return { client, transport }
}

await step('nothing is told to who has no token', async () => {
  const response = await fetch(url, { method: 'POST', body: '{}' })
  assert.equal(response.status, 401)
  assert.match(response.headers.get('www-authenticate'), /^Bearer.*resource_metadata="/)
})

const { client, transport } = await step('from the URL to a session', connect)

await step('a tool', async () => {
  const { tools } = await client.listTools()
  assert.deepEqual(tools.map((t) => t.name).sort(), ['add_note', 'list_notes'])
  const { structuredContent } = await client.callTool({ name: 'list_notes' })
  assert.deepEqual(structuredContent, { notes: [] })
  assert.equal(host.seen.at(-1), 'notes:read')
})

await step('a refresh', async () => {
  const before = host.saved.access_token
  host.saved = { ...host.saved, access_token: 'eyJ.expired.token' }
  const { structuredContent } = await client.callTool({ name: 'list_notes' })
  assert.deepEqual(structuredContent, { notes: [] })
  assert.notEqual(host.saved.access_token, before)
  assert.equal(host.seen.length, 1) // nobody had to sign in again
})

await step('a tool that needs another scope', async () => {
  delete host.saved.refresh_token // with one, this client asks for no more than it has
  const call = () => client.callTool({ name: 'add_note', arguments: { text: 'Buy milk' } })
  await assert.rejects(call(), UnauthorizedError)
  await transport.finishAuth(host.back.searchParams.get('code'))
  assert.deepEqual((await call()).structuredContent, { notes: ['Buy milk'] })
  assert.equal(host.seen.at(-1), 'notes:read notes:write')
})

done()
