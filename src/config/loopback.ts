/** Whether a host name or address is this machine; undefined, every interface, is not. */
export function isLoopback(host: string | undefined): boolean {
  if (host === undefined) return false;
  return /^(?:localhost|127(?:\.\d{1,3}){3}|\[?::1\]?)$/i.test(host);
}
