/** The leading tab's side of the core: keeps a worker alive and speaks with it. */
import * as Comlink from "comlink";
import { ClientError, type CoreEvent } from "../api";
import type { Pass } from "../store/pinLock";
import type { WorkerEvent } from "../worker/messages";
import type { Methods, Remote } from "../worker/worker";

export type Result<M extends keyof Methods> = Awaited<ReturnType<Methods[M]>>;

/** Backoff between attempts to open a store. */
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 30_000;
/** Reasons for a store not to open that may pass by themselves. */
const PASSING = ["storage_full", "storage_failed", "storage_blocked", "restarted", "failed"];

/** One worker after another over one store. */
export class Engine {
  private worker!: Worker;
  private remote!: Comlink.Remote<Remote>;
  private ready: Promise<void>;
  private fallen!: (cause: ClientError) => void;
  /** Rejects when the worker is gone: it answers nothing any more. */
  private gone!: Promise<never>;
  private alive = false;

  constructor(
    private readonly store: string,
    private readonly tell: (event: CoreEvent) => void,
    /** A new worker has started: opens in it what was open. */
    private readonly reopen: (open: (id: string) => Promise<unknown>) => Promise<void>,
    /** What lets a new worker in while the app is unlocked. */
    private readonly pass: () => Pass | null,
    private readonly passed: (pass: Pass | null) => void,
    /** Whether this tab still leads: where it does not, it starts no worker any more. */
    private readonly leads: () => Promise<boolean>,
  ) {
    this.ready = this.spawn();
  }

  async run<M extends keyof Methods>(method: M, args: unknown[]): Promise<Result<M>> {
    await this.ready;
    return this.call(method, args);
  }

  private async call<M extends keyof Methods>(method: M, args: unknown[]): Promise<Result<M>> {
    const { remote } = this;
    const { value, refusal, poisoned } = await Promise.race([remote.run(method, args), this.gone]);
    // The event that says so has a channel of its own and may come later: whoever is told of the
    // failure and asks again must reach the next worker.
    if (poisoned && remote === this.remote) this.replace();
    if (refusal) throw new ClientError(refusal.code, refusal.path, refusal.message);
    return value as Result<M>;
  }

  /** Opens the store, and goes on unlocked where the app is. */
  async start(): Promise<Result<"start">> {
    await this.ready;
    return this.unlocked();
  }

  /**
   * Starts the worker, unlocked where there is a pass. Pages then hold unsaved text, so a store that
   * can't be opened, such as on a full phone, is retried, and the pages say that nothing is saved.
   */
  private async unlocked(): Promise<Result<"start">> {
    for (let wait = FIRST_RETRY_MS; ; wait = Math.min(wait * 2, LONGEST_RETRY_MS)) {
      const pass = this.pass();
      const state = await this.call("start", [pass]);
      if (!pass || state.kind !== "failed" || !PASSING.includes(state.code)) return state;
      this.tell({ type: "save", save: { state: "failed", reason: state.code } });
      await Promise.race([new Promise((done) => setTimeout(done, wait)), this.gone]);
    }
  }

  /** Ends the worker in the midst of whatever it does; what was not durable is lost with it. */
  end(): void {
    this.alive = false;
    this.worker.terminate();
    this.fallen(new ClientError("restarted"));
  }

  private async spawn(): Promise<void> {
    this.gone = new Promise((_, reject) => (this.fallen = reject));
    this.gone.catch(() => undefined);
    this.worker = new Worker(new URL("../worker/worker.ts", import.meta.url), { type: "module", name: this.store });
    this.remote = Comlink.wrap<Remote>(this.worker);
    this.alive = true;
    const { worker } = this;
    const hear = (event: WorkerEvent): void => {
      // Messages of a terminated worker may still arrive.
      if (this.alive && worker === this.worker) this.hear(event);
    };
    await Promise.race([this.remote.subscribe(Comlink.proxy(hear)), this.gone]);
  }

  private hear(event: WorkerEvent): void {
    if (event.type === "poisoned") this.replace();
    else if (event.type === "pass") this.passed(event.pass);
    else this.tell(event);
  }

  /** Replaces a poisoned worker, once. */
  private replace(): void {
    if (this.alive) void this.restart().catch(() => undefined);
  }

  /** A trap poisons a wasm instance: a new worker starts from what is stored. */
  private async restart(): Promise<void> {
    this.end();
    // Calls wait until the store and the records that pages show are open: a text is compared with
    // its record before it is saved again.
    const started = this.leads().then(async (leads) => {
      // Another tab leads; this one is about to be told.
      if (!leads) throw new ClientError("restarted");
      await this.spawn();
      const state = await this.unlocked();
      await this.reopen((id) => this.call("open", [id]));
      return state;
    });
    this.ready = started.then(() => undefined);
    this.ready.catch(() => undefined);
    const state = await started;
    // Pages track their own unsaved text.
    this.tell({ type: "save", save: { state: "saved" } });
    if (state.kind !== "ready") this.tell({ type: "session", state });
    this.tell({ type: "restarted" });
  }
}
