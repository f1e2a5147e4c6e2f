/** automerge-repo over WebSocket, storage in files, as its sync server is set up. */
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync, existsSync } from "node:fs";
import { join } from "node:path";
import * as A from "@automerge/automerge";
import { Repo } from "@automerge/automerge-repo";
import { WebSocketClientAdapter, WebSocketServerAdapter } from "@automerge/automerge-repo-network-websocket";
import { NodeFSStorageAdapter } from "@automerge/automerge-repo-storage-nodefs";
import { WebSocketServer } from "ws";
import { eachField, stepsOf, until } from "../lib/values.mjs";

/** Fields are values as a whole; only notes merge by character. */
const scalar = (value) => {
  if (typeof value === "string") return new A.ImmutableString(value);
  return Array.isArray(value) ? value.map(scalar) : value;
};

function write(doc, step) {
  eachField(step, (group, field, value) => {
    doc[group] ??= {};
    doc[group][field] = scalar(value);
  });
  if (step.contact) {
    const { id, ...fields } = step.contact;
    doc.contacts[id] = Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, scalar(value)]));
  }
  if (step.append) A.splice(doc, ["notes"], doc.notes.length, 0, step.append);
}

const time = (step) => Math.floor(step.at / 1_000);

function build(plan) {
  const [first, ...steps] = stepsOf(plan);
  let doc = A.from({
    case: {},
    assignment: {},
    appointment: {},
    visit: {},
    talk: {},
    contacts: {},
    notes: "",
  });
  doc = A.change(doc, { time: time(first) }, (draft) => write(draft, first));
  doc = A.clone(doc);
  for (const step of steps) doc = A.change(doc, { time: time(step) }, (draft) => write(draft, step));
  return A.save(doc);
}

const holdsAll = async (repo, ids, edits) => {
  const handles = await Promise.all(edits.map(({ record }) => repo.find(ids[record])));
  await until(() => edits.every(({ step }, at) => handles[at].doc().notes.includes(step.append)));
};

export async function serve(folder, workload) {
  const storage = new NodeFSStorageAdapter(join(folder, "server"));
  const index = join(folder, "ids.json");
  if (!existsSync(index)) {
    const repo = new Repo({ storage });
    const ids = workload.records.map((plan) => repo.import(build(plan)).url);
    await repo.flush();
    writeFileSync(index, JSON.stringify(ids));
  }
  const ids = JSON.parse(readFileSync(index, "utf8"));
  const sockets = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  await once(sockets, "listening");
  const repo = new Repo({
    storage,
    network: [new WebSocketServerAdapter(sockets)],
    peerId: "storage-server",
    sharePolicy: async () => false,
  });
  return {
    port: sockets.address().port,
    ids,
    edit: (edits) => edit(repo, ids, edits),
    holds: (edits) => holdsAll(repo, ids, edits),
  };
}

async function edit(repo, ids, edits) {
  for (const { record, step } of edits) {
    const handle = await repo.find(ids[record]);
    handle.change((doc) => write(doc, step), { time: time(step) });
  }
  await repo.flush();
}

export function openDevice(folder, ids) {
  mkdirSync(folder, { recursive: true });
  const storage = new NodeFSStorageAdapter(folder);
  let repo;
  let handles;
  return {
    async edit(edits) {
      await edit(new Repo({ storage }), ids, edits);
    },
    async connect(port) {
      repo = new Repo({
        storage,
        network: [new WebSocketClientAdapter(`ws://127.0.0.1:${port}`)],
      });
      handles = await Promise.all(ids.map((id) => repo.find(id)));
    },
    holds: (edits) => holdsAll(repo, ids, edits),
    complete: (lengths) => until(() => handles.every((handle, at) => handle.doc().notes.length === lengths[at])),
    close: async () => repo?.flush(),
  };
}
