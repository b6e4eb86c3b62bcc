/** What a process uses, as the Linux kernel counts it. */
import { readFileSync } from 'node:fs';
import { setInterval } from 'node:timers';

/** The kernel's unit in `/proc/PID/stat`; it has been 100 a second on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** Seconds of CPU that the process has used so far, in user and kernel mode, all threads. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // The second field is the name in parentheses and may hold spaces.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** MiB of memory that the process has resident. */
export function residentMiB(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  return Number(/^VmRSS:\s+(?<kib>\d+)/m.exec(status)?.groups?.['kib']) / 1024;
}

/** The most memory that the process had resident while `work` ran, in MiB, seen every 20 ms. */
export async function peakResidentMiB(pid: number, work: () => Promise<unknown>): Promise<number> {
  let peak = residentMiB(pid);
  const timer = setInterval(() => {
    peak = Math.max(peak, residentMiB(pid));
  }, 20);
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
  return peak;
}
