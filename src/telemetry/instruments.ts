/**
 * Counters, gauges and histograms with labels, and their text.
 * Source: Prometheus, "Exposition formats", text format 0.0.4.
 */

export interface Counter {
  /** @param amount Not negative; 1 by default. */
  add(amount?: number): void;
}

export interface Gauge {
  set(value: number): void;
  add(amount: number): void;
}

export interface Histogram {
  observe(value: number): void;
}

/** One metric with its children, one for each combination of label values. */
export interface Family<Child, Labels extends readonly string[] = readonly string[]> {
  /** The child of these values, in the order of the label names. Keep it where it is used often. */
  with(...values: { readonly [Name in keyof Labels]: string }): Child;
}

export interface Rendered {
  render(): string;
}

/**
 * INVARIANT: memory is bounded even when a label value comes from outside (an upstream's error code): beyond this many
 * combinations the rest is counted together, as `other`.
 */
const MAX_CHILDREN = 2000;
const OTHER = 'other';

interface Sample {
  add(amount?: number): void;
  set(value: number): void;
  value(): number;
}

export function counters<const Labels extends readonly string[]>(
  name: string,
  help: string,
  labels: Labels,
): Family<Counter, Labels> & Rendered {
  return simpleFamily('counter', name, help, labels);
}

export function gauges<const Labels extends readonly string[]>(
  name: string,
  help: string,
  labels: Labels,
): Family<Gauge, Labels> & Rendered {
  return simpleFamily('gauge', name, help, labels);
}

/** A gauge without labels; `read` fills it whenever it is rendered. */
export function gauge(name: string, help: string, read?: () => number): Gauge & Rendered {
  const family = simpleFamily('gauge', name, help, []);
  const sample = family.with();
  return {
    set: (value) => {
      sample.set(value);
    },
    add: (amount) => {
      sample.add(amount);
    },
    render: () => {
      if (read !== undefined) sample.set(read());
      return family.render();
    },
  };
}

/** A counter whose value is kept elsewhere. */
export function readCounter(name: string, help: string, read: () => number): Rendered {
  return { render: () => `${header('counter', name, help)}${name} ${formatValue(read())}\n` };
}

/** @param bounds Upper bounds, ascending; `+Inf` is added. */
export function histograms<const Labels extends readonly string[]>(
  name: string,
  help: string,
  labels: Labels,
  bounds: readonly number[],
): Family<Histogram, Labels> & Rendered {
  const children = new Children(labels, (pairs) => {
    const counts = new Float64Array(bounds.length + 1);
    let sum = 0;
    return {
      observe(value: number): void {
        let i = 0;
        while (i < bounds.length && value > (bounds[i] as number)) i++;
        (counts[i] as number)++;
        sum += value;
      },
      render(): string {
        const prefix = pairs === '' ? '' : `${pairs},`;
        let text = '';
        let total = 0;
        for (const [i, count] of counts.entries()) {
          total += count;
          text += `${name}_bucket{${prefix}le="${formatValue(bounds[i] ?? Infinity)}"} ${total}\n`;
        }
        return `${text}${series(`${name}_sum`, pairs)} ${formatValue(sum)}\n${series(`${name}_count`, pairs)} ${total}\n`;
      },
    };
  });
  return {
    with: (...values) => children.get(values),
    render: () => header('histogram', name, help) + children.render(),
  };
}

function simpleFamily<const Labels extends readonly string[]>(
  type: 'counter' | 'gauge',
  name: string,
  help: string,
  labels: Labels,
): Family<Sample, Labels> & Rendered {
  const children = new Children(labels, (pairs) => {
    let current = 0;
    return {
      add(amount = 1): void {
        current += amount;
      },
      set(value: number): void {
        current = value;
      },
      value: () => current,
      render: () => `${series(name, pairs)} ${formatValue(current)}\n`,
    };
  });
  return {
    with: (...values) => children.get(values),
    render: () => header(type, name, help) + children.render(),
  };
}

class Children<Child extends Rendered> {
  readonly #labels: readonly string[];
  readonly #make: (pairs: string) => Child;
  readonly #children = new Map<string, Child>();

  constructor(labels: readonly string[], make: (pairs: string) => Child) {
    this.#labels = labels;
    this.#make = make;
    // A metric without labels exists from the start, as zero.
    if (labels.length === 0) this.get([]);
  }

  get(values: readonly string[]): Child {
    const key = values.join('\0');
    const known = this.#children.get(key);
    if (known !== undefined) return known;
    if (this.#children.size >= MAX_CHILDREN && values.some((value) => value !== OTHER))
      return this.get(values.map(() => OTHER));
    const child = this.#make(
      this.#labels.map((label, i) => `${label}="${escapeLabel(values[i] ?? '')}"`).join(','),
    );
    this.#children.set(key, child);
    return child;
  }

  render(): string {
    let text = '';
    for (const child of this.#children.values()) text += child.render();
    return text;
  }
}

function header(type: string, name: string, help: string): string {
  return `# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n# TYPE ${name} ${type}\n`;
}

function series(name: string, pairs: string): string {
  return pairs === '' ? name : `${name}{${pairs}}`;
}

function escapeLabel(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

function formatValue(value: number): string {
  if (value === Infinity) return '+Inf';
  if (value === -Infinity) return '-Inf';
  return String(value);
}
