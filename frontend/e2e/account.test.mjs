/** An account's life: verified by mail, a password reset, a second factor, devices, a key, the name, the data, the end. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, before, test } from 'node:test';

import { launch } from './lib/browser.mjs';
import { startServer } from './lib/server.mjs';
import {
  PASSWORD,
  assertAccessible,
  mailedLink,
  openPage,
  screenshot,
  signIn,
  signOut,
  witness,
} from './lib/steps.mjs';
import { freshStep, totp } from './lib/totp.mjs';

const EMAIL = 'ada@example.org';
const NEW_PASSWORD = 'a longer and newer passphrase';
const LATER = { timeout: 60_000 };

let browser, server, page, secret, codes, used;

before(async () => {
  [browser, server] = await Promise.all([launch(), startServer({ EMAIL_VERIFICATION: 'true' })]);
  page = await openPage(browser, server);
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

const step = (name, work) =>
  test(name, () =>
    witness(page, server, name.replace(/\W+/g, '-'), async () => {
      await work();
      assert.deepEqual(page.problems, []);
    }),
  );

const home = () => page.getByRole('button', { name: 'Account menu' }).waitFor(LATER);

/** Two codes of the same 30 s are one: the second would be refused as used. */
async function nextCode() {
  await freshStep();
  let code = totp(secret);
  if (code === used) code = totp(secret, 1);
  used = code;
  return code;
}

step('an address is verified by the link that is mailed to it', async () => {
  await page.goto('/register');
  await page.getByLabel('E-mail address').fill(EMAIL);
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await page.getByRole('button', { name: 'Create account' }).click();
  await page.getByText(`We have sent a mail to ${EMAIL}.`, { exact: false }).waitFor();
  await page.goto('/login');
  await signIn(page, EMAIL, PASSWORD);
  await page.getByText(`We have sent a mail to ${EMAIL}.`, { exact: false }).waitFor();
  const link = await mailedLink(server, EMAIL, 'verify');
  await page.goto(link);
  await page.getByText('Your address is confirmed.', { exact: false }).waitFor();
  await page.goto(link);
  await page.getByRole('alert').waitFor();
  await page.goto('/login');
  await signIn(page, EMAIL, PASSWORD);
  await home();
});

step('a forgotten password is chosen anew, once, and only the new one signs in', async () => {
  await signOut(page);
  await page.getByRole('link', { name: 'Forgot the password?' }).click();
  await page.getByLabel('E-mail address').fill(EMAIL);
  await page.getByRole('button', { name: 'Send the link' }).click();
  await page.getByText('a mail is on its way', { exact: false }).waitFor();
  const link = await mailedLink(server, EMAIL, 'reset');
  await page.goto(link);
  await page.getByLabel('New password').fill(NEW_PASSWORD);
  await page.getByRole('button', { name: 'Save the new password' }).click();
  await page.getByText('Your password is changed.', { exact: false }).waitFor();
  await page.goto(link);
  await page.getByRole('link', { name: 'Ask for a new link' }).waitFor();
  assert.equal(await page.getByLabel('New password').count(), 0, 'a used link still asks for a password');
  await assertAccessible(page, 'a used link');
  await screenshot(page, 'reset-used');
  await page.goto('/login');
  await signIn(page, EMAIL, PASSWORD);
  await page.getByText('The e-mail address or the password is wrong.').waitFor();
  await signIn(page, EMAIL, NEW_PASSWORD);
  await home();
});

step('a second factor is set up with the QR code', async () => {
  await page.goto('/settings/security');
  await page.getByRole('button', { name: 'Set up' }).click();
  const dialog = page.getByRole('dialog', { name: 'Second factor' });
  await dialog.getByLabel('Password', { exact: true }).fill(NEW_PASSWORD);
  await dialog.getByRole('button', { name: 'Next' }).click();
  await dialog.getByRole('img', { name: 'QR code for an authenticator app' }).waitFor();
  await assertAccessible(page, 'the second factor');
  secret = await dialog.getByLabel('Key').inputValue();
  await dialog.getByLabel('Code', { exact: true }).fill('000000');
  await dialog.getByRole('button', { name: 'Turn on' }).click();
  await dialog.getByText(/wrong|used before/).waitFor();
  await dialog.getByLabel('Code', { exact: true }).fill(await nextCode());
  await dialog.getByRole('button', { name: 'Turn on' }).click();
  const shown = dialog.locator('pre');
  await shown.waitFor();
  codes = (await shown.textContent()).trim().split(/\s+/);
  assert.ok(codes.length >= 8 && new Set(codes).size === codes.length, codes.join(' '));
  await dialog.getByRole('button', { name: 'I have kept them' }).click();
  await page.getByText(`On. ${codes.length} backup codes are left.`).waitFor();
});

step('signing in asks for a code, which counts once', async () => {
  await signOut(page);
  await signIn(page, EMAIL, NEW_PASSWORD);
  await page.getByLabel('Code', { exact: true }).fill(used);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByText('This code is wrong, or was used before.').waitFor();
  await page.getByLabel('Code', { exact: true }).fill(await nextCode());
  await page.getByRole('button', { name: 'Sign in' }).click();
  await home();
});

step('a backup code does in its place, and is used up', async () => {
  await signOut(page);
  await signIn(page, EMAIL, NEW_PASSWORD);
  await page.getByLabel('Code', { exact: true }).fill(codes[0]);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await home();
  await page.goto('/settings/security');
  await page.getByText(`On. ${codes.length - 1} backup codes are left.`).waitFor();
});

step('another device is seen in the list, and signed out', async () => {
  const phone = await openPage(browser, server, {
    userAgent: 'Mozilla/5.0 (Android 14; Mobile; rv:130.0) Gecko/130.0 Firefox/130.0',
  });
  await phone.goto('/login');
  await signIn(phone, EMAIL, NEW_PASSWORD);
  await phone.getByLabel('Code', { exact: true }).fill(codes[1]);
  await phone.getByRole('button', { name: 'Sign in' }).click();
  await phone.getByRole('button', { name: 'Account menu' }).waitFor(LATER);
  await page.reload();
  await page.getByText('This device').waitFor();
  await page.getByRole('button', { name: 'Sign out: Firefox · Android' }).click();
  await page.getByRole('button', { name: 'Sign out: Firefox · Android' }).waitFor({ state: 'detached' });
  await phone.goto('/jobs');
  await phone.waitForURL(/\/login/, LATER);
  await phone.context().close();
});

step('an API key is made, used, and revoked', async () => {
  await page.goto('/settings/api-keys');
  await page.getByText('No keys yet').waitFor();
  await page.getByRole('button', { name: 'New key' }).click();
  const dialog = page.getByRole('dialog', { name: 'New key' });
  await dialog.getByLabel('What it is for').fill('Nightly script');
  await dialog.getByRole('switch', { name: 'May only read' }).check();
  await dialog.getByRole('button', { name: 'Make the key' }).click();
  const key = (await dialog.locator('pre').textContent()).trim();
  await dialog.getByRole('button', { name: 'Done' }).click();
  await page.getByText('Nightly script').waitFor();
  assert.equal(await page.getByText(key).count(), 0, 'it is shown once');
  const ask = (init) => fetch(`${server.url}/api/jobs`, { headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' }, ...init });
  assert.equal((await ask()).status, 200);
  assert.equal((await ask({ method: 'POST', body: '{"url":"https://example.org/a.mp3"}' })).status, 403);
  await page.getByRole('button', { name: 'Revoke: Nightly script' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke', exact: true }).click();
  await page.getByText('Nightly script').waitFor({ state: 'detached' });
  assert.equal((await ask()).status, 401);
});

step('the name is changed', async () => {
  await page.goto('/settings/profile');
  await page.getByLabel('Your name').fill('Ada Lovelace');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Saved.').first().waitFor();
  await page.goto('/settings/members');
  await page.getByText('Ada Lovelace (you)').waitFor();
});

step('what is known of the account is taken along', async () => {
  await page.goto('/settings/security');
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Download my data' }).click(),
  ]);
  const data = fs.readFileSync(await download.path(), 'utf8');
  assert.match(data, /Ada Lovelace/);
  assert.ok(!data.includes(secret), 'no secret goes along');
});

step('the second factor is turned off, with a code', async () => {
  await page.getByRole('button', { name: 'Turn off' }).click();
  const dialog = page.getByRole('dialog', { name: 'Second factor' });
  await dialog.getByLabel('Password', { exact: true }).fill(NEW_PASSWORD);
  await dialog.getByLabel('Code', { exact: true }).fill(codes[2]);
  await dialog.getByRole('button', { name: 'Turn off' }).click();
  await page.getByRole('button', { name: 'Set up' }).waitFor();
});

step('an account is deleted, by its password only', async () => {
  // The only administrator stays: this is somebody else.
  await signOut(page);
  const other = 'grace@example.org';
  await page.goto('/register');
  await page.getByLabel('E-mail address').fill(other);
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await page.getByRole('button', { name: 'Create account' }).click();
  await page.goto(await mailedLink(server, other, 'verify'));
  await page.getByText('Your address is confirmed.', { exact: false }).waitFor();
  await page.goto('/login');
  await signIn(page, other, PASSWORD);
  await home();
  await page.goto('/settings/security');
  await page.getByRole('button', { name: 'Delete my account' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Password', { exact: true }).fill('not my password');
  await dialog.getByRole('button', { name: 'Delete for good' }).click();
  await dialog.getByText(/password is wrong/i).waitFor();
  await dialog.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await dialog.getByRole('button', { name: 'Delete for good' }).click();
  await page.waitForURL(/\/login/);
  await signIn(page, other, PASSWORD);
  await page.getByText('The e-mail address or the password is wrong.').waitFor();
});
