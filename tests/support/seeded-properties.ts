import fc from 'fast-check';

import { seed } from './seed.ts';

// Every property gets the same cases in every run. A failure prints this seed, and LH_SEED chooses another.
fc.configureGlobal({ seed: seed(20_260_701) });
