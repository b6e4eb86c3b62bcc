import type { MutationOptions, MutationReport } from './run.ts';

export function printReport(options: Omit<MutationOptions, 'folder'>, report: MutationReport): void {
  const { upstream, seed, changes, cuts } = options;
  const { answers, harmless, notTaken, forms, problems } = report;
  const stored = problems.filter((problem) => problem.startsWith('stored')).length;
  const tried = forms - notTaken.length;
  console.log(`\nChanged and cut uploads over ${upstream}, seed ${seed}, ${tried} of ${forms} forms`);
  console.log(`${changes} changes of one byte, ${cuts} uploads cut off: ${stored} objects or parts stored`);
  console.log('\nAnswers to the changes:');
  for (const [answer, count] of answers) console.log(`${String(count).padStart(7)}  ${answer}`);
  console.log('\nChanges that do not matter, not counted above (sent, stored unchanged):');
  for (const { reason, sent, stored: kept } of harmless)
    console.log(`${String(sent).padStart(7)}${String(kept).padStart(7)}  ${reason}`);
  if (notTaken.length > 0) console.log('\nForms that this upstream does not take, unchanged as they are:');
  for (const line of notTaken) console.log(`         ${line}`);
  for (const problem of problems) console.log(`PROBLEM  ${problem}`);
}
