/** Signing in through a provider on another site, linking it, removing it, and the second factor in between. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { launch } from './lib/browser.mjs';
import { startProvider } from './lib/provider.mjs';
import { startServer } from './lib/server.mjs';
import { PASSWORD, assertAccessible, openPage, register, signIn, signOut, witness } from './lib/steps.mjs';
import { freshStep, totp } from './lib/totp.mjs';

const ADA = 'ada@example.org';
let browser, provider, server, page, secret;

before(async () => {
  [browser, provider] = await Promise.all([launch(), startProvider()]);
  server = await startServer(provider.settings);
  page = await openPage(browser, server);
});

after(async () => {
  await browser?.close();
  await server?.stop();
  await provider?.stop();
});

const step = (name, work) =>
  test(name, () =>
    witness(page, server, name.replace(/\W+/g, '-'), async () => {
      await work();
      assert.deepEqual(page.problems, []);
    }),
  );

const atProvider = async (choice) => {
  await page.waitForURL((url) => url.href.startsWith(provider.issuer));
  await page.getByRole('link', { name: choice }).click();
};

const home = () => page.getByRole('heading', { name: 'New transcription' }).waitFor();

step('somebody new comes from the provider, and lands where they were going', async () => {
  await register(page, ADA); // the first account is the administrator's
  await signOut(page);
  await page.goto('/jobs');
  await page.waitForURL(/\/login\?next=/);
  await page.getByRole('link', { name: 'Continue with Example' }).waitFor();
  await assertAccessible(page, 'sign-in with a provider');
  await page.getByRole('link', { name: 'Continue with Example' }).click();
  await atProvider('Go on');
  await page.waitForURL(/\/jobs$/);
  await page.reload();
  await page.waitForURL(/\/jobs$/);
  await page.goto('/settings/security');
  await page.getByText('grace@example.org', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Remove: grace@example.org' }).click();
  await page.getByText('This is the only way to sign in', { exact: false }).waitFor();
  await signOut(page);
});

step('who stops at the provider is told', async () => {
  await page.getByRole('link', { name: 'Continue with Example' }).click();
  await atProvider('Stop');
  await page.getByRole('alert').getByText('You stopped at the provider.', { exact: false }).waitFor();
});

step('an account that was never verified is not taken by its address', async () => {
  provider.person = { ...provider.person, sub: 'ada', email: ADA };
  await page.goto('/login');
  await page.getByRole('link', { name: 'Continue with Example' }).click();
  await atProvider('Go on');
  await page.getByRole('alert').getByText('Sign in with its password, then link it', { exact: false }).waitFor();
});

step('its owner links it', async () => {
  await signIn(page, ADA, PASSWORD);
  await home();
  await page.goto('/settings/security');
  await page.getByRole('button', { name: 'Link Example' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await dialog.getByRole('button', { name: 'Link Example' }).click();
  await atProvider('Go on');
  await page.getByText('Your account is linked.').waitFor();
  await page.waitForURL(/\/settings\/security$/); // told once
  await assertAccessible(page, 'a linked sign-in');
});

step('with a second factor its code is still asked for', async () => {
  await page.getByRole('button', { name: 'Set up' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await dialog.getByRole('button', { name: 'Next' }).click();
  secret = await dialog.getByLabel('Key').inputValue();
  await freshStep();
  await dialog.getByLabel('Code', { exact: true }).fill(totp(secret));
  await dialog.getByRole('button', { name: 'Turn on' }).click();
  await dialog.getByRole('button', { name: 'I have kept them' }).click();
  await signOut(page);
  await page.getByRole('link', { name: 'Continue with Example' }).click();
  await atProvider('Go on');
  await page.getByRole('heading', { name: 'One more step' }).waitFor();
  await assertAccessible(page, 'the second factor after the provider');
  await page.getByLabel('Code', { exact: true }).fill('000000');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByText('This code is wrong, or was used before.').waitFor();
  await freshStep();
  await page.getByLabel('Code', { exact: true }).fill(totp(secret, 1));
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL(/\/settings\/security$/);
});

step('and removes it again', async () => {
  await page.goto('/settings/security');
  await page.getByRole('button', { name: `Remove: ${ADA}` }).click();
  await page.getByText('The sign-in was removed.').waitFor();
  await page.getByRole('button', { name: 'Link Example' }).waitFor();
});
