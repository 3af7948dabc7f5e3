//! The page at `/metrics`: figures of all parts at one moment, written by `prometheus-client`.

use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;

use super::catalogue::{ALL, Kind, Metric};

/// Figures gathered for one page.
#[derive(Debug, Default)]
pub struct Page(Vec<Sample>);

#[derive(Clone, Debug)]
struct Sample {
    name: &'static str,
    labels: Vec<(&'static str, String)>,
    value: f64,
}

impl Page {
    /// Adds a figure without labels.
    pub fn put(&mut self, metric: Metric, value: impl IntoFigure) {
        self.0.push(Sample { name: metric.name, labels: Vec::new(), value: value.figure() });
    }

    /// Adds a figure with one label: the name the catalogue gives it.
    pub fn labelled(&mut self, metric: Metric, label: &str, value: impl IntoFigure) {
        let labels = vec![(metric.labels, label.to_owned())];
        self.0.push(Sample { name: metric.name, labels, value: value.figure() });
    }

    /// Adds a figure with two labels.
    pub fn labelled2(&mut self, metric: Metric, values: (&str, &str), value: impl IntoFigure) {
        let (first, second) = metric.labels.split_once(',').unwrap_or((metric.labels, ""));
        let labels = vec![(first, values.0.to_owned()), (second, values.1.to_owned())];
        self.0.push(Sample { name: metric.name, labels, value: value.figure() });
    }

    /// The page as text.
    ///
    /// # Errors
    ///
    /// When the text cannot be written, which does not happen with text in memory.
    pub fn text(self) -> Result<String, std::fmt::Error> {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(self));
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry)?;
        Ok(text)
    }
}

impl Collector for Page {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        for metric in ALL {
            let samples = self.0.iter().filter(|sample| sample.name == metric.name);
            let kind = match metric.kind {
                Kind::Gauge => MetricType::Gauge,
                Kind::Counter => MetricType::Counter,
            };
            let mut family = encoder.encode_descriptor(metric.name, metric.help, None, kind)?;
            for sample in samples {
                encode(&mut family, metric.kind, sample)?;
            }
        }
        Ok(())
    }
}

fn encode(
    family: &mut MetricEncoder<'_>,
    kind: Kind,
    sample: &Sample,
) -> Result<(), std::fmt::Error> {
    if sample.labels.is_empty() {
        return one(family, kind, sample.value);
    }
    let labels: Vec<_> =
        sample.labels.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let mut labelled = family.encode_family(&labels)?;
    one(&mut labelled, kind, sample.value)
}

fn one(encoder: &mut MetricEncoder<'_>, kind: Kind, value: f64) -> Result<(), std::fmt::Error> {
    match kind {
        Kind::Gauge => encoder.encode_gauge(&value),
        Kind::Counter => encoder.encode_counter::<NoLabelSet, _, f64>(&value, None),
    }
}

/// A number that can stand on the page. Prometheus knows floats only; counts above 2^53 lose their
/// last digits, which no reader of a plot will see.
pub trait IntoFigure {
    /// As a float.
    fn figure(self) -> f64;
}

impl IntoFigure for f64 {
    fn figure(self) -> f64 {
        self
    }
}

#[expect(clippy::cast_precision_loss, reason = "see the trait")]
impl IntoFigure for u64 {
    fn figure(self) -> f64 {
        self as f64
    }
}

impl IntoFigure for usize {
    fn figure(self) -> f64 {
        (self as u64).figure()
    }
}

/// In seconds, as Prometheus wants all times.
impl IntoFigure for Duration {
    fn figure(self) -> f64 {
        self.as_secs_f64()
    }
}

impl IntoFigure for bool {
    fn figure(self) -> f64 {
        f64::from(u8::from(self))
    }
}
