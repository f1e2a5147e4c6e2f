/** The real binary over a database of its own. */
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";

// Playwright runs these files as CommonJS.
const ROOT = resolve(__dirname, "../../..");
const BINARY = process.env.DOORSTEP_BINARY ?? join(ROOT, "target/debug/doorstep");
export const PASSWORD = "correct horse battery";
/** Where the made-up cases are. */
export const NINGBO = "Asia/Shanghai";
export const COLLECTORS = ["chen.jie", "wu.min", "zhao.lei", "sun.yan", "he.tao"];

/**
 * A zone in which it is about noon: the rules' windows stay open for hours on both sides, however
 * long a test takes. It belongs to no country, so that no country's holidays and no rules about
 * weekends are asked, and it never changes its clock.
 */
export function noonZone(now = new Date()): string {
  const ahead = 12 - Math.round(now.getUTCHours() + now.getUTCMinutes() / 60);
  // POSIX counts west of Greenwich: `Etc/GMT-9` is nine hours ahead of it.
  return ahead === 0 ? "Etc/UTC" : `Etc/GMT${ahead > 0 ? "-" : "+"}${Math.abs(ahead)}`;
}

/** The wall clock of a zone, as a field of day and time takes it. */
export function wallClock(ms: number, zone: string): string {
  const format = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short", timeStyle: "short" });
  return format.format(ms).replace(" ", "T");
}

/** The instant at which a zone without summer time shows a wall clock. */
export function instant(wall: string, zone: string): number {
  const guess = Date.parse(`${wall}Z`);
  return guess - (Date.parse(`${wallClock(guess, zone)}Z`) - guess);
}

/** Copied by `Office.open`: creating the users and cases takes longer than many tests. */
let template: Office | undefined;

export class Office {
  readonly folder = mkdtempSync(join(tmpdir(), "doorstep-office-"));
  private readonly database = `sqlite:${join(this.folder, "office.sqlite3")}`;
  private child: ChildProcess | undefined;
  private port = 0;
  url = "";
  /** The borrowers' time zone: rules of conduct let collectors go by day, and tests run at night too. */
  zone = noonZone();

  /** An office with people and 500 cases, serving. */
  static async open(): Promise<Office> {
    template ??= Office.withCases();
    const office = new Office();
    office.zone = template.zone;
    cpSync(template.folder, office.folder, { recursive: true });
    await office.start();
    return office;
  }

  private static withCases(): Office {
    const office = new Office();
    office.addPeople();
    office.importCases("cases.csv");
    process.once("exit", () => rmSync(office.folder, { recursive: true, force: true }));
    return office;
  }

  /** Runs one command of the binary; gives what it prints. */
  run(args: string[], input = ""): string {
    return execFileSync(BINARY, [...args, "--database", this.database], {
      input,
      encoding: "utf8",
      maxBuffer: 1 << 28,
    });
  }

  addUser(name: string, role: string): void {
    this.run(["user", "add", name, "--role", role], `${PASSWORD}\n`);
  }

  addPeople(): void {
    for (const name of COLLECTORS) this.addUser(name, "collector");
    this.addUser("lin.yue", "supervisor");
  }

  importCases(file: string): void {
    this.run(["import", "cases", join(ROOT, "tests/data", file), "--zone", this.zone]);
  }

  /** Serves, on the port that it had before where it had one; pages keep their address. */
  async start(...flags: string[]): Promise<void> {
    const child = spawn(
      BINARY,
      ["serve", "--listen", `127.0.0.1:${this.port}`, "--database", this.database, ...flags],
      {
        stdio: ["ignore", "pipe", "inherit"],
        // What went well would bury what did not.
        env: { DOORSTEP_LOG: "warn", ...process.env },
      },
    );
    this.child = child;
    for await (const line of createInterface({ input: child.stdout })) {
      const address = /listening on (http:\/\/127\.0\.0\.1:(\d+))/.exec(line);
      if (!address?.[1]) continue;
      this.url = address[1];
      this.port = Number(address[2]);
      child.stdout.resume();
      return;
    }
    throw new Error("the office did not start");
  }

  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    const child = this.child;
    if (!child || child.exitCode !== null) return;
    const exited = new Promise((done) => child.once("exit", done));
    child.kill(signal);
    await exited;
    this.child = undefined;
  }

  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** A program of the office: signed in with a bearer token. */
  async api(name = "lin.yue", password = PASSWORD): Promise<Api> {
    const response = await fetch(`${this.url}/api/session`, {
      method: "POST",
      headers: { "content-type": "application/json", "X-Doorstep": "1" },
      body: JSON.stringify({ name, password }),
    });
    if (!response.ok) throw new Error(`sign-in: ${response.status}`);
    const { token } = (await response.json()) as { token: string };
    return new Api(this.url, token);
  }
}

export class Api {
  constructor(
    private readonly url: string,
    private readonly token: string,
  ) {}

  async get<T>(path: string): Promise<T> {
    return (await (await this.call(path)).json()) as T;
  }

  async bytes(path: string): Promise<Uint8Array> {
    return new Uint8Array(await (await this.call(path)).arrayBuffer());
  }

  async command<T>(id: string, command: object): Promise<T> {
    const body = JSON.stringify(command);
    const response = await this.call(`/api/visits/${id}/commands`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
    });
    return (await response.json()) as T;
  }

  private async call(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = { ...init.headers, Authorization: `Bearer ${this.token}` };
    const response = await fetch(this.url + path, { ...init, headers });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response;
  }
}
