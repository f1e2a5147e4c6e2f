/**
 * Routes calls to the worker of the leading tab, and its events to the pages of all tabs.
 *
 * The leading tab has the one workspace, the one writer of the store and the link to the office;
 * the other tabs call it over a BroadcastChannel. A leader that lost the lock without noticing may
 * still try to write: the store refuses that (`DeviceStore.write`).
 */
import { ClientError, type CoreEvent, type StartState } from "../api";
import type { UnlockPass } from "../store/pinLock";
import type { Methods } from "../worker/worker";
import { Election } from "./election";
import { OpenRecords } from "./openRecords";
import { OPERATIONS, type Result } from "./operations";
import { announceTab, onTabGone } from "./presence";
import type { Answer, Call, Message } from "./protocol";

/** How long a leader may take to answer a ping; it does so at once, however busy its worker is. */
export const PING_TIMEOUT_MS = 4_000;

/** The part of a BroadcastChannel that the router uses. */
export interface Channel {
  postMessage(message: Message): void;
  onmessage: ((event: MessageEvent<Message>) => void) | null;
}

/** One worker after another over one store: `WorkerHost`. */
export interface Host {
  /** Opens the store; resolves when the worker takes calls. */
  start(): Promise<StartState>;
  run<M extends keyof Methods>(method: M, args: unknown[]): Promise<Result<M>>;
  end(): void;
}

/** What a host needs of its tab. */
export interface HostContext {
  emit(event: CoreEvent): void;
  /** Opens in a new worker the records that pages show. */
  reopen(open: (id: string) => Promise<unknown>): Promise<void>;
  /** What unlocks a new worker while the app is unlocked. */
  pass(): UnlockPass | null;
  setPass(pass: UnlockPass | null): void;
  /** A tab that does not lead any more starts no worker. */
  isLeader(): Promise<boolean>;
}

export interface Timers {
  set(callback: () => void, ms: number): number;
  clear(timer: number): void;
}

interface RouterParts {
  store: string;
  /** Random id of this tab. */
  tab: string;
  channel: Channel;
  locks: LockManager;
  timers: Timers;
  startHost(context: HostContext): Host;
}

type Role =
  /** `leader` is unknown until a tab says that it leads. */
  | { kind: "follower"; leader: string | undefined }
  /** `ready` once the worker has opened the store. */
  | { kind: "leader"; host: Host; ready: boolean }
  /** The browser stores nothing for this page, and its tabs share nothing. */
  | { kind: "denied" };

/** A call of this tab that is not answered. */
interface PendingCall {
  method: keyof Methods;
  args: unknown[];
  /** The leader that it was sent to last. */
  sentTo?: string;
  resolve: (value: never) => void;
  reject: (error: ClientError) => void;
}

export class Router {
  private role: Role = { kind: "follower", leader: undefined };
  private readonly tab: string;
  private readonly election: Election;
  private readonly listeners = new Set<(event: CoreEvent) => void>();
  private readonly openRecords = new OpenRecords();
  private readonly pending = new Map<number, PendingCall>();
  private lastCall = 0;
  private pingTimer: number | undefined;
  /** Unlocks a worker of this tab if it becomes leader while the app is unlocked. */
  private pass: UnlockPass | null = null;

  constructor(private readonly parts: RouterParts) {
    this.tab = parts.tab;
    this.election = new Election(parts.locks, parts.store, parts.tab, {
      elected: () => this.lead(),
      deposed: () => this.follow(),
      denied: () => this.deny(),
    });
    announceTab(parts.locks, this.tab);
    parts.channel.onmessage = ({ data }) => this.receive(data);
    this.election.join();
    this.post({ kind: "who", tab: this.tab });
  }

  /** Carries a call out in the leader's worker. Rejects with a `ClientError`. */
  async run<M extends keyof Methods>(method: M, args: Parameters<Methods[M]>): Promise<Result<M>> {
    const { role } = this;
    if (role.kind === "denied") throw new ClientError("storage_barred");
    if (role.kind === "leader" && role.ready) return (await this.execute(this.tab, method, args)) as Result<M>;
    return new Promise<Result<M>>((resolve, reject) => {
      this.lastCall += 1;
      this.pending.set(this.lastCall, { method, args, resolve, reject });
      this.send(this.lastCall);
    });
  }

  subscribe(listener: (event: CoreEvent) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Tells the pages of all tabs, `except` one. */
  broadcast(event: CoreEvent, except?: string): void {
    this.post({ kind: "event", event, but: except });
    if (except !== this.tab) this.emit(event);
  }

  /** Tells the pages of this tab. */
  private emit(event: CoreEvent): void {
    for (const listener of this.listeners) listener(event);
  }

  private post(message: Message): void {
    this.parts.channel.postMessage(message);
  }

  private receive(message: Message): void {
    const { role } = this;
    switch (message.kind) {
      case "who":
        if (role.kind === "leader" && role.ready) this.announce();
        return;
      case "lead":
        if (role.kind === "leader") return;
        this.pass = message.pass;
        if (role.kind === "follower") this.heardFrom(message.tab, role.leader);
        return;
      case "pass":
        if (role.kind !== "leader") this.pass = message.pass;
        return;
      case "call":
        if (role.kind === "leader" && role.ready) void this.serve(message);
        return;
      case "answer":
        if (message.to === this.tab) this.complete(message);
        return;
      case "event":
        // A leader's own worker tells its pages; that the app is being locked comes from any tab.
        if (message.but === this.tab) return;
        if (role.kind !== "leader" || message.event.type === "locking") this.emit(message.event);
        return;
    }
  }

  // -- Changes of role

  private lead(): void {
    this.stopPings();
    const succeeds = this.role.kind === "follower" && this.role.leader !== undefined;
    const host = this.parts.startHost({
      emit: (event) => this.broadcast(event),
      reopen: (open) => this.reopen(open),
      pass: () => this.pass,
      setPass: (pass) => {
        this.pass = pass;
        this.post({ kind: "pass", pass });
      },
      isLeader: () => this.election.isLeader(),
    });
    const role = { kind: "leader" as const, host, ready: false };
    this.role = role;
    void host
      .start()
      .catch(() => undefined)
      .then(async (state) => {
        await this.reopen((id) => host.run("open", [id]));
        if (this.role !== role) return;
        role.ready = true;
        this.announce();
        // Pages may believe that the app is unlocked.
        if (state?.kind === "locked" || (state?.kind === "failed" && succeeds)) {
          this.broadcast({ type: "session", state });
        }
        this.resend();
        this.broadcast({ type: "list" });
        this.refreshPages(succeeds);
      });
  }

  /** Another tab stole the lock: the worker of this one must end at once. */
  private follow(): void {
    if (this.role.kind === "leader") this.role.host.end();
    this.role = { kind: "follower", leader: undefined };
    this.openRecords.retain(this.tab);
    this.election.join();
    this.post({ kind: "who", tab: this.tab });
  }

  private deny(): void {
    this.role = { kind: "denied" };
    for (const { reject } of this.pending.values()) reject(new ClientError("storage_barred"));
    this.pending.clear();
  }

  private announce(): void {
    this.post({ kind: "lead", tab: this.tab, pass: this.pass });
  }

  /** A leader has announced itself, to say that it is new or to answer a ping. */
  private heardFrom(leader: string, known: string | undefined): void {
    if (leader === known) {
      this.watchLeader();
      return;
    }
    this.role = { kind: "follower", leader };
    for (const id of this.openRecords.pagesOf(this.tab)) {
      this.lastCall += 1;
      this.post({ kind: "call", tab: this.tab, call: this.lastCall, method: "open", args: [id] });
    }
    this.resend();
    this.emit({ type: "list" });
    this.refreshPages(known !== undefined);
  }

  /** Has pages read again what they show: events between two leaders, or while this tab was frozen, were lost. */
  private refreshPages(succeeds: boolean): void {
    // A new worker has no unsaved edits; pages keep track of their own.
    if (succeeds) this.emit({ type: "save", save: { state: "saved" } });
    for (const id of this.openRecords.recordsOf(this.tab)) this.emit({ type: "record", id });
  }

  private async reopen(open: (id: string) => Promise<unknown>): Promise<void> {
    for (const id of this.openRecords.pages()) await open(id).catch(() => undefined);
  }

  // -- Calls of this tab

  private send(call: number): void {
    const pending = this.pending.get(call);
    if (pending && this.role.kind === "follower" && this.role.leader !== undefined) {
      pending.sentTo = this.role.leader;
      this.post({ kind: "call", tab: this.tab, call, method: pending.method, args: pending.args });
    }
    this.watchLeader();
  }

  /** Delivers to a new leader the calls that the last one did not answer, unless they are `once` calls. */
  private resend(): void {
    const leads = this.role.kind === "leader";
    for (const [call, pending] of [...this.pending]) {
      if (pending.sentTo !== undefined && OPERATIONS[pending.method].delivery === "once") {
        this.pending.delete(call);
        pending.reject(new ClientError("restarted"));
      } else if (leads) {
        this.pending.delete(call);
        this.execute(this.tab, pending.method, pending.args).then(
          (value) => pending.resolve(value as never),
          (cause: unknown) => pending.reject(toClientError(cause)),
        );
      } else {
        this.send(call);
      }
    }
  }

  private complete({ call, value, refusal }: Answer): void {
    const pending = this.pending.get(call);
    if (!pending) return;
    this.pending.delete(call);
    this.watchLeader();
    if (refusal) {
      pending.reject(new ClientError(refusal.code, refusal.path, refusal.message));
    } else {
      this.track(this.tab, pending.method, pending.args);
      pending.resolve(value as never);
    }
  }

  /** Pings the leader while calls are pending, and steals the lock of one that does not answer. */
  private watchLeader(): void {
    this.stopPings();
    if (this.role.kind === "leader" || this.pending.size === 0) return;
    const { timers } = this.parts;
    this.pingTimer = timers.set(() => {
      this.post({ kind: "who", tab: this.tab });
      this.pingTimer = timers.set(() => this.election.steal(), PING_TIMEOUT_MS);
    }, PING_TIMEOUT_MS);
  }

  private stopPings(): void {
    if (this.pingTimer !== undefined) this.parts.timers.clear(this.pingTimer);
    this.pingTimer = undefined;
  }

  // -- The leader's side

  private async serve({ tab, call, method, args }: Call): Promise<void> {
    this.watchTab(tab);
    try {
      const value = await this.execute(tab, method, args);
      this.post({ kind: "answer", to: tab, call, value });
    } catch (cause) {
      const { code, path, message } = toClientError(cause);
      this.post({ kind: "answer", to: tab, call, refusal: { code, path, message } });
    }
  }

  /** Carries out a call of any tab, and tells the other tabs what it changed. */
  private async execute(tab: string, method: keyof Methods, args: unknown[]): Promise<unknown> {
    if (this.role.kind !== "leader") throw new ClientError("restarted");
    const value = await this.role.host.run(method, args);
    this.track(tab, method, args);
    switch (OPERATIONS[method].changes) {
      case "record":
        this.broadcast({ type: "record", id: args[0] as string }, tab);
        break;
      case "session":
        this.broadcast({ type: "session", state: value as StartState }, tab);
        break;
      case undefined:
        break;
    }
    return value;
  }

  private track(tab: string, method: keyof Methods, args: unknown[]): void {
    const { pages } = OPERATIONS[method];
    if (pages) this.openRecords.change(tab, args[0] as string, pages);
  }

  /** Closes what a tab had open once the tab is gone. */
  private watchTab(tab: string): void {
    if (!this.openRecords.add(tab)) return;
    onTabGone(this.parts.locks, tab, () => {
      const { role } = this;
      for (const id of this.openRecords.remove(tab)) {
        if (role.kind === "leader") void role.host.run("close", [id]).catch(() => undefined);
      }
    });
  }
}

function toClientError(cause: unknown): ClientError {
  return cause instanceof ClientError ? cause : new ClientError("failed");
}
