import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { EventStream } from "./eventStream";

/** An event source whose events the test sends. */
class FakeSource extends EventTarget {
  static all: FakeSource[] = [];
  closed = false;

  constructor(readonly url: string) {
    super();
    FakeSource.all.push(this);
  }

  close(): void {
    this.closed = true;
  }

  send(name: string, data: string): void {
    this.dispatchEvent(new MessageEvent(name, { data }));
  }
}

function opened(context: TestContext) {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  FakeSource.all = [];
  globalThis.EventSource = FakeSource as unknown as typeof EventSource;
  const log: (number | boolean)[] = [];
  const stream = new EventStream(
    "/api/events",
    (seq) => log.push(seq),
    (alive) => log.push(alive),
  );
  return { stream, log, tick: (ms: number) => context.mock.timers.tick(ms) };
}

test("a stream is alive from its first event on and passes numbers on", (context) => {
  const { stream, log } = opened(context);
  const [source] = FakeSource.all;
  assert.deepEqual(log, []);
  source?.send("alive", '{"seq":3}');
  source?.send("moved", '{"seq":4}');
  source?.send("alive", "{}");
  source?.send("moved", "no number: something has moved");
  assert.deepEqual(log, [true, 3, 4, 0]);
  stream.close();
  assert.deepEqual([log.at(-1), source?.closed], [false, true]);
});

test("a silent stream is dead and opened again", (context) => {
  const { log, tick } = opened(context);
  FakeSource.all[0]?.send("alive", "{}");
  tick(59_000);
  FakeSource.all[0]?.send("alive", "{}");
  tick(59_000);
  assert.deepEqual([log, FakeSource.all.length], [[true], 1]);
  tick(1_000);
  assert.deepEqual([log, FakeSource.all.length], [[true, false], 2]);
  assert.ok(FakeSource.all[0]?.closed);
  // Refused by the office, the new one stays silent too.
  FakeSource.all[1]?.dispatchEvent(new Event("error"));
  tick(60_000);
  FakeSource.all[2]?.send("alive", "{}");
  assert.deepEqual(log, [true, false, true]);
});
