//! ini
use crate::format::{
    Edit,
    parts::{Comment, Parsed, Root, Scalar},
};
use crate::{error::Error, limits::Limits, path::Path, tree::Node, value::Value};
use alloc::{string::String, vec::Vec};
fn no() -> Error {
    Error::bug("stub")
}
pub(crate) fn parse(_: &str, _: &Limits) -> Result<Parsed, Error> {
    Err(no())
}
pub(crate) fn sealed(_: &str, _: &Scalar) -> Vec<Edit> {
    Vec::new()
}
pub(crate) fn sealed_comment(_: &str, _: &Comment) -> Vec<Edit> {
    Vec::new()
}
pub(crate) fn opened(_: &Value, _: &Scalar) -> Result<Vec<Edit>, Error> {
    Err(no())
}
pub(crate) fn opened_comment(_: &str, _: &core::ops::Range<usize>) -> Edit {
    (0..0, String::new())
}
pub(crate) fn insertion(_: &str, _: &Root, _: &Node) -> Edit {
    (0..0, String::new())
}
pub(crate) fn removal(_: &str, _: &Root) -> Option<Vec<Edit>> {
    None
}
pub(crate) fn block_leaves(_: &Root) -> Vec<(Path, Value, usize)> {
    Vec::new()
}
pub(crate) fn emit(_: &Node) -> Result<String, Error> {
    Err(no())
}
