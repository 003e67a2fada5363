import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));

const colour = process.stdout.isTTY && !process.env.NO_COLOR;
const paint = (code) => (text) => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);
export const dim = paint('2');
export const bold = paint('1');
export const red = paint('31');
export const green = paint('32');

/** Stops the whole run with one readable sentence instead of a stack trace. */
export class TaskFailed extends Error {}

/** Runs a command with its output going straight to the terminal; resolves to its exit code. */
export function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: 'inherit', shell: needsShell(command), ...options });
    child.on('error', reject);
    child.on('exit', (code, signal) => resolve(code ?? (signal ? 1 : 0)));
  });
}

/** Runs a command and keeps its output; resolves to `{ code, output, stdout }`. */
export function capture(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      shell: needsShell(command),
      ...options,
    });
    const all = [];
    const out = [];
    child.stdout.on('data', (chunk) => (all.push(chunk), out.push(chunk)));
    child.stderr.on('data', (chunk) => all.push(chunk));
    child.on('error', reject);
    child.on('close', (code) =>
      resolve({ code: code ?? 1, output: Buffer.concat(all).toString(), stdout: Buffer.concat(out).toString() }),
    );
  });
}

/**
 * Runs a step that a reader only wants to hear about when it is slow or fails: after half a second a line says what is
 * going on, then how long it took; the step's own output is shown if it fails.
 */
export async function quietly(title, command, args, options = {}) {
  const started = performance.now();
  let announced = false;
  const announce = () => {
    announced = true;
    process.stdout.write(dim(`${title} … `));
  };
  const timer = setTimeout(announce, 500);
  const { code, output } = await capture(command, args, options).finally(() => clearTimeout(timer));
  if (code !== 0) {
    if (!announced) announce();
    process.stdout.write(`${red('failed')}\n${output}\n`);
    throw new TaskFailed(`${title} failed (exit code ${code}).`);
  }
  if (announced) process.stdout.write(dim(`${((performance.now() - started) / 1000).toFixed(1)} s\n`));
}

/** A command that npm installed into the root of the workspace. */
export function bin(name) {
  return fileURLToPath(new URL(`../../node_modules/.bin/${name}`, import.meta.url));
}

function needsShell(command) {
  return process.platform === 'win32' && command !== process.execPath;
}
