/** The office's HTTP API, as the console uses it. */
import type {
  Answer,
  Command,
  ConductView,
  FieldValue,
  Grade,
  HistoryEntry,
  LegalStatus,
  Moment,
  Role,
  Severity,
  VisitSummary,
  VisitView,
} from "../wasm/doorstep";

export interface Me {
  user: string;
  device: string;
  role: Role;
}
export interface OfficeRow extends VisitSummary {
  updated_at: number;
}
export interface Page {
  rows: OfficeRow[];
  next: string | null;
  total: number;
}
export interface ReceivedEntry extends HistoryEntry {
  received_at: number | null;
}
export interface User {
  name: string;
  display_name: string;
  role: Role;
  disabled: boolean;
  /** Tied to an account of the identity provider. */
  linked: boolean;
}
export interface NewUser {
  name: string;
  display_name: string;
  role: Role;
  /** Absent for whoever signs in with the identity provider alone. */
  password?: string;
}
export interface UserChange {
  display_name?: string;
  role?: Role;
  disabled?: boolean;
  password?: string;
  unlink?: boolean;
}
export interface Device {
  id: string;
  user: string;
  display_name: string;
  role: Role;
  state: "active" | "expired" | "revoked";
  created_at: number;
  last_seen_at: number;
  /** Empty where it never said. */
  app_version: string;
  revoked_at: number | null;
  revoked_by: string;
  revoked_reason: string;
}
export interface ImportRow {
  /** Below the heading, from 1. */
  row: number;
  /** As a spreadsheet shows it. */
  sheet_row?: number;
  outcome: string;
  case_no?: string | null;
  field?: string | null;
  reason?: string | null;
  /** Facts that changed. */
  changed?: string[];
}
export interface ImportReport {
  created: number;
  updated: number;
  unchanged: number;
  refused: number;
  rows: ImportRow[];
  /** About the file as a whole, such as columns that were left out. */
  notes?: string[];
}
export interface Quarantined {
  id: number;
  record: string;
  case_no: string | null;
  user: string;
  device: string;
  at: number;
  code: string;
  path: string;
  message: string;
  /** Fields and entries that it is about. */
  units: string[];
  state: "open" | "accepted" | "dismissed";
  /** The export that holds its bytes, where they are not stored here any more. */
  exported?: number;
}
export interface QuarantinePage {
  rows: Quarantined[];
  next: number | null;
  total: number;
}
export interface QuarantineField {
  unit: string;
  path: string;
  refused: FieldValue;
  office: FieldValue;
  /** What the record would say after an acceptance, where one is possible. */
  after: FieldValue | null;
}
export interface Decision {
  decision: "accepted" | "dismissed";
  by: string;
  at: number;
  reason: string;
}
/** An amount of refused work. */
export interface Amount {
  pieces: number;
  bytes: number;
}
type Fullness = "fine" | "near" | "full";
export interface QuarantineUsage {
  fullness: Fullness;
  open: Amount;
  /** What an export would take. */
  decided: Amount;
  most: Amount;
  /** Of whom nearly as much waits as is kept of one person. */
  users: { user: string; fullness: Fullness; open: Amount }[];
  exports: QuarantineExport[];
}
export interface QuarantineExport extends Amount {
  id: number;
  at: number;
  by: string;
  sha256: string;
}
/** The last line of an export. */
export interface ExportEnd extends Amount {
  until: number;
  most_bytes: number;
  sha256: string;
}
export interface QuarantineItem extends Quarantined {
  decisions: Decision[];
  fields: QuarantineField[];
  heads: string[];
  currency: string | null;
  zone: string | null;
  /** The author took the office's copy since, and may have written again what still held. */
  went_on: boolean;
  /** Accepting it voids the seal and its signatures and returns the record. */
  reopens: boolean;
  acceptance: { how: "merge" | "anew" | "held" } | { how: "impossible"; code: string; path: string; message: string };
}
/** An answer that is not "kept", as the queue has it. */
export interface ConductRow {
  record: string;
  case_no: string;
  rule: string;
  moment: Moment;
  layer: string;
  answer: Extract<Answer, "fail" | "unknown">;
  severity: Severity;
  status: LegalStatus;
  shadow: boolean;
  grade: Grade | null;
  /** A stable word. */
  reason: string;
  policy: string;
  at: number;
}
export interface ConductPage {
  rows: ConductRow[];
  next: string | null;
  /** Records have changed since they were evaluated last: more rows may follow. */
  evaluating: boolean;
}

/** A refusal: a stable word, the office's own sentence, and the field that it is about, if any. */
export class ApiError extends Error {
  constructor(
    readonly code: string,
    detail: string,
    readonly path = "",
  ) {
    super(detail);
    this.name = "ApiError";
  }
}

/**
 * The device that this page is signed in as, the first digits of its id. All pages of a browser
 * share one session: after another sign-in in it the office refuses what this page asks, lest an
 * edit be signed with another user's name (rule R9).
 */
let workspace = "";

function signedIn(me: Me): Me {
  workspace = me.device.slice(0, 8);
  return me;
}

async function ask(path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(path, {
      ...init,
      headers: { ...init.headers, "X-Doorstep": workspace ? `${__VERSION__} ${workspace}` : __VERSION__ },
      cache: "no-store",
    });
  } catch {
    throw new ApiError("offline", "");
  }
}

async function download(path: string): Promise<Blob> {
  const response = await ask(path, {});
  if (!response.ok) throw await refusal(response);
  return response.blob().catch(() => {
    throw new ApiError("offline", "");
  });
}

async function call<T>(path: string, init: RequestInit = {}): Promise<T> {
  const response = await ask(path, init);
  if (response.status === 204) return undefined as T;
  if (!response.ok) throw await refusal(response);
  const body = (await response.json().catch(() => null)) as unknown;
  // An answer that is no JSON is not the office's: a proxy's page, a captive portal.
  if (body === null) throw new ApiError("office_error", "");
  return body as T;
}

async function refusal(response: Response): Promise<ApiError> {
  const body = (await response.json().catch(() => null)) as unknown;
  const problem = (body ?? {}) as { code?: string; detail?: string; title?: string; path?: string };
  const busy = problem.code === "rate_limited" || (problem.code === undefined && response.status === 503);
  return new ApiError(
    (busy ? "office_busy" : problem.code) ?? (response.status === 401 ? "signed_out" : "office_error"),
    problem.detail ?? problem.title ?? "",
    problem.path,
  );
}

const json = (body: unknown, method = "POST"): RequestInit => ({
  method,
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body),
});

export const api = {
  me: () => call<Me>("/api/session").then(signedIn),
  signIn: (name: string, password: string) => call<Me>("/api/session", json({ name, password })).then(signedIn),
  signOut: () => call<void>("/api/session", { method: "DELETE" }),
  visits: (query: string, signal?: AbortSignal) => call<Page>(`/api/visits?${query}`, signal ? { signal } : {}),
  visit: (id: string) => call<VisitView>(`/api/visits/${encodeURIComponent(id)}`),
  history: (id: string) => call<{ entries: ReceivedEntry[] }>(`/api/visits/${encodeURIComponent(id)}/history`),
  command: (id: string, command: Command) =>
    call<VisitView>(`/api/visits/${encodeURIComponent(id)}/commands`, json(command)),
  users: () => call<User[]>("/api/users"),
  addUser: (user: NewUser) => call<User>("/api/users", json(user)),
  changeUser: (name: string, change: UserChange) =>
    call<User>(`/api/users/${encodeURIComponent(name)}`, json(change, "PATCH")),
  devices: () => call<Device[]>("/api/devices"),
  revoke: (id: string, reason: string) => call<void>(`/api/devices/${encodeURIComponent(id)}/revoke`, json({ reason })),
  collectors: () => call<User[]>("/api/users?role=collector"),
  importCases: (file: File, dryRun: boolean, assignTo: string) => {
    const query = new URLSearchParams();
    if (dryRun) query.set("dry_run", "1");
    if (assignTo) query.set("assign_to", assignTo);
    return call<ImportReport>(`/api/cases/import?${query}`, {
      method: "POST",
      headers: { "content-type": "application/octet-stream", "X-Filename": encodeURIComponent(file.name) },
      body: file,
    });
  },
  /** Answers that are not "kept", a page at a time. */
  conductQueue: (query: string, signal: AbortSignal) => call<ConductPage>(`/api/conduct?${query}`, { signal }),
  /** What the rules say of a record now. */
  conduct: (id: string, moment: Moment) =>
    call<ConductView>(`/api/visits/${encodeURIComponent(id)}/conduct?moment=${moment}`),
  quarantine: (query: string) => call<QuarantinePage>(`/api/quarantine?${query}`),
  quarantined: (id: string) => call<QuarantineItem>(`/api/quarantine/${encodeURIComponent(id)}`),
  accept: (id: number, heads: string[], reason: string) =>
    call<QuarantineItem>(`/api/quarantine/${id}/accept`, json({ heads, reason })),
  quarantineUsage: () => call<QuarantineUsage>("/api/quarantine/usage"),
  exportQuarantine: () => download("/api/quarantine/export"),
  deleteExported: (end: ExportEnd) => call<QuarantineExport>("/api/quarantine/export/delete", json(end)),
  dismiss: (id: number, reason: string) => call<QuarantineItem>(`/api/quarantine/${id}/dismiss`, json({ reason })),
};
