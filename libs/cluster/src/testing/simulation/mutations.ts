import type { ClusterEffect } from '../../messages.js';
import type { RingFaults } from './rings.js';

/** A rule of the cluster that is broken on purpose, to see that the simulation finds it. */
export interface Mutation {
  readonly effect?: (effect: ClusterEffect) => ClusterEffect | null;
  readonly ring?: Partial<RingFaults>;
}

function onSend(
  change: (message: Extract<ClusterEffect, { type: 'send' }>['message']) => typeof message | null,
): Mutation {
  return {
    effect: (effect) => {
      if (effect.type !== 'send') return effect;
      const message = change(effect.message);
      return message === null ? null : { ...effect, message };
    },
  };
}

export const MUTATIONS: Readonly<Record<string, Mutation>> = {
  'nobody stores the state before the last holder leaves': onSend((message) =>
    message.type === 'stop' ? { ...message, checkpoint: false } : message,
  ),
  'a generation starts below its furthest member': onSend((message) =>
    message.type === 'start'
      ? {
          ...message,
          position: { ...message.position, step: Math.max(0, message.position.step - 1) },
        }
      : message,
  ),
  'a lane has two owners': onSend((message) =>
    message.type === 'prepare' && message.members.length > 1
      ? { ...message, members: message.members.map((member) => ({ ...member, lanes: [0] })) }
      : message,
  ),
  'a member is not told to start': onSend((message) =>
    message.type === 'start' && message.sourceRank === 0 && message.behind.length > 0
      ? null
      : message,
  ),
  'an older generation is fenced off no longer': onSend((message) =>
    message.type === 'prepare' && message.fence.generation > 1
      ? { ...message, fence: { ...message.fence, generation: 1 } }
      : message,
  ),
  'a rank commits a step that others had no part in': { ring: { commitsAlone: true } },
  'a step is reported to nobody and counted by nobody': {
    effect: (effect) => (effect.type === 'generationStarted' ? null : effect),
  },
};
