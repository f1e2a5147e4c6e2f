/** The records that each tab has open, with the number of its pages that show each. */
export class OpenRecords {
  private readonly tabs = new Map<string, Map<string, number>>();

  /** A page of a tab has opened a record, or closed it. */
  change(tab: string, record: string, by: 1 | -1): void {
    const records = this.tabs.get(tab) ?? new Map<string, number>();
    const pages = (records.get(record) ?? 0) + by;
    if (pages > 0) records.set(record, pages);
    else records.delete(record);
    this.tabs.set(tab, records);
  }

  /** Adds a tab; returns whether it is new. */
  add(tab: string): boolean {
    if (this.tabs.has(tab)) return false;
    this.tabs.set(tab, new Map());
    return true;
  }

  /** Removes a tab; returns what its pages had open, as `pagesOf`. */
  remove(tab: string): string[] {
    const records = this.pagesOf(tab);
    this.tabs.delete(tab);
    return records;
  }

  /** Removes all tabs but one. */
  retain(tab: string): void {
    for (const other of [...this.tabs.keys()]) if (other !== tab) this.tabs.delete(other);
  }

  /** The records that a tab has open, each once. */
  recordsOf(tab: string): string[] {
    return [...(this.tabs.get(tab)?.keys() ?? [])];
  }

  /** The records that a tab has open, each as often as pages show it. */
  pagesOf(tab: string): string[] {
    return [...(this.tabs.get(tab) ?? [])].flatMap(([record, pages]) => Array<string>(pages).fill(record));
  }

  /** `pagesOf` all tabs. */
  pages(): string[] {
    return [...this.tabs.keys()].flatMap((tab) => this.pagesOf(tab));
  }
}
