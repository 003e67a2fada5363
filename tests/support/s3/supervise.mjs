// Runs a server on behalf of another process, and ends it when that process ends, however it does: then the pipe on
// stdin closes. Takes `{ command, args, stop, folder }` as JSON: `stop` is a command that ends the server where a signal to
// its process does not; `folder` is deleted after it, unless stdin has said 'keep'. The server's output goes where this
// process's goes.
import { spawn, spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';

const { command, args, stop, folder } = JSON.parse(process.argv[2]);
const server = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'] });
let ending = false;
let keep = false;

function end() {
  if (ending) return;
  ending = true;
  if (stop) spawnSync(stop[0], stop.slice(1), { stdio: 'ignore' });
  server.kill('SIGKILL');
}

server.on('error', (error) => {
  console.error(`${command}: ${error.message}`);
  process.exit(1);
});
server.on('exit', (code) => {
  if (!keep) rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
  process.exit(ending ? 0 : (code ?? 1));
});
process.stdin
  .on('data', () => (keep = true))
  .on('end', end)
  .on('error', end);
// Ctrl-C reaches the whole group; the process that this one works for decides when the server ends.
for (const signal of ['SIGINT', 'SIGHUP']) process.on(signal, () => undefined);
process.on('SIGTERM', end);
