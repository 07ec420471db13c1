/** Trusting a text: hints, gaps heard again, speakers named, models watched, recordings kept at home. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { launch } from './lib/browser.mjs';
import { loseWindow } from './lib/seeds.mjs';
import { recording, startServer } from './lib/server.mjs';
import { chooseFiles, jobIdOf, openPage, register, witness } from './lib/steps.mjs';

const SENTENCE = 'First bring David John brother bridge letter five.';
const LOST = 'Please start a last bread evening.';

let browser, server, page, monologue;

before(async () => {
  [browser, server] = await Promise.all([launch(), startServer()]);
  page = await openPage(browser, server);
  await register(page, 'ada@example.org');
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

step('a recording is heard with names and terms, which stay for the next one', async () => {
  await page.getByRole('button', { name: 'More options' }).click();
  const terms = page.getByRole('combobox', { name: 'Names and terms' });
  await terms.fill('David,');
  await terms.fill('John Bridge');
  await terms.press('Enter');
  await page.getByText('John Bridge', { exact: true }).waitFor();
  await chooseFiles(page, recording('sentence-00.flac'));
  await page.getByRole('link', { name: 'Open transcript' }).first().click();
  await page.getByText(SENTENCE).first().waitFor({ timeout: 60_000 });
  await page.getByText('2 terms given').waitFor();
  await page.getByRole('button', { name: 'How this text was made' }).click();
  await page.getByRole('dialog').getByText('David, John Bridge').waitFor();
  await page.goto('/');
  await page.getByRole('button', { name: 'More options (1 set)' }).waitFor();
});

step('a gap is marked, heard again, and closed', async () => {
  await page.getByRole('button', { name: 'More options (1 set)' }).click();
  const terms = page.getByRole('combobox', { name: 'Names and terms' });
  await terms.press('Backspace');
  await terms.press('Backspace');
  await page.getByText('John Bridge', { exact: true }).waitFor({ state: 'detached' });
  await chooseFiles(page, recording('monologue.flac'));
  await page.getByRole('link', { name: 'Open transcript' }).first().click();
  await page.getByText(/^All 1:\d\d of speech has text$/).waitFor({ timeout: 120_000 });
  monologue = new URL(page.url()).pathname;
  loseWindow(server, jobIdOf(page), 1);
  await page.reload();
  const attention = page.getByRole('region', { name: 'Needs attention (1)' });
  await attention.getByText('No text for 24 s').waitFor();
  await page.getByText(/of speech has text, 1 gap$/).waitFor();
  assert.equal(await page.getByText(LOST).count(), 0);
  await attention.getByRole('button', { name: 'Play from 0:31' }).click();
  const slider = page.getByRole('slider', { name: 'Position' });
  await slider.and(page.locator('[aria-valuetext$="No text for 24 s"]')).waitFor();
  await attention.getByRole('button', { name: 'Listen again to this gap, 0:31 to 0:55' }).click();
  await page.getByText(LOST).waitFor({ timeout: 60_000 });
  await page.getByText(/^All 1:\d\d of speech has text$/).waitFor();
  assert.equal(await attention.count(), 0);
});

step('the strip moves the playback by pointer and by keyboard', async () => {
  const time = () => page.evaluate(() => document.querySelector('audio, video').currentTime);
  const slider = page.getByRole('slider', { name: 'Position' });
  const box = await slider.locator('..').boundingBox();
  await page.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
  assert.ok(Math.abs((await time()) - 90.6) < 2, `in the middle: ${await time()}`);
  const before = await time();
  await slider.press('ArrowRight');
  assert.ok((await time()) > before);
  const nodes = await slider.locator('../..').evaluate((strip) => strip.querySelectorAll('*').length);
  assert.ok(nodes < 20, `${nodes} nodes in the strip`);
});

step('the voices of a stereo recording are named', async () => {
  await page.goto('/');
  await page.getByText('Conversation', { exact: true }).click();
  await chooseFiles(page, recording('dialogue-stereo.flac'));
  await page.getByRole('link', { name: 'Open transcript' }).first().click();
  const speakers = page.getByRole('region', { name: 'Speakers' });
  await speakers.getByRole('button', { name: 'Rename Left' }).click({ timeout: 120_000 });
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill('Ada Lovelace');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await speakers.getByText('Ada Lovelace').waitFor();
  await page.getByRole('listitem').getByRole('button', { name: 'Ada Lovelace' }).first().waitFor();
  await page.reload();
  await speakers.getByText('Ada Lovelace').waitFor();
  await speakers.getByText('Right').waitFor();
});

step('the same recording with other options becomes a further transcript', async () => {
  await page.goto(monologue);
  await page.getByRole('button', { name: 'How this text was made' }).click();
  await page.getByRole('button', { name: 'Again with another engine or model' }).click();
  await page.getByRole('button', { name: /Change other options/ }).click();
  await page.getByRole('button', { name: 'More options' }).click();
  const dialog = page.getByRole('dialog', { name: 'Run again' });
  await dialog.getByRole('textbox', { name: 'Style example' }).fill('Dear all,');
  await dialog.getByRole('button', { name: 'Make transcript' }).click();
  await page.waitForURL((url) => url.pathname.startsWith('/t/') && url.pathname !== monologue);
  await page.getByText(LOST).waitFor({ timeout: 60_000 });
});

step('the administrator finds the models', async () => {
  await page.getByRole('button', { name: 'Account menu' }).click();
  await page.getByRole('menuitem', { name: 'Models' }).click();
  await page.getByRole('heading', { name: 'Speech', exact: true }).waitFor();
  await page.getByText('Recommended').first().waitFor();
  assert.ok((await page.getByRole('button', { name: /^Download: / }).count()) > 2);
});

step('recordings are kept on this server from now on', async () => {
  await page.getByRole('button', { name: 'Account menu' }).click();
  await page.getByRole('menuitem', { name: 'Workspace settings' }).click();
  await page.getByRole('switch', { name: /Keep recordings on this server/ }).check();
  await page.getByRole('combobox', { name: 'Names and terms' }).fill('Transcribe,');
  await page.getByRole('button', { name: 'Save' }).last().click();
  await page.getByText('New transcripts use it from now on.').waitFor();
  await page.reload();
  await page.getByText('Transcribe', { exact: true }).last().waitFor();
  assert.equal(await page.getByRole('switch').isChecked(), true);
});

step('others than the administrator find no models page', async () => {
  const other = await openPage(browser, server);
  await register(other, 'grace@example.org');
  await other.goto('/admin/models');
  await other.getByText('Nothing here').waitFor();
  await other.getByRole('button', { name: 'Account menu' }).click();
  await other.getByRole('menuitem', { name: 'Workspace settings' }).waitFor();
  assert.equal(await other.getByRole('menuitem', { name: 'Models' }).count(), 0);
  assert.deepEqual(other.problems, []);
  await other.context().close();
});
