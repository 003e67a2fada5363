import {
  Agent,
  type ClientRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  createServer,
  request as httpRequest,
} from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import { type S3Operation, s3Operation } from './s3-operation.ts';

/**
 * - `reset`: the connection breaks before the server has heard of the request.
 * - `reset-request`: it breaks when half of the request's body has reached the server.
 * - `reset-response`: it breaks when half of the answer's body has been passed on.
 * - `drop-answer`: the server acts, and the connection breaks instead of an answer.
 * - `act-late`: the connection breaks, and the server gets the whole request some time later.
 * - `slow-down`: 503 SlowDown; the server hears nothing.
 */
export type ProxyFault = 'reset' | 'reset-request' | 'reset-response' | 'drop-answer' | 'act-late' | 'slow-down';

export interface ProxyRule {
  readonly fault: ProxyFault;
  readonly operations?: readonly S3Operation[];
  readonly when?: (request: ProxyRequest) => boolean;
  /** 1 if left out. */
  readonly probability?: number;
  /** How often at most; without end if left out. */
  readonly times?: number;
  /** Milliseconds until the server acts, for `act-late`; 200 if left out. */
  readonly delayMs?: number;
}

/** One request that has come through. */
export interface ProxyRequest {
  readonly operation: S3Operation;
  readonly bucket: string;
  readonly key: string;
  /** As the client sent it; null for the whole object. */
  readonly range: string | null;
  /** With `If-None-Match` or `If-Match`. */
  readonly conditional: boolean;
  readonly startedMs: number;
  /** What was done to it; null for nothing. */
  fault: ProxyFault | null;
  /** Null until there is an answer. */
  status: number | null;
  /** Bytes of the bodies that went to the server and that came from it. */
  sent: number;
  received: number;
}

export interface FaultProxyOptions {
  readonly seed?: number;
  /** Added to each request, before the server hears of it. */
  readonly latencyMs?: number;
  /** Of all bodies together, in each direction; without limit if left out. */
  readonly bytesPerSecond?: number;
  readonly rules?: readonly ProxyRule[];
}

const SLOW_DOWN = `<?xml version="1.0" encoding="UTF-8"?>
<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>`;

/**
 * An HTTP proxy in front of an S3 server that slows requests down, breaks those that a rule picks (the first rule that does
 * counts), and keeps a log. Headers pass unchanged, `Host` among them, which is part of what clients sign.
 */
export class FaultProxy {
  /** Every request since the last `clear`, in order. */
  requests: ProxyRequest[] = [];
  /** May be changed at any time, and holds for the requests that come then. */
  latencyMs: number;
  readonly #target: URL;
  readonly #server: Server;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #sockets = new Set<Socket>();
  readonly #underWay = new Set<Promise<unknown>>();
  readonly #up: Throttle;
  readonly #down: Throttle;
  readonly #random: () => number;
  #rules: { readonly rule: ProxyRule; left: number }[] = [];
  #endpoint = '';

  /** Starts a proxy on a free port of this machine, in front of an `http://` endpoint. */
  static async start(target: string, options: FaultProxyOptions = {}): Promise<FaultProxy> {
    const proxy = new FaultProxy(target, options);
    await new Promise<void>((resolve, reject) => {
      proxy.#server.on('error', reject).listen(0, '127.0.0.1', resolve);
    });
    proxy.#endpoint = `http://127.0.0.1:${(proxy.#server.address() as { port: number }).port}`;
    return proxy;
  }

  private constructor(target: string, { seed = 1, latencyMs = 0, bytesPerSecond, rules = [] }: FaultProxyOptions) {
    this.#target = new URL(target);
    this.latencyMs = latencyMs;
    this.#up = new Throttle(bytesPerSecond);
    this.#down = new Throttle(bytesPerSecond);
    this.#random = mulberry32(seed);
    this.rules = rules;
    this.#server = createServer((request, response) => {
      const { socket } = request;
      const handled = this.#handle(request, response).catch(() => void socket.resetAndDestroy());
      this.#underWay.add(handled);
      void handled.finally(() => this.#underWay.delete(handled));
    });
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket)).on('error', () => undefined);
    });
  }

  /** Where clients send their requests instead. */
  get endpoint(): string {
    return this.#endpoint;
  }

  /** Replaces the rules; each counts its `times` anew. */
  set rules(rules: readonly ProxyRule[]) {
    this.#rules = rules.map((rule) => ({ rule, left: rule.times ?? Infinity }));
  }

  /** Forgets the log. */
  clear(): void {
    this.requests = [];
  }

  /** Requests in the log and the bytes of their bodies, in both directions, by operation. */
  counts(): ReadonlyMap<S3Operation, { readonly requests: number; readonly bytes: number }> {
    const counts = new Map<S3Operation, { requests: number; bytes: number }>();
    for (const { operation, sent, received } of this.requests) {
      const { requests, bytes } = counts.get(operation) ?? { requests: 0, bytes: 0 };
      counts.set(operation, { requests: requests + 1, bytes: bytes + sent + received });
    }
    return counts;
  }

  /** Until nothing is under way any more, requests that the server gets late among it. */
  async settled(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#agent.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    const logged = this.#log(request);
    const rule = this.#pick(logged);
    logged.fault = rule?.fault ?? null;
    if (this.latencyMs > 0) await sleep(this.latencyMs);
    // The client has gone away meanwhile: the server would wait for the rest of its request.
    if (request.socket.destroyed) return;
    switch (rule?.fault) {
      case 'reset':
        return reset(request);
      case 'slow-down':
        for await (const _ of request);
        logged.status = 503;
        response.writeHead(503, { 'content-type': 'application/xml', connection: 'close' }).end(SLOW_DOWN);
        return;
      case 'reset-request':
        return this.#resetRequest(request, logged);
      case 'act-late':
        return this.#actLate(request, logged, rule.delayMs ?? 200);
      case 'drop-answer':
      case 'reset-response':
      case undefined:
        return this.#forward(request, response, logged);
    }
  }

  async #forward(request: IncomingMessage, response: ServerResponse, logged: ProxyRequest): Promise<void> {
    const forwarded = this.#open(request);
    const answered = answerOf(forwarded);
    // A client that goes away takes its request along.
    response.on('close', () => response.writableFinished || forwarded.destroy());
    // The server may answer, and close, before it has read everything; its answer counts.
    const sent = this.#send(request, forwarded, logged).catch(() => undefined);
    const answer = await answered;
    logged.status = answer.statusCode ?? null;
    if (logged.fault === 'drop-answer') {
      for await (const _ of answer);
      await sent;
      return reset(request);
    }
    const { statusCode = 502, statusMessage, rawHeaders } = answer;
    response.writeHead(statusCode, statusMessage, rawHeaders);
    const half = logged.fault === 'reset-response' ? Number(answer.headers['content-length'] ?? 0) / 2 : Infinity;
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      const part = chunk.subarray(0, Math.max(0, Math.floor(half) - logged.received));
      await this.#down.pass(part.length);
      logged.received += part.length;
      await write(response, part);
      if (part.length < chunk.length) return reset(request);
    }
    if (logged.fault === 'reset-response') return reset(request);
    response.end();
    await sent;
  }

  /** Sends the body, as far as it goes. */
  async #send(
    request: IncomingMessage,
    forwarded: ClientRequest,
    logged: ProxyRequest,
    limit = Infinity,
  ): Promise<void> {
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      const part = chunk.subarray(0, Math.max(0, Math.floor(limit) - logged.sent));
      await this.#up.pass(part.length);
      logged.sent += part.length;
      await write(forwarded, part);
      if (part.length < chunk.length) return;
    }
    if (limit === Infinity) forwarded.end();
  }

  async #resetRequest(request: IncomingMessage, logged: ProxyRequest): Promise<void> {
    const forwarded = this.#open(request);
    answerOf(forwarded).catch(() => undefined);
    await this.#send(request, forwarded, logged, Number(request.headers['content-length'] ?? 0) / 2);
    forwarded.destroy();
    reset(request);
  }

  async #actLate(request: IncomingMessage, logged: ProxyRequest, delayMs: number): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    reset(request);
    await sleep(delayMs);
    const forwarded = this.#open(request);
    const body = Buffer.concat(chunks);
    logged.sent = body.length;
    forwarded.end(body);
    const answer = await answerOf(forwarded);
    logged.status = answer.statusCode ?? null;
    answer.resume();
  }

  #open(request: IncomingMessage): ClientRequest {
    return httpRequest({
      agent: this.#agent,
      host: this.#target.hostname,
      port: this.#target.port,
      method: request.method,
      path: request.url,
      headers: request.rawHeaders,
      setHost: false,
    });
  }

  #log(request: IncomingMessage): ProxyRequest {
    const { method = '', url = '', headers } = request;
    const logged: ProxyRequest = {
      ...s3Operation(method, url, headers),
      range: headers.range ?? null,
      conditional: 'if-none-match' in headers || 'if-match' in headers,
      startedMs: performance.now(),
      fault: null,
      status: null,
      sent: 0,
      received: 0,
    };
    this.requests.push(logged);
    return logged;
  }

  #pick(request: ProxyRequest): ProxyRule | null {
    for (const candidate of this.#rules) {
      const { operations, when, probability = 1 } = candidate.rule;
      if (candidate.left <= 0 || operations?.includes(request.operation) === false || when?.(request) === false)
        continue;
      if (probability < 1 && this.#random() >= probability) continue;
      candidate.left--;
      return candidate.rule;
    }
    return null;
  }
}

/** Lets a number of bytes pass in a second, however many connections they are on. */
class Throttle {
  readonly #bytesPerSecond: number;
  #freeAtMs = 0;

  constructor(bytesPerSecond = Infinity) {
    this.#bytesPerSecond = bytesPerSecond;
  }

  async pass(bytes: number): Promise<void> {
    if (this.#bytesPerSecond === Infinity) return;
    const now = performance.now();
    this.#freeAtMs = Math.max(now, this.#freeAtMs) + (bytes / this.#bytesPerSecond) * 1000;
    await sleep(this.#freeAtMs - now);
  }
}

function answerOf(forwarded: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    forwarded.on('response', resolve).on('error', reject);
  });
}

/** Writes a piece of a body, and waits where the other side is slow. */
async function write(to: ClientRequest | ServerResponse, bytes: Buffer): Promise<void> {
  if (bytes.length === 0 || to.write(bytes)) return;
  await new Promise<void>((resolve, reject) => {
    const done = (): void => {
      to.off('drain', done).off('close', closed);
      resolve();
    };
    const closed = (): void => reject(new Error('The other side has gone.'));
    to.on('drain', done).on('close', closed);
  });
}

/** Breaks the connection as a crash does, with RST. */
function reset({ socket }: IncomingMessage): void {
  socket.resetAndDestroy();
}

/** Numbers in [0, 1), the same for the same seed. */
function mulberry32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}
