/**
 * Doorstep: the released binary, and the phone's core as WebAssembly in Node with its tables in an
 * append-only file. `folder` holds the office's database as `rounds --prepare` made it.
 */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { closeSync, existsSync, fdatasyncSync, mkdirSync, openSync, readFileSync, writeSync } from "node:fs";
import { Agent, request } from "node:http";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { deserialize, serialize } from "node:v8";
import { commandsOf } from "../lib/commands.mjs";
import { until } from "../lib/values.mjs";

const PASSWORD = "correct horse battery";
const ZONE = "Asia/Shanghai";
/** Rows of records that are read at a time, as by the app's driver. */
const ROWS = 256;
const wasm = new URL("../../../www/src/wasm/", import.meta.url);

export async function serve(folder, workload) {
  const ids = workload.records.map(({ id }) => id);
  const child = spawn(
    process.env.DOORSTEP_BINARY,
    ["serve", "--listen", "127.0.0.1:0", "--database", `sqlite:${join(folder, "office.sqlite3")}`],
    {
      stdio: ["ignore", "pipe", "ignore"],
    },
  );
  process.on("exit", () => child.kill("SIGKILL"));
  const lines = createInterface({ input: child.stdout });
  const port = await new Promise((done) =>
    lines.on("line", (line) => {
      const found = /listening on http:\S+:(\d+)/.exec(line);
      if (found) done(Number(found[1]));
    }),
  );
  const supervisor = await signIn(port, "lin.yue");
  const visit = (record) => json(port, "GET", `/api/visits/${ids[record]}`, undefined, supervisor.token);
  const holds = async ({ record, step }) => (await visit(record)).notes.includes(step.append);
  return {
    port,
    ids,
    pid: child.pid,
    async edit(edits) {
      for (const { record, step } of edits)
        for (const command of commandsOf(step, await visit(record)))
          await json(port, "POST", `/api/visits/${ids[record]}/commands`, command, supervisor.token);
    },
    holds: async (edits) => Promise.all(edits.map((edit) => until(() => holds(edit)))),
    /** A session for a new device. */
    enrol: () => signIn(port, "chen.jie"),
  };
}

async function signIn(port, name) {
  return json(port, "POST", "/api/session", { name, password: PASSWORD });
}

async function json(port, method, path, body, token) {
  const headers = { "content-type": "application/json" };
  if (token) headers.authorization = `Bearer ${token}`;
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    method,
    headers,
    ...(body && { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return response.json();
}

/** `enrolled` is the session of the device. */
export function openDevice(folder, ids, enrolled) {
  mkdirSync(folder, { recursive: true });
  const tables = new Tables(join(folder, "tables.log"));
  const link = { port: undefined, agent: new Agent({ keepAlive: true }) };
  let core;
  let workspace;
  const inStep = () => workspace.status().state === "in-step";
  return {
    async edit(edits) {
      workspace = await start();
      for (const { record, step } of edits) {
        const id = ids[record];
        workspace.open(id);
        drain();
        for (const command of commandsOf(step, workspace.view(id))) workspace.apply(id, command, step.at, ZONE);
        drain();
        workspace.close(id);
      }
    },
    async connect(port) {
      link.port = port;
      workspace = await start();
    },
    async holds() {
      await until(inStep);
    },
    async complete(lengths) {
      await until(inStep);
      const { rows } = workspace.listChanges(null, lengths.length + 1);
      if (rows.length !== lengths.length) throw new Error(`${rows.length} of ${lengths.length} records`);
    },
    inStep: () => until(inStep),
    async close() {
      tables.close();
      link.agent.destroy();
    },
  };

  async function start() {
    core ??= await import(new URL("doorstep.js", wasm));
    core.initSync({ module: readFileSync(new URL("doorstep_bg.wasm", wasm)) });
    const key = new core.Keyring(new Uint8Array(32).fill(7), enrolled.user, enrolled.role);
    const outbox = tables.rows("outbox");
    const unsent = [...new Set(outbox.map(({ key }) => key.split("/")[0]))];
    const records = unsent.flatMap((record) => tables.row("records", record) ?? []);
    const rows = { meta: tables.rows("meta"), records, outbox };
    const started = new core.Workspace(enrolled.device, tables.takeSession(), key, randomBytes(16), rows, Date.now());
    workspace = started;
    started.retainForAttachments([], Date.now());
    drain();
    return started;
  }

  /** Carries out what the workspace asks for. */
  function drain() {
    for (let output = workspace.poll(); output; output = workspace.poll()) {
      switch (output.type) {
        case "persist":
          tables.write(output.writes);
          workspace.persisted(output.batch, Date.now());
          break;
        case "load":
          workspace.loaded(
            output.record,
            tables.row("records", output.record),
            tables.rows("chunks", `${output.record}/`),
            Date.now(),
          );
          break;
        case "read_records":
          workspace.recordsRead(tables.after("records", output.after, ROWS), Date.now());
          break;
        case "send":
          if (link.port !== undefined) void send(output.round, output.body);
          break;
        case "wake_at":
          if (link.port !== undefined)
            setTimeout(() => (workspace.wake(Date.now()), drain()), Math.max(output.at - Date.now(), 0)).unref();
          break;
        default:
          break;
      }
    }
  }

  async function send(round, body) {
    const reply = await post(link, enrolled.token, body);
    workspace.replied(round, reply, Date.now());
    drain();
  }
}

function post({ port, agent }, token, body) {
  return new Promise((done, failed) => {
    const headers = {
      authorization: `Bearer ${token}`,
      "content-length": body.length,
    };
    const sent = request(
      {
        host: "127.0.0.1",
        port,
        path: "/sync",
        method: "POST",
        headers,
        agent,
      },
      (response) => {
        const parts = [];
        response.on("data", (part) => parts.push(part));
        response.on("end", () => {
          const reply = Buffer.concat(parts);
          if (response.statusCode === 200) done(reply);
          else failed(new Error(`${response.statusCode} ${reply}`));
        });
      },
    );
    sent.on("error", failed);
    sent.end(body);
  });
}

/** Tables in memory; each batch of writes is appended to a file and synced. */
class Tables {
  tables = new Map();

  constructor(path) {
    const log = existsSync(path) ? readFileSync(path) : Buffer.alloc(0);
    for (let at = 0; at < log.length;) {
      const end = at + 4 + log.readUInt32LE(at);
      this.take(deserialize(log.subarray(at + 4, end)));
      at = end;
    }
    this.file = openSync(path, "a");
  }

  write(writes) {
    const bytes = serialize(writes);
    const head = Buffer.alloc(4);
    head.writeUInt32LE(bytes.length);
    writeSync(this.file, Buffer.concat([head, bytes]));
    fdatasyncSync(this.file);
    this.take(writes);
  }

  take(writes) {
    for (const { table, key, value } of writes) {
      if (!this.tables.has(table)) this.tables.set(table, new Map());
      const rows = this.tables.get(table);
      if (value !== null) rows.set(key, value);
      else if (key.endsWith("/")) for (const other of [...rows.keys()]) other.startsWith(key) && rows.delete(other);
      else rows.delete(key);
    }
  }

  rows(table, prefix = "") {
    const rows = [...(this.tables.get(table) ?? [])].filter(([key]) => key.startsWith(prefix));
    return rows.map(([key, value]) => ({ key, value })).sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  row(table, key) {
    const value = this.tables.get(table)?.get(key);
    return value && { key, value };
  }

  /** The next rows after a key. Sorts all keys when the first are read. */
  after(table, key, count) {
    if (key === "") this.keys = [...(this.tables.get(table)?.keys() ?? [])].sort();
    const next = (this.keys ?? []).filter((other) => other > key).slice(0, count);
    return next.flatMap((other) => this.row(table, other) ?? []);
  }

  /** A number above those of all earlier starts. */
  takeSession() {
    const session = (this.tables.get("session")?.get("number") ?? 0) + 1;
    this.write([{ table: "session", key: "number", value: session }]);
    return session;
  }

  close() {
    closeSync(this.file);
  }
}
