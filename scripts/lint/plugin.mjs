// Rules of this project for oxlint, in ESLint's plugin form.
import { dirname, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

import { layerViolation } from './layers.mjs';

const source = fileURLToPath(new URL('../../packages/core/src', import.meta.url));

/** A file's path below core's `src` with forward slashes, or null if it is elsewhere. */
function pathInCore(file) {
  const path = relative(source, file);
  return path.startsWith('..') ? null : path.split(sep).join('/');
}

function isTypeOnly(node) {
  const kind = node.importKind ?? node.exportKind;
  if (kind === 'type') return true;
  const specifiers = node.specifiers ?? [];
  return specifiers.length > 0 && specifiers.every((one) => (one.importKind ?? one.exportKind) === 'type');
}

const layers = {
  meta: { type: 'problem', schema: [] },
  create(context) {
    const from = pathInCore(context.filename);
    if (from === null) return {};
    const check = (node) => {
      const specifier = node.source?.value;
      if (typeof specifier !== 'string' || !specifier.startsWith('.')) return;
      const to = pathInCore(resolve(dirname(context.filename), specifier));
      const message =
        to === null ? 'An import may not leave packages/core/src.' : layerViolation(from, to, isTypeOnly(node));
      if (message !== null) context.report({ node, message });
    };
    return {
      ImportDeclaration: check,
      ExportNamedDeclaration: check,
      ExportAllDeclaration: check,
      ImportExpression: check,
    };
  },
};

/** `new Date()` and `Date()` read the clock; `new Date(value)` doesn't. */
const noAmbientDate = {
  meta: { type: 'problem', schema: [] },
  create(context) {
    const check = (node) => {
      if (node.callee.type !== 'Identifier' || node.callee.name !== 'Date') return;
      if (node.type === 'NewExpression' && node.arguments.length > 0) return;
      context.report({ node, message: 'Take the time from a Runtime (runtime.ts).' });
    };
    return { NewExpression: check, CallExpression: check };
  },
};

export default { meta: { name: 'lakehouse' }, rules: { layers, 'no-ambient-date': noAmbientDate } };
