/** An identity provider on this machine: one page with one button, codes, and tokens signed with RS256. */
import { createHash, generateKeyPairSync, randomUUID, sign } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export const CLIENT = "doorstep-office";

interface Asked {
  challenge: string;
  nonce: string;
  to: string;
}

const base64 = (value: string | Buffer): string => Buffer.from(value).toString("base64url");

export class Provider {
  url = "";
  /** Who sits in front of the browser. */
  person = "chen.jie";
  private readonly keys = generateKeyPairSync("rsa", { modulusLength: 2048 });
  private readonly codes = new Map<string, Asked>();
  private readonly server = createServer((request, response) => {
    void this.answer(request, response);
  });

  async start(): Promise<void> {
    await new Promise<void>((done) => this.server.listen(0, "127.0.0.1", done));
    this.url = `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.server.close();
    this.server.closeAllConnections();
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? "/", this.url);
    const json = (status: number, body: unknown): void => {
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    };
    switch (pathname) {
      case "/.well-known/openid-configuration":
        json(200, {
          issuer: this.url,
          authorization_endpoint: `${this.url}/door`,
          token_endpoint: `${this.url}/token`,
          jwks_uri: `${this.url}/keys`,
          response_types_supported: ["code"],
          subject_types_supported: ["public"],
          id_token_signing_alg_values_supported: ["RS256"],
        });
        return;
      case "/keys":
        json(200, { keys: [{ ...this.keys.publicKey.export({ format: "jwk" }), kid: "1", use: "sig", alg: "RS256" }] });
        return;
      case "/door":
        this.door(searchParams, response);
        return;
      case "/token": {
        const chunks: Buffer[] = [];
        for await (const chunk of request) chunks.push(chunk as Buffer);
        const asked = new URLSearchParams(Buffer.concat(chunks).toString());
        const known = this.codes.get(asked.get("code") ?? "");
        this.codes.delete(asked.get("code") ?? "");
        const challenge = base64(
          createHash("sha256")
            .update(asked.get("code_verifier") ?? "")
            .digest(),
        );
        if (known?.challenge !== challenge || known.to !== asked.get("redirect_uri")) {
          json(400, { error: "invalid_grant" });
          return;
        }
        json(200, { access_token: "of no use", token_type: "Bearer", id_token: this.token(known.nonce) });
        return;
      }
      default:
        response.writeHead(404).end();
    }
  }

  /** A page of the provider, on which a person says yes. */
  private door(asked: URLSearchParams, response: ServerResponse): void {
    const code = randomUUID();
    const to = asked.get("redirect_uri") ?? "";
    this.codes.set(code, { challenge: asked.get("code_challenge") ?? "", nonce: asked.get("nonce") ?? "", to });
    const back = `${to}?${new URLSearchParams({ code, state: asked.get("state") ?? "", iss: this.url })}`;
    const page = `<!doctype html><title>Provider</title><a href="${back.replaceAll("&", "&amp;")}">I am ${this.person}</a>`;
    response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(page);
  }

  private token(nonce: string): string {
    const now = Math.floor(Date.now() / 1000);
    const claims = {
      iss: this.url,
      sub: `subject of ${this.person}`,
      aud: CLIENT,
      iat: now,
      exp: now + 300,
      nonce,
      preferred_username: this.person,
    };
    const signed = `${base64(JSON.stringify({ alg: "RS256", kid: "1" }))}.${base64(JSON.stringify(claims))}`;
    return `${signed}.${base64(sign("sha256", Buffer.from(signed), this.keys.privateKey))}`;
  }
}
