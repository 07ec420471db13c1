/** The real server (`transcribe serve`) with data of its own and the small speech model made for tests. */
import { execFile, execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { CACHE } from './browser.mjs';

export const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const SPEECH = path.join(ROOT, 'backend', 'tests', 'fixtures', 'speech');
export const PYTHON = path.join(ROOT, '.venv', 'bin', 'python');
const TRANSCRIBE = path.join(ROOT, '.venv', 'bin', 'transcribe');

const OPEN_DATABASE = 'import json, sqlite3, sys; db = sqlite3.connect(sys.argv[1], timeout=20); args = sys.argv[2:]';

/** Path of a recording among the backend's fixtures, by file name. */
export const recording = (name) =>
  [path.join(SPEECH, 'said', name), path.join(SPEECH, name)].find((file) => fs.existsSync(file));

export async function startServer(settings = {}) {
  const home = fs.mkdtempSync(path.join(os.tmpdir(), 'transcribe-e2e-'));
  const port = await freePort();
  const { PATH, HOME, LANG, TMPDIR } = process.env;
  const env = {
    PATH,
    HOME,
    LANG: LANG ?? 'C.UTF-8',
    ...(TMPDIR ? { TMPDIR } : {}),
    ENV: 'local',
    HOST: '127.0.0.1',
    PORT: String(port),
    DATA_DIR: path.join(home, 'data'),
    DATABASE_URL: `sqlite:///${path.join(home, 'data', 'transcribe.db')}`,
    STORAGE_BACKEND: 'local',
    TRANSCRIPTION_BACKEND: 'auto',
    ALLOW_REGISTRATION: 'true',
    MODEL_AUTO_DOWNLOAD: 'false',
    LOG_LEVEL: 'WARNING',
    WHISPER_MODEL: model(),
    ...settings,
  };
  const log = fs.openSync(path.join(home, 'log'), 'a');
  const child = spawn(TRANSCRIBE, ['serve'], {
    env,
    stdio: ['ignore', log, log],
    detached: true,
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const server = {
    url: `http://127.0.0.1:${port}`,
    /** Runs Python with `db` open on the server's database: what a real recording cannot be made to do. */
    seed: (code, ...args) =>
      execFileSync(
        PYTHON,
        ['-c', `${OPEN_DATABASE}\n${code}\ndb.commit()`, path.join(home, 'data', 'transcribe.db'), ...args],
        { encoding: 'utf8' },
      ).trim(),
    /** `transcribe` with the server's settings. */
    command: (...args) =>
      promisify(execFile)(TRANSCRIBE, args, { env: { ...env, PUBLIC_URL: server.url } }),
    /** Every mail that the server wrote, oldest first, as text. */
    mails() {
      const folder = path.join(home, 'data', 'mails');
      const names = fs.existsSync(folder) ? fs.readdirSync(folder).sort() : [];
      return names.map((name) => plain(fs.readFileSync(path.join(folder, name), 'utf8')));
    },
    log: () => fs.readFileSync(path.join(home, 'log'), 'utf8'),
    async stop() {
      if (child.exitCode === null) child.kill('SIGTERM');
      const late = sleep(30_000, 'late', { ref: false });
      if ((await Promise.race([ended, late])) === 'late') process.kill(-child.pid, 'SIGKILL');
      fs.closeSync(log);
      fs.rmSync(home, { recursive: true, force: true });
    },
  };
  for (let tries = 0; tries < 1800; tries += 1) {
    if (child.exitCode !== null) break;
    const answer = await fetch(`${server.url}/health`).catch(() => null);
    if (answer?.ok) return server;
    await sleep(100);
  }
  const said = server.log();
  await server.stop();
  throw new Error(`The server did not start:\n${said}`);
}

/** A mail whose long lines were folded as quoted-printable. */
const plain = (mail) =>
  /^Content-Transfer-Encoding: quoted-printable/im.test(mail)
    ? mail
        .replace(/=\r?\n/g, '')
        .replace(/=([0-9A-F]{2})/g, (_, code) => String.fromCharCode(parseInt(code, 16)))
    : mail;

/** The test model, unpacked once; Node has no xz, Python has. */
function model() {
  const packed = path.join(SPEECH, 'synthetic-en-q8_0.bin.xz');
  const target = path.join(CACHE, 'synthetic-en-q8_0.bin');
  if (fs.existsSync(target) && fs.statSync(target).mtimeMs >= fs.statSync(packed).mtimeMs) {
    return target;
  }
  fs.mkdirSync(CACHE, { recursive: true });
  const draft = `${target}.${process.pid}`;
  const code = 'import lzma, shutil, sys; shutil.copyfileobj(lzma.open(sys.argv[1]), open(sys.argv[2], "wb"))';
  execFileSync(PYTHON, ['-c', code, packed, draft]);
  fs.renameSync(draft, target);
  return target;
}

export function freePort() {
  return new Promise((resolve, reject) => {
    const probe = net.createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}
