/**
 * A Chromium for the tests: CHROMIUM_PATH, else one on PATH, else the binary inside the npm package
 * @sparticuz/chromium. That package unpacks itself on cloud functions only, so it is unpacked here, with the
 * libraries (NSS, NSPR, expat) and the font that a bare machine may lack; nothing is installed on the system.
 */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import zlib from 'node:zlib';

import { chromium } from 'playwright-core';

const FRONTEND = fileURLToPath(new URL('../..', import.meta.url));
const PACKAGE = path.join(FRONTEND, 'node_modules', '@sparticuz', 'chromium');
export const CACHE = path.join(FRONTEND, 'node_modules', '.cache', 'transcribe-e2e');

// Without the background-networking flags Chromium looks its maker's hosts up at every start.
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-dev-shm-usage',
  '--autoplay-policy=no-user-gesture-required',
];

/** Starts the browser. Throws where none can be had. */
export async function launch() {
  const { executablePath, env } = await find();
  return chromium.launch({ executablePath, env: { ...process.env, ...env }, args: FLAGS });
}

async function find() {
  const named = process.env.CHROMIUM_PATH;
  if (named) return { executablePath: named, env: {} };
  for (const name of ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']) {
    const found = onPath(name);
    if (found) return { executablePath: found, env: {} };
  }
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error('No Chromium on PATH, and the packaged one is for Linux on x86-64. Set CHROMIUM_PATH.');
  }
  return packaged();
}

function onPath(name) {
  return (process.env.PATH ?? '')
    .split(path.delimiter)
    .map((folder) => path.join(folder, name))
    .find((file) => fs.existsSync(file));
}

async function packaged() {
  const { version } = JSON.parse(fs.readFileSync(path.join(PACKAGE, 'package.json'), 'utf8'));
  const home = path.join(CACHE, `chromium-${version}`);
  if (!fs.existsSync(home)) {
    const draft = `${home}.${process.pid}`;
    fs.mkdirSync(path.join(draft, 'lib'), { recursive: true });
    await unpack('chromium.br', path.join(draft, 'chromium'));
    for (const name of ['al2023', 'fonts']) {
      const archive = path.join(draft, `${name}.tar`);
      await unpack(`${name}.tar.br`, archive);
      execFileSync('tar', ['-xf', archive, '-C', draft]);
      fs.rmSync(archive);
    }
    try {
      fs.renameSync(draft, home);
    } catch (error) {
      if (!fs.existsSync(home)) throw error; // another test was faster
      fs.rmSync(draft, { recursive: true });
    }
  }
  const executablePath = path.join(home, 'chromium');
  fs.chmodSync(executablePath, 0o755);
  return { executablePath, env: { ...libraries(home, executablePath), ...fonts(home) } };
}

async function unpack(name, target) {
  const source = fs.createReadStream(path.join(PACKAGE, 'bin', name));
  await pipeline(source, zlib.createBrotliDecompress(), fs.createWriteStream(target));
}

/** The packaged libraries only where the machine has none: its own fit its other libraries better. */
function libraries(home, executable) {
  const missing = execFileSync('ldd', [executable], { encoding: 'utf8' }).includes('not found');
  if (!missing) return {};
  const own = path.join(home, 'lib');
  const rest = process.env.LD_LIBRARY_PATH;
  return { LD_LIBRARY_PATH: rest ? `${own}:${rest}` : own };
}

function fonts(home) {
  const file = path.join(home, 'fonts-here.conf');
  const folders = [path.join(home, 'fonts'), '/usr/share/fonts', '/usr/local/share/fonts'];
  const lines = folders.map((folder) => `  <dir>${folder}</dir>`).join('\n');
  fs.writeFileSync(
    file,
    `<?xml version="1.0"?>\n<!DOCTYPE fontconfig SYSTEM "fonts.dtd">\n<fontconfig>\n${lines}\n` +
      `  <cachedir>${path.join(home, 'fonts-cache')}</cachedir>\n</fontconfig>\n`,
  );
  return { FONTCONFIG_FILE: file };
}
