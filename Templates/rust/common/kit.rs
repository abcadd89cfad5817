//! What every plugin needs of the interface: the host's tables, and errors.

use crate::ptune::*;
use std::ffi::{CStr, CString};
use std::sync::atomic::{AtomicPtr, Ordering};

/// A table of functions and texts, which are constant, for a static.
pub struct Shared<T>(pub T);
// The pointers in it lead to statics that nobody changes.
unsafe impl<T> Sync for Shared<T> {}

static HOST: AtomicPtr<ptune_host_v1> = AtomicPtr::new(std::ptr::null_mut());

/// Keeps the host that the entry function was given; it lives as long as the process.
pub fn keep_host(host: *const ptune_host_v1) {
    HOST.store(host as *mut ptune_host_v1, Ordering::Release);
}

fn host() -> &'static ptune_host_v1 {
    unsafe { HOST.load(Ordering::Acquire).as_ref() }.expect("the entry function was called")
}

/// An interface of the host. A component lists in `needs` those it asks for: then they are there.
pub fn interface<T>(id: &CStr) -> &'static T {
    let find = host().interface_for.expect("the host looks interfaces up");
    unsafe { (find(id.as_ptr()) as *const T).as_ref() }.expect("an interface of `needs`")
}

/// States why the call in progress fails, and gives the status to return.
#[allow(dead_code)] // a component that refuses nothing does not need it
pub fn fail(call: *mut ptune_call, status: ptune_status, why: &str) -> ptune_status {
    let text = CString::new(why.replace('\0', " ")).unwrap_or_default();
    if let Some(fail) = host().fail {
        unsafe { fail(call, status, text.as_ptr()) };
    }
    status
}

/// Calls a function of a table: `call!(ops.softmax(x))`.
#[macro_export]
macro_rules! call {
    ($table:ident . $function:ident ( $($argument:expr),* $(,)? )) => {
        ($table.$function.expect(stringify!($function)))($($argument),*)
    };
}
