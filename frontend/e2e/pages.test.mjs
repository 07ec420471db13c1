/** Every page and opened state, light and dark, desktop and phone: no grave axe finding, and a picture of each. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, before, test } from 'node:test';

import { account, transcribed } from './lib/api.mjs';
import { launch } from './lib/browser.mjs';
import { addDoubts, loseWindow } from './lib/seeds.mjs';
import { recording, startServer } from './lib/server.mjs';
import {
  assertAccessible,
  chooseFiles,
  jobIdOf,
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
/** Two of the four looks show every size and every colour; E2E_LOOKS=all takes all of them. */
const CHOSEN = (process.env.E2E_LOOKS ?? 'light-desktop,dark-phone').split(',');
const LOOKS = [
  ['desktop', { viewport: { width: 1280, height: 800 } }],
  ['phone', { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true }],
].flatMap(([device, options]) =>
  ['light', 'dark'].map((colorScheme) => [`${colorScheme}-${device}`, { ...options, colorScheme }]),
).filter(([look]) => CHOSEN.includes(look) || CHOSEN.includes('all'));

const model = (name, change) => ({
  name,
  kind: 'speech',
  bytes: 81_768_585,
  multilingual: true,
  licence: 'MIT',
  recommended: false,
  state: 'absent',
  received_bytes: 0,
  verified_at: null,
  error: null,
  default: false,
  in_use: false,
  ...change,
});

/** What no server comes to without the net: every state of a model. */
const MODELS = {
  items: [
    model('base-q8_0', { state: 'present', recommended: true, default: true, verified_at: '2026-11-20T10:00:00Z' }),
    model('base.en-q8_0', { state: 'present', in_use: true, multilingual: false }),
    model('small-q8_0', { bytes: 264e6, state: 'downloading', received_bytes: 97e6, recommended: true }),
    model('medium-q5_0', { bytes: 539e6, state: 'invalid', error: 'This file is not the published one. Download the model again; that replaces it.' }),
    model('large-v3-turbo-q8_0', { bytes: 874e6, received_bytes: 120e6, error: 'The mirror could not be reached. Set `MODEL_BASE_URL` to another one.' }),
    model('large-v3', { bytes: 3.1e9 }),
    model('nemo-titanet-small', { kind: 'speakers', bytes: 40e6, licence: 'CC-BY-4.0' }),
  ],
  next_cursor: null,
  folder: '/srv/transcribe/models',
  free_bytes: 2.1e9,
};

let browser, server, transcript, doubtful, dialogue, links, shared;

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
  doubtful = await transcribe(page, 'monologue.flac');
  loseWindow(server, jobIdOf(page), 1);
  addDoubts(server, jobIdOf(page));
  await page.goto('/');
  await page.getByText('Conversation', { exact: true }).click();
  dialogue = await transcribe(page, 'dialogue-stereo.flac');
  await share(jobIdOf(page));
  await page.context().close();
});

/** Everything that sharing can show: links of both kinds, people, something from somebody else; limits and keys too. */
async function share(job) {
  const [grace, ada] = [await account(server, EMAIL), await account(server, 'ada@example.org')];
  const link = (body) => grace.call('POST', `/api/jobs/${job}/shares`, body);
  const week = new Date(Date.now() + 7 * 86_400_000).toISOString();
  links = {
    locked: (await link({ password: PASSWORD, expires_at: week })).url,
    open: (await link({ allow_download: true })).url,
  };
  await grace.call('PUT', `/api/jobs/${job}/grants`, { email: 'ada@example.org', permission: 'edit' });
  const other = await transcribed(ada, recording('dialogue-stereo.flac'), { mode: 'dialogue' });
  await ada.call('PUT', `/api/jobs/${other}/grants`, { email: EMAIL, permission: 'edit' });
  shared = `/shared/${other}`;
  const { id } = (await grace.call('GET', '/api/workspaces')).items[0];
  await grace.call('PATCH', `/api/admin/workspaces/${id}/quotas`, { minutes: 600, storage_bytes: 1e9, members: 2 });
  await grace.call('POST', `/api/workspaces/${id}/invitations`, { email: 'linus@example.org', role: 'member' });
  await grace.call('POST', `/api/workspaces/${id}/api-keys`, { name: 'Nightly script', scopes: ['read'] });
  await grace.call('POST', '/api/workspaces', { name: 'Interviews' });
}

/** The path of a recording's transcript, once it is whole. */
async function transcribe(page, name) {
  await page.goto('/');
  await chooseFiles(page, recording(name));
  await page.getByRole('link', { name: 'Open transcript' }).first().click();
  await page.getByText(/of speech has text/).waitFor({ timeout: 120_000 });
  return new URL(page.url()).pathname;
}

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
      await page.getByText('Conversation', { exact: true }).click();
      await page.getByRole('combobox', { name: 'Names and terms' }).fill('Ada Lovelace, Grace Hopper;');
      await page.getByText('Skip silence').waitFor();
      await page.getByText('Skip silence').scrollIntoViewIfNeeded();
    });
    await see('engines', async () => {
      await page.getByRole('combobox', { name: 'Engine and model' }).click();
      await page.getByRole('option', { name: /low accuracy/ }).waitFor();
      await page.evaluate(() => window.scrollTo(0, 0));
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
    await see('doubts', async () => {
      await page.goto(doubtful);
      await page.getByRole('region', { name: /Needs attention/ }).waitFor();
      await page.getByRole('slider', { name: 'Position' }).waitFor();
    });
    await see('made', async () => {
      await page.getByRole('button', { name: 'How this text was made' }).click();
      await page.getByRole('button', { name: 'Again with another engine or model' }).waitFor();
    });
    await see('rerun', async () => {
      await page.getByRole('button', { name: 'Again with another engine or model' }).click();
      await page.getByRole('dialog', { name: 'Run again' }).waitFor();
    });
    await see('rerun-options', async () => {
      await page.getByRole('button', { name: /Change other options/ }).click();
      await page.getByRole('button', { name: 'Make transcript' }).waitFor();
    });
    await see('doubts-explained', async () => {
      await page.goto(doubtful);
      await page.getByRole('button', { name: /^Show \d+ more/ }).click();
      await page.getByRole('switch', { name: 'Underline uncertain words' }).check();
      await page.getByRole('button', { name: 'Check: Repeats itself' }).click();
      await page.getByText(/said only once/).last().scrollIntoViewIfNeeded();
    });
    await see('strip', async () => {
      const strip = page.getByRole('slider', { name: 'Position' }).locator('..');
      const box = await strip.boundingBox();
      await page.mouse.move(box.x + box.width * 0.24, box.y + 20);
      await page.getByText(/No text for/).last().waitFor();
    });
    await see('dialogue', async () => {
      await page.goto(dialogue);
      await page.getByRole('region', { name: 'Speakers' }).waitFor();
      await page.getByRole('slider', { name: 'Position' }).waitFor();
    });
    await see('rename', async () => {
      await page.getByRole('listitem').getByRole('button', { name: /^(Left|left)$/ }).first().click();
      await page.getByRole('dialog').getByLabel('Name').waitFor();
    });
    for (const state of ['pending', 'unavailable', 'failed']) {
      await see(`speakers-${state}`, async () => {
        await page.route(`**/api${dialogue.replace('/t/', '/jobs/')}`, async (route) => {
          const job = await (await route.fetch()).json();
          const speaker_reason = 'No model of voices is here. `transcribe models download` fetches one.';
          await route.fulfill({ json: { ...job, speaker_state: state, speaker_reason } });
        });
        await page.goto(dialogue);
        await page.getByText(/The speakers are being told apart|could not be told apart|apart failed/).waitFor();
      });
    }
    await see('speakers-again', async () => {
      await page.getByRole('button', { name: 'Try again' }).click();
      await page.getByRole('dialog').getByText('How many speak').waitFor();
      await page.unrouteAll();
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
    await see('workspace', async () => {
      await page.goto('/settings/workspace');
      await page.getByText('Keep recordings on this server').waitFor();
    });
    await see('workspace-menu', async () => {
      await page.getByRole('button', { name: /^Workspace: / }).click();
      await page.getByRole('menuitemradio', { name: 'Interviews' }).waitFor();
    });
    await see('workspace-new', async () => {
      await page.getByRole('menuitem', { name: 'New workspace' }).click();
      await page.getByRole('dialog', { name: 'New workspace' }).waitFor();
    });
    await see('workspace-delete', async () => {
      await page.goto('/settings/workspace');
      await page.getByRole('button', { name: 'Delete this workspace' }).click();
      await page.getByRole('dialog').getByLabel(/to go on$/).waitFor();
    });
    await see('workspace-end', async () => {
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      await page.getByRole('heading', { name: 'Leave or delete' }).scrollIntoViewIfNeeded();
    });
    await see('members', async () => {
      await page.goto('/settings/members');
      await page.getByText('Open invitations').waitFor();
    });
    await see('invite', async () => {
      await page.getByRole('button', { name: 'Invite' }).click();
      await page.getByRole('dialog').getByLabel('Role').waitFor();
    });
    await see('usage', async () => {
      await page.goto('/settings/usage');
      await page.getByText('Minutes of audio by day').waitFor();
    });
    await see('activity', async () => {
      await page.goto('/settings/activity');
      await page.getByText('Shared a transcript by a link').first().waitFor();
    });
    await see('api-keys', async () => {
      await page.goto('/settings/api-keys');
      await page.getByText('Nightly script').waitFor();
    });
    await see('profile', async () => {
      await page.goto('/settings/profile');
      await page.getByLabel('Your name').waitFor();
    });
    await see('share', async () => {
      await page.goto(dialogue);
      await page.getByRole('button', { name: 'Share', exact: true }).click();
      await page.getByRole('button', { name: 'Remove: ada@example.org' }).waitFor();
      await page.getByRole('button', { name: /^Take back the link/ }).first().waitFor();
    });
    await see('share-new', async () => {
      await page.getByRole('button', { name: 'New link' }).click();
      await page.getByRole('switch', { name: 'Ask for a password' }).check();
      await page.getByRole('dialog').getByLabel('Password', { exact: true }).waitFor();
    });
    await see('shared-list', async () => {
      await page.goto('/shared');
      await page.getByRole('link', { name: 'dialogue-stereo.flac' }).waitFor();
    });
    await see('shared-job', async () => {
      await page.goto(shared);
      await page.getByText('You may name the speakers.').waitFor();
      await page.getByRole('slider', { name: 'Position' }).waitFor({ timeout: 60_000 });
    });
    await see('link-locked', async () => {
      await page.goto(links.locked);
      await page.getByRole('heading', { name: 'This transcript is locked' }).waitFor();
    });
    await see('link-wrong', async () => {
      await page.getByLabel('Password', { exact: true }).fill('wrong password');
      await page.getByRole('button', { name: 'Open' }).click();
      await page.getByText('This password is wrong.').waitFor();
    });
    await see('link-open', async () => {
      await page.goto(links.open);
      await page.getByRole('button', { name: 'Download' }).waitFor();
      await page.getByRole('slider', { name: 'Position' }).waitFor({ timeout: 60_000 });
    });
    await see('link-gone', async () => {
      await page.goto(`/s/${'x'.repeat(43)}`);
      await page.getByText('This is no longer shared').waitFor();
    });
    await see('limits', async () => {
      await page.goto('/admin/limits');
      await page.getByText('3 limits').waitFor();
    });
    await see('limits-set', async () => {
      await page.getByRole('button', { name: /^Limits of Grace|^Limits of grace/ }).first().click();
      await page.getByRole('dialog').getByLabel('Storage in GB').waitFor();
    });
    await see('status', async () => {
      await page.goto('/admin/status');
      await page.getByText('What it is made of').waitFor();
    });
    await see('status-bad', async () => {
      await page.route('**/ready', (route) =>
        route.fulfill({ status: 503, json: { status: 'unavailable', checks: { database: { ok: true, detail: 'answers' }, disk: { ok: false, detail: 'Only 100 MiB are free in `/srv/data`.' } } } }),
      );
      await page.goto('/admin/status');
      await page.getByText('Something is wrong').waitFor();
    });
    await page.unrouteAll();
    await see('models', async () => {
      await page.goto('/admin/models');
      await page.getByRole('heading', { name: 'Speech', exact: true }).waitFor();
    });
    await see('models-states', async () => {
      await page.route('**/api/admin/models', (route) => route.fulfill({ json: MODELS }));
      await page.goto('/admin/models');
      await page.getByText('Damaged').waitFor();
    });
    await see('models-remove', async () => {
      await page.getByRole('button', { name: 'Remove: base-q8_0' }).click();
      await page.getByRole('dialog').waitFor();
    });
    await page.unrouteAll();
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
