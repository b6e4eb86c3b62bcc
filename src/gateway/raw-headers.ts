/** Headers as they go over the wire: lower-case name, value, name, value… */

/** The first value of that name. */
export function headerOf(headers: readonly string[], name: string): string | undefined {
  for (let i = 0; i + 1 < headers.length; i += 2) if (headers[i] === name) return headers[i + 1];
  return undefined;
}

export function withoutHeaders(headers: readonly string[], ...names: readonly string[]): string[] {
  const kept: string[] = [];
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] as string;
    if (!names.includes(name)) kept.push(name, headers[i + 1] as string);
  }
  return kept;
}
