import { LakehouseError, invalidArgument } from '../errors.ts';

/**
 * Tells which paths below a directory a pattern means: `*` and `?` stand for characters of one name, `**` for any number
 * of directories, `{a,b}` for either; `[abc]` and `[!abc]` for one character. A pattern without a slash is one of names, in
 * any directory. INVALID_ARGUMENT for a pattern that is not whole.
 */
export function globMatcher(pattern: string): (path: string) => boolean {
  const source = translate(pattern.includes('/') ? pattern.replace(/^\.?\/+/, '') : `**/${pattern}`, pattern);
  const expression = compile(`^${source}$`, pattern);
  return (path) => expression.test(path);
}

function compile(source: string, pattern: string): RegExp {
  try {
    return new RegExp(source, 'su');
  } catch (error) {
    throw new LakehouseError('INVALID_ARGUMENT', `'${pattern}' is not a pattern of paths.`, { cause: error });
  }
}

const TOKEN = /\*\*\/|\*\*|\*|\?|\{|\}|,|\[(!?)((?:[^\]\\]|\\.)+)\]|\\(.)|[^]/gsu;

function translate(glob: string, pattern: string): string {
  let depth = 0;
  let source = '';
  for (const match of glob.matchAll(TOKEN)) {
    const [token, negated, set, escaped] = match;
    if (set !== undefined) source += `(?!/)[${negated ? '^' : ''}${set.replace(/[\\[\]^]/g, '\\$&')}]`;
    else if (escaped !== undefined) source += literal(escaped);
    else if (token === '**/') source += '(?:.*/)?';
    else if (token === '**') source += '.*';
    else if (token === '*') source += '[^/]*';
    else if (token === '?') source += '[^/]';
    else if (token === '{') source += '(?:';
    else if (token === '}' && depth > 0) source += ')';
    else if (token === ',' && depth > 0) source += '|';
    else source += literal(token);
    depth += token === '{' ? 1 : token === '}' && depth > 0 ? -1 : 0;
  }
  if (depth > 0) throw invalidArgument(`The pattern '${pattern}' opens a brace that it doesn't close.`);
  return source;
}

function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/gu, '\\$&');
}
