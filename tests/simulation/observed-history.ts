import type { FileIO, Snapshot, Table } from '@lh/core';

import { parseTableMetadata } from '../../packages/core/src/spec/table-metadata-json.ts';

const VERSION = /\/v\d+\.metadata\.json$/;

/** All snapshots that any version of the table had which a process has written: those that have expired, too. */
export class ObservedHistory {
  readonly #snapshots = new Map<bigint, Snapshot>();
  readonly #makers = new Map<bigint, object>();

  /** Looks at what is written through a FileIO, by whom if that matters. */
  watch(io: FileIO, maker?: object): FileIO {
    const see = (location: string, data: unknown): void => this.#see(location, data, maker);
    return new Proxy(io, {
      get(target, name) {
        if (name === 'write') {
          return (...parameters: Parameters<FileIO['write']>) => {
            see(parameters[0], parameters[1]);
            return target.write(...parameters);
          };
        }
        const own: unknown = target[name as keyof FileIO];
        return typeof own === 'function' ? (own as () => unknown).bind(target) : own;
      },
    });
  }

  /** The table with the snapshots that have expired, as far as others are built on them; those can't be read. */
  whole(table: Table): Table {
    const snapshots = this.#withAncestors(table.snapshots());
    return new Proxy(table, {
      get(target, name) {
        if (name === 'snapshots') return () => snapshots;
        const own: unknown = Reflect.get(target, name, target);
        return typeof own === 'function' ? (own as () => unknown).bind(target) : own;
      },
    });
  }

  /** Who was the first to write the snapshot; null if that doesn't matter. */
  makerOf(snapshotId: bigint): object | null {
    return this.#makers.get(snapshotId) ?? null;
  }

  /** Each after its parent. */
  #withAncestors(snapshots: readonly Snapshot[]): readonly Snapshot[] {
    const left = new Map(snapshots.map((snapshot) => [snapshot.snapshotId, snapshot]));
    const all = new Map<bigint, Snapshot>();
    const add = (id: bigint | null): void => {
      if (id === null || all.has(id)) return;
      const snapshot = left.get(id) ?? this.#snapshots.get(id);
      if (!snapshot) throw new Error(`the snapshot ${id} was in no version that anyone has seen`);
      add(snapshot.parentSnapshotId);
      all.set(id, snapshot);
    };
    for (const { snapshotId } of snapshots) add(snapshotId);
    return [...all.values()];
  }

  #see(location: string, bytes: unknown, maker?: object): void {
    if (!VERSION.test(location) || !(bytes instanceof Uint8Array)) return;
    for (const snapshot of parseTableMetadata(bytes, location).snapshots) {
      if (maker && !this.#snapshots.has(snapshot.snapshotId)) this.#makers.set(snapshot.snapshotId, maker);
      this.#snapshots.set(snapshot.snapshotId, snapshot);
    }
  }
}
