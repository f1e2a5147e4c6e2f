/** Refused work on a record, compared with the office's version, and the choice of what to add again. */
import { Fragment, type JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { RefusedField, FieldValue, RefusedWork, VisitView } from "../wasm/doorstep";
import { t, word } from "../i18n";
import { fieldName, formatField, phoneNumber } from "../ui/format";
import { Alert, useBusy } from "../ui/components";
import { ScrollableText } from "../ui/ScrollableText";
import { TEXT_TOO_LONG, refusalReason } from "../ui/refusalReason";
import { recordChanged, client, explain, rows, showToast } from "./state";

export function RefusedWork({ view }: { view: VisitView }): JSX.Element | null {
  const problem = rows.value?.find((row) => row.id === view.id)?.problem ?? "";
  return problem.startsWith("refused_") ? <RefusedPanel view={view} key={problem} /> : null;
}

function RefusedPanel({ view }: { view: VisitView }): JSX.Element | null {
  const [work, setWork] = useState<RefusedWork | null>(null);
  const [excluded, setExcluded] = useState<ReadonlySet<string>>(new Set());
  const [error, setError] = useState<string | null>(null);
  const [busy, run] = useBusy();
  useEffect(() => {
    let live = true;
    const load = (): void =>
      void client.refusedWork(view.id).then(
        (next) => live && setWork(next),
        () => live && setWork(null),
      );
    load();
    const stop = recordChanged.subscribe((event) => event?.id === view.id && load());
    return () => {
      live = false;
      stop();
    };
  }, [view.id, view.heads.join()]);
  if (!work) return null;
  const why = refusalReason(work.code, work.path);
  const units = groupByUnit(work.fields);
  const sealed = view.stage === "sealed" || view.stage === "reviewed";
  const picked = units.filter(({ unit }) => !excluded.has(unit));
  const rewritten = picked.filter(({ again }) => again).map(({ unit }) => unit);
  const amended = sealed ? picked.filter((one) => amendable(one)) : [];
  const resolve = (): Promise<void> =>
    run(async () => {
      setError(null);
      try {
        const amendments = await Promise.all(
          amended.flatMap((one) =>
            amendmentTexts(one, view).map(async (text) => ({ id: await client.newId(), ...text })),
          ),
        );
        await client.resolveRefused(view.id, rewritten, amendments);
        showToast({ text: t("record/refused_done") });
      } catch (cause) {
        setError(explain(cause));
      }
    });
  const toggle = (unit: string): void => {
    const next = new Set(excluded);
    if (!next.delete(unit)) next.add(unit);
    setExcluded(next);
  };
  return (
    <section
      data-testid="refused"
      aria-labelledby="refused"
      class="border-error bg-base-100 rounded-box flex flex-col gap-4 border-[1.5px] p-4"
    >
      <div class="flex flex-col gap-1">
        <h2 id="refused" class="text-error section-title">
          {t("record/refused_title")}
        </h2>
        <p>{t("record/refused", { message: word("refusal", why) })}</p>
        {work.path && <p class="muted text-sm">{t("record/refused_field", { field: fieldName(work.path) })}</p>}
        <p class="muted text-sm">{t("record/refused_kept")}</p>
      </div>
      {work.accepted !== null && (
        <Alert tone={work.accepted ? "info" : "warning"}>
          <p>{t(work.accepted ? "record/refused_accepted" : "record/refused_dismissed")}</p>
          {work.reason && <p class="whitespace-pre-line">{work.reason}</p>}
        </Alert>
      )}
      <p>
        {t(units.length === 0 ? "record/refused_nothing" : sealed ? "record/refused_way_sealed" : "record/refused_way")}
      </p>
      {why === TEXT_TOO_LONG && <p>{t("record/refused_shorten")}</p>}
      <ul class="flex flex-col gap-3 empty:hidden">
        {units.map((one) => (
          <RefusedUnit
            key={one.unit}
            {...one}
            view={view}
            method={one.again ? "write" : sealed && amendable(one) ? "amend" : null}
            included={!excluded.has(one.unit)}
            toggle={() => toggle(one.unit)}
          />
        ))}
      </ul>
      {error && <Alert tone="error">{error}</Alert>}
      <button type="button" class="btn btn-primary" disabled={busy} onClick={() => void resolve()}>
        {amended.length > 0
          ? t("record/refused_amend_all", { n: amended.length })
          : rewritten.length > 0
            ? t("record/refused_again", { n: rewritten.length })
            : t("record/take_copy")}
      </button>
    </section>
  );
}

interface UnitProps {
  unit: string;
  fields: RefusedField[];
  again: boolean;
}

/** How a unit can be added to the record again; null if not at all. */
type Method = "write" | "amend" | null;

/** A seal covers what its author saw, so it must be given again and cannot be added as an amendment. */
function amendable({ unit, again }: UnitProps): boolean {
  return !again && unit !== "seal" && !unit.startsWith("seal.");
}

/** Maximum length of an amendment in characters, as in the schema (`REMARK`). */
const MAX_AMENDMENT = 4_000;

/** The amendments that contain a unit's fields; if a field only adds to the office's text, just the addition. */
function amendmentTexts({ unit, fields }: UnitProps, view: VisitView): { path: string; text: string }[] {
  const lines = fields.map(({ path, refused, office }) => {
    const text = valueText(path, refused, view);
    const before = valueText(path, office, view);
    const added = text.startsWith(before) ? text.slice(before.length).trim() : text;
    return path === unit ? added || text : `${fieldName(path)}: ${text}`;
  });
  const characters = [...lines.join("\n")];
  const parts = Math.max(1, Math.ceil(characters.length / MAX_AMENDMENT));
  return Array.from({ length: parts }, (_, at) => ({
    path: unit,
    text: characters.slice(at * MAX_AMENDMENT, (at + 1) * MAX_AMENDMENT).join(""),
  }));
}

function valueText(path: string, value: FieldValue, view: VisitView): string {
  if (value.type === "nothing") return "–";
  if (value.type === "text" && path.endsWith(".number_ref")) return phoneNumber(value.value, view.case.phones);
  return formatField(path, value, view.case.currency, view.case.zone);
}

function RefusedUnit(
  props: UnitProps & { view: VisitView; method: Method; included: boolean; toggle: () => void },
): JSX.Element {
  const { unit, fields, view, method, included, toggle } = props;
  /** The office has no part of the entry, so there is nothing to compare. */
  const isNew = fields.length > 1 && fields.every(({ office }) => office.type === "nothing");
  return (
    <li class="border-base-300 rounded-box border p-3" data-unit={unit}>
      {method ? (
        <label class="flex min-h-11 cursor-pointer items-center gap-3 font-semibold">
          <input type="checkbox" class="checkbox min-h-0" checked={included} onChange={toggle} />
          {t(method === "write" ? "record/refused_write" : "record/refused_amend", { field: fieldName(unit) })}
        </label>
      ) : (
        <p class="font-semibold">
          {fieldName(unit)} <span class="muted font-normal">· {t("record/refused_not_yours")}</span>
        </p>
      )}
      {isNew ? (
        <dl class="grid grid-cols-[minmax(0,2fr)_minmax(0,3fr)] gap-x-3 gap-y-1 pt-2 text-sm">
          {fields.map(({ path, refused }) => (
            <Fragment key={path}>
              <dt class="muted">{fieldName(path)}</dt>
              <dd class="min-w-0 break-words whitespace-pre-line">
                <ScrollableText label={fieldName(path)} text={valueText(path, refused, view)} />
              </dd>
            </Fragment>
          ))}
          <dt class="muted">{t("record/refused_office")}</dt>
          <dd>–</dd>
        </dl>
      ) : (
        fields.map(({ path, refused, office }) => (
          <div key={path} class="pt-2 text-sm">
            {path !== unit && <p class="muted">{fieldName(path)}</p>}
            <dl class="grid grid-cols-2 gap-x-3">
              <Version label={t("record/refused_yours")} text={valueText(path, refused, view)} />
              <Version label={t("record/refused_office")} text={valueText(path, office, view)} />
            </dl>
          </div>
        ))
      )}
    </li>
  );
}

function Version({ label, text }: { label: string; text: string }): JSX.Element {
  return (
    <div class="min-w-0">
      <dt class="muted text-xs">{label}</dt>
      <dd class="break-words whitespace-pre-line">
        <ScrollableText label={label} text={text} />
      </dd>
    </div>
  );
}

/** Fields grouped by unit; a unit is added again as a whole. */
function groupByUnit(fields: RefusedField[]): UnitProps[] {
  const units = new Map<string, UnitProps>();
  for (const field of fields) {
    const one = units.get(field.unit) ?? { unit: field.unit, fields: [], again: true };
    one.fields.push(field);
    one.again &&= field.again;
    units.set(field.unit, one);
  }
  return [...units.values()];
}
