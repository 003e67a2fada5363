export { arrowSchema } from '../columns/arrow-schema.ts';
