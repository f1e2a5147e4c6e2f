/** Which tabs of the app are open: each holds a Web Lock of its own, which the browser releases however the tab ends. */

export const tabLock = (tab: string): string => `doorstep-tab-${tab}`;

/** Keeps a Web Lock held until its tab ends. */
export const forever = (): Promise<never> => new Promise<never>(() => undefined);

export function announceTab(locks: LockManager, tab: string): void {
  void locks.request(tabLock(tab), forever).catch(() => undefined);
}

/** Calls back once, when a tab is gone. */
export function onTabGone(locks: LockManager, tab: string, gone: () => void): void {
  void locks.request(tabLock(tab), gone).catch(() => undefined);
}

/** How many tabs of the app are open in this browser, this one among them. */
export async function countTabs(): Promise<number> {
  const { held = [] } = await navigator.locks.query();
  return held.filter(({ name }) => name?.startsWith(tabLock(""))).length;
}
