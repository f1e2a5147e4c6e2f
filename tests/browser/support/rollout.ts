/**
 * An office whose program is replaced by newer ones: the same data and routes, other web apps. A
 * version's files have names of their own, as the build gives them, and go when the next one comes.
 */
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** Files that differ from version to version. */
const RENAMED = /\b(field|worker)-([\w-]{8})(\.v\d+)?\.js/g;
const NAMING = /^(\/|\/index\.html|\/sw\.js|\/visit\/.*|\/settings|\/assets\/(field|worker)-.*)$/;

export class Rollout {
  private readonly server: Server;
  private version = 1;
  /** The office speaks another protocol than phones do: to it, their bodies are of version 0. */
  estranged = false;
  url = "";

  private constructor(private readonly office: URL) {
    this.server = createServer((asked, answer) => {
      if (asked.method === "GET" && NAMING.test(asked.url ?? "")) this.file(asked, answer);
      else this.pass(asked, answer);
    });
  }

  /** Stands before an office. */
  static async before(url: string): Promise<Rollout> {
    const rollout = new Rollout(new URL(url));
    await new Promise<void>((done) => rollout.server.listen(0, "127.0.0.1", done));
    rollout.url = `http://127.0.0.1:${(rollout.server.address() as AddressInfo).port}`;
    return rollout;
  }

  /** The program is replaced; gives the number of the new version. */
  next(): number {
    return ++this.version;
  }

  stop(): void {
    this.server.closeAllConnections();
    this.server.close();
  }

  private pass(asked: IncomingMessage, answer: ServerResponse): void {
    const { hostname, port } = this.office;
    const { method, url: path, headers } = asked;
    const sent = request({ hostname, port, method, path, headers }, (came) => {
      answer.writeHead(came.statusCode ?? 502, came.headers);
      came.pipe(answer);
    });
    // Whichever side goes, the other goes with it.
    sent.on("error", () => answer.destroy());
    answer.on("close", () => sent.destroy());
    if (this.estranged && path === "/sync") {
      asked.once("data", (bytes: Buffer) => bytes.writeUInt8(0));
    }
    asked.pipe(sent);
  }

  private file(asked: IncomingMessage, answer: ServerResponse): void {
    const path = asked.url ?? "/";
    if (path !== this.named(path)) {
      answer.writeHead(404).end();
      return;
    }
    void fetch(new URL(path.replace(/\.v\d+\.js$/, ".js"), this.office)).then(
      async (came) => {
        let text = this.named(await came.text());
        // The name of the page stays the same; its digest tells versions apart.
        if (path === "/sw.js") text = text.replace(/(url:"index\.html",revision:"\w+)/, `$1v${this.version}`);
        const headers = new Map(came.headers);
        for (const name of ["content-length", "content-encoding", "etag", "transfer-encoding", "connection"]) {
          headers.delete(name);
        }
        answer.writeHead(came.status, Object.fromEntries(headers)).end(text);
      },
      () => answer.destroy(),
    );
  }

  /** A text with the names that this version's files have. */
  private named(text: string): string {
    return text.replace(RENAMED, (_, name: string, hash: string) =>
      this.version === 1 ? `${name}-${hash}.js` : `${name}-${hash}.v${this.version}.js`,
    );
  }
}
