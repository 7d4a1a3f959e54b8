// Deleting keys, always after a waiting period.
// https://docs.aws.amazon.com/kms/latest/developerguide/deleting-keys.html

import { isPrimary, type Key, replicasOf, withKeys } from "../domain/key-set.ts";
import { pendingDeletion } from "../domain/schedule.ts";
import { validation } from "../errors.ts";
import { timestamp } from "./key-metadata.ts";
import * as members from "./members.ts";
import { change } from "./operation.ts";
import { integer, required } from "./shape.ts";

const MIN_WAITING_PERIOD_DAYS = 7;
const MAX_WAITING_PERIOD_DAYS = 30;

export const keyDeletion = {
  /** A primary with replicas waits for the last of them, however long, before its own period. */
  ScheduleKeyDeletion: change({
    input: {
      KeyId: required(members.keyId),
      PendingWindowInDays: integer({ min: 1, max: 365 }),
    },
    invalidArn: true,
    check({ PendingWindowInDays: days = MAX_WAITING_PERIOD_DAYS }) {
      if (days < MIN_WAITING_PERIOD_DAYS || days > MAX_WAITING_PERIOD_DAYS) {
        throw validation(
          "PendingWindowInDays must be between " +
            `${MIN_WAITING_PERIOD_DAYS} and ${MAX_WAITING_PERIOD_DAYS}.`,
        );
      }
    },
    change({ set, key, arn }, input, at) {
      const days = input.PendingWindowInDays ?? MAX_WAITING_PERIOD_DAYS;
      const waits = isPrimary(set, key) && replicasOf(set).length > 0;
      const scheduled: Key = waits
        ? { ...key, state: "PendingReplicaDeletion", waitingPeriodDays: days }
        : pendingDeletion(key, days, at.now);
      const { deletionAt, state } = scheduled;
      return {
        set: withKeys(set, scheduled),
        output: {
          KeyId: arn,
          ...(deletionAt !== null && { DeletionDate: timestamp(deletionAt) }),
          KeyState: state,
          PendingWindowInDays: days,
        },
      };
    },
  }),

  /** The key is Disabled afterwards, whatever it was before. */
  CancelKeyDeletion: change({
    input: { KeyId: required(members.keyId) },
    invalidArn: true,
    change: ({ set, key, arn }) => ({
      set: withKeys(set, {
        ...key,
        state: "Disabled",
        deletionAt: null,
        waitingPeriodDays: null,
      }),
      output: { KeyId: arn },
    }),
  }),
};
