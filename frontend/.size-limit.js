/** Budgets of DESIGN.md section 8, over what `npm run build` made. All sizes brotli. */

import { readdirSync, readFileSync } from 'node:fs';

const page = readFileSync('dist/index.html', 'utf8');
const first = [...page.matchAll(/\/(assets\/[^"]+)/g)].map((match) => `dist/${match[1]}`);
const later = readdirSync('dist/assets')
  .map((name) => `dist/assets/${name}`)
  .filter((path) => path.endsWith('.js') && !first.includes(path));

export default [
  { name: 'shell, JS', path: first.filter((path) => path.endsWith('.js')), limit: '175 kB' },
  { name: 'shell, CSS', path: first.filter((path) => path.endsWith('.css')), limit: '22 kB' },
  ...later.map((path) => ({
    name: path.replace(/^.*\/(.*)-[^-]+\.js$/, 'chunk $1'),
    path,
    limit: '40 kB',
  })),
];
