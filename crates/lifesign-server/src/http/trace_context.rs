//! W3C Trace Context (<https://www.w3.org/TR/trace-context/>): the trace that a request is a part of,
//! where its caller says so.

use axum::http::HeaderMap;
use tracing::Span;

/// What a `traceparent` names, in hexadecimal.
#[derive(Debug, PartialEq, Eq)]
struct Parent<'a> {
    trace_id: &'a str,
    #[cfg_attr(not(feature = "otel"), allow(dead_code, reason = "for exported spans"))]
    span_id: &'a str,
    #[cfg_attr(not(feature = "otel"), allow(dead_code, reason = "for exported spans"))]
    sampled: bool,
}

/// Makes a request's span a part of its caller's trace; its field `trace_id` is filled in.
pub(super) fn adopt(span: &Span, headers: &HeaderMap) {
    let header = headers.get("traceparent");
    let Some(parent) = header
        .and_then(|value| value.to_str().ok())
        .and_then(parent)
    else {
        return;
    };
    span.record("trace_id", parent.trace_id);
    #[cfg(feature = "otel")]
    exported(span, &parent);
}

/// Version, trace id, span id and flags, with dashes between them. Later versions may have more.
fn parent(header: &str) -> Option<Parent<'_>> {
    let hexadecimal = |text: &str, length: usize| {
        let known = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        text.len() == length && text.bytes().all(known)
    };
    let identifies = |text: &str| text.bytes().any(|byte| byte != b'0');
    let mut parts = header.split('-');
    let (version, trace_id, span_id, flags) =
        (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let more = parts.next().is_some();
    let valid = hexadecimal(version, 2)
        && version != "ff"
        && (version != "00" || !more)
        && hexadecimal(trace_id, 32)
        && identifies(trace_id)
        && hexadecimal(span_id, 16)
        && identifies(span_id)
        && hexadecimal(flags, 2);
    valid.then(|| Parent {
        trace_id,
        span_id,
        sampled: u8::from_str_radix(flags, 16).is_ok_and(|flags| flags & 1 == 1),
    })
}

#[cfg(feature = "otel")]
fn exported(span: &Span, parent: &Parent<'_>) {
    use opentelemetry::trace::{
        SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState,
    };
    use tracing_opentelemetry::OpenTelemetrySpanExt as _;

    let (Ok(trace_id), Ok(span_id)) = (
        TraceId::from_hex(parent.trace_id),
        SpanId::from_hex(parent.span_id),
    ) else {
        return;
    };
    let flags = TraceFlags::default().with_sampled(parent.sampled);
    let context = SpanContext::new(trace_id, span_id, flags, true, TraceState::default());
    // The error is that no layer of OpenTelemetry is there.
    let _ = span.set_parent(opentelemetry::Context::new().with_remote_span_context(context));
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn the_callers_trace_is_read_as_the_standard_writes_it() {
        let found = parent(GOOD).unwrap();
        assert_eq!(found.trace_id, "4bf92f3577b34da6a3ce929d0e0e4736");
        let later = "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00-more";
        assert_eq!(parent(later).unwrap().trace_id, found.trace_id);
    }

    #[test]
    fn what_the_standard_forbids_is_no_trace() {
        for header in [
            "",
            "00",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "00-4bf92f3577b34da6a3ce929d0e0e473\u{e9}-00f067aa0ba902b7-01",
        ] {
            assert_eq!(parent(header), None, "{header}");
        }
    }
}
