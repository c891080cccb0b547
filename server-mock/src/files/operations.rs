//! The rows of files, uploads in parts and exports.

use serde_json::{Value, json};

use super::FileOp;
use super::content::MAX_CHUNK;
use super::export::{MAX_ITEMS, MAX_PAUSE_MS};
use crate::op::Op;
use crate::openapi::schema::{
    anything, boolean, count, described, format, object, pattern, refer, text, whole, word,
};
use crate::openapi::{About, Schemas};
use crate::parameter::COUNT;
use crate::records::keyed_row;
use crate::routes::Operation;

pub(crate) static OPERATIONS: &[Operation] = &[
    Operation {
        op: Op::File(FileOp::Create),
        methods: &["POST"],
        path: "/v1/files",
        about: |o| {
            digests(keyed_row(o.tag("Files")))
                .summary("Upload a file, as it is or in a form, or begin an upload in parts")
                .detail(
                    "With the headers `Upload-Complete: ?0` and `Upload-Length` it begins an upload in parts \
                     (draft-ietf-httpbis-resumable-upload), whose address is the answer's `Location`. A form has one file: \
                     the part with a file name, or the part `file`; a part `digest` (`sha-256=:BASE64:`) is checked.",
                )
                .optional_body("application/octet-stream", anything(), Value::Null)
                .optional_body("multipart/form-data", object([("file", format("binary").into())]), Value::Null)
                .ok(201, "the file, or without a body the upload that was begun", refer("NewFile"), new_file())
                .says(201, "Location", "where it is")
                .says(201, "Repr-Digest", "the file's SHA-256 (RFC 9530)")
                .says(201, "Upload-Offset", "how many bytes came, of an upload in parts")
                .says(201, "Upload-Complete", "whether it is complete, of an upload in parts")
                .says(201, "Upload-Limit", "the limits, of an upload in parts")
        },
    },
    Operation {
        op: Op::File(FileOp::Get),
        methods: &["GET"],
        path: "/v1/files/{id}",
        about: |o| {
            let file = json!({ "id": "gen-1024-1", "size": 1024, "content_type": "application/octet-stream" });
            named(o)
                .summary("What is known of a file")
                .ok(200, "size and media type", refer("File"), file)
                .says(200, "ETag", "the content's entity tag")
        },
    },
    Operation {
        op: Op::File(FileOp::Delete),
        methods: &["DELETE"],
        path: "/v1/files/{id}",
        about: |o| named(o).summary("Delete a file").empty(204, "it is gone"),
    },
    Operation {
        op: Op::File(FileOp::Content),
        methods: &["GET"],
        path: "/v1/files/{id}/content",
        about: |o| {
            named(o)
                .summary("Download a file or a range of it")
                .query("chunk", whole(&(0..=MAX_CHUNK)), "bytes in a piece")
                .query(
                    "interval_ms",
                    whole(&(0..=MAX_PAUSE_MS)),
                    "a real pause before each piece",
                )
                .header(
                    "Range",
                    text(),
                    "`bytes=0-99`, `bytes=100-` or `bytes=-100`",
                )
                .header("If-Range", text(), "the entity tag that the range is of")
                .header(
                    "If-Match",
                    text(),
                    "entity tags of which one has to be the file's",
                )
                .header("If-None-Match", text(), "entity tags the caller has")
                .header("Want-Repr-Digest", text(), "asks for `Repr-Digest`")
                .content(200, "all of it", "*/*", anything(), Value::Null)
                .says(200, "ETag", "the entity tag, strong")
                .says(200, "Accept-Ranges", "`bytes`")
                .says(200, "Repr-Digest", "the SHA-256 of all of it (RFC 9530)")
                .content(206, "the range", "*/*", anything(), Value::Null)
                .says(206, "Content-Range", "which bytes of how many")
                .says(206, "ETag", "the entity tag, strong")
                .empty(304, "the caller has it")
                .problems(&[412, 416])
        },
    },
    Operation {
        op: Op::File(FileOp::Replace),
        methods: &["PUT"],
        path: "/v1/files/{id}/content",
        about: |o| {
            digests(named(o))
                .summary("Put other bytes into a file")
                .optional_body("application/octet-stream", anything(), Value::Null)
                .empty(204, "it has them")
                .says(204, "ETag", "the new entity tag")
        },
    },
    Operation {
        op: Op::File(FileOp::Offset),
        methods: &["GET"],
        path: "/v1/uploads/{id}",
        about: |o| {
            upload(o)
                .summary("Where an upload in parts stands")
                .empty(204, "how many bytes came")
                .says(204, "Upload-Offset", "how many bytes came")
                .says(204, "Upload-Complete", "`?1` when they are all")
                .says(
                    204,
                    "Upload-Length",
                    "how many it will have, where that was said",
                )
                .says(204, "Upload-Limit", "the limits")
                .says(204, "Location", "the file it became")
        },
    },
    Operation {
        op: Op::File(FileOp::Append),
        methods: &["PATCH"],
        path: "/v1/uploads/{id}",
        about: |o| {
            upload(o)
                .summary("Append to an upload in parts")
                .required_header("Upload-Offset", whole(&COUNT), "where these bytes go on")
                .required_header(
                    "Upload-Complete",
                    word(&["?0", "?1"]),
                    "whether these bytes are the last",
                )
                .header(
                    "Content-Digest",
                    digest(),
                    "the SHA-256 of these bytes (RFC 9530)",
                )
                .body("application/partial-upload", anything(), Value::Null)
                .ok(201, "the file, complete", refer("NewFile"), new_file())
                .says(201, "Location", "where the file is")
                .empty(204, "more is to come")
                .says(204, "Upload-Offset", "how many bytes came")
                .says(204, "Upload-Complete", "`?0`")
                .problems(&[409, 415])
        },
    },
    Operation {
        op: Op::File(FileOp::Cancel),
        methods: &["DELETE"],
        path: "/v1/uploads/{id}",
        about: |o| {
            upload(o)
                .summary("Cancel an upload in parts")
                .empty(204, "it is gone")
        },
    },
    Operation {
        op: Op::File(FileOp::Export),
        methods: &["GET"],
        path: "/v1/exports",
        about: |o| {
            o.tag("Files")
                .summary("Items as lines of JSON, with irregularities on demand")
                .query("items", whole(&(0..=MAX_ITEMS)), "how many there are")
                .query("after", whole(&COUNT), "the last one the caller has")
                .query(
                    "interval_ms",
                    whole(&(0..=MAX_PAUSE_MS)),
                    "a real pause before each",
                )
                .query("newline", word(&["lf", "crlf"]), "how lines end")
                .query(
                    "blank_every",
                    whole(&COUNT),
                    "an empty line behind every so many",
                )
                .query("bad_at", whole(&COUNT), "the item that is no JSON")
                .query("last_newline", boolean(), "whether the last line ends")
                .content(
                    200,
                    "the lines",
                    "application/jsonl",
                    anything(),
                    Value::Null,
                )
        },
    },
];

fn new_file() -> Value {
    json!({
        "id": "fl_000001", "size": 5,
        "sha256": "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
    })
}

fn digest() -> utoipa::openapi::schema::ObjectBuilder {
    // Other algorithms, and what is none, are ignored (RFC 9530, section 2).
    text()
}

fn digests(o: About) -> About {
    o.header(
        "Content-Digest",
        digest(),
        "the SHA-256 of the body (RFC 9530)",
    )
    .header(
        "Repr-Digest",
        digest(),
        "the SHA-256 of the file (RFC 9530)",
    )
}

fn named(o: About) -> About {
    let words = "the file; `gen-{size}-{seed}` is one that nobody uploaded";
    o.tag("Files")
        .path("id", text().min_length(Some(1)), words, "gen-1024-1")
        .problems(&[404])
}

fn upload(o: About) -> About {
    o.tag("Files")
        .path("id", text().min_length(Some(1)), "the upload", "up_000001")
        .problems(&[404])
}

pub(crate) fn schemas(schemas: &mut Schemas) {
    schemas.add(
        "NewFile",
        object([
            ("id", text().into()),
            ("size", count().into()),
            ("sha256", pattern("^[0-9a-f]{64}$").into()),
        ]),
    );
    schemas.add(
        "File",
        object([
            ("id", text().into()),
            ("size", count().into()),
            ("content_type", text().into()),
            (
                "filename?",
                described(text(), "as the form that brought it called it"),
            ),
        ]),
    );
}
