/**
 * The least that a careful programmer would write over loro: one request with the updates made since
 * the last one and a cursor, one reply with what others did since, both deflated. No checks, no proof.
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, request } from "node:http";
import { join } from "node:path";
import { deflateRawSync, inflateRawSync } from "node:zlib";
import { LoroDoc, LoroMap } from "loro-crdt";
import { eachField, stepsOf, until } from "../lib/values.mjs";

function write(doc, step) {
  eachField(step, (group, field, value) => doc.getMap(group).set(field, value));
  if (step.contact) {
    const { id, ...fields } = step.contact;
    const contact = doc.getMap("contacts").setContainer(id, new LoroMap());
    for (const [name, value] of Object.entries(fields)) contact.set(name, value);
  }
  const notes = doc.getText("notes");
  if (step.append) notes.insert(notes.length, step.append);
  doc.commit();
}

function build(plan) {
  const [first, ...steps] = stepsOf(plan);
  const office = new LoroDoc();
  write(office, first);
  const device = new LoroDoc();
  device.import(office.export({ mode: "snapshot" }));
  for (const step of steps) write(device, step);
  return device.export({ mode: "snapshot" });
}

/** Cursor, then each update as the index of its record, its length, its bytes. */
function encode(cursor, updates) {
  const head = (index, length) => {
    const bytes = Buffer.alloc(8);
    bytes.writeUInt32LE(index, 0);
    bytes.writeUInt32LE(length, 4);
    return bytes;
  };
  const parts = updates.flatMap(({ record, bytes }) => [head(record, bytes.length), bytes]);
  return deflateRawSync(Buffer.concat([head(cursor, 0), ...parts]), {
    level: 9,
  });
}

function decode(body) {
  const bytes = inflateRawSync(body);
  const updates = [];
  for (let at = 8; at < bytes.length;) {
    const length = bytes.readUInt32LE(at + 4);
    updates.push({
      record: bytes.readUInt32LE(at),
      bytes: bytes.subarray(at + 8, at + 8 + length),
    });
    at += 8 + length;
  }
  return { cursor: bytes.readUInt32LE(0), updates };
}

const load = (...bytes) => {
  const doc = new LoroDoc();
  for (const one of bytes) doc.import(one);
  return doc;
};
const holds = (doc, { step }) => doc.getText("notes").toString().includes(step.append);

export async function serve(folder, workload) {
  const docs = workload.records.map((plan) => load(build(plan)));
  const feed = [];
  const append = (record, bytes, by) => feed.push({ record, bytes, by });
  const edit = ({ record, step }) => {
    const before = docs[record].oplogVersion();
    write(docs[record], step);
    append(record, docs[record].export({ mode: "update", from: before }), "office");
  };
  const log = join(folder, "log");
  const server = createServer(async (incoming, response) => {
    const body = [];
    for await (const part of incoming) body.push(part);
    const { cursor, updates } = decode(Buffer.concat(body));
    const end = feed.length;
    for (const { record, bytes } of updates) {
      docs[record].import(bytes);
      append(record, bytes, "device");
    }
    appendFileSync(log, Buffer.concat(updates.map(({ bytes }) => bytes)), {
      flush: true,
    });
    const since =
      cursor === 0
        ? docs.map((doc, record) => ({
            record,
            bytes: doc.export({ mode: "snapshot" }),
          }))
        : feed.slice(cursor - 1, end).filter(({ by }) => by === "office");
    response.end(encode(feed.length + 1, since));
  });
  server.keepAliveTimeout = 60_000;
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  return {
    port: server.address().port,
    ids: workload.records.map(({ id }) => id),
    async edit(edits) {
      edits.forEach(edit);
    },
    holds: (edits) => until(() => edits.every((one) => holds(docs[one.record], one))),
  };
}

export function openDevice(folder, ids) {
  mkdirSync(folder, { recursive: true });
  const state = join(folder, "state.json");
  const { cursor, outbox } = existsSync(state) ? JSON.parse(readFileSync(state, "utf8")) : { cursor: 0, outbox: [] };
  const file = (record) => join(folder, ids[record]);
  const save = (next) => writeFileSync(state, JSON.stringify(next), { flush: true });
  const docs = new Map();
  const open = (record) => {
    if (!docs.has(record))
      docs.set(record, existsSync(file(record)) ? load(readFileSync(file(record))) : new LoroDoc());
    return docs.get(record);
  };
  const store = (record) => writeFileSync(file(record), open(record).export({ mode: "snapshot" }));
  return {
    async edit(edits) {
      for (const { record, step } of edits) {
        const doc = open(record);
        const before = doc.oplogVersion();
        write(doc, step);
        outbox.push({
          record,
          bytes: Buffer.from(doc.export({ mode: "update", from: before })).toString("base64"),
        });
        store(record);
      }
      save({ cursor, outbox });
    },
    async connect(port) {
      const updates = outbox.map(({ record, bytes }) => ({
        record,
        bytes: Buffer.from(bytes, "base64"),
      }));
      const reply = decode(await post(port, encode(cursor, updates)));
      for (const { record, bytes } of reply.updates) {
        open(record).import(bytes);
        store(record);
      }
      save({ cursor: reply.cursor, outbox: [] });
    },
    holds: (edits) => until(() => edits.every((edit) => holds(open(edit.record), edit))),
    complete: (lengths) =>
      until(() => lengths.every((length, record) => open(record).getText("notes").length === length)),
    inStep: async () => undefined,
    close: async () => undefined,
  };
}

function post(port, body) {
  return new Promise((done, failed) => {
    const sent = request({ host: "127.0.0.1", port, path: "/sync", method: "POST" }, async (response) => {
      const parts = [];
      for await (const part of response) parts.push(part);
      done(Buffer.concat(parts));
    });
    sent.on("error", failed);
    sent.end(body);
  });
}
