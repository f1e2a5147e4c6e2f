/**
 * Proves that no word is missing, in either language, and none is left over: every key that the
 * pages name is there, every key that is there is named, every word of the record's vocabularies has
 * its translation, and so has every code that the core, the worker or the office can give.
 */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const root = fileURLToPath(new URL("../../", import.meta.url));
const problems = [];
const complain = (what) => problems.push(what);

/** Files under a folder whose names end so, from the root. */
const under = (folder, ...ends) =>
  readdirSync(root + folder, { recursive: true })
    .filter((name) => ends.some((end) => name.endsWith(end)))
    .map((name) => `${folder}/${name}`);

const flat = (tree, at = "") =>
  Object.entries(tree).flatMap(([key, value]) =>
    typeof value === "string" ? [[`${at}${key}`, value]] : flat(value, `${at}${key}/`),
  );
/** Files of parts are named after them; the console's and those of conduct stand under their part. */
const words = (lang) =>
  new Map(
    under("www/src/i18n", `${lang}.json`).flatMap((path) => {
      const tree = JSON.parse(readFileSync(root + path, "utf8"));
      const part = /\/(office|conduct)\./.exec(path)?.[1];
      return flat(part ? { [part]: tree } : tree);
    }),
  );
const [en, zh] = ["en", "zh-CN"].map(words);

// Both languages say the same things about the same values.
const values = (text) =>
  [...text.matchAll(/{{(\w+)}}/g)]
    .map(([, name]) => name)
    .sort()
    .join(" ");
for (const [key, text] of en) {
  const other = zh.get(key);
  if (other === undefined) complain(`${key}: not in Chinese`);
  else if (values(text) !== values(other)) complain(`${key}: not the same values in both languages`);
}
for (const key of zh.keys()) if (!en.has(key)) complain(`${key}: not in English`);
for (const [key, text] of [...en, ...zh]) if (text.trim() === "") complain(`${key}: empty`);

// What the pages name.
const sections = new Set([...en.keys()].map((key) => key.split("/")[0]));
/** Whole keys, and beginnings of keys that are put together. */
const named = new Set();
const begun = new Set();
const visit = (node, each) => {
  each(node);
  ts.forEachChild(node, (child) => visit(child, each));
};
const config = ts.getParsedCommandLineOfConfigFile(
  `${root}www/tsconfig.json`,
  {},
  { ...ts.sys, onUnRecoverableConfigFileDiagnostic: complain },
);
const program = ts.createProgram(config.fileNames, config.options);
const checker = program.getTypeChecker();
/** The texts that a value may be, as far as its type says. */
const mayBe = (node) => {
  const type = checker.getTypeAtLocation(node);
  const types = type.isUnion() ? type.types : [type];
  return types.every((one) => one.isStringLiteral()) ? types.map(({ value }) => value) : null;
};
const ours = program.getSourceFiles().filter(({ fileName }) => /\/www\/src\/(core|field|office|ui)\//.test(fileName));
for (const source of ours) {
  visit(source, (node) => {
    if (ts.isStringLiteralLike(node)) named.add(node.text);
    if (ts.isTemplateExpression(node) && node.head.text.includes("/")) {
      const [{ expression, literal }, ...more] = node.templateSpans;
      const texts = more.length === 0 && mayBe(expression);
      if (texts) texts.forEach((text) => named.add(node.head.text + text + literal.text));
      else begun.add(node.head.text);
    }
    if (!ts.isCallExpression(node) || !ts.isIdentifier(node.expression)) return;
    const [first] = node.arguments;
    if (!first || !ts.isStringLiteralLike(first)) return;
    if (node.expression.text === "t" && !en.has(first.text)) complain(`${source.fileName}: no word for ${first.text}`);
    if (node.expression.text === "word") begun.add(`word/${first.text}/`);
  });
}
for (const name of named) {
  if (/^[a-z_]+\/[a-z0-9_-]+$/.test(name) && sections.has(name.split("/")[0]) && !en.has(name)) {
    complain(`no word for ${name}`);
  }
}
for (const head of begun) {
  if (sections.has(head.split("/")[0]) && ![...en.keys()].some((key) => key.startsWith(head))) {
    complain(`no word begins with ${head}`);
  }
}
/** Their keys come from the record and from policies. */
const vocabularies = /^(word|conduct)\//;
const coded = /^(error|problem|office\/error|word\/refusal)\//;
for (const key of en.keys()) {
  // Behind a whole section and a text of any kind the rest of the key stands somewhere by itself.
  const follows = (head) =>
    key.startsWith(head) && (!sections.has(head.slice(0, -1)) || named.has(key.slice(head.length)));
  const used = named.has(key) || [...begun].some(follows) || vocabularies.test(key);
  if (!used && !coded.test(key)) complain(`${key}: nothing names it`);
}

// Vocabularies of the record, as the generated types have them.
const TYPES = {
  answer: "CheckAnswer",
  appointment: "AppointmentStatus",
  attachment: "AttachmentKind",
  channel: "Channel",
  check: "CheckItem",
  disposition: "Disposition",
  flag: "Flag",
  grade: "Grade",
  option: "OptionKind",
  outcome: "ContactOutcome",
  person: "TargetRole",
  place: "PlaceType",
  proposed: "ProposedBy",
  reason: "OverdueReason",
  review: "ReviewStatus",
  role: "Role",
  stage: "Stage",
  state: "RecordState",
  step: "Step",
  willingness: "Willingness",
};
const types = readFileSync(`${root}www/src/wasm/doorstep.d.ts`, "utf8");
for (const [vocabulary, type] of Object.entries(TYPES)) {
  const union = new RegExp(`^export type ${type} = (.+);$`, "m").exec(types)?.[1];
  if (!union) complain(`no type ${type}`);
  same(`word/${vocabulary}/`, texts(union ?? ""));
}

// Codes, where they are made.
/** Only the console and programs can meet these. */
const ELSEWHERE = new Set([
  "already_accepted",
  "export_changed",
  "last_admin",
  "method_not_allowed",
  "name_taken",
  "no_pages",
  "no_sheet",
  "not_a_collector",
  "nothing_to_export",
  "reason_needed",
  "record_moved",
  "unknown_quarantine",
]);
/** Nobody reads these: pages take the one for `office_busy`, programs ask for the other. */
const UNREAD = new Set(["rate_limited", "not_ready"]);
const rust = (path) => readFileSync(root + path, "utf8");
const bodies = (text, name) => [...text.matchAll(new RegExp(`fn ${name}\\([^]*?\\n    }\\n`, "g"))].join("");
const ofCommands = under("src/record", ".rs").flatMap((path) => texts(bodies(rust(path), "code")));
const ofCore = [...rust("src/wasm.rs").matchAll(/thrown\(\s*"(\w+)"/g)].map(([, code]) => code);
const ofOffice = under("src/office/http", ".rs").flatMap((path) =>
  [...rust(path).matchAll(/(?:Self|Problem)::new\((?:[^"()]|\([^()]*\))*?"(\w+)"/g)]
    .map(([, code]) => code)
    .filter((code) => !UNREAD.has(code)),
);
const ofWorker = under("www/src/core", ".ts").flatMap((path) =>
  [
    ...readFileSync(root + path, "utf8").matchAll(
      /(?:new (?:Client|Office|Storage)Error\(|return (?:response\.[^;]*\? )?|readonly code:[^,]*?|: )"(\w+)"/g,
    ),
  ].map(([, code]) => code),
);
const ofProvider = texts(bodies(rust("src/office/auth/openid.rs"), "code"));
const refusals = texts(bodies(rust("src/sync/message.rs").replace(/^[^]*impl RefusalCode/, ""), "as_str"));
for (const code of new Set([...ofCommands, ...ofCore, ...ofProvider])) covered("error", code);
for (const code of new Set([...ofOffice, ...refusals])) covered("office/error", code, "error", "word/refusal");
for (const code of new Set(ofOffice)) if (reachesPhones(code)) covered("error", code);
for (const code of refusals) covered("word/refusal", code);
for (const code of ["storage_full", "storage_failed", "newer_store", "storage_blocked", "storage_barred"]) {
  if (!ofWorker.includes(code) && !rust("www/src/core/store/database.ts").includes(`"${code}"`))
    complain(`${code}: nobody gives it`);
  covered("error", code);
}
const known = new Set([
  ...ofCommands,
  ...ofCore,
  ...ofOffice,
  ...ofProvider,
  ...ofWorker,
  ...refusals,
  "failed",
  "other",
]);
for (const key of en.keys()) {
  const code = key.slice(key.lastIndexOf("/") + 1);
  if (/^(error|office\/error)\//.test(key) && !known.has(code) && !named.has(code)) complain(`${key}: nobody gives it`);
}

/** What a collector's phone asks the office for: sign-in and rounds. */
function reachesPhones(code) {
  return !ELSEWHERE.has(code);
}

function covered(...places) {
  const code = places.splice(1, 1)[0];
  if (!places.some((place) => en.has(`${place}/${code}`))) complain(`${places[0]}/${code}: no sentence`);
}

function texts(source) {
  return [...source.matchAll(/"([\w-]+)"/g)].map(([, text]) => text);
}

function same(head, wanted) {
  const have = [...en.keys()].filter((key) => key.startsWith(head)).map((key) => key.slice(head.length));
  for (const word of wanted) if (!have.includes(word)) complain(`${head}${word}: missing`);
  for (const word of have) if (!wanted.includes(word)) complain(`${head}${word}: no such word in the record`);
}

if (problems.length > 0) throw new Error(`words:\n  ${problems.join("\n  ")}`);
process.stdout.write(`words: ${en.size} in each language, none missing, none left over\n`);
