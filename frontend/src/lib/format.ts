/** Numbers, sizes and times as people read them. All through Intl, in the page's language. */

export const LOCALE = 'en';

const integer = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 0 });
const oneDigit = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 1 });
const relative = new Intl.RelativeTimeFormat(LOCALE, { numeric: 'auto' });
const moment = new Intl.DateTimeFormat(LOCALE, { dateStyle: 'medium', timeStyle: 'medium' });
const dateTime = new Intl.DateTimeFormat(LOCALE, { dateStyle: 'medium', timeStyle: 'short' });

/** `1,234.5`: at most one digit after the point. */
export function count(value: number): string {
  return oneDigit.format(value);
}

/** Position in a recording: `0:07`, `12:34`, `1:02:03`. Input in ms. */
export function clock(ms: number): string {
  const total = Math.max(0, Math.floor(ms / 1000));
  const hours = Math.floor(total / 3600);
  const minutes = Math.floor((total % 3600) / 60);
  const seconds = String(total % 60).padStart(2, '0');
  return hours > 0
    ? `${String(hours)}:${String(minutes).padStart(2, '0')}:${seconds}`
    : `${String(minutes)}:${seconds}`;
}

/** A length in words: `8 s`, `3 min`, `1 h 5 min`. Input in ms. */
export function duration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${String(Math.max(ms > 0 ? 1 : 0, seconds))} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${String(minutes)} min`;
  const rest = minutes % 60;
  const hours = `${String(Math.floor(minutes / 60))} h`;
  return rest ? `${hours} ${String(rest)} min` : hours;
}

export function bytes(size: number): string {
  return scaled(size, 1000, ['B', 'kB', 'MB', 'GB', 'TB']);
}

/** In the powers of two that limits are set in: `5 GiB`. */
export function binaryBytes(size: number): string {
  return scaled(size, 1024, ['B', 'KiB', 'MiB', 'GiB', 'TiB']);
}

function scaled(size: number, step: number, units: readonly string[]): string {
  let value = size;
  let unit = 0;
  while (value >= step - 0.5 && unit < units.length - 1) {
    value /= step;
    unit += 1;
  }
  const text = value < 10 && unit > 0 ? oneDigit.format(value) : integer.format(value);
  return `${text} ${units[unit] ?? ''}`;
}

/** Share 0..1 as a whole percentage; never 100 before the end. */
export function percent(share: number): string {
  const clamped = Math.min(1, Math.max(0, share));
  return `${String(clamped === 1 ? 100 : Math.min(99, Math.floor(clamped * 100)))} %`;
}

export function ago(iso: string, now: number = Date.now()): string {
  const seconds = Math.round((Date.parse(iso) - now) / 1000);
  if (!Number.isFinite(seconds)) return '';
  const size = Math.abs(seconds);
  if (size < 45) return relative.format(0, 'second');
  if (size < 3600) return relative.format(Math.round(seconds / 60), 'minute');
  if (size < 86_400) return relative.format(Math.round(seconds / 3600), 'hour');
  if (size < 7 * 86_400) return relative.format(Math.round(seconds / 86_400), 'day');
  return dateTime.format(Date.parse(iso));
}

/** Date and time to the second. */
export function momentOf(iso: string): string {
  const at = Date.parse(iso);
  return Number.isFinite(at) ? moment.format(at) : '';
}

export function fullDate(iso: string): string {
  const at = Date.parse(iso);
  return Number.isFinite(at) ? dateTime.format(at) : '';
}

/** `1.8×` faster or slower than the recording plays; input is processing time / duration. */
export function speed(realTimeFactor: number): string {
  return realTimeFactor > 0 ? `${oneDigit.format(1 / realTimeFactor)}×` : '';
}
