/** The list of one workspace, with the version at which each row changed. */
import type { Workspace } from "../../wasm/doorstep";
import type { ListMark, ListPage, ListRow } from "../api";

/** Rows of a page: few enough that a slow phone keeps drawing. */
const PAGE = 200;

export class Listing {
  private readonly workspace = crypto.randomUUID();
  private version = 0;
  /** In order of version. A record that is gone is null, for pages that still show it. */
  private readonly rows = new Map<string, { row: ListRow | null; version: number }>();

  /** The next rows that changed since a mark. */
  page(workspace: Workspace, since: ListMark | null): ListPage {
    const fresh = since?.workspace !== this.workspace;
    const from = fresh ? 0 : since.version;
    const left = this.read(workspace);
    const rows: ListPage["rows"] = [];
    let version = from;
    let more = left;
    for (const [id, entry] of this.rows) {
      if (entry.version <= from) continue;
      if (rows.length === PAGE) {
        more = true;
        break;
      }
      rows.push([id, entry.row]);
      version = entry.version;
    }
    return { mark: { workspace: this.workspace, version }, fresh, rows, more };
  }

  /** Reads one page of changes from the core; returns whether there are more. */
  private read(workspace: Workspace): boolean {
    const { rows, gone, more } = workspace.listChanges(PAGE);
    for (const { summary, ...stands } of rows) {
      this.put(summary.id, { ...summary, ...stands });
    }
    for (const id of gone) this.put(id, null);
    return more;
  }

  private put(id: string, row: ListRow | null): void {
    this.version += 1;
    this.rows.delete(id);
    this.rows.set(id, { row, version: this.version });
  }
}
