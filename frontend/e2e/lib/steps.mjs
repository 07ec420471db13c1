/** What people do on the pages, and what is watched while they do it. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { AxeBuilder } from '@axe-core/playwright';

export const PASSWORD = 'correct horse battery staple';
const SCREENSHOTS = new URL('../screenshots/', import.meta.url).pathname;
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** A page whose errors are collected: `page.problems` has to stay empty. */
export async function openPage(browser, server, options = {}) {
  const context = await browser.newContext({
    baseURL: server.url,
    reducedMotion: 'reduce',
    acceptDownloads: true,
    ...options,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  page.problems = [];
  page.on('pageerror', (error) => page.problems.push(String(error)));
  page.on('console', (message) => {
    // The browser itself logs every answer of 400 and above; those that matter fail the steps.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) {
      page.problems.push(message.text());
    }
  });
  return page;
}

export async function register(page, email) {
  await page.goto('/register');
  await page.getByLabel('E-mail address').fill(email);
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await page.getByRole('button', { name: 'Create account' }).click();
  await page.getByRole('heading', { name: 'New transcription' }).waitFor();
}

export async function signIn(page, email, password) {
  await page.getByLabel('E-mail address').fill(email);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

export async function signOut(page) {
  await page.getByRole('button', { name: 'Account menu' }).click();
  await page.getByRole('menuitem', { name: 'Sign out' }).click();
  await page.waitForURL(/\/login/);
}

/** The path of the newest link to `kind` (verify, reset, invite) that was mailed to an address after the first `seen` mails. */
export async function mailedLink(server, to, kind, seen = 0) {
  for (let tries = 0; tries < 300; tries += 1) {
    const mail = server
      .mails()
      .slice(seen)
      .findLast((text) => text.includes(`To: ${to}`) && text.includes(`/${kind}/`));
    const found = mail && new RegExp(`/${kind}/[A-Za-z0-9_-]+`).exec(mail);
    if (found) return found[0];
    await sleep(200);
  }
  throw new Error(`No mail with a link to ${kind} came to ${to}:\n${server.mails().join('\n---\n')}`);
}

/** The job whose page is open. */
export const jobIdOf = (page) => new URL(page.url()).pathname.split('/').at(-1);

/** Choose files as a person does: by the button that opens the file dialogue. */
export async function chooseFiles(page, files) {
  const [chooser] = await Promise.all([
    page.waitForEvent('filechooser'),
    page.getByRole('button', { name: 'Choose files' }).first().click(),
  ]);
  await chooser.setFiles(files);
}

/** Drop a file on the page: the events of a drag from the desktop. */
export async function dropFile(page, file) {
  const transfer = await page.evaluateHandle(
    ({ name, bytes }) => {
      const data = Uint8Array.from(atob(bytes), (letter) => letter.charCodeAt(0));
      const list = new DataTransfer();
      list.items.add(new File([data], name, { type: 'audio/flac' }));
      return list;
    },
    { name: path.basename(file), bytes: fs.readFileSync(file).toString('base64') },
  );
  for (const type of ['dragenter', 'dragover', 'drop']) {
    await page.dispatchEvent('body', type, { dataTransfer: transfer });
  }
}

/** Waits until transitions have ended: half-transparent text is neither a fair picture nor a fair contrast. */
export async function settle(page) {
  await page.evaluate(async () => {
    const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
    const running = () =>
      document
        .getAnimations()
        .filter(
          ({ playState, effect }) =>
            playState === 'running' && Number.isFinite(effect.getComputedTiming().endTime),
        );
    await document.fonts.ready;
    for (let calm = 0; calm < 5; calm += 1) {
      await frame();
      if (running().length > 0) calm = -1;
    }
  });
}

/** Fails on any serious or critical finding, and names the places. */
export async function assertAccessible(page, where) {
  const { violations } = await new AxeBuilder({ page }).withTags(TAGS).analyze();
  const grave = violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, help, nodes }) => `${id}: ${help}\n    ${nodes.map((node) => node.html).join('\n    ')}`);
  assert.deepEqual(grave, [], `${where}:\n  ${grave.join('\n  ')}`);
}

export async function screenshot(page, name) {
  fs.mkdirSync(SCREENSHOTS, { recursive: true });
  await page.screenshot({ path: path.join(SCREENSHOTS, `${name}.png`) });
}

/** What a failed test leaves behind to look at. */
export async function witness(page, server, name, work) {
  try {
    await work();
  } catch (error) {
    await screenshot(page, `failed-${name}`).catch(() => undefined);
    process.stderr.write(`\nThe page was ${page.url()}; its end of the server's log:\n`);
    process.stderr.write(`${server.log().split('\n').slice(-30).join('\n')}\n`);
    throw error;
  }
}
