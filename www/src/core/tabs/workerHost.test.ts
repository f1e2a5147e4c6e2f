import assert from "node:assert/strict";
import { mock, test } from "node:test";
import type { CoreEvent, StartState } from "../api";
import type { UnlockPass } from "../store/pinLock";
import type { WorkerEvent } from "../worker/messages";
import type { RunResult } from "../worker/worker";
import { pass, settle } from "./fakes";
import { WorkerHost } from "./workerHost";

const READY: StartState = { kind: "ready", user: "li", role: "collector" };

const ignore: (event: WorkerEvent) => void = () => undefined;

/** A host whose workers answer what `answer` says; `number` counts them from 0. */
function fixture(answer: (number: number, method: string) => RunResult | Promise<RunResult>) {
  const events: CoreEvent[] = [];
  const workers: { emit: (event: WorkerEvent) => void; calls: string[]; terminated: boolean }[] = [];
  const context = { leads: true, pass: null as UnlockPass | null };
  const host = new WorkerHost(
    () => {
      const number = workers.length;
      const worker = { emit: ignore, calls: [] as string[], terminated: false };
      workers.push(worker);
      return {
        subscribe: (listener) => Promise.resolve(void (worker.emit = listener)),
        run: async (method, args) => {
          worker.calls.push([method, ...args].join(" "));
          return answer(number, method);
        },
        terminate: () => (worker.terminated = true),
      };
    },
    {
      emit: (event) => events.push(event),
      reopen: async (open) => void (await open("r1")),
      pass: () => context.pass,
      setPass: (pass) => (context.pass = pass),
      isLeader: () => Promise.resolve(context.leads),
    },
  );
  return { host, workers, events, context };
}

test("a call after the refusal of a poisoned worker reaches the next worker, which has reopened the records", async () => {
  const { host, workers, events } = fixture((number, method) => {
    if (method === "start") return { value: READY };
    return number === 0 ? { refusal: { code: "restarted", path: "", message: "" }, poisoned: true } : { value: "done" };
  });
  await host.start();
  await assert.rejects(host.run("newId", []), { code: "restarted" });
  assert.equal(await host.run("newId", []), "done");
  assert.ok(workers[0]?.terminated);
  assert.deepEqual(workers[1]?.calls, ["start ", "open r1", "newId"]);
  assert.deepEqual(
    events.map(({ type }) => type),
    ["save", "restarted"],
  );
});

test("a worker that says that it is poisoned is replaced once, and its calls are refused", async () => {
  const { host, workers } = fixture((number, method) =>
    method === "start" ? { value: READY } : number === 0 ? new Promise<never>(() => undefined) : { value: "done" },
  );
  await host.start();
  const call = assert.rejects(host.run("newId", []), { code: "restarted" });
  await settle();
  workers[0]?.emit({ type: "poisoned" });
  workers[0]?.emit({ type: "poisoned" });
  await call;
  await settle();
  assert.equal(workers.length, 2);
});

test("messages of a terminated worker are not told to pages", async () => {
  const { host, workers, events } = fixture(() => ({ value: READY }));
  await host.start();
  host.end();
  workers[0]?.emit({ type: "list" });
  assert.deepEqual(events, []);
});

test("a tab that has lost the lock starts no worker", async () => {
  const { host, workers, context } = fixture(() => ({ value: READY }));
  await host.start();
  context.leads = false;
  workers[0]?.emit({ type: "poisoned" });
  await settle();
  assert.equal(workers.length, 1);
  await assert.rejects(host.run("newId", []), { code: "restarted" });
});

test("while the app is unlocked, a store that cannot be opened is tried again", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    let attempts = 0;
    const { host, events, context } = fixture(() => {
      attempts += 1;
      return { value: attempts < 3 ? { kind: "failed", code: "storage_full" } : READY };
    });
    context.pass = pass("pass");
    const started = host.start();
    await settle();
    assert.deepEqual(events, [{ type: "save", save: { state: "failed", reason: "storage_full" } }]);
    mock.timers.tick(1_000);
    await settle();
    assert.equal(attempts, 2);
    mock.timers.tick(1_999);
    await settle();
    assert.equal(attempts, 2);
    mock.timers.tick(1);
    assert.deepEqual(await started, READY);
  } finally {
    mock.timers.reset();
  }
});

test("a locked app shows at once that its store cannot be opened", async () => {
  const failed = { kind: "failed", code: "storage_full" } as const;
  const { host } = fixture(() => ({ value: failed }));
  assert.deepEqual(await host.start(), failed);
});
