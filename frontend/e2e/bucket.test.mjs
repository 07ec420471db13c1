/** Recordings straight from the page to a bucket, and texts from it: a real browser, server and S3 server. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { launch } from './lib/browser.mjs';
import { startBucket } from './lib/bucket.mjs';
import { startServer } from './lib/server.mjs';
import { chooseFiles, openPage, register, witness } from './lib/steps.mjs';

const PARTS = 25;
const SIZE = PARTS * 8 * 1024 * 1024;
const NAME = 'long talk.wav';

let browser, bucket, server, page, folder, file, sha256;

before(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'transcribe-e2e-file-'));
  file = path.join(folder, NAME);
  sha256 = writeRecording(file);
  [browser, bucket] = await Promise.all([launch(), startBucket()]);
  server = await startServer({ ...bucket.settings, TRANSCRIPTION_BACKEND: 'stub' });
  await server.command('storage', 'check', '--fix');
  page = await openPage(browser, server);
  page.on('dialog', (dialog) => void dialog.accept());
});

after(async () => {
  await browser?.close();
  await server?.stop();
  await bucket?.stop();
  fs.rmSync(folder, { recursive: true, force: true });
});

const step = (name, work) => test(name, () => witness(page, server, name.replace(/\W+/g, '-'), work));

const arrived = () => new Set(bucket.proxy.puts.filter(({ status }) => status === 200).map(({ part }) => part));

async function until(condition, what) {
  for (let tries = 0; tries < 600; tries += 1) {
    if (condition()) return;
    await sleep(100);
  }
  throw new Error(`waited in vain for ${what}; parts so far: ${[...arrived()].join(', ')}`);
}

/** Parts in flight have come to their end, one way or the other. */
async function quiet() {
  for (let last = -1, calm = 0; calm < 10; calm += 1) {
    if (bucket.proxy.puts.length !== last) calm = 0;
    last = bucket.proxy.puts.length;
    await sleep(100);
  }
}

step('200 MB are paused, go on, and survive a store that fails', async () => {
  await register(page, 'ada@example.org');
  bucket.proxy.delayMs = 300;
  bucket.proxy.failures = new Map([
    [7, 1],
    [10, 1],
  ]);
  await chooseFiles(page, file);
  await until(() => arrived().size >= 4, 'the first parts');
  await page.getByRole('button', { name: `Pause ${NAME}` }).click();
  await page.getByText(/^Paused at/).waitFor();
  await quiet();
  const paused = bucket.proxy.puts.length;
  await sleep(700);
  assert.equal(bucket.proxy.puts.length, paused, 'nothing is sent while it is paused');
  await page.getByRole('button', { name: `Resume ${NAME}` }).click();
  await until(() => arrived().size >= 14 && arrived().has(7) && arrived().has(10), 'the parts after the failures');
  const failed = bucket.proxy.puts.filter(({ status }) => status === 500).map(({ part }) => part);
  assert.deepEqual(failed.sort(), [10, 7]);
});

step('after a reload only what is missing is sent, and every byte is there', async () => {
  await page.reload();
  await page.getByText('Unfinished uploads').waitFor();
  await quiet();
  const before = arrived();
  assert.ok(before.size >= 14 && before.size < PARTS, `${before.size} parts had arrived`);
  const sent = bucket.proxy.puts.length;
  bucket.proxy.delayMs = 0;
  await chooseFiles(page, file);
  await page.getByRole('link', { name: 'Open transcript' }).waitFor({ timeout: 90_000 });
  const again = bucket.proxy.puts.slice(sent).map(({ part }) => part);
  const missing = Array.from({ length: PARTS }, (_, index) => index + 1).filter((part) => !before.has(part));
  assert.deepEqual(again.sort((a, b) => a - b), missing);
  const key = server.seed(`print(db.execute('select storage_key from media_files').fetchone()[0])`);
  assert.equal(bucket.sha256(key), sha256);
  assert.deepEqual(page.problems, []);
});

step('a text is downloaded from the bucket', async () => {
  await page.goto('/');
  const said = path.join(folder, 'notes.txt');
  fs.writeFileSync(said, 'What was said, word for word.');
  await chooseFiles(page, said);
  await page.getByRole('link', { name: /notes|Open transcript/ }).first().click();
  await page.getByText('What was said, word for word.').first().waitFor();
  const kept = () => server.seed(`print(db.execute('select count(*) from transcripts where text_key is not null').fetchone()[0])`);
  await until(() => Number(kept()) > 0, 'the text in the bucket');
  const fromBucket = page.waitForResponse((response) => response.url().startsWith(bucket.proxy.url) && response.ok());
  await page.getByRole('button', { name: 'Download' }).click();
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('menuitem', { name: /Plain text/ }).click(),
  ]);
  await fromBucket;
  assert.equal(download.suggestedFilename(), 'notes.txt');
  assert.equal(fs.readFileSync(await download.path(), 'utf8').trim(), 'What was said, word for word.');
  assert.deepEqual(page.problems, []);
});

/** Noise with the head of a WAV file, so that no part is like another; answers its SHA-256. */
function writeRecording(target) {
  const hash = createHash('sha256');
  const head = Buffer.alloc(44);
  head.write('RIFF', 0);
  head.writeUInt32LE(SIZE - 8, 4);
  head.write('WAVEfmt ', 8);
  for (const [value, at, size] of [
    [16, 16, 4],
    [1, 20, 2],
    [1, 22, 2],
    [16_000, 24, 4],
    [32_000, 28, 4],
    [2, 32, 2],
    [16, 34, 2],
    [SIZE - 44, 40, 4],
  ]) {
    head.writeUIntLE(value, at, size);
  }
  head.write('data', 36);
  const out = fs.openSync(target, 'w');
  for (let left = SIZE; left > 0; ) {
    const block = left === SIZE ? head : randomBytes(Math.min(left, 1 << 20));
    hash.update(block);
    fs.writeSync(out, block);
    left -= block.length;
  }
  fs.closeSync(out);
  return hash.digest('hex');
}
