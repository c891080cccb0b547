//! JSON lines, downloads and uploads.

use gatewright::RequestBuilder;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::Reading;
use crate::outcome;

/// Puts members into an answer.
fn with<const N: usize>(mut answer: Value, more: [(&str, Value); N]) -> Value {
    if let Some(members) = answer.as_object_mut() {
        for (name, value) in more {
            members.insert(name.to_owned(), value);
        }
    }
    answer
}

pub(super) async fn json_lines(builder: RequestBuilder, reading: Reading) -> Value {
    let mut lines = builder.json_lines();
    if let Some(timeout) = reading.idle_timeout {
        lines = lines.idle_timeout(timeout);
    }
    if let Some(bytes) = reading.max_line_bytes {
        lines = lines.max_line_bytes(usize::try_from(bytes).unwrap_or(usize::MAX));
    }
    let most = reading.max_values.unwrap_or(100);
    let mut values: Vec<Value> = Vec::new();
    let answer = loop {
        if u64::try_from(values.len()).unwrap_or(u64::MAX) >= most {
            break json!({ "ok": true });
        }
        match lines.next::<Value>().await {
            Ok(Some(value)) => values.push(value),
            Ok(None) => break json!({ "ok": true }),
            Err(error) => break outcome::error(&error),
        }
    };
    with(answer, [("values", values.into())])
}

pub(super) async fn download(builder: RequestBuilder, reading: Reading) -> Value {
    let mut download = builder.download();
    let (mut hasher, mut length, mut chunks) = (Sha256::new(), 0u64, 0u64);
    let ended = loop {
        if reading.stop_after_bytes.is_some_and(|most| length >= most) {
            break Ok(());
        }
        match download.chunk().await {
            Ok(Some(chunk)) => {
                hasher.update(&chunk);
                length += u64::try_from(chunk.len()).unwrap_or(u64::MAX);
                chunks += 1;
            }
            Ok(None) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    let body =
        json!({ "length": length, "chunks": chunks, "sha256": outcome::hex(&hasher.finalize()) });
    match ended {
        Ok(()) => {
            let attempts = download.attempts().iter().map(outcome::attempt).collect();
            let answer = json!({ "ok": true, "total": download.total() });
            with(
                answer,
                [("body", body), ("attempts", Value::Array(attempts))],
            )
        }
        Err(error) => with(outcome::error(&error), [("delivered", body)]),
    }
}

pub(super) async fn upload(builder: RequestBuilder, reading: Reading) -> Value {
    let mut upload = builder.upload(reading.source.unwrap_or_default());
    if let Some(bytes) = reading.chunk_size {
        upload = upload.chunk_size(bytes);
    }
    match upload.send().await {
        Ok(uploaded) => {
            let attempts = uploaded.attempts.iter().map(outcome::attempt).collect();
            with(
                outcome::response(&uploaded.response),
                [
                    ("attempts", Value::Array(attempts)),
                    ("resumable", uploaded.resumable.into()),
                    ("answer_lost", uploaded.answer_lost.into()),
                ],
            )
        }
        Err(error) => outcome::error(&error),
    }
}
