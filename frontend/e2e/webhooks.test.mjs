/** Webhooks on their pages: added, tested, failing, switched off by the receiver, back again; every message is verified. */
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import http from 'node:http';
import { after, before, test } from 'node:test';

import { launch } from './lib/browser.mjs';
import { startServer } from './lib/server.mjs';
import { assertAccessible, openPage, register, screenshot, settle, witness } from './lib/steps.mjs';

const LOOKS = [
  ['desktop', 'light', { width: 1280, height: 900 }],
  ['desktop', 'dark', { width: 1280, height: 900 }],
  ['phone', 'light', { width: 390, height: 844 }],
  ['phone', 'dark', { width: 390, height: 844 }],
];
/** The server looks every two seconds, and the page every three. */
const LATER = { timeout: 60_000 };

let browser, server, page, receiver;

before(async () => {
  receiver = await listen();
  browser = await launch();
  server = await startServer({ TRANSCRIPTION_BACKEND: 'stub', WEBHOOK_PRIVATE_TARGETS: 'true' });
  page = await openPage(browser, server);
  await register(page, 'ada@example.org');
});

after(async () => {
  await browser?.close();
  await server?.stop();
  receiver?.close();
});

const step = (name, work) =>
  test(name, async () => {
    await witness(page, server, name.replace(/\W+/g, '-'), work);
    assert.deepEqual(page.problems, []);
  });

/** A receiver whose `status` is its answer; `got` is what came. */
async function listen() {
  const state = { status: 200, got: [] };
  const listener = http.createServer((request, response) => {
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      state.got.push({ headers: request.headers, body: Buffer.concat(chunks).toString() });
      response.writeHead(state.status).end(state.status === 200 ? 'thank you' : 'not now');
    });
  });
  await new Promise((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${listener.address().port}/hook`;
  return Object.assign(state, { url, close: () => listener.close() });
}

/** As the specification says: HMAC over id, time and body by one of the secrets. */
function verified({ headers, body }, secret) {
  const key = Buffer.from(secret.replace('whsec_', ''), 'base64');
  const content = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
  const expected = `v1,${crypto.createHmac('sha256', key).update(content).digest('base64')}`;
  return headers['webhook-signature'].split(' ').includes(expected);
}

const dialog = () => page.getByRole('dialog');

async function more(item) {
  await page.getByRole('button', { name: 'More actions' }).click();
  await page.getByRole('menuitem', { name: item }).click();
}

async function shownSecret() {
  const secret = await dialog().getByText(/^whsec_/).textContent();
  await dialog().getByRole('button', { name: 'Done' }).click();
  await dialog().waitFor({ state: 'detached' });
  return secret;
}

async function transcribe() {
  await page.evaluate(async () => {
    const signedIn = await (await fetch('/api/auth/refresh', { method: 'POST' })).json();
    const form = new FormData();
    form.append('file', new File(['Words of a talk.\n'], 'talk.txt'));
    const headers = { Authorization: `Bearer ${signedIn.access_token}` };
    const sent = await fetch('/api/transcribe', { method: 'POST', body: form, headers });
    if (!sent.ok) throw new Error(await sent.text());
  });
}

let secret;

step('a webhook is added, and its secret is shown once', async () => {
  await page.goto('/settings/workspace');
  await page.getByRole('link', { name: 'Webhooks' }).click();
  await page.getByText('Nobody is told yet').waitFor();
  await assertAccessible(page, 'no webhooks');
  await page.getByRole('button', { name: 'New webhook' }).click();
  await dialog().getByLabel('Address').fill('http://169.254.169.254/latest');
  await dialog().getByRole('button', { name: 'Add' }).click();
  await dialog().getByText(/not public/).waitFor();
  await dialog().getByLabel('Address').fill(receiver.url);
  await dialog().getByLabel(/What it is for/).fill('Notes of the team');
  await assertAccessible(page, 'a new webhook');
  await dialog().getByRole('button', { name: 'Add' }).click();
  secret = await shownSecret();
  await page.getByText('nothing has arrived yet').waitFor();
});

step('a test event arrives, signed, and stands in the log', async () => {
  await page.getByRole('link', { name: 'Notes of the team' }).click();
  await page.getByText('Nothing here').waitFor();
  await page.getByRole('button', { name: 'Send a test event' }).click();
  const line = page.getByRole('button', { name: /^Test.*Arrived/ });
  await line.waitFor(LATER);
  assert.equal(receiver.got.length, 1);
  assert.ok(verified(receiver.got[0], secret));
  await line.click();
  await page.getByText('thank you').waitFor();
  await page.getByText(/webhook\.test/).waitFor();
  await page.getByRole('button', { name: 'Send again' }).click();
  await page.getByText(/2 attempts/).waitFor(LATER);
  assert.equal(receiver.got[1].headers['webhook-id'], receiver.got[0].headers['webhook-id']);
  await line.click();
});

step('a transcript that is done is told with ids and no words', async () => {
  await transcribe();
  await page.getByRole('button', { name: /A transcript is done.*Arrived/ }).waitFor(LATER);
  const { body } = receiver.got.at(-1);
  assert.ok(verified(receiver.got.at(-1), secret));
  assert.equal(JSON.parse(body).type, 'job.completed');
  assert.doesNotMatch(body, /Words|talk/);
});

step('failures show with what came back and when it is tried again', async () => {
  receiver.status = 503;
  await transcribe();
  await page.getByText('Failing').waitFor(LATER);
  await page.getByText(/Deliveries have failed since/).waitFor(LATER);
  const line = page.getByRole('button', { name: /answered 503.*Waiting/ });
  await line.waitFor(LATER);
  await line.click();
  await page.getByText('not now').first().waitFor();
});

step('the pages, light and dark, on a desktop and a phone', async () => {
  const here = page.url();
  for (const [device, colorScheme, viewport] of LOOKS) {
    await page.setViewportSize(viewport);
    await page.emulateMedia({ colorScheme });
    for (const [name, url] of [
      ['webhooks', '/settings/webhooks'],
      ['webhook', here],
    ]) {
      await page.goto(url);
      await page.getByRole('heading', { level: 1 }).waitFor();
      if (name === 'webhook') {
        await page.getByRole('button', { name: /A transcript is done.*Arrived/ }).first().click();
        await page.getByText('thank you').waitFor();
        await page.evaluate(() => scrollTo(0, 0)); // nothing half beneath the header
      }
      await settle(page);
      await assertAccessible(page, `${name} ${device} ${colorScheme}`);
      await screenshot(page, `${name}-${device}-${colorScheme}`);
    }
  }
  await page.setViewportSize({ width: 1280, height: 900 });
  await page.emulateMedia({ colorScheme: 'light' });
});

step('a receiver that is gone switches it off, and gets what it missed when it is back', async () => {
  receiver.status = 410;
  await transcribe();
  await page.getByText('The receiver asked for no more').waitFor(LATER);
  await page.evaluate(() => scrollTo(0, 0));
  await settle(page);
  await assertAccessible(page, 'a webhook that is off');
  await screenshot(page, 'webhook-gone');
  await page.getByText('Given up', { exact: true }).first().click();
  await page.getByRole('button', { name: /answered 410/ }).waitFor();
  receiver.status = 200;
  const before = receiver.got.length;
  await page.getByRole('button', { name: 'Switch on' }).click();
  await page.getByText(/(delivery is|deliveries are) on (its|their) way/).waitFor();
  await page.getByText('Nothing here').waitFor(LATER);
  assert.ok(receiver.got.length > before);
  assert.ok(receiver.got.every((message) => verified(message, secret)));
});

step('after a rotation both secrets sign', async () => {
  await more('New secret');
  await dialog().getByRole('button', { name: 'New secret' }).click();
  const fresh = await shownSecret();
  assert.notEqual(fresh, secret);
  await page.getByText(/Earlier secrets sign as well/).waitFor();
  const before = receiver.got.length;
  await page.getByRole('button', { name: 'Send a test event' }).click();
  await page.getByText('All', { exact: true }).click();
  await assert.doesNotReject(async () => {
    for (let tries = 0; receiver.got.length === before && tries < 300; tries += 1) {
      await page.waitForTimeout(200);
    }
  });
  assert.ok(verified(receiver.got.at(-1), secret) && verified(receiver.got.at(-1), fresh));
});

step('it is changed, switched off and deleted', async () => {
  await more('Edit');
  await dialog().getByLabel('Everything that happens').click();
  await dialog().getByLabel('A transcript was changed').click();
  await dialog().getByRole('button', { name: 'Save' }).click();
  await page.getByText(/^A transcript is done · A transcription has failed/).waitFor();
  await dialog().waitFor({ state: 'detached' });
  await more('Switch off');
  await page.getByText('Switched off').first().waitFor();
  await more('Delete');
  await dialog().getByRole('button', { name: 'Delete' }).click();
  await page.getByText('Nobody is told yet').waitFor();
});
