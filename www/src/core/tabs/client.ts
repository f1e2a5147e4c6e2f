/**
 * The page's side of the core.
 *
 * One tab leads: it holds a Web Lock, and its worker has the one workspace, the one writer of the
 * store and the link to the office. The other tabs ask it over a BroadcastChannel, and queue for
 * the lock: when the leader's tab ends, however it ends, the next one leads. A leader that gives
 * no sign of life, such as a page that the system froze, is robbed of the lock; what it may still
 * try to write is refused by the store (`Storage.write`).
 */
import {
  ClientError,
  type Client,
  type CoreEvent,
  type ListMark,
  type ListPage,
  type Reading,
  type StartState,
  type StorageState,
} from "../api";
import { Engine, type Result } from "./workerHost";
import type { Pass, Secret } from "../store/pinLock";
import type { Enrolled } from "../worker/office";
import type { Refusal } from "../worker/messages";
import type { NewAmendment } from "../../wasm/doorstep";
import type { Methods } from "../worker/worker";

/** A leader answers a ping at once, whatever its worker does. */
const PATIENCE_MS = 4_000;

type Message =
  | { kind: "who"; tab: string }
  | { kind: "lead"; tab: string; pass: Pass | null }
  | { kind: "pass"; pass: Pass | null }
  | { kind: "call"; tab: string; call: number; method: keyof Methods; args: unknown[] }
  | { kind: "answer"; to: string; call: number; value?: unknown; refusal?: Refusal }
  | { kind: "event"; event: CoreEvent; but?: string };

/** Asked of another tab and not answered. */
interface Asked {
  method: keyof Methods;
  args: unknown[];
  /** The leader that it was sent to. */
  sent?: string;
  resolve: (value: never) => void;
  reject: (error: ClientError) => void;
}

/** What may not be carried out twice. Anything else is asked of the next leader again. */
const ONCE = new Set<keyof Methods>([
  "apply",
  "sign",
  "signIn",
  "cameBack",
  "signOut",
  "choosePin",
  "unlock",
  "changePin",
  "settleRefused",
]);

/** What changes the session in every tab. */
const SESSION = new Set<keyof Methods>(["signIn", "cameBack", "signOut", "choosePin", "unlock", "lock", "forget"]);

/** Name of the lock that tells others that a tab lives. */
const life = (tab: string): string => `doorstep-tab-${tab}`;

/** How many tabs of the app live in this browser, this one among them. */
export async function livingTabs(): Promise<number> {
  const { held = [] } = await navigator.locks.query();
  return held.filter(({ name }) => name?.startsWith(life(""))).length;
}

class TabClient implements Client {
  private readonly tab = crypto.randomUUID();
  private readonly channel: BroadcastChannel;
  private readonly listeners = new Set<(event: CoreEvent) => void>();
  /** Where this tab leads. */
  private engine: Engine | undefined;
  /** Its worker has opened the store, and may be asked. */
  private leads = false;
  /** Where another one does. */
  private leader: string | undefined;
  private queued = false;
  private barred = false;
  private calls = 0;
  private readonly asked = new Map<number, Asked>();
  private alarm: ReturnType<typeof setTimeout> | undefined;
  private askedToPersist = false;
  /** Lets a worker of this tab in should it come to lead while the app is unlocked. */
  private pass: Pass | null = null;
  /** Records that each tab looks at, with the number of its pages that do. */
  private readonly opened = new Map<string, Map<string, number>>();

  /** Lock and channel bear the name of the store that they are about. */
  constructor(private readonly store: string) {
    this.channel = new BroadcastChannel(store);
    void navigator.locks.request(life(this.tab), () => new Promise<never>(() => undefined)).catch(() => undefined);
    this.channel.onmessage = ({ data }: MessageEvent<Message>) => this.hear(data);
    this.queue();
    this.post({ kind: "who", tab: this.tab });
    // `online` is a hint, not a fact: a round tells.
    addEventListener("online", () => this.hint());
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") this.hint();
    });
  }

  start = (): Promise<StartState> => this.run("start", null);
  signIn = (name: string, password: string): Promise<StartState> => this.run("signIn", name, password);
  cameBack = (): Promise<StartState> => this.run("cameBack");
  enrolled = (): Promise<Enrolled | undefined> => this.run("enrolled");
  signOut = (): Promise<void> => this.run("signOut");
  choosePin = (secret: string, kind: Secret): Promise<StartState> => this.run("choosePin", secret, kind);
  rescue = (): Promise<Uint8Array> => this.run("rescue");
  unlock = (secret: string): Promise<StartState> => this.run("unlock", secret);
  changePin = (...args: Parameters<Methods["changePin"]>): Promise<void> => this.run("changePin", ...args);
  rotation = (): Promise<Result<"rotation">> => this.run("rotation");
  list = (since: ListMark | null): Promise<ListPage> => this.run("list", since);
  pastWork = (): Promise<Result<"pastWork">> => this.run("pastWork");
  open = (id: string): Promise<Result<"open">> => this.run("open", id);
  view = (id: string): Promise<Result<"view">> => this.run("view", id);
  close = (id: string): Promise<void> => this.run("close", id);
  drafts = (id: string): Promise<Result<"drafts">> => this.run("drafts", id);
  sign = (id: string, reading: Reading): Promise<Result<"sign">> => this.run("sign", id, reading);
  conduct = (...args: Parameters<Client["conduct"]>): Promise<Result<"conduct">> => this.run("conduct", ...args);
  history = (id: string): Promise<Result<"history">> => this.run("history", id);
  refusedWork = (id: string): Promise<Result<"refusedWork">> => this.run("refusedWork", id);
  settleRefused = (id: string, units: string[], amendments: NewAmendment[]): Promise<Result<"settleRefused">> =>
    this.run("settleRefused", id, units, amendments);
  forget = (): Promise<StartState> => this.run("forget");
  syncNow = (): Promise<void> => this.run("syncNow");
  status = (): Promise<Result<"status">> => this.run("status");
  plan = (amount: number, instalments: number, firstDue: string): Promise<Result<"plan">> =>
    this.run("plan", amount, instalments, firstDue);
  attachmentsWaiting = (): Promise<number> => this.run("attachmentsWaiting");
  attachments = (id: string): Promise<Result<"attachments">> => this.run("attachments", id);
  attach = (...args: Parameters<Methods["attach"]>): Promise<void> => this.run("attach", ...args);
  attachSignature = (...args: Parameters<Methods["attachSignature"]>): Promise<void> =>
    this.run("attachSignature", ...args);
  attachmentThumb = (sha256: string): Promise<Result<"attachmentThumb">> => this.run("attachmentThumb", sha256);
  attachmentBytes = (sha256: string): Promise<Result<"attachmentBytes">> => this.run("attachmentBytes", sha256);
  recordings = (id: string): Promise<Result<"recordings">> => this.run("recordings", id);
  addPiece = (...args: Parameters<Methods["addPiece"]>): Promise<void> => this.run("addPiece", ...args);
  finishRecording = (...args: Parameters<Methods["finishRecording"]>): Promise<void> =>
    this.run("finishRecording", ...args);
  dropRecording = (recording: string): Promise<void> => this.run("dropRecording", recording);
  lender = (): Promise<Result<"lender">> => this.run("lender");
  newId = (): Promise<string> => this.run("newId");

  apply = (...args: Parameters<Methods["apply"]>): Promise<Result<"apply">> => {
    this.askToPersist();
    return this.run("apply", ...args);
  };

  keepDraft = (...args: Parameters<Methods["keepDraft"]>): Promise<void> => {
    this.askToPersist();
    return this.run("keepDraft", ...args);
  };

  lock = async (): Promise<StartState> => {
    // Every tab saves what is typed in it before the key goes.
    this.toAll({ type: "locking" });
    await new Promise((done) => setTimeout(done, 0));
    return this.run("lock");
  };

  storage = async (): Promise<StorageState> => {
    const [persisted, estimate] = await Promise.all([navigator.storage.persisted(), navigator.storage.estimate()]);
    return { persisted, usage: estimate.usage ?? 0, quota: estimate.quota ?? 0 };
  };

  subscribe = (listener: (event: CoreEvent) => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** With the first save. */
  private askToPersist(): void {
    if (this.askedToPersist) return;
    this.askedToPersist = true;
    // Not awaited: the answer is shown with the storage, it holds up nothing.
    void navigator.storage.persist().catch(() => false);
  }

  private hint(): void {
    void this.run("syncNow").catch(() => undefined);
  }

  private async run<M extends keyof Methods>(method: M, ...args: Parameters<Methods[M]>): Promise<Result<M>> {
    if (this.barred) throw new ClientError("storage_barred");
    if (this.leads) return (await this.carryOut(this.tab, method, args)) as Result<M>;
    return new Promise<Result<M>>((resolve, reject) => {
      this.calls += 1;
      this.asked.set(this.calls, { method, args, resolve, reject });
      this.ask(this.calls);
    });
  }

  private tell(event: CoreEvent): void {
    for (const listener of this.listeners) listener(event);
  }

  private post(message: Message): void {
    this.channel.postMessage(message);
  }

  // -- who leads

  /** Waits for the lock, and leads for as long as it is held. */
  private queue(steal = false): void {
    if (this.queued && !steal) return;
    this.queued ||= !steal;
    navigator.locks
      .request(`${this.store}-store`, steal ? { steal } : {}, () => {
        if (!steal) this.queued = false;
        this.lead();
        return new Promise<never>(() => undefined);
      })
      .catch((cause: unknown) => {
        if (cause instanceof DOMException && cause.name === "SecurityError") this.refuse();
        else this.follow();
      });
  }

  /** The browser keeps nothing for this page, and shares nothing between its tabs. */
  private refuse(): void {
    this.barred = true;
    for (const { reject } of this.asked.values()) reject(new ClientError("storage_barred"));
    this.asked.clear();
  }

  private lead(): void {
    clearTimeout(this.alarm);
    const follows = this.leader !== undefined;
    this.leader = undefined;
    const engine = new Engine(
      this.store,
      (event) => this.toAll(event),
      (open) => this.reopen(open),
      () => this.pass,
      (pass) => this.share(pass),
      () => this.holdsLock(),
    );
    this.engine = engine;
    void engine
      .start()
      .catch(() => undefined)
      .then(async (state) => {
        await this.reopen((id) => engine.run("open", [id]));
        return state;
      })
      .then((state) => {
        if (this.engine !== engine) return;
        this.leads = true;
        this.post({ kind: "lead", tab: this.tab, pass: this.pass });
        // Pages may believe that the app is unlocked.
        if (state?.kind === "locked" || (state?.kind === "failed" && follows)) this.toAll({ type: "session", state });
        this.settle();
        this.toAll({ type: "list" });
        this.refresh(follows);
      });
  }

  /** Another tab took the lock: nothing of this one's worker may go on. */
  private follow(): void {
    this.engine?.end();
    this.engine = undefined;
    this.leads = false;
    for (const tab of this.opened.keys()) if (tab !== this.tab) this.opened.delete(tab);
    this.queue();
    this.post({ kind: "who", tab: this.tab });
  }

  /** Whether the lock is this tab's still: who lost it may not have heard of it yet. */
  private async holdsLock(): Promise<boolean> {
    const { held = [] } = await navigator.locks.query().catch(() => ({ held: undefined }));
    const holder = (lock: string): string | undefined => held.find(({ name }) => name === lock)?.clientId;
    return holder(`${this.store}-store`) === holder(life(this.tab));
  }

  private share(pass: Pass | null): void {
    this.pass = pass;
    this.post({ kind: "pass", pass });
  }

  /** Opens in a new worker what pages look at. */
  private async reopen(open: (id: string) => Promise<unknown>): Promise<void> {
    for (const records of this.opened.values()) {
      for (const [id, pages] of records) {
        for (let page = 0; page < pages; page++) await open(id).catch(() => undefined);
      }
    }
  }

  private toAll(event: CoreEvent, but?: string): void {
    this.post({ kind: "event", event, but });
    if (but !== this.tab) this.tell(event);
  }

  private hear(message: Message): void {
    switch (message.kind) {
      case "who":
        if (this.leads) this.post({ kind: "lead", tab: this.tab, pass: this.pass });
        return;
      case "lead":
        if (!this.engine) this.pass = message.pass;
        this.led(message.tab);
        return;
      case "pass":
        if (!this.engine) this.pass = message.pass;
        return;
      case "call":
        if (this.leads) void this.answer(message);
        return;
      case "answer":
        if (message.to === this.tab) this.answered(message);
        return;
      case "event":
        if ((!this.engine || message.event.type === "locking") && message.but !== this.tab) this.tell(message.event);
        return;
    }
  }

  // -- the tab that asks

  private ask(call: number): void {
    const asked = this.asked.get(call);
    if (asked && this.leader) {
      asked.sent = this.leader;
      this.post({ kind: "call", tab: this.tab, call, method: asked.method, args: asked.args });
    }
    this.watch();
  }

  /** While anything is unanswered the leader must give signs of life. */
  private watch(): void {
    clearTimeout(this.alarm);
    if (this.engine || this.asked.size === 0) return;
    this.alarm = setTimeout(() => {
      this.post({ kind: "who", tab: this.tab });
      this.alarm = setTimeout(() => this.queue(true), PATIENCE_MS);
    }, PATIENCE_MS);
  }

  /** A tab says that it leads: for the first time, or as a sign of life. */
  private led(tab: string): void {
    if (this.engine) return;
    if (this.leader === tab) {
      this.watch();
      return;
    }
    const follows = this.leader !== undefined;
    this.leader = tab;
    for (const [id, pages] of this.opened.get(this.tab) ?? []) {
      for (let page = 0; page < pages; page++) {
        this.calls += 1;
        this.post({ kind: "call", tab: this.tab, call: this.calls, method: "open", args: [id] });
      }
    }
    this.settle();
    this.tell({ type: "list" });
    this.refresh(follows);
  }

  /** What came while nobody led, or this tab slept, was not told to its pages. */
  private refresh(follows: boolean): void {
    // A worker that starts holds what is stored and nothing else; what pages still try to save
    // they know themselves.
    if (follows) this.tell({ type: "save", save: { state: "saved" } });
    for (const id of this.opened.get(this.tab)?.keys() ?? []) this.tell({ type: "record", id });
  }

  /** What a leader that is gone did not answer: what may be asked twice is, the rest fails. */
  private settle(): void {
    for (const [call, asked] of [...this.asked]) {
      if (asked.sent && ONCE.has(asked.method)) {
        this.asked.delete(call);
        asked.reject(new ClientError("restarted"));
      } else if (this.leads) {
        this.asked.delete(call);
        this.carryOut(this.tab, asked.method, asked.args).then(
          (value) => asked.resolve(value as never),
          (cause: unknown) => asked.reject(refused(cause)),
        );
      } else {
        this.ask(call);
      }
    }
  }

  private answered({ call, value, refusal }: Message & { kind: "answer" }): void {
    const asked = this.asked.get(call);
    if (!asked) return;
    this.asked.delete(call);
    this.watch();
    if (refusal) asked.reject(new ClientError(refusal.code, refusal.path, refusal.message));
    else {
      this.note(this.tab, asked.method, asked.args);
      asked.resolve(value as never);
    }
  }

  // -- the tab that leads

  private async answer({ tab, call, method, args }: Message & { kind: "call" }): Promise<void> {
    this.mourn(tab);
    try {
      const value = await this.carryOut(tab, method, args);
      this.post({ kind: "answer", to: tab, call, value });
    } catch (cause) {
      const { code, path, message } = refused(cause);
      this.post({ kind: "answer", to: tab, call, refusal: { code, path, message } });
    }
  }

  private async carryOut(tab: string, method: keyof Methods, args: unknown[]): Promise<unknown> {
    const { engine } = this;
    if (!engine) throw new ClientError("restarted");
    const value = await engine.run(method, args);
    this.note(tab, method, args);
    // The others show the same records and the same sign-in.
    if (method === "apply" || method === "sign" || method === "settleRefused") {
      this.toAll({ type: "record", id: args[0] as string }, tab);
    }
    if (SESSION.has(method)) {
      const state = method === "signOut" ? { kind: "signed_out" as const } : (value as StartState);
      this.toAll({ type: "session", state }, tab);
    }
    return value;
  }

  private note(tab: string, method: keyof Methods, args: unknown[]): void {
    if (method !== "open" && method !== "close") return;
    const id = args[0] as string;
    const records = this.opened.get(tab) ?? new Map<string, number>();
    const pages = (records.get(id) ?? 0) + (method === "open" ? 1 : -1);
    if (pages > 0) records.set(id, pages);
    else records.delete(id);
    this.opened.set(tab, records);
  }

  /** When a tab is gone, however it went, what it had open is closed. */
  private mourn(tab: string): void {
    if (this.opened.has(tab)) return;
    this.opened.set(tab, new Map());
    void navigator.locks.request(life(tab), () => {
      const records = this.opened.get(tab) ?? new Map<string, number>();
      this.opened.delete(tab);
      for (const [id, pages] of records) {
        for (let page = 0; page < pages; page++) void this.engine?.run("close", [id]).catch(() => undefined);
      }
    });
  }
}

function refused(cause: unknown): ClientError {
  return cause instanceof ClientError ? cause : new ClientError("failed");
}

/** Connects a page to the core over a store: the phone's own, or the one that people practise in. */
export function connect(store: string): Client {
  return new TabClient(store);
}
