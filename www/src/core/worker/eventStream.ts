/**
 * The office's event stream: says when the feed has grown, and whether it can be relied on. The office
 * writes an event every 25 seconds at least, so silence means that the connection is dead, which a
 * browser alone may not notice for many minutes.
 */

/** Longest silence of a stream that is alive: two missed heartbeats. */
const SILENCE_MS = 60_000;

export class EventStream {
  private source: EventSource | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private isAlive = false;

  constructor(
    private readonly url: string,
    /** The feed has grown to this number; 0 where the office lost count. */
    private readonly moved: (seq: number) => void,
    private readonly alive: (alive: boolean) => void,
  ) {
    this.open();
  }

  close(): void {
    clearTimeout(this.timer);
    this.source?.close();
    this.setAlive(false);
  }

  private open(): void {
    const source = new EventSource(this.url);
    this.source = source;
    source.addEventListener("moved", (event: MessageEvent<string>) => this.heard(seqOf(event.data) ?? 0));
    source.addEventListener("alive", (event: MessageEvent<string>) => this.heard(seqOf(event.data)));
    // The browser opens it again after a lost connection, but not after a refusal: the timer does.
    source.addEventListener("error", () => this.setAlive(false));
    this.watch();
  }

  private heard(seq: number | undefined): void {
    this.setAlive(true);
    this.watch();
    if (seq !== undefined) this.moved(seq);
  }

  private watch(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.close();
      this.open();
    }, SILENCE_MS);
  }

  private setAlive(alive: boolean): void {
    if (this.isAlive === alive) return;
    this.isAlive = alive;
    this.alive(alive);
  }
}

function seqOf(data: string): number | undefined {
  try {
    const { seq } = JSON.parse(data) as { seq?: unknown };
    return typeof seq === "number" ? seq : undefined;
  } catch {
    return undefined;
  }
}
