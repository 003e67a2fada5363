import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface ProxyRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface ProxyAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What becomes of a request. */
export type ProxyDecision =
  | 'pass'
  /** The connection breaks before the server hears of it. */
  | 'drop-request'
  /** The server does it, then the connection breaks. */
  | 'drop-answer'
  /** The connection breaks, and the server hears of it after so many milliseconds. */
  | { readonly late: number }
  /** The server does not hear of it. */
  | { readonly answer: ProxyAnswer }
  /** The server does it, and this is made of its answer; null breaks the connection. */
  | { readonly change: (answer: ProxyAnswer) => ProxyAnswer | null | Promise<ProxyAnswer | null> };

type Decide = (request: ProxyRequest) => ProxyDecision | Promise<ProxyDecision>;

/** Stands before a REST catalog server: keeps what was asked, and breaks, delays, answers or changes what it is told to. */
export class RestProxy {
  readonly requests: ProxyRequest[] = [];
  readonly #target: string;
  readonly #server: Server;
  readonly #late = new Set<Promise<unknown>>();
  decide: Decide = () => 'pass';

  private constructor(target: string) {
    this.#target = target;
    this.#server = createServer((request, response) => {
      this.#handle(request, response).catch(() => response.destroy());
    });
  }

  static async start(target: string, decide?: Decide): Promise<RestProxy> {
    const proxy = new RestProxy(target);
    if (decide) proxy.decide = decide;
    await new Promise<void>((resolve, reject) => {
      proxy.#server.on('error', reject).listen(0, '127.0.0.1', resolve);
    });
    return proxy;
  }

  get uri(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Waits for what is late. */
  async settled(): Promise<void> {
    while (this.#late.size > 0) await Promise.all(this.#late);
  }

  async stop(): Promise<void> {
    await this.settled();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const request: ProxyRequest = {
      method: incoming.method ?? 'GET',
      path: incoming.url ?? '/',
      headers: incoming.headers as Record<string, string>,
      body: Buffer.concat(chunks).toString(),
    };
    this.requests.push(request);
    const decision = await this.decide(request);
    if (decision === 'drop-request') return void response.destroy();
    if (typeof decision === 'object' && 'answer' in decision) return answerWith(response, decision.answer);
    if (typeof decision === 'object' && 'late' in decision) {
      response.destroy();
      return this.#forwardLate(request, decision.late);
    }
    const answer = await this.#forward(request);
    if (decision === 'drop-answer') return void response.destroy();
    const changed = decision === 'pass' ? answer : await decision.change(answer);
    if (changed === null) return void response.destroy();
    answerWith(response, changed);
  }

  #forwardLate(request: ProxyRequest, milliseconds: number): void {
    const late = sleep(milliseconds)
      .then(() => this.#forward(request))
      .catch(() => undefined)
      .finally(() => this.#late.delete(late));
    this.#late.add(late);
  }

  async #forward({ method, path, headers, body }: ProxyRequest): Promise<ProxyAnswer> {
    const { host: _host, connection: _connection, 'content-length': _length, ...kept } = headers;
    const answer = await fetch(`${this.#target}${path}`, {
      method,
      headers: { ...kept, 'accept-encoding': 'identity' },
      ...(body !== '' && { body }),
    });
    const {
      'content-encoding': _encoding,
      'transfer-encoding': _transfer,
      'content-length': _size,
      ...sent
    } = Object.fromEntries(answer.headers);
    return { status: answer.status, headers: sent, body: await answer.text() };
  }
}

function answerWith(response: ServerResponse, { status, headers, body }: ProxyAnswer): void {
  response.writeHead(status, headers);
  response.end(status === 204 || status === 304 ? undefined : body);
}

/** An error as the REST specification has it. */
export function errorAnswer(status: number, type: string, headers: Record<string, string> = {}): ProxyAnswer {
  const body = JSON.stringify({ error: { message: `${type} of the proxy`, type, code: status } });
  return { status, headers: { 'content-type': 'application/json', ...headers }, body };
}

/** Whether a request commits to one table. */
export function isCommit({ method, path }: ProxyRequest): boolean {
  return method === 'POST' && /\/tables\/[^/]+$/.test(path) && !path.endsWith('/tables/rename');
}
