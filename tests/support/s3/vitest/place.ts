import { inject } from 'vitest';

import type { S3Place } from '../src/index.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The S3 server of this run, or why there is none. */
    s3: S3Place | { readonly missing: string };
  }
}

/** The S3 server of this run. For tests of projects with `s3` in `vitest.config.ts`. */
export function s3Place(): S3Place {
  const place = inject('s3');
  if ('missing' in place) throw new Error(place.missing);
  return place;
}
