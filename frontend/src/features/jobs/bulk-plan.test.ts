import { describe, expect, it } from 'vitest';

import type { BulkItem } from '@/api/types';
import { aJob } from '@/testing/builders';

import { ACTIONS, refusalsOf, suits } from './bulk-plan';

const can = (change: Parameters<typeof aJob>[0]) =>
  ACTIONS.filter((action) => suits(action, aJob(change)));

describe('suits', () => {
  it('offers what a job can have done to it', () => {
    expect(can({ status: 'completed' })).toEqual(['delete']);
    expect(can({ status: 'failed' })).toEqual(['retry', 'delete']);
    expect(can({ status: 'cancelled' })).toEqual(['retry', 'delete']);
    expect(can({ status: 'processing' })).toEqual(['cancel', 'delete']);
    expect(can({ status: 'processing', cancel_requested: true })).toEqual(['delete']);
    expect(can({ status: 'pending' })).toEqual(['cancel', 'delete']);
    expect(can({ status: 'pending', wait_reason: 'model_missing' })).toEqual([...ACTIONS]);
    expect(can({ status: 'pending', wait_reason: 'model_invalid' })).toEqual(['cancel', 'delete']);
    expect(can({ status: 'pending', error: { code: 'x', message: 'y' } })).toEqual([...ACTIONS]);
  });
});

describe('refusalsOf', () => {
  const item = (id: string, message?: string): BulkItem => ({
    id,
    filename: `${id}.wav`,
    outcome: message === undefined ? 'done' : 'refused',
    ...(message === undefined ? {} : { code: 'invalid_state', message }),
  });

  it('puts what could not be done together by its reason and leaves nothing out', () => {
    const groups = refusalsOf([item('a'), item('b', 'X.'), item('c', 'Y.'), item('d', 'Y.')]);
    expect(groups.map((g) => [g.message, g.items.map((i) => i.id)])).toEqual([
      ['Y.', ['c', 'd']],
      ['X.', ['b']],
    ]);
    expect(refusalsOf([item('a')])).toEqual([]);
  });
});
