export { LakehouseError } from '../errors.ts';
