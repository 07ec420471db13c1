/** Months in UTC as the API names them: `2026-11`. */

import { LOCALE } from './format';

const name = new Intl.DateTimeFormat(LOCALE, { month: 'long', year: 'numeric', timeZone: 'UTC' });
const day = new Intl.DateTimeFormat(LOCALE, { day: 'numeric', month: 'short', timeZone: 'UTC' });

export function monthOf(at: Date): string {
  return at.toISOString().slice(0, 7);
}

export function stepMonth(month: string, step: 1 | -1): string {
  const at = new Date(`${month}-01T00:00:00Z`);
  at.setUTCMonth(at.getUTCMonth() + step);
  return monthOf(at);
}

/** `November 2026`. */
export function monthName(month: string): string {
  return name.format(new Date(`${month}-01T00:00:00Z`));
}

/** `3 Nov` of `2026-11-03`. */
export function dayName(date: string): string {
  return day.format(new Date(`${date}T00:00:00Z`));
}

/** Every day of a month, `2026-11-01` and on. */
export function daysOf(month: string): string[] {
  const at = new Date(`${month}-01T00:00:00Z`);
  const days: string[] = [];
  while (monthOf(at) === month) {
    days.push(at.toISOString().slice(0, 10));
    at.setUTCDate(at.getUTCDate() + 1);
  }
  return days;
}
