/** Which column of a file is which field. The office suggests by headings and by earlier imports. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { t, textFor } from "../../i18n";
import { Alert, Select } from "../../ui/components";
import type { CheckRequest, ImportLine } from "../api";
import { collectors, displayName } from "../state";

/** Fields that every row needs. */
const REQUIRED = ["case_no", "borrower_name", "overdue_amount", "currency", "due_date"];

export const importField = (name: string): string => textFor(`office/imports/field/${name}`) ?? name;

export function Mapping(props: {
  line: ImportLine;
  busy: boolean;
  onCheck: (settings: CheckRequest) => void;
}): JSX.Element {
  const { line, busy } = props;
  const [columns, setColumns] = useState(() => line.columns.map((column) => column.field));
  const [assignTo, setAssignTo] = useState(line.assign_to);
  const missing = REQUIRED.filter((field) => !columns.includes(field));
  /** A field has one column: choosing it takes it from another. */
  const choose = (at: number, field: string): void =>
    setColumns(columns.map((before, other) => (other === at ? field : before === field ? "" : before)));
  return (
    <section class="card-plain flex flex-col gap-4" aria-labelledby="import-mapping">
      <h2 id="import-mapping" class="section-title">
        {t("office/imports/mapping")}
      </h2>
      <div class="overflow-x-auto" role="group" aria-labelledby="import-mapping" tabIndex={0}>
        <table class="table-sm [&_th]:text-base-content table">
          <thead>
            <tr>
              <th scope="col">{t("office/imports/column")}</th>
              <th scope="col">{t("office/imports/examples")}</th>
              <th scope="col">{t("office/field")}</th>
            </tr>
          </thead>
          <tbody>
            {line.columns.map((column, at) => (
              <tr key={at} data-testid="import-column">
                <th scope="row" class="font-medium">
                  {column.heading || t("office/imports/no_heading", { n: at + 1 })}
                </th>
                <td class="muted max-w-72 truncate">{column.examples.filter((text) => text).join(" · ")}</td>
                <td>
                  <select
                    class="select select-sm w-56"
                    aria-label={t("office/imports/field_of", { heading: column.heading || String(at + 1) })}
                    value={columns[at]}
                    disabled={busy}
                    onChange={(event) => choose(at, event.currentTarget.value)}
                  >
                    <option value="">{t("office/imports/leave_out")}</option>
                    {line.fields.map((field) => (
                      <option key={field} value={field}>
                        {importField(field)}
                      </option>
                    ))}
                  </select>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {missing.length > 0 && (
        <Alert tone="warning">{t("office/imports/missing", { fields: missing.map(importField).join(", ") })}</Alert>
      )}
      <Select
        label={t("office/assign_to")}
        options={collectors.value.filter((user) => !user.disabled).map((user) => user.name)}
        value={assignTo}
        empty={t("office/assign_file")}
        word={displayName}
        disabled={busy}
        onChange={setAssignTo}
      />
      <button
        type="button"
        class="btn btn-primary self-start"
        disabled={busy || missing.includes("case_no")}
        onClick={() => props.onCheck({ columns, assign_to: assignTo })}
      >
        {t("office/dry")}
      </button>
    </section>
  );
}
