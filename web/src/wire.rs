//! Wire types to and from JSON, by the browser's own reader and writer: another one, with its tables for numbers,
//! would be 30 KB more to load.

use js_sys::JSON;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_wasm_bindgen::Serializer;

/// The JSON text of a value. `None` for what JSON cannot say, which no type here can be.
pub fn write<T: Serialize + ?Sized>(value: &T) -> Option<String> {
    let value = value.serialize(&Serializer::json_compatible()).ok()?;
    JSON::stringify(&value).ok()?.as_string()
}

/// The value that a JSON text holds. `None` when it is no JSON, or not of that type.
pub fn read<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_wasm_bindgen::from_value(JSON::parse(text).ok()?).ok()
}
