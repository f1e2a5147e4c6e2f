/** Assigns the chosen records: collectors, day and priority, with what each collector would get. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { t, word } from "../../i18n";
import { Alert, Choices, Dialog, Select, TextField } from "../../ui/components";
import { formatCount } from "../../ui/format";
import { api, type OfficeRow } from "../api";
import { collectors, displayName, explain } from "../state";
import { planChanges, run, SPREADS, type Plan, type Spread } from "./bulk";

const PRIORITIES = ["1", "2", "3"] as const;
const DUE = ["set", "none"] as const;

/** Stages in which a record is still a collector's work. */
const OPEN_STAGES = "assigned,contacted,scheduled,on_site,recorded";

export function BulkDialog({ rows, onClose }: { rows: OfficeRow[]; onClose: () => void }): JSX.Element {
  const [names, setNames] = useState<string[]>([]);
  const [spread, setSpread] = useState<Spread>("share");
  const [due, setDue] = useState<(typeof DUE)[number] | "">("");
  const [day, setDay] = useState("");
  const [priority, setPriority] = useState<(typeof PRIORITIES)[number] | "">("");
  const others = [...new Set(rows.flatMap((row) => row.collectors))].filter((name) => !names.includes(name)).sort();
  const { loads, error } = useLoads(names.length > 0 ? [...names, ...others] : []);
  const plan: Plan = { spread };
  if (names.length > 0) plan.collectors = names;
  if (due === "none") plan.due_by = "";
  if (due === "set" && day) plan.due_by = day;
  if (priority) plan.priority = Number(priority);
  const changes = planChanges(rows, plan, loads);
  const ready = Object.keys(plan).length > 1 && !(due === "set" && !day) && names.every((name) => loads.has(name));
  const choices = collectors.value.filter((user) => !user.disabled);
  return (
    <Dialog
      title={t("office/bulk/title", { n: rows.length })}
      onClose={onClose}
      actions={
        <button
          type="button"
          class="btn btn-primary"
          disabled={!ready}
          onClick={() => {
            void run(changes);
            onClose();
          }}
        >
          {t("office/bulk/apply", { n: rows.length })}
        </button>
      }
    >
      <fieldset class="flex flex-col gap-1" data-testid="bulk-collectors">
        <legend class="label-text pb-1">{t("office/bulk/collectors")}</legend>
        <div class="border-base-300 rounded-field max-h-48 overflow-y-auto border px-2">
          {choices.map((user) => (
            <label key={user.name} class="flex min-h-9 items-center gap-2 text-sm">
              <input
                type="checkbox"
                class="checkbox checkbox-sm min-h-0 rounded"
                checked={names.includes(user.name)}
                onChange={(event) =>
                  setNames(
                    event.currentTarget.checked ? [...names, user.name] : names.filter((name) => name !== user.name),
                  )
                }
              />
              {displayName(user.name)}
            </label>
          ))}
        </div>
      </fieldset>
      {names.length > 1 && (
        <Choices
          label={t("office/bulk/several")}
          options={SPREADS}
          look="segments"
          value={spread}
          word={(option) => t(`office/bulk/${option}`)}
          onChange={setSpread}
        />
      )}
      {error && <Alert tone="error">{error}</Alert>}
      {names.length > 0 && (
        <Preview
          names={[...names, ...others]}
          loads={loads}
          rows={rows}
          changes={changes}
          byArea={spread === "area" && names.length > 1}
        />
      )}
      <div class="grid grid-cols-2 gap-3">
        <Select
          label={t("office/due_by")}
          options={DUE}
          value={due}
          empty={t("office/bulk/leave")}
          word={(option) => t(`office/bulk/due_${option}`)}
          onChange={setDue}
        />
        {due === "set" && <TextField label={t("office/bulk/day")} type="date" value={day} onInput={setDay} />}
        <Select
          label={word("field", "assignment.priority")}
          options={PRIORITIES}
          value={priority}
          empty={t("office/bulk/leave")}
          word={(option) => word("priority", option)}
          onChange={setPriority}
        />
      </div>
    </Dialog>
  );
}

/** Open records of each collector who gets or loses some: now, the difference, and after. */
function Preview(props: {
  names: string[];
  loads: ReadonlyMap<string, number>;
  rows: OfficeRow[];
  changes: ReturnType<typeof planChanges>;
  byArea: boolean;
}): JSX.Element {
  const { rows, changes } = props;
  // Sealed records are no collector's work any more.
  const isOpen = (row: OfficeRow): boolean => !["sealed", "reviewed"].includes(row.stage);
  const has = (name: string): number => rows.filter((row) => isOpen(row) && row.collectors.includes(name)).length;
  const getting = (name: string) => changes.filter(({ row, set }) => isOpen(row) && set.collectors?.includes(name));
  const areas = (name: string): string[] => [...new Set(getting(name).map(({ row }) => row.area))].filter(Boolean);
  return (
    <table class="table-sm table" data-testid="bulk-preview">
      <caption class="sr-only">{t("office/bulk/preview")}</caption>
      <thead>
        <tr class="text-base-content">
          <th scope="col">{t("office/collector")}</th>
          <th scope="col" class="text-right">
            {t("office/bulk/now")}
          </th>
          <th scope="col" class="text-right">
            {t("office/bulk/change")}
          </th>
          <th scope="col" class="text-right">
            {t("office/bulk/after")}
          </th>
          {props.byArea && <th scope="col">{t("office/bulk/areas")}</th>}
        </tr>
      </thead>
      <tbody>
        {props.names.map((name) => {
          const difference = getting(name).length - has(name);
          const load = props.loads.get(name);
          return (
            <tr key={name} data-collector={name}>
              <th scope="row" class="font-normal">
                {displayName(name)}
              </th>
              <td class="text-right tabular-nums">{load === undefined ? "…" : formatCount(load)}</td>
              <td class="text-right font-semibold tabular-nums">
                {difference > 0 ? `+${formatCount(difference)}` : formatCount(difference)}
              </td>
              <td class="text-right tabular-nums">{load === undefined ? "…" : formatCount(load + difference)}</td>
              {props.byArea && <td class="text-xs">{areas(name).join(", ")}</td>}
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

/** Open records of collectors, read once for each. */
function useLoads(names: readonly string[]): { loads: ReadonlyMap<string, number>; error: string | null } {
  const [loads, setLoads] = useState<ReadonlyMap<string, number>>(new Map());
  const [error, setError] = useState<string | null>(null);
  useEffect(() => {
    for (const name of names) {
      if (loads.has(name)) continue;
      const query = new URLSearchParams({ collector: name, stage: OPEN_STAGES, limit: "1" });
      api.visits(query.toString()).then(
        ({ total }) => setLoads((known) => new Map(known).set(name, total)),
        (cause: unknown) => setError(explain(cause)),
      );
    }
  }, [names.join()]);
  return { loads, error };
}
