//! The small WebAssembly module of `gatewright-web/webhooks`: webhooks alone, nothing of the client.
//!
//! Its boundary is by hand, since what wasm-bindgen needs for it on both sides is larger than it: `js/webhook_instance.ts` is the other
//! half. What goes in are bytes in a buffer of `allocate`, which the call frees. What comes out is an answer: the length of a text
//! (four bytes, little-endian) and the text in UTF-8, which `release` frees.

use gatewright_boundary::{HostReplayGuard, HostVerifier, HostWebhook};

/// Smaller than the allocator that the standard library brings along.
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

/// What an opening function made: a thing, or the error as JSON.
pub type Opened<T> = Result<T, String>;

/// A buffer of `len` bytes for what goes in.
#[unsafe(no_mangle)]
pub extern "C" fn allocate(len: usize) -> *mut u8 {
    Box::into_raw(vec![0_u8; len].into_boxed_slice()).cast()
}

/// A webhook of settings in JSON. It is there until `close`.
///
/// # Safety
/// `settings` is a buffer of `allocate(len)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn open(settings: *mut u8, len: usize) -> *mut Opened<HostWebhook> {
    // SAFETY: as this function's.
    let settings = unsafe { text(settings, len) };
    Box::into_raw(Box::new(HostWebhook::open_settings(&settings)))
}

/// An answer with the error of `open`, or null if it made a webhook.
///
/// # Safety
/// `opened` is of `open`, and not closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn failure(opened: *const Opened<HostWebhook>) -> *mut u8 {
    // SAFETY: as this function's.
    unsafe { error_of(opened) }
}

/// Ends what `open` made.
///
/// # Safety
/// `opened` is of `open`, and not closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn close(opened: *mut Opened<HostWebhook>) {
    // SAFETY: as this function's.
    drop(unsafe { Box::from_raw(opened) });
}

/// Asks a webhook about a body: `what` is 0 for `HostWebhook::verify`, 1 for `explain` (with headers as text), 2 for `sign_request` (with
/// the id and the URL as lines), 3 for `challenge` (with the verdict).
///
/// # Safety
/// `opened` is of `open` and not closed; `body` and `about` are buffers of `allocate` with these lengths.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ask(
    opened: *const Opened<HostWebhook>,
    what: u32,
    body: *mut u8,
    body_len: usize,
    about: *mut u8,
    about_len: usize,
    seconds: f64,
) -> *mut u8 {
    // SAFETY: as this function's.
    let (opened, body, about) =
        unsafe { (&*opened, taken(body, body_len), text(about, about_len)) };
    asked(opened, |webhook| match what {
        0 => webhook.verify(&body, &about, seconds),
        1 => webhook.explain(&body, &about, seconds),
        2 => {
            let (id, url) = about.split_once('\n').unwrap_or((&about, ""));
            webhook.sign_request(&body, id, url, seconds)
        }
        _ => webhook.challenge(&about, &body),
    })
}

/// Begins to verify a request with headers as text, whose body comes in pieces. It is there until `verifier_close`.
///
/// # Safety
/// `opened` is of `open` and not closed; `headers` is a buffer of `allocate(len)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn verifier(
    opened: *const Opened<HostWebhook>,
    headers: *mut u8,
    len: usize,
    now_seconds: f64,
) -> *mut Opened<HostVerifier> {
    // SAFETY: as this function's.
    let (opened, headers) = unsafe { (&*opened, text(headers, len)) };
    let begun = match opened {
        Ok(webhook) => webhook.verifier(&headers, now_seconds),
        Err(error) => Err(error.clone()),
    };
    Box::into_raw(Box::new(begun))
}

/// An answer with the error of `verifier`, or null.
///
/// # Safety
/// `opened` is of `verifier`, and not closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn verifier_failure(opened: *const Opened<HostVerifier>) -> *mut u8 {
    // SAFETY: as this function's.
    unsafe { error_of(opened) }
}

/// Takes a piece of the body.
///
/// # Safety
/// `opened` is of `verifier` and not closed; `piece` is a buffer of `allocate(len)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn verifier_update(
    opened: *const Opened<HostVerifier>,
    piece: *mut u8,
    len: usize,
) -> *mut u8 {
    // SAFETY: as this function's.
    let (opened, piece) = unsafe { (&*opened, taken(piece, len)) };
    asked(opened, |verifier| verifier.update(&piece))
}

/// The verdict.
///
/// # Safety
/// `opened` is of `verifier`, and not closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn verifier_finish(opened: *const Opened<HostVerifier>) -> *mut u8 {
    // SAFETY: as this function's.
    asked(unsafe { &*opened }, HostVerifier::finish)
}

/// Ends what `verifier` made.
///
/// # Safety
/// `opened` is of `verifier`, and not closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn verifier_close(opened: *mut Opened<HostVerifier>) {
    // SAFETY: as this function's.
    drop(unsafe { Box::from_raw(opened) });
}

/// A replay guard of settings in JSON. It is there until `guard_close`.
///
/// # Safety
/// `settings` is a buffer of `allocate(len)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn guard(settings: *mut u8, len: usize) -> *mut Opened<HostReplayGuard> {
    // SAFETY: as this function's.
    let settings = unsafe { text(settings, len) };
    Box::into_raw(Box::new(HostReplayGuard::open(&settings)))
}

/// An answer with the error of `guard`, or null.
///
/// # Safety
/// `opened` is of `guard`, and not closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn guard_failure(opened: *const Opened<HostReplayGuard>) -> *mut u8 {
    // SAFETY: as this function's.
    unsafe { error_of(opened) }
}

/// Asks a guard for a message: `what` is 0 for `HostReplayGuard::reserve`, 1 for `commit`, 2 for `release`; `about` has the key and the token
/// in a line each.
///
/// # Safety
/// `opened` is of `guard` and not closed; `about` is a buffer of `allocate(len)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn guard_ask(
    opened: *const Opened<HostReplayGuard>,
    what: u32,
    about: *mut u8,
    len: usize,
    now_seconds: f64,
) -> *mut u8 {
    // SAFETY: as this function's.
    let (opened, about) = unsafe { (&*opened, text(about, len)) };
    let (key, token) = about.split_once('\n').unwrap_or((&about, ""));
    asked(opened, |guard| match what {
        0 => guard.reserve(key, now_seconds),
        1 => guard.commit(key, token, now_seconds),
        _ => guard.release(key, token, now_seconds),
    })
}

/// Ends what `guard` made.
///
/// # Safety
/// `opened` is of `guard`, and not closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn guard_close(opened: *mut Opened<HostReplayGuard>) {
    // SAFETY: as this function's.
    drop(unsafe { Box::from_raw(opened) });
}

/// A verified message's key for replay guards; `about` has the sender's name in a line, and the verdict.
///
/// # Safety
/// `about` is a buffer of `allocate(len)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn replay_key(about: *mut u8, len: usize) -> *mut u8 {
    // SAFETY: as this function's.
    let about = unsafe { text(about, len) };
    let (sender, verdict) = about.split_once('\n').unwrap_or((&about, ""));
    answer(&HostWebhook::replay_key(sender, verdict))
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

fn asked<T>(opened: &Opened<T>, question: impl FnOnce(&T) -> String) -> *mut u8 {
    match opened {
        Ok(thing) => answer(&question(thing)),
        Err(error) => answer(error),
    }
}

/// An answer with the error of what was opened, or null.
///
/// # Safety
/// `opened` is of an opening function, and not closed.
unsafe fn error_of<T>(opened: *const Opened<T>) -> *mut u8 {
    // SAFETY: as this function's.
    match unsafe { &*opened } {
        Ok(_) => std::ptr::null_mut(),
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
