/** Keeps the screen on, since a sleeping phone stops recordings. */

/**
 * Asks for the lock until the returned function is called: browsers release it whenever the page is
 * hidden. `onChange` is told whether it is held; some browsers have none, or refuse it when the
 * battery is low.
 */
export function keepAwake(onChange: (held: boolean) => void): () => void {
  let lock: WakeLockSentinel | null = null;
  let wanted = true;
  const ask = (): void => {
    if (!wanted || document.visibilityState !== "visible" || !("wakeLock" in navigator)) return;
    navigator.wakeLock.request("screen").then(
      (granted) => {
        if (!wanted) return void granted.release();
        lock = granted;
        onChange(true);
        granted.addEventListener("release", () => lock === granted && onChange(false));
      },
      () => onChange(false),
    );
  };
  ask();
  document.addEventListener("visibilitychange", ask);
  return () => {
    wanted = false;
    document.removeEventListener("visibilitychange", ask);
    void lock?.release().catch(() => undefined);
    lock = null;
  };
}
