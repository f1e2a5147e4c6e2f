/**
 * Computes the dashboard's figures from the JSON lines of an export, independently of the office's SQL
 * (docs/REPORTS.md), and compares them with a report:
 *
 *     node figures.mjs VISITS.jsonl REPORT.json FROM TO ZONE [COLLECTOR,…]
 *
 * Files are answers of `/api/export?format=jsonl` and `/api/report?from=…&to=…&zone=…&collector=…`.
 * Conduct and sync are not in the lines. Prints every difference; exits with 1 if there is one.
 */
import { readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";

const [linesFile, reportFile, from, to, zone, team = ""] = process.argv.slice(2);
if (!zone) {
  process.stderr.write("usage: figures.mjs VISITS.jsonl REPORT.json FROM TO ZONE [COLLECTOR,…]\n");
  process.exit(2);
}
const lines = readFileSync(linesFile, "utf8").split("\n").filter(Boolean);
const report = JSON.parse(readFileSync(reportFile, "utf8"));
const chosen = team.split(",").filter(Boolean);

// Swedish writes dates as ISO 8601 does.
const format = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short" });
const within = (day) => day !== "" && day >= from && day <= to;
const at = (ms) => typeof ms === "number" && within(format.format(ms));
const today = format.format(Date.now());

const visits = lines
  .map((line) => JSON.parse(line))
  .filter(
    ({ assignment }) => chosen.length === 0 || assignment.collectors.some((collector) => chosen.includes(collector)),
  );
const isPlanned = ({ appointment }) => appointment.status === "agreed" && at(appointment.starts_at);
const isVisited = ({ visit }) => at(visit.arrived_at);
const isDue = ({ stage, assignment }) => stage !== "reviewed" && within(assignment.due_by);
const planned = visits.filter(isPlanned);
const visited = visits.filter(isVisited);
const contacts = visits
  .flatMap((visit) => visit.contacts)
  .filter((contact) => at(contact.at) && contact.outcome !== "sent");

/** Numbers of values, as a map from the value. */
function counted(values) {
  const counts = new Map();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}

const BUCKETS = [
  ["0", -Infinity, 0],
  ["1-30", 1, 30],
  ["31-60", 31, 60],
  ["61-90", 61, 90],
  ["91-180", 91, 180],
  ["181-", 181, Infinity],
];

function promises() {
  const sums = {};
  for (const { talk, payments, case: facts } of visits) {
    if (!talk.promise || !within(talk.promise.due_date)) continue;
    const paid = payments.reduce((sum, payment) => sum + payment.amount, 0);
    const open = talk.promise.due_date < today ? "broken" : "pending";
    const state = paid >= talk.promise.amount ? "kept" : open;
    const sum = (sums[`${facts.currency} ${state}`] ??= [0, 0]);
    sum[0] += 1;
    sum[1] += talk.promise.amount;
  }
  return sums;
}

function load() {
  const people = {};
  for (const visit of visits) {
    const counts = [isDue(visit), isPlanned(visit), isVisited(visit)].map(Number);
    if (!counts.includes(1)) continue;
    for (const name of visit.assignment.collectors) {
      if (chosen.length > 0 && !chosen.includes(name)) continue;
      people[name] = counts.map((count, place) => count + (people[name]?.[place] ?? 0));
    }
  }
  return people;
}

const MET = ["borrower", "guarantor", "representative"];
const expected = {
  planned: planned.length,
  planned_visited: planned.filter(({ visit }) => visit.arrived_at !== null).length,
  visited: visited.length,
  met: visited.filter(({ visit }) => MET.includes(visit.person_met)).length,
  contacts: contacts.length,
  reached: contacts.filter(({ outcome }) => outcome === "reached").length,
  reasons: Object.fromEntries(counted(visited.map(({ talk }) => talk.overdue_reason ?? ""))),
  outcomes: Object.fromEntries(counted(visited.map(({ talk }) => talk.disposition ?? ""))),
  dpd: Object.fromEntries(
    BUCKETS.map(([name, least, most]) => [
      name,
      visited.filter(({ case: { days_past_due: days } }) => days >= least && days <= most).length,
    ]),
  ),
  holds: Object.fromEntries(counted(visits.flatMap((visit) => [...new Set(visit.case.flags.map(({ flag }) => flag))]))),
  promises: promises(),
  load: load(),
};

const named = (list) => Object.fromEntries(list.map(({ name, count }) => [name, count]));
const said = {
  ...Object.fromEntries(
    ["planned", "planned_visited", "visited", "met", "contacts", "reached"].map((name) => [name, report[name]]),
  ),
  ...Object.fromEntries(["reasons", "outcomes", "dpd", "holds"].map((name) => [name, named(report[name])])),
  promises: Object.fromEntries(
    report.promises.map(({ currency, state, count, amount }) => [`${currency} ${state}`, [count, amount]]),
  ),
  load: Object.fromEntries(
    report.load.map(({ collector, due, planned, visited }) => [collector, [due, planned, visited]]),
  ),
};

let differences = 0;
for (const [name, value] of Object.entries(expected)) {
  if (isDeepStrictEqual(value, said[name])) continue;
  differences += 1;
  process.stdout.write(`${name}: ${JSON.stringify(value)} in the lines, ${JSON.stringify(said[name])} in the report\n`);
}
process.stdout.write(`${Object.keys(expected).length} figures of ${visits.length} records, ${differences} differ\n`);
process.exit(differences > 0 ? 1 : 0);
