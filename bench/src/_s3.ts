// A real S3 server with a proxy in front of it that delays requests and counts them.
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { fileURLToPath } from 'node:url';

import { S3FileIO } from '@lh/io-s3';
import { FaultProxy, startS3Server } from 'lakehouse-s3-server';

/** Milliseconds that are added to each request. */
export const LATENCIES = [0, 30] as const;

export interface S3Store {
  readonly proxy: FaultProxy;
  readonly io: S3FileIO;
  /** `s3://<a bucket of its own>` */
  readonly root: string;
  readonly stop: () => Promise<void>;
}

export async function startStore(): Promise<S3Store> {
  const server = await startS3Server();
  const proxy = await FaultProxy.start(server.endpoint);
  const { region, accessKeyId, secretAccessKey } = server;
  const io = new S3FileIO({ endpoint: proxy.endpoint, region, credentials: { accessKeyId, secretAccessKey } });
  const stop = async (): Promise<void> => {
    await io.close();
    await proxy.stop();
    await server.stop();
  };
  return { proxy, io, root: `s3://${await server.newBucket()}`, stop };
}

export interface S3Measurement {
  readonly name: string;
  readonly latencyMs: number;
  readonly wallMs: number;
  /** Of this process, the proxy among it. */
  readonly cpuMs: number;
  readonly requests: number;
  /** Of the bodies of requests and answers. */
  readonly bytes: number;
}

/** Does something once, with a latency added to each request. */
export async function measure(
  { proxy }: S3Store,
  name: string,
  latencyMs: number,
  run: () => Promise<unknown>,
): Promise<S3Measurement> {
  globalThis.gc?.();
  proxy.latencyMs = latencyMs;
  proxy.clear();
  const cpu = process.cpuUsage();
  const start = performance.now();
  await run();
  const wallMs = Math.round(performance.now() - start);
  const { user, system } = process.cpuUsage(cpu);
  const counts = [...proxy.counts().values()];
  const sum = (of: 'requests' | 'bytes'): number => counts.reduce((total, one) => total + one[of], 0);
  proxy.latencyMs = 0;
  const cpuMs = Math.round((user + system) / 1000);
  return { name, latencyMs, wallMs, cpuMs, requests: sum('requests'), bytes: sum('bytes') };
}

/** Prints a table and writes `bench/results/<name>.json`. `notes` are numbers to compare with. */
export function report(
  name: string,
  title: string,
  measurements: readonly S3Measurement[],
  notes: Readonly<Record<string, number>> = {},
): void {
  console.log(`\n${title}\n`);
  const header = ['', 'latency', 'wall', 'CPU', 'requests', 'bytes'];
  const lines = measurements.map((one) => [
    one.name,
    `${one.latencyMs} ms`,
    `${one.wallMs} ms`,
    `${one.cpuMs} ms`,
    String(one.requests),
    one.bytes.toLocaleString('en-US'),
  ]);
  const widths = header.map((_, i) => Math.max(...[header, ...lines].map((cells) => cells[i]!.length)));
  for (const cells of [header, ...lines]) {
    console.log(
      `  ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  ')}`,
    );
  }
  for (const [note, value] of Object.entries(notes)) console.log(`  ${note}: ${value.toLocaleString('en-US')}`);
  const folder = fileURLToPath(new URL('../results/', import.meta.url));
  mkdirSync(folder, { recursive: true });
  const machine = { cpu: cpus()[0]?.model ?? 'unknown', cores: availableParallelism(), node: process.version };
  const result = { name, title, date: new Date().toISOString(), machine, measurements, notes };
  writeFileSync(`${folder}${name}.json`, `${JSON.stringify(result, null, 2)}\n`);
}
