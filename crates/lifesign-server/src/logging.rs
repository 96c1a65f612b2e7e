//! The log: one line per event on standard error, so that standard output stays for answers. With the
//! feature `otel`, spans also go to a collector.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::{self, IsTerminal as _};
use std::panic::PanicHookInfo;
use std::thread;

use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, Registry, fmt};

use crate::config::{Config, LogFormat};

/// Keeps the log going; what is still under way to a collector is sent when it is dropped.
#[must_use]
pub struct Logging {
    #[cfg(feature = "otel")]
    _traces: Option<otel::Traces>,
}

type Layers = Vec<Box<dyn tracing_subscriber::Layer<Registry> + Send + Sync>>;

/// Sends the events of this process to standard error, as the configuration says. A second call
/// changes nothing. Not to be called from async code.
pub fn init(config: &Config) -> Logging {
    // The filter was parsed when the configuration was read.
    let filter = || EnvFilter::new(&config.log);
    let lines = match config.log_format {
        LogFormat::Text => fmt::layer()
            .with_writer(io::stderr)
            .with_ansi(io::stderr().is_terminal())
            .with_filter(filter())
            .boxed(),
        LogFormat::Json => fmt::layer()
            .json()
            .with_writer(io::stderr)
            .with_filter(filter())
            .boxed(),
    };
    #[cfg_attr(
        not(feature = "otel"),
        expect(unused_mut, reason = "one more with otel")
    )]
    let mut layers: Layers = vec![lines];
    #[cfg(feature = "otel")]
    let traces = otel::Traces::from_environment(&mut layers, filter());
    // The error of `try_init` is that a subscriber is set already.
    let _ = tracing_subscriber::registry().with(layers).try_init();
    std::panic::set_hook(Box::new(log_panic));
    Logging {
        #[cfg(feature = "otel")]
        _traces: traces,
    }
}

/// A panic is a line of the log like any other. Its message is told only where it stands in the
/// source as it is: one that was put together may quote what came from outside.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let message = panic.payload().downcast_ref::<&'static str>().copied();
    let location = panic.location().map(ToString::to_string);
    let thread = thread::current();
    let backtrace = Backtrace::capture();
    let backtrace =
        (backtrace.status() == BacktraceStatus::Captured).then(|| backtrace.to_string());
    tracing::error!(
        location,
        message = message.unwrap_or("panicked"),
        thread = thread.name(),
        backtrace,
    );
}

#[cfg(feature = "otel")]
mod otel {
    //! Traces over OTLP/HTTP, as the environment variables of OpenTelemetry say.

    use opentelemetry::trace::TracerProvider as _;
    use opentelemetry_otlp::SpanExporter;
    use opentelemetry_sdk::Resource;
    use opentelemetry_sdk::trace::SdkTracerProvider;
    use tracing_subscriber::{EnvFilter, Layer as _};

    use super::Layers;

    pub(super) struct Traces(SdkTracerProvider);

    impl Traces {
        /// Where an endpoint is named, spans go there.
        pub(super) fn from_environment(layers: &mut Layers, filter: EnvFilter) -> Option<Traces> {
            let named = |variable| std::env::var_os(variable).is_some_and(|url| !url.is_empty());
            if !named("OTEL_EXPORTER_OTLP_ENDPOINT") && !named("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
            {
                return None;
            }
            let exporter = match SpanExporter::builder().with_http().build() {
                Ok(exporter) => exporter,
                Err(error) => {
                    // There is no log yet.
                    eprintln!("lifesign: no traces are sent: {error}");
                    return None;
                }
            };
            let resource = Resource::builder().with_service_name("lifesign").build();
            let provider = SdkTracerProvider::builder()
                .with_batch_exporter(exporter)
                .with_resource(resource)
                .build();
            let tracer = provider.tracer("lifesign");
            let layer = tracing_opentelemetry::layer().with_tracer(tracer);
            layers.push(layer.with_filter(filter).boxed());
            Some(Traces(provider))
        }
    }

    impl Drop for Traces {
        fn drop(&mut self) {
            if let Err(error) = self.0.shutdown() {
                tracing::warn!(cause = %error, "the last traces were not sent");
            }
        }
    }
}
