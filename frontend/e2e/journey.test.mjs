/** One person's whole way through the product, in a real browser against the real server. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, before, test } from 'node:test';

import { launch } from './lib/browser.mjs';
import { recording, startServer } from './lib/server.mjs';
import {
  PASSWORD,
  chooseFiles,
  dropFile,
  openPage,
  register,
  signIn,
  witness,
} from './lib/steps.mjs';

const EMAIL = 'ada@example.org';
const NEW_PASSWORD = 'a longer and newer passphrase';
const SENTENCE = 'First bring David John brother bridge letter five.';
const DROPPED = 'A quiet message was very blue evening.';

let browser, server, page;

before(async () => {
  [browser, server] = await Promise.all([launch(), startServer()]);
  page = await openPage(browser, server);
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

const step = (name, work) => test(name, () => witness(page, server, name.replace(/\W+/g, '-'), work));

step('a visitor of a new server is led to the first account', async () => {
  await page.goto('/');
  await page.waitForURL(/\/(login|register)/);
  await register(page, EMAIL);
});

step('a chosen recording becomes its sentence', async () => {
  await chooseFiles(page, recording('sentence-00.flac'));
  await page.getByRole('link', { name: /sentence-00|Open transcript/ }).first().click();
  await page.waitForURL(/\/t\//);
  await page.getByText(SENTENCE).first().waitFor({ timeout: 60_000 });
  assert.deepEqual(page.problems, []);
});

step('it plays, and a click on the text moves the playback', async () => {
  const time = () => page.evaluate(() => document.querySelector('audio, video').currentTime);
  await page.getByRole('button', { name: 'Play', exact: true }).click();
  await page.waitForFunction(() => document.querySelector('audio, video').currentTime > 0.4);
  await page.getByRole('button', { name: 'Pause', exact: true }).click();
  const reached = await time();
  await page.getByText(SENTENCE).first().click({ position: { x: 2, y: 8 } });
  await page.waitForFunction((past) => document.querySelector('audio, video').currentTime < past, reached);
  assert.ok((await time()) < 1);
});

step('its text is downloaded', async () => {
  await page.getByRole('button', { name: 'Download' }).click();
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('menuitem', { name: /Plain text/ }).click(),
  ]);
  assert.match(download.suggestedFilename(), /^sentence-00.*\.txt$/);
  assert.equal(fs.readFileSync(await download.path(), 'utf8').trim(), SENTENCE);
});

step('a dropped recording is transcribed too', async () => {
  await page.goto('/');
  await page.getByRole('heading', { name: 'New transcription' }).waitFor();
  await dropFile(page, recording('sentence-01.flac'));
  await page.getByRole('link', { name: /sentence-01|Open transcript/ }).first().click();
  await page.getByText(DROPPED).first().waitFor({ timeout: 60_000 });
});

step('a longer recording shows its progress and its text while it runs', async () => {
  await page.goto('/');
  await chooseFiles(page, recording('monologue.flac'));
  await page.getByRole('link', { name: /monologue|Open transcript/ }).first().click();
  await page.waitForURL(/\/t\//);
  await page.getByRole('progressbar').first().waitFor({ state: 'attached' }); // at 0 % it has no width
  await page.getByText('Please start that blue letter later.').first().waitFor({ timeout: 120_000 });
  await page.getByRole('button', { name: 'Download' }).waitFor({ timeout: 120_000 });
  await page.getByRole('progressbar').waitFor({ state: 'detached', timeout: 120_000 });
});

step('the list holds all three, and a search finds one', async () => {
  await page.goto('/jobs');
  for (const name of ['sentence-00.flac', 'sentence-01.flac', 'monologue.flac']) {
    await page.getByText(name).first().waitFor();
  }
  await page.getByLabel('Search by file name').fill('monologue');
  await page.getByText('sentence-00.flac').first().waitFor({ state: 'detached' });
  await page.getByText('monologue.flac').first().waitFor();
});

step('the password changes, and only the new one signs in', async () => {
  await page.goto('/settings/security');
  await page.getByLabel('Current password').fill(PASSWORD);
  await page.getByLabel('New password', { exact: true }).fill(NEW_PASSWORD);
  await page.getByLabel('New password again').fill(NEW_PASSWORD);
  await page.getByRole('button', { name: 'Change password' }).click();
  await page.getByText('Password changed.').first().waitFor();

  await page.getByRole('button', { name: 'Account menu' }).click();
  await page.getByRole('menuitem', { name: 'Sign out' }).click();
  await page.waitForURL(/\/login/);
  await page.goto('/jobs');
  await page.waitForURL(/\/login/);

  await signIn(page, EMAIL, PASSWORD);
  await page.getByText('The e-mail address or the password is wrong.').waitFor();
  await signIn(page, EMAIL, NEW_PASSWORD);
  await page.waitForURL((url) => !url.pathname.startsWith('/login'));
  assert.deepEqual(page.problems, []);
});
