/** The Resource or NotResource element of a statement. */

import { compileResource, matchesBelow, type ArnPattern } from './arn.ts';
import { parseTemplate, type ContextLookup } from './template.ts';

export class ResourceSet {
  readonly negated: boolean;
  readonly patterns: readonly ArnPattern[];

  /** @throws Error for a pattern that cannot be parsed: parsing the document has refused those. */
  constructor(texts: readonly string[], options: { readonly negated: boolean; readonly variables: boolean }) {
    this.negated = options.negated;
    this.patterns = texts.map((text) => {
      const parsed = parseTemplate(text, { variables: options.variables, wildcards: true });
      if ('invalid' in parsed) throw new Error(parsed.invalid);
      return compileResource(parsed.tokens);
    });
  }

  matches(arn: string, context: ContextLookup): boolean {
    for (const pattern of this.patterns) if (pattern.matches(arn, context)) return !this.negated;
    return this.negated;
  }

  /** Which of the resources that begin with `start` match? `some`, when in doubt. Never throws. */
  below(start: string, context: ContextLookup): 'none' | 'some' | 'every' {
    let reach: 'none' | 'some' | 'every' = 'none';
    for (const pattern of this.patterns) {
      const found = below(pattern, start, context);
      if (found === 'every') return this.negated ? 'none' : 'every';
      if (found === 'some') reach = 'some';
    }
    if (!this.negated) return reach;
    return reach === 'none' ? 'every' : 'some';
  }
}

function below(pattern: ArnPattern, start: string, context: ContextLookup): 'none' | 'some' | 'every' {
  try {
    return matchesBelow(pattern, start, context);
  } catch {
    return 'some';
  }
}
