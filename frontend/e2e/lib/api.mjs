/** The API as a script uses it: what a test needs to be there before a page is opened. */
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { PASSWORD } from './steps.mjs';

/** Signs in, or registers where there is no such account yet. */
export async function account(server, email) {
  const body = JSON.stringify({ email, password: PASSWORD });
  const headers = { 'Content-Type': 'application/json' };
  let answer = await fetch(`${server.url}/api/auth/login`, { method: 'POST', headers, body });
  if (!answer.ok) answer = await fetch(`${server.url}/api/auth/register`, { method: 'POST', headers, body });
  if (!answer.ok) throw new Error(`${email} cannot sign in: ${await answer.text()}`);
  const { access_token: token } = await answer.json();
  const call = async (method, url, json) => {
    const sent = json instanceof FormData ? json : json && JSON.stringify(json);
    const type = sent && !(json instanceof FormData) ? headers : {};
    const reply = await fetch(`${server.url}${url}`, {
      method,
      headers: { ...type, Authorization: `Bearer ${token}` },
      body: sent,
    });
    if (!reply.ok) throw new Error(`${method} ${url}: ${reply.status} ${await reply.text()}`);
    return reply.status === 204 ? null : reply.json();
  };
  return { call };
}

/** The id of the completed job of a recording. */
export async function transcribed({ call }, file, options = {}) {
  const form = new FormData();
  for (const [name, value] of Object.entries(options)) form.set(name, value);
  form.set('file', new Blob([fs.readFileSync(file)]), path.basename(file));
  const { job_id: id } = await call('POST', '/api/transcribe', form);
  for (let tries = 0; tries < 600; tries += 1) {
    const { status } = await call('GET', `/api/jobs/${id}`);
    if (status === 'completed') return id;
    if (status !== 'pending' && status !== 'processing') throw new Error(`The job ended as ${status}.`);
    await sleep(200);
  }
  throw new Error('The job did not end.');
}
