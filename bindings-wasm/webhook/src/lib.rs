//! The small WebAssembly module of `gatewright-web/webhooks`: webhooks alone, nothing of the client.
//!
//! Its boundary is by hand, since what wasm-bindgen needs for it on both sides is larger than it: `js/webhook_instance.ts` is the other
//! half. What goes in are bytes in a buffer of `allocate`, which the call frees. What comes out is an answer: the length of a text
//! (four bytes, little-endian) and the text in UTF-8, which `release` frees.

use gatewright_boundary::HostWebhook;

/// Smaller than the allocator that the standard library brings along.
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

/// What `open` made of its secrets: a webhook, or the error as JSON.
pub type Opened = Result<HostWebhook, String>;

/// A buffer of `len` bytes for what goes in.
#[unsafe(no_mangle)]
pub extern "C" fn allocate(len: usize) -> *mut u8 {
    Box::into_raw(vec![0_u8; len].into_boxed_slice()).cast()
}

/// A webhook with the secrets in a buffer, each ended by a line break. It is there until `close`.
///
/// # Safety
/// `secrets` is a buffer of `allocate(len)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn open(
    secrets: *mut u8,
    len: usize,
    tolerance_seconds: f64,
    max_body: f64,
) -> *mut Opened {
    // SAFETY: as this function's.
    let secrets = unsafe { text(secrets, len) };
    let secrets: Vec<&str> = secrets.split_terminator('\n').collect();
    Box::into_raw(Box::new(HostWebhook::open(
        &secrets,
        tolerance_seconds,
        max_body,
    )))
}

/// An answer with the error of `open`, or null if it made a webhook.
///
/// # Safety
/// `opened` is of `open`, and not closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn failure(opened: *const Opened) -> *mut u8 {
    // SAFETY: as this function's.
    match unsafe { &*opened } {
        Ok(_) => std::ptr::null_mut(),
        Err(error) => answer(error),
    }
}

/// Ends what `open` made.
///
/// # Safety
/// `opened` is of `open`, and not closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn close(opened: *mut Opened) {
    // SAFETY: as this function's.
    drop(unsafe { Box::from_raw(opened) });
}

/// `HostWebhook::verify` with a body and headers.
///
/// # Safety
/// `opened` is of `open` and not closed; `body` and `headers` are buffers of `allocate` with these lengths.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn verify(
    opened: *const Opened,
    body: *mut u8,
    body_len: usize,
    headers: *mut u8,
    headers_len: usize,
    now_seconds: f64,
) -> *mut u8 {
    // SAFETY: as this function's.
    let (opened, body, headers) =
        unsafe { (&*opened, taken(body, body_len), text(headers, headers_len)) };
    asked(opened, |webhook| {
        webhook.verify(&body, &headers, now_seconds)
    })
}

/// `HostWebhook::explain` with a body and headers.
///
/// # Safety
/// As for `verify`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn explain(
    opened: *const Opened,
    body: *mut u8,
    body_len: usize,
    headers: *mut u8,
    headers_len: usize,
    now_seconds: f64,
) -> *mut u8 {
    // SAFETY: as this function's.
    let (opened, body, headers) =
        unsafe { (&*opened, taken(body, body_len), text(headers, headers_len)) };
    asked(opened, |webhook| {
        webhook.explain(&body, &headers, now_seconds)
    })
}

/// `HostWebhook::sign` with a body and a message's id.
///
/// # Safety
/// As for `verify`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sign(
    opened: *const Opened,
    body: *mut u8,
    body_len: usize,
    message_id: *mut u8,
    message_id_len: usize,
    timestamp_seconds: f64,
) -> *mut u8 {
    // SAFETY: as this function's.
    let (opened, body, message_id) = unsafe {
        (
            &*opened,
            taken(body, body_len),
            text(message_id, message_id_len),
        )
    };
    asked(opened, |webhook| {
        webhook.sign(&body, &message_id, timestamp_seconds)
    })
}

/// A new `whsec_` secret of 32 random bytes; empty of any other number.
///
/// # Safety
/// `random` is a buffer of `allocate(len)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn generate(random: *mut u8, len: usize) -> *mut u8 {
    // SAFETY: as this function's.
    let random = unsafe { taken(random, len) };
    match random.first_chunk() {
        Some(random) => answer(&gatewright_boundary::generate_secret(random)),
        None => answer(""),
    }
}

/// Frees an answer.
///
/// # Safety
/// `given` is an answer, and not released.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn release(given: *mut u8) {
    // SAFETY: an answer begins with its length, and is a boxed slice of these four bytes and as many as that.
    unsafe {
        let len = u32::from_le_bytes(*given.cast::<[u8; LENGTH]>());
        drop(taken(given, LENGTH + len as usize));
    }
}

/// The bytes of an answer's length.
const LENGTH: usize = 4;

fn asked(opened: &Opened, question: impl FnOnce(&HostWebhook) -> String) -> *mut u8 {
    match opened {
        Ok(webhook) => answer(&question(webhook)),
        Err(error) => answer(error),
    }
}

fn answer(text: &str) -> *mut u8 {
    // Memory has no more bytes than this counts.
    let len = u32::try_from(text.len()).unwrap_or_default().to_le_bytes();
    let bytes = [len.as_slice(), text.as_bytes()].concat();
    Box::into_raw(bytes.into_boxed_slice()).cast()
}

/// A buffer's bytes, freed with what is returned.
///
/// # Safety
/// `at` is a boxed slice of `len` bytes.
unsafe fn taken(at: *mut u8, len: usize) -> Vec<u8> {
    // SAFETY: as this function's.
    unsafe { Vec::from_raw_parts(at, len, len) }
}

/// A buffer's text. JavaScript encodes texts as UTF-8.
///
/// # Safety
/// `at` is a boxed slice of `len` bytes.
unsafe fn text(at: *mut u8, len: usize) -> String {
    // SAFETY: as this function's.
    String::from_utf8(unsafe { taken(at, len) }).unwrap_or_default()
}
