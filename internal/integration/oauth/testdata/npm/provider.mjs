// An authorization server that others wrote, npm's oidc-provider, for the test of
// our resource servers. It signs with the first of its keys.
import { Provider } from 'oidc-provider'

const { ISSUER, KEYS, RESOURCE, CLIENT_ID, CLIENT_SECRET } = process.env

const client = {
  client_id: CLIENT_ID,
  client_secret: CLIENT_SECRET,
  grant_types: ['client_credentials'],
  redirect_uris: [],
  response_types: [],
  id_token_signed_response_alg: 'ES256',
}

const provider = new Provider(ISSUER, {
  clients: [client, { ...client, client_id: 'api', introspection_endpoint_auth_method: 'client_secret_basic' }],
  jwks: JSON.parse(KEYS),
  scopes: ['read', 'write'],
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    dPoP: { enabled: true },
    introspection: { enabled: true, allowedPolicy: () => true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (ctx, resource) => ({
        scope: 'read write',
        accessTokenTTL: 600,
        accessTokenFormat: resource === RESOURCE ? 'jwt' : 'opaque',
        ...(resource === RESOURCE && { jwt: { sign: { alg: 'ES256' } } }),
      }),
    },
    revocation: { enabled: true, allowedPolicy: () => true },
  },
})

const { port } = new URL(ISSUER)
provider.listen(Number(port), '127.0.0.1', () => console.log('ready=1'))
