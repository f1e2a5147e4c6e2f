/** The leading tab's side of the core: keeps a worker alive and speaks with it. */
import * as Comlink from "comlink";
import { ClientError, type CoreEvent } from "./api";
import type { Pass } from "./lock";
import type { WorkerEvent } from "./messages";
import type { Methods, Remote } from "./worker";

export type Result<M extends keyof Methods> = Awaited<ReturnType<Methods[M]>>;

/** One worker after another over one store. */
export class Engine {
  private worker!: Worker;
  private remote!: Comlink.Remote<Remote>;
  private ready: Promise<void>;
  private fallen!: (cause: ClientError) => void;
  /** Rejects when the worker is gone: it answers nothing any more. */
  private gone!: Promise<never>;

  constructor(
    private readonly store: string,
    private readonly tell: (event: CoreEvent) => void,
    /** A new worker has started: what was open must be opened again. */
    private readonly renewed: () => Promise<void>,
    /** What lets a new worker in while the app is unlocked. */
    private readonly pass: () => Pass | null,
    private readonly passed: (pass: Pass | null) => void,
  ) {
    this.ready = this.spawn();
  }

  async run<M extends keyof Methods>(method: M, args: unknown[]): Promise<Result<M>> {
    await this.ready;
    return this.call(method, args);
  }

  private async call<M extends keyof Methods>(method: M, args: unknown[]): Promise<Result<M>> {
    const { value, refusal } = await Promise.race([this.remote.run(method, args), this.gone]);
    if (refusal) throw new ClientError(refusal.code, refusal.path, refusal.message);
    return value as Result<M>;
  }

  /** Opens the store, and goes on unlocked where the app is. */
  start(): Promise<Result<"start">> {
    return this.run("start", [this.pass()]);
  }

  /** Ends the worker in the midst of whatever it does; what was not durable is lost with it. */
  end(): void {
    this.worker.terminate();
    this.fallen(new ClientError("restarted"));
  }

  private async spawn(): Promise<void> {
    this.gone = new Promise((_, reject) => (this.fallen = reject));
    this.gone.catch(() => undefined);
    this.worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module", name: this.store });
    this.remote = Comlink.wrap<Remote>(this.worker);
    await this.remote.subscribe(Comlink.proxy((event: WorkerEvent) => this.hear(event)));
  }

  private hear(event: WorkerEvent): void {
    if (event.type === "poisoned") void this.restart();
    else if (event.type === "pass") this.passed(event.pass);
    else this.tell(event);
  }

  /** A trap poisons a wasm instance: a new worker starts from what is stored. */
  private async restart(): Promise<void> {
    this.end();
    // Whoever asks meanwhile waits until the store is open, and the app unlocked where it was.
    this.ready = this.spawn().then(async () => void (await this.call("start", [this.pass()])));
    await this.ready;
    await this.renewed();
    this.tell({ type: "restarted" });
  }
}
