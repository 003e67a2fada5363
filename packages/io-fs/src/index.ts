export { LocalFileIO } from './local-file-io.ts';
