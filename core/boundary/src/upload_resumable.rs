//! Resumable uploads: one call, whatever requests it takes. The source is bytes, a stream of the host's (`upload.rs`), or a file.
//!
//! | State | Event | Next |
//! |---|---|---|
//! | under way | a request of it is done | under way; where that is wanted, `progress` is told: `{location, offset, length}` |
//! | under way | the server has all of it | ANSWER, with `resumable` and `answerLost` in its meta; over |
//! | under way | it failed for good | ERROR, with `upload: {location, offset, length}`; over. Another one may go on from that location |

use std::sync::Arc;

use gatewright::{Body, Error, RequestBuilder, Upload, UploadSource};

use crate::call::Control;
use crate::frame::Frame;
use crate::members::{Members, shown_name};
use crate::options::{Place, invalid, stream_body};
use crate::port::Port;
use crate::question;
use crate::{error, json};

/// An upload that is to begin.
pub(crate) struct Begun {
    upload: Upload,
    progress: bool,
    /// The host language's number of the client.
    client: u32,
}

/// Makes an upload with a style of `{chunkSize, resume, assumeResumable, progress, file, stream: {replayable, length}}`.
pub(crate) fn begin(
    request: RequestBuilder,
    body: Option<Body>,
    style: &str,
    place: &Place<'_>,
) -> Result<Begun, Error> {
    let members = Members::read(style)
        .map_err(|must_be| invalid(format!("the style of an upload {must_be}")))?;
    let mut source = body.map(UploadSource::from);
    let (mut chunk_size, mut resume) = (None, None);
    let (mut assume, mut progress) = (false, false);
    for member in members {
        match &*member.name {
            "chunkSize" => {
                let size = member.size().map_err(invalid)?;
                if size == 0 {
                    return Err(invalid(
                        member.must_be("a whole number of bytes above zero"),
                    ));
                }
                chunk_size = Some(size);
            }
            "resume" => resume = Some(member.text().map_err(invalid)?),
            "assumeResumable" => assume = member.flag().map_err(invalid)?,
            "progress" => progress = member.flag().map_err(invalid)?,
            "file" => source = Some(file(&member.text().map_err(invalid)?)?),
            "stream" => {
                source = Some(stream_body(&member, place).map_err(invalid)?.into());
            }
            other => {
                let what = format!("\"{}\" is no option of an upload", shown_name(other));
                return Err(invalid(what));
            }
        }
    }
    let source = source.unwrap_or_else(|| UploadSource::from(Body::Empty));
    let mut upload = request.upload(source);
    if let Some(bytes) = chunk_size {
        upload = upload.chunk_size(bytes);
    }
    if assume {
        upload = upload.assume_resumable();
    }
    if let Some(location) = resume {
        upload = upload.resume(location);
    }
    Ok(Begun {
        upload,
        progress,
        client: place.client,
    })
}

#[cfg(feature = "native")]
#[expect(
    clippy::unnecessary_wraps,
    reason = "where there are no files it is an error"
)]
fn file(path: &str) -> Result<UploadSource, Error> {
    Ok(UploadSource::file(path))
}

#[cfg(not(feature = "native"))]
fn file(_path: &str) -> Result<UploadSource, Error> {
    Err(invalid(
        "there are no files here; give the upload its bytes, or a stream of them".to_owned(),
    ))
}

/// Uploads all of it.
pub(crate) async fn send(port: Arc<Port>, call: u32, control: Arc<Control>, begun: Begun) {
    let Begun {
        mut upload,
        progress,
        client,
    } = begun;
    let frame = loop {
        match upload.step().await {
            Ok(done) => {
                if progress {
                    let all = done.as_ref().and(upload.length());
                    let offset = all.unwrap_or(upload.offset());
                    question::tell(&port, client, call, "progress", |out| {
                        position(out, &upload, offset);
                    });
                }
                if let Some(uploaded) = done {
                    break Frame::Uploaded { call, uploaded };
                }
            }
            Err(why) => {
                let mut error = error::to_json(&why, port.language());
                error.pop();
                json::member(&mut error, "upload");
                error.push(b'{');
                position(&mut error, &upload, upload.offset());
                error.extend_from_slice(b"}}");
                break Frame::Error { call, error };
            }
        }
    };
    port.settle(call, &control, true, frame);
}

/// Where it is: `location, offset, length`.
fn position(out: &mut Vec<u8>, upload: &Upload, offset: u64) {
    json::member(out, "location");
    json::or_null(out, upload.location(), json::string);
    json::member(out, "offset");
    json::number(out, offset);
    json::member(out, "length");
    json::or_null(out, upload.length(), json::number);
}
