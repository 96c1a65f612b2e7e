//! Records as JSON Lines.

use crate::format::FormatError;
use crate::record::Record;

pub(crate) fn encode(records: &[Record]) -> Result<Vec<u8>, FormatError> {
    let mut bytes = Vec::new();
    for record in records {
        serde_json::to_writer(&mut bytes, record).map_err(FormatError::Write)?;
        bytes.push(b'\n');
    }
    Ok(bytes)
}

pub(crate) fn decode(bytes: &[u8]) -> Result<Vec<Record>, FormatError> {
    let lines = bytes.split(|&byte| byte == b'\n').enumerate();
    lines
        .filter(|(_, line)| !line.trim_ascii().is_empty())
        .map(|(nth, line)| {
            serde_json::from_slice(line).map_err(|cause| FormatError::Line {
                line: nth + 1,
                cause,
            })
        })
        .collect()
}
