/** Limits for processes by control groups of version 1 or 2, where this user may write them (root). */
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const ROOT = "/sys/fs/cgroup";
/** Short, so that a limited process is slow and does not stop and go. */
const PERIOD_US = 12_000;

/** Files by version: CPU in quota per period, memory in bytes, the most memory that was used. */
const VERSIONS = [
  { cpu: { "cpu.max": (share) => `${share * PERIOD_US} ${PERIOD_US}` }, memory: { "memory.max": String } },
  {
    cpu: { "cpu.cfs_period_us": () => String(PERIOD_US), "cpu.cfs_quota_us": (share) => String(share * PERIOD_US) },
    memory: { "memory.limit_in_bytes": String },
  },
];
const PEAKS = ["memory.peak", "memory.max_usage_in_bytes"];

/**
 * A new group: `kind` "cpu" with a share of one core, or "memory" with bytes. What its processes start
 * is in it too. Undefined where groups cannot be written. `remove` works once its processes have ended.
 */
export function limit(kind, value) {
  const unified = existsSync(join(ROOT, "cgroup.controllers"));
  const folder = join(ROOT, unified ? "" : kind, `doorstep-${kind}-${process.pid}`);
  try {
    mkdirSync(folder);
    for (const [file, text] of Object.entries(VERSIONS[unified ? 0 : 1][kind])) {
      writeFileSync(join(folder, file), text(value));
    }
  } catch {
    return undefined;
  }
  const processes = join(folder, "cgroup.procs");
  return {
    /** For a program that adds itself: memory is counted where it was first used. */
    processes,
    add: (pid) => writeFileSync(processes, String(pid)),
    peakBytes: () => {
      const file = PEAKS.map((name) => join(folder, name)).find(existsSync);
      return file ? Number(readFileSync(file, "utf8")) : undefined;
    },
    remove: () => {
      try {
        rmdirSync(folder);
      } catch {
        // Its processes are still ending: an empty group costs nothing.
      }
    },
  };
}
