/** Speakers by their place in the list: colours, and who begins to speak where. */

import type { Segment, Speaker } from '@/api/types';

/** As many as the theme has (`--app-speaker-0` and on). */
export const COLOURS = 8;

export function colourOf(index: number): string {
  return `var(--app-speaker-${String(index % COLOURS)})`;
}

export interface SpeakerLabel {
  speaker: Speaker;
  colour: string;
}

/** Labels by id. An id that the list does not know (text still on its way) is shown as it is. */
export function labelsOf(
  speakers: readonly Speaker[],
  segments: readonly Segment[],
): Map<string, SpeakerLabel> {
  const labels = new Map<string, SpeakerLabel>();
  const add = (speaker: Speaker) => {
    labels.set(speaker.id, { speaker, colour: colourOf(labels.size) });
  };
  speakers.forEach(add);
  for (const { speaker: id } of segments) {
    if (id && !labels.has(id)) add({ id, label: id, name: id });
  }
  return labels;
}

/** Whether a name stands above this segment: the first of a turn has it. */
export function startsTurn(segments: readonly Segment[], index: number): boolean {
  const speaker = segments[index]?.speaker;
  return Boolean(speaker) && speaker !== segments[index - 1]?.speaker;
}
