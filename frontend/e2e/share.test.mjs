/** Sharing a transcript: by a link with a password, taken back while somebody reads, and with one account. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, before, test } from 'node:test';

import { launch } from './lib/browser.mjs';
import { recording, startServer } from './lib/server.mjs';
import { assertAccessible, chooseFiles, openPage, register, witness } from './lib/steps.mjs';

const NAME = 'dialogue-stereo.flac';
const SECRET = 'open sesame, please';
/** The copy for guests is encoded, and a page asks every 15 s whether it is still shared. */
const LATER = { timeout: 90_000 };

let browser, server, ada, grace, guest, link;

before(async () => {
  [browser, server] = await Promise.all([launch(), startServer()]);
  ada = await openPage(browser, server);
  grace = await openPage(browser, server);
  guest = await openPage(browser, server);
  await register(grace, 'grace@example.org');
  await register(ada, 'ada@example.org');
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

const step = (name, work) =>
  test(name, async () => {
    const pages = { ada, grace, guest };
    try {
      await witness(ada, server, name.replace(/\W+/g, '-'), work);
    } catch (error) {
      for (const [who, page] of Object.entries(pages)) {
        await page.screenshot({ path: new URL(`./screenshots/failed-share-${who}.png`, import.meta.url).pathname });
      }
      throw error;
    }
    for (const page of Object.values(pages)) assert.deepEqual(page.problems, []);
  });

const dialog = () => ada.getByRole('dialog', { name: /^Share “/ });

async function openShare() {
  await ada.getByRole('button', { name: 'Share', exact: true }).click();
  await dialog().getByRole('heading', { name: 'By a link' }).waitFor();
}

async function closeShare() {
  await ada.keyboard.press('Escape');
  await dialog().waitFor({ state: 'detached' });
  await ada.getByRole('button', { name: 'Share', exact: true }).and(ada.locator(':focus')).waitFor();
}

/** The address that is shown once. */
async function madeLink() {
  const shown = dialog().getByText(/^http.*\/s\//);
  await shown.waitFor();
  return (await shown.textContent()).trim();
}

step('a link with a password is made', async () => {
  await ada.getByText('Conversation', { exact: true }).click();
  await chooseFiles(ada, recording(NAME));
  await ada.getByRole('link', { name: 'Open transcript' }).first().click();
  await ada.getByText(/of speech has text/).waitFor({ timeout: 120_000 });
  await openShare();
  await dialog().getByText('No link yet.').waitFor();
  await dialog().getByRole('button', { name: 'New link' }).click();
  await dialog().getByRole('switch', { name: 'Ask for a password' }).check();
  await dialog().getByLabel('Password', { exact: true }).fill('short');
  assert.equal(await dialog().getByRole('button', { name: 'Make the link' }).isDisabled(), true);
  await dialog().getByLabel('Password', { exact: true }).fill(SECRET);
  await dialog().getByLabel('Works until').selectOption('7 days from now');
  await dialog().getByRole('button', { name: 'Make the link' }).click();
  link = await madeLink();
  assert.ok(link.startsWith(`${server.url}/s/`), link);
  await dialog().getByText('not opened yet').waitFor();
  await closeShare();
});

step('a guest gives the password, and reads and hears', async () => {
  const answer = await guest.goto(link);
  assert.equal(answer.headers()['x-robots-tag'], 'noindex');
  await guest.getByRole('heading', { name: 'This transcript is locked' }).waitFor();
  assert.equal(await guest.getByText(NAME).count(), 0, 'the title is not told before');
  await guest.getByLabel('Password', { exact: true }).fill('open sesame, now');
  await guest.getByRole('button', { name: 'Open' }).click();
  await guest.getByText('This password is wrong.').waitFor();
  await guest.getByLabel('Password', { exact: true }).fill(SECRET);
  await guest.getByRole('button', { name: 'Open' }).click();
  await guest.getByRole('heading', { name: NAME }).waitFor();
  await guest.getByRole('list', { name: 'Transcript' }).getByRole('listitem').first().waitFor();
  assert.equal(await guest.locator('meta[name=robots]').getAttribute('content'), 'noindex');
  assert.equal(await guest.getByRole('navigation').count(), 0);
  assert.equal(await guest.getByRole('button', { name: 'Download' }).count(), 0);
  const play = guest.getByRole('button', { name: 'Play', exact: true });
  await play.and(guest.locator(':enabled')).waitFor(LATER);
  await play.click();
  await guest.waitForFunction(() => document.querySelector('audio, video').currentTime > 0.3, null, LATER);
  await guest.getByRole('button', { name: 'Pause', exact: true }).click();
  await assertAccessible(guest, 'the shared page');
});

step('downloads are switched on, and saved', async () => {
  await ada.bringToFront();
  await openShare();
  await dialog().getByText(/opened (now|.* ago)/).waitFor();
  await dialog().getByRole('button', { name: /^Change the link/ }).click();
  await dialog().getByRole('switch', { name: 'Offer downloads' }).check();
  await dialog().getByRole('button', { name: 'Save' }).click();
  await dialog().getByText('Downloads', { exact: true }).waitFor();
  await closeShare();

  await guest.bringToFront();
  await guest.reload();
  await guest.getByRole('button', { name: 'Download' }).click();
  const [text] = await Promise.all([
    guest.waitForEvent('download'),
    guest.getByRole('menuitem', { name: /Plain text/ }).click(),
  ]);
  assert.match(text.suggestedFilename(), /^dialogue-stereo.*\.txt$/);
  assert.match(fs.readFileSync(await text.path(), 'utf8'), /\w+/);
  await guest.getByRole('button', { name: 'Download' }).click();
  const [sound] = await Promise.all([
    guest.waitForEvent('download'),
    guest.getByRole('menuitem', { name: 'Sound' }).click(),
  ]);
  assert.match(sound.suggestedFilename(), /^dialogue-stereo.*\.m4a$/);
});

step('another browser has to give the password again', async () => {
  const other = await openPage(browser, server);
  await other.goto(link);
  await other.getByRole('heading', { name: 'This transcript is locked' }).waitFor();
  await other.context().close();
});

step('the link is taken back while the guest reads', async () => {
  await openShare();
  await dialog().getByRole('button', { name: /^Take back the link/ }).click();
  await dialog().getByText('No link yet.').waitFor();
  await closeShare();
  await guest.getByText('This is no longer shared').waitFor(LATER);
  assert.equal(await guest.locator('audio, video').count(), 0, 'nothing plays any more');
  await guest.goto(`${server.url}/s/${'x'.repeat(43)}`);
  await guest.getByText('This is no longer shared').waitFor();
});

step('an unfinished transcription is followed by its guests', async () => {
  await ada.goto('/');
  await ada.getByText('One voice', { exact: true }).click();
  await chooseFiles(ada, recording('monologue.flac'));
  await ada.getByRole('link', { name: 'Open transcript' }).first().click();
  await ada.waitForURL(/\/t\//);
  await openShare();
  await dialog().getByRole('button', { name: 'New link' }).click();
  await dialog().getByRole('button', { name: 'Make the link' }).click();
  const open = await madeLink();
  await closeShare();
  await guest.goto(open);
  await guest.getByText('Please start that blue letter later.').waitFor({ timeout: 120_000 });
  await guest.getByText(/of speech has text/).waitFor({ timeout: 120_000 });
});

step('a transcript is shared with one account, to read', async () => {
  await ada.goto('/jobs');
  await ada.getByRole('link', { name: NAME }).click();
  await openShare();
  await dialog().getByLabel('E-mail address').fill('nobody@example.org');
  await dialog().getByRole('button', { name: 'Share', exact: true }).click();
  await dialog().getByText(/Nobody has an account under this address/).waitFor();
  await dialog().getByLabel('E-mail address').fill('grace@example.org');
  await dialog().getByRole('button', { name: 'Share', exact: true }).click();
  await dialog().getByRole('button', { name: 'Remove: grace@example.org' }).waitFor();

  await grace.bringToFront();
  await grace.getByRole('link', { name: 'Shared', exact: true }).click();
  await grace.getByRole('link', { name: NAME }).click();
  await grace.getByRole('heading', { name: NAME }).waitFor();
  await grace.getByText('Left', { exact: true }).first().waitFor();
  assert.equal(await grace.getByRole('button', { name: /^Left$/ }).count(), 0, 'no names are given by readers');
});

step('the same account may name speakers once it may edit', async () => {
  await ada.bringToFront();
  await dialog().getByLabel('What grace@example.org may').selectOption('Name speakers, too');
  await grace.bringToFront();
  await grace.getByText('You may name the speakers.').waitFor(LATER);
  await grace.getByRole('button', { name: 'Left', exact: true }).first().click();
  await grace.getByRole('dialog').getByLabel('Name').fill('Ada Lovelace');
  await grace.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
  await grace.getByRole('button', { name: 'Ada Lovelace' }).first().waitFor();
  await grace.reload();
  await grace.getByRole('button', { name: 'Ada Lovelace' }).first().waitFor();
});

step('a link to the transcript itself leads that account to what it may read', async () => {
  await grace.goto(new URL(ada.url()).pathname);
  await grace.waitForURL(/\/shared\//);
  await grace.getByRole('heading', { name: NAME }).waitFor();
});

step('it is not shared any more, at once', async () => {
  await ada.bringToFront();
  await dialog().getByRole('button', { name: 'Remove: grace@example.org' }).click();
  await dialog().getByRole('button', { name: 'Remove: grace@example.org' }).waitFor({ state: 'detached' });
  await grace.bringToFront();
  await grace.getByText('This is no longer shared').waitFor(LATER);
  await grace.getByRole('link', { name: 'All that is shared with you' }).click();
  await grace.getByText('Nothing is shared with you').waitFor();
});
