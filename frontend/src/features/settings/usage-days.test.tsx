import { screen } from '@testing-library/react';
import { expect, it } from 'vitest';

import type { Usage } from '@/api/types';
import { renderInApp } from '@/testing/render';

import { UsageDays } from './usage-days';

function show(by_day: Usage['by_day']) {
  const usage = { month: '2026-11', jobs: 2, by_day } as Usage;
  renderInApp(<UsageDays usage={usage} />);
}

it('draws days against the longest, and no bar for minutes that round to 0', async () => {
  show([
    { date: '2026-11-03', minutes: 20 },
    { date: '2026-11-04', minutes: 10 },
    { date: '2026-11-05', minutes: 0.04 },
  ]);
  expect(await screen.findByText('2 transcriptions in this month')).toBeVisible();
  const heights = [/20 min$/, /10 min$/].map(
    (said) => screen.getByTitle(said).querySelector<HTMLElement>('span')!.style.height,
  );
  expect(heights).toEqual(['100%', '50%']);
  for (const day of screen.getAllByTitle(/: 0 min$/)) {
    expect(day.querySelector<HTMLElement>('span')!.style.height).toBe('0%');
  }
  expect(screen.getAllByTitle(/: 0 min$/)).toHaveLength(28);
});

it('draws nothing where all of the month rounds to 0', async () => {
  show([{ date: '2026-11-05', minutes: 0.03 }]);
  expect(await screen.findByText('2 transcriptions in this month')).toBeVisible();
  expect(screen.queryByRole('list')).toBeNull();
});
