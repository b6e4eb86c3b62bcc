export { type CommandIo } from './command-io.ts';
export { runDoctorCommand } from './doctor/doctor.ts';
export { runKeysCommand } from './keys/keys.ts';
export { runPolicyCommand } from './policy/policy.ts';
export { serveCommand } from './serve.ts';
