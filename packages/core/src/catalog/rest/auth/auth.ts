/** A request as whoever vouches for it sees it. */
export interface OutgoingRequest {
  readonly method: string;
  readonly url: URL;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** How requests tell who makes them. */
export interface RestAuth {
  /** What is to be sent with the request, besides its own headers. */
  headers(request: OutgoingRequest): Promise<Readonly<Record<string, string>>>;
  /**
   * Called when the server refused what `headers` gave (401, 419): gets other credentials, if there are any to be had.
   * False if there are none: then the request fails.
   */
  renew?(refused: Readonly<Record<string, string>>): Promise<boolean>;
}

export const noAuth: RestAuth = { headers: async () => ({}) };

export function bearerHeaders(token: string): Readonly<Record<string, string>> {
  return { authorization: `Bearer ${token}` };
}

/** A token that was given, or is given anew by a function whenever the server refuses the last one. */
export function bearerAuth(token: string | (() => Promise<string>)): RestAuth {
  if (typeof token === 'string') return { headers: async () => bearerHeaders(token) };
  let current: Promise<string> | null = null;
  const ask = (): Promise<string> => {
    const asked = token().catch((error: unknown) => {
      if (current === asked) current = null;
      throw error;
    });
    current = asked;
    return asked;
  };
  return {
    headers: async () => bearerHeaders(await (current ?? ask())),
    async renew(refused) {
      // Whoever was refused at the same time may have got a new one already.
      const held = current === null ? null : bearerHeaders(await current);
      if (held === null || held['authorization'] === refused['authorization']) await ask();
      return true;
    },
  };
}

/** With the token that came with a table, as long as the server takes it; then as the catalog does. */
export function tableAuth(token: string, catalog: RestAuth): RestAuth {
  let current: string | null = token;
  return {
    headers: async (request) => (current === null ? catalog.headers(request) : bearerHeaders(current)),
    async renew(refused) {
      if (refused['authorization'] !== bearerHeaders(token)['authorization']) {
        return (await catalog.renew?.(refused)) ?? false;
      }
      current = null;
      return true;
    },
  };
}
