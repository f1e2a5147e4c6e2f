/** PouchDB with express-pouchdb, both over LevelDB. Of two concurrent versions one wins: nothing is merged. */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import express from "express";
import expressPouch from "express-pouchdb";
import PouchDB from "pouchdb";
import { eachField, stepsOf, until } from "../lib/values.mjs";

const NAME = "visits";

function write(doc, step) {
  eachField(step, (group, field, value) => {
    doc[group] ??= {};
    doc[group][field] = value;
  });
  if (step.contact) {
    const { id, ...fields } = step.contact;
    doc.contacts ??= {};
    doc.contacts[id] = fields;
  }
  if (step.append) doc.notes = (doc.notes ?? "") + step.append;
}

async function edit(db, ids, edits) {
  for (const { record, step } of edits) {
    const doc = await db.get(ids[record]);
    write(doc, step);
    await db.put(doc);
  }
}

/** Whether any version has the edit, the losing ones too. */
async function holdsAll(db, ids, edits) {
  const holds = async ({ record, step }) => {
    const versions = await db.get(ids[record], { open_revs: "all" });
    return versions.some(({ ok }) => ok?.notes?.includes(step.append));
  };
  await Promise.all(edits.map((edit) => until(() => holds(edit))));
}

export async function serve(folder, workload) {
  const stored = join(folder, "server");
  const isNew = !existsSync(stored);
  mkdirSync(stored, { recursive: true });
  process.chdir(stored);
  const Local = PouchDB.defaults({ prefix: `${stored}/` });
  const db = new Local(NAME);
  if (isNew) {
    let docs = workload.records.map(({ id }) => ({ _id: id }));
    const steps = workload.records.map(stepsOf);
    for (let at = 0; at < steps[0].length; at += 1) {
      docs.forEach((doc, record) => write(doc, steps[record][at]));
      const results = await db.bulkDocs(docs);
      docs.forEach((doc, record) => (doc._rev = results[record].rev));
    }
    writeFileSync(join(folder, "filled"), "");
  }
  const app = express();
  app.use(
    expressPouch(Local, {
      mode: "minimumForPouchDB",
      inMemoryConfig: true,
      logPath: join(folder, "log.txt"),
    }),
  );
  const server = await new Promise((done) => {
    const listening = app.listen(0, "127.0.0.1", () => done(listening));
  });
  const ids = workload.records.map(({ id }) => id);
  return {
    port: server.address().port,
    ids,
    edit: (edits) => edit(db, ids, edits),
    holds: (edits) => holdsAll(db, ids, edits),
  };
}

export function openDevice(folder, ids) {
  mkdirSync(folder, { recursive: true });
  const db = new PouchDB(join(folder, NAME));
  let synced;
  return {
    edit: (edits) => edit(db, ids, edits),
    async connect(port) {
      synced = db.sync(`http://127.0.0.1:${port}/${NAME}`);
    },
    async holds(edits) {
      await synced;
      await holdsAll(db, ids, edits);
    },
    async complete(lengths) {
      await synced;
      const { total_rows } = await db.allDocs({ limit: 0 });
      if (total_rows !== lengths.length) throw new Error(`${total_rows} of ${lengths.length} records`);
    },
    inStep: () => synced,
    close: () => db.close(),
  };
}
