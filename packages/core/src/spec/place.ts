/**
 * Where in a nested value something was found, for error messages. A place is a link to its parent, so that walking a
 * large document costs no string building until something is wrong.
 */
export interface Place {
  readonly parent: Place | null;
  readonly segment: string | number;
}

/** The outermost place: a file, a column, a parameter. */
export function rootPlace(name: string): Place {
  return { parent: null, segment: name };
}

export function childPlace(parent: Place, segment: string | number): Place {
  return { parent, segment };
}

/** `schemas[2].fields[0]`; text segments join with dots, numbers are indexes. */
export function placeText(place: Place): string {
  const parts: string[] = [];
  for (let at: Place | null = place; at !== null; at = at.parent) {
    if (typeof at.segment === 'number') parts.push(`[${at.segment}]`);
    else parts.push(at.parent === null ? at.segment : `.${at.segment}`);
  }
  return parts.toReversed().join('');
}
