// A host in Node.js: members of a connector, through the command `smp-harness`.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { realpathSync } from 'node:fs';
import { argv, env, exit } from 'node:process';
import { fileURLToPath } from 'node:url';

/** A run that gave no complete list. `error` says why, and whether to try again. */
export class Failed extends Error {
  constructor(error) {
    super(error.message);
    this.error = error;
  }
}

/** Yields the members. They count only if the loop ends without `Failed`. */
export async function* members(connector, ...source) {
  const command = ['collect', connector, ...source, '--format', 'ndjson', '--json'];
  const run = spawn(env.SMP_HARNESS ?? 'smp-harness', command, { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  run.stderr.setEncoding('utf8').on('data', (text) => { said += text; });
  const ended = once(run, 'close');
  for await (const line of createInterface({ input: run.stdout })) yield JSON.parse(line);
  const [code] = await ended;
  if (code !== 0) throw new Failed(JSON.parse(said.trim().split('\n').at(-1)).error);
}

if (fileURLToPath(import.meta.url) === realpathSync(argv[1] ?? '.')) {
  try {
    for await (const member of members(...argv.slice(2))) console.log(JSON.stringify(member));
  } catch (failed) {
    console.error(JSON.stringify({ error: failed.error ?? { code: 'other', message: String(failed) } }));
    exit(1);
  }
}
