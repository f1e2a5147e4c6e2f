/**
 * Checks the translations of both languages: no key is missing, none is unused, and every value of
 * the record's enumerations and every error code of the core, the worker and the office has a text.
 */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const root = fileURLToPath(new URL("../../", import.meta.url));
const problems = [];
const problem = (text) => problems.push(text);

/** Files under a folder by the ends of their names; paths from the root. */
const under = (folder, ...ends) =>
  readdirSync(root + folder, { recursive: true })
    .filter((name) => ends.some((end) => name.endsWith(end)))
    .map((name) => `${folder}/${name}`);

const flat = (tree, at = "") =>
  Object.entries(tree).flatMap(([key, value]) =>
    typeof value === "string" ? [[`${at}${key}`, value]] : flat(value, `${at}${key}/`),
  );
/** All keys of a language; those of `office.*.json` and `conduct.*.json` get the name of the file as prefix. */
const translations = (lang) =>
  new Map(
    under("www/src/i18n", `${lang}.json`).flatMap((path) => {
      const tree = JSON.parse(readFileSync(root + path, "utf8"));
      const part = /\/(office|conduct)\./.exec(path)?.[1];
      return flat(part ? { [part]: tree } : tree);
    }),
  );
const [en, zh] = ["en", "zh-CN"].map(translations);

/** The text for the key in the other language, whose plural forms may differ. */
const counterpart = (key, other) => other.get(key) ?? other.get(key.replace(/_(one|other)$/, "_other"));
/** The key without its plural form, as pages name it. */
const withoutPlural = (key) => key.replace(/_(one|other)$/, "");

// Both languages have the same keys and placeholders.
const values = (text) =>
  [...text.matchAll(/{{(\w+)}}/g)]
    .map(([, name]) => name)
    .sort()
    .join(" ");
for (const [key, text] of en) {
  const other = counterpart(key, zh);
  if (other === undefined) problem(`${key}: not in Chinese`);
  else if (values(text) !== values(other)) problem(`${key}: different placeholders in the two languages`);
}
for (const key of zh.keys()) if (!counterpart(key, en)) problem(`${key}: not in English`);
for (const [key, text] of [...en, ...zh]) if (text.trim() === "") problem(`${key}: empty`);

// Keys that the pages use. That they exist is checked by the type of `t`.
const sections = new Set([...en.keys()].map((key) => key.split("/")[0]));
/** Whole keys, and prefixes of keys that are composed. */
const used = new Set();
const prefixes = new Set();
const visit = (node, each) => {
  each(node);
  ts.forEachChild(node, (child) => visit(child, each));
};
const config = ts.getParsedCommandLineOfConfigFile(
  `${root}www/tsconfig.json`,
  {},
  { ...ts.sys, onUnRecoverableConfigFileDiagnostic: problem },
);
const program = ts.createProgram(config.fileNames, config.options);
const checker = program.getTypeChecker();
/** The string literals of a value's type, or null if it may be another string. */
const literalsOf = (node) => {
  const type = checker.getTypeAtLocation(node);
  const types = type.isUnion() ? type.types : [type];
  return types.every((one) => one.isStringLiteral()) ? types.map(({ value }) => value) : null;
};
const ours = program.getSourceFiles().filter(({ fileName }) => /\/www\/src\/(core|field|office|ui)\//.test(fileName));
for (const source of ours) {
  visit(source, (node) => {
    if (ts.isStringLiteralLike(node)) used.add(node.text);
    if (ts.isTemplateExpression(node) && node.head.text.includes("/")) {
      const [{ expression, literal }, ...more] = node.templateSpans;
      const texts = more.length === 0 && literalsOf(expression);
      if (texts) texts.forEach((text) => used.add(node.head.text + text + literal.text));
      else prefixes.add(node.head.text);
    }
    if (!ts.isCallExpression(node) || !ts.isIdentifier(node.expression)) return;
    const [first] = node.arguments;
    if (!first || !ts.isStringLiteralLike(first)) return;
    if (node.expression.text === "word") prefixes.add(`word/${first.text}/`);
  });
}
/** Their keys come from values of the record and from rule layers. */
const vocabularies = /^(word|conduct)\//;
const coded = /^(error|problem|office\/error|word\/refusal)\//;
for (const key of en.keys()) {
  // After a prefix that is a whole section, the rest of the key must occur as a string of its own.
  const follows = (head) =>
    key.startsWith(head) && (!sections.has(head.slice(0, -1)) || used.has(key.slice(head.length)));
  const isUsed = used.has(key) || used.has(withoutPlural(key)) || [...prefixes].some(follows) || vocabularies.test(key);
  if (!isUsed && !coded.test(key)) problem(`${key}: unused`);
}

// Enumerations of the record, from the generated types.
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
  if (!union) problem(`no type ${type}`);
  same(`word/${vocabulary}/`, texts(union ?? ""));
}

// Error codes, from the source that gives them.
/** Given to the console and to programs only. */
const NOT_FOR_PHONES = new Set([
  "already_accepted",
  "audit_decided",
  "complaint_decided",
  "complaint_open",
  "export_changed",
  "extension_not_allowed",
  "import_running",
  "import_unchecked",
  "last_admin",
  "method_not_allowed",
  "name_taken",
  "no_pages",
  "no_sheet",
  "not_a_collector",
  "nothing_to_export",
  "other_file",
  "own_audit",
  "reason_needed",
  "too_many_imports",
  "too_many_views",
  "record_moved",
  "unknown_quarantine",
]);
/** Never shown: pages show `office_busy` for the first, and the second is for monitoring. */
const NOT_SHOWN = new Set(["rate_limited", "not_ready", "report_token"]);
const rust = (path) => readFileSync(root + path, "utf8");
const bodies = (text, name) => [...text.matchAll(new RegExp(`fn ${name}\\([^]*?\\n    }\\n`, "g"))].join("");
const ofCommands = under("src/record", ".rs").flatMap((path) => texts(bodies(rust(path), "code")));
const ofCore = [
  ...["src/wasm.rs", ...under("src/wasm", ".rs")]
    .map(rust)
    .join("")
    .matchAll(/thrown\(\s*"(\w+)"/g),
].map(([, code]) => code);
const ofOffice = under("src/office/http", ".rs").flatMap((path) =>
  [...rust(path).matchAll(/(?:Self|Problem)::new\((?:[^"()]|\([^()]*\))*?"(\w+)"/g)]
    .map(([, code]) => code)
    .filter((code) => !NOT_SHOWN.has(code)),
);
const ofWorker = under("www/src/core", ".ts").flatMap((path) =>
  [
    ...readFileSync(root + path, "utf8").matchAll(
      /(?:new (?:Client|Office|Storage)Error\(|return (?:response\.[^;]*\? )?|readonly code:[^,]*?|: )"(\w+)"/g,
    ),
  ].map(([, code]) => code),
);
const ofApprovals = texts(bodies(rust("src/office/approvals/refusal.rs"), "code"));
const ofProvider = texts(bodies(rust("src/office/auth/openid.rs"), "code"));
const refusals = texts(/^export type RefusalCode = (.+);$/m.exec(types)?.[1] ?? "");
for (const code of new Set([...ofCommands, ...ofCore, ...ofProvider])) covered("error", code);
for (const code of new Set([...ofOffice, ...ofApprovals, ...refusals]))
  covered("office/error", code, "error", "word/refusal");
for (const code of new Set(ofOffice)) if (reachesPhones(code)) covered("error", code);
for (const code of refusals) covered("word/refusal", code);
for (const code of ["storage_full", "storage_failed", "newer_store", "storage_blocked", "storage_barred"]) {
  if (!ofWorker.includes(code) && !rust("www/src/core/store/database.ts").includes(`"${code}"`))
    problem(`${code}: no source gives it`);
  covered("error", code);
}
const known = new Set([
  ...ofCommands,
  ...ofCore,
  ...ofOffice,
  ...ofApprovals,
  ...ofProvider,
  ...ofWorker,
  ...refusals,
  "failed",
  "other",
]);
for (const key of en.keys()) {
  const code = key.slice(key.lastIndexOf("/") + 1);
  if (/^(error|office\/error)\//.test(key) && !known.has(code) && !used.has(code))
    problem(`${key}: no source gives it`);
}

/** Whether a collector's phone can get a code: at the sign-in or in a round. */
function reachesPhones(code) {
  return !NOT_FOR_PHONES.has(code);
}

function covered(...places) {
  const code = places.splice(1, 1)[0];
  if (!places.some((place) => en.has(`${place}/${code}`))) problem(`${places[0]}/${code}: no text`);
}

function texts(source) {
  return [...source.matchAll(/"([\w-]+)"/g)].map(([, text]) => text);
}

function same(head, wanted) {
  const have = [...en.keys()].filter((key) => key.startsWith(head)).map((key) => key.slice(head.length));
  for (const word of wanted) if (!have.includes(word)) problem(`${head}${word}: missing`);
  for (const word of have) if (!wanted.includes(word)) problem(`${head}${word}: not in the record`);
}

if (problems.length > 0) throw new Error(`translations:\n  ${problems.join("\n  ")}`);
process.stdout.write(`translations: ${en.size} English texts, none missing, none unused\n`);
