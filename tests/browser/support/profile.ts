/**
 * Phones of released versions, and the office's database of the same moment: `tests/data/profiles`.
 *
 * A phone is kept as the browser's own files, since the keys that seal its rows can be used by that
 * browser and not be read by anybody. Kept are IndexedDB, local storage and cookies, and nothing
 * that can be had again. The app has an address whose port never changes; the browser is told
 * where that is today.
 */
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import type { BrowserContext, Page } from "@playwright/test";
import { phone } from "./browser";
import { Office } from "./office";

/** Playwright runs these files as CommonJS. */
const PROFILES = resolve(__dirname, "../../data/profiles");
/** Browsers take names that end so for a secure place, as they do HTTPS. */
export const ADDRESS = "http://doorstep.localhost";
/** What of a browser's profile is kept. */
const KEPT = ["Default/IndexedDB", "Default/Local Storage", "Default/Cookies"];
/** What of the office's folder is not its data. */
const MEANWHILE = /-(wal|shm)$/;

/** A record as it was left on the phone. */
export interface KeptRecord {
  id: string;
  case_no: string;
  /** Texts that a page of the app shows or has in its fields, by its path. */
  shown: Record<string, string[]>;
  /** A part of the office's view of the record, once everything has come. */
  office: object;
}

/** What was kept, by whom it was made, and what must be found. */
export interface Manifest {
  /** Version of the app. */
  version: string;
  /** Day of making, `YYYY-MM-DD`. */
  made: string;
  /** Name and version of the browser whose files they are. */
  browser: string;
  /** Layout of the phone's stores by name, and the version of sealed rows. */
  stores: Record<string, number>;
  rows: number;
  /** The office's last migration. */
  migration: number;
  user: string;
  /** Records on the phone, and all that the office has. */
  records: { phone: number; office: number };
  /** What had not gone to the office. */
  unsent: { changes: number; attachments: number };
  /** Signatures under seals. */
  signatures: number;
  work: KeptRecord[];
}

/** Versions of which a phone is kept. */
export function kept(): string[] {
  return readdirSync(PROFILES).sort();
}

export function manifestOf(version: string): Manifest {
  return JSON.parse(readFileSync(join(PROFILES, version, "manifest.json"), "utf8")) as Manifest;
}

export function isKept(version: string): boolean {
  return existsSync(join(PROFILES, version));
}

/** Keeps a phone that is closed and an office that is stopped. */
export function keep(manifest: Manifest, profile: string, office: Office): void {
  const folder = mkdtempSync(join(tmpdir(), "doorstep-kept-"));
  const place = join(PROFILES, manifest.version);
  mkdirSync(place, { recursive: true });
  for (const part of KEPT) copy(join(profile, part), join(folder, "profile", part));
  copy(office.folder, join(folder, "office"));
  // The same files give the same archive.
  const same = ["--sort=name", "--owner=0", "--group=0", "--numeric-owner", `--mtime=${manifest.made}`];
  execFileSync("tar", ["--create", "--xz", ...same, "--file", join(place, "files.tar.xz"), "--directory", folder, "."]);
  writeFileSync(join(place, "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  rmSync(folder, { recursive: true, force: true });
}

/** A copy of what was kept of a version, to be used up. */
export class KeptPhone {
  private readonly folder = mkdtempSync(join(tmpdir(), "doorstep-kept-"));
  readonly office = new Office();
  readonly manifest: Manifest;

  constructor(version: string) {
    this.manifest = manifestOf(version);
    execFileSync("tar", ["--extract", "--file", join(PROFILES, version, "files.tar.xz"), "--directory", this.folder]);
    copy(join(this.folder, "office"), this.office.folder);
  }

  open(): Promise<BrowserContext> {
    return openAt(join(this.folder, "profile"), this.office);
  }

  async remove(): Promise<void> {
    await this.office.remove();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A phone whose browser maps the fixed address to the office of this test. */
export function openAt(profile: string, office: Office): Promise<BrowserContext> {
  return phone(profile, [`--host-resolver-rules=MAP doorstep.localhost:80 ${new URL(office.url).host}`]);
}

/** Layout of the phone's stores and the number of unsent rows, which can be read without a key. */
export async function lying(
  page: Page,
): Promise<{ stores: Record<string, number>; rows: number; unsent: Manifest["unsent"] }> {
  return page.evaluate(async () => {
    const done = <T>(request: IDBRequest<T>): Promise<T> =>
      new Promise((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error ?? new Error("failed"));
      });
    const read = async <T>(name: string, store: string, ask: (of: IDBObjectStore) => IDBRequest<T>): Promise<T> => {
      const db = await done(indexedDB.open(name));
      const found = await done(ask(db.transaction(store).objectStore(store)));
      db.close();
      return found;
    };
    const known = await indexedDB.databases();
    const stores = Object.fromEntries(known.map(({ name, version }) => [name ?? "", version ?? 0]));
    const lock = (await read("doorstep", "device", (of) => of.get("lock"))) as { format: number };
    return {
      stores,
      rows: lock.format,
      unsent: {
        changes: await read("doorstep", "outbox", (of) => of.count()),
        attachments: await read("doorstep-attachments", "waiting", (of) => of.count()),
      },
    };
  });
}

/** Name and version of the browser. */
export async function browserOf(page: Page): Promise<string> {
  const tools = await page.context().newCDPSession(page);
  const { product } = await tools.send("Browser.getVersion");
  return product;
}

function copy(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  cpSync(from, to, { recursive: true, filter: (path) => !MEANWHILE.test(path) });
}
