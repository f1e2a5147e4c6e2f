/** Rows as tab-separated text, which spreadsheets paste as cells. */
import { t } from "../../i18n";
import type { OfficeRow } from "../api";
import { shownColumns } from "./columns";

/** A cell without tabs and line ends; text that a spreadsheet would run as a formula gets an apostrophe. */
export function cell(text: string): string {
  const line = text.replace(/[\t\r\n]+/g, " ");
  return /^[=+\-@]/.test(line) ? `'${line}` : line;
}

/** Rows in the shown columns, with a heading. */
export function toTsv(rows: readonly OfficeRow[]): string {
  const columns = shownColumns();
  const lines = [
    columns.map((column) => t(column.title)),
    ...rows.map((row) => columns.map((column) => column.text(row))),
  ];
  return lines.map((line) => line.map(cell).join("\t")).join("\r\n");
}
