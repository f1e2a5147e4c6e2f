/** HTTP client of the office for the worker. */
import type {
  EnrolledDevice,
  Lender,
  OwnFigures,
  PendingSupport,
  PushState,
  PushSubscriptionRequest,
  SafetyPosition,
} from "../api";
import type { SafetyRow } from "../store/database";

/** A 4 MiB reply on a slow 3G link takes less. */
const TIMEOUT_MS = 60_000;

/** Slowest upload that the office accepts; a 2G link is twice as fast. */
const SLOWEST_BYTES_PER_MS = 1;

/** There is no session, or it is of another user or device that signed in in this browser. */
const NEED_SIGN_IN = ["signed_out", "other_workspace"];

/** Reasons that the office knows; it counts others as `other`. */
const ROUND_FAILURES = [
  ...["offline", "office_busy", "office_error", "malformed_reply", "malformed", "too_large"],
  ...["unsupported_version", "signed_out", "other_workspace", "device_revoked"],
];

/** What a device says about itself. */
export interface DeviceReport {
  unsent: number;
  oldest_unsent_age_ms: number | null;
  persisted: boolean | null;
  clock_skew_ms: number | null;
}

/** A refusal or a failure with a stable code; the sentences are in i18n. */
export class OfficeError extends Error {
  constructor(
    readonly code: string,
    /** How long the client should wait (`Retry-After`), ms, if the office is busy. */
    readonly waitMs?: number,
  ) {
    super(code);
    this.name = "OfficeError";
  }

  /** Whether a new sign-in of the workspace's user resolves it. */
  get needsSignIn(): boolean {
    return NEED_SIGN_IN.includes(this.code);
  }
}

export interface SignedIn {
  user: string;
  role: string;
  device: string;
  /** The office's proof that it enrolled the device for this user, hex. */
  proof: string;
  /** Key of the device's escrow, hex; only in the reply to a sign-in. */
  escrow?: string;
}

/**
 * The office as one workspace uses it; without a device, for signing in. Every request names the
 * workspace (rule R9): all pages of a browser share one session, and after a sign-in by another user
 * the office refuses this workspace's requests with `other_workspace`.
 */
export class Office {
  private readonly workspace: string | undefined;
  /** Rounds that failed since the last report of this device, by reason. */
  private readonly failedRounds = new Map<string, number>();

  /** `receiving` is told how many bytes of a large reply have come, and null once it is whole. */
  constructor(
    device?: string,
    private readonly receiving: (bytes: number | null) => void = () => undefined,
  ) {
    this.workspace = device?.slice(0, 8);
  }

  /** The event stream that signals changes of the feed. */
  get eventsUrl(): string {
    return `/api/events?workspace=${this.workspace ?? ""}`;
  }

  /** Sends the request of one round and returns its reply. */
  async sync(body: Uint8Array): Promise<Uint8Array> {
    try {
      return await this.round(body);
    } catch (cause) {
      const code = cause instanceof OfficeError ? cause.code : "offline";
      const reason = ROUND_FAILURES.includes(code) ? code : "other";
      this.failedRounds.set(reason, (this.failedRounds.get(reason) ?? 0) + 1);
      throw cause;
    }
  }

  private async round(body: Uint8Array): Promise<Uint8Array> {
    const response = await this.send("/sync", {
      method: "POST",
      headers: { "content-type": "application/cbor" },
      body: body as BodyInit,
    });
    return readLargeBody(response, this.receiving);
  }

  async signIn(name: string, password: string, enrolled: EnrolledDevice | undefined): Promise<SignedIn> {
    const response = await this.send("/api/session", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ name, password, ...enrolled }),
    });
    const text = new TextDecoder().decode(await readBody(response));
    return JSON.parse(text) as SignedIn;
  }

  /** Enrols the public key, hex, of this device's signatures. */
  async enrolKey(key: string): Promise<void> {
    await this.send("/api/device/key", {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ key }),
    });
  }

  /** Reports the state of this device with the rounds that failed since the last report. */
  async reportDevice(report: DeviceReport): Promise<void> {
    const counted = [...this.failedRounds];
    const failed = counted.map(([reason, count]) => ({ reason, count }));
    await this.send("/api/device/report", {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ version: 1, ...report, failed }),
    });
    // Rounds that failed during the request count for the next report.
    for (const [reason, count] of counted) {
      const rest = (this.failedRounds.get(reason) ?? 0) - count;
      if (rest > 0) this.failedRounds.set(reason, rest);
      else this.failedRounds.delete(reason);
    }
  }

  /**
   * Uploads the bytes of an attachment in `from..to`; an empty range only asks for the progress.
   * Returns how many bytes the office has durably, and whether it has verified all of them.
   */
  async putPiece(
    sha256: string,
    mediaType: string,
    bytes: Uint8Array,
    size: number,
    from: number,
    to: number,
  ): Promise<{ received: number; complete: boolean }> {
    const range = from === to ? "*" : `${from}-${to - 1}`;
    const init = {
      method: "PUT",
      headers: { "content-type": mediaType, "content-range": `bytes ${range}/${size}` },
      body: bytes.slice(from, to) as BodyInit,
    };
    // 409: the office has another number of bytes than expected; the body says how many.
    const response = await this.send(`/api/blobs/${sha256}`, init, 409);
    const text = new TextDecoder().decode(await readBody(response));
    const { received, complete } = JSON.parse(text) as { received?: number; complete?: boolean };
    if (typeof received !== "number") throw new OfficeError("office_error");
    return { received, complete: complete === true };
  }

  async blob(sha256: string): Promise<Uint8Array> {
    return new Uint8Array(await readBody(await this.send(`/api/blobs/${sha256}`, { method: "GET" })));
  }

  /** Reports a watched visit: durations, since this phone's clock may be wrong. Idempotent by its revision. */
  async reportSafety(row: SafetyRow, position: SafetyPosition | null): Promise<{ seen_by: string | null }> {
    const now = Date.now();
    const { record, revision, due_at, alarm_at, ended } = row;
    const alarm = alarm_at === null ? {} : { alarm_age_ms: Math.max(0, now - alarm_at), ...position };
    const response = await this.send(`/api/safety/${row.id}`, {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ record, revision, due_in_ms: Math.round(due_at - now), ended, ...alarm }),
    });
    return JSON.parse(new TextDecoder().decode(await readBody(response))) as { seen_by: string | null };
  }

  /** Details of the lender, for borrowers. */
  async lender(): Promise<Lender> {
    const response = await this.send("/api/lender", { method: "GET" });
    return JSON.parse(new TextDecoder().decode(await readBody(response))) as Lender;
  }

  /** The user's own figures; months begin in `zone`. */
  async ownFigures(zone: string): Promise<OwnFigures> {
    const response = await this.send(`/api/own-figures?zone=${encodeURIComponent(zone)}`, { method: "GET" });
    return JSON.parse(new TextDecoder().decode(await readBody(response))) as OwnFigures;
  }

  /** The support bundle that the office asks this device for. */
  async pendingSupport(): Promise<PendingSupport> {
    const response = await this.send("/api/device/support", { method: "GET" });
    return JSON.parse(new TextDecoder().decode(await readBody(response))) as PendingSupport;
  }

  /** Sends what the user read, or null if the user declined. Idempotent. */
  async answerSupport(id: string, bundle: string | null): Promise<void> {
    await this.send(`/api/device/support/${id}`, {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ bundle }),
    });
  }

  async pushState(): Promise<PushState> {
    const response = await this.send("/api/web-push", { method: "GET" });
    return JSON.parse(new TextDecoder().decode(await readBody(response))) as PushState;
  }

  async subscribePush(subscription: PushSubscriptionRequest): Promise<void> {
    await this.send("/api/web-push", {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(subscription),
    });
  }

  async unsubscribePush(): Promise<void> {
    await this.send("/api/web-push", { method: "DELETE" });
  }

  /** The lender's layers of conduct rules, packed. */
  async layers(): Promise<Uint8Array> {
    const response = await this.send("/api/conduct/layers", { method: "GET" });
    return new Uint8Array(await readBody(response));
  }

  /** The user of the session, such as after a redirect from the identity provider. */
  async signedIn(): Promise<SignedIn> {
    const response = await this.send("/api/session", {});
    const text = new TextDecoder().decode(await readBody(response));
    return JSON.parse(text) as SignedIn;
  }

  async signOut(): Promise<void> {
    await this.send("/api/session", { method: "DELETE" });
  }

  /** `accepted` is an error status that is not a refusal, unless its body is a problem. */
  private async send(path: string, init: RequestInit, accepted?: number): Promise<Response> {
    const app = this.workspace === undefined ? __VERSION__ : `${__VERSION__} ${this.workspace}`;
    let response: Response;
    try {
      response = await fetch(path, {
        ...init,
        headers: { ...init.headers, "X-Doorstep": app },
        credentials: "same-origin",
        cache: "no-store",
        signal: AbortSignal.timeout(TIMEOUT_MS + sizeOf(init.body) / SLOWEST_BYTES_PER_MS),
      });
    } catch {
      throw new OfficeError("offline");
    }
    const problem = response.headers.get("content-type")?.startsWith("application/problem+json") ?? false;
    if (response.ok || (response.status === accepted && !problem)) return response;
    throw await toOfficeError(response);
  }
}

function sizeOf(body: BodyInit | null | undefined): number {
  if (typeof body === "string") return body.length;
  return body instanceof Uint8Array ? body.byteLength : 0;
}

async function toOfficeError(response: Response): Promise<OfficeError> {
  let code: string | undefined;
  try {
    const problem = (await response.json()) as { code?: unknown };
    if (typeof problem.code === "string") code = problem.code;
  } catch {
    // No problem details: the response is from a proxy or a captive portal.
  }
  const limited = code === "rate_limited" || (code === undefined && response.status === 429);
  // Temporary: the client tries again after the given time.
  if (limited || response.status === 503)
    return new OfficeError(limited ? "office_busy" : (code ?? "office_busy"), retryAfter(response));
  if (code !== undefined) return new OfficeError(code);
  if (response.status === 401) return new OfficeError("signed_out");
  return new OfficeError(response.status >= 500 ? "office_busy" : "office_error");
}

/** `Retry-After`, seconds or a date, in ms from now. */
function retryAfter(response: Response): number {
  const said = response.headers.get("retry-after") ?? "";
  const wait = /^\d+$/.test(said) ? Number(said) * 1000 : Date.parse(said) - Date.now();
  return Number.isFinite(wait) ? Math.max(wait, 0) : 0;
}

/** Smaller replies are here before anybody could read their progress. */
const LARGE_BYTES = 8 * 1024;
const PROGRESS_MS = 200;

async function readLargeBody(response: Response, receiving: (bytes: number | null) => void): Promise<Uint8Array> {
  const reader = response.body?.getReader();
  if (!reader) return new Uint8Array(await readBody(response));
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  let told = 0;
  try {
    for (let chunk = await reader.read(); chunk.value; chunk = await reader.read()) {
      chunks.push(chunk.value);
      bytes += chunk.value.length;
      if (bytes < LARGE_BYTES || performance.now() - told < PROGRESS_MS) continue;
      told = performance.now();
      receiving(bytes);
    }
  } catch {
    throw new OfficeError("offline");
  } finally {
    if (told > 0) receiving(null);
  }
  const body = new Uint8Array(bytes);
  let at = 0;
  for (const chunk of chunks) {
    body.set(chunk, at);
    at += chunk.length;
  }
  return body;
}

async function readBody(response: Response): Promise<ArrayBuffer> {
  try {
    return await response.arrayBuffer();
  } catch {
    throw new OfficeError("offline");
  }
}
