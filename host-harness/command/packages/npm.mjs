// Makes an npm package that carries the command: `npm.mjs BINARY VERSION FOLDER`. It has the
// command as `bin`, and exports `members` and `Failed` of docs/hosts/host.mjs.
import { execFileSync } from 'node:child_process';
import {
  chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const [binary, version, folder] = process.argv.slice(2);
if (!folder) {
  console.error('npm.mjs BINARY VERSION FOLDER');
  process.exit(2);
}
// Machines by the number in an ELF file.
const cpu = { 62: 'x64', 183: 'arm64' }[readFileSync(binary).readUInt16LE(18)];
if (!cpu) throw new Error('it is for a processor that has no name here');
const root = (path) => new URL(`../../../${path}`, import.meta.url);
// The command of the package, in place of one on the PATH, and without what runs as a program.
const [host, ...program] = readFileSync(root('docs/hosts/host.mjs'), 'utf8')
  .replace("env.SMP_HARNESS || 'smp-harness'", "env.SMP_HARNESS || fileURLToPath(new URL('bin/smp-harness', import.meta.url))")
  .replace("import { existsSync, realpathSync } from 'node:fs';\n", '')
  .replace("import process, { argv, env } from 'node:process';", "import { env } from 'node:process';")
  .split('\nif (existsSync(argv[1]');
if (program.length !== 1 || !host.includes('bin/smp-harness') || /realpathSync|argv/.test(host)) {
  throw new Error('the host has changed');
}
const made = mkdtempSync(join(tmpdir(), 'smp-harness-npm-'));
try {
  mkdirSync(join(made, 'bin'));
  copyFileSync(binary, join(made, 'bin/smp-harness'));
  chmodSync(join(made, 'bin/smp-harness'), 0o755);
  writeFileSync(join(made, 'index.mjs'), host);
  copyFileSync(root('LICENSE'), join(made, 'LICENSE'));
  writeFileSync(join(made, 'package.json'), `${JSON.stringify({
    name: 'smp-harness',
    version,
    description: 'Runs SaaS connector plugins, as a command and as an iterator of members',
    license: 'Apache-2.0',
    type: 'module',
    exports: './index.mjs',
    bin: { 'smp-harness': 'bin/smp-harness' },
    os: ['linux'],
    cpu: [cpu],
    libc: ['glibc'],
    engines: { node: '>=18' },
  }, null, 2)}\n`);
  mkdirSync(folder, { recursive: true });
  const packed = execFileSync('npm', ['pack', made, '--silent', '--pack-destination', resolve(folder)], { encoding: 'utf8' });
  const name = packed.trim().split('\n').at(-1);
  // A release has one for each processor.
  const file = join(folder, name.replace(/\.tgz$/, `-linux-${cpu}.tgz`));
  renameSync(join(folder, name), file);
  console.log(file);
} finally {
  rmSync(made, { recursive: true });
}
