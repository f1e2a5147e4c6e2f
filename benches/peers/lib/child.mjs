/** Processes that take calls, one at a time. */
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";

/** A process that is one side. */
export class Child {
  constructor(system) {
    this.process = fork(fileURLToPath(new URL("../child.mjs", import.meta.url)), [system], { execArgv: [] });
  }

  call(call, argument) {
    return new Promise((done, failed) => {
      const ended = (code) => failed(new Error(`${call}: the process ended with ${code}`));
      this.process.once("exit", ended);
      this.process.once("message", ({ result, error }) => {
        this.process.off("exit", ended);
        if (error) failed(new Error(error));
        else done(result);
      });
      this.process.send({ call, argument });
    });
  }

  kill() {
    this.process.kill();
  }
}
