/** A browser with several tabs, for unit tests: Web Locks, a BroadcastChannel, a clock and workers that tests control. */
import type { CoreEvent, StartState } from "../api";
import type { UnlockPass } from "../store/pinLock";
import type { Methods } from "../worker/worker";
import type { Result } from "./operations";
import type { Message } from "./protocol";
import { Router, type Channel, type Host, type HostContext, type Timers } from "./router";

/** Lets all that is due now happen. */
export async function settle(): Promise<void> {
  for (let round = 0; round < 10; round++) await new Promise((done) => setImmediate(done));
}

/** A tab as the browser sees it: frozen, it gets nothing until it is thawed. */
class Page {
  private frozen = false;
  private closed = false;
  private readonly waiting: (() => void)[] = [];

  /** Runs something in this page, when it can. */
  deliver(work: () => void): void {
    if (this.closed) return;
    if (this.frozen) this.waiting.push(work);
    else queueMicrotask(() => !this.closed && work());
  }

  freeze(): void {
    this.frozen = true;
  }

  thaw(): void {
    this.frozen = false;
    for (const work of this.waiting.splice(0)) this.deliver(work);
  }

  close(): void {
    this.closed = true;
  }
}

interface LockRequest {
  owner: string;
  page: Page;
  name: string;
  callback: LockGrantedCallback<unknown>;
  resolve: (value: unknown) => void;
  reject: (cause: unknown) => void;
}

/** The Web Locks of one origin. */
export class FakeLocks {
  private readonly held = new Map<string, LockRequest>();
  private queue: LockRequest[] = [];

  /** The lock manager of a tab; `denied` refuses as a browser with blocked storage does. */
  of(owner: string, page = new Page(), denied = false): LockManager {
    const request = (
      name: string,
      ...rest: [LockOptions, LockGrantedCallback<unknown>] | [LockGrantedCallback<unknown>]
    ) => {
      const callback = rest[rest.length - 1] as LockGrantedCallback<unknown>;
      const options = rest.length === 2 ? rest[0] : {};
      if (denied) return Promise.reject(new DOMException("denied", "SecurityError"));
      return new Promise((resolve, reject) => {
        const wanted: LockRequest = { owner, page, name, callback, resolve, reject };
        if (options.steal) this.steal(wanted);
        else this.queue.push(wanted);
        this.grant(name);
      });
    };
    const query = (): Promise<LockManagerSnapshot> =>
      Promise.resolve({
        held: [...this.held.values()].map(({ name, owner }) => ({ name, clientId: owner, mode: "exclusive" })),
      });
    return { request: request as LockManager["request"], query };
  }

  holder(name: string): string | undefined {
    return this.held.get(name)?.owner;
  }

  /** The browser releases what a tab held, and drops what it waited for. */
  release(owner: string): void {
    this.queue = this.queue.filter((request) => request.owner !== owner);
    for (const [name, request] of [...this.held]) {
      if (request.owner !== owner) continue;
      this.held.delete(name);
      this.grant(name);
    }
  }

  private steal(request: LockRequest): void {
    const robbed = this.held.get(request.name);
    this.held.delete(request.name);
    robbed?.page.deliver(() => robbed.reject(new DOMException("stolen", "AbortError")));
    this.queue.unshift(request);
  }

  private grant(name: string): void {
    if (this.held.has(name)) return;
    const next = this.queue.find((request) => request.name === name);
    if (!next) return;
    this.queue = this.queue.filter((request) => request !== next);
    this.held.set(name, next);
    next.page.deliver(() => {
      void Promise.resolve(next.callback({ name, mode: "exclusive" })).then((value) => {
        if (this.held.get(name) === next) this.held.delete(name);
        next.resolve(value);
        this.grant(name);
      });
    });
  }
}

/** Timers that run when a test moves the clock. */
class FakeClock implements Timers {
  private now = 0;
  private last = 0;
  private readonly due = new Map<number, { at: number; page: Page; callback: () => void }>();

  of(page: Page): Timers {
    return { set: (callback, ms) => this.schedule(page, callback, ms), clear: (timer) => this.clear(timer) };
  }

  set(callback: () => void, ms: number): number {
    return this.schedule(new Page(), callback, ms);
  }

  clear(timer: number): void {
    this.due.delete(timer);
  }

  async advance(ms: number): Promise<void> {
    const end = this.now + ms;
    for (;;) {
      await settle();
      const next = [...this.due].filter(([, { at }]) => at <= end).sort(([, one], [, other]) => one.at - other.at)[0];
      if (!next) break;
      const [timer, { at, page, callback }] = next;
      this.now = at;
      this.due.delete(timer);
      page.deliver(callback);
    }
    this.now = end;
  }

  private schedule(page: Page, callback: () => void, ms: number): number {
    this.last += 1;
    this.due.set(this.last, { at: this.now + ms, page, callback });
    return this.last;
  }
}

/** A worker's host: tests see its calls, and decide what they give. */
class FakeHost implements Host {
  readonly calls: [keyof Methods, ...unknown[]][] = [];
  ended = false;
  /** What `start` gives. */
  state: StartState = { kind: "ready", user: "li", role: "collector" };
  /** What calls give; a promise that never resolves is a call without an answer. */
  readonly answers: Partial<Record<keyof Methods, unknown>> = {};

  constructor(readonly context: HostContext) {}

  start(): Promise<StartState> {
    return Promise.resolve(this.state);
  }

  async run<M extends keyof Methods>(method: M, args: unknown[]): Promise<Result<M>> {
    this.calls.push([method, ...args]);
    const answer = await this.answers[method];
    if (answer instanceof Error) throw answer;
    return answer as Result<M>;
  }

  end(): void {
    this.ended = true;
  }

  /** How often a method was called. */
  count(method: keyof Methods): number {
    return this.calls.filter(([called]) => called === method).length;
  }
}

export interface FakeTab {
  id: string;
  router: Router;
  /** Events that its pages were told, in order. */
  events: CoreEvent[];
  /** The host that it started last. */
  host(): FakeHost;
  leads(): boolean;
  close(): void;
  freeze(): void;
  thaw(): void;
}

/** The tabs of one browser over one store. */
export class FakeBrowser {
  readonly locks = new FakeLocks();
  readonly clock = new FakeClock();
  /** Set on every host before it starts. */
  prepare: (host: FakeHost) => void = () => undefined;
  private readonly members = new Map<string, { page: Page; channel: Channel }>();

  async open(id: string, denied = false): Promise<FakeTab> {
    const page = new Page();
    const hosts: FakeHost[] = [];
    const channel: Channel = { onmessage: null, postMessage: (message) => this.post(id, message) };
    this.members.set(id, { page, channel });
    const router = new Router({
      store: "store",
      tab: id,
      channel,
      locks: this.locks.of(id, page, denied),
      timers: this.clock.of(page),
      startHost: (context) => {
        const host = new FakeHost(context);
        this.prepare(host);
        hosts.push(host);
        return host;
      },
    });
    const events: CoreEvent[] = [];
    router.subscribe((event) => events.push(event));
    await settle();
    const leave = (): void => {
      page.close();
      this.members.delete(id);
      this.locks.release(id);
    };
    return {
      id,
      router,
      events,
      host: () => hosts[hosts.length - 1] as FakeHost,
      leads: () => this.locks.holder("store-store") === id,
      close: leave,
      freeze: () => page.freeze(),
      thaw: () => page.thaw(),
    };
  }

  private post(from: string, message: Message): void {
    for (const [id, { page, channel }] of this.members) {
      if (id === from) continue;
      const data = structuredClone(message);
      page.deliver(() => channel.onmessage?.({ data } as MessageEvent<Message>));
    }
  }
}

export const pass = (text: string): UnlockPass => {
  const bytes = new TextEncoder().encode(text);
  return { lock: bytes, key: {} as CryptoKey, salt: bytes, wrapped: bytes };
};
