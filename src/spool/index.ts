export { openSpool, type Spool, type SpooledBody } from './spool.ts';
