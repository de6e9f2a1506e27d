import type { StoredEvent } from "../events/line.js";
import type { AuditEventType } from "../events/schema.js";

/** Events as they are read from a log, by type. */
export type EventOf = { readonly [Type in AuditEventType]: Extract<StoredEvent, { readonly type: Type }> };

/** One function for every type of event: a type without one does not compile. */
export type EventTable<Result> = { readonly [Type in AuditEventType]: (event: EventOf[Type]) => Result };

/** What the table's function for the event's type makes of it. */
export function lookUp<Result>(table: EventTable<Result>, event: StoredEvent): Result {
  return call(table, event.type, event);
}

function call<Type extends AuditEventType, Result>(table: EventTable<Result>, type: Type, event: EventOf[Type]): Result {
  return table[type](event);
}
