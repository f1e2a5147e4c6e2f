/**
 * Leader election: the tab that holds the store's Web Lock leads.
 *
 * The others queue for the lock, so that the next one leads when the leader's tab ends, however it
 * ends. A leader that does not respond, such as a page that the system froze, loses the lock to a
 * tab that steals it.
 */
import { forever, tabLock } from "./presence";

interface ElectionEvents {
  /** This tab leads from now on. */
  elected(): void;
  /** Another tab has stolen the lock. */
  deposed(): void;
  /** The browser gives this page no locks, such as where storage is blocked. */
  denied(): void;
}

export class Election {
  private readonly lock: string;
  private queued = false;

  constructor(
    private readonly locks: LockManager,
    store: string,
    private readonly tab: string,
    private readonly events: ElectionEvents,
  ) {
    this.lock = `${store}-store`;
  }

  /** Queues for the lock; at most one request waits. */
  join(): void {
    if (this.queued) return;
    this.queued = true;
    this.request({});
  }

  /** Takes the lock from its holder. A request that waits in the queue stays there. */
  steal(): void {
    this.request({ steal: true });
  }

  /** Whether the lock is still held by this tab: a tab that lost it may not have been told yet. */
  async isLeader(): Promise<boolean> {
    const { held = [] } = await this.locks.query().catch(() => ({ held: undefined }));
    const holder = (lock: string): string | undefined => held.find(({ name }) => name === lock)?.clientId;
    return holder(this.lock) === holder(tabLock(this.tab));
  }

  private request(options: LockOptions): void {
    const granted = (): Promise<never> => {
      if (!options.steal) this.queued = false;
      this.events.elected();
      return forever();
    };
    this.locks.request(this.lock, options, granted).catch((cause: unknown) => {
      if (cause instanceof DOMException && cause.name === "SecurityError") this.events.denied();
      else this.events.deposed();
    });
  }
}
