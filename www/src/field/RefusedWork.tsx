/** Work on a record that the office refused: why, side by side with what it has, and the way on. */
import { Fragment, type JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { RefusedField, FieldValue, RefusedWork, VisitView } from "../wasm/doorstep";
import { t, word } from "../i18n";
import { fieldName, formatField, phoneNumber } from "../ui/format";
import { Alert, useBusy } from "../ui/components";
import { ScrollableText } from "../ui/ScrollableText";
import { TEXT_TOO_LONG, refusalReason } from "../ui/refusalReason";
import { changed, client, explain, rows, showToast } from "./state";

export function Refused({ view }: { view: VisitView }): JSX.Element | null {
  const problem = rows.value?.find((row) => row.id === view.id)?.problem ?? "";
  return problem.startsWith("refused_") ? <Open view={view} key={problem} /> : null;
}

function Open({ view }: { view: VisitView }): JSX.Element | null {
  const [work, setWork] = useState<RefusedWork | null>(null);
  const [left, setLeft] = useState<ReadonlySet<string>>(new Set());
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
    const stop = changed.subscribe((event) => event?.id === view.id && load());
    return () => {
      live = false;
      stop();
    };
  }, [view.id, view.heads.join()]);
  if (!work) return null;
  const why = refusalReason(work.code, work.path);
  const units = grouped(work.fields);
  const sealed = view.stage === "sealed" || view.stage === "reviewed";
  const picked = units.filter(({ unit }) => !left.has(unit));
  const rewritten = picked.filter(({ again }) => again).map(({ unit }) => unit);
  const amended = sealed ? picked.filter((one) => amendable(one)) : [];
  const settle = (): Promise<void> =>
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
    const next = new Set(left);
    if (!next.delete(unit)) next.add(unit);
    setLeft(next);
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
        {work.path && <p class="muted text-sm">{t("record/refused_about", { field: fieldName(work.path) })}</p>}
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
          <Unit
            key={one.unit}
            {...one}
            view={view}
            way={one.again ? "write" : sealed && amendable(one) ? "amend" : null}
            on={!left.has(one.unit)}
            toggle={() => toggle(one.unit)}
          />
        ))}
      </ul>
      {error && <Alert tone="error">{error}</Alert>}
      <button type="button" class="btn btn-primary" disabled={busy} onClick={() => void settle()}>
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

/** How a unit goes back into the record: written again, as an amendment, or not at all. */
type Way = "write" | "amend" | null;

/** A seal is the word for what its author had before them: it is given again, never amended. */
function amendable({ unit, again }: UnitProps): boolean {
  return !again && unit !== "seal" && !unit.startsWith("seal.");
}

/** The longest text of one amendment, as the schema has it (`REMARK`). */
const MOST_OF_AMENDMENT = 4_000;

/** What a unit says, as texts of amendments: field by field, of a longer text only what was added. */
function amendmentTexts({ unit, fields }: UnitProps, view: VisitView): { path: string; text: string }[] {
  const lines = fields.map(({ path, refused, office }) => {
    const text = said(path, refused, view);
    const before = said(path, office, view);
    const added = text.startsWith(before) ? text.slice(before.length).trim() : text;
    return path === unit ? added || text : `${fieldName(path)}: ${text}`;
  });
  const characters = [...lines.join("\n")];
  const parts = Math.max(1, Math.ceil(characters.length / MOST_OF_AMENDMENT));
  return Array.from({ length: parts }, (_, at) => ({
    path: unit,
    text: characters.slice(at * MOST_OF_AMENDMENT, (at + 1) * MOST_OF_AMENDMENT).join(""),
  }));
}

function said(path: string, value: FieldValue, view: VisitView): string {
  if (value.type === "nothing") return "–";
  if (value.type === "text" && path.endsWith(".number_ref")) return phoneNumber(value.value, view.case.phones);
  return formatField(path, value, view.case.currency, view.case.zone);
}

function Unit(props: UnitProps & { view: VisitView; way: Way; on: boolean; toggle: () => void }): JSX.Element {
  const { unit, fields, view, way, on, toggle } = props;
  /** An entry that the office has nothing of needs no other side. */
  const unknown = fields.length > 1 && fields.every(({ office }) => office.type === "nothing");
  return (
    <li class="border-base-300 rounded-box border p-3" data-unit={unit}>
      {way ? (
        <label class="flex min-h-11 cursor-pointer items-center gap-3 font-semibold">
          <input type="checkbox" class="checkbox min-h-0" checked={on} onChange={toggle} />
          {t(way === "write" ? "record/refused_write" : "record/refused_amend", { field: fieldName(unit) })}
        </label>
      ) : (
        <p class="font-semibold">
          {fieldName(unit)} <span class="muted font-normal">· {t("record/refused_not_yours")}</span>
        </p>
      )}
      {unknown ? (
        <dl class="grid grid-cols-[minmax(0,2fr)_minmax(0,3fr)] gap-x-3 gap-y-1 pt-2 text-sm">
          {fields.map(({ path, refused }) => (
            <Fragment key={path}>
              <dt class="muted">{fieldName(path)}</dt>
              <dd class="min-w-0 break-words whitespace-pre-line">
                <ScrollableText label={fieldName(path)} text={said(path, refused, view)} />
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
              <Said by={t("record/refused_yours")} text={said(path, refused, view)} />
              <Said by={t("record/refused_office")} text={said(path, office, view)} />
            </dl>
          </div>
        ))
      )}
    </li>
  );
}

function Said({ by, text }: { by: string; text: string }): JSX.Element {
  return (
    <div class="min-w-0">
      <dt class="muted text-xs">{by}</dt>
      <dd class="break-words whitespace-pre-line">
        <ScrollableText label={by} text={text} />
      </dd>
    </div>
  );
}

/** Fields that are taken or left as one. */
function grouped(fields: RefusedField[]): UnitProps[] {
  const units = new Map<string, UnitProps>();
  for (const field of fields) {
    const one = units.get(field.unit) ?? { unit: field.unit, fields: [], again: true };
    one.fields.push(field);
    one.again &&= field.again;
    units.set(field.unit, one);
  }
  return [...units.values()];
}
