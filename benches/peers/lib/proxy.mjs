/**
 * A TCP proxy that counts payload bytes, WebSocket messages and HTTP requests, and can delay and
 * slow the link down.
 */
import { connect, createServer } from "node:net";

/** `rtt` in ms; `bytesPerSecond` for each direction, unlimited by default. Forwards to `port` on this machine. */
export async function startProxy(port, { rtt = 0, bytesPerSecond = Infinity } = {}) {
  const counts = {
    up: 0,
    down: 0,
    messagesUp: 0,
    messagesDown: 0,
    requests: 0,
    last: 0,
  };
  const sockets = new Set();
  const [up, down] = [new Link(rtt / 2, bytesPerSecond), new Link(rtt / 2, bytesPerSecond)];

  const server = createServer({ noDelay: true }, (client) => {
    const target = connect({ port, host: "127.0.0.1", noDelay: true });
    // Opening a connection takes a round trip before its first byte can be sent.
    const opened = Date.now() + rtt;
    const frames = { up: new Frames(), down: new Frames() };
    client.on("data", (data) => {
      counts.up += data.length;
      counts.last = performance.now();
      counts.messagesUp += frames.up.count(data);
      counts.requests += requestsIn(data);
      up.carry(data, opened, () => target.write(data));
    });
    target.on("data", (data) => {
      counts.down += data.length;
      counts.last = performance.now();
      counts.messagesDown += frames.down.count(data);
      down.carry(data, opened, () => client.write(data));
    });
    for (const [socket, other, link] of [
      [client, target, up],
      [target, client, down],
    ]) {
      sockets.add(socket);
      socket.on("error", () => other.destroy());
      socket.on("end", () => link.carry(Buffer.alloc(0), opened, () => other.end()));
      socket.on("close", () => sockets.delete(socket));
    }
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  return {
    port: server.address().port,
    counts,
    /** Starts to count anew. */
    reset() {
      for (const name of Object.keys(counts)) counts[name] = 0;
    },
    /** Closes all connections, so that the next request opens one. */
    hangUp() {
      for (const socket of sockets) socket.destroy();
    },
    close() {
      this.hangUp();
      server.close();
    },
  };
}

/** One direction of a link, shared by all connections. */
class Link {
  constructor(delay, bytesPerSecond) {
    this.delay = delay;
    this.bytesPerSecond = bytesPerSecond;
    this.free = 0;
  }

  carry(data, opened, deliver) {
    if (this.delay === 0 && this.bytesPerSecond === Infinity) return deliver();
    const begin = Math.max(Date.now(), opened, this.free);
    this.free = begin + (data.length / this.bytesPerSecond) * 1_000;
    setTimeout(deliver, this.free + this.delay - Date.now());
  }
}

const requestsIn = (data) =>
  data.toString("latin1").match(/^(GET|HEAD|POST|PUT|DELETE) \S+ HTTP\/1\.1\r$/gm)?.length ?? 0;

/** Counts the messages of a WebSocket in one direction, after the HTTP exchange that opens it. */
class Frames {
  state = "http";
  rest = Buffer.alloc(0);

  count(data) {
    if (this.state === "http") {
      const text = data.toString("latin1");
      const end = text.indexOf("\r\n\r\n");
      if (end < 0 || !/upgrade: websocket/i.test(text)) return 0;
      this.state = "frames";
      data = data.subarray(end + 4);
    }
    let messages = 0;
    this.rest = Buffer.concat([this.rest, data]);
    for (let frame = this.frame(); frame && this.rest.length >= frame.size; frame = this.frame()) {
      if (frame.final && frame.opcode < 8) messages += 1;
      this.rest = this.rest.subarray(frame.size);
    }
    return messages;
  }

  frame() {
    const { rest } = this;
    if (rest.length < 2) return undefined;
    const short = rest[1] & 0x7f;
    const head = 2 + (short === 126 ? 2 : short === 127 ? 8 : 0);
    if (rest.length < head) return undefined;
    const length = short === 126 ? rest.readUInt16BE(2) : short === 127 ? Number(rest.readBigUInt64BE(2)) : short;
    const masked = (rest[1] & 0x80) !== 0;
    return {
      final: (rest[0] & 0x80) !== 0,
      opcode: rest[0] & 0x0f,
      size: head + (masked ? 4 : 0) + length,
    };
  }
}
