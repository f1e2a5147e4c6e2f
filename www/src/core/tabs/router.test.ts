import assert from "node:assert/strict";
import { test } from "node:test";
import { ClientError } from "../api";
import { FakeBrowser, pass, settle, type FakeTab } from "./fakes";
import { PING_TIMEOUT_MS } from "./router";

const never = new Promise<never>(() => undefined);
/** The outcome of a call: its value, or the code of its refusal. */
const outcome = (call: Promise<unknown>): Promise<unknown> =>
  call.catch((cause: unknown) => (cause instanceof ClientError ? cause.code : cause));
const types = ({ events }: FakeTab): string[] => events.map(({ type }) => type);

test("the first tab leads, and carries out the calls of the others", async () => {
  const browser = new FakeBrowser();
  browser.prepare = (host) => (host.answers.newId = "id-1");
  const [a, b] = [await browser.open("a"), await browser.open("b")];
  assert.ok(a.leads());
  assert.equal(b.host(), undefined);
  assert.equal(await b.router.run("newId", []), "id-1");
  assert.equal(await a.router.run("newId", []), "id-1");
  assert.equal(a.host().count("newId"), 2);
});

test("a refusal keeps its code and its path on the way to another tab", async () => {
  const browser = new FakeBrowser();
  browser.prepare = (host) => (host.answers.apply = new ClientError("not_yours", "contacts/1"));
  await browser.open("a");
  const b = await browser.open("b");
  await assert.rejects(b.router.run("apply", ["r1", { do: "depart" } as never]), {
    code: "not_yours",
    path: "contacts/1",
  });
});

test("calls wait until the leader's worker has opened the store", async () => {
  const browser = new FakeBrowser();
  let opened = (): void => undefined;
  browser.prepare = (host) => {
    host.start = () => new Promise((done) => (opened = () => done(host.state)));
    host.answers.newId = "id-1";
  };
  const [a, b] = [await browser.open("a"), await browser.open("b")];
  const calls = Promise.all([a.router.run("newId", []), b.router.run("newId", [])]);
  await settle();
  assert.equal(a.host().count("newId"), 0);
  opened();
  assert.deepEqual(await calls, ["id-1", "id-1"]);
});

test("when the leader's tab ends, the next one leads and is sent what was not answered", async () => {
  const browser = new FakeBrowser();
  browser.prepare = (host) => (host.answers.history = never);
  const [a, b, c] = [await browser.open("a"), await browser.open("b"), await browser.open("c")];
  const [ofB, ofC] = [b.router.run("history", ["r1"]), c.router.run("history", ["r2"])];
  await settle();
  browser.prepare = (host) => (host.answers.history = ["entry"]);
  a.close();
  await settle();
  assert.ok(b.leads());
  assert.deepEqual(await ofB, ["entry"]);
  assert.deepEqual(await ofC, ["entry"]);
});

test("a call that may be carried out only once is not sent to the next leader", async () => {
  const browser = new FakeBrowser();
  browser.prepare = (host) => (host.answers.apply = never);
  const [a, b, c] = [await browser.open("a"), await browser.open("b"), await browser.open("c")];
  const calls = [b, c].map(({ router }) => outcome(router.run("apply", ["r1", { do: "depart" } as never])));
  await settle();
  assert.equal(a.host().count("apply"), 2);
  browser.prepare = () => undefined;
  a.close();
  assert.deepEqual(await Promise.all(calls), ["restarted", "restarted"]);
  assert.equal(b.host().count("apply"), 0);
});

test("a call that no leader was sent goes to the next one, even if it may be carried out only once", async () => {
  const browser = new FakeBrowser();
  const a = await browser.open("a");
  a.freeze();
  const b = await browser.open("b");
  const call = b.router.run("unlock", ["246810"]);
  await browser.clock.advance(2 * PING_TIMEOUT_MS);
  assert.ok(b.leads());
  await call;
  assert.equal(b.host().count("unlock"), 1);
});

test("a frozen leader loses the lock, and follows once it is thawed", async () => {
  const browser = new FakeBrowser();
  browser.prepare = (host) => (host.answers.newId = "id-1");
  const [a, b] = [await browser.open("a"), await browser.open("b")];
  a.freeze();
  const call = b.router.run("newId", []);
  await browser.clock.advance(2 * PING_TIMEOUT_MS - 1);
  assert.ok(a.leads());
  await browser.clock.advance(1);
  assert.ok(b.leads());
  assert.equal(await call, "id-1");
  // It may still believe that it leads; the lock says that it does not.
  assert.equal(await a.host().context.isLeader(), false);

  a.thaw();
  await settle();
  assert.ok(a.host().ended);
  // It was sent the call before it was told of its loss: a late answer changes nothing.
  assert.equal(a.host().count("newId"), 1);
  assert.equal(await a.router.run("newId", []), "id-1");
  assert.equal(a.host().count("newId"), 1);
  assert.equal(b.host().count("newId"), 2);
});

test("a robbed leader leads again when its follower's tab ends", async () => {
  const browser = new FakeBrowser();
  const [a, b] = [await browser.open("a"), await browser.open("b")];
  a.freeze();
  const call = b.router.run("newId", []);
  await browser.clock.advance(2 * PING_TIMEOUT_MS);
  await call;
  a.thaw();
  await settle();
  b.close();
  await settle();
  assert.ok(a.leads());
  assert.equal(a.host().ended, false);
});

test("a leader whose worker is slow keeps the lock", async () => {
  const browser = new FakeBrowser();
  browser.prepare = (host) => (host.answers.history = never);
  const [a, b] = [await browser.open("a"), await browser.open("b")];
  void b.router.run("history", ["r1"]);
  await browser.clock.advance(20 * PING_TIMEOUT_MS);
  assert.ok(a.leads());
});

test("a leader is not pinged while no call is pending", async () => {
  const browser = new FakeBrowser();
  const [a, b] = [await browser.open("a"), await browser.open("b")];
  await b.router.run("newId", []);
  a.freeze();
  await browser.clock.advance(20 * PING_TIMEOUT_MS);
  assert.ok(a.leads());
});

test("events of the worker reach the pages of every tab once", async () => {
  const browser = new FakeBrowser();
  const [a, b] = [await browser.open("a"), await browser.open("b")];
  for (const { events } of [a, b]) events.length = 0;
  a.host().context.emit({ type: "attachments", id: "r1" });
  await settle();
  assert.deepEqual(types(a), ["attachments"]);
  assert.deepEqual(types(b), ["attachments"]);
});

test("a changed record is told to every tab but the one that changed it", async () => {
  const browser = new FakeBrowser();
  const [a, b, c] = [await browser.open("a"), await browser.open("b"), await browser.open("c")];
  for (const { events } of [a, b, c]) events.length = 0;
  await b.router.run("apply", ["r1", { do: "depart" } as never]);
  await settle();
  assert.deepEqual(
    [a.events, b.events, c.events],
    [[{ type: "record", id: "r1" }], [], [{ type: "record", id: "r1" }]],
  );
});

test("a changed session is told to every tab but the one that changed it", async () => {
  const browser = new FakeBrowser();
  const state = { kind: "signed_out" } as const;
  browser.prepare = (host) => (host.answers.signOut = state);
  const [a, b] = [await browser.open("a"), await browser.open("b")];
  for (const { events } of [a, b]) events.length = 0;
  await a.router.run("signOut", []);
  await settle();
  assert.deepEqual([a.events, b.events], [[], [{ type: "session", state }]]);
});

test("that the app is about to be locked reaches the pages of all tabs, the leader's too", async () => {
  const browser = new FakeBrowser();
  const [a, b, c] = [await browser.open("a"), await browser.open("b"), await browser.open("c")];
  for (const { events } of [a, b, c]) events.length = 0;
  b.router.broadcast({ type: "locking" });
  await settle();
  assert.deepEqual([a, b, c].map(types), [["locking"], ["locking"], ["locking"]]);
});

test("the next leader reopens what pages show, and the pages read it again", async () => {
  const browser = new FakeBrowser();
  const [a, b, c] = [await browser.open("a"), await browser.open("b"), await browser.open("c")];
  await b.router.run("open", ["r1"]);
  await b.router.run("open", ["r1"]);
  await b.router.run("open", ["r2"]);
  await b.router.run("close", ["r2"]);
  await c.router.run("open", ["r3"]);
  for (const { events } of [b, c]) events.length = 0;
  a.close();
  await settle();
  const opened = b.host().calls.map(([method, id]) => `${method} ${String(id)}`);
  assert.deepEqual(opened, ["open r1", "open r1", "open r3"]);
  assert.ok(b.events.some((event) => event.type === "record" && event.id === "r1"));
  for (const type of ["list", "save", "record"]) assert.ok(types(c).includes(type), type);
  assert.ok(c.events.some((event) => event.type === "record" && event.id === "r3"));
});

test("what a tab had open is closed once the tab is gone", async () => {
  const browser = new FakeBrowser();
  const [a, b] = [await browser.open("a"), await browser.open("b")];
  await b.router.run("open", ["r1"]);
  await b.router.run("open", ["r1"]);
  b.close();
  await settle();
  assert.deepEqual(a.host().calls.slice(2), [
    ["close", "r1"],
    ["close", "r1"],
  ]);
});

test("the next leader gets the pass, so that an unlocked app stays unlocked", async () => {
  const browser = new FakeBrowser();
  const [a, b] = [await browser.open("a"), await browser.open("b")];
  a.host().context.setPass(pass("first"));
  await settle();
  // A tab that opens later is told of it as well.
  const c = await browser.open("c");
  a.close();
  await settle();
  assert.deepEqual(b.host().context.pass(), pass("first"));
  b.host().context.setPass(null);
  await settle();
  b.close();
  await settle();
  assert.equal(c.host().context.pass(), null);
});

test("pages that believe the app to be unlocked are told that the next leader is locked", async () => {
  const browser = new FakeBrowser();
  const [a, b] = [await browser.open("a"), await browser.open("b")];
  const state = { kind: "locked", secret: "pin", unsent: 0, wait: 0, ended: null } as const;
  browser.prepare = (host) => (host.state = state);
  b.events.length = 0;
  a.close();
  await settle();
  assert.deepEqual(b.events[0], { type: "session", state });
});

test("without locks every call is refused", async () => {
  const browser = new FakeBrowser();
  const a = await browser.open("a", true);
  assert.equal(await outcome(a.router.run("newId", [])), "storage_barred");
});
