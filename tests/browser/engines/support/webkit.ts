/** WebKitGTK over WebDriver, on a screen of its own. */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { killGroup, POSITION, SCREEN, type Browser, type Engine, type Point, type Tab } from "./driver";

const DRIVER = "/usr/bin/WebKitWebDriver";
const HOST = join(__dirname, "webkit-host.py");
/** Debian's, whatever other Python is first on the path. */
const PYTHON = "/usr/bin/python3";
const IMPORTS = "import gi; gi.require_version('WebKit2', '4.1'); from gi.repository import WebKit2";
const READY_MS = 30_000;

export const webkit: Engine = {
  name: "webkit",
  missing() {
    const driver = existsSync(DRIVER) && existsSync("/usr/bin/Xvfb");
    if (driver && spawnSync(PYTHON, ["-c", IMPORTS]).status === 0) return undefined;
    return "webkit2gtk-driver, gir1.2-webkit2-4.1, python3-gi, xvfb";
  },
  start,
};

let screen: Promise<string> | undefined;

/** A screen for all windows of this process; gives its name. */
function display(): Promise<string> {
  screen ??= new Promise((done, fail) => {
    const size = `${2 * SCREEN.width}x${2 * SCREEN.height}x24`;
    const server = spawn("Xvfb", ["-displayfd", "3", "-screen", "0", size, "-nolisten", "tcp"], {
      stdio: ["ignore", "ignore", "ignore", "pipe"],
    });
    process.once("exit", () => server.kill());
    server.once("error", fail);
    server.stdio[3]?.once("data", (number: Buffer) => done(`:${number.toString().trim()}`));
  });
  return screen;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

async function start(profile: string): Promise<Browser> {
  const port = await freePort();
  // The browser is in the driver's process group, so that one signal ends both.
  const driver = spawn(DRIVER, [`--port=${port}`], {
    detached: true,
    stdio: "ignore",
    env: {
      ...process.env,
      DISPLAY: await display(),
      GDK_BACKEND: "x11",
      NO_AT_BRIDGE: "1",
      WEBKIT_DISABLE_DMABUF_RENDERER: "1",
    },
  });
  const gone = new Promise<void>((done) => driver.once("exit", () => done()));
  const session = await Session.start(`http://127.0.0.1:${port}`, profile, driver);
  const kill = async (): Promise<void> => {
    killGroup(driver.pid ?? 0);
    await gone;
  };
  const [handle] = await session.get<string[]>("/window/handles");
  return {
    first: new WebKitTab(session, handle ?? ""),
    newTab: async () => {
      const { handle } = await session.post<{ handle: string }>("/window/new", { type: "tab" });
      return new WebKitTab(session, handle);
    },
    kill,
    close: kill,
  };
}

/** One WebDriver session: commands go to one window at a time, so they queue. */
class Session {
  private queue: Promise<unknown> = Promise.resolve();
  private current: string | undefined;

  private constructor(private readonly url: string) {}

  static async start(server: string, profile: string, driver: ChildProcess): Promise<Session> {
    const { width, height } = SCREEN;
    const { latitude, longitude, accuracy } = POSITION;
    const browserOptions = { binary: HOST, args: [profile, width, height, latitude, longitude, accuracy].map(String) };
    const body = { capabilities: { alwaysMatch: { "webkitgtk:browserOptions": browserOptions } } };
    const deadline = Date.now() + READY_MS;
    for (;;) {
      try {
        const { sessionId } = await command<{ sessionId: string }>("POST", `${server}/session`, body);
        return new Session(`${server}/session/${sessionId}`);
      } catch (cause) {
        // Until it listens.
        if (driver.exitCode !== null || Date.now() > deadline) throw cause;
        await new Promise((done) => setTimeout(done, 100));
      }
    }
  }

  get<T>(path: string): Promise<T> {
    return command<T>("GET", this.url + path);
  }

  post<T>(path: string, body: object): Promise<T> {
    return command<T>("POST", this.url + path, body);
  }

  /** Runs a command in a window. */
  in<T>(handle: string, method: "POST" | "DELETE", path: string, body?: object): Promise<T> {
    const run = async (): Promise<T> => {
      if (this.current !== handle) await this.post("/window", { handle });
      this.current = handle;
      return command<T>(method, this.url + path, body);
    };
    const result = this.queue.then(run);
    this.queue = result.catch(() => undefined);
    return result;
  }

  closed(): void {
    this.current = undefined;
  }
}

async function command<T>(method: string, url: string, body?: object): Promise<T> {
  const response = await fetch(url, { method, body: body && JSON.stringify(body) });
  const { value } = (await response.json()) as { value: T & { error?: string; message?: string } };
  if (!response.ok) throw new Error(`${url}: ${value.error ?? ""}: ${value.message ?? ""}`);
  return value;
}

class WebKitTab implements Tab {
  constructor(
    private readonly session: Session,
    private readonly handle: string,
  ) {}

  async open(url: string): Promise<void> {
    await this.post("/url", { url });
  }

  async reload(): Promise<void> {
    await this.post("/refresh", {});
  }

  async evaluate<A extends unknown[], T>(fn: (...args: A) => T | Promise<T>, ...args: A): Promise<T> {
    // Results travel as text: the driver's own conversion knows neither `undefined` nor typed arrays.
    const script = `const done = arguments[1];
      Promise.resolve().then(() => (${fn.toString()})(...JSON.parse(arguments[0]))).then(
        (value) => done(JSON.stringify({ value })), (cause) => done(JSON.stringify({ cause: String(cause) })));`;
    const text = await this.post<string>("/execute/async", { script, args: [JSON.stringify(args)] });
    const { value, cause } = JSON.parse(text) as { value: T; cause?: string };
    if (cause !== undefined) throw new Error(cause);
    return value;
  }

  async drag([from, ...rest]: Point[]): Promise<void> {
    if (!from) return;
    const move = ({ x, y }: Point): object => ({
      type: "pointerMove",
      duration: 20,
      origin: "viewport",
      x: Math.round(x),
      y: Math.round(y),
    });
    const button = (type: string): object => ({ type, button: 0 });
    const actions = [move(from), button("pointerDown"), ...rest.map(move), button("pointerUp")];
    const pointer = { type: "pointer", id: "mouse", parameters: { pointerType: "mouse" }, actions };
    await this.post("/actions", { actions: [pointer] });
  }

  async type(text: string): Promise<void> {
    const actions = [...text].flatMap((value) => [
      { type: "keyDown", value },
      { type: "keyUp", value },
    ]);
    await this.post("/actions", { actions: [{ type: "key", id: "keyboard", actions }] });
  }

  async close(): Promise<void> {
    await this.session.in(this.handle, "DELETE", "/window");
    this.session.closed();
  }

  private post<T>(path: string, body: object): Promise<T> {
    return this.session.in<T>(this.handle, "POST", path, body);
  }
}
