/**
 * The console over many records: every queue, the counts, searches, orders, pages and the figures of the
 * dashboard, as the console asks for them over HTTP. Median and p95 of each.
 *
 * `DOORSTEP_BINARY=… node console.mjs OUTPUT [RECORDS]`. Importing 1,000,000 records takes long and some
 * gigabytes; `DATABASE=sqlite:PATH` names a database that this program made before, or where to keep one.
 */
import { execFileSync, spawn } from "node:child_process";
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { report } from "../www/scripts/report.mjs";

const binary = process.env.DOORSTEP_BINARY;
if (!binary) throw new Error("set DOORSTEP_BINARY to the built doorstep");
const [output = "bench", wanted = "1000000"] = process.argv.slice(2);
const RECORDS = Number(wanted);
const RUNS = 21;
const PASSWORD = "correct horse battery";
const COLLECTORS = 40;
/** Records that are worked on, so that no queue is empty; 50 a request. */
const WORKED = 2_000;

const folder = mkdtempSync(join(tmpdir(), "doorstep-console-"));
const database = process.env.DATABASE ?? `sqlite:${join(folder, "office.sqlite3")}`;
let office;
try {
  const fresh = !existsSync(database.replace("sqlite:", ""));
  if (fresh) importCases();
  office = await serve();
  const desk = await signIn(office.url);
  if (fresh) await work(desk);
  await idle(office.child.pid);
  await measure(desk);
} finally {
  office?.child.kill();
  rmSync(folder, { recursive: true, force: true });
}

function run(args, input = "") {
  return execFileSync(binary, [...args, "--database", database], { input, encoding: "utf8", maxBuffer: 1 << 28 });
}

function importCases() {
  for (let at = 0; at < COLLECTORS; at += 1) run(["user", "add", `user${at}`, "--role", "collector"], `${PASSWORD}\n`);
  run(["user", "add", "lin.yue", "--role", "supervisor"], `${PASSWORD}\n`);
  const sheet = join(folder, "cases.csv");
  const file = openSync(sheet, "w");
  writeSync(file, "case_no,borrower_name,address,overdue_amount,currency,days_past_due,due_date,assigned_to\n");
  const day = (at) => new Date(Date.UTC(2026, 0, 1 + (at % 300))).toISOString().slice(0, 10);
  for (let at = 0; at < RECORDS; at += 1) {
    // One in fifty has no collector.
    const collector = at % 50 === 0 ? "" : `user${at % COLLECTORS}`;
    const name = `${"王李张刘陈杨黄赵吴周"[at % 10]}${"伟芳娜敏静丽强磊军洋"[(at * 7) % 10]}${at % 977}`;
    const facts = [1_000 + (at % 9_000), "CNY", at % 400, day(at), collector];
    writeSync(file, `M-${String(at).padStart(7, "0")},${name},宁波市样板路${at % 5_000}号,${facts.join(",")}\n`);
  }
  closeSync(file);
  run(["import", "cases", sheet, "--zone", "Asia/Shanghai", "--json"]);
  rmSync(sheet);
}

async function serve() {
  const child = spawn(binary, ["serve", "--listen", "127.0.0.1:0", "--database", database], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { DOORSTEP_LOG: "warn", ...process.env },
  });
  for await (const line of createInterface({ input: child.stdout })) {
    const found = /listening on (https?:\S+)/.exec(line);
    if (!found) continue;
    child.stdout.resume();
    return { child, url: found[1] };
  }
  throw new Error("the office did not start");
}

async function signIn(url) {
  const headers = { "X-Doorstep": "1", "content-type": "application/json" };
  const body = JSON.stringify({ name: "lin.yue", password: PASSWORD });
  const { token } = await (await fetch(`${url}/api/session`, { method: "POST", headers, body })).json();
  const send = async (path, init = {}) => {
    const response = await fetch(url + path, { ...init, headers: { ...headers, Authorization: `Bearer ${token}` } });
    const text = await response.text();
    if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
    return text === "" ? null : JSON.parse(text);
  };
  return {
    get: (path) => send(path),
    post: (path, value) => send(path, { method: "POST", body: JSON.stringify(value) }),
  };
}

/** Waits until the office has evaluated the rules for all records, which it does in the background. */
async function idle(pid) {
  // Columns 14 and 15 are hundredths of seconds; the name in column 2 has no space.
  const used = () =>
    readFileSync(`/proc/${pid}/stat`, "utf8")
      .split(" ")
      .slice(13, 15)
      .reduce((a, b) => a + Number(b), 0);
  for (let before = used(), quiet = 0; quiet < 3;) {
    await new Promise((done) => setTimeout(done, 2_000));
    quiet = used() - before < 10 ? quiet + 1 : 0;
    before = used();
  }
}

/** Days, holds and priorities on some records. */
async function work({ get, post }) {
  const today = new Date().toISOString().slice(0, 10);
  let after = "";
  for (let done = 0; done < Math.min(WORKED, RECORDS); done += 50) {
    const page = await get(
      `/api/visits?sort=case_no&dir=asc&limit=50${after && `&after=${encodeURIComponent(after)}`}`,
    );
    const due = done % 100 === 0 ? today : "2026-01-05";
    await post("/api/assignments", {
      rows: page.rows.map(({ id, due_by, priority }) => ({
        record: id,
        set: { due_by: due, priority: 1 },
        seen: { due_by, priority },
      })),
    });
    const [held] = page.rows;
    await post(`/api/visits/${held.id}/commands`, {
      do: "raise_hold",
      flag: "dispute",
      since: 1,
      until: null,
      note: "",
    });
    after = page.next;
    if (!after) break;
  }
}

async function measure({ get }) {
  const today = new Date().toISOString().slice(0, 10);
  const { queues } = await get(`/api/queues?today=${today}`);
  const first = (await get("/api/visits?sort=case_no&dir=asc&limit=100")).next ?? "";
  const deep = (await get("/api/visits?q=%E7%8E%8B%E4%BC%9F&limit=100")).rows[0]?.id;
  const period = "from=2026-01-01&to=2026-12-31&zone=Asia%2FShanghai";
  const requests = {
    counts: `/api/queues?today=${today}`,
    ...Object.fromEntries(
      queues.map(({ queue }) => [`queue_${queue}`, `/api/visits?queue=${queue}&today=${today}&limit=100`]),
    ),
    ...Object.fromEntries(
      ["updated", "due", "case_no", "overdue", "queue"].map((sort) => [
        `all_by_${sort}`,
        `/api/visits?sort=${sort}&limit=100`,
      ]),
    ),
    second_page: `/api/visits?sort=case_no&dir=asc&limit=100&after=${encodeURIComponent(first)}`,
    collector: "/api/visits?collector=user7&sort=overdue&dir=desc&limit=100",
    days_past_due: "/api/visits?dpd=91-180&sort=overdue&dir=desc&limit=100",
    search_case: "/api/visits?q=M-0004711&limit=100",
    search_one_character: `/api/visits?q=${encodeURIComponent("王")}&limit=100`,
    search_two_characters: `/api/visits?q=${encodeURIComponent("王伟")}&limit=100`,
    search_address: `/api/visits?q=${encodeURIComponent("样板路4711")}&limit=100`,
    search_in_queue: `/api/visits?q=${encodeURIComponent("王伟")}&queue=unassigned&today=${today}&limit=100`,
    report_year: `/api/report?${period}`,
    report_month: "/api/report?from=2026-11-01&to=2026-11-30&zone=Asia%2FShanghai",
    record: `/api/visits/${deep}`,
    history: `/api/visits/${deep}/history`,
    conduct: "/api/conduct",
    complaints: "/api/complaints",
    quarantine: "/api/quarantine",
    fleet: "/api/devices",
    approvals: "/api/proposals",
  };
  let slow = 0;
  const figures = {};
  for (const [name, path] of Object.entries(requests)) {
    const times = [];
    for (let at = 0; at < RUNS; at += 1) {
      const started = performance.now();
      await get(path);
      times.push(performance.now() - started);
    }
    times.sort((a, b) => a - b);
    const [median, p95] = [times[RUNS >> 1], times[Math.floor(RUNS * 0.95)]];
    // The goals of the console, ms.
    if (median > 200 || p95 > 500) slow += 1;
    const mark = median > 200 || p95 > 500 ? "  slow" : "";
    process.stdout.write(`${name.padEnd(28)} median ${median.toFixed(1)} ms  p95 ${p95.toFixed(1)} ms${mark}\n`);
    Object.assign(figures, { [`${name}_ms`]: median, [`${name}_p95_ms`]: p95 });
  }
  report(output, "console", { records: RECORDS }, [{ ...figures, slow }]);
}
