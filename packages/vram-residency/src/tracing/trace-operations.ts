import { AsyncLocalStorage } from "node:async_hooks";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { SpanStatusCode, context, trace } from "@opentelemetry/api";
import type { Context, Span, TracerProvider } from "@opentelemetry/api";
import { errorCodeOf } from "../errors.js";
import { AUDITED_CHANNEL, operationChannel } from "../telemetry/channels.js";
import type { AuditedMessage, OperationMessage } from "../telemetry/channels.js";
import { refusalAttributes } from "./refusal-attributes.js";

const TRACER = "vram-residency";
/** OpenTelemetry's word for an error without a name of its own. */
const OTHER = "_OTHER";

/** How to make spans. */
export interface TraceOptions {
  /** Default: the global one. */
  readonly tracerProvider?: TracerProvider;
}

/** Makes spans until it is closed. */
export interface Tracing {
  /** Makes no more spans. Idempotent. */
  close(): void;
  [Symbol.dispose](): void;
}

/** The operation that runs here. */
interface Entered {
  readonly span: Span;
  /** The context with its span, and the caller's in which it began. */
  readonly inner: Context;
  readonly outer: Context;
}

/**
 * Makes an OpenTelemetry span of every operation of this process's residencies, `vram.seal` and its parts for one, as a child of
 * the caller's span; refusals are its events. Spans are told nothing but names, byte counts, codes and rule ids.
 */
export function traceOperations({ tracerProvider }: TraceOptions = {}): Tracing {
  const entered = new AsyncLocalStorage<Entered | undefined>();
  const spans = new WeakMap<object, Span>();

  const begin = (message: OperationMessage): Entered | undefined =>
    unlessItThrows(() => {
      const outer = context.active();
      const around = entered.getStore();
      // A span that the caller opened inside the operation around is nearer than that.
      const parent = around?.outer === outer ? around.inner : outer;
      const provider = tracerProvider ?? trace.getTracerProvider();
      const span = provider.getTracer(TRACER).startSpan(`vram.${message.name}`, { attributes: attributesOf(message) }, parent);
      spans.set(message, span);
      return { span, inner: trace.setSpan(parent, span), outer };
    });
  const end = (message: unknown): void => {
    unlessItThrows(() => {
      const ended = message as OperationMessage;
      const span = spans.get(ended);
      if ("error" in ended) {
        const type = errorCodeOf(ended.error) ?? OTHER;
        span?.setAttribute("error.type", type).setStatus({ code: SpanStatusCode.ERROR, message: type });
      }
      span?.end();
    });
  };
  const tell = (message: unknown): void => {
    unlessItThrows(() => {
      const { event } = message as AuditedMessage;
      const attributes = refusalAttributes(event);
      if (attributes !== undefined) entered.getStore()?.span.addEvent(event.type, attributes);
    });
  };

  operationChannel.start.bindStore(entered, begin);
  subscribe(operationChannel.asyncEnd.name, end);
  subscribe(AUDITED_CHANNEL, tell);
  const close = (): void => {
    operationChannel.start.unbindStore(entered);
    unsubscribe(operationChannel.asyncEnd.name, end);
    unsubscribe(AUDITED_CHANNEL, tell);
  };
  return { close, [Symbol.dispose]: close };
}

function attributesOf({ attributes, correlationId }: OperationMessage) {
  return { ...attributes, ...(correlationId === undefined ? {} : { "vram.correlation_id": correlationId }) };
}

/** A tracer that fails costs its span and nothing else. */
function unlessItThrows<T>(observe: () => T): T | undefined {
  try {
    return observe();
  } catch {
    return undefined;
  }
}
