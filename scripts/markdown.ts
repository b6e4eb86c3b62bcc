/** What the pages that are made from the code are written with. */

export const GENERATED = '<!-- Made by `npm run docs`. Do not edit by hand. -->';

export function names(values: Iterable<string>): string {
  return [...values].map((value) => `\`${value}\``).join(', ');
}

export function list(items: readonly string[]): string {
  return items.map((item) => `- ${item}`).join('\n');
}

/** Padded, as the formatter pads. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((cell, column) =>
    Math.max(3, cell.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}

export function escapeCell(text: string): string {
  return text.replaceAll('  ', ' ').replaceAll('|', '\\|').replaceAll('<', '\\<').replaceAll('*', '\\*');
}

export function page(blocks: readonly string[]): string {
  return `${blocks.join('\n\n')}\n`;
}
