/** Yjs with Hocuspocus: limits on documents lifted, updates sent at once. One file a document. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { HocuspocusProvider, HocuspocusProviderWebsocket } from "@hocuspocus/provider";
import { Server } from "@hocuspocus/server";
import WebSocket from "ws";
import * as Y from "yjs";
import { eachField, stepsOf, until } from "../lib/values.mjs";

const UNLIMITED = Number.MAX_SAFE_INTEGER;

function write(doc, step) {
  doc.transact(() => {
    eachField(step, (group, field, value) => doc.getMap(group).set(field, value));
    if (step.contact) {
      const { id, ...fields } = step.contact;
      doc.getMap("contacts").set(id, new Y.Map(Object.entries(fields)));
    }
    const notes = doc.getText("notes");
    if (step.append) notes.insert(notes.length, step.append);
  });
}

/** The office writes the first step, a device the others. */
function build(plan) {
  const [first, ...steps] = stepsOf(plan);
  const office = new Y.Doc();
  write(office, first);
  const device = new Y.Doc();
  Y.applyUpdate(device, Y.encodeStateAsUpdate(office));
  for (const step of steps) write(device, step);
  return Y.encodeStateAsUpdate(device);
}

const holds = (doc, { step }) => doc.getText("notes").toString().includes(step.append);

export async function serve(folder, workload) {
  const stored = join(folder, "server");
  const ids = workload.records.map(({ id }) => id);
  const file = (id) => join(stored, id);
  if (!existsSync(stored)) {
    mkdirSync(stored, { recursive: true });
    for (const plan of workload.records) writeFileSync(file(plan.id), build(plan));
  }
  const server = new Server({
    port: 0,
    address: "127.0.0.1",
    quiet: true,
    stopOnSignals: false,
    flushDelay: false,
    maxPendingDocuments: UNLIMITED,
    maxUnauthenticatedQueueSize: UNLIMITED,
    maxUnauthenticatedQueueMessages: UNLIMITED,
    async onLoadDocument({ document, documentName }) {
      Y.applyUpdate(document, readFileSync(file(documentName)));
    },
    async onStoreDocument({ document, documentName }) {
      writeFileSync(file(documentName), Y.encodeStateAsUpdate(document));
    },
  });
  await server.listen();
  const withDocument = async ({ record, step }, work) => {
    const connection = await server.hocuspocus.openDirectConnection(ids[record]);
    await work(connection, step);
    await connection.disconnect();
  };
  return {
    port: server.address.port,
    ids,
    async edit(edits) {
      for (const edit of edits)
        await withDocument(edit, (connection, step) => connection.transact((doc) => write(doc, step)));
    },
    holds: (edits) =>
      Promise.all(edits.map((edit) => withDocument(edit, ({ document }) => until(() => holds(document, edit))))),
  };
}

export function openDevice(folder, ids) {
  mkdirSync(folder, { recursive: true });
  const file = (id) => join(folder, id);
  const load = (id) => {
    const doc = new Y.Doc();
    if (existsSync(file(id))) Y.applyUpdate(doc, readFileSync(file(id)));
    return doc;
  };
  let docs = [];
  let providers = [];
  const save = (id, doc) => writeFileSync(file(id), Y.encodeStateAsUpdate(doc));
  return {
    async edit(edits) {
      for (const { record, step } of edits) {
        const doc = load(ids[record]);
        write(doc, step);
        save(ids[record], doc);
      }
    },
    async connect(port) {
      const websocketProvider = new HocuspocusProviderWebsocket({
        url: `ws://127.0.0.1:${port}`,
        WebSocketPolyfill: WebSocket,
      });
      docs = ids.map(load);
      providers = docs.map(
        (document, at) =>
          new HocuspocusProvider({
            websocketProvider,
            name: ids[at],
            document,
          }),
      );
      for (const provider of providers) provider.attach();
    },
    holds: (edits) => until(() => edits.every((edit) => holds(docs[edit.record], edit))),
    complete: (lengths) => until(() => docs.every((doc, at) => doc.getText("notes").length === lengths[at])),
    async close() {
      docs.forEach((doc, at) => save(ids[at], doc));
    },
  };
}
