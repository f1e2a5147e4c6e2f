/** Contents of the borrower's copy, in the language set by `inLanguage`. */
import type { Lender } from "../core/api";
import type { OptionView, Plan, Receipt, VisitView } from "../wasm/doorstep";
import { t, word, type Lang } from "../i18n";
import { formatCount, formatDate, formatDateTime, formatMoney } from "../ui/format";
import { planText } from "./PlanTable";
import { planOf } from "./usePlan";

type Plans = Map<string, Plan | null>;

interface Table {
  caption: string;
  head: string[];
  rows: string[][];
  note: string;
}

export interface Copy {
  lender: string;
  title: string;
  intro: string;
  /** The code that the office verifies, on a receipt. */
  code?: string;
  /** Whether the office had confirmed the entry when the copy was made. */
  status?: { confirmed: boolean; text: string };
  sections: Section[];
  footer: string[];
}

interface Section {
  title: string;
  lines: [string, string][];
  tables: Table[];
}

/** What a copy is made of besides the record. */
export interface CopySources {
  lender: Lender;
  plans: Plans;
  receipts: Receipt[];
  /** The office has everything on the record. */
  confirmed: boolean;
  practice: boolean;
  /** When the copy is made, ms. */
  now: number;
}

/** The entry of the promise, as the core names it. */
const PROMISE = "promise";

/** The borrower's preferred language, if the copy is available in it. */
export function preferredLanguage(view: VisitView): Lang | null {
  const tag = view.case.preferred_language.toLowerCase();
  if (tag.startsWith("zh")) return "zh-CN";
  return tag.startsWith("en") ? "en" : null;
}

/** Plans by option id. */
export async function loadPlans(view: VisitView): Promise<Plans> {
  const plans = view.talk.options.map(async (option) => [option.id, await planOf(option)] as const);
  return new Map(await Promise.all(plans));
}

/** The code of an entry, as a line of a section. */
const codeLine = (receipts: Receipt[], entry: string): [string, string] => [
  t("receipt/code"),
  receipts.find((receipt) => receipt.entry === entry)?.code ?? "",
];

export function borrowerCopy(view: VisitView, { lender, plans, receipts, practice }: CopySources): Copy {
  const { case: facts, visit, talk } = view;
  const money = (minor: number): string => formatMoney(minor, facts.currency);
  const zone = visit.zone || facts.zone;
  const at = visit.arrived_at === null ? "" : formatDateTime(visit.arrived_at, zone);
  const { promise } = talk;
  const sections: Copy["sections"] = [
    {
      title: t("copy/visit"),
      lines: [
        [word("field", "case.borrower_name"), facts.borrower_name],
        [word("field", "case_no"), view.case_no],
        [word("field", "case.overdue"), money(facts.overdue)],
        [word("field", "visit.arrived_at"), at],
        [t("copy/visitors"), visit.visitors.join(", ")],
      ],
      tables: [],
    },
    {
      title: word("field", "talk.options"),
      lines: talk.options.map((option) => optionLine(option, talk.chosen_option, plans, facts.currency)),
      tables: talk.options
        .filter(({ id }) => id === talk.chosen_option)
        .flatMap((option) => schedule(option, plans.get(option.id) ?? null, money)),
    },
    {
      title: t("talk/promise"),
      lines: promise
        ? [
            [word("field", "talk.promise.amount"), money(promise.amount)],
            [word("field", "talk.promise.due_date"), formatDate(promise.due_date)],
            [word("field", "talk.promise.channel"), promise.channel],
            codeLine(receipts, PROMISE),
          ]
        : [],
      tables: [],
    },
    {
      title: t("outcome/payments"),
      lines: view.payments.flatMap(({ id, amount, at: paid, channel, reference }) => [
        [formatDateTime(paid, facts.zone), [money(amount), channel, reference].filter(Boolean).join(" · ")],
        codeLine(receipts, id),
      ]),
      tables: [],
    },
    { title: word("field", "feedback"), lines: [["", view.feedback.trim()]], tables: [] },
    ...(receipts.length > 0 ? [verifySection()] : []),
    complainSection(lender),
  ];
  const sealed = view.seal ? [t("copy/sealed", { at: formatDateTime(view.seal.at, zone) })] : [t("copy/not_sealed")];
  return {
    lender: lender.name,
    title: t("copy/title"),
    intro: t("copy/intro"),
    sections: filled(sections),
    footer: [...sealed, t("copy/cash"), ...(practice ? [t("receipt/practice")] : [])],
  };
}

/** The receipt for one payment or the promise; null if the record does not have it. */
export function receiptCopy(view: VisitView, entry: string, sources: CopySources): Copy | null {
  const { case: facts, talk } = view;
  const { lender, receipts, confirmed, practice, now } = sources;
  const code = receipts.find((receipt) => receipt.entry === entry)?.code;
  const payment = view.payments.find(({ id }) => id === entry);
  const promise = entry === PROMISE ? talk.promise : null;
  if (code === undefined || (!payment && !promise)) return null;
  const money = (minor: number): string => formatMoney(minor, facts.currency);
  const lines: [string, string][] = payment
    ? [
        [t("receipt/amount"), money(payment.amount)],
        [t("receipt/paid_at"), formatDateTime(payment.at, facts.zone)],
        [t("receipt/channel"), payment.channel],
        [t("receipt/reference"), payment.reference],
        [t("receipt/by"), payment.by],
      ]
    : [
        [t("receipt/amount"), money(promise?.amount ?? 0)],
        [t("receipt/due_date"), formatDate(promise?.due_date ?? "")],
        [t("receipt/channel"), promise?.channel ?? ""],
      ];
  const at = formatDateTime(now, facts.zone);
  return {
    lender: lender.name,
    title: t(payment ? "receipt/title_payment" : "receipt/title_promise"),
    intro: t(payment ? "receipt/intro_payment" : "receipt/intro_promise"),
    code,
    status: { confirmed, text: t(confirmed ? "receipt/confirmed" : "receipt/not_confirmed", { at }) },
    sections: filled([
      {
        title: t("receipt/facts"),
        lines: [
          [word("field", "case.borrower_name"), facts.borrower_name],
          [word("field", "case_no"), view.case_no],
          ...lines,
        ],
        tables: [],
      },
      verifySection(),
      complainSection(lender),
    ]),
    footer: [t("copy/cash"), ...(practice ? [t("receipt/practice")] : [])],
  };
}

const verifySection = (): Section => ({
  title: t("receipt/verify"),
  lines: [["", t("receipt/verify_text")]],
  tables: [],
});

/** How to complain is on every copy. */
const complainSection = ({ complaints }: Lender): Section => ({
  title: t("copy/complain"),
  lines: [["", complaints || t("copy/complain_unknown")]],
  tables: [],
});

function filled(sections: Section[]): Section[] {
  const lines = sections.map((section) => ({ ...section, lines: section.lines.filter(([, text]) => text !== "") }));
  return lines.filter((section) => section.lines.length > 0);
}

/** A copy as plain text, for messages. */
export function copyText(copy: Copy): string {
  const sections = copy.sections.map(({ title, lines, tables }) =>
    [
      title,
      ...lines.map(([label, text]) => (label ? `${label}: ${text}` : text)),
      ...tables.flatMap(({ caption, rows, note }) => [caption, ...rows.map((row) => row.join("  ")), note]),
    ]
      .filter(Boolean)
      .join("\n"),
  );
  const code = copy.code ? `${t("receipt/code")}: ${copy.code}` : "";
  const head = [copy.lender, copy.title, code, copy.status?.text].filter(Boolean).join("\n");
  return [head, ...sections, copy.footer.join("\n")].join("\n\n");
}

function optionLine(option: OptionView, chosen: string | null, plans: Plans, currency: string): [string, string] {
  const plan = plans.get(option.id);
  const terms = plan ? planText(plan, currency) : formatMoney(option.amount, currency);
  const first = option.first_due ? t("copy/from", { date: formatDate(option.first_due) }) : "";
  const mark = option.id === chosen ? t("talk/choose") : "";
  return [word("option", option.kind), [terms, first, mark].filter(Boolean).join("\n")];
}

function schedule(option: OptionView, plan: Plan | null, money: (minor: number) => string): Table[] {
  if (!plan) return [];
  const payments = plan.instalments.map(({ number, due_date, amount }) => [
    formatCount(number),
    formatDate(due_date),
    money(amount),
  ]);
  return [
    {
      caption: t("copy/schedule"),
      head: [t("plan/number"), t("plan/due"), t("plan/amount")],
      rows: [...payments, [t("plan/total"), "", money(option.amount)]],
      note: plan.rounding > 0 ? t("plan/rounding", { amount: money(plan.rounding) }) : "",
    },
  ];
}
