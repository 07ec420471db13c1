/** Workspaces: made, switched, shared with people of every role, left and deleted; what is used in them. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { launch } from './lib/browser.mjs';
import { recording, startServer } from './lib/server.mjs';
import { assertAccessible, chooseFiles, mailedLink, openPage, register, witness, PASSWORD } from './lib/steps.mjs';

const SENTENCE = 'First bring David John brother bridge letter five.';
const LATER = { timeout: 60_000 };

let browser, server, ada, grace, transcript;

before(async () => {
  [browser, server] = await Promise.all([launch(), startServer()]);
  ada = await openPage(browser, server);
  grace = await openPage(browser, server);
  await register(ada, 'ada@example.org');
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

const step = (name, work) =>
  test(name, async () => {
    await witness(ada, server, name.replace(/\W+/g, '-'), () => witness(grace, server, `${name.replace(/\W+/g, '-')}-grace`, work));
    for (const page of [ada, grace]) assert.deepEqual(page.problems, []);
  });

/** The menu of workspaces is named after the one that is shown. */
const shown = (page, name) => page.getByRole('button', { name: `Workspace: ${name}`, exact: true });

async function switchTo(page, from, to) {
  await shown(page, from).click();
  await page.getByRole('menuitemradio', { name: to }).click();
  await shown(page, to).waitFor();
}

const ownName = () => ada.getByRole('button', { name: /^Workspace: / }).getAttribute('aria-label').then((label) => label.slice('Workspace: '.length));
let own;

step('a workspace is made, and nothing of the other one is in it', async () => {
  await chooseFiles(ada, recording('sentence-00.flac'));
  await ada.getByRole('link', { name: 'Open transcript' }).first().click();
  await ada.getByText(SENTENCE).first().waitFor(LATER);
  own = await ownName();
  await shown(ada, own).click();
  await ada.getByRole('menuitem', { name: 'New workspace' }).click();
  const dialog = ada.getByRole('dialog', { name: 'New workspace' });
  await dialog.getByLabel('Name').fill('Interviews');
  await dialog.getByRole('button', { name: 'Create workspace' }).click();
  await shown(ada, 'Interviews').waitFor();
  await ada.getByRole('heading', { name: 'New transcription' }).waitFor();
  await ada.getByRole('link', { name: 'Transcripts', exact: true }).click();
  await ada.getByRole('heading', { name: 'Transcripts' }).waitFor();
  await ada.getByText('No transcripts yet').waitFor();
  assert.equal(await ada.getByText('sentence-00.flac').count(), 0);
});

step('switching back shows what is there, and the choice survives a reload', async () => {
  await switchTo(ada, 'Interviews', own);
  await ada.getByText('sentence-00.flac').first().waitFor();
  await switchTo(ada, own, 'Interviews');
  await ada.getByText('No transcripts yet').waitFor();
  await ada.reload();
  await shown(ada, 'Interviews').waitFor();
  await ada.getByText('No transcripts yet').waitFor();
});

step('an upload stays in the workspace in which it began', async () => {
  await ada.goto('/');
  await chooseFiles(ada, recording('sentence-01.flac'));
  await switchTo(ada, 'Interviews', own);
  await ada.getByRole('link', { name: 'Open transcript' }).first().waitFor(LATER);
  await ada.getByRole('link', { name: 'Open transcript' }).first().click();
  await shown(ada, 'Interviews').waitFor();
  await ada.getByText('A quiet message was very blue evening.').first().waitFor(LATER);
  transcript = new URL(ada.url()).pathname;
});

step('the workspace is renamed and gets its settings', async () => {
  await ada.goto('/settings/workspace');
  await ada.getByLabel('Name of the workspace').fill('Oral history');
  await ada.getByRole('button', { name: 'Save' }).first().click();
  await shown(ada, 'Oral history').waitFor();
  await ada.getByLabel('Language').selectOption('English');
  await ada.getByLabel('Keep recordings for').fill('30');
  await ada.getByRole('button', { name: 'Save' }).last().click();
  await ada.getByText('New transcripts use it from now on.').waitFor();
  await ada.goto('/');
  await ada.getByRole('combobox', { name: 'Language' }).and(ada.locator('[value=English]')).waitFor();
});

step('somebody is invited, and joins by the mailed link', async () => {
  await ada.goto('/settings/members');
  await ada.getByRole('button', { name: 'Invite' }).click();
  const dialog = ada.getByRole('dialog', { name: 'Invite somebody' });
  await dialog.getByLabel('E-mail address').fill('grace@example.org');
  await dialog.getByLabel('Role').selectOption('Viewer');
  await dialog.getByRole('button', { name: 'Invite' }).click();
  const handed = (await dialog.locator('pre').textContent()).trim();
  await dialog.getByRole('button', { name: 'Done' }).click();
  await ada.getByRole('button', { name: 'Take back: grace@example.org' }).waitFor();
  const mailed = await mailedLink(server, 'grace@example.org', 'invite');
  assert.equal(new URL(handed).pathname, mailed);

  await grace.goto(mailed);
  await grace.getByText('grace@example.org is invited to Oral history as Viewer.').waitFor();
  await grace.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await grace.getByRole('button', { name: 'Create account' }).click();
  await grace.getByText('You belong to Oral history now.').waitFor();
});

step('a viewer reads, and adds nothing', async () => {
  const start = await grace.getByRole('button', { name: /^Workspace: / }).getAttribute('aria-label');
  if (start !== 'Workspace: Oral history') await switchTo(grace, start.slice('Workspace: '.length), 'Oral history');
  await grace.goto('/');
  await grace.getByText('You can read here').waitFor();
  assert.equal(await grace.getByRole('button', { name: 'Choose files' }).count(), 0);
  await grace.goto(transcript);
  await grace.getByText('A quiet message was very blue evening.').first().waitFor();
  assert.equal(await grace.getByRole('button', { name: 'Share', exact: true }).count(), 0);
  await grace.goto('/settings/workspace');
  await grace.getByText('Only owners and administrators of the workspace can change these.').waitFor();
  assert.equal(await grace.getByRole('button', { name: 'Save' }).count(), 0);
  await grace.goto('/settings/activity');
  await grace.getByText('Only owners and admins of the workspace see who did what.').waitFor();
});

step('a link to another workspace of hers leads her there', async () => {
  const personal = await grace
    .getByRole('button', { name: /^Workspace: / })
    .click()
    .then(() => grace.getByRole('menuitemradio').allTextContents())
    .then((names) => names.find((name) => name !== 'Oral history'));
  await grace.getByRole('menuitemradio', { name: personal }).click();
  await shown(grace, personal).waitFor();
  await grace.goto(transcript);
  await shown(grace, 'Oral history').waitFor();
  await grace.getByText('A quiet message was very blue evening.').first().waitFor();
});

step('a role is raised, and counts from then on', async () => {
  await ada.goto('/settings/members');
  await ada.getByLabel('Role of grace@example.org').selectOption('Admin');
  await ada.getByText('Oral history', { exact: false }).first().waitFor();
  await grace.goto('/settings/activity');
  await grace.getByText('Changed a role').waitFor();
  await grace.getByText('Accepted an invitation').waitFor();
  await assertAccessible(grace, 'the activity');
  await grace.goto('/settings/members');
  await grace.getByRole('button', { name: 'Invite' }).waitFor();
  assert.equal(await grace.getByLabel('Role of ada@example.org').count(), 0, 'an admin does not change owners');
});

step('what is used is shown, and limits of the administrator hold', async () => {
  await ada.goto('/admin/limits');
  await ada.getByRole('button', { name: 'Limits of Oral history' }).click();
  const dialog = ada.getByRole('dialog', { name: 'Limits of Oral history' });
  await dialog.getByLabel('Members').fill('2');
  await dialog.getByLabel('Minutes of audio in a month').fill('10');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.waitFor({ state: 'detached' });

  await shown(ada, 'Oral history').click();
  await ada.getByRole('menuitem', { name: 'Usage' }).click();
  await ada.getByText('2 of 2').waitFor();
  await ada.getByText('The limit is reached.').waitFor();
  await ada.getByText(/^0(\.\d)? of 10$/).waitFor();
  await ada.getByText('1 transcription in this month').waitFor();
  await ada.getByRole('progressbar', { name: 'Minutes of audio' }).waitFor();
  await assertAccessible(ada, 'the usage');
  await ada.getByRole('button', { name: 'Month before' }).click();
  await ada.getByText('Nothing was transcribed in this month.').waitFor();

  await ada.goto('/settings/members');
  await ada.getByRole('button', { name: 'Invite' }).click();
  const invite = ada.getByRole('dialog', { name: 'Invite somebody' });
  await invite.getByLabel('E-mail address').fill('linus@example.org');
  await invite.getByRole('button', { name: 'Invite' }).click();
  await invite.getByText(/may have 2 members/).waitFor();
  await ada.keyboard.press('Escape');
});

step('she leaves, and sees nothing of it any more', async () => {
  await grace.goto('/settings/workspace');
  await grace.getByRole('button', { name: 'Leave this workspace' }).click();
  await grace.getByRole('dialog').getByRole('button', { name: 'Leave', exact: true }).click();
  await grace.getByText('You have left Oral history.').waitFor();
  await shown(grace, 'Oral history').waitFor({ state: 'detached' });
  await grace.goto(transcript);
  await grace.getByText('Nothing here').waitFor();
  await grace.goto('/settings/workspace');
  await grace.getByText('It is your only workspace', { exact: false }).waitFor();
});

step('whoever is removed finds themselves in their own workspace', async () => {
  await ada.goto('/settings/members');
  await ada.getByRole('button', { name: 'Invite' }).click();
  const dialog = ada.getByRole('dialog', { name: 'Invite somebody' });
  await dialog.getByLabel('E-mail address').fill('grace@example.org');
  await dialog.getByRole('button', { name: 'Invite' }).click();
  const handed = new URL((await dialog.locator('pre').textContent()).trim()).pathname;
  await dialog.getByRole('button', { name: 'Done' }).click();
  await grace.goto(handed);
  await grace.getByRole('button', { name: 'Join' }).click();
  await grace.getByText('You belong to Oral history now.').waitFor();
  const start = await grace.getByRole('button', { name: /^Workspace: / }).getAttribute('aria-label');
  if (start !== 'Workspace: Oral history') await switchTo(grace, start.slice('Workspace: '.length), 'Oral history');
  await ada.reload();
  await ada.getByRole('button', { name: 'Remove: grace@example.org' }).click();
  await ada.getByRole('dialog').getByRole('button', { name: 'Remove', exact: true }).click();
  await ada.getByRole('button', { name: 'Remove: grace@example.org' }).waitFor({ state: 'detached' });
  await grace.getByRole('link', { name: 'Transcripts', exact: true }).click();
  await shown(grace, 'Oral history').waitFor({ state: 'detached', ...LATER });
});

step('a workspace is deleted by its owner, who types its name', async () => {
  await ada.goto('/settings/workspace');
  await ada.getByRole('button', { name: 'Delete this workspace' }).click();
  const dialog = ada.getByRole('dialog', { name: 'Delete Oral history?' });
  await dialog.getByLabel('Type “Oral history” to go on').fill('Oral');
  assert.equal(await dialog.getByRole('button', { name: 'Delete for good' }).isDisabled(), true);
  await dialog.getByLabel('Type “Oral history” to go on').fill('Oral history');
  await dialog.getByRole('button', { name: 'Delete for good' }).click();
  await ada.getByText('Oral history is deleted.').waitFor();
  await shown(ada, own).waitFor();
  await ada.getByRole('link', { name: 'Transcripts', exact: true }).click();
  await ada.getByText('sentence-00.flac').first().waitFor();
});
