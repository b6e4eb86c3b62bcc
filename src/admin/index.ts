export { createAdminServer, type AdminServer, type Readiness } from './admin-server.ts';
