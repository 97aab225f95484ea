// Starts the real server program on a free port with a data folder of its own.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

const program = process.env.STACKSEAL_SERVER;

export class Server {
  /** Everything it wrote to standard output and standard error. */
  output = "";

  /** @returns {Promise<Server>} one that printed its sign-in link */
  static async start() {
    if (!program) throw new Error("STACKSEAL_SERVER names no program; `make e2e` builds it and sets this");
    const server = new Server();
    server.folder = await mkdtemp(path.join(tmpdir(), "stackseal-e2e-"));
    await server.begin("127.0.0.1:0");
    return server;
  }

  get data() {
    return path.join(this.folder, "data");
  }

  get remote() {
    return path.join(this.data, "remote.git");
  }

  get pid() {
    return this.process.pid;
  }

  get origin() {
    return new URL(this.link).origin;
  }

  async begin(listen) {
    this.process = spawn(program, ["--listen", listen, "--data", this.data], {
      env: { PATH: process.env.PATH, HOME: this.folder },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const begun = this.output.length;
    this.exited = once(this.process, "exit");
    const take = (chunk) => (this.output += chunk);
    this.process.stderr.on("data", take);
    const ready = new Promise((resolve, reject) => {
      this.process.stdout.on("data", (chunk) => {
        take(chunk);
        const found = / (http\S+#token=\S+)\n/.exec(this.output.slice(begun));
        if (found) resolve(found[1]);
      });
      setTimeout(() => reject(new Error(`the server told no link: ${this.output.slice(begun)}`)), 60_000).unref();
      this.exited.then(([code]) => reject(new Error(`the server ended with ${code}: ${this.output.slice(begun)}`)));
    });
    this.link = await ready;
  }

  /** Ctrl-C; resolves with the exit status. */
  async stop() {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return this.process.exitCode;
    this.process.kill("SIGINT");
    const [code] = await this.exited;
    return code;
  }

  /** Ends it without a chance to tidy up. */
  async kill() {
    this.process.kill("SIGKILL");
    await this.exited;
  }

  /** Starts it again on the same port with the same data. */
  async again() {
    await this.begin(new URL(this.link).host);
  }

  async remove() {
    await this.stop();
    await rm(this.folder, { recursive: true, force: true });
  }
}
