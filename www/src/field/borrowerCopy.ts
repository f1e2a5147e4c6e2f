/** Contents of the borrower's copy, in the language set by `inLanguage`. */
import type { Lender } from "../core/api";
import type { OptionView, Plan, VisitView } from "../wasm/doorstep";
import { t, word, type Lang } from "../i18n";
import { formatCount, formatDate, formatDateTime, formatMoney } from "../ui/format";
import { planText } from "./PlanTable";
import { planOf } from "./usePlan";

export type Plans = Map<string, Plan | null>;

export interface Table {
  caption: string;
  head: string[];
  rows: string[][];
  note: string;
}

export interface Copy {
  lender: string;
  title: string;
  intro: string;
  sections: { title: string; lines: [string, string][]; tables: Table[] }[];
  footer: string[];
}

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

export function borrowerCopy(view: VisitView, lender: Lender, plans: Plans): Copy {
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
          ]
        : [],
      tables: [],
    },
    {
      title: t("outcome/payments"),
      lines: view.payments.map(({ amount, at: paid, channel, reference }) => [
        formatDateTime(paid, facts.zone),
        [money(amount), channel, reference].filter(Boolean).join(" · "),
      ]),
      tables: [],
    },
    { title: word("field", "feedback"), lines: [["", view.feedback.trim()]], tables: [] },
    { title: t("copy/complain"), lines: [["", lender.complaints]], tables: [] },
  ];
  const filled = sections.map((section) => ({ ...section, lines: section.lines.filter(([, text]) => text !== "") }));
  const sealed = view.seal ? [t("copy/sealed", { at: formatDateTime(view.seal.at, zone) })] : [t("copy/not_sealed")];
  return {
    lender: lender.name,
    title: t("copy/title"),
    intro: t("copy/intro"),
    sections: filled.filter(({ lines }) => lines.length > 0),
    footer: [...sealed, t("copy/cash")],
  };
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
