/** The office's HTTP API, as the console uses it. Types and paths are generated from the office's Rust types. */
import { signal } from "@preact/signals";
import createClient from "openapi-fetch";
import type { ConductView, Moment } from "../wasm/doorstep";
import type {
  AssignmentRow,
  AuditRequest,
  BulkAction,
  BulkRow,
  CheckRequest,
  QuarantineSize,
  Command,
  ComplaintRequest,
  ComplaintStepRequest,
  DeleteExportRequest,
  Me,
  NewUser,
  paths,
  ProposedAction,
  ViewRequest,
  UserChange,
} from "./schema";

export type {
  AssignmentFields,
  AttachmentArrival,
  BulkAction,
  CheckRequest,
  Command,
  ComplaintDetails as ComplaintFile,
  ComplaintLine as ComplaintRow,
  ComplaintOutcome,
  ComplaintPage as ComplaintList,
  ComplaintSource,
  ComplaintStepRequest,
  ComplaintTopic,
  ConductQueuePage as ConductPage,
  ConductQueueRow as ConductRow,
  AuditLine,
  AuditPage,
  FleetLine as Device,
  HistoryLine as ReceivedEntry,
  ImportLine,
  ImportRows,
  NewReportToken,
  ReportTokenLine,
  ViewLine,
  Me,
  QuarantineItem,
  QuarantineLine as Quarantined,
  QuarantinePage,
  PositionCheck,
  QuarantineUsage,
  QueueCounts,
  ReceiptCheck,
  ReviewStateLine as ReviewState,
  ProposalLine,
  ProposalPage,
  Report,
  SafetyLine,
  UserChange,
  UserLine as User,
  VisitPage as Page,
  VisitRow as OfficeRow,
} from "./schema";

/** The last line of an export. */
export type ExportEnd = DeleteExportRequest & QuarantineSize;

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

const client = createClient<paths>({ fetch: send, cache: "no-store" });

async function send(request: Request): Promise<Response> {
  request.headers.set("X-Doorstep", workspace ? `${__VERSION__} ${workspace}` : __VERSION__);
  try {
    return await fetch(request);
  } catch {
    throw new ApiError("offline", "");
  }
}

type Answer<T> = Promise<{ data?: T; error?: unknown; response: Response }>;

/** What the office answers with, or its refusal as an error. `broken` is the code for a body that can't be read. */
async function data<T>(answer: Answer<T>, broken = "office_error"): Promise<T> {
  const { data, error, response } = await answer.catch((cause: unknown) => {
    // A body that is no JSON is not the office's: a proxy's page, a captive portal.
    throw cause instanceof ApiError ? cause : new ApiError(broken, "");
  });
  if (!response.ok) throw refusal(response.status, error);
  return data as T;
}

function refusal(status: number, body: unknown): ApiError {
  const problem = (typeof body === "object" && body ? body : {}) as Partial<Record<string, string>>;
  const busy = problem.code === "rate_limited" || (problem.code === undefined && status === 503);
  return new ApiError(
    (busy ? "office_busy" : problem.code) ?? (status === 401 ? "signed_out" : "office_error"),
    problem.detail ?? problem.title ?? "",
    problem.path,
  );
}

/** The change that the office refused until a second person approves it: the user may propose it now. */
export const refusedChange = signal<ProposedAction | null>(null);

async function orPropose<T>(answer: Promise<T>, action: ProposedAction): Promise<T> {
  try {
    return await answer;
  } catch (cause) {
    if (cause instanceof ApiError && cause.code === "approval_needed") refusedChange.value = action;
    throw cause;
  }
}

const fromSearch = (search: string) => Object.fromEntries(new URLSearchParams(search));

export const api = {
  me: () => data(client.GET("/api/session")).then(signedIn),
  signIn: (name: string, password: string) =>
    data(client.POST("/api/session", { body: { name, password } })).then(signedIn),
  signOut: () => data(client.DELETE("/api/session")),
  visits: (search: string, signal: AbortSignal | null = null) =>
    data(client.GET("/api/visits", { params: { query: fromSearch(search) }, signal })),
  /** How much waits in each queue. */
  queues: (today: string) => data(client.GET("/api/queues", { params: { query: { today } } })),
  /** Changes the assignment of at most 100 records; answers with what became of each. */
  assign: (rows: AssignmentRow[]) => data(client.POST("/api/assignments", { body: { rows } })),
  /** Accepts at most 100 records, or places or lifts a hold on them; answers with what became of each. */
  bulk: (action: BulkAction, rows: BulkRow[]) => data(client.POST("/api/bulk", { body: { action, rows } })),
  /** The acceptance that waits for a second person, and the record's audit. */
  reviewState: (id: string) => data(client.GET("/api/visits/{id}/review", { params: { path: { id } } })),
  putAudit: (id: string, outcome: AuditRequest) =>
    data(client.POST("/api/visits/{id}/audit", { params: { path: { id } }, body: outcome })),
  visit: (id: string) => data(client.GET("/api/visits/{id}", { params: { path: { id } } })),
  history: (id: string) => data(client.GET("/api/visits/{id}/history", { params: { path: { id } } })),
  command: (id: string, command: Command) =>
    orPropose(data(client.POST("/api/visits/{id}/commands", { params: { path: { id } }, body: command })), {
      change: "command",
      record: id,
      command,
    }),
  /** The attachments that a record names, and whether their bytes have arrived. */
  arrivals: (id: string) => data(client.GET("/api/visits/{id}/attachments", { params: { path: { id } } })),
  audit: (search: string, signal: AbortSignal) =>
    data(client.GET("/api/audit", { params: { query: fromSearch(search) }, signal })),
  report: (search: string, signal: AbortSignal) =>
    data(client.GET("/api/report", { params: { query: fromSearch(search) }, signal })),
  users: () => data(client.GET("/api/users")),
  collectors: () => data(client.GET("/api/users", { params: { query: { role: "collector" } } })),
  addUser: (user: NewUser) => data(client.POST("/api/users", { body: user })),
  changeUser: (name: string, change: UserChange) =>
    data(client.PATCH("/api/users/{name}", { params: { path: { name } }, body: change })),
  /** How plausible the position of a visit is; null if it has none. */
  position: (id: string) => data(client.GET("/api/visits/{id}/position", { params: { path: { id } } })),
  /** What a receipt is for. Codes: unknown_receipt, mistyped_code. */
  receipt: (case_no: string, code: string) =>
    data(client.GET("/api/receipts/{code}", { params: { path: { code }, query: { case_no } } })),
  /** Visits that go on, overdue check-outs and alarms. */
  safety: () => data(client.GET("/api/safety")),
  acknowledgeSafety: (id: string) => data(client.POST("/api/safety/{id}/seen", { params: { path: { id } } })),
  /** One page of the complaint desk. */
  complaints: (closed: boolean, after: string) =>
    data(
      client.GET("/api/complaints", { params: { query: { ...(closed && { closed: "1" }), ...(after && { after }) } } }),
    ),
  /** Undecided complaints, and how many of them are late; for supervisors and administrators. */
  complaintCounts: () => data(client.GET("/api/complaints/counts")),
  complaint: (number: string) => data(client.GET("/api/complaints/{number}", { params: { path: { number } } })),
  enterComplaint: (complaint: ComplaintRequest) => data(client.POST("/api/complaints", { body: complaint })),
  complaintStep: (number: number, step: ComplaintStepRequest) =>
    data(client.POST("/api/complaints/{number}/steps", { params: numbered(number), body: step })),
  devices: () => data(client.GET("/api/devices")),
  revoke: (id: string, reason: string) =>
    data(client.POST("/api/devices/{id}/revoke", { params: { path: { id } }, body: { reason } })),
  /** Asks a device for a support bundle, once for each id. */
  requestSupport: (device: string, id: string) =>
    data(client.POST("/api/devices/{id}/support", { params: { path: { id: device } }, body: { id } })),
  supportBundle: (device: string) =>
    data(client.GET("/api/devices/{id}/support", { params: { path: { id: device } } })),
  /** Saved views: own and shared ones. */
  views: () => data(client.GET("/api/views")),
  saveView: (id: string, view: ViewRequest) =>
    data(client.PUT("/api/views/{id}", { params: { path: { id } }, body: view })),
  deleteView: (id: string) => data(client.DELETE("/api/views/{id}", { params: { path: { id } } })),
  /** The user's tokens for Excel and Power BI. */
  reportTokens: () => data(client.GET("/api/report-tokens")),
  addReportToken: (name: string) => data(client.POST("/api/report-tokens", { body: { name } })),
  revokeReportToken: (id: string) => data(client.DELETE("/api/report-tokens/{id}", { params: { path: { id } } })),
  imports: () => data(client.GET("/api/imports")),
  /** Stores a file; the same id and file again are the same import. */
  uploadImport: (id: string, file: File) =>
    data(
      client.PUT("/api/imports/{id}", {
        params: { path: { id }, query: { name: file.name } },
        headers: { "content-type": "application/octet-stream" },
        body: file,
        bodySerializer: () => file,
      }),
    ),
  import: (id: string) => data(client.GET("/api/imports/{id}", { params: { path: { id } } })),
  checkImport: (id: string, settings: CheckRequest) =>
    data(client.POST("/api/imports/{id}/check", { params: { path: { id } }, body: settings })),
  runImport: (id: string) => data(client.POST("/api/imports/{id}/run", { params: { path: { id } } })),
  importRows: (id: string, outcome: string, after?: number) =>
    data(
      client.GET("/api/imports/{id}/rows", {
        params: { path: { id }, query: { outcome, limit: "200", ...(after && { after: String(after) }) } },
      }),
    ),
  deleteImport: (id: string) => data(client.DELETE("/api/imports/{id}", { params: { path: { id } } })),
  /** Answers that are not "kept", a page at a time. */
  conductQueue: (search: string, signal: AbortSignal) =>
    data(client.GET("/api/conduct", { params: { query: fromSearch(search) }, signal })),
  /** What the rules say of a record now. */
  conduct: (id: string, moment: Moment) =>
    data(client.GET("/api/visits/{id}/conduct", { params: { path: { id }, query: { moment } } })).then(
      // In JSON a map is an object; the phone's core gives pages a Map.
      (view): ConductView => ({
        ...view,
        answers: view.answers.map((answer) => ({ ...answer, params: new Map(Object.entries(answer.params)) })),
      }),
    ),
  quarantine: (search: string) => data(client.GET("/api/quarantine", { params: { query: fromSearch(search) } })),
  quarantined: (id: string) => data(client.GET("/api/quarantine/{number}", { params: { path: { number: id } } })),
  accept: (id: number, heads: string[], reason: string) =>
    orPropose(data(client.POST("/api/quarantine/{number}/accept", { params: numbered(id), body: { heads, reason } })), {
      change: "quarantine",
      number: id,
      heads,
    }),
  dismiss: (id: number, reason: string) =>
    data(client.POST("/api/quarantine/{number}/dismiss", { params: numbered(id), body: { reason } })),
  quarantineUsage: () => data(client.GET("/api/quarantine/usage")),
  exportQuarantine: () => data(client.GET("/api/quarantine/export", { parseAs: "blob" }), "offline"),
  deleteExported: ({ until, most_bytes, sha256, ...held }: ExportEnd) =>
    orPropose(data(client.POST("/api/quarantine/export/delete", { body: { until, most_bytes, sha256, ...held } })), {
      change: "erasure",
      scope: { until, most_bytes },
      sha256,
    }),
  /** Changes that wait for the approval of a second person, or former ones. */
  proposals: (closed: boolean, after: string) =>
    data(
      client.GET("/api/proposals", { params: { query: { ...(closed && { closed: "1" }), ...(after && { after }) } } }),
    ),
  /** Proposes a change once for each id. */
  propose: (id: string, action: ProposedAction, reason: string) =>
    data(client.POST("/api/proposals", { body: { id, action, reason } })),
  approve: (number: number, reason: string) =>
    data(client.POST("/api/proposals/{number}/approve", { params: numbered(number), body: { reason } })),
  refuse: (number: number, reason: string) =>
    data(client.POST("/api/proposals/{number}/refuse", { params: numbered(number), body: { reason } })),
  withdraw: (number: number) => data(client.POST("/api/proposals/{number}/withdraw", { params: numbered(number) })),
};

const numbered = (id: number) => ({ path: { number: String(id) } });
