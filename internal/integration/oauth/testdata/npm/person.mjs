// Somebody with a browser that runs no script: it shows pages, sends back the
// fields and cookies that it was given, and follows redirects.
import { assert } from './kit.mjs'

const entities = { amp: '&', lt: '<', gt: '>', quot: '"' }
const decode = (text) => text.replace(/&(?:#(\d+)|(\w+));/g, (_, number, name) => number ? String.fromCodePoint(number) : entities[name])

function readForm(page) {
  const form = page.match(/<form\b[^>]*>.*?<\/form>/s)
  if (!form) return null
  const fields = new URLSearchParams()
  let method, action
  let pressed = false
  for (const [tag, kind] of form[0].matchAll(/<(form|input|button)\b[^>]*>/g)) {
    const a = Object.fromEntries([...tag.matchAll(/([a-z-]+)="([^"]*)"/g)].map(([, name, value]) => [name, decode(value)]))
    if (kind === 'form') ({ method, action } = a)
    else if (a.name && !(kind === 'button' && pressed)) fields.set(a.name, a.value ?? '')
    pressed ||= kind === 'button'
  }
  return { method, action, fields }
}

export class Person {
  #cookies = new Map()

  constructor(email, password) {
    this.known = { email, password }
  }

  // visit opens a URL, signs in where it is asked to and presses the first button
  // of every other page, until the server sends it to another origin. It returns
  // that URL, which it does not open, or the last page.
  async visit(address, answers = {}) {
    let at = new URL(address)
    const home = at.origin
    let init = {}
    for (let i = 0; i < 10; i++) {
      const response = await this.#send(at, init)
      const page = await response.text()
      if (response.status >= 300 && response.status < 400) {
        at = new URL(response.headers.get('location'), at)
        if (at.origin !== home) return at
        init = {}
        continue
      }
      const form = readForm(page)
      if (!form) return page
      at = new URL(form.action, at)
      for (const [name, value] of Object.entries({ ...this.known, ...answers })) {
        if (form.fields.has(name)) form.fields.set(name, value)
      }
      init = {}
      if (form.method === 'get') at.search = form.fields
      else init = { method: 'POST', body: form.fields, headers: { origin: home } }
    }
    assert.fail('no end of pages')
  }

  async #send(url, init) {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const response = await fetch(url, { ...init, redirect: 'manual', headers: { ...init.headers, cookie } })
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = line.match(/^([^=]+)=([^;]*)/)
      if (/max-age=(0|-)/i.test(line)) this.#cookies.delete(name)
      else this.#cookies.set(name, value)
    }
    return response
  }
}
