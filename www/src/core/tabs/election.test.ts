import assert from "node:assert/strict";
import { test } from "node:test";
import { Election } from "./election";
import { FakeLocks, settle } from "./fakes";
import { announceTab } from "./presence";

function candidate(locks: FakeLocks, tab: string, denied = false) {
  const log: string[] = [];
  const manager = locks.of(tab, undefined, denied);
  announceTab(manager, tab);
  const election = new Election(manager, "store", tab, {
    elected: () => log.push("elected"),
    deposed: () => log.push("deposed"),
    denied: () => log.push("denied"),
  });
  return { election, log };
}

test("tabs lead one after the other, in the order in which they joined", async () => {
  const locks = new FakeLocks();
  const [a, b, c] = ["a", "b", "c"].map((tab) => candidate(locks, tab));
  for (const one of [a, b, c]) one?.election.join();
  await settle();
  assert.deepEqual([a?.log, b?.log, c?.log], [["elected"], [], []]);
  locks.release("a");
  await settle();
  assert.deepEqual([b?.log, c?.log], [["elected"], []]);
});

test("a tab that joins twice waits once", async () => {
  const locks = new FakeLocks();
  const [a, b, c] = [candidate(locks, "a"), candidate(locks, "b"), candidate(locks, "c")];
  for (const { election } of [a, b, b, c]) election.join();
  await settle();
  locks.release("a");
  await settle();
  assert.deepEqual(b.log, ["elected"]);
  // Deposed, it is not elected again at once by a second request of its own.
  c.election.steal();
  await settle();
  assert.deepEqual([b.log, c.log], [["elected", "deposed"], ["elected"]]);
});

test("a stolen lock deposes its holder, who knows of it from the locks at once", async () => {
  const locks = new FakeLocks();
  const [a, b] = [candidate(locks, "a"), candidate(locks, "b")];
  a.election.join();
  await settle();
  assert.ok(await a.election.isLeader());
  b.election.steal();
  assert.equal(await a.election.isLeader(), false);
  await settle();
  assert.deepEqual([a.log, b.log], [["elected", "deposed"], ["elected"]]);
  assert.ok(await b.election.isLeader());
});

test("a browser that denies locks is told apart from a lost lock", async () => {
  const a = candidate(new FakeLocks(), "a", true);
  a.election.join();
  await settle();
  assert.deepEqual(a.log, ["denied"]);
});
