// A reader in a process of its own: asks the same questions again and again of a table that is far away, by a cache that
// it shares with others, and prints a line for each right answer. Ends with an error at the first wrong one.
import { writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

import { FileSystemCatalog } from '@lh/core';
import { LocalFileIO } from '@lh/io-fs';
import { Lakehouse } from '@lh/sql';

const { warehouse, cache, questions } = JSON.parse(process.env.LH_READER);

/** Nobody can tell that these files are on the local disk. */
class FarAway {
  #io = new LocalFileIO();
  capabilities = { conditionalCreate: true, maxDeleteBatch: 1000 };
  async read(location, options) {
    if (location.endsWith('.parquet')) await sleep(Math.random() * 6);
    return this.#io.read(location, options);
  }
  stat = (...args) => this.#io.stat(...args);
  write = (...args) => this.#io.write(...args);
  list = (...args) => this.#io.list(...args);
  delete = (...args) => this.#io.delete(...args);
}

const catalog = await FileSystemCatalog.open({ io: new FarAway(), warehouse });
for (;;) {
  const lake = await Lakehouse.open({ catalog, httpfs: false, cache, memoryLimit: '500MB' });
  for (let i = 0; i < 20; i++) {
    const { sql, answer } = questions[Math.floor(Math.random() * questions.length)];
    const found = JSON.stringify(await (await lake.sql(sql)).rows());
    if (found !== answer) throw new Error(`${sql} gave ${found} and not ${answer}`);
    writeSync(1, 'right\n');
  }
  await lake.close();
}
