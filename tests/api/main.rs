//! The server through its router: every route, as nobody and as a member, on real disks, a real database
//! and real bare repositories.

mod conflicts;
mod guard;
mod harness;
mod headers;
mod origin;
mod saves;
mod session;
mod stacks;
mod start;
mod unwraps;
