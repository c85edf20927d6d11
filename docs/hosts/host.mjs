// A host in Node.js: members of a connector, through the command `smp-harness`.
import { spawn } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import process, { argv, env } from 'node:process';
import { fileURLToPath } from 'node:url';

// How long a run that is left early may take to stop, in milliseconds. The command takes some 5 s.
const PATIENCE = 10_000;
// What is kept of standard error, from its end. The last line is far shorter.
const TAIL = 1 << 20;

/** A run that gave no complete list. `error` says why, and whether to try again. */
export class Failed extends Error {
  constructor(error) {
    super(error.message);
    this.error = error;
  }
}

/**
 * Yields the members. They count only if the loop ends without `Failed`. Behind the source may
 * stand `{ env: { NAME: value } }`, variables of the command alone: the secret for
 * `--secret KEY=env:NAME`.
 */
export async function* members(connector, ...source) {
  const options = typeof source.at(-1) === 'object' ? source.pop() : {};
  const command = env.SMP_HARNESS || 'smp-harness';
  // An option is given once, so a source that sends the list elsewhere is refused.
  const end = ['--format', 'ndjson', '--output', '-', '--json'];
  const run = spawn(command, ['collect', connector, ...source, ...end], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...env, ...options.env },
  });
  let said = '';
  run.stderr?.setEncoding('utf8').on('data', (text) => { said = (said + text).slice(-TAIL); });
  const ended = new Promise((resolve) => {
    run.once('error', (error) => resolve(`\`${command}\` cannot be started: ${error.message}`));
    run.once('close', (code, signal) => resolve(
      code === 0 ? undefined : `the command ended with ${code ?? signal}, and did not say why`));
  });
  let rest = '';
  let fault;
  try {
    const text = decoder();
    for await (const bytes of run.stdout ?? []) {
      const lines = (rest + text(bytes)).split('\n');
      rest = lines.pop();
      for (const line of lines) yield member(line);
    }
    fault = await ended;
  } finally {
    run.kill();
    const impatient = setTimeout(() => run.kill('SIGKILL'), PATIENCE);
    await ended;
    clearTimeout(impatient);
  }
  const error = lastError(said);
  if (error) throw new Failed(error);
  if (fault) throw other(fault);
  if (rest) throw other("the command's last line is not whole");
}

/** What the command could not say itself. */
function other(message) {
  const absent = { hint: null, setting: null, vendor_code: null, retry_after_s: null };
  return new Failed({ code: 'other', message, retryable: false, ...absent });
}

/** Reads text in UTF-8, chunk by chunk. */
function decoder() {
  const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  return (bytes) => {
    try {
      return utf8.decode(bytes, { stream: true });
    } catch {
      throw other('the command wrote a line that is no member');
    }
  };
}

/** The member on a line. */
function member(line) {
  let read;
  try {
    read = JSON.parse(line);
  } catch {}
  if (typeof read !== 'object' || read === null || Array.isArray(read)) {
    throw other('the command wrote a line that is no member');
  }
  return read;
}

/** The error in the last line of standard error, if there is one. */
function lastError(said) {
  try {
    const { error } = JSON.parse(said.trim().split('\n').at(-1));
    return typeof error.code === 'string' && typeof error.message === 'string' ? error : undefined;
  } catch {
    return undefined;
  }
}

if (existsSync(argv[1] ?? '') && fileURLToPath(import.meta.url) === realpathSync(argv[1])) {
  if (argv.length < 3) {
    console.error('usage: node host.mjs CONNECTOR.wasm SOURCE...');
    process.exit(2);
  }
  try {
    for await (const each of members(...argv.slice(2))) console.log(JSON.stringify(each));
  } catch (failed) {
    console.error(JSON.stringify({ error: failed.error ?? other(String(failed)).error }));
    process.exitCode = 1;
  }
}
