import { invalidData } from '../errors.ts';

/**
 * Well-known text and binary of geometries, XY to XYZM (spec: appendix G; OGC "Simple Feature Access", part 1). The ISO
 * form only: a type code is the geometry's number plus 1000 for Z and 2000 for M.
 */
type Dimensions = '' | 'Z' | 'M' | 'ZM';

const DIMENSIONS: readonly Dimensions[] = ['', 'Z', 'M', 'ZM'];

/** What a geometry is made of: one position, a list of positions, or lists of a smaller kind without or with own headers. */
type Shape =
  | { readonly form: 'position' }
  | { readonly form: 'positions' }
  | { readonly form: 'rings' }
  | { readonly form: 'parts'; readonly part: number | null };

/** By type code. Parts of a collection can be of any type. */
const SHAPES: readonly (readonly [name: string, shape: Shape])[] = [
  ['GEOMETRY', { form: 'parts', part: null }],
  ['POINT', { form: 'position' }],
  ['LINESTRING', { form: 'positions' }],
  ['POLYGON', { form: 'rings' }],
  ['MULTIPOINT', { form: 'parts', part: 1 }],
  ['MULTILINESTRING', { form: 'parts', part: 2 }],
  ['MULTIPOLYGON', { form: 'parts', part: 3 }],
  ['GEOMETRYCOLLECTION', { form: 'parts', part: null }],
];

type Position = readonly number[];

interface Geometry {
  readonly code: number;
  readonly dimensions: Dimensions;
  readonly content: readonly Position[] | readonly (readonly Position[])[] | readonly Geometry[];
}

const MAX_DEPTH = 100;

/** INVALID_DATA if the bytes are not ISO WKB. */
export function wkbToWkt(wkb: Uint8Array): string {
  try {
    const reader = new WkbReader(wkb);
    const geometry = reader.geometry(0);
    if (!reader.atEnd) throw invalidData('A geometry has bytes after its end.');
    return geometryText(geometry);
  } catch (error) {
    if (error instanceof RangeError) throw invalidData('A geometry ends too early.', undefined, error);
    throw error;
  }
}

/** Little-endian WKB; undefined if the text is not WKT. */
export function wktToWkb(wkt: string): Uint8Array | undefined {
  const reader = new WktReader(wkt);
  const geometry = reader.geometry(0);
  return geometry && reader.atEnd ? geometryBytes(geometry) : undefined;
}

class WkbReader {
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get atEnd(): boolean {
    return this.#at === this.#view.byteLength;
  }

  geometry(depth: number): Geometry {
    if (depth > MAX_DEPTH) throw invalidData(`A geometry is nested more than ${MAX_DEPTH} levels deep.`);
    const littleEndian = this.#view.getUint8(this.#at++) === 1;
    const type = this.#uint32(littleEndian);
    const code = type % 1000;
    const dimensions = DIMENSIONS[Math.floor(type / 1000)];
    const shape = code === 0 ? undefined : SHAPES[code]?.[1];
    if (!shape || dimensions === undefined) throw invalidData(`A geometry has the unknown WKB type ${type}.`);
    const position = (): Position =>
      Array.from({ length: 2 + dimensions.length }, () => {
        const value = this.#view.getFloat64(this.#at, littleEndian);
        this.#at += 8;
        return value;
      });
    const list = <T>(item: () => T): T[] => this.#list(littleEndian, item);
    switch (shape.form) {
      case 'position': {
        const only = position();
        return { code, dimensions, content: only.every(Number.isNaN) ? [] : [only] };
      }
      case 'positions':
        return { code, dimensions, content: list(position) };
      case 'rings':
        return { code, dimensions, content: list(() => list(position)) };
      default:
        return { code, dimensions, content: list(() => this.geometry(depth + 1)) };
    }
  }

  #uint32(littleEndian: boolean): number {
    const value = this.#view.getUint32(this.#at, littleEndian);
    this.#at += 4;
    return value;
  }

  #list<T>(littleEndian: boolean, item: () => T): T[] {
    const count = this.#uint32(littleEndian);
    // The smallest item is a ring's count; a larger number is broken and must not be allocated.
    if (count * 4 > this.#view.byteLength - this.#at) throw new RangeError('past the end');
    return Array.from({ length: count }, item);
  }
}

function geometryText(geometry: Geometry): string {
  const dimensions = geometry.dimensions === '' ? '' : ` ${geometry.dimensions}`;
  return `${SHAPES[geometry.code]![0]}${dimensions} ${contentText(geometry)}`;
}

function contentText({ code, content }: Geometry): string {
  const [, shape] = SHAPES[code]!;
  if (content.length === 0) return 'EMPTY';
  switch (shape.form) {
    case 'position':
    case 'positions':
      return positionsText(content as readonly Position[]);
    case 'rings':
      return `(${(content as readonly (readonly Position[])[]).map(positionsText).join(', ')})`;
    default:
      return `(${(content as readonly Geometry[]).map(shape.part === null ? geometryText : contentText).join(', ')})`;
  }
}

function positionsText(list: readonly Position[]): string {
  return list.length === 0 ? 'EMPTY' : `(${list.map((position) => position.join(' ')).join(', ')})`;
}

/** A reader that gives undefined for text that isn't WKT. */
class WktReader {
  readonly #tokens: readonly string[];
  #at = 0;

  constructor(text: string) {
    this.#tokens = text.match(/[A-Za-z]+|[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|[(),]|\S/g) ?? [];
  }

  get atEnd(): boolean {
    return this.#at === this.#tokens.length;
  }

  geometry(depth: number): Geometry | undefined {
    const name = this.#next()?.toUpperCase();
    const code = SHAPES.findIndex(([shapeName], i) => i > 0 && shapeName === name);
    if (code < 0 || depth > MAX_DEPTH) return undefined;
    const dimensions = (['Z', 'M', 'ZM'] as const).find((dimension) => this.#take(dimension)) ?? '';
    return this.#body(code, dimensions, depth);
  }

  #body(code: number, dimensions: Dimensions, depth: number): Geometry | undefined {
    const [, shape] = SHAPES[code]!;
    const positions = (): Position[] | undefined => this.#list(() => this.#position(2 + dimensions.length));
    const contents: Readonly<Record<Shape['form'], () => Geometry['content'] | undefined>> = {
      position: positions,
      positions,
      rings: () => this.#list(positions),
      parts: () =>
        this.#list(() =>
          shape.form === 'parts' && shape.part !== null
            ? this.#body(shape.part, dimensions, depth)
            : this.geometry(depth + 1),
        ),
    };
    const content = contents[shape.form]();
    if (!content || (shape.form === 'position' && content.length > 1)) return undefined;
    return { code, dimensions, content };
  }

  #list<T>(item: () => T | undefined): T[] | undefined {
    if (this.#take('EMPTY')) return [];
    if (!this.#take('(')) return undefined;
    const items: T[] = [];
    do {
      const next = item();
      if (next === undefined) return undefined;
      items.push(next);
    } while (this.#take(','));
    return this.#take(')') ? items : undefined;
  }

  #position(length: number): Position | undefined {
    const numbers = Array.from({ length }, () => {
      const token = this.#next() ?? '';
      return /^[-+.\d]/.test(token) || /^nan$/i.test(token) ? Number(token) : undefined;
    });
    return numbers.includes(undefined) ? undefined : (numbers as Position);
  }

  #next(): string | undefined {
    return this.#tokens[this.#at++];
  }

  #take(word: string): boolean {
    if (this.#tokens[this.#at]?.toUpperCase() !== word) return false;
    this.#at++;
    return true;
  }
}

function geometryBytes(geometry: Geometry): Uint8Array {
  const bytes: number[] = [];
  writeGeometry(geometry, bytes);
  return Uint8Array.from(bytes);
}

function writeGeometry({ code, dimensions, content }: Geometry, bytes: number[]): void {
  const position = (numbers: Position): void => {
    bytes.push(...new Uint8Array(Float64Array.from(numbers).buffer));
  };
  const list = <T>(items: readonly T[], write: (item: T) => void): void => {
    writeUint32(items.length, bytes);
    for (const item of items) write(item);
  };
  bytes.push(1);
  writeUint32(code + 1000 * DIMENSIONS.indexOf(dimensions), bytes);
  switch (SHAPES[code]![1].form) {
    case 'position':
      // An empty point has no form of its own: its coordinates are NaN.
      position((content as readonly Position[])[0] ?? Array.from({ length: 2 + dimensions.length }, () => Number.NaN));
      break;
    case 'positions':
      list(content as readonly Position[], position);
      break;
    case 'rings':
      list(content as readonly (readonly Position[])[], (ring) => list(ring, position));
      break;
    case 'parts':
      list(content as readonly Geometry[], (part) => writeGeometry(part, bytes));
      break;
  }
}

function writeUint32(value: number, bytes: number[]): void {
  for (let shift = 0; shift < 32; shift += 8) bytes.push((value >>> shift) & 0xff);
}
