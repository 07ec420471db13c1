import { expect, it } from 'vitest';

import { dayName, daysOf, monthName, monthOf, stepMonth } from './month';

it('names months and steps over the turn of a year', () => {
  expect(monthOf(new Date('2026-12-31T23:59:59Z'))).toBe('2026-12');
  expect(stepMonth('2026-12', 1)).toBe('2027-01');
  expect(stepMonth('2026-01', -1)).toBe('2025-12');
  expect(monthName('2026-11')).toBe('November 2026');
  expect(dayName('2026-11-03')).toBe('Nov 3');
});

it('knows every day of a month', () => {
  expect(daysOf('2024-02')).toHaveLength(29);
  expect(daysOf('2026-11')).toHaveLength(30);
  expect(daysOf('2026-11').at(-1)).toBe('2026-11-30');
});
