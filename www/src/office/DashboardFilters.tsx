/** Period and team of the dashboard. */
import type { JSX } from "preact";
import { t } from "../i18n";
import { Select, TextField } from "../ui/components";
import { nameOf, periodOf, PERIODS, type Period, type PeriodName } from "./period";
import { collectors } from "./state";

/** A year that is being typed is no day yet. */
const OLDEST = "2000-01-01";

export function DashboardFilters(props: {
  period: Period;
  team: string[];
  onChange: (period: Period, team: string[]) => void;
}): JSX.Element {
  const { period, team, onChange } = props;
  const setDay = (day: Partial<Period>): void => {
    const next = { ...period, ...day };
    // The other end follows, so that the period is never empty.
    if (next.from > next.to)
      onChange(day.from ? { from: next.from, to: next.from } : { from: next.to, to: next.to }, team);
    else onChange(next, team);
  };
  const toggle = (name: string): void =>
    onChange(period, team.includes(name) ? team.filter((other) => other !== name) : [...team, name]);
  return (
    <section
      class="card-plain flex flex-col gap-3 print:hidden"
      role="search"
      aria-label={t("office/dashboard/choose")}
    >
      <div class="grid gap-3 sm:grid-cols-3">
        <Select<PeriodName>
          label={t("office/dashboard/period")}
          options={PERIODS}
          value={nameOf(period)}
          word={(name) => t(`office/dashboard/periods/${name}`)}
          empty={t("office/dashboard/periods/other")}
          onChange={(name) => name && onChange(periodOf(name), team)}
        />
        <TextField
          label={t("office/dashboard/first_day")}
          type="date"
          value={period.from}
          onInput={(from) => from >= OLDEST && setDay({ from })}
        />
        <TextField
          label={t("office/dashboard/last_day")}
          type="date"
          value={period.to}
          onInput={(to) => to >= OLDEST && setDay({ to })}
        />
      </div>
      <fieldset class="flex flex-wrap items-center gap-2">
        <legend class="mb-1 text-sm">{t("office/dashboard/team")}</legend>
        <button
          type="button"
          class={`btn btn-sm ${team.length === 0 ? "btn-primary" : "btn-outline"}`}
          aria-pressed={team.length === 0}
          onClick={() => onChange(period, [])}
        >
          {t("office/dashboard/everybody")}
        </button>
        {collectors.value.map(({ name, display_name }) => (
          <button
            key={name}
            type="button"
            class={`btn btn-sm ${team.includes(name) ? "btn-primary" : "btn-outline"}`}
            aria-pressed={team.includes(name)}
            onClick={() => toggle(name)}
          >
            {display_name}
          </button>
        ))}
      </fieldset>
    </section>
  );
}
