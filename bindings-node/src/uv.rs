//! The few functions of libuv that are needed to run on Node's own event loop. They are looked up in the running program, since not every
//! program that loads addons has them.
//!
//! Handles are opaque here: libuv says how large they are.

use std::cell::UnsafeCell;
use std::ffi::{CStr, c_int, c_uint, c_void};
use std::sync::OnceLock;

/// `uv_loop_t`.
#[repr(C)]
pub(crate) struct Loop {
    _opaque: [u8; 0],
}

/// Any of libuv's handles.
#[repr(C)]
pub(crate) struct Handle {
    _opaque: [u8; 0],
}

/// `uv_handle_type`, as far as it is used.
#[derive(Clone, Copy, Debug)]
#[repr(i32)]
pub(crate) enum Kind {
    Poll = 8,
    Prepare = 9,
    Timer = 13,
}

/// `UV_READABLE`.
pub(crate) const READABLE: c_int = 1;

pub(crate) type OnEvent = unsafe extern "C" fn(*mut Handle);
pub(crate) type OnPoll = unsafe extern "C" fn(*mut Handle, c_int, c_int);

macro_rules! functions {
    ($($field:ident = $symbol:literal : fn($($argument:ty),*) $(-> $answer:ty)?;)*) => {
        /// libuv's functions.
        #[derive(Debug)]
        pub(crate) struct Uv {
            $(pub(crate) $field: unsafe extern "C" fn($($argument),*) $(-> $answer)?,)*
        }

        impl Uv {
            fn look_up() -> Option<Self> {
                Some(Self {
                    $($field: {
                        let found = symbol($symbol)?;
                        // SAFETY: libuv 1.x keeps the signatures of its public functions; these are as in its uv.h.
                        unsafe { std::mem::transmute::<*mut c_void, unsafe extern "C" fn($($argument),*) $(-> $answer)?>(found) }
                    },)*
                })
            }
        }
    };
}

functions! {
    handle_size = c"uv_handle_size": fn(c_int) -> usize;
    set_data = c"uv_handle_set_data": fn(*mut Handle, *mut c_void);
    data = c"uv_handle_get_data": fn(*const Handle) -> *mut c_void;
    add_ref = c"uv_ref": fn(*mut Handle);
    drop_ref = c"uv_unref": fn(*mut Handle);
    close = c"uv_close": fn(*mut Handle, Option<OnEvent>);
    poll_init = c"uv_poll_init": fn(*mut Loop, *mut Handle, c_int) -> c_int;
    poll_start = c"uv_poll_start": fn(*mut Handle, c_int, OnPoll) -> c_int;
    prepare_init = c"uv_prepare_init": fn(*mut Loop, *mut Handle) -> c_int;
    prepare_start = c"uv_prepare_start": fn(*mut Handle, OnEvent) -> c_int;
    prepare_stop = c"uv_prepare_stop": fn(*mut Handle) -> c_int;
    timer_init = c"uv_timer_init": fn(*mut Loop, *mut Handle) -> c_int;
    timer_start = c"uv_timer_start": fn(*mut Handle, OnEvent, u64, u64) -> c_int;
    version = c"uv_version": fn() -> c_uint;
}

fn symbol(name: &CStr) -> Option<*mut c_void> {
    // SAFETY: the name ends with a zero; RTLD_DEFAULT looks in what the program has loaded, and changes nothing.
    let found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
    (!found.is_null()).then_some(found)
}

impl Uv {
    /// libuv as the running program has it, version 1 only: numbers and signatures above are that version's.
    pub(crate) fn of_program() -> Option<&'static Self> {
        static FOUND: OnceLock<Option<Uv>> = OnceLock::new();
        FOUND
            .get_or_init(|| {
                let found = Self::look_up()?;
                // SAFETY: takes nothing, changes nothing.
                let version = unsafe { (found.version)() };
                // uv_handle_get_data came with 1.19.
                (version >> 16 == 1 && version >> 8 & 0xff >= 19).then_some(found)
            })
            .as_ref()
    }

    /// Memory for a handle, zeroed. It must live until the handle's close callback has run.
    pub(crate) fn memory(&self, kind: Kind) -> HandleMemory {
        // SAFETY: takes a number.
        let size = unsafe { (self.handle_size)(kind as c_int) };
        // In words of 16 bytes, so that it is aligned for whatever is in it. libuv says SIZE_MAX for a kind that it does not know.
        let words = if size < 4096 { size.div_ceil(16) } else { 256 };
        HandleMemory((0..words).map(|_| UnsafeCell::new(0)).collect())
    }
}

/// Memory for a handle. Rust holds it and never looks inside.
#[derive(Debug)]
pub(crate) struct HandleMemory(Box<[UnsafeCell<u128>]>);

impl HandleMemory {
    pub(crate) fn handle(&self) -> *mut Handle {
        UnsafeCell::raw_get(self.0.as_ptr()).cast()
    }
}
