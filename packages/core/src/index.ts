export { LakehouseError, isLakehouseError } from './errors.ts';
