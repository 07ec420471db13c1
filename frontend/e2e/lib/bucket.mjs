/** A real S3 server (MiniStack, run apart by uv) with one bucket, and a proxy before it that counts, delays and fails. */
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { PYTHON, ROOT, freePort } from './server.mjs';

const VERSION = '1.5.33';
const UV = path.join(ROOT, '.venv', 'tools', 'uv', 'bin', 'uv');
const KEY = 'AKIAIOSFODNN7EXAMPLE';
const SECRET = 'wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY';
const BUCKET = 'recordings';

const BOTO = `import boto3, hashlib, sys
s3 = boto3.client('s3', endpoint_url=sys.argv[1], region_name='us-east-1', aws_access_key_id='${KEY}', aws_secret_access_key='${SECRET}')
`;

/** `settings` are the server's; `proxy` is what browsers talk to. */
export async function startBucket() {
  const port = await freePort();
  const home = fs.mkdtempSync(path.join(os.tmpdir(), 'transcribe-e2e-s3-'));
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith('AWS_') || name.includes('CA')),
  );
  const child = spawn(UV, ['tool', 'run', '--from', `ministack==${VERSION}`, 'ministack'], {
    cwd: home,
    env: {
      ...env,
      AUTH: 'true',
      BIND_HOST: '127.0.0.1',
      GATEWAY_PORT: String(port),
      SERVICES: 's3',
      AWS_ACCESS_KEY_ID: KEY,
      AWS_SECRET_ACCESS_KEY: SECRET,
    },
    stdio: 'ignore',
    detached: true,
  });
  const ended = new Promise((resolve) => {
    child.once('exit', resolve);
    child.once('error', resolve);
  });
  const endpoint = `http://127.0.0.1:${port}`;
  const stop = async () => {
    if (child.pid && child.exitCode === null) process.kill(-child.pid, 'SIGTERM');
    if ((await Promise.race([ended, sleep(5000, 'late', { ref: false })])) === 'late') {
      process.kill(-child.pid, 'SIGKILL');
    }
    fs.rmSync(home, { recursive: true, force: true });
  };
  const python = (code, ...args) =>
    execFileSync(PYTHON, ['-c', BOTO + code, endpoint, ...args], { encoding: 'utf8' }).trim();
  try {
    await answers(endpoint, child);
    python(`s3.create_bucket(Bucket='${BUCKET}')`);
  } catch (error) {
    await stop();
    throw error;
  }
  const proxy = await startProxy(port);
  return {
    proxy,
    settings: {
      STORAGE_BACKEND: 's3',
      S3_ENDPOINT_URL: endpoint,
      S3_PUBLIC_ENDPOINT_URL: proxy.url,
      S3_BUCKET: BUCKET,
      S3_ACCESS_KEY_ID: KEY,
      S3_SECRET_ACCESS_KEY: SECRET,
    },
    sha256: (key) =>
      python(
        `h = hashlib.sha256()
for block in s3.get_object(Bucket='${BUCKET}', Key=sys.argv[2])['Body'].iter_chunks(1 << 20): h.update(block)
print(h.hexdigest())`,
        key,
      ),
    async stop() {
      await proxy.stop();
      await stop();
    },
  };
}

async function answers(endpoint, child) {
  for (let tries = 0; tries < 1200 && child.exitCode === null; tries += 1) {
    if (await fetch(endpoint).catch(() => null)) return;
    await sleep(100);
  }
  throw new Error('The S3 server did not start: uv has to reach PyPI once, or have it in its cache.');
}

/** Passes everything on, the Host that was signed too. `puts` are parts in the order in which they were answered. */
async function startProxy(port) {
  const agent = new http.Agent({ keepAlive: true });
  const state = { puts: [], failures: new Map(), delayMs: 0 };
  const server = http.createServer((request, response) => {
    const query = new URL(request.url, 'http://bucket').searchParams;
    const part = request.method === 'PUT' ? Number(query.get('partNumber')) : 0;
    const left = state.failures.get(part) ?? 0;
    response.on('error', () => undefined);
    if (part && left > 0) {
      request.resume().once('end', () => {
        state.failures.set(part, left - 1); // one that the page breaks off has not failed yet
        state.puts.push({ part, status: 500 });
        const allow = { 'Access-Control-Allow-Origin': request.headers.origin ?? '*' };
        response.writeHead(500, allow).end();
      });
      return;
    }
    const { method, url: path, headers } = request;
    const onward = http.request({ host: '127.0.0.1', port, agent, method, path, headers }, (answer) => {
      const pass = () => {
        if (part) state.puts.push({ part, status: answer.statusCode });
        response.writeHead(answer.statusCode, answer.headers);
        answer.pipe(response);
      };
      if (part) setTimeout(pass, state.delayMs);
      else pass();
    });
    onward.once('error', () => response.destroy());
    request.once('close', () => request.complete || onward.destroy());
    request.pipe(onward);
  });
  const own = await freePort();
  await new Promise((resolve) => server.listen(own, '127.0.0.1', resolve));
  return Object.assign(state, {
    url: `http://127.0.0.1:${own}`,
    stop: () =>
      new Promise((resolve) => {
        agent.destroy();
        server.close(resolve);
        server.closeAllConnections();
      }),
  });
}
