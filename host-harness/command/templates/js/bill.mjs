// Writes the bill of materials, as CycloneDX, from package-lock.json: what npm installs, and so the
// engine too. What is optional there is made for one machine, and is not in the component.
import { readFileSync } from 'node:fs';

const lock = JSON.parse(readFileSync('package-lock.json', 'utf8'));
const components = Object.entries(lock.packages)
  .filter(([path, { optional }]) => path !== '' && !optional)
  .map(([path, { version, license, integrity }]) => {
    const name = path.split('node_modules/').at(-1);
    const [algorithm, digest] = (integrity ?? '').split('-');
    return {
      type: 'library',
      name,
      version,
      purl: `pkg:npm/${name.replace('@', '%40')}@${version}`,
      licenses: license ? [{ expression: license }] : undefined,
      hashes: algorithm === 'sha512'
        ? [{ alg: 'SHA-512', content: Buffer.from(digest, 'base64').toString('hex') }]
        : undefined,
    };
  });
console.log(JSON.stringify({
  bomFormat: 'CycloneDX',
  specVersion: '1.5',
  metadata: { component: { type: 'library', name: '{{ID}}', version: lock.version } },
  components,
}, null, 2));
