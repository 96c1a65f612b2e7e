//! Records as Parquet: a flat row each, typed, with nulls where an outcome has no such value.

use std::sync::Arc;

use bytes::Bytes;
use parquet::basic::Compression;
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, FloatType};
use parquet::errors::{ParquetError, Result};
use parquet::file::properties::WriterProperties;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::record::{Field, Row};
use parquet::schema::parser::parse_message_type;

use crate::record::{FaceBox, Outcome, Record};

/// In the order in which columns are written below.
const SCHEMA: &str = "message lifesign_check {
    required binary image (STRING);
    required binary outcome (STRING);
    optional double liveness_score;
    optional double min_score;
    optional boolean passed;
    optional binary code (STRING);
    optional binary failure_reason (STRING);
    optional binary message (STRING);
    optional float face_x;
    optional float face_y;
    optional float face_width;
    optional float face_height;
    optional double elapsed_ms;
}";

/// A record with its outcome spread over columns.
#[derive(Default)]
struct Flat {
    image: String,
    outcome: String,
    liveness_score: Option<f64>,
    min_score: Option<f64>,
    passed: Option<bool>,
    code: Option<String>,
    failure_reason: Option<String>,
    message: Option<String>,
    face: [Option<f32>; 4],
    elapsed_ms: Option<f64>,
}

pub(crate) fn encode(records: &[Record]) -> Result<Vec<u8>> {
    let rows: Vec<Flat> = records.iter().map(flat).collect();
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_created_by(concat!("lifesign ", env!("CARGO_PKG_VERSION")).to_owned())
        .build();
    let schema = Arc::new(parse_message_type(SCHEMA)?);
    let mut writer = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties))?;
    let mut group = writer.next_row_group()?;
    let text = |text: &str| ByteArray::from(text.as_bytes().to_vec());
    let some = |value: &Option<String>| value.as_deref().map(text);

    required::<ByteArrayType>(&mut group, rows.iter().map(|row| text(&row.image)))?;
    required::<ByteArrayType>(&mut group, rows.iter().map(|row| text(&row.outcome)))?;
    optional::<DoubleType>(&mut group, rows.iter().map(|row| row.liveness_score))?;
    optional::<DoubleType>(&mut group, rows.iter().map(|row| row.min_score))?;
    optional::<BoolType>(&mut group, rows.iter().map(|row| row.passed))?;
    optional::<ByteArrayType>(&mut group, rows.iter().map(|row| some(&row.code)))?;
    optional::<ByteArrayType>(&mut group, rows.iter().map(|row| some(&row.failure_reason)))?;
    optional::<ByteArrayType>(&mut group, rows.iter().map(|row| some(&row.message)))?;
    for nth in 0..4 {
        optional::<FloatType>(&mut group, rows.iter().map(|row| row.face[nth]))?;
    }
    optional::<DoubleType>(&mut group, rows.iter().map(|row| row.elapsed_ms))?;
    group.close()?;
    writer.into_inner()
}

fn required<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, Vec<u8>>,
    values: impl Iterator<Item = T::T>,
) -> Result<()> {
    let values: Vec<T::T> = values.collect();
    column::<T>(group, &values, None)
}

fn optional<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, Vec<u8>>,
    values: impl Iterator<Item = Option<T::T>>,
) -> Result<()> {
    let mut present = Vec::new();
    let levels: Vec<i16> = values
        .map(|value| {
            let level = i16::from(value.is_some());
            present.extend(value);
            level
        })
        .collect();
    column::<T>(group, &present, Some(&levels))
}

fn column<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, Vec<u8>>,
    values: &[T::T],
    levels: Option<&[i16]>,
) -> Result<()> {
    let column = group.next_column()?;
    let mut column = column.ok_or_else(|| ParquetError::General("a column too many".to_owned()))?;
    column.typed::<T>().write_batch(values, levels, None)?;
    column.close()
}

pub(crate) fn decode(bytes: Vec<u8>) -> Result<Vec<Record>> {
    let reader = SerializedFileReader::new(Bytes::from(bytes))?;
    let rows = reader.get_row_iter(None)?;
    rows.map(|row| record(&row?)).collect()
}

fn flat(record: &Record) -> Flat {
    let image = record.image.clone();
    match record.outcome.clone() {
        Outcome::Assessed {
            liveness_score,
            passed,
            min_score,
            face,
            elapsed_ms,
        } => Flat {
            image,
            outcome: "assessed".to_owned(),
            liveness_score: Some(liveness_score),
            min_score: Some(min_score),
            passed: Some(passed),
            face: [face.x, face.y, face.width, face.height].map(Some),
            elapsed_ms: Some(elapsed_ms),
            ..Flat::default()
        },
        Outcome::Rejected {
            code,
            failure_reason,
            message,
        } => Flat {
            image,
            outcome: "rejected".to_owned(),
            code: Some(code),
            failure_reason: Some(failure_reason),
            message: Some(message),
            ..Flat::default()
        },
        Outcome::Error { message } => Flat {
            image,
            outcome: "error".to_owned(),
            message: Some(message),
            ..Flat::default()
        },
    }
}

/// By the columns' names, so that a file that another program rewrote is read as well.
fn record(row: &Row) -> Result<Record> {
    let wrong = |what: String| ParquetError::General(what);
    let field = |name: &str| {
        let mut columns = row.get_column_iter();
        let column = columns.find(|(column, _)| *column == name);
        column.map_or(&Field::Null, |(_, field)| field)
    };
    let text = |name: &str| match field(name) {
        Field::Str(text) => Ok(text.clone()),
        _ => Err(wrong(format!("a row has no `{name}`"))),
    };
    let double = |name: &str| match field(name) {
        Field::Double(number) if number.is_finite() => Ok(*number),
        _ => Err(wrong(format!("a row has no number `{name}`"))),
    };
    let float = |name: &str| match field(name) {
        Field::Float(number) => Ok(*number),
        _ => Err(wrong(format!("a row has no number `{name}`"))),
    };
    let outcome = match &*text("outcome")? {
        "assessed" => Outcome::Assessed {
            liveness_score: double("liveness_score")?,
            passed: match field("passed") {
                Field::Bool(passed) => *passed,
                _ => return Err(wrong("a row has no `passed`".to_owned())),
            },
            min_score: double("min_score")?,
            face: FaceBox {
                x: float("face_x")?,
                y: float("face_y")?,
                width: float("face_width")?,
                height: float("face_height")?,
            },
            elapsed_ms: double("elapsed_ms")?,
        },
        "rejected" => Outcome::Rejected {
            code: text("code")?,
            failure_reason: text("failure_reason")?,
            message: text("message")?,
        },
        "error" => Outcome::Error {
            message: text("message")?,
        },
        other => return Err(wrong(format!("a row has the outcome `{other}`"))),
    };
    Ok(Record {
        image: text("image")?,
        outcome,
    })
}
