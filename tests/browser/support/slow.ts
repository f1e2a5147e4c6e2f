/** A network as slow as where people knock on doors: every connection of the phone goes through it. */
import { createServer, connect, type AddressInfo, type Server, type Socket } from "node:net";

/** What browsers' tools call "Slow 3G": 400 ms to the server and back, some 50 KB/s. */
const ROUND_TRIP_MS = 400;
const BYTES_PER_MS = 50;

export class SlowNetwork {
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();
  url = "";

  private constructor(to: number) {
    this.server = createServer((phone) => {
      const office = connect(to, "127.0.0.1");
      carry(phone, office);
      carry(office, phone);
      for (const socket of [phone, office]) {
        this.sockets.add(socket);
        socket.on("close", () => this.sockets.delete(socket));
      }
    });
  }

  /** Stands before an office. */
  static async before(url: string): Promise<SlowNetwork> {
    const network = new SlowNetwork(Number(new URL(url).port));
    await new Promise<void>((done) => network.server.listen(0, "127.0.0.1", done));
    network.url = `http://127.0.0.1:${(network.server.address() as AddressInfo).port}`;
    return network;
  }

  stop(): void {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
  }
}

/** Bytes come late, in order, and no faster than the line carries them. */
function carry(from: Socket, to: Socket): void {
  let free = 0;
  from.on("data", (bytes) => {
    from.pause();
    free = Math.max(free, performance.now()) + bytes.length / BYTES_PER_MS;
    const arrives = free + ROUND_TRIP_MS / 2 - performance.now();
    setTimeout(() => !to.destroyed && to.write(bytes), arrives);
    setTimeout(() => from.resume(), free - performance.now());
  });
  from.on("end", () => setTimeout(() => to.end(), ROUND_TRIP_MS / 2 + Math.max(0, free - performance.now())));
  from.on("error", () => to.destroy());
  from.on("close", () => setTimeout(() => to.destroy(), ROUND_TRIP_MS));
}
