/** The office over HTTP, as the worker uses it. */

/** Longest wait for a reply: a 4 MiB body on a slow 3G link takes less. */
const TIMEOUT_MS = 60_000;

/** A body may come to the office this slowly, after a grace: a link of the second generation is twice as fast. */
const SLOWEST_BYTES_PER_MS = 1;

/** No session, or that of another user or device who signed in in this browser. */
const NEED_SIGN_IN = ["signed_out", "other_workspace"];

/** A refusal or a failure, in words that i18n knows. */
export class OfficeError extends Error {
  constructor(
    readonly code: string,
    /** How long the office wants not to be asked, where it has no room now, ms. */
    readonly waitMs?: number,
  ) {
    super(code);
    this.name = "OfficeError";
  }

  /** The office answers this workspace again once its user has signed in again. */
  get needsSignIn(): boolean {
    return NEED_SIGN_IN.includes(this.code);
  }
}

/** Empty where the office has not said it. */
export interface Lender {
  name: string;
  /** How to complain. */
  complaints: string;
}

export interface SignedIn {
  user: string;
  role: string;
  device: string;
  /** The office's proof that it enrolled the device for this user, hex. */
  proof: string;
  /** Key of the device's escrow, hex; only just after a sign-in. */
  escrow?: string;
}

/** A device as its phone names it at a sign-in, with the office's proof where the phone has it. */
export interface Enrolled {
  device: string;
  proof?: string | undefined;
}

/**
 * The office as one workspace reaches it; without a device, for signing in. Every request names the
 * workspace (rule R9): all pages of a browser share one session, and after another sign-in in it the office
 * refuses what this workspace asks with `other_workspace`.
 */
export class Office {
  private readonly workspace: string | undefined;

  constructor(device?: string) {
    this.workspace = device?.slice(0, 8);
  }

  /** Where the office tells that the feed moved. */
  get events(): string {
    return `/api/events?workspace=${this.workspace ?? ""}`;
  }

  /** One round: a request, a reply. */
  async sync(body: Uint8Array): Promise<Uint8Array> {
    const response = await this.send("/sync", {
      method: "POST",
      headers: { "content-type": "application/cbor" },
      body: body as BodyInit,
    });
    return new Uint8Array(await whole(response));
  }

  async signIn(name: string, password: string, enrolled: Enrolled | undefined): Promise<SignedIn> {
    const response = await this.send("/api/session", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ name, password, ...enrolled }),
    });
    const text = new TextDecoder().decode(await whole(response));
    return JSON.parse(text) as SignedIn;
  }

  /** Tells the office the public key, hex, that this device signs seals with. */
  async enrolKey(key: string): Promise<void> {
    await this.send("/api/device/key", {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ key }),
    });
  }

  /**
   * A piece of an attachment of a size, from one byte to before another; none asks how far it is.
   * Gives how much the office has, durable, and whether it has verified the whole.
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
    // 409: the office has less or more than this phone thinks, and says how much.
    const response = await this.send(`/api/blobs/${sha256}`, init, 409);
    const text = new TextDecoder().decode(await whole(response));
    const { received, complete } = JSON.parse(text) as { received?: number; complete?: boolean };
    if (typeof received !== "number") throw new OfficeError("office_error");
    return { received, complete: complete === true };
  }

  async blob(sha256: string): Promise<Uint8Array> {
    return new Uint8Array(await whole(await this.send(`/api/blobs/${sha256}`, { method: "GET" })));
  }

  /** What borrowers are told of the lender. */
  async lender(): Promise<Lender> {
    const response = await this.send("/api/lender", { method: "GET" });
    return JSON.parse(new TextDecoder().decode(await whole(response))) as Lender;
  }

  /** The lender's own layers of conduct, packed. */
  async layers(): Promise<Uint8Array> {
    const response = await this.send("/api/conduct/layers", { method: "GET" });
    return new Uint8Array(await whole(response));
  }

  /** Who is signed in already, such as after coming back from the identity provider. */
  async signedIn(): Promise<SignedIn> {
    const response = await this.send("/api/session", {});
    const text = new TextDecoder().decode(await whole(response));
    return JSON.parse(text) as SignedIn;
  }

  async signOut(): Promise<void> {
    await this.send("/api/session", { method: "DELETE" });
  }

  /** `fine` is a status that is an answer and no refusal, unless its body is a problem. */
  private async send(path: string, init: RequestInit, fine?: number): Promise<Response> {
    const app = this.workspace === undefined ? __VERSION__ : `${__VERSION__} ${this.workspace}`;
    let response: Response;
    try {
      response = await fetch(path, {
        ...init,
        headers: { ...init.headers, "X-Doorstep": app },
        credentials: "same-origin",
        cache: "no-store",
        signal: AbortSignal.timeout(TIMEOUT_MS + bytesOf(init.body) / SLOWEST_BYTES_PER_MS),
      });
    } catch {
      throw new OfficeError("offline");
    }
    const problem = response.headers.get("content-type")?.startsWith("application/problem+json") ?? false;
    if (response.ok || (response.status === fine && !problem)) return response;
    throw await refusal(response);
  }
}

function bytesOf(body: BodyInit | null | undefined): number {
  if (typeof body === "string") return body.length;
  return body instanceof Uint8Array ? body.byteLength : 0;
}

async function refusal(response: Response): Promise<OfficeError> {
  let code: string | undefined;
  try {
    const problem = (await response.json()) as { code?: unknown };
    if (typeof problem.code === "string") code = problem.code;
  } catch {
    // No problem details: a proxy or a captive portal answered.
  }
  const often = code === "rate_limited" || (code === undefined && response.status === 429);
  // Whatever keeps the office from answering now passes by itself.
  if (often || response.status === 503)
    return new OfficeError(often ? "office_busy" : (code ?? "office_busy"), retryAfter(response));
  if (code !== undefined) return new OfficeError(code);
  if (response.status === 401) return new OfficeError("signed_out");
  return new OfficeError(response.status >= 500 ? "office_busy" : "office_error");
}

/** What `Retry-After` says, seconds or a date, in ms from now. */
function retryAfter(response: Response): number {
  const said = response.headers.get("retry-after") ?? "";
  const wait = /^\d+$/.test(said) ? Number(said) * 1000 : Date.parse(said) - Date.now();
  return Number.isFinite(wait) ? Math.max(wait, 0) : 0;
}

async function whole(response: Response): Promise<ArrayBuffer> {
  try {
    return await response.arrayBuffer();
  } catch {
    throw new OfficeError("offline");
  }
}
