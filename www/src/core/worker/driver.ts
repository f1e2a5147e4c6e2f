/**
 * Drives one wasm workspace: carries its outputs out in order and answers each.
 *
 * A trap in the wasm poisons the instance, and so does another worker that took over the store,
 * which has not read this one's unsaved edits. Nothing of a poisoned instance is used or saved,
 * pending saves fail, and a new instance starts from the store.
 */
import type { CoreError, Output, Workspace } from "../../wasm/doorstep";
import { ClientError, type CoreEvent } from "../api";
import { OfficeError, type Office } from "./office";
import { StorageError, type Storage } from "../store/deviceStore";

/** What was asked for and waits until it is durable. */
interface Waiting {
  ticket: number;
  resolve: () => void;
  reject: (error: ClientError) => void;
}

export class Driver {
  private running = false;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private waiting: Waiting[] = [];
  private opening = new Map<string, (() => void)[]>();
  private stopped = false;
  /** Locked: nothing is sent any more. */
  private hushed = false;
  private unanswered: number | undefined;
  private atRest: (() => void) | undefined;

  constructor(
    private readonly workspace: Workspace,
    private readonly storage: Storage,
    /** Null where there is none: then nothing is ever sent. */
    private readonly office: Office | null,
    private readonly tell: (event: CoreEvent) => void,
    private readonly poisoned: (cause: unknown) => void,
    /** Erases the store, and says why; nothing of this driver is used after. */
    private readonly erase: (reason: string) => Promise<void>,
  ) {}

  /** Calls into the workspace, then carries out what it asks for. */
  call<T>(work: (workspace: Workspace) => T): T {
    if (this.stopped) throw new ClientError("restarted");
    let result: T;
    try {
      result = work(this.workspace);
    } catch (cause) {
      throw this.named(cause);
    }
    void this.drain();
    return result;
  }

  /** Resolves when the edit with this ticket is durable. */
  durable(ticket: number): Promise<void> {
    this.tell({ type: "save", save: { state: "saving" } });
    return new Promise((resolve, reject) => this.waiting.push({ ticket, resolve, reject }));
  }

  /** Resolves when the load of a record has been answered. */
  opened(record: string): Promise<void> {
    return new Promise((resolve) => {
      this.opening.set(record, [...(this.opening.get(record) ?? []), resolve]);
    });
  }

  /** Sends nothing more; resolves when all that was typed is on disk. */
  settle(): Promise<void> {
    this.hushed = true;
    if (this.stopped) return Promise.resolve();
    return new Promise((resolve) => {
      this.atRest = resolve;
      this.rest();
    });
  }

  /** Goes on after all. */
  goOn(): void {
    this.hushed = false;
    this.atRest = undefined;
    const round = this.unanswered;
    this.unanswered = undefined;
    if (round !== undefined) this.later(() => this.workspace.requestFailed(round, "offline", Date.now(), 0));
    this.later(() => this.workspace.syncNow(Date.now()));
  }

  private rest(): void {
    if (!this.atRest || this.running || this.stopped || !this.workspace.isDurable()) return;
    this.atRest();
    this.atRest = undefined;
  }

  /** Ends for good; nothing of the workspace stays. */
  free(): void {
    this.stop();
    this.workspace.free();
  }

  /** Nothing can be asked of it any more. */
  get ended(): boolean {
    return this.stopped;
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
    this.atRest?.();
    this.atRest = undefined;
    for (const { reject } of this.waiting.splice(0)) reject(new ClientError("restarted"));
  }

  private async drain(): Promise<void> {
    if (this.running) return;
    this.running = true;
    try {
      for (let output = this.poll(); output; output = this.poll()) await this.carryOut(output);
    } catch (cause) {
      this.fail(cause);
    } finally {
      this.running = false;
    }
    this.rest();
  }

  private poll(): Output | null {
    return this.stopped ? null : this.workspace.poll();
  }

  private async carryOut(output: Output): Promise<void> {
    const { workspace } = this;
    switch (output.type) {
      case "persist":
        try {
          await this.storage.write(output.writes);
        } catch (cause) {
          const reason = cause instanceof StorageError ? cause.code : "storage_failed";
          if (reason === "taken_over") throw cause;
          this.answer(() => workspace.persistFailed(output.batch, reason, Date.now()));
          return;
        }
        this.answer(() => workspace.persisted(output.batch, Date.now()));
        return;
      case "load": {
        const rows = await this.storage.chunks(output.record);
        this.answer(() => workspace.loaded(output.record, rows, Date.now()));
        for (const resolve of this.opening.get(output.record) ?? []) resolve();
        this.opening.delete(output.record);
        return;
      }
      case "send":
        if (this.hushed) {
          this.unanswered = output.round;
          return;
        }
        // Not awaited: a slow link must not hold up what a person saves.
        void this.send(output.round, output.body);
        return;
      case "wake_at":
        this.wakeAt(output.at);
        return;
      case "saved":
        this.saved(output.ticket);
        return;
      case "save_failed":
        this.tell({ type: "save", save: { state: "failed", reason: output.reason } });
        return;
      case "record_changed":
        this.tell({ type: "record", id: output.record });
        return;
      case "erase":
        this.stop();
        await this.erase(output.reason).catch((cause: unknown) => this.poisoned(cause));
        return;
      case "list_changed":
        this.tell({ type: "list" });
        return;
      case "status_changed":
        this.tell({ type: "status", status: workspace.status() });
        return;
    }
  }

  /** Answers the workspace from within the queue: what it asks for next is polled by the queue. */
  private answer(work: () => void): void {
    if (!this.stopped) work();
  }

  private async send(round: number, body: Uint8Array): Promise<void> {
    if (!this.office) return;
    let reply: Uint8Array;
    try {
      reply = await this.office.sync(body);
    } catch (cause) {
      const reason = cause instanceof OfficeError ? cause.code : "offline";
      if (cause instanceof OfficeError && cause.needsSignIn) this.tell({ type: "signed_out" });
      const random = crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
      const wait = cause instanceof OfficeError ? cause.waitMs : undefined;
      if (wait === undefined) this.later(() => this.workspace.requestFailed(round, reason, Date.now(), random));
      else this.later(() => this.workspace.putOff(round, wait, Date.now(), random));
      return;
    }
    this.later(() => this.workspace.replied(round, reply, Date.now()));
  }

  private wakeAt(at: number): void {
    clearTimeout(this.timer);
    const wait = Math.min(Math.max(at - Date.now(), 0), 2 ** 31 - 1);
    this.timer = setTimeout(() => this.later(() => this.workspace.wake(Date.now())), wait);
  }

  /** From a timer or the network: nobody is there to catch what it throws. */
  private later(work: () => void): void {
    if (this.stopped) return;
    try {
      work();
    } catch (cause) {
      this.fail(cause);
      return;
    }
    void this.drain();
  }

  private saved(ticket: number): void {
    const durable = this.waiting.filter((waiting) => waiting.ticket <= ticket);
    this.waiting = this.waiting.filter((waiting) => waiting.ticket > ticket);
    for (const { resolve } of durable) resolve();
    if (this.waiting.length === 0) this.tell({ type: "save", save: { state: "saved" } });
    this.tell({ type: "status", status: this.workspace.status() });
  }

  /** Names what the workspace threw; anything but a named refusal is a trap. */
  private named(cause: unknown): ClientError {
    if (cause instanceof ClientError) return cause;
    if (isCoreError(cause)) return new ClientError(cause.code, cause.path, cause.message);
    this.fail(cause);
    return new ClientError("restarted");
  }

  private fail(cause: unknown): void {
    if (this.stopped) return;
    this.stop();
    this.poisoned(cause);
  }
}

function isCoreError(cause: unknown): cause is CoreError {
  return typeof cause === "object" && cause !== null && "code" in cause && "path" in cause;
}
