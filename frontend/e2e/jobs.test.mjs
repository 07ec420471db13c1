/** The list of jobs: waiting, history, and many at once, in a real browser against the real server. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, before, test } from 'node:test';

import { launch } from './lib/browser.mjs';
import { ended, quarantined, waitsForProvider, waitsForRepair } from './lib/job-seeds.mjs';
import { recording, startServer } from './lib/server.mjs';
import {
  assertAccessible,
  openPage,
  register,
  screenshot,
  settle,
  signIn,
  witness,
  PASSWORD,
} from './lib/steps.mjs';

const EMAIL = 'ada@example.org';
const MANY = 7;
const PATIENCE = 60_000;
/** As the other pages: E2E_LOOKS=all takes every look. */
const CHOSEN = (process.env.E2E_LOOKS ?? 'light-desktop,dark-phone').split(',');
const LOOKS = [
  ['desktop', { viewport: { width: 1280, height: 800 } }],
  ['phone', { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true }],
].flatMap(([device, options]) =>
  ['light', 'dark'].map((colorScheme) => [`${colorScheme}-${device}`, { ...options, colorScheme }]),
).filter(([look]) => CHOSEN.includes(look) || CHOSEN.includes('all'));

let browser, server, page;

// The model is not there and nothing fetches it: what is uploaded waits.
before(async () => {
  [browser, server] = await Promise.all([launch(), startServer({ WHISPER_MODEL: 'base-q8_0', TRANSCRIPTION_BACKEND: 'whisper_cpp' })]);
  page = await openPage(browser, server);
  page.setDefaultTimeout(PATIENCE);
  await register(page, EMAIL);
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

const step = (name, work) => test(name, () => witness(page, server, name.replace(/\W+/g, '-'), work));

const row = (name) => page.locator('tr[data-job]').filter({ hasText: name });
const box = (name) => page.getByRole('checkbox', { name: `Select ${name}`, exact: true });
const bar = () => page.getByRole('region', { name: 'Selected transcripts' });
const rows = () => page.locator('tr[data-job]');

/** Recordings as a script sends them: what the upload page does has its own tests. */
async function submit(count) {
  const login = await fetch(`${server.url}/api/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: EMAIL, password: PASSWORD }),
  });
  const { access_token: token } = await login.json();
  const bytes = fs.readFileSync(recording('sentence-00.flac'));
  for (let n = 0; n < count; n += 1) {
    const body = new FormData();
    body.set('file', new Blob([bytes], { type: 'audio/flac' }), `talk-${n}.flac`);
    const sent = await fetch(`${server.url}/api/transcribe`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body,
    });
    assert.equal(sent.status, 202, await sent.text());
  }
}

async function openHistory(name) {
  await page.getByRole('button', { name: `Actions for ${name}`, exact: true }).click();
  await page.getByRole('menuitem', { name: 'History' }).click();
  const dialog = page.getByRole('dialog', { name: /^History of/ });
  await dialog.getByRole('list', { name: 'What happened, the newest first' }).waitFor();
  return dialog;
}

async function closeDialog() {
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
}

step('a job whose model is missing says why it waits and what to do', async () => {
  await page.goto('/jobs');
  await page.getByText('No transcripts yet').waitFor();
  await submit(MANY);
  // They come by the stream, without a reload.
  await page.waitForFunction((count) => document.querySelectorAll('tr[data-job]').length === count, MANY);
  await row('talk-0.flac').getByText(/speech model is not on the server yet/).waitFor();
  await row('talk-0.flac').getByRole('button', { name: 'Retry now' }).click();
  await page.getByText('“talk-0.flac” is tried now.').waitFor();
  const dialog = await openHistory('talk-0.flac');
  await dialog.getByText(/had it tried at once/).waitFor();
  await dialog.getByText(/^It had to wait\. The speech model is not on the server yet/).first().waitFor();
  await dialog.getByText(/asked for this transcription/).waitFor();
  await closeDialog();
});

step('many are cancelled at once, by mouse and range', async () => {
  // One connection for the whole list, however many rows it has.
  const streams = [];
  page.on('request', (request) => {
    if (request.url().includes('/events')) streams.push(new URL(request.url()).pathname);
  });
  await page.reload();
  await rows().nth(MANY - 1).waitFor();
  const names = await rows().locator('a').allTextContents();
  await box(names[0]).click();
  await box(names[4]).click({ modifiers: ['Shift'] });
  await bar().getByText('5 selected').waitFor();
  await bar().getByRole('button', { name: 'Cancel 5' }).click();
  await page.getByText('5 transcriptions cancelled.').waitFor();
  await page.waitForFunction(
    () => [...document.querySelectorAll('tr[data-job]')].filter((r) => r.textContent.includes('Cancelled')).length === 5,
  );
  await bar().waitFor({ state: 'detached' });
  assert.deepEqual(streams, ['/api/jobs/events']);
  assert.deepEqual(page.problems, []);
});

step('many are begun again at once, by keyboard alone', async () => {
  await page.getByRole('checkbox', { name: 'Select all in this list' }).focus();
  await page.keyboard.press('Space');
  await bar().getByText(`${MANY} selected`).waitFor();
  await page.keyboard.press('Escape');
  await bar().waitFor({ state: 'detached' });
  const names = await rows().locator('a').allTextContents();
  await box(names[0]).focus();
  await page.keyboard.press('Space');
  for (let n = 0; n < 4; n += 1) await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Shift+Space');
  const retry = bar().getByRole('button', { name: 'Retry 5' });
  await retry.focus();
  await page.keyboard.press('Enter');
  await page.getByText('5 transcriptions are in the queue again.').waitFor();
  await page.waitForFunction(
    () => ![...document.querySelectorAll('tr[data-job]')].some((r) => r.textContent.includes('Cancelled')),
  );
  const dialog = await openHistory(names[0]);
  for (const said of [/asked for this transcription/, /cancelled it\.$/, /^It stopped\.$/, /began it again\.$/]) {
    await dialog.getByText(said).waitFor();
  }
  await dialog.getByText(/^Attempt 2/).waitFor();
  await closeDialog();
});

step('of those that cannot be done each is named with its reason', async () => {
  const names = await rows().locator('a').allTextContents();
  await box(names[0]).click();
  await box(names[1]).click();
  // Somebody else is quicker, and this page does not hear of it.
  await page.route('**/api/jobs/events', (route) => route.abort());
  const id = await row(names[0]).getAttribute('data-job');
  ended(server, id);
  await bar().getByRole('button', { name: 'Cancel 2' }).click();
  const dialog = page.getByRole('dialog', { name: 'Not all could be done' });
  await dialog.getByText('This job is already completed.').waitFor();
  await dialog.getByText(names[0]).waitFor();
  await page.getByText('1 transcription cancelled.').waitFor();
  await closeDialog();
  await page.unroute('**/api/jobs/events');
});

step('a job that was set aside says where, what the engine said and what to do', async () => {
  await page.goto('/jobs');
  await rows().first().waitFor();
  const names = await rows().locator('a').allTextContents();
  quarantined(server, await row(names[2]).getAttribute('data-job'));
  waitsForProvider(server, await row(names[3]).getAttribute('data-job'));
  waitsForRepair(server, await row(names[4]).getAttribute('data-job'));
  await page.reload();
  await row(names[3]).getByText(/The last try failed: The provider is busy/).waitFor();
  await row(names[3]).getByText('Waiting', { exact: true }).waitFor();
  await row(names[4]).getByText('Waiting', { exact: true }).waitFor();
  await row(names[4]).getByText(/model on the server is damaged/).waitFor();
  assert.equal(await row(names[4]).getByRole('button', { name: 'Retry now' }).count(), 0);
  await row(names[3]).getByText(/^Next try in \d+:\d\d/).waitFor();
  const dialog = await openHistory(names[2]);
  await dialog.getByText('It was set aside.').waitFor();
  await dialog.getByText('Retry with another model.').waitFor();
  await dialog.getByText('Last words of the engine').click();
  await dialog.getByText(/out of memory/).waitFor();
  await dialog.getByText('The engine crashed on window 3 (crash 2 there).').waitFor();
  // The message names the window: nothing else says where, or the message again.
  assert.equal(await dialog.getByText(/so it is set aside/).count(), 1);
  assert.equal(await dialog.getByText(/\bpart 3\b/).count(), 0);
  await closeDialog();
  await page.getByRole('link', { name: names[2] }).click();
  await page.getByRole('heading', { name: names[2] }).waitFor();
  const alert = page.getByRole('alert');
  await alert.getByText('quarantined').waitFor();
  await alert.getByText('Retry with another model.').waitFor();
  await alert.getByText('Last words of the engine').click();
  await alert.getByText(/out of memory/).waitFor();
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await alert.getByRole('button', { name: 'Copy the last words' }).click();
  await alert.getByRole('button', { name: 'Copied' }).waitFor();
  assert.match(await page.evaluate(() => navigator.clipboard.readText()), /^whisper_init: loading\nggml/);
});

for (const [look, options] of LOOKS) {
  test(look, async () => {
    const seen = await openPage(browser, server, options);
    seen.setDefaultTimeout(PATIENCE);
    await witness(seen, server, `jobs-${look}`, async () => {
      const look_at = async (name) => {
        await settle(seen);
        await screenshot(seen, `${look}-jobs-${name}`);
        await assertAccessible(seen, `${look} jobs ${name}`);
        const wide = await seen.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
        assert.equal(wide, false, `${look} ${name} scrolls sideways`);
      };
      await seen.goto('/login');
      await signIn(seen, EMAIL, PASSWORD);
      await seen.getByRole('heading', { name: 'New transcription' }).waitFor();
      await seen.goto('/jobs');
      await seen.locator('tr[data-job]').first().waitFor();
      await seen.getByText(/^Next try in/).first().waitFor();
      await look_at('list');
      const first = seen.locator('tr[data-job]').first();
      const name = await first.locator('a').textContent();
      await seen.getByRole('checkbox', { name: `Select ${name}`, exact: true }).click();
      await seen.getByRole('button', { name: 'Select all shown' }).click();
      await seen.getByText(`${MANY} selected`).waitFor();
      // At the end of the list the bar stands below the rows; before, it may cover a part of one.
      await seen.evaluate(() => window.scrollTo(0, document.body.scrollHeight));
      await look_at('selected');
      await seen.getByRole('button', { name: `Delete ${MANY}` }).click();
      await seen.getByRole('dialog').getByText(/removed for good/).waitFor();
      await look_at('delete');
      await seen.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
      const failed = seen.locator('tr[data-job]').filter({ hasText: 'set aside' });
      await failed.getByRole('button', { name: /^Actions for/ }).click();
      await seen.getByRole('menuitem', { name: 'History' }).click();
      await seen.getByText('It was set aside.').waitFor();
      await seen.getByText('Last words of the engine').click();
      await look_at('history');
      await seen.keyboard.press('Escape');
      await seen.getByRole('dialog').waitFor({ state: 'detached' });
      await failed.locator('a').click();
      await seen.getByText('Last words of the engine').click();
      await look_at('failed');
    });
    await seen.context().close();
  });
}

step('many are deleted at once, after a question', async () => {
  await page.goto('/jobs');
  await rows().first().waitFor();
  await page.getByRole('checkbox', { name: 'Select all in this list' }).click();
  await bar().getByRole('button', { name: `Delete ${MANY}` }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await page.getByText(`${MANY} transcripts deleted.`).waitFor();
  await page.getByText('No transcripts yet').waitFor();
  assert.deepEqual(page.problems, []);
});
