/** Small settings in local storage; if the browser blocks it, they last as long as the page. */

const fallback = new Map<string, string>();

export function readPreference(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return fallback.get(key) ?? null;
  }
}

export function writePreference(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    fallback.set(key, value);
  }
}

export function removePreference(key: string): void {
  try {
    localStorage.removeItem(key);
  } catch {
    fallback.delete(key);
  }
}
