/** The list's filters and sort order, and exports of the filtered list. */
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { t, word } from "../i18n";
import { Field, Select } from "../ui/components";
import { HOLDS } from "../ui/holds";
import { directionOf, FORMATS, hasFilters, officeQuery, REVIEWS, SORTS, sortOf, STAGES } from "./listQuery";
import { isNarrow } from "./layout";
import { collectors } from "./state";

/** A pause in typing after which the list is loaded. */
const PAUSE_MS = 250;

export function ListFilters(props: {
  search: string;
  onChange: (key: string, value: string) => void;
  onClear: () => void;
}): JSX.Element {
  const { search, onChange } = props;
  const filters = new URLSearchParams(search);
  const chosen = <T extends string>(key: string): T | "" => (filters.get(key) ?? "") as T | "";
  const direction = directionOf(filters);
  const controls = (
    <>
      <div class="grid items-end gap-3 sm:grid-cols-2 lg:grid-cols-3">
        <Select
          label={t("office/stage")}
          options={STAGES}
          value={chosen("stage")}
          empty={t("office/any")}
          word={(option) => word("stage", option)}
          onChange={(option) => onChange("stage", option)}
        />
        <Select
          label={t("office/collector")}
          options={collectorNames(chosen("collector"))}
          value={chosen("collector")}
          empty={t("office/any")}
          word={displayName}
          onChange={(option) => onChange("collector", option)}
        />
        <Select
          label={t("office/review")}
          options={REVIEWS}
          value={chosen("review")}
          empty={t("office/any")}
          word={(option) => word("review", option)}
          onChange={(option) => onChange("review", option)}
        />
        <Select
          label={t("office/hold")}
          options={HOLDS}
          value={chosen("hold")}
          empty={t("office/any")}
          word={(option) => word("flag", option)}
          onChange={(option) => onChange("hold", option)}
        />
        <Field label={t("office/sort")}>
          {(id) => (
            <select
              id={id}
              class="select w-full"
              value={sortOf(filters)}
              onChange={(event) => onChange("sort", event.currentTarget.value)}
            >
              {SORTS.map((sort) => (
                <option key={sort} value={sort}>
                  {t(`office/sort_${sort}`)}
                </option>
              ))}
            </select>
          )}
        </Field>
        <button
          type="button"
          class="btn btn-outline"
          onClick={() => onChange("dir", direction === "asc" ? "desc" : "asc")}
        >
          <span aria-hidden="true">{direction === "asc" ? "↑" : "↓"}</span>
          {t(`office/dir_${direction}`)}
        </button>
      </div>
      <div class="flex flex-wrap items-center gap-x-4 gap-y-2">
        {(["conflicts", "unassigned"] as const).map((key) => (
          <label key={key} class="flex min-h-11 items-center gap-2">
            <input
              type="checkbox"
              class="checkbox min-h-0"
              checked={filters.get(key) === "1"}
              onChange={(event) => onChange(key, event.currentTarget.checked ? "1" : "")}
            />
            {t(`office/${key}`)}
          </label>
        ))}
        {hasFilters(filters) && (
          <button type="button" class="btn btn-ghost" onClick={props.onClear}>
            {t("office/clear")}
          </button>
        )}
        <span class="grow" />
        <Exports search={search} />
      </div>
    </>
  );
  return (
    <section class="card-plain flex flex-col gap-3" role="search" aria-label={t("list/filter")}>
      <Search value={chosen("q")} onChange={(text) => onChange("q", text)} />
      {isNarrow.value ? (
        <details>
          <summary class="min-h-11 cursor-pointer content-center font-medium">
            {t("list/filter")}
            {hasFilters(filters) && ` · ${t("office/filtered")}`}
          </summary>
          <div class="flex flex-col gap-3 pt-2">{controls}</div>
        </details>
      ) : (
        controls
      )}
    </section>
  );
}

function Exports({ search }: { search: string }): JSX.Element {
  return (
    <div class="flex flex-wrap items-center gap-2" role="group" aria-label={t("office/export_these")}>
      <span class="muted text-sm" aria-hidden="true">
        {t("office/export_these")}
      </span>
      {FORMATS.map((format) => {
        const query = officeQuery(search);
        query.set("format", format);
        return (
          <a
            key={format}
            class="btn btn-sm btn-outline min-h-11"
            href={`/api/export?${query}`}
            aria-label={`${t("office/export")} ${t(`office/format/${format}`)}`}
            download
          >
            {t(`office/format/${format}`)}
          </a>
        );
      })}
    </div>
  );
}

/** Collectors to choose from, including the one in the address before the list is loaded. */
function collectorNames(chosen: string): string[] {
  const names = collectors.value.map((user) => user.name);
  return chosen && !names.includes(chosen) ? [chosen, ...names] : names;
}

export function displayName(name: string): string {
  const display = collectors.value.find((user) => user.name === name)?.display_name;
  return display && display !== name ? `${display} (${name})` : name;
}

function Search(props: { value: string; onChange: (text: string) => void }): JSX.Element {
  const [typed, setTyped] = useState(props.value);
  const sent = useRef(props.value);
  const change = useRef(props.onChange);
  change.current = props.onChange;
  // Back, forward and "Clear filters" change the address.
  useEffect(() => {
    if (props.value === sent.current) return;
    sent.current = props.value;
    setTyped(props.value);
  }, [props.value]);
  useEffect(() => {
    if (typed === sent.current) return;
    const timer = setTimeout(() => {
      sent.current = typed;
      change.current(typed);
    }, PAUSE_MS);
    return () => clearTimeout(timer);
  }, [typed]);
  return (
    <Field label={t("office/search")}>
      {(id) => (
        <input
          id={id}
          type="search"
          class="input w-full"
          enterkeyhint="search"
          value={typed}
          onInput={(event) => setTyped(event.currentTarget.value)}
        />
      )}
    </Field>
  );
}
