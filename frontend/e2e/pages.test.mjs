/** Every page and opened state, light and dark, desktop and phone: no grave axe finding, and a picture of each. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, before, test } from 'node:test';

import { launch } from './lib/browser.mjs';
import { recording, startServer } from './lib/server.mjs';
import {
  assertAccessible,
  chooseFiles,
  openPage,
  register,
  screenshot,
  settle,
  signIn,
  PASSWORD,
  witness,
} from './lib/steps.mjs';

const EMAIL = 'grace@example.org';
const SENTENCE = 'First bring David John brother bridge letter five.';
const LOOKS = [
  ['desktop', { viewport: { width: 1280, height: 800 } }],
  ['phone', { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true }],
].flatMap(([device, options]) =>
  ['light', 'dark'].map((colorScheme) => [`${colorScheme}-${device}`, { ...options, colorScheme }]),
);

let browser, server, transcript;

before(async () => {
  fs.rmSync(new URL('./screenshots/', import.meta.url), { recursive: true, force: true });
  [browser, server] = await Promise.all([launch(), startServer()]);
  const page = await openPage(browser, server);
  await register(page, EMAIL);
  await chooseFiles(page, recording('sentence-00.flac'));
  await page.getByRole('link', { name: /sentence-00|Open transcript/ }).first().click();
  await page.getByText(SENTENCE).first().waitFor({ timeout: 60_000 });
  transcript = new URL(page.url()).pathname;
  await page.goto('/');
  await chooseFiles(page, { name: 'broken.mp3', mimeType: 'audio/mpeg', buffer: Buffer.from('no sound') });
  await page.getByRole('link', { name: /broken|Open transcript/ }).first().click();
  await page.getByText('The transcription failed').first().waitFor({ timeout: 60_000 });
  await page.context().close();
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

for (const [look, options] of LOOKS) {
  test(look, async (context) => {
    const page = await openPage(browser, server, options);
    const see = async (name, work) => {
      await context.test(name, () =>
        witness(page, server, `${look}-${name}`, async () => {
          await work();
          await settle(page);
          await screenshot(page, `${look}-${name}`);
          await assertAccessible(page, `${look} ${name}`);
          await assertNoSidewaysScroll(page, `${look} ${name}`);
        }),
      );
    };

    await see('login', async () => {
      await page.goto('/login');
      await page.getByRole('button', { name: 'Sign in' }).waitFor();
    });
    await see('login-errors', async () => {
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.getByText('Enter your e-mail address.').waitFor();
    });
    await see('register', async () => {
      await page.goto('/register');
      await page.getByRole('button', { name: 'Create account' }).waitFor();
    });
    await see('new', async () => {
      await page.goto('/login');
      await signIn(page, EMAIL, PASSWORD);
      await page.getByRole('heading', { name: 'New transcription' }).waitFor();
    });
    await see('account-menu', async () => {
      await page.getByRole('button', { name: 'Account menu' }).click();
      await page.getByRole('menuitem', { name: 'Sign out' }).waitFor();
    });
    await see('new-options', async () => {
      await page.goto('/');
      await page.getByRole('button', { name: 'More options' }).click();
      await page.getByText('Skip silence').waitFor();
    });
    await see('jobs', async () => {
      await page.goto('/jobs');
      await page.getByText('sentence-00.flac').first().waitFor();
    });
    await see('job-menu', async () => {
      await page.getByRole('button', { name: 'Actions for sentence-00.flac' }).first().click();
      await page.getByRole('menuitem', { name: 'Delete' }).waitFor();
    });
    await see('delete-dialog', async () => {
      await page.getByRole('menuitem', { name: 'Delete' }).click();
      await page.getByRole('dialog').waitFor();
    });
    await see('jobs-no-match', async () => {
      await page.goto('/jobs?q=nothing-like-this');
      await page.getByText('No match').first().waitFor();
    });
    await see('transcript', async () => {
      await page.goto(transcript);
      await page.getByText(SENTENCE).first().waitFor();
    });
    await see('download-menu', async () => {
      await page.getByRole('button', { name: 'Download' }).click();
      await page.getByRole('menuitem', { name: /Plain text/ }).waitFor();
    });
    await see('failed-job', async () => {
      await page.goto('/jobs');
      await page.getByText('broken.mp3').first().click();
      await page.getByText('The transcription failed').first().waitFor();
    });
    await see('security', async () => {
      await page.goto('/settings/security');
      await page.getByLabel('Current password').waitFor();
    });
    await see('not-found', async () => {
      await page.goto('/no/such/page');
      await page.getByText('Nothing here').first().waitFor();
    });

    assert.deepEqual(page.problems, []);
    await page.context().close();
  });
}

async function assertNoSidewaysScroll(page, where) {
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  assert.ok(wide <= 0, `${where}: the page is ${wide} px wider than the screen`);
}
