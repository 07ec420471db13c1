/** Which rows of the list are selected. Pure: a state and a change in, a state out. */

export interface Selection {
  ids: ReadonlySet<string>;
  /** Where a range begins: the row that was changed last. */
  anchor: string | null;
  /** All that the filter finds, loaded or not; set to the time of the choice (ISO 8601). */
  allBefore: string | null;
}

export const NOTHING: Selection = { ids: new Set(), anchor: null, allBefore: null };

export function isEmpty(selection: Selection): boolean {
  return selection.ids.size === 0 && selection.allBefore === null;
}

export function isSelected(selection: Selection, id: string): boolean {
  return selection.allBefore !== null || selection.ids.has(id);
}

/** Turns one row over. Of "all of the filter" only the rows at hand remain, without this one. */
export function toggle(selection: Selection, id: string, order: readonly string[]): Selection {
  const ids = new Set(selection.allBefore === null ? selection.ids : order);
  if (ids.has(id)) ids.delete(id);
  else ids.add(id);
  return { ids, anchor: id, allBefore: null };
}

/** Gives every row from the anchor to `id` the state that `id` is about to get; without an anchor in sight, `id` alone. */
export function extend(selection: Selection, id: string, order: readonly string[]): Selection {
  const from = selection.anchor === null ? -1 : order.indexOf(selection.anchor);
  const to = order.indexOf(id);
  if (from < 0 || to < 0) return toggle(selection, id, order);
  const ids = new Set(selection.allBefore === null ? selection.ids : order);
  const wanted = !ids.has(id);
  for (const each of order.slice(Math.min(from, to), Math.max(from, to) + 1)) {
    if (wanted) ids.add(each);
    else ids.delete(each);
  }
  return { ids, anchor: id, allBefore: null };
}

/** All rows at hand, or none where they all are already. */
export function toggleLoaded(selection: Selection, order: readonly string[]): Selection {
  const all = order.length > 0 && order.every((id) => isSelected(selection, id));
  return all ? NOTHING : { ids: new Set(order), anchor: null, allBefore: null };
}

export function selectAllOfFilter(now: string): Selection {
  return { ids: new Set(), anchor: null, allBefore: now };
}

/**
 * After work on them: what was done leaves, what could not be done or was not reached stays. Of "all of the filter"
 * nothing stays once it was walked to its end.
 */
export function settle(selection: Selection, done: readonly string[], ended: boolean): Selection {
  if (selection.allBefore !== null) return ended ? NOTHING : selection;
  const ids = new Set(selection.ids);
  for (const id of done) ids.delete(id);
  return ids.size === 0 ? NOTHING : { ids, anchor: null, allBefore: null };
}
