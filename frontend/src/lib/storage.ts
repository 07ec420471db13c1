/** localStorage that never throws: it may be blocked or full. */

export function storageWorks(): boolean {
  try {
    localStorage.setItem('transcribe.probe', '1');
    localStorage.removeItem('transcribe.probe');
    return true;
  } catch {
    return false;
  }
}

export function readJson<T>(key: string, fallback: T): T {
  try {
    const raw = localStorage.getItem(key);
    return raw === null ? fallback : (JSON.parse(raw) as T);
  } catch {
    return fallback;
  }
}

export function writeJson(key: string, value: unknown): void {
  try {
    localStorage.setItem(key, JSON.stringify(value));
  } catch {
    // A preference that cannot be kept is not worth an error.
  }
}

export function removeKey(key: string): void {
  try {
    localStorage.removeItem(key);
  } catch {
    // As above.
  }
}
