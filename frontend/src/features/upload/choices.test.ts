import { expect, it } from 'vitest';

import { choices, choose, setStandard } from './choices';

it('begins with what the workspace takes, until something is picked', () => {
  setStandard('ws-1', { language: 'de', mode: 'dialogue' });
  expect(choices.get()).toMatchObject({ language: 'de', mode: 'dialogue' });
  choose({ language: 'en', translate: true });
  expect(choices.get()).toMatchObject({ language: 'en', mode: 'dialogue', translate: true });
  setStandard('ws-1', { language: 'fr', mode: 'mono' });
  expect(choices.get()).toMatchObject({ language: 'en', mode: 'mono' });
});

it('follows the workspace again when the same is picked', () => {
  setStandard('ws-1', { language: 'fr', mode: 'mono' });
  choose({ language: 'fr' });
  setStandard('ws-1', { language: 'it', mode: 'mono' });
  expect(choices.get().language).toBe('it');
});

it('takes no language along into another workspace', () => {
  setStandard('ws-1', { language: 'de', mode: 'mono' });
  choose({ language: 'en' });
  setStandard('ws-2', { language: 'auto', mode: 'dialogue' });
  expect(choices.get()).toMatchObject({ language: 'auto', mode: 'dialogue' });
});
