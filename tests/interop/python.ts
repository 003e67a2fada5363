import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Runs a script of this folder with the pinned engines; resolves to what it printed. */
export function python(script: string, input: string): Promise<string> {
  const interpreter = process.env['INTEROP_PYTHON'];
  if (interpreter === undefined) throw new Error('Run these tests with `npm run test:interop`.');
  const path = fileURLToPath(new URL(script, import.meta.url));
  return new Promise((resolve, reject) => {
    const child = spawn(interpreter, [path], { stdio: ['pipe', 'pipe', 'pipe'] });
    const output: Buffer[] = [];
    const errors: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => errors.push(chunk));
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve(Buffer.concat(output).toString());
      else reject(new Error(`${script} failed: ${Buffer.concat(errors).toString()}`));
    });
    child.stdin.end(input);
  });
}
