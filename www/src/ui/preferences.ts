/** Small choices that outlive a page load. A browser may refuse to keep anything: then they last as long as the page. */

const meanwhile = new Map<string, string>();

export function readPreference(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return meanwhile.get(key) ?? null;
  }
}

export function writePreference(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    meanwhile.set(key, value);
  }
}

export function forget(key: string): void {
  try {
    localStorage.removeItem(key);
  } catch {
    meanwhile.delete(key);
  }
}
