/** Search, filters as chips, and what can be done with the list: one line above the table. */
import { Download, ListFilter, X } from "lucide-preact";
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Link } from "wouter-preact";
import { t, word } from "../../i18n";
import { Select } from "../../ui/components";
import { HOLDS } from "../../ui/holds";
import { collectors, displayName } from "../state";
import { Popover } from "./Popover";
import {
  activeFilters,
  directionOf,
  FORMATS,
  officeQuery,
  REVIEWS,
  SORTS,
  sortOf,
  STAGES,
  type FilterKey,
} from "./query";

/** A pause in typing after which the list is loaded. */
const PAUSE_MS = 200;

interface Props {
  search: string;
  onChange: (key: string, value: string) => void;
  onClear: () => void;
}

/** A select of the filters. */
function choice<T extends string>(
  props: Props,
  key: FilterKey,
  label: string,
  options: readonly T[],
  name: (option: T) => string,
): JSX.Element {
  return (
    <Select
      label={label}
      options={options}
      value={(new URLSearchParams(props.search).get(key) ?? "") as T | ""}
      empty={t("office/any")}
      word={name}
      onChange={(option) => props.onChange(key, option)}
    />
  );
}

export function Filters(props: Props): JSX.Element {
  const filters = new URLSearchParams(props.search);
  const active = activeFilters(filters);
  return (
    <Popover
      title={t("list/filter")}
      label={
        <>
          <ListFilter class="size-4" aria-hidden="true" />
          {t("list/filter")}
          {active.length > 0 && ` (${active.length})`}
        </>
      }
    >
      {() => (
        <>
          {choice(props, "stage", t("office/stage"), STAGES, (option) => word("stage", option))}
          {choice(props, "collector", t("office/collector"), collectorNames(filters.get("collector")), displayName)}
          {choice(props, "review", t("office/review"), REVIEWS, (option) => word("review", option))}
          {choice(props, "hold", t("office/hold"), HOLDS, (option) => word("flag", option))}
          {(["conflicts", "unassigned"] as const).map((key) => (
            <label key={key} class="flex min-h-9 items-center gap-2 text-sm">
              <input
                type="checkbox"
                class="checkbox checkbox-sm min-h-0 rounded"
                checked={filters.get(key) === "1"}
                onChange={(event) => props.onChange(key, event.currentTarget.checked ? "1" : "")}
              />
              {t(`office/${key}`)}
            </label>
          ))}
          <Select
            label={t("office/sort")}
            options={SORTS}
            value={sortOf(filters)}
            word={(sort) => t(`office/sort_${sort}`)}
            onChange={(sort) => props.onChange("sort", sort)}
          />
          <button
            type="button"
            class="btn btn-sm btn-outline"
            onClick={() => props.onChange("dir", directionOf(filters) === "asc" ? "desc" : "asc")}
          >
            {t(`office/dir_${directionOf(filters)}`)}
          </button>
        </>
      )}
    </Popover>
  );
}

/** What is filtered, each with a button that removes it. */
export function Chips(props: Props): JSX.Element | null {
  const filters = new URLSearchParams(props.search);
  const active = activeFilters(filters);
  if (active.length === 0) return null;
  return (
    <ul class="flex flex-wrap items-center gap-1.5" aria-label={t("office/filtered")}>
      {active.map((key) => {
        const name = chipText(key, filters.get(key) ?? "");
        return (
          <li key={key}>
            <button
              type="button"
              class="bg-base-300 flex min-h-7 items-center gap-1 rounded-full px-2.5 text-sm"
              aria-label={t("site/remove", { name })}
              onClick={() => props.onChange(key, "")}
            >
              {name}
              <X class="size-3.5" aria-hidden="true" />
            </button>
          </li>
        );
      })}
      <li>
        <button type="button" class="btn btn-ghost btn-sm bar-control" onClick={props.onClear}>
          {t("office/clear")}
        </button>
      </li>
    </ul>
  );
}

function chipText(key: FilterKey, value: string): string {
  switch (key) {
    case "stage":
      return value
        .split(",")
        .map((stage) => word("stage", stage))
        .join(", ");
    case "collector":
      return displayName(value);
    case "review":
      return word("review", value);
    case "hold":
      return word("flag", value);
    case "conflicts":
    case "unassigned":
      return t(`office/${key}`);
    case "q":
      return value;
  }
}

export function Exports({ search }: { search: string }): JSX.Element {
  const [minimal, setMinimal] = useState(false);
  return (
    <Popover
      title={t("office/export_these")}
      label={
        <>
          <Download class="size-4" aria-hidden="true" />
          {t("office/export")}
        </>
      }
    >
      {(close) => (
        <>
          <p class="muted text-sm">{t("office/export_these")}</p>
          <label class="flex min-h-9 items-center gap-2 text-sm">
            <input
              type="checkbox"
              class="checkbox checkbox-sm min-h-0 rounded"
              checked={minimal}
              onChange={(event) => setMinimal(event.currentTarget.checked)}
            />
            {t("office/export_minimal")}
          </label>
          {/* A document is whole. */}
          {FORMATS.filter((format) => !minimal || format !== "automerge").map((format) => {
            const query = officeQuery(search);
            query.set("format", format);
            if (minimal) query.set("minimal", "1");
            return (
              <a
                key={format}
                class="btn btn-sm btn-outline"
                href={`/api/export?${query}`}
                aria-label={`${t("office/export")} ${t(`office/format/${format}`)}`}
                download
                onClick={close}
              >
                {t(`office/format/${format}`)}
              </a>
            );
          })}
          <Link href="/reports" class="link text-sm" onClick={close}>
            {t("office/odata/title")}
          </Link>
        </>
      )}
    </Popover>
  );
}

/** Collectors to choose from, including the one in the address before the list is loaded. */
function collectorNames(chosen: string | null): string[] {
  const names = collectors.value.map((user) => user.name);
  return chosen && !names.includes(chosen) ? [chosen, ...names] : names;
}

/** Searches as it is typed into. Escape leaves it. */
export function Search(props: { value: string; onChange: (text: string) => void }): JSX.Element {
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
    <input
      type="search"
      id="list-search"
      class="input input-sm bar-control min-w-40 grow basis-40"
      enterkeyhint="search"
      aria-label={t("office/search")}
      placeholder={t("office/search")}
      value={typed}
      onInput={(event) => setTyped(event.currentTarget.value)}
      onKeyDown={(event) => event.key === "Escape" && event.currentTarget.blur()}
    />
  );
}
