/**
 * Drives one wasm workspace: performs its outputs in order and reports each result to it.
 *
 * A trap in the wasm poisons the instance. So does another worker that took over the store, since
 * it has not read this one's unsaved edits. A poisoned instance is neither called nor saved: pending
 * saves fail, and a new instance starts from the store.
 */
import type { CoreError, Output, Workspace } from "../../wasm/doorstep";
import { ClientError, type CoreEvent } from "../api";
import { OfficeError, type Office } from "./office";
import { StorageError } from "../store/database";
import type { DeviceStore } from "../store/deviceStore";

/** Rows that are read at a time: few enough that a reply which arrives meanwhile does not wait. */
const ROWS = 256;

/** An edit that is not durable yet. */
interface PendingSave {
  ticket: number;
  resolve: () => void;
  reject: (error: ClientError) => void;
}

export class Driver {
  private running = false;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private pendingSaves: PendingSave[] = [];
  /** Callbacks by the record whose load they wait for. */
  private loading = new Map<string, (() => void)[]>();
  private stopped = false;
  /** Sends nothing while the app is locked. */
  private paused = false;
  /** A round that came up while paused. */
  private pausedRound: number | undefined;
  private onFlushed: (() => void) | undefined;
  private onComplete!: () => void;
  /** Resolves when the rows of all records have been read, or the driver was stopped before. */
  readonly complete = new Promise<void>((resolve) => (this.onComplete = resolve));

  constructor(
    private readonly workspace: Workspace,
    private readonly store: DeviceStore,
    /** Null in practice mode: nothing is ever sent. */
    private readonly office: Office | null,
    private readonly emit: (event: CoreEvent) => void,
    private readonly poison: (cause: unknown) => void,
    /** Erases the store, with the reason; this driver is stopped by then. */
    private readonly erase: (reason: string) => Promise<void>,
  ) {}

  /** Calls the workspace, then performs its outputs. Rejected calls throw a `ClientError`. */
  call<T>(work: (workspace: Workspace) => T): T {
    if (this.stopped) throw new ClientError("restarted");
    let result: T;
    try {
      result = work(this.workspace);
    } catch (cause) {
      throw this.toClientError(cause);
    }
    void this.drain();
    return result;
  }

  /** Resolves when the edit with this ticket is durable. */
  durable(ticket: number): Promise<void> {
    this.emit({ type: "save", save: { state: "saving" } });
    return new Promise((resolve, reject) => this.pendingSaves.push({ ticket, resolve, reject }));
  }

  /** Resolves when the load of a record has been answered. */
  loaded(record: string): Promise<void> {
    return new Promise((resolve) => {
      this.loading.set(record, [...(this.loading.get(record) ?? []), resolve]);
    });
  }

  /** Pauses sending; resolves when all edits are on disk. */
  flush(): Promise<void> {
    this.paused = true;
    if (this.stopped) return Promise.resolve();
    return new Promise((resolve) => {
      this.onFlushed = resolve;
      this.checkFlushed();
    });
  }

  /** Sends again after `flush`. */
  resume(): void {
    this.paused = false;
    this.onFlushed = undefined;
    const round = this.pausedRound;
    this.pausedRound = undefined;
    if (round !== undefined) this.report((workspace) => workspace.requestFailed(round, "offline", Date.now(), 0));
    this.report((workspace) => workspace.syncNow(Date.now()));
  }

  private checkFlushed(): void {
    if (!this.onFlushed || this.running || this.stopped || !this.workspace.isDurable()) return;
    this.onFlushed();
    this.onFlushed = undefined;
  }

  /** Stops, and frees the memory of the workspace. */
  free(): void {
    this.stop();
    this.workspace.free();
  }

  get isStopped(): boolean {
    return this.stopped;
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
    this.onFlushed?.();
    this.onFlushed = undefined;
    this.onComplete();
    for (const { reject } of this.pendingSaves.splice(0)) reject(new ClientError("restarted"));
  }

  private async drain(): Promise<void> {
    if (this.running) return;
    this.running = true;
    try {
      for (let output = this.poll(); output; output = this.poll()) await this.perform(output);
    } catch (cause) {
      this.fail(cause);
    } finally {
      this.running = false;
    }
    this.checkFlushed();
  }

  private poll(): Output | null {
    return this.stopped ? null : this.workspace.poll();
  }

  private async perform(output: Output): Promise<void> {
    const { workspace } = this;
    switch (output.type) {
      case "persist":
        try {
          await this.store.write(output.writes);
        } catch (cause) {
          const reason = cause instanceof StorageError ? cause.code : "storage_failed";
          if (reason === "taken_over") throw cause;
          this.reportInQueue(() => workspace.persistFailed(output.batch, reason, Date.now()));
          return;
        }
        this.reportInQueue(() => workspace.persisted(output.batch, Date.now()));
        return;
      case "read_records": {
        const rows = await this.store.page("records", output.after, ROWS);
        this.reportInQueue(() => workspace.recordsRead(rows, Date.now()));
        if (rows.length === 0) this.onComplete();
        return;
      }
      case "load": {
        const { row, chunks } = await this.store.record(output.record);
        this.reportInQueue(() => workspace.loaded(output.record, row, chunks, Date.now()));
        for (const resolve of this.loading.get(output.record) ?? []) resolve();
        this.loading.delete(output.record);
        return;
      }
      case "send":
        if (this.paused) {
          this.pausedRound = output.round;
          return;
        }
        // Not awaited: a slow link must not delay saves.
        void this.send(output.round, output.body);
        return;
      case "wake_at":
        this.wakeAt(output.at);
        return;
      case "resume":
        await nextTask();
        this.reportInQueue(() => workspace.resume(Date.now()));
        return;
      case "saved":
        this.saved(output.ticket);
        return;
      case "save_failed":
        this.emit({ type: "save", save: { state: "failed", reason: output.reason } });
        return;
      case "record_changed":
        this.emit({ type: "record", id: output.record });
        return;
      case "erase":
        this.stop();
        await this.erase(output.reason).catch((cause: unknown) => this.poison(cause));
        return;
      case "list_changed":
        this.emit({ type: "list" });
        return;
      case "status_changed":
        this.emit({ type: "status", status: workspace.status() });
        return;
    }
  }

  /** Reports a result from within `drain`, which polls the next output itself. */
  private reportInQueue(work: () => void): void {
    if (!this.stopped) work();
  }

  private async send(round: number, body: Uint8Array): Promise<void> {
    if (!this.office) return;
    let reply: Uint8Array;
    try {
      reply = await this.office.sync(body);
    } catch (cause) {
      const reason = cause instanceof OfficeError ? cause.code : "offline";
      if (cause instanceof OfficeError && cause.needsSignIn) this.emit({ type: "signed_out" });
      const random = crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
      const wait = cause instanceof OfficeError ? cause.waitMs : undefined;
      if (wait === undefined) this.report((workspace) => workspace.requestFailed(round, reason, Date.now(), random));
      else this.report((workspace) => workspace.defer(round, wait, Date.now(), random));
      return;
    }
    this.report((workspace) => workspace.replied(round, reply, Date.now()));
  }

  private wakeAt(at: number): void {
    clearTimeout(this.timer);
    const wait = Math.min(Math.max(at - Date.now(), 0), 2 ** 31 - 1);
    this.timer = setTimeout(() => this.report((workspace) => workspace.wake(Date.now())), wait);
  }

  /** Reports a result from a timer or the network, where no caller would catch an error. */
  report(work: (workspace: Workspace) => void): void {
    if (this.stopped) return;
    try {
      work(this.workspace);
    } catch (cause) {
      this.fail(cause);
      return;
    }
    void this.drain();
  }

  private saved(ticket: number): void {
    const durable = this.pendingSaves.filter((save) => save.ticket <= ticket);
    this.pendingSaves = this.pendingSaves.filter((save) => save.ticket > ticket);
    for (const { resolve } of durable) resolve();
    if (this.pendingSaves.length === 0) this.emit({ type: "save", save: { state: "saved" } });
    this.emit({ type: "status", status: this.workspace.status() });
  }

  /** Anything that the workspace throws, except a refusal with a code, is a trap. */
  private toClientError(cause: unknown): ClientError {
    if (cause instanceof ClientError) return cause;
    if (isCoreError(cause)) return new ClientError(cause.code, cause.path, cause.message);
    this.fail(cause);
    return new ClientError("restarted");
  }

  private fail(cause: unknown): void {
    if (this.stopped) return;
    this.stop();
    this.poison(cause);
  }
}

/** Resolves once the calls that wait have been served. A timer would wait for milliseconds. */
function nextTask(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}

function isCoreError(cause: unknown): cause is CoreError {
  return typeof cause === "object" && cause !== null && "code" in cause && "path" in cause;
}
