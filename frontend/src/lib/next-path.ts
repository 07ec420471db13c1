/** Where to go after sign-in: only a path of this site, never another origin. */
export function safeNext(next: unknown): string {
  if (typeof next !== 'string' || !next.startsWith('/')) return '/';
  if (next.startsWith('//') || next.includes('\\')) return '/';
  if (/^\/(login|register)(\/|\?|$)/.test(next)) return '/';
  return next;
}
