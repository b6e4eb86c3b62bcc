/** `bucketwarden doctor …`: finds out why something does not work. */
import { defineGroup, type ExitCode } from '../command.ts';
import type { CommandIo } from '../command-io.ts';
import { doctorRequest } from './request.ts';
import { doctorUpstream } from './upstream.ts';

/** @param args what follows `doctor` on the command line. */
export function runDoctorCommand(args: readonly string[], io: CommandIo): Promise<ExitCode> {
  return DOCTOR.run(args, io);
}

const DOCTOR = defineGroup('doctor', 'Find out why something does not work.', [
  doctorRequest,
  doctorUpstream,
]);
