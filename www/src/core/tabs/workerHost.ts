/** The leading tab's side of the core: keeps a worker alive and calls it. */
import * as Comlink from "comlink";
import { ClientError, type CoreEvent } from "../api";
import type { WorkerEvent } from "../worker/messages";
import type { Methods, Remote, RunResult } from "../worker/worker";
import type { Result } from "./operations";
import type { Host, HostContext } from "./router";

/** Backoff between attempts to open a store. */
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 30_000;
/** Reasons for a store not to open that may pass by themselves. */
const TRANSIENT = ["storage_full", "storage_failed", "storage_blocked", "restarted", "failed"];

/** A worker as the host sees it. */
interface WorkerHandle {
  subscribe(listener: (event: WorkerEvent) => void): Promise<void>;
  run(method: keyof Methods, args: unknown[]): Promise<RunResult>;
  terminate(): void;
}

export function spawnWorker(store: string): WorkerHandle {
  const worker = new Worker(new URL("../worker/worker.ts", import.meta.url), { type: "module", name: store });
  const remote = Comlink.wrap<Remote>(worker);
  return {
    subscribe: (listener) => remote.subscribe(Comlink.proxy(listener)),
    run: (method, args) => remote.run(method, args),
    terminate: () => worker.terminate(),
  };
}

/** One worker after another over one store. */
export class WorkerHost implements Host {
  private worker!: WorkerHandle;
  private ready: Promise<void>;
  /** Rejects when the worker is terminated: its calls are not answered any more. */
  private terminated!: Promise<never>;
  private rejectCalls!: (cause: ClientError) => void;
  private alive = false;

  constructor(
    private readonly spawn: () => WorkerHandle,
    private readonly context: HostContext,
  ) {
    this.ready = this.connect();
  }

  async run<M extends keyof Methods>(method: M, args: unknown[]): Promise<Result<M>> {
    await this.ready;
    return this.call(method, args);
  }

  private async call<M extends keyof Methods>(method: M, args: unknown[]): Promise<Result<M>> {
    const { worker } = this;
    const { value, refusal, poisoned } = await Promise.race([worker.run(method, args), this.terminated]);
    // The `poisoned` event may come later than this answer. A page that is told of the failure and
    // calls again must reach the next worker.
    if (poisoned && worker === this.worker) this.replace();
    if (refusal) throw new ClientError(refusal.code, refusal.path, refusal.message);
    return value as Result<M>;
  }

  /** Opens the store; the worker starts unlocked if the app is. */
  async start(): Promise<Result<"start">> {
    await this.ready;
    return this.openStore();
  }

  /**
   * While the app is unlocked, pages may hold unsaved text: a store that can't be opened, such as
   * on a full phone, is retried, and the pages say that nothing is saved.
   */
  private async openStore(): Promise<Result<"start">> {
    for (let wait = FIRST_RETRY_MS; ; wait = Math.min(wait * 2, LONGEST_RETRY_MS)) {
      const pass = this.context.pass();
      const state = await this.call("start", [pass]);
      if (!pass || state.kind !== "failed" || !TRANSIENT.includes(state.code)) return state;
      this.emit({ type: "save", save: { state: "failed", reason: state.code } });
      await Promise.race([new Promise((done) => setTimeout(done, wait)), this.terminated]);
    }
  }

  /** Terminates the worker, whatever it is doing: what is not durable is lost. */
  end(): void {
    this.alive = false;
    this.worker.terminate();
    this.rejectCalls(new ClientError("restarted"));
  }

  private async connect(): Promise<void> {
    this.terminated = new Promise((_, reject) => (this.rejectCalls = reject));
    this.terminated.catch(() => undefined);
    const worker = this.spawn();
    this.worker = worker;
    this.alive = true;
    const listener = (event: WorkerEvent): void => {
      // Messages of a terminated worker may still arrive.
      if (this.alive && worker === this.worker) this.receive(event);
    };
    await Promise.race([worker.subscribe(listener), this.terminated]);
  }

  private receive(event: WorkerEvent): void {
    if (event.type === "poisoned") this.replace();
    else if (event.type === "pass") this.context.setPass(event.pass);
    else this.emit(event);
  }

  private emit(event: CoreEvent): void {
    this.context.emit(event);
  }

  /** Replaces a poisoned worker, once. */
  private replace(): void {
    if (this.alive) void this.restart().catch(() => undefined);
  }

  /** Starts a new worker from what is stored: a trap has poisoned the wasm instance of the last one. */
  private async restart(): Promise<void> {
    this.end();
    // Calls wait until the store and the records that pages show are open: a page compares its text
    // with the record before it saves the text again.
    const started = this.context.isLeader().then(async (isLeader) => {
      if (!isLeader) throw new ClientError("restarted");
      await this.connect();
      const state = await this.openStore();
      await this.context.reopen((id) => this.call("open", [id]));
      return state;
    });
    this.ready = started.then(() => undefined);
    this.ready.catch(() => undefined);
    const state = await started;
    // Pages keep track of their own unsaved text.
    this.emit({ type: "save", save: { state: "saved" } });
    if (state.kind !== "ready") this.emit({ type: "session", state });
    this.emit({ type: "restarted" });
  }
}
