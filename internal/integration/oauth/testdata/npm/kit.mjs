// What the scripts share: steps, each of which is a subtest of the Go test that
// runs the script.
import assert from 'node:assert/strict'

let steps = 0

// step runs one, and tells how it went. After one that fails there is no use in
// going on.
export async function step(name, run) {
  steps++
  try {
    const result = await run()
    console.log(JSON.stringify({ step: name }))
    return result
  } catch (e) {
    console.log(JSON.stringify({ step: name, error: `${e.stack}\n${JSON.stringify(e.cause ?? e.body ?? {})}` }))
    process.exit(0)
  }
}

// done is the last line of a script.
export function done() {
  console.log(JSON.stringify({ steps }))
  process.exit(0)
}

// env returns what the test has put into the environment.
export function env(name) {
  const value = process.env[name]
  assert.ok(value, `${name} is not set`)
  return value
}

export { assert }
