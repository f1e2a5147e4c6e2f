/** One side of a measurement, told by its parent what to do: `child.mjs SYSTEM`. */
const system = await import(`./systems/${process.argv[2]}.mjs`);
const { readFileSync } = await import("node:fs");
const { notesLength } = await import("./lib/values.mjs");

let side;

const calls = {
  /** Serves the records of a workload. */
  async serve({ folder, file }) {
    const workload = JSON.parse(readFileSync(file, "utf8"));
    side = await system.serve(folder, workload);
    return {
      port: side.port,
      ids: side.ids,
      lengths: workload.records.map(notesLength),
    };
  },
  enrol: () => side.enrol?.(),
  edit: ({ edits }) => side.edit(edits),
  async holds({ edits }) {
    await side.holds(edits);
    return Date.now();
  },
  /** A device that starts from its storage and does one thing. */
  async device({ folder, ids, enrolled, port, edits, lengths, task }) {
    side = system.openDevice(folder, ids, enrolled);
    if (task === "edit") {
      await side.edit(edits);
      await side.close();
      return undefined;
    }
    await side.connect(port);
    if (task === "first") await side.complete(lengths);
    else if (task === "reconnect") await side.holds(edits);
    else await side.inStep?.();
    return { at: Date.now(), proves: side.inStep !== undefined };
  },
  async close() {
    const { user, system: kernel } = process.cpuUsage();
    await side.close?.();
    return { cpu_ms: (user + kernel) / 1_000 };
  },
};

process.on("message", async ({ call, argument }) => {
  try {
    process.send({ result: await calls[call](argument ?? {}) });
  } catch (error) {
    process.send({ error: String(error?.stack ?? error) });
  }
});

// The parent has gone.
process.on("disconnect", () => process.exit());
