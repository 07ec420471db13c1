/** Random ids; `crypto.randomUUID` is absent on plain http outside localhost. */
export function randomId(): string {
  const raw = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(raw, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
