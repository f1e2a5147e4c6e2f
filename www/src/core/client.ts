/** The page's side of the core: keeps a worker alive and speaks with it. */
import * as Comlink from "comlink";
import { ClientError, type Client, type CoreEvent, type StartState, type StorageState } from "./api";
import type { Methods, Remote, WorkerEvent } from "./worker";

type Result<M extends keyof Methods> = Awaited<ReturnType<Methods[M]>>;

class WorkerClient implements Client {
  private readonly listeners = new Set<(event: CoreEvent) => void>();
  private worker!: Worker;
  private remote!: Comlink.Remote<Remote>;
  private ready: Promise<void>;
  private askedToPersist = false;
  /** Records that pages look at, to be opened again in a new worker. */
  private readonly open_ = new Map<string, number>();

  constructor() {
    this.ready = this.spawn();
    // `online` is a hint, not a fact: a round tells.
    addEventListener("online", () => this.hint());
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") this.hint();
    });
  }

  start = (): Promise<StartState> => this.run("start");
  takeOver = (): Promise<StartState> => this.run("takeOver");
  signIn = (name: string, password: string): Promise<StartState> => this.run("signIn", name, password);
  signOut = (): Promise<void> => this.run("signOut");
  list = (): Promise<Result<"list">> => this.run("list");
  view = (id: string): Promise<Result<"view">> => this.run("view", id);
  history = (id: string): Promise<Result<"history">> => this.run("history", id);
  giveUpRefused = (id: string): Promise<Result<"giveUpRefused">> => this.run("giveUpRefused", id);
  syncNow = (): Promise<void> => this.run("syncNow");
  status = (): Promise<Result<"status">> => this.run("status");
  newId = (): Promise<string> => this.run("newId");

  open = async (id: string): Promise<Result<"open">> => {
    const view = await this.run("open", id);
    this.open_.set(id, (this.open_.get(id) ?? 0) + 1);
    return view;
  };

  close = async (id: string): Promise<void> => {
    const pages = (this.open_.get(id) ?? 1) - 1;
    if (pages > 0) this.open_.set(id, pages);
    else this.open_.delete(id);
    await this.run("close", id);
  };

  apply = async (id: string, command: Parameters<Methods["apply"]>[1]): Promise<Result<"apply">> => {
    if (!this.askedToPersist) {
      this.askedToPersist = true;
      // Not awaited: the answer is shown with the storage, it holds up nothing.
      void navigator.storage.persist().catch(() => false);
    }
    return this.run("apply", id, command);
  };

  storage = async (): Promise<StorageState> => {
    const [persisted, estimate] = await Promise.all([navigator.storage.persisted(), navigator.storage.estimate()]);
    return { persisted, usage: estimate.usage ?? 0, quota: estimate.quota ?? 0 };
  };

  subscribe = (listener: (event: CoreEvent) => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  private async spawn(): Promise<void> {
    this.worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
    this.remote = Comlink.wrap<Remote>(this.worker);
    await this.remote.subscribe(Comlink.proxy((event: WorkerEvent) => this.hear(event)));
  }

  private hear(event: WorkerEvent): void {
    if (event.type === "poisoned") void this.restart();
    else for (const listener of this.listeners) listener(event);
  }

  /** A trap poisons a wasm instance: a new worker starts from what is stored. */
  private async restart(): Promise<void> {
    this.worker.terminate();
    this.ready = this.spawn();
    await this.run("start");
    for (const id of this.open_.keys()) await this.run("open", id).catch(() => undefined);
    for (const listener of this.listeners) listener({ type: "restarted" });
  }

  private hint(): void {
    void this.run("syncNow").catch(() => undefined);
  }

  private async run<M extends keyof Methods>(method: M, ...args: Parameters<Methods[M]>): Promise<Result<M>> {
    await this.ready;
    const { value, refusal } = await this.remote.run(method, args);
    if (refusal) throw new ClientError(refusal.code, refusal.path, refusal.message);
    return value as Result<M>;
  }
}

/** Connects a page to its core. */
export function connect(): Client {
  return new WorkerClient();
}
